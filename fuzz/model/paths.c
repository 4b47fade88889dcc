#include "fuzz/model/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/state.h"

/* --- the world that every path begins in */

static const char *const beginning[] = {
    "set page 4096",
    "set LogFileSize 1024",
    "set CreatePathIfNotExist 1",
    "CreateInstance i0 \"a\"",
    "SetSystemParameter i0 LogFilePath \"a/\"",
    "SetSystemParameter i0 SystemPath \"a/\"",
    "SetSystemParameter i0 TempPath \"a/\"",
    "Init i0",
    "BeginSession i0 s0",
    "CreateDatabase s0 d0 \"a/a0.edb\" 0",
    "Table s0 d0 t0 \"t\"",
    "CreateDatabase s0 d1 \"a/a1.edb\" 0",
    "CreateInstance i1 \"b\"",
    "SetSystemParameter i1 LogFilePath \"b/\"",
    "SetSystemParameter i1 SystemPath \"b/\"",
    "SetSystemParameter i1 TempPath \"b/\"",
    "Init i1",
    "BeginSession i1 s1",
    "CreateDatabase s1 d2 \"b/b0.edb\" 0",
    "CreateDatabase s1 d3 \"b/b1.edb\" 0",
};

/* Calls, each a class of arguments. %L stands for the first log's name. */
static const char *const calls[] = {
    "BeginExternalBackupInstance i0 0",
    "BeginExternalBackupInstance i0 BackupIncremental",
    "BeginExternalBackupInstance i0 BackupSurrogate",
    "BeginExternalBackupInstance i0 BackupAtomic",
    "BeginExternalBackupInstance i0 InternalCopy|BackupIncremental",
    "BeginExternalBackupInstance nil 0",
    "BeginSurrogateBackup i0 1 1 0",
    "EndSurrogateBackup i0 BackupEndNormal",
    "EndSurrogateBackup i0 BackupEndAbort",
    "EndSurrogateBackup i0 0",
    "GetAttachInfoInstance i0",
    "GetAttachInfoInstanceW i0",
    "GetAttachInfoInstance raw:0x77",
    "OpenFileInstance i0 h0 \"a/a0.edb\"",
    "OpenFileInstance i0 h0 \"a/a1.edb\"",
    "OpenFileInstanceW i0 h0 \"a/a0.edb\"",
    "OpenFileInstance i0 h0 \"a/none.edb\"",
    "OpenFileInstance i0 h0 \"b/b0.edb\"",
    "OpenFileInstance i0 h0 \"\"",
    "OpenFileInstance i0 h0 null",
    "OpenFileInstance i0 h0 \"a/edb.log\"",
    "OpenFileInstance i0 h0 \"%L\"",
    "OpenFileSectionInstance i0 h0 \"a/a0.edb\" 0 2 0",
    "OpenFileSectionInstance i0 h0 \"a/a0.edb\" 0 1 100",
    "OpenFileSectionInstance i0 h0 \"a/a0.edb\" 0 1 8192",
    "ReadFileInstance i0 h0 65536",
    "ReadFileInstance i0 h0 100",
    "ReadFileInstance i0 h0 0",
    "ReadFileInstance i0 h0 4096",
    "ReadFileInstance i0 h0 65536 off=512",
    "ReadFileInstance i0 h1 65536",
    "ReadFileInstance i0 nil 65536",
    "ReadFileInstance zero h0 65536",
    "CloseFileInstance i0 h0",
    "CloseFileInstance i0 h1",
    "CloseFileInstance i0 nil",
    "StreamFile i0 \"a/a0.edb\" \"\" 65536",
    "StreamFile i0 \"a/a1.edb\" \"\" 65536",
    "StreamFile i0 \"%L\" \"\" 65536",
    "GetLogInfoInstance i0",
    "GetLogInfoInstanceW i0",
    "GetLogInfoInstance2 i0",
    "GetLogInfoInstance2 i0 cbSize=4",
    "GetTruncateLogInfoInstance i0",
    "TruncateLogInstance i0",
    "StopBackupInstance i0",
    "StopBackupInstance i1",
    "StopBackupInstance nil",
    "StopBackup",
    "GetAttachInfo",
    "EndExternalBackupInstance i0",
    "EndExternalBackupInstance2 i0 BackupEndNormal",
    "EndExternalBackupInstance2 i0 BackupEndAbort",
    "EndExternalBackupInstance2 i0 BackupEndNormal|BackupEndAbort",
    "EndExternalBackupInstance2 i0 0",
    "EndExternalBackupInstance s0",
    "FullBackup i0 \"bk\" 65536",
    "FullBackup i0 \"cp\" 65536 0 truncate=0",
    "FullBackup i0 \"inc\" 65536 BackupIncremental",
    "BackupInstance i0 \"dir\" BackupAtomic",
    "BackupInstanceW i0 \"dir\" BackupIncremental|BackupAtomic",
    "BackupInstance i0 null 0",
    "AttachDatabase s0 \"a/a0.edb\" 0",
    "AttachDatabase s0 \"a/none.edb\" 0",
    "DetachDatabase s0 \"a/none.edb\"",
    "GetDatabaseInfo s0 d0 DbInfoMisc",
    "GetDatabaseInfo s0 d1 DbInfoMisc",
    "Insert s0 t0 7 1 10",
    "DeleteRows s0 t0 7 1",
    "CountRows s0 t0",
    "Term2 i0 TermComplete",
    "Term2 i0 TermAbrupt",
    "Term2 i0 TermComplete|TermStopBackup",
    "Term i0",
    "StopServiceInstance i0",
    "OSSnapshotPrepare n0 0",
    "OSSnapshotPrepare n0 ContinueAfterThaw",
    "OSSnapshotPrepare n0 IncrementalSnapshot",
    "OSSnapshotPrepare n0 ExplicitPrepare",
    "OSSnapshotPrepareInstance n0 i0 0",
    "OSSnapshotPrepare n0 0x40",
    "OSSnapshotFreeze n0 0",
    "OSSnapshotThaw n0 0",
    "OSSnapshotAbort n0 0",
    "OSSnapshotEnd n0 0",
    "OSSnapshotTruncateLog n0 0",
    "OSSnapshotTruncateLogInstance n0 i0 0",
    "OSSnapshotEnd raw:0x77 0",
    "OSSnapshotGetFreezeInfo n0 0",
    "GetInstanceInfo",
    "%R",
};

