#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

/* Running a program: the process it lives in, its lines in order, its answers. */
#include "fuzz/runner/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/runner/load.h"

#define SWITCH_POINT_MAX 1000000u
#define PREFERRED_CHOICES 2000
#define PRIORITY_CHANGES_MAX 8
#define POINTS_EXPECTED 2000 /* of a program of the fuzzers, about */

/* The answers of lines that run on other threads, until they are collected. */
struct pending {
    bool started;
    bool done;
    JET_ERR code;
    struct text out;
    bool bad;
    char problem[160];
};

struct state {
    struct run run;
    struct pending *pending; /* one a line */
    struct arena arena;      /* outcomes */
};

static struct state *state_of(struct run *run)
{
    return (struct state *)(void *)run;
}

/* --- one line */

static void arm_faults(const struct program_line *line)
{
    for (size_t i = 0; i < line->fault_count; i++) {
        enum ESENT_HOST_FAULT kind = EsentHostFaultFromName(line->faults[i].kind);
        if (kind != ESENT_HOST_FAULT_COUNT)
            EsentHostFailNth(kind, line->faults[i].nth, 1);
    }
}

/* A crash point stays armed: the crash itself comes with the Crash line. */
static void disarm_faults(const struct program_line *line)
{
    for (size_t i = 0; i < line->fault_count; i++) {
        enum ESENT_HOST_FAULT kind = EsentHostFaultFromName(line->faults[i].kind);
        if (kind != ESENT_HOST_FAULT_COUNT && kind != ESENT_HOST_FAULT_CRASH)
            EsentHostFailNth(kind, 0, 0);
    }
}

/* One allocation after the other fails, until the call answers anything else than that. */
static JET_ERR make_call_again_and_again(call_function function, struct call *call)
{
    const struct call fresh = *call;
    for (uint64_t nth = 1;; nth++) {
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        const JET_ERR err = function(call);
        const bool failed = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE) > 0;
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, 0, 0);
        if (!failed || err != JET_errOutOfMemory || call->bad)
            return err;
        text_free(&call->out);
        arena_free(&call->arena);
        *call = fresh;
        call->run->result->retries++;
    }
}

/* As in the published engine, some calls change something when they fail: they lose the cursor's place or
 * key, or use up a column id. */
static bool is_repeatable(const struct program_line *line)
{
    static const char *const once[] = {"AddColumn", "IntersectIndexes", "Move", "Seek"};
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        if (strcmp(line->op->name, once[i]) == 0)
            return false;
    }
    return line->fault_count == 0 && (line->op->family == OP_DATA || line->op->family == OP_SCHEMA);
}

static void make_call(struct run *run, size_t index, struct pending *answer)
{
    const struct program_line *line = &run->program->lines[index];
    struct call call = {.run = run, .line = line};
    for (size_t i = 0; i < line->fault_count; i++) {
        if (EsentHostFaultFromName(line->faults[i].kind) == ESENT_HOST_FAULT_COUNT)
            run_bad(&call, "unknown kind of fault \"%.40s\"", line->faults[i].kind);
    }
    call_function function = call_function_find(line->op);
    if (function == NULL)
        run_bad(&call, "the runner cannot make this call");
    if (!call.bad && run->options->retry_allocations && is_repeatable(line)) {
        answer->code = make_call_again_and_again(function, &call);
    } else if (!call.bad) {
        arm_faults(line);
        answer->code = function(&call);
        disarm_faults(line);
    }
    answer->out = call.out;
    answer->bad = call.bad;
    memcpy(answer->problem, call.problem, sizeof answer->problem);
    arena_free(&call.arena);
}

void run_line(struct run *run, size_t index)
{
    struct pending *answer = &state_of(run)->pending[index];
    make_call(run, index, answer);
    pthread_mutex_lock(&run->lock);
    answer->done = true;
    pthread_mutex_unlock(&run->lock);
}

