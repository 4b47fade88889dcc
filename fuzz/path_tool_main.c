#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

/* path_tool: programs that pass every edge of the model of the backup family. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/model/paths.h"

static const char usage[] = "usage: path_tool [--profile documented|published] [--states N] [DIRECTORY]\n"
                            "Walks the model of the backup family (two instances, two databases each) over "
                            "all states and calls, and counts the edges.\n"
                            "With DIRECTORY, writes programs there that pass every edge; replay --judge "
                            "DIRECTORY then compares the engine.\n";

struct output {
    const char *directory;
    size_t number;
    bool failed;
};

static void write_program(void *context, const struct program *program)
{
    struct output *output = context;
    struct text text = {0};
    char path[2048];
    snprintf(path, sizeof path, "%s/path-%05zu.jet", output->directory, output->number++);
    program_print(program, &text);
    FILE *file = fopen(path, "wb");
    output->failed = output->failed || file == NULL || fwrite(text.bytes, 1, text.size, file) != text.size;
    if (file != NULL && fclose(file) != 0)
        output->failed = true;
    text_free(&text);
}

int main(int argc, char **argv)
{
    const char *profile = "documented";
    size_t states = 400;
    struct output output = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--profile") == 0 && i + 1 < argc) {
            profile = argv[++i];
        } else if (strcmp(argv[i], "--states") == 0 && i + 1 < argc) {
            states = (size_t)strtoul(argv[++i], NULL, 0);
        } else if (argv[i][0] != '-' && output.directory == NULL) {
            output.directory = argv[i];
        } else {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (strcmp(profile, "documented") != 0 && strcmp(profile, "published") != 0) {
        fputs(usage, stderr);
        return 2;
    }
    if (output.directory != NULL)
        mkdir(output.directory, 0777);
    struct paths_counts counts;
    paths_walk(profile, states, output.directory != NULL ? write_program : NULL, &output, &counts);
    printf("%zu states, %zu edges, %zu covered by %zu programs; %zu calls without a foretold answer\n",
           counts.states, counts.edges, counts.covered, counts.programs, counts.vague);
    return output.failed ? 1 : 0;
}
