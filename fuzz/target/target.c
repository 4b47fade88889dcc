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
#include "fuzz/target/transcript.h"
#include "include/esent_host.h"

#define STATES (1 << 20)
#define STORE_BYTES (40 << 20)

static struct fuzz_statistics own_statistics;
struct fuzz_statistics *fuzz_statistics = &own_statistics;

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

static void judge_call(void *context, const struct program *program, size_t line,
                       const struct run_answer *answer)
{
    struct judgement *judgement = context;
    fuzz_statistics->calls++;
    fuzz_statistics->succeeded += !answer->bad_line && answer->code >= 0;
    judgement->calls++;
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

/* Every program ends by ending what it began, so that what is left behind shows. These calls are judged too.
 */
static void append_ends(struct program *program)
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

void fuzz_run_input(const uint8_t *bytes, size_t size)
{
    struct program program = {0};
    struct program transcript = {0};
    struct judgement judgement = {0};
    struct run_result result = {0};
    const bool wanted = !warming_up && fuzz_transcripts_wanted();
    map_statistics();
    fuzz_heap_use();
    mutate_decode_input(&program, bytes, size);
    fuzz_limit_program(&program);
    if (fuzz_target.prepare != NULL)
        fuzz_target.prepare(&program);
    append_ends(&program);
    if (fuzz_target.judged)
        judgement.model = model_new(&program, NULL);
    /* The schedule belongs to the program (`set schedule`): the same input runs the same way. */
    struct run_options options = {
        .files = RUN_MEMORY,
        .simulated = fuzz_target.simulated,
        .hash_files = wanted,
        .observer = {.context = &judgement, .after = judge_call},
    };
    run_program(&program, &options, wanted ? &transcript : NULL, &result);
    fuzz_heap_reset();
    if (wanted)
        fuzz_write_transcript(bytes, size, &transcript, result.files_hash);
    program_free(&transcript);
    /* An instance that the program lost sight of lives on: its memory is no leak. */
    if (judgement.nothing_lives && judgement.snapshots <= 0 &&
        (result.leaked_bytes != 0 || result.leaked_handles != 0)) {
        fprintf(stderr, "call %zu: expected nothing left behind, got %llu bytes and %u open files\n",
                judgement.calls, (unsigned long long)result.leaked_bytes, result.leaked_handles);
        report(&program, program.line_count, "I9 left behind");
    }
    if (judgement.model != NULL)
        model_free(judgement.model);
    program_free(&program);
    fuzz_statistics->executions++;
}

/* Files in memory keep what they free, up to this: once that store is full, it no longer tells how many
 * programs ran before. */
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
}