/* Turns the collected answer into an outcome, tells the observer, writes the transcript. */
static void report(struct run *run, size_t index)
{
    struct state *state = state_of(run);
    struct pending *pending = &state->pending[index];
    struct run_answer answer = {.code = pending->code, .bad_line = pending->bad};
    memcpy(answer.problem, pending->problem, sizeof answer.problem);
    struct text text = {0};
    text_print(&text, "%d", pending->code);
    if (!pending->bad && pending->out.size > 0)
        text_add(&text, pending->out.bytes, pending->out.size);
    if (!program_parse_outcome(&state->arena, text.bytes, text.size, &answer.outcome, NULL))
        answer.outcome = (struct program_outcome){.code = "0"};
    text_free(&text);
    text_free(&pending->out);
    run->result->lines++;
    if (pending->bad) {
        run->result->bad_lines++;
        answer.outcome = (struct program_outcome){.code = "not-run"};
    }
    if (run->options->observer.after != NULL)
        run->options->observer.after(run->options->observer.context, run->program, index, &answer);
    if (run->transcript != NULL) {
        struct program_line *line = &run->transcript->lines[index];
        struct program_line copy = *line;
        copy.arrow_column = line->expects ? line->arrow_column : 59;
        copy.expects = true;
        copy.outcome = answer.outcome;
        program_copy_line(run->transcript, line, &copy);
    }
    pending->started = false;
}

static void before(struct run *run, size_t index)
{
    state_of(run)->pending[index].started = true;
    if (run->options->observer.before != NULL)
        run->options->observer.before(run->options->observer.context, run->program, index);
}

/* Reports what other threads have answered, in the program's order, up to the first that is not done. */
static void collect(struct run *run, size_t end)
{
    for (size_t i = 0; i < end; i++) {
        struct pending *pending = &state_of(run)->pending[i];
        if (!pending->started)
            continue;
        pthread_mutex_lock(&run->lock);
        bool done = pending->done;
        pthread_mutex_unlock(&run->lock);
        if (done)
            report(run, i);
    }
}

/* --- the process */

static void forget_slots(struct run *run)
{
    memset(run->handles, 0xff, sizeof run->handles);
    for (size_t i = 0; i < SLOTS_MAX; i++) {
        if (run->bookmarks[i] == NULL) /* nearly all of them, and sanitizers' free is slow */
            continue;
        free(run->bookmarks[i]);
        run->bookmarks[i] = NULL;
    }
}

/* Process-wide parameters, in their order. Refused ones show in what follows. */
static void apply_settings(struct run *run)
{
    for (size_t i = 0; i < run->program->line_count; i++) {
        const struct program_line *line = &run->program->lines[i];
        if (line->kind != LINE_SET || strcmp(line->name, "profile") == 0 || strcmp(line->name, "sector") == 0)
            continue;
        uint32_t id = JET_paramDatabasePageSize;
        if (strcmp(line->name, "page") != 0 && !name_parameter(line->name, &id))
            continue;
        const char *text = program_token_value(&line->arguments[0], 0, NULL);
        uint64_t number;
        bool is_text = line->arguments[0].text != NULL || !name_number(text, &number);
        JetSetSystemParameterA(NULL, JET_sesidNil, id, is_text ? 0 : number, is_text ? text : NULL);
    }
}

static const char *profile_of(const struct run *run)
{
    const char *profile = run->options->profile;
    if (profile == NULL)
        profile = program_setting(run->program, "profile");
    return profile != NULL ? profile : "documented";
}

static void add_choice(uint8_t **bytes, size_t *size, size_t at, uint8_t choice)
{
    if (at >= *size) {
        uint8_t *larger = realloc(*bytes, at + 1);
        if (larger == NULL)
            abort();
        memset(larger + *size, 0xff, at + 1 - *size);
        *bytes = larger;
        *size = at + 1;
    }
    (*bytes)[at] = choice;
}

/* `set switches "3 57 60:2 70+1"`: the schedule that goes from one thread to the next only where it must, but
 * for these points (counted from 0 among those where there is a choice): there another thread gets its turn,
 * or the second other one; or thread 1 goes before all others from then on. Returns the number of choices;
 * `*choices` is to be freed. */
