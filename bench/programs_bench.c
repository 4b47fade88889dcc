/* Judged programs per second of processor time: what a fuzz target manages, over the programs and inputs of
 * the given folders (texts, or bytes that an engine kept).
 *
 *   programs_bench [--seconds S] [--mutants N] [--list] FOLDER...
 *
 * Prints programs and calls per second, the same for the middle program, how much of the time the slowest
 * tenth takes, and the peak of memory. S = 0 is one round, for profilers. --mutants makes N programs out of
 * those of the folders, as the target's engine would, and runs each of these once, going on from images of
 * the world where programs begin alike, as targets do (ESENT_FUZZ_IMAGES=off: whole); without it each program
 * is run whole, time and again. --list prints the milliseconds and calls of each. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "bench/database.h"
#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

const struct fuzz_target fuzz_target = {
    .name = "bench", .features = MUTATE_BACKUP | MUTATE_SETTINGS, .simulated = true, .judged = true};

#define INPUTS_MAX 16384
#define MUTANTS_IN_A_ROW 5
#define INPUT_BYTES 8192 /* as long as a campaign's get */

struct input {
    char *name;
    uint8_t *bytes;
    size_t size;
    uint64_t calls;
    double seconds; /* the quickest run's */
};

static struct input inputs[INPUTS_MAX];
static size_t input_count;

static void add_input(const char *name, const uint8_t *bytes, size_t size)
{
    if (input_count == INPUTS_MAX)
        return;
    struct input input = {.name = strdup(name), .bytes = malloc(size + 1), .size = size};
    if (input.name == NULL || input.bytes == NULL)
        abort();
    memcpy(input.bytes, bytes, size);
    inputs[input_count++] = input;
}

static void load_file(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return;
    add_input(path, bytes, fread(bytes, 1, sizeof bytes, file));
    fclose(file);
}

static void load_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
            load_file(path);
        free(entries[i]);
    }
    free(entries);
}

/* Puts `count` mutants in the place of the inputs: as libFuzzer makes them, some in a row out of one parent,
 * each out of the last. */
static void make_mutants(size_t count)
{
    const size_t parents = input_count;
    struct mutate_random random = {.state = 1};
    uint8_t bytes[INPUT_BYTES];
    size_t size = 0;
    const struct input *parent = NULL;
    for (size_t made = 0; made < count && parents > 0; made++) {
        if (made % MUTANTS_IN_A_ROW == 0) {
            parent = &inputs[mutate_below(&random, parents)];
            size = parent->size < sizeof bytes ? parent->size : sizeof bytes;
            memcpy(bytes, parent->bytes, size);
        }
        size = mutate_input(bytes, size, sizeof bytes, mutate_next(&random), fuzz_target.features);
        add_input(parent->name, bytes, size);
    }
    for (size_t i = 0; i < parents; i++) {
        free(inputs[i].name);
        free(inputs[i].bytes);
    }
    input_count -= parents;
    memmove(inputs, inputs + parents, input_count * sizeof inputs[0]);
}

static int compare_seconds(const void *left, const void *right)
{
    const double a = ((const struct input *)left)->seconds;
    const double b = ((const struct input *)right)->seconds;
    return (a > b) - (a < b);
}

static void run_round(void)
{
    for (size_t i = 0; i < input_count; i++) {
        const uint64_t calls = fuzz_statistics->calls;
        const double start = bench_processor_seconds();
        fuzz_run_input(inputs[i].bytes, inputs[i].size);
        const double seconds = bench_processor_seconds() - start;
        inputs[i].calls = fuzz_statistics->calls - calls;
        if (inputs[i].seconds == 0 || seconds < inputs[i].seconds)
            inputs[i].seconds = seconds;
    }
}

static void print_figures(double used, bool list)
{
    double all = 0;
    double slowest = 0;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    qsort(inputs, input_count, sizeof inputs[0], compare_seconds);
    for (size_t i = 0; i < input_count; i++) {
        all += inputs[i].seconds;
        slowest += i >= input_count - input_count / 10 ? inputs[i].seconds : 0;
        if (list)
            printf("%9.3f ms %4llu calls  %s\n", inputs[i].seconds * 1e3, (unsigned long long)inputs[i].calls,
                   inputs[i].name);
    }
    printf("programs per processor second: %.0f (each at its quickest: %.0f; the middle one: %.0f)   "
           "calls: %.0f   (%zu different programs, %.0f calls each and %.0f more of images, %.0f %% of the "
           "time for "
           "the slowest tenth, peak memory %ld KiB)\n",
           (double)fuzz_statistics->executions / used, (double)input_count / all,
           1 / inputs[input_count / 2].seconds, (double)fuzz_statistics->calls / used, input_count,
           (double)fuzz_statistics->calls / (double)fuzz_statistics->executions,
           (double)fuzz_statistics->spared / (double)fuzz_statistics->executions, 100 * slowest / all,
           usage.ru_maxrss);
}

static int usage(void)
{
    fprintf(stderr,
            "usage: programs_bench [--seconds S] [--mutants N] [--list] FOLDER... (of programs or inputs)\n");
    return 2;
}

int main(int argc, char **argv)
{
    double seconds = 5;
    size_t mutants = 0;
    bool list = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            seconds = atof(argv[++i]);
        else if (strcmp(argv[i], "--mutants") == 0 && i + 1 < argc)
            mutants = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--list") == 0)
            list = true;
        else if (argv[i][0] == '-')
            return usage();
        else
            load_folder(argv[i]);
    }
    if (mutants > 0)
        make_mutants(mutants);
    if (input_count == 0)
        return usage();
    /* A program that is run time and again would be spared all but its end. */
    setenv("ESENT_FUZZ_IMAGES", mutants > 0 ? "on" : "off", mutants == 0);
    fuzz_warm_up();
    const double start = bench_processor_seconds();
    double used;
    do {
        run_round();
        used = bench_processor_seconds() - start;
    } while (used < seconds && mutants == 0);
    print_figures(used, list);
    for (size_t i = 0; i < input_count; i++) {
        free(inputs[i].name);
        free(inputs[i].bytes);
    }
    return 0;
}