/* The call "%R": the first instance, if it is gone, starts again. */
static const char *const restart[] = {
    "CreateInstance i0 \"a\"",
    "SetSystemParameter i0 LogFilePath \"a/\"",
    "SetSystemParameter i0 SystemPath \"a/\"",
    "SetSystemParameter i0 TempPath \"a/\"",
    "Init i0",
    "BeginSession i0 s0",
    "AttachDatabase s0 \"a/a0.edb\" 0",
    "OpenDatabase s0 d0 \"a/a0.edb\" 0",
    "OpenTable s0 d0 t0 \"t\" 0",
    "AttachDatabase s0 \"a/a1.edb\" 0",
    "OpenDatabase s0 d1 \"a/a1.edb\" 0",
};

/* The second instance's part, before the first does anything. Exchanging the instances gives the other half
 * of the pairs of states; that neither disturbs the other beyond these classes is what fuzz/independence
 * shows. */
static const char *const companions[][4] = {
    {NULL},
    {"BeginExternalBackupInstance i1 0", "OpenFileInstance i1 h1 \"b/b0.edb\"", NULL},
    {"BeginExternalBackupInstance i1 0", "StopBackupInstance i1", NULL},
    {"BeginExternalBackupInstance i1 0", "GetLogInfoInstance i1", NULL},
    {"FullBackup i1 \"bkb\" 65536", "BeginExternalBackupInstance i1 BackupIncremental", NULL},
    {"BeginSurrogateBackup i1 1 1 0", NULL},
    {"StopServiceInstance i1", NULL},
    {"Term2 i1 TermComplete", NULL},
};