static size_t parse_switches(const char *text, uint8_t **choices)
{
    size_t size = 0;
    *choices = NULL;
    for (;;) {
        char *end;
        const unsigned long at = strtoul(text, &end, 10);
        if (end == text || at >= SWITCH_POINT_MAX)
            return size;
        const char kind = *end;
        const unsigned long which = kind == ':' || kind == '+' ? strtoul(end + 1, &end, 10) % THREADS_MAX : 1;
        if (kind == '+') {
            for (size_t i = PREFERRED_CHOICES; i > 0; i--)
                add_choice(choices, &size, at + i - 1, (uint8_t)(ESENT_HOST_CHOICE_THREAD + which));
        } else {
            add_choice(choices, &size, at, (uint8_t)(0xff - which));
        }
        text = end;
    }
}

/* The program may bring its own interleaving: `set schedule N` (seed; 0: nobody is interrupted), with `set
 * priorities C` by priorities that C points lower, with `set switches "..."` interrupted there and nowhere
 * else.
 */
static void choose_threads(struct run *run)
{
    if (!run->options->simulated) {
        EsentHostUseThreads();
        EsentHostSetClock(-1);
        return;
    }
    struct ESENT_HOST_SIMULATION simulation = {.seed = run->options->seed};
    uint8_t *choices = NULL;
    const char *own = program_setting(run->program, "schedule");
    const char *switches = program_setting(run->program, "switches");
    const char *priorities = program_setting(run->program, "priorities");
    uint64_t changes = 0;
    if (own != NULL)
        name_number(own, &simulation.seed);
    if (simulation.seed != 0)
        simulation.scheduler = ESENT_HOST_SCHEDULE_RANDOM;
    if (priorities != NULL && name_number(priorities, &changes)) {
        simulation.scheduler = ESENT_HOST_SCHEDULE_PRIORITY;
        simulation.priority_changes = (uint32_t)(1 + changes % PRIORITY_CHANGES_MAX);
        simulation.expected_points = POINTS_EXPECTED;
    }
    if (switches != NULL) {
        simulation.scheduler = ESENT_HOST_SCHEDULE_FIFO;
        simulation.choices_size = parse_switches(switches, &choices);
        simulation.choices = choices;
    }
    EsentHostUseSimulation(&simulation);
    free(choices);
}

/* What the disk writes whole: a page, or as `set sector N` says. Writes are recorded only for programs whose
 * machine crashes. */
static void choose_disk(const struct run *run)
{
    bool machine = false;
    for (size_t i = 0; i < run->program->line_count && !machine; i++) {
        const struct program_line *line = &run->program->lines[i];
        machine = line->kind == LINE_CALL && strcmp(line->op->name, "Crash") == 0 && line->argument_count > 0;
    }
    if (machine)
        EsentHostTrackWrites((int)program_sector_size(run->program));
}

static bool choose_files(struct run *run)
{
    const struct run_options *options = run->options;
    if (options->files == RUN_MEMORY) {
        strcpy(run->directory, "/p");
        /* Writes may be tracked still, as the last program wanted it. */
        const bool good = EsentHostUseMemoryFiles() >= JET_errSuccess &&
                          EsentHostTrackWrites(0) >= JET_errSuccess &&
                          EsentHostDirectoryCreate(run->directory) >= JET_errSuccess &&
                          EsentHostSetDirectory(run->directory) >= JET_errSuccess;
        choose_disk(run);
        return good;
    }
    if (options->directory != NULL) {
        if (realpath(options->directory, run->directory) == NULL)
            return false;
    } else {
        const char *base = getenv("TMPDIR");
        snprintf(run->directory, sizeof run->directory, "%s/openesent-XXXXXX",
                 base != NULL && *base != '\0' ? base : "/tmp");
        if (mkdtemp(run->directory) == NULL)
            return false;
        run->temporary = true;
    }
    return EsentHostUsePosixFiles() >= JET_errSuccess &&
           EsentHostSetDirectory(run->directory) >= JET_errSuccess;
}

