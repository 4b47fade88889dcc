#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

/* independence: takes the calls of one instance away and looks whether another's answers change. */
#include <stdio.h>
#include <string.h>

#include "fuzz/independence/independence.h"
#include "fuzz/replay/walk.h"

struct totals {
    size_t independent, dependent, not_applicable, unreadable;
};

static void check(void *context, const char *path)
{
    struct totals *totals = context;
    struct program program = {0};
    struct program_error error = {0};
    struct text report = {0};
    struct run_options options = {.simulated = true};
    if (!program_read(&program, path, &error)) {
        fprintf(stderr, "%s:%u: %s\n", path, error.line, error.message);
        totals->unreadable++;
    } else {
        switch (independence_check(&program, &options, &report)) {
        case INDEPENDENT:
            totals->independent++;
            break;
        case DEPENDENT:
            totals->dependent++;
            printf("%s: one instance's answers depend on another\n%s", path,
                   report.bytes != NULL ? report.bytes : "");
            break;
        case NOT_APPLICABLE:
            totals->not_applicable++;
            break;
        }
    }
    text_free(&report);
    program_free(&program);
}

int main(int argc, char **argv)
{
    struct totals totals = {0};
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: independence FILE|DIRECTORY...\n"
                        "Runs each program with and without the calls of one of its instances; the others' "
                        "answers must not change.\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        size_t length = strlen(argv[i]);
        if (length > 4 && strcmp(argv[i] + length - 4, ".jet") == 0)
            check(&totals, argv[i]);
        else
            each_program_file(argv[i], check, &totals);
    }
    printf("%zu independent, %zu dependent, %zu not applicable, %zu unreadable\n", totals.independent,
           totals.dependent, totals.not_applicable, totals.unreadable);
    return totals.unreadable > 0 ? 2 : totals.dependent > 0 ? 1 : 0;
}