#define CALLS (sizeof calls / sizeof calls[0])
#define COMPANIONS (sizeof companions / sizeof companions[0])
#define KEY_SIZE 96

/* A state: how it is reached, and its key. */
struct node {
    size_t companion;
    int parent;  /* node, -1 for a beginning */
    size_t call; /* from the parent */
    unsigned depth;
    int next; /* node of the same bucket, -1 at the end */
    char key[KEY_SIZE];
};

#define BUCKETS 65536
#define DEPTH_MAX 200

struct walk {
    const char *profile;
    struct node *nodes;
    size_t count, capacity;
    int *buckets; /* by key: the newest node, -1 for none */
    struct paths_counts *counts;
    void (*program)(void *context, const struct program *program);
    void *context;
};

static void add_text(struct program *program, const char *text, bool published)
{
    char line[200];
    const char *place = strstr(text, "%L");
    if (place == NULL)
        snprintf(line, sizeof line, "%s", text);
    else
        snprintf(line, sizeof line, "%.*s%s%s", (int)(place - text), text,
                 published ? "a/edb00000001.log" : "a/edb00001.log", place + 2);
    struct program_error error;
    if (!program_parse_line(program, line, strlen(line), &error)) {
        fprintf(stderr, "%s: %s\n", line, error.message);
        abort();
    }
}

static void add_call(struct program *program, size_t call, bool published)
{
    if (strcmp(calls[call], "%R") != 0) {
        add_text(program, calls[call], published);
        return;
    }
    for (size_t i = 0; i < sizeof restart / sizeof restart[0]; i++)
        add_text(program, restart[i], published);
}

/* The program that reaches a node. */
static void build(const struct walk *walk, const struct node *node, struct program *program)
{
    bool published = strcmp(walk->profile, "published") == 0;
    size_t path[DEPTH_MAX + 1];
    size_t length = 0;
    size_t companion = node->companion;
    for (; node->parent >= 0; node = &walk->nodes[node->parent])
        path[length++] = node->call;
    add_text(program, published ? "set profile published" : "set profile documented", published);
    for (size_t i = 0; i < sizeof beginning / sizeof beginning[0]; i++)
        add_text(program, beginning[i], published);
    for (size_t i = 0; companions[companion][i] != NULL; i++)
        add_text(program, companions[companion][i], published);
    while (length > 0)
        add_call(program, path[--length], published);
}

/* --- the model's state in short */

/* What later answers depend on: which kind of full backup the header knows. The fields themselves are facts
 * of GetDatabaseInfo's answers, not part of a state. */
static unsigned field_class(const struct database_file *file)
{
    if (file->fields_unknown)
        return 3;
    return file->fields.full == 0 ? 0 : file->full_by_snapshot ? 2 : 1;
}

static unsigned open_class(const struct model_handle *handle)
{
    if (handle == NULL)
        return 0;
    unsigned kind = handle->file != NULL ? 1 : handle->is_log ? 2 : 3;
    unsigned progress = handle->offset == 0 ? 0 : handle->size != 0 && handle->offset >= handle->size ? 2 : 1;
    return kind * 3 + progress;
}

/* The databases of the instance, without their order: how many there are, were copied, know which full
 * backup. */
static unsigned database_class(const struct model *model, const struct model_instance *instance)
{
    unsigned counts[6] = {0};
    for (size_t i = 0; i < model->file_count; i++) {
        const struct database_file *file = model->files[i];
        if (file->attached != instance)
            continue;
        counts[0]++;
        counts[1] += file->copied ? 1 : 0;
        counts[2 + field_class(file)]++;
    }
    unsigned all = 0;
    for (size_t i = 0; i < 6; i++)
        all = all * 4 + (counts[i] < 3 ? counts[i] : 3);
    return all;
}