static bool start(struct run *run, char *message, size_t size)
{
    EsentHostReset(NULL, 0);
    choose_threads(run);
    EsentHostSetProfile(strcmp(profile_of(run), "published") == 0 ? ESENT_HOST_PUBLISHED
                                                                  : ESENT_HOST_DOCUMENTED);
    if (!choose_files(run)) {
        snprintf(message, size, "no directory to run in");
        return false;
    }
    if (run->options->load != NULL && !load_directory(run->options->load, message, size))
        return false;
    apply_settings(run);
    return true;
}

/* Ends the program's snapshots, which live beyond the instances; false if an instance lives. */
static bool is_alone(struct run *run)
{
    uint32_t count = 0;
    JET_INSTANCE_INFO_A *instances = NULL;
    if (JetGetInstanceInfoA(&count, &instances) != JET_errSuccess)
        return false;
    JetFreeBuffer((char *)instances);
    /* Snapshots are numbered from 1 on; a program may have forgotten some. */
    uint64_t last = 0;
    for (size_t i = 0; count == 0 && i < run->program->line_count; i++) {
        const struct program_line *line = &run->program->lines[i];
        last += line->kind == LINE_CALL && strcmp(line->op->name, "OSSnapshotPrepare") == 0;
    }
    for (uint64_t id = 1; id <= last; id++)
        (void)JetOSSnapshotAbort(id, 0);
    return count == 0;
}

static void finish(struct run *run)
{
    workers_stop(run);
    collect(run, run->program->line_count);
    EsentHostFailNone();
    run->result->alone = is_alone(run);
    struct ESENT_HOST_COUNTERS counters;
    EsentHostGetCounters(&counters);
    run->result->leaked_bytes = counters.live_bytes;
    run->result->leaked_handles = (uint32_t)counters.open_files;
    if (run->options->hash_files && run->options->files == RUN_MEMORY)
        run->result->files_hash = EsentHostFilesHash();
    EsentHostReset(NULL, 0);
    if (run->options->simulated) { /* the next run's beginning must not depend on this one's schedule */
        const struct ESENT_HOST_SIMULATION plain = {0};
        EsentHostUseSimulation(&plain);
    }
    if (run->temporary)
        EsentHostDirectoryDelete(run->directory);
    EsentHostSetDirectory(NULL);
    forget_slots(run);
}

/* How a line's crash treats what no sync made durable. */
static bool crash_mode(const struct program_line *line, enum ESENT_HOST_CRASH_MODE *mode)
{
    static const struct {
        const char *word;
        enum ESENT_HOST_CRASH_MODE mode;
    } modes[] = {
        {"lose", ESENT_HOST_CRASH_LOSE_ALL},
        {"reorder", ESENT_HOST_CRASH_REORDER},
        {"tear", ESENT_HOST_CRASH_TEAR},
        {"prefix", ESENT_HOST_CRASH_PREFIX_TEAR},
    };
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (line->arguments[0].text == NULL && strcmp(line->arguments[0].word, modes[i].word) == 0) {
            *mode = modes[i].mode;
            return true;
        }
    }
    return false;
}

/* The process dies, or the machine; what comes after runs in a new process. */
static void crash(struct run *run, size_t index)
{
    const struct program_line *line = &run->program->lines[index];
    struct pending *pending = &state_of(run)->pending[index];
    enum ESENT_HOST_CRASH_MODE mode;
    uint64_t seed = 0;
    const bool machine = line->argument_count > 0;
    if (machine && (run->options->files != RUN_MEMORY || !crash_mode(line, &mode) ||
                    (line->argument_count > 1 && !name_number(line->arguments[1].word, &seed)))) {
        pending->bad = true;
        snprintf(pending->problem, sizeof pending->problem,
                 "the machine crashes on files in memory, by lose, reorder, tear or prefix, and a number");
        return;
    }
    workers_stop(run);
    collect(run, run->program->line_count);
    if (machine)
        EsentHostMachineCrash(mode, seed);
    else
        EsentHostCrash();
    EsentHostFailNone();
    forget_slots(run);
    apply_settings(run);
}

