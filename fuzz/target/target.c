#include "fuzz/target/target.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/model/model.h"
#include "fuzz/mutate/mutate.h"
#include "fuzz/runner/runner.h"
#include "fuzz/target/heap.h"
#include "fuzz/target/images.h"
#include "fuzz/target/transcript.h"
#include "fuzz/target/world.h"
#include "include/esent_host.h"

#define STATES (1 << 20)
#define STORE_BYTES (40 << 20)
#define LIFE_PROGRAMS_MAX 6

/* Which images are made depends on time: no edge that an engine watches may. */
#if defined(__clang__)
#define NOT_COUNTED __attribute__((no_sanitize("coverage")))
#else
#define NOT_COUNTED
#endif

static struct fuzz_statistics own_statistics;
struct fuzz_statistics *fuzz_statistics = &own_statistics;
bool fuzz_ends_are_appended = true;

/* AddressSanitizer asks: a program is short and makes all its memory anew, so a small quarantine holds all
 * that it freed; the default of 256 MiB only keeps memory cold. Memory once got is not given back to the
 * system, and what is noted about large blocks is cleared, not mapped anew: page faults cost more than
 * either. Eight frames tell who allocated; as many bytes as in the targets' own heap are filled. ASAN_OPTIONS
 * goes before. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=4:malloc_context_size=8:max_malloc_fill_size=128:"
           "allocator_release_to_os_interval_ms=-1:clear_shadow_mmap_threshold=16777216";
}

struct judgement {
    struct model *model;
    uint64_t answers;   /* a hash over all */
    size_t calls;       /* calls answered so far */
    bool nothing_lives; /* the last answer said that there is no instance */
    int snapshots;      /* prepared and neither aborted nor ended: they live beyond the instances */
};

/* The model's states that were reached: how many, and a bit for each. Shared by all processes of a target. */
struct states {
    uint64_t count;
    uint64_t bits[STATES / 64];
};
static struct states *states;
static bool warming_up;
static bool warmed_up;

/* The file that the environment names, in memory; NULL if it names none. */
static void *map_file(const char *variable, size_t size)
{
    const char *path = getenv(variable);
    if (path == NULL)
        return NULL;
    int file = open(path, O_RDWR | O_CREAT, 0644);
    if (file < 0)
        return NULL;
    void *shared = MAP_FAILED;
    if (ftruncate(file, (off_t)size) == 0)
        shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return shared != MAP_FAILED ? shared : NULL;
}

static void map_statistics(void)
{
    static bool mapped;
    if (mapped)
        return;
    mapped = true;
    struct fuzz_statistics *shared = map_file("ESENT_FUZZ_STATISTICS", sizeof own_statistics);
    if (shared != NULL)
        fuzz_statistics = shared;
    states = map_file("ESENT_FUZZ_STATES", sizeof *states);
}

/* Without branches: what ran before must not show in an engine's coverage. */
__attribute__((noinline)) static void count_state(uint64_t number)
{
    const uint64_t bit = number % STATES;
    const uint64_t mask = UINT64_C(1) << (bit % 64);
    const uint64_t before = __atomic_fetch_or(&states->bits[bit / 64], mask, __ATOMIC_RELAXED);
    __atomic_fetch_add(&states->count, (before & mask) == 0, __ATOMIC_RELAXED);
}

static void print_program(const struct program *program, size_t marked)
{
    struct text text = {0};
    for (size_t i = 0; i < program->line_count; i++) {
        program_print_line(&program->lines[i], &text);
        text_print(&text, i == marked ? "   # <-- here\n" : "\n");
    }
    fprintf(stderr, "--- program\n%s--- end of program\n", text.bytes == NULL ? "" : text.bytes);
    text_free(&text);
}

/* The last words of a run that went wrong: what, where, the program. */
_Noreturn static void report(const struct program *program, size_t line, const char *rule)
{
    fprintf(stderr, "rule: %s\n", rule);
    print_program(program, line);
    fflush(stderr);
    abort();
}

