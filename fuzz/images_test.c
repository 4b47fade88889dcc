/* Programs that go on from images of the world answer as they do alone, and leave the same files: the
 * programs in the folders named, one after the other, and mutants of them, some in a row out of one parent,
 * as the engines make them. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/mutate/mutate.h"
#include "fuzz/target/images.h"
#include "fuzz/target/target.h"

/* MemorySanitizer and ThreadSanitizer follow malloc themselves. */
#if defined(__SANITIZE_THREAD__)
#define IMAGES_EXPECTED 0
#elif defined(__has_feature)
#if __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define IMAGES_EXPECTED 0
#endif
#endif
#if !defined(IMAGES_EXPECTED)
#define IMAGES_EXPECTED 1
#endif

#define INPUT_BYTES 8192
#define IN_A_ROW 5
#define CROSSED_ONE_IN 4
#define ROWS_MAX 4096u

const struct fuzz_target fuzz_target = {.name = "images",
                                        .features = MUTATE_BACKUP | MUTATE_DATA | MUTATE_THREADS |
                                                    MUTATE_FAULTS | MUTATE_CRASH | MUTATE_DAMAGE |
                                                    MUTATE_TEXT | MUTATE_SETTINGS,
                                        .simulated = true,
                                        .judged = true};

struct input {
    uint8_t bytes[INPUT_BYTES];
    size_t size;
};

static struct input inputs[ROWS_MAX];
static size_t input_count;

static void load_folder(const char *folder)
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        FILE *file = strstr(path, ".jet") != NULL && input_count < ROWS_MAX ? fopen(path, "rb") : NULL;
        if (file != NULL) {
            struct input *input = &inputs[input_count++];
            input->size = fread(input->bytes, 1, sizeof input->bytes, file);
            fclose(file);
        }
        free(entries[i]);
    }
    free(entries);
}

static void run_row(size_t number, const struct input *parent)
{
    struct mutate_random random = {.state = number};
    struct input child = *parent;
    fuzz_run_input(child.bytes, child.size);
    for (size_t i = 0; i < IN_A_ROW; i++) {
        const uint64_t seed = mutate_next(&random);
        struct input next = child;
        if (mutate_one_in(&random, CROSSED_ONE_IN)) {
            const struct input *other = &inputs[mutate_below(&random, input_count)];
            next.size = mutate_cross_inputs(child.bytes, child.size, other->bytes, other->size, next.bytes,
                                            sizeof next.bytes, seed);
        } else {
            next.size = mutate_input(next.bytes, next.size, sizeof next.bytes, seed, fuzz_target.features);
        }
        child = next;
        fuzz_run_input(child.bytes, child.size);
    }
}

int main(int argc, char **argv)
{
    setenv("ESENT_FUZZ_IMAGES", "check", 0);
    if (argc < 3) {
        fprintf(stderr, "usage: images_test ROWS FOLDER...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        load_folder(argv[i]);
    fuzz_warm_up();
    const unsigned long rows = strtoul(argv[1], NULL, 10);
    for (size_t i = 0; i < input_count; i++) {
        fuzz_run_input(inputs[i].bytes, inputs[i].size);
        if (!images_are_used()) {
            printf("this build keeps no images\n");
            return IMAGES_EXPECTED;
        }
    }
    for (unsigned long row = 0; row < rows && input_count > 0; row++)
        run_row(row, &inputs[row * 31 % input_count]);
    const struct fuzz_statistics *done = fuzz_statistics;
    printf("%llu programs, %llu calls, %llu lines spared\n", (unsigned long long)done->executions,
           (unsigned long long)done->calls, (unsigned long long)done->spared);
    return input_count == 0 || done->executions != input_count + rows * (IN_A_ROW + 1) || done->spared == 0;
}