static void run_call(struct run *run, size_t index)
{
    const struct program_line *line = &run->program->lines[index];
    struct pending *pending = &state_of(run)->pending[index];
    before(run, index);
    if (strcmp(line->op->name, "Crash") == 0) {
        pending->started = false; /* not to be collected inside */
        crash(run, index);
        report(run, index);
    } else if (strcmp(line->op->name, "Join") == 0 || strcmp(line->op->name, "Schedule") == 0) {
        uint64_t thread = THREADS_MAX;
        if (line->op->name[0] == 'J' && line->argument_count > 0 &&
            name_number(line->arguments[0].word, &thread) && thread < THREADS_MAX)
            worker_join(run, (unsigned)thread);
        pending->started = false;
        collect(run, index);
        report(run, index);
    } else if (line->thread != 0 && line->thread < THREADS_MAX) {
        worker_start(run, line->thread, index);
    } else {
        run_line(run, index);
        report(run, index);
    }
}

static void begin(struct state *state)
{
    struct run *run = &state->run;
    /* It keeps its buffer for the next program, and lies apart from what the targets copy and put back. */
    static __attribute__((section("esent_not_copied"))) struct run_thread first_thread;
    *EsentHostThreadData() = &first_thread;
    *run->result = (struct run_result){0};
    pthread_mutex_init(&run->lock, NULL);
    state->pending = calloc(run->program->line_count + 1, sizeof *state->pending);
    if (state->pending == NULL)
        abort();
    if (run->transcript != NULL)
        program_copy(run->transcript, run->program);
    run->together = program_setting(run->program, "together") != NULL;
    forget_slots(run);
}

static void end(struct state *state)
{
    finish(&state->run);
    free(state->pending);
    arena_free(&state->arena);
    pthread_mutex_destroy(&state->run.lock);
}

static void run_lines(struct run *run, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (run->program->lines[i].kind == LINE_CALL)
            run_call(run, i);
    }
}

void run_program(const struct program *program, const struct run_options *options, struct program *transcript,
                 struct run_result *result)
{
    struct state state = {
        .run = {.program = program, .options = options, .result = result, .transcript = transcript}};
    char message[300] = "";
    begin(&state);
    if (start(&state.run, message, sizeof message)) {
        run_lines(&state.run, 0, program->line_count);
        result->finished = true;
    } else {
        fprintf(stderr, "%s: %s\n", program->name != NULL ? program->name : "program", message);
    }
    end(&state);
}

struct run *run_open(const struct program *program, const struct run_options *options,
                     struct run_result *result)
{
    char message[300];
    struct state *state = malloc(sizeof *state);
    if (state == NULL)
        abort();
    *state = (struct state){.run = {.program = program, .options = options, .result = result}};
    begin(state);
    if (!start(&state->run, message, sizeof message)) /* files in memory need nothing but memory */
        abort();
    return &state->run;
}

void run_go_on(struct run *run, size_t from, size_t to)
{
    run_lines(run, from, to);
}

bool run_is_single(const struct run *run)
{
    for (size_t i = 0; i < THREADS_MAX; i++) {
        if (run->workers[i] != NULL)
            return false;
    }
    return true;
}

void run_change_program(struct run *run, const struct program *program)
{
    struct state *state = state_of(run);
    run->program = program;
    free(state->pending);
    state->pending = calloc(program->line_count + 1, sizeof *state->pending);
    if (state->pending == NULL)
        abort();
}

void run_close(struct run *run)
{
    run->result->finished = true;
    end(state_of(run));
    free(state_of(run));
}

bool run_file_size(const char *path, uint64_t *size)
{
    struct ESENT_HOST_FILE_INFO info;
    if (EsentHostFileInfo(path, &info) < JET_errSuccess || info.directory)
        return false;
    *size = info.size;
    return true;
}

bool run_file_read(const char *path, uint64_t offset, void *buffer, size_t size)
{
    size_t done = 0;
    return EsentHostFileRead(path, offset, buffer, size, &done) >= JET_errSuccess && done == size;
}
