#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "fuzz/target/reduce.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/minimise/failure.h"
#include "fuzz/minimise/minimise.h"
#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

#define SAID_MAX 65536
#define RUN_SECONDS 10

struct reduction {
    int said_file; /* the children's standard error, in memory */
    char *said;
    char key[400]; /* the failure that must stay */
    double deadline;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static _Noreturn void be_child(const struct reduction *reduction, const struct program *program)
{
    struct text text = {0};
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    dup2(reduction->said_file, 2);
    alarm(RUN_SECONDS);
    program_print(program, &text);
    fuzz_run_input((const uint8_t *)(text.bytes != NULL ? text.bytes : ""), text.size);
    _exit(0);
}

/* How the program fails ("" if it does not); what it said stays in reduction->said. */
static void failure_of(struct reduction *reduction, const struct program *program, char *key, size_t size)
{
    int status = 0;
    key[0] = '\0';
    fflush(NULL);
    if (ftruncate(reduction->said_file, 0) != 0 || lseek(reduction->said_file, 0, SEEK_SET) != 0)
        return;
    pid_t child = fork();
    if (child == 0)
        be_child(reduction, program);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return;
    ssize_t got = pread(reduction->said_file, reduction->said, SAID_MAX - 1, 0);
    reduction->said[got > 0 ? got : 0] = '\0';
    failure_key(reduction->said, status, key, size);
}

static bool fails(void *context, const struct program *program)
{
    struct reduction *reduction = context;
    char key[sizeof reduction->key];
    failure_of(reduction, program, key, sizeof key);
    return strcmp(key, reduction->key) == 0;
}

static bool is_late(void *context)
{
    const struct reduction *reduction = context;
    return now() > reduction->deadline;
}

static bool read_input(const char *path, struct program *program)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    uint8_t *bytes = malloc(SAID_MAX);
    size_t size = bytes == NULL ? 0 : fread(bytes, 1, SAID_MAX, file);
    fclose(file);
    mutate_decode_input(program, bytes, size);
    fuzz_limit_program(program);
    free(bytes);
    return true;
}

/* What the target appends to each program becomes part of this one as far as its failure needs it, so that it
 * fails wherever it is run. */
static void append_needed_ends(struct reduction *reduction, struct program *program)
{
    fuzz_limit_program(program);
    fuzz_ends_are_appended = false;
    if (fails(reduction, program))
        return;
    const size_t own = program->line_count;
    fuzz_append_ends(program);
    for (size_t i = program->line_count; i > own; i--) {
        struct program shorter = {0};
        program_copy(&shorter, program);
        program_remove(&shorter, i - 1, 1);
        if (fails(reduction, &shorter))
            program_remove(program, i - 1, 1);
        program_free(&shorter);
    }
}

static void print_result(struct reduction *reduction, const struct program *program)
{
    char key[sizeof reduction->key];
    char headline[400];
    struct text text = {0};
    failure_of(reduction, program, key, sizeof key);
    failure_headline(reduction->said, headline, sizeof headline);
    printf("# %s\n", headline[0] != '\0' ? headline : key);
    if (headline[0] != '\0')
        printf("# %s\n", key);
    program_print(program, &text);
    fwrite(text.bytes != NULL ? text.bytes : "", 1, text.size, stdout);
    text_free(&text);
}

int fuzz_reduce(const char *path, double seconds)
{
    struct program program = {0};
    struct reduction reduction = {.said_file = memfd_create("said", 0)};
    struct minimise_counts counts = {0};
    const double started = now();
    reduction.said = malloc(SAID_MAX);
    reduction.deadline = started + seconds;
    if (reduction.said_file < 0 || reduction.said == NULL || !read_input(path, &program))
        return 2;
    const size_t lines = program.line_count;
    failure_of(&reduction, &program, reduction.key, sizeof reduction.key);
    const int result = reduction.key[0] == '\0';
    if (result == 0) {
        const struct minimise_judge judge = {.context = &reduction, .fails = fails, .stop = is_late};
        minimise(&program, &judge, 0, &counts);
        append_needed_ends(&reduction, &program);
        print_result(&reduction, &program);
        fprintf(stderr, "%s: %s; %zu lines of %zu are left, %zu programs tried in %.1f s\n", path,
                reduction.key, program.line_count, lines, counts.tried, now() - started);
    } else {
        fprintf(stderr, "%s does not fail\n", path);
    }
    close(reduction.said_file);
    free(reduction.said);
    program_free(&program);
    return result;
}