/* The snapshot. Beside a streaming backup its bits do not matter. */
static void session_class(const struct model_snapshot *snapshot, bool streaming, char *text, size_t size)
{
    if (snapshot == NULL || (streaming && snapshot->state == SNAPSHOT_GONE))
        snprintf(text, size, "n-");
    else if (streaming)
        snprintf(text, size, "n%d", (int)snapshot->state);
    else
        snprintf(text, size, "n%d,%u", (int)snapshot->state, snapshot->grbit);
}

static void make_key(const struct model *model, size_t companion, char *key)
{
    const struct object object = model_slot(model, 0, 0);
    const struct model_instance *instance = object.kind == OBJECT_INSTANCE ? object.pointer : NULL;
    const struct object snapshot = model_slot(model, 5, 0);
    const struct model_snapshot *n0 = snapshot.kind == OBJECT_SNAPSHOT ? snapshot.pointer : NULL;
    bool streaming = instance != NULL && instance->alive &&
                     (instance->backup.kind == BACKUP_LOCAL || instance->backup.kind == BACKUP_SURROGATE);
    char session[16];
    session_class(n0, streaming, session, sizeof session);
    if (instance == NULL || !instance->alive) {
        snprintf(key, KEY_SIZE, "%zu gone %s", companion, session);
        return;
    }
    if (instance->lost) {
        snprintf(key, KEY_SIZE, "%zu lost", companion);
        return;
    }
    const struct backup_context *b = &instance->backup;
    if (instance->service_stopped) {
        /* Only a term gets anywhere. */
        snprintf(key, KEY_SIZE, "%zu stopped k%d%d %s,%d", companion, b->kind, b->stop, session,
                 instance->snapshot != NULL);
        return;
    }
    snprintf(key, KEY_SIZE, "%zu k%d%d%d%d%d o%u r%u d%x s%d %s,%d", companion, b->kind, b->incremental,
             b->stop, b->logs_phase, b->truncated, open_class(b->open), b->read_sum > 0 ? 1u : 0u,
             database_class(model, instance), instance->never_backup, session, instance->snapshot != NULL);
}

/* Runs the model over a program; returns it after the last line, with that line's expectation left in it. */
static struct model *run_model(const struct program *program)
{
    struct model *model = model_new(program, NULL);
    struct model_verdict verdict;
    for (size_t i = 0; i < program->line_count; i++)
        model_judge(model, &program->lines[i], NULL, &verdict);
    return model;
}

/* --- the walk */