static uint64_t hash_answer(uint64_t hash, const struct program_outcome *outcome)
{
    struct text text = {0};
    program_print_outcome(outcome, &text);
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (uint8_t)text.bytes[i]) * 0x100000001b3;
    text_free(&text);
    return hash;
}

static void judge_call(void *context, const struct program *program, size_t line,
                       const struct run_answer *answer)
{
    struct judgement *judgement = context;
    fuzz_statistics->calls++;
    fuzz_statistics->succeeded += !answer->bad_line && answer->code >= 0;
    judgement->calls++;
    if (images_are_checked())
        judgement->answers = hash_answer(judgement->answers, &answer->outcome);
    const char *name = program->lines[line].op->name;
    const bool done = !answer->bad_line && answer->code >= 0;
    if (done && strcmp(name, "OSSnapshotPrepare") == 0)
        judgement->snapshots++;
    if (done && (strcmp(name, "OSSnapshotAbort") == 0 || strcmp(name, "OSSnapshotEnd") == 0))
        judgement->snapshots--;
    const char *count = program_outcome_fact(&answer->outcome, "n", false);
    judgement->nothing_lives = answer->code == 0 && count != NULL && strcmp(count, "0") == 0;
    if (answer->bad_line || judgement->model == NULL)
        return;
    struct model_verdict verdict;
    model_judge(judgement->model, &program->lines[line], &answer->outcome, &verdict);
    fuzz_statistics->judged += verdict.opinion != MODEL_NO_OPINION;
    const uint64_t state = states != NULL ? model_state_number(judgement->model) : 0;
    if (state != 0)
        count_state(state);
    if (verdict.opinion != MODEL_DISAGREES)
        return;
    struct text text = {0};
    program_print_line(&program->lines[line], &text);
    struct text got = {0};
    program_print_outcome(&answer->outcome, &got);
    fprintf(stderr, "call %zu: expected %s, got %s\n    %s\n", judgement->calls, verdict.expected, got.bytes,
            text.bytes);
    char rule[160];
    snprintf(rule, sizeof rule, "%s %s", verdict.rule, program->lines[line].op->name);
    text_free(&text);
    text_free(&got);
    report(program, line, rule);
}

/* Slots of a letter that the program names, as bits; only the first 32 count. */
static uint32_t slots_of(const struct program *program, char letter)
{
    uint32_t slots = 0;
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        for (size_t k = 0; line->kind == LINE_CALL && k < line->argument_count; k++) {
            const struct program_token *token = &line->arguments[k];
            if (token->text != NULL || token->word[0] != letter || token->word[1] < '0' ||
                token->word[1] > '9')
                continue;
            unsigned long number = strtoul(token->word + 1, NULL, 10);
            if (number < 32)
                slots |= (uint32_t)1 << number;
        }
    }
    return slots;
}

static void append_line(struct program *program, const char *line)
{
    struct program_error error;
    program_parse_line(program, line, strlen(line), &error);
}

/* A line about the slot, if it is one of `slots`. */
__attribute__((format(printf, 3, 0))) static void append_end(struct program *program, uint32_t slots,
                                                             const char *format, unsigned slot)
{
    char line[64];
    if ((slots >> slot & 1) == 0)
        return;
    snprintf(line, sizeof line, format, slot);
    append_line(program, line);
}

/* These calls are judged, too. */
void fuzz_append_ends(struct program *program)
{
    uint32_t threads = 0;
    for (size_t i = 0; i < program->line_count; i++) {
        if (program->lines[i].kind == LINE_CALL && program->lines[i].thread < 32)
            threads |= (uint32_t)1 << program->lines[i].thread;
    }
    uint32_t snapshots = slots_of(program, 'n');
    uint32_t instances = slots_of(program, 'i');
    for (unsigned slot = 1; slot < 32; slot++)
        append_end(program, threads, "Join %u", slot);
    for (unsigned slot = 0; slot < 32; slot++)
        append_end(program, snapshots, "OSSnapshotAbort n%u 0", slot);
    for (unsigned slot = 0; slot < 32; slot++)
        append_end(program, instances, "Term2 i%u TermAbrupt", slot);
    append_line(program, "GetInstanceInfo");
}

