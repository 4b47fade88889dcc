/* A fuzz target as a plain test: runs every program of the given files and directories, each in a process of
 * its own, so that one failure hides no other. Prints `ok PATH` or `FAIL PATH` for each; exit status 0 only
 * if all were good.
 *
 * Options: --direct runs the files in this process (for debuggers and fuzzing orchestration); --repeat N runs
 * each N times; --print FILE prints the program in FILE as text, as the target would run it; --minimise
 * SECONDS FILE prints the smallest program that fails as it does; --hunt SECONDS[:PROGRAMS] FILE... mutates
 * the programs until one fails, the time is over or so many were run, without a fuzzing engine and always in
 * the same order: exit status 0 and "found after N programs" if something was found. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/mutate/mutate.h"
#include "fuzz/target/reduce.h"
#include "fuzz/target/target.h"

#define SECONDS_MAX 60

static bool direct;
static bool hunting;
static unsigned long times = 1;
static unsigned good;
static unsigned bad;

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *bytes = NULL;
    size_t used = 0;
    size_t got;
    do {
        uint8_t *larger = realloc(bytes, used + 65536);
        if (larger == NULL)
            break;
        bytes = larger;
        got = fread(bytes + used, 1, 65536, file);
        used += got;
    } while (got > 0);
    fclose(file);
    *size = used;
    return bytes;
}

static bool run_file(const char *path)
{
    size_t size = 0;
    uint8_t *bytes = read_file(path, &size);
    if (bytes == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    for (unsigned long run = 0; run < times; run++)
        fuzz_run_input(bytes, size);
    free(bytes);
    return true;
}

static bool run_apart(const char *path)
{
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        alarm(SECONDS_MAX);
        bool done = run_file(path);
        fflush(NULL);
        exit(done ? 0 : 1);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child)
        return false;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        fprintf(stderr, "%s: still running after %d seconds\n", path, SECONDS_MAX);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void visit(const char *path);
static void hunt_add(const char *path);

static void visit_directory(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char name[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
            struct stat status;
            size_t size = strlen(name);
            bool program = size > 4 && strcmp(name + size - 4, ".jet") == 0;
            if (stat(name, &status) == 0 && (S_ISDIR(status.st_mode) || program))
                visit(name);
        }
        free(entries[i]);
    }
    free(entries);
}

static void visit(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        bad++;
        return;
    }
    if (S_ISDIR(status.st_mode)) {
        visit_directory(path);
        return;
    }
    if (hunting) {
        hunt_add(path);
        return;
    }
    bool done = direct ? run_file(path) : run_apart(path);
    printf("%s %s\n", done ? "ok" : "FAIL", path);
    fflush(stdout);
    good += done;
    bad += !done;
}

#define HUNT_INPUTS 512
#define HUNT_BYTES 8192

struct hunt_input {
    uint8_t bytes[HUNT_BYTES];
    size_t size;
};

static struct hunt_input *hunt_inputs;
static size_t hunt_count;

static void hunt_add(const char *path)
{
    size_t size = 0;
    uint8_t *bytes = read_file(path, &size);
    if (bytes != NULL && size <= HUNT_BYTES && hunt_count < HUNT_INPUTS) {
        memcpy(hunt_inputs[hunt_count].bytes, bytes, size);
        hunt_inputs[hunt_count++].size = size;
    }
    free(bytes);
}

/* Runs mutants until one fails (which ends the process), the time is over or `most` were run. */
static void hunt_on(volatile uint64_t *runs, double seconds, uint64_t most)
{
    uint8_t bytes[HUNT_BYTES];
    struct mutate_random random = {.state = 1};
    time_t end = time(NULL) + (time_t)seconds;
    while (time(NULL) < end && *runs < most) {
        const struct hunt_input *input = &hunt_inputs[mutate_below(&random, hunt_count)];
        memcpy(bytes, input->bytes, input->size);
        size_t size = input->size;
        for (size_t times = 1 + mutate_below(&random, 3); times > 0; times--)
            size = mutate_input(bytes, size, HUNT_BYTES, mutate_next(&random), fuzz_target.features);
        ++*runs;
        fuzz_run_input(bytes, size);
    }
}

static int hunt(const char *limits, int count, char **paths)
{
    const double seconds = atof(limits);
    const char *colon = strchr(limits, ':');
    const uint64_t most = colon != NULL ? strtoull(colon + 1, NULL, 10) : UINT64_MAX;
    uint64_t *runs = mmap(NULL, sizeof *runs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    hunt_inputs = calloc(HUNT_INPUTS, sizeof hunt_inputs[0]);
    if (hunt_inputs == NULL || runs == MAP_FAILED)
        return 2;
    hunting = true;
    for (int i = 0; i < count; i++)
        visit(paths[i]);
    if (hunt_count == 0) {
        fprintf(stderr, "nothing to start from\n");
        return 2;
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        hunt_on(runs, seconds, most);
        fflush(NULL);
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 2;
    bool found = !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    printf("%s after %llu programs\n", found ? "found" : "nothing found", (unsigned long long)*runs);
    return found ? 0 : 1;
}

static int print_file(const char *path)
{
    size_t size = 0;
    uint8_t *bytes = read_file(path, &size);
    if (bytes == NULL)
        return 1;
    struct program program = {0};
    struct text text = {0};
    mutate_decode_input(&program, bytes, size);
    fuzz_limit_program(&program);
    program_print(&program, &text);
    fwrite(text.bytes == NULL ? "" : text.bytes, 1, text.size, stdout);
    text_free(&text);
    program_free(&program);
    free(bytes);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--print") == 0)
        return print_file(argv[2]);
    if (argc == 4 && strcmp(argv[1], "--minimise") == 0)
        return fuzz_reduce(argv[3], atof(argv[2]));
    if (argc == 2 && strcmp(argv[1], "--features") == 0) {
        printf("%u\n", fuzz_target.features);
        return 0;
    }
    if (argc >= 4 && strcmp(argv[1], "--hunt") == 0)
        return hunt(argv[2], argc - 3, argv + 3);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--direct") == 0)
            direct = true;
        else if (strcmp(argv[i], "--repeat") == 0 && i + 1 < argc)
            times = strtoul(argv[++i], NULL, 10);
        else
            visit(argv[i]);
    }
    fprintf(stderr, "%s: %u good, %u bad\n", fuzz_target.name, good, bad);
    return bad == 0 ? 0 : 1;
}