static size_t bucket_of(const char *key)
{
    uint32_t hash = 2166136261u;
    for (const char *at = key; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    return hash % BUCKETS;
}

static int find_node(const struct walk *walk, const char *key)
{
    for (int i = walk->buckets[bucket_of(key)]; i >= 0; i = walk->nodes[i].next) {
        if (strcmp(walk->nodes[i].key, key) == 0)
            return i;
    }
    return -1;
}

static void add_node(struct walk *walk, struct node node)
{
    if (walk->count == walk->capacity) {
        walk->capacity = walk->capacity > 0 ? walk->capacity * 2 : 256;
        walk->nodes = realloc(walk->nodes, walk->capacity * sizeof *walk->nodes);
        if (walk->nodes == NULL)
            abort();
    }
    int *bucket = &walk->buckets[bucket_of(node.key)];
    node.next = *bucket;
    *bucket = (int)walk->count;
    walk->nodes[walk->count++] = node;
}

static void give_out(struct walk *walk, const struct program *program, size_t edges)
{
    walk->counts->programs++;
    walk->counts->covered += edges;
    if (walk->program != NULL)
        walk->program(walk->context, program);
}

/* One call from one state: true if the model foretells exactly one answer. `node` gets the state behind it.
 */
static bool try_call(const struct walk *walk, size_t index, size_t call, struct program *program,
                     struct node *node)
{
    bool published = strcmp(walk->profile, "published") == 0;
    build(walk, &walk->nodes[index], program);
    add_call(program, call, published);
    struct model *model = run_model(program);
    *node = (struct node){.companion = walk->nodes[index].companion,
                          .parent = (int)index,
                          .call = call,
                          .depth = walk->nodes[index].depth + 1};
    bool clear = !model->lost && !model->expect.no_opinion && model->expect.code_count == 1;
    if (clear)
        make_key(model, node->companion, node->key);
    model_free(model);
    return clear;
}

/* Appends calls that lead back to their state, one behind the other, and gives the program out. A call that
 * leaves the state when it comes behind others gets a program of its own. */
static void give_out_loops(struct walk *walk, size_t index, const size_t *loops, size_t count)
{
    bool published = strcmp(walk->profile, "published") == 0;
    struct program program = {0};
    size_t edges = 0;
    build(walk, &walk->nodes[index], &program);
    struct model *model = run_model(&program);
    struct model_verdict verdict;
    for (size_t i = 0; i < count; i++) {
        char key[KEY_SIZE];
        size_t from = program.line_count;
        add_call(&program, loops[i], published);
        for (; from < program.line_count; from++)
            model_judge(model, &program.lines[from], NULL, &verdict);
        make_key(model, walk->nodes[index].companion, key);
        edges++;
        if (!model->lost && strcmp(key, walk->nodes[index].key) == 0)
            continue;
        /* This edge is passed; the others go on afresh. */
        give_out(walk, &program, edges);
        model_free(model);
        program_free(&program);
        program = (struct program){0};
        edges = 0;
        build(walk, &walk->nodes[index], &program);
        model = run_model(&program);
    }
    if (edges > 0)
        give_out(walk, &program, edges);
    model_free(model);
    program_free(&program);
}

/* All calls from one state. Those that lead back to it are gathered; each other one gets a program of its
 * own. */
static void expand(struct walk *walk, size_t index, size_t most_states)
{
    size_t loops[CALLS];
    size_t loop_count = 0;
    for (size_t call = 0; call < CALLS; call++) {
        struct program program = {0};
        struct node node;
        if (!try_call(walk, index, call, &program, &node)) {
            walk->counts->vague++;
        } else if (strcmp(node.key, walk->nodes[index].key) == 0) {
            walk->counts->edges++;
            loops[loop_count++] = call;
        } else {
            walk->counts->edges++;
            give_out(walk, &program, 1);
            if (find_node(walk, node.key) < 0) {
                if (walk->count < most_states && node.depth < DEPTH_MAX)
                    add_node(walk, node);
                else
                    walk->counts->complete = false;
            }
        }
        program_free(&program);
    }
    give_out_loops(walk, index, loops, loop_count);
}

void paths_walk(const char *profile, size_t most_states,
                void (*program)(void *context, const struct program *program), void *context,
                struct paths_counts *counts)
{
    struct walk walk = {.profile = profile, .counts = counts, .program = program, .context = context};
    *counts = (struct paths_counts){.complete = true};
    walk.buckets = malloc(BUCKETS * sizeof *walk.buckets);
    if (walk.buckets == NULL)
        abort();
    for (size_t i = 0; i < BUCKETS; i++)
        walk.buckets[i] = -1;
    for (size_t companion = 0; companion < COMPANIONS; companion++) {
        struct node node = {.companion = companion, .parent = -1};
        struct program start = {0};
        build(&walk, &node, &start);
        struct model *model = run_model(&start);
        make_key(model, companion, node.key);
        add_node(&walk, node);
        model_free(model);
        program_free(&start);
    }
    for (size_t i = 0; i < walk.count; i++)
        expand(&walk, i, most_states);
    counts->states = walk.count;
    free(walk.buckets);
    free(walk.nodes);
}