/* The life of a program, from its process's start to its end. Allocated: images of the world hold it. */
struct life {
    /* The programs that ran parts of it, each going on where an image of the one before was made; what was
     * asked of them is pointed at. */
    struct program programs[LIFE_PROGRAMS_MAX];
    size_t program_count;
    struct judgement judgement;
    struct run_options options;
    struct run_result result;
    struct run *run;
};

static struct run_options options_of(struct judgement *judgement)
{
    /* The schedule belongs to the program (`set schedule`): the same input runs the same way. */
    return (struct run_options){
        .files = RUN_MEMORY,
        .simulated = fuzz_target.simulated,
        .observer = {.context = judgement, .after = judge_call},
    };
}

/* An instance that the program lost sight of lives on: its memory is no leak. */
static void judge_end(const struct program *program, const struct judgement *judgement,
                      const struct run_result *result)
{
    if (!judgement->nothing_lives || judgement->snapshots > 0 ||
        (result->leaked_bytes == 0 && result->leaked_handles == 0))
        return;
    fprintf(stderr, "call %zu: expected nothing left behind, got %llu bytes and %u open files\n",
            judgement->calls, (unsigned long long)result->leaked_bytes, result->leaked_handles);
    report(program, program->line_count, "I9 left behind");
}

static const struct program *add_program(struct life *life, const struct program *program)
{
    struct program *own = &life->programs[life->program_count++];
    program_copy(own, program);
    return own;
}

static struct life *life_begin(const struct program *program)
{
    struct life *life = calloc(1, sizeof *life);
    if (life == NULL)
        abort();
    const struct program *own = add_program(life, program);
    if (fuzz_target.judged)
        life->judgement.model = model_new(own, NULL);
    life->options = options_of(&life->judgement);
    life->options.hash_files = images_are_checked();
    life->run = run_open(own, &life->options, &life->result);
    return life;
}

static void life_go_on_with(struct life *life, const struct program *program)
{
    const struct program *own = add_program(life, program);
    run_change_program(life->run, own);
    if (life->judgement.model != NULL)
        model_change_program(life->judgement.model, own);
}

/* Answers a number over all that the program was answered, and the files that it left. */
static uint64_t life_end(struct life *life)
{
    run_close(life->run);
    judge_end(&life->programs[life->program_count - 1], &life->judgement, &life->result);
    const uint64_t answers = life->judgement.answers ^ life->result.files_hash;
    if (life->judgement.model != NULL)
        model_free(life->judgement.model);
    for (size_t i = 0; i < life->program_count; i++)
        program_free(&life->programs[i]);
    free(life);
    return answers;
}

/* What the host keeps from program to program: it would be kept in vain, and some of it may be the C
 * library's. */
static void leave_nothing(void)
{
    EsentHostUseThreads();
    EsentHostForgetMemoryFiles();
}

/* Runs the program from the last image on of those that fit its beginning, and may make another on the way:
 * within the input's `own` lines (0: without images). */
NOT_COUNTED static uint64_t run_in_world(const struct program *program, size_t own)
{
    struct images_plan plan;
    images_plan(program, own, &plan);
    world_go_back(plan.image);
    fuzz_heap_serve(true);
    struct life *life = plan.life;
    fuzz_statistics->spared += plan.from;
    if (life == NULL)
        life = life_begin(program);
    else
        life_go_on_with(life, program);
    for (size_t i = 0; i < plan.count && life->program_count < LIFE_PROGRAMS_MAX; i++) {
        run_go_on(life->run, plan.from, plan.lines[i]);
        plan.from = plan.lines[i];
        if (images_are_worth_it(&plan, i) && run_is_single(life->run))
            images_add(&plan, i, world_copy(), life);
    }
    run_go_on(life->run, plan.from, program->line_count);
    const uint64_t answers = life_end(life);
    leave_nothing();
    fuzz_heap_serve(false);
    world_is_done();
    return answers;
}

