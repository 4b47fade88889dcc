#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

/* independence: takes the calls of one instance away and looks whether another's answers change. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/independence/generate.h"
#include "fuzz/independence/independence.h"
#include "fuzz/replay/walk.h"

static const char usage[] =
    "usage: independence_check FILE|DIRECTORY...\n"
    "       independence_check --generate COUNT [--seed S] [--print]\n"
    "Runs each program with and without the calls of one of its instances; the others' answers must not "
    "change.\n"
    "  --generate COUNT  programs made out of the seeds S, S + 1, ... (default: from 1); --print prints them "
    "instead\n";

struct totals {
    size_t independent, dependent, not_applicable, unreadable, calls;
};

static void count(struct totals *totals, const struct program *program, const char *name)
{
    struct text report = {0};
    struct run_options options = {.simulated = true};
    switch (independence_check(program, &options, &report)) {
    case INDEPENDENT:
        totals->independent++;
        break;
    case DEPENDENT:
        totals->dependent++;
        printf("%s: one instance's answers depend on another\n%s", name,
               report.bytes != NULL ? report.bytes : "");
        break;
    case NOT_APPLICABLE:
        totals->not_applicable++;
        break;
    }
    for (size_t i = 0; i < program->line_count; i++)
        totals->calls += program->lines[i].kind == LINE_CALL ? 1 : 0;
    text_free(&report);
}

static void check(void *context, const char *path)
{
    struct totals *totals = context;
    struct program program = {0};
    struct program_error error = {0};
    if (program_read(&program, path, &error)) {
        count(totals, &program, path);
    } else {
        fprintf(stderr, "%s:%u: %s\n", path, error.line, error.message);
        totals->unreadable++;
    }
    program_free(&program);
}

static void check_generated(struct totals *totals, uint64_t first, uint64_t programs, bool print)
{
    for (uint64_t seed = first; seed < first + programs; seed++) {
        struct program program = {0};
        char name[40];
        snprintf(name, sizeof name, "seed %" PRIu64, seed);
        independence_generate(&program, seed);
        if (print) {
            struct text text = {0};
            program_print(&program, &text);
            printf("# %s\n%.*s", name, (int)text.size, text.bytes);
            text_free(&text);
        } else {
            count(totals, &program, name);
        }
        program_free(&program);
    }
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 0);
}

int main(int argc, char **argv)
{
    struct totals totals = {0};
    uint64_t programs = 0;
    uint64_t seed = 1;
    bool print = false;
    bool files = false;
    for (int i = 1; i < argc; i++) {
        size_t length = strlen(argv[i]);
        if (strcmp(argv[i], "--generate") == 0 && i + 1 < argc) {
            programs = number(argv[++i]);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = number(argv[++i]);
        } else if (strcmp(argv[i], "--print") == 0) {
            print = true;
        } else if (argv[i][0] == '-') {
            fputs(usage, stderr);
            return 2;
        } else {
            files = true;
            if (length > 4 && strcmp(argv[i] + length - 4, ".jet") == 0)
                check(&totals, argv[i]);
            else
                each_program_file(argv[i], check, &totals);
        }
    }
    if (!files && programs == 0) {
        fputs(usage, stderr);
        return 2;
    }
    check_generated(&totals, seed, programs, print);
    if (print)
        return 0;
    printf("%zu independent, %zu dependent, %zu not applicable, %zu unreadable; %zu calls\n",
           totals.independent, totals.dependent, totals.not_applicable, totals.unreadable, totals.calls);
    return totals.unreadable > 0 ? 2 : totals.dependent > 0 ? 1 : 0;
}
