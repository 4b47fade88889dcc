/* Judged programs per second of processor time: what the backup target manages, over the programs of the
 * given folder. Prints programs and calls per second, and the peak of memory. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/database.h"
#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

const struct fuzz_target fuzz_target = {
    .name = "bench", .features = MUTATE_BACKUP, .simulated = true, .judged = true};

#define PROGRAMS_MAX 4096

struct input {
    uint8_t *bytes;
    size_t size;
};

static struct input inputs[PROGRAMS_MAX];
static size_t input_count;

static void load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || input_count == PROGRAMS_MAX)
        return;
    uint8_t *bytes = malloc(1 << 20);
    if (bytes != NULL) {
        size_t size = fread(bytes, 1, 1 << 20, file);
        inputs[input_count++] = (struct input){bytes, size};
    }
    fclose(file);
}

int main(int argc, char **argv)
{
    double seconds = argc > 2 ? atof(argv[2]) : 5;
    struct dirent **entries = NULL;
    int count = argc > 1 ? scandir(argv[1], &entries, NULL, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        size_t size = strlen(entries[i]->d_name);
        snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        if (size > 4 && strcmp(entries[i]->d_name + size - 4, ".jet") == 0)
            load(path);
    }
    if (input_count == 0) {
        fprintf(stderr, "usage: programs_bench FOLDER [SECONDS]: no programs in '%s'\n",
                argc > 1 ? argv[1] : "");
        return 1;
    }
    double start = bench_processor_seconds();
    double used;
    do {
        for (size_t i = 0; i < input_count; i++)
            fuzz_run_input(inputs[i].bytes, inputs[i].size);
        used = bench_processor_seconds() - start;
    } while (used < seconds);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("programs per processor second: %.0f   calls: %.0f   (%zu different programs, %.0f calls each, "
           "peak memory %ld KiB)\n",
           (double)fuzz_statistics->executions / used, (double)fuzz_statistics->calls / used, input_count,
           (double)fuzz_statistics->calls / (double)fuzz_statistics->executions, usage.ru_maxrss);
    for (size_t i = 0; i < input_count; i++)
        free(inputs[i].bytes);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return 0;
}