/* With ESENT_FUZZ_IMAGES=check: each program must answer the same if it is run whole. */
static void run_with_images(const struct program *program, size_t own)
{
    const uint64_t answers = run_in_world(program, own);
    if (!images_are_checked() || run_in_world(program, 0) == answers)
        return;
    fprintf(stderr, "going on from an image, the program answers otherwise than alone\n");
    report(program, program->line_count, "images");
}

static void run_alone(const uint8_t *bytes, size_t size, const struct program *program)
{
    struct program transcript = {0};
    struct judgement judgement = {0};
    struct run_result result = {0};
    const bool wanted = !warming_up && fuzz_transcripts_wanted();
    if (fuzz_target.judged)
        judgement.model = model_new(program, NULL);
    struct run_options options = options_of(&judgement);
    options.hash_files = wanted;
    run_program(program, &options, wanted ? &transcript : NULL, &result);
    fuzz_heap_reset();
    if (wanted)
        fuzz_write_transcript(bytes, size, &transcript, result.files_hash);
    program_free(&transcript);
    judge_end(program, &judgement, &result);
    if (judgement.model != NULL)
        model_free(judgement.model);
}

void fuzz_run_input(const uint8_t *bytes, size_t size)
{
    struct program program = {0};
    map_statistics();
    fuzz_heap_use();
    mutate_decode_input(&program, bytes, size);
    fuzz_limit_program(&program);
    const size_t own = program.line_count;
    if (fuzz_ends_are_appended)
        fuzz_append_ends(&program);
    if (warmed_up) /* not before: engines set their handlers of signals in between */
        images_use();
    if (!warming_up && images_are_used())
        run_with_images(&program, own);
    else
        run_alone(bytes, size, &program);
    program_free(&program);
    fuzz_statistics->executions++;
}

/* Without the targets' heap, files in memory keep what they free, up to this: once that store is full, it no
 * longer tells how many programs ran before. */
static void fill_stores(void)
{
    static uint8_t bytes[1 << 20];
    memset(bytes, 1, sizeof bytes);
    EsentHostUseMemoryFiles();
    for (uint64_t at = 0; at < (uint64_t)STORE_BYTES; at += sizeof bytes)
        EsentHostFileWrite("store", at, bytes, sizeof bytes);
    EsentHostReset(NULL, 0);
}

void fuzz_warm_up(void)
{
    static const char program[] = "set CreatePathIfNotExist 1\n"
                                  "CreateInstance i0 \"a\"\n"
                                  "SetSystemParameter i0 LogFilePath \"a/\"\n"
                                  "SetSystemParameter i0 SystemPath \"a/\"\n"
                                  "SetSystemParameter i0 TempPath \"a/\"\n"
                                  "Init i0\n"
                                  "BeginSession i0 s0\n"
                                  "CreateDatabase s0 d0 \"a/a.edb\" 0\n"
                                  "Table s0 d0 t0 \"t\"\n"
                                  "Insert s0 t0 1 9 40\n"
                                  "@1 FullBackup i0 \"b\" 65536\n"
                                  "Join 1\n"
                                  "HashTable s0 t0\n"
                                  "Move s0 t0 MoveFirst\n"
                                  "RetrieveColumn s0 t0 \"data\" 0\n"
                                  "OSSnapshotPrepare n0 0\n"
                                  "OSSnapshotFreeze n0 0\n"
                                  "OSSnapshotThaw n0 0\n"
                                  "Insert s0 t0 20 9 4000 fail=alloc:1\n"
                                  "Crash\n";
    fuzz_heap_use();
    if (fuzz_heap_state().start == NULL)
        fill_stores();
    map_statistics();
    const struct fuzz_statistics before = *fuzz_statistics;
    struct states *shared_states = states;
    states = NULL;
    warming_up = true;
    fuzz_run_input((const uint8_t *)program, sizeof program - 1);
    warming_up = false;
    states = shared_states;
    *fuzz_statistics = before;
    leave_nothing();
    fuzz_heap_reset();
    warmed_up = true;
}
