#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

/* path_tool: programs that pass every edge of the model of the backup family. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <time.h>

#include "fuzz/model/paths.h"
#include "fuzz/runner/judge.h"

static const char usage[] =
    "usage: path_tool [--profile documented|published] [--states N] [--run] [--part I/N] [DIRECTORY]\n"
    "Walks the model of the backup family (two instances, two databases each) over all states and calls, "
    "and\n"
    "counts the edges: state, call, class of arguments, answer.\n"
    "  --run       makes the engine run the programs that pass the edges; the model judges every answer\n"
    "  --states N  stops after N states (default: all)\n"
    "  --part I/N  takes every Nth program only, from number I (0 to N - 1) on\n"
    "With DIRECTORY, writes the programs there; with --run as well, only those that the engine fails.\n";

struct output {
    const char *profile, *directory;
    bool run;
    size_t number, part, parts; /* programs seen; which of them are taken */
    size_t taken, lines, disagreements;
    double seconds; /* of the engine's runs */
    bool failed;
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void write_program(struct output *output, const struct program *program)
{
    struct text text = {0};
    char path[2048];
    snprintf(path, sizeof path, "%s/path-%06zu.jet", output->directory, output->number);
    program_print(program, &text);
    FILE *file = fopen(path, "wb");
    output->failed = output->failed || file == NULL || fwrite(text.bytes, 1, text.size, file) != text.size;
    if (file != NULL && fclose(file) != 0)
        output->failed = true;
    text_free(&text);
}

/* True if the engine answers as the model says. */
static bool run_one(struct output *output, const struct program *program)
{
    struct judge judge;
    struct program transcript = {0};
    struct run_result result;
    struct file_result report = {0};
    double begun = seconds_now();
    judge_start(&judge, program, output->profile);
    struct run_options options = {.simulated = true, .profile = output->profile, .observer = judge.observer};
    run_program(program, &options, &transcript, &result);
    bool agrees = judge_finish(&judge, &transcript, &report) == 0;
    output->seconds += seconds_now() - begun;
    output->lines += result.lines;
    if (!agrees && output->disagreements++ < 20)
        printf("%zu: %s\n", output->number, report.message);
    program_free(&transcript);
    return agrees;
}

static void take_program(void *context, const struct program *program)
{
    struct output *output = context;
    if (output->number % output->parts == output->part) {
        const bool agrees = !output->run || run_one(output, program);
        if (output->directory != NULL && (!output->run || !agrees))
            write_program(output, program);
        output->taken++;
    }
    output->number++;
}

static bool parse_part(const char *text, struct output *output)
{
    char *end;
    output->part = (size_t)strtoul(text, &end, 10);
    if (*end != '/')
        return false;
    output->parts = (size_t)strtoul(end + 1, &end, 10);
    return *end == 0 && output->part < output->parts;
}

static bool parse_arguments(int argc, char **argv, struct output *output, size_t *states)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--profile") == 0 && i + 1 < argc)
            output->profile = argv[++i];
        else if (strcmp(argv[i], "--states") == 0 && i + 1 < argc)
            *states = (size_t)strtoul(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--run") == 0)
            output->run = true;
        else if (strcmp(argv[i], "--part") == 0 && i + 1 < argc && parse_part(argv[i + 1], output))
            i++;
        else if (argv[i][0] != '-' && output->directory == NULL)
            output->directory = argv[i];
        else
            return false;
    }
    return strcmp(output->profile, "documented") == 0 || strcmp(output->profile, "published") == 0;
}

int main(int argc, char **argv)
{
    size_t states = SIZE_MAX;
    struct output output = {.profile = "documented", .parts = 1};
    if (!parse_arguments(argc, argv, &output, &states)) {
        fputs(usage, stderr);
        return 2;
    }
    if (output.directory != NULL)
        mkdir(output.directory, 0777);
    struct paths_counts counts;
    bool wanted = output.directory != NULL || output.run;
    paths_walk(output.profile, states, wanted ? take_program : NULL, &output, &counts);
    printf("%s%zu states, %zu edges, %zu covered by %zu programs; %zu calls without a foretold answer\n",
           counts.complete ? "" : "incomplete: ", counts.states, counts.edges, counts.covered,
           counts.programs, counts.vague);
    if (output.run)
        printf("%zu programs with %zu calls ran in %.0f seconds of CPU (%.0f a second); in %zu the engine "
               "answered otherwise\n",
               output.taken, output.lines, output.seconds, (double)output.taken / output.seconds,
               output.disagreements);
    return output.failed || output.disagreements > 0 ? 1 : 0;
}
