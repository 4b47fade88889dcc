/* sweep: everything that can go wrong in a program, at every point; every schedule of two threads. `sweep
 * --help` tells how. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/sweep/pairs.h"
#include "fuzz/sweep/sweep.h"

static const char usage[] =
    "usage: sweep_program [OPTION]... FILE...\n"
    "Runs each program (docs/programs.md) again and again, each time with one thing going wrong, or "
    "happening, at "
    "another point,\n"
    "until it has been at every point that there is. The model judges what is found afterwards.\n"
    "\n"
    "What (at least one):\n"
    "  --fail KINDS     every operation of these kinds fails: a list with commas of alloc, io, open, read, "
    "write, short, "
    "sync,\n"
    "                   full, name, flip, crash, machine; or all. After an operation of crash the process "
    "dies, of\n"
    "                   machine the machine: what was not synced is lost, reordered or torn\n"
    "  --call CALL      this call is made on another thread at every point where the program could be "
    "interrupted; "
    "%I\n"
    "                   stands for each instance of the program. May be given several times\n"
    "  --schedules      every schedule of a program of two threads\n"
    "  --pairs N        no FILE: every schedule of all programs in which two threads make N calls in all, "
    "each at\n"
    "                   most three (fuzz/sweep/pairs.c), behind each set-up\n"
    "  --cover N        no FILE: the same with four calls on each side, so chosen that every sequence of N "
    "calls "
    "(2 or 3)\n"
    "                   is made on each\n"
    "  --setup N        only behind the Nth set-up\n"
    "  --from N, --count N  of these programs, so many from the Nth (0: the first) on\n"
    "\n"
    "How far:\n"
    "  --depth N        with --fail: N faults in a row, 1 or 2 (default 1): the new start after the first "
    "one is swept "
    "as well\n"
    "  --part I/N       with --fail: every Nth point only, from number I (0 to N - 1) on\n"
    "  --switches N     with --schedules: at most N pre-emptions (default 2)\n"
    "  --prove          with --schedules: those that count as equivalent to others run as well, and must "
    "show the "
    "same\n"
    "  --most N         stop a sweep after N finds (default 10)\n"
    "  --seconds S      stop after so long; what was not visited is then counted as such\n"
    "  --timeout S      seconds before a run is called hung (default 20)\n"
    "  --keep D         put the programs of finds into this directory\n"
    "\n"
    "For each program and kind: points (or schedules) that exist, that were visited, runs, answers judged, "
    "finds.\n"
    "Exit status: 0 all was visited and nothing found, 1 not so, 2 wrong arguments or an unreadable file.\n";

#define CALLS_MAX 8

static const char *const all_kinds[] = {"alloc", "io",   "open", "read", "write", "short",
                                        "sync",  "full", "name", "flip", "crash", "machine"};

struct options {
    const char *kinds; /* NULL: none */
    const char *calls[CALLS_MAX];
    size_t call_count;
    bool schedules;
    unsigned pairs;            /* 0: not */
    unsigned cover;            /* 0: not */
    unsigned long from, count; /* of the programs of each set-up; count 0: all from there on */
    unsigned setup;            /* 0: each */
    struct sweep sweep;
    double seconds;
};

static int wrong(const char *message, const char *what)
{
    fprintf(stderr, "sweep_program: %s%s%s\nTry sweep_program --help.\n", message, what != NULL ? ": " : "",
            what != NULL ? what : "");
    exit(2);
}

static unsigned long number(const char *option, const char *text, unsigned long least, unsigned long most)
{
    char *end;
    errno = 0;
    unsigned long value = text == NULL ? 0 : strtoul(text, &end, 10);
    if (text == NULL || end == text || *end != '\0' || errno != 0 || value < least || value > most)
        wrong("not a possible number", option);
    return value;
}

/* "I/N", I below N. */
static void parse_part(const char *text, struct sweep *sweep)
{
    char *end;
    sweep->part = (size_t)strtoul(text, &end, 10);
    sweep->parts = *end == '/' ? (size_t)strtoul(end + 1, &end, 10) : 0;
    if (*end != '\0' || sweep->part >= sweep->parts)
        wrong("not a possible part", text);
}

static bool is_kind(const char *text, size_t size)
{
    for (size_t i = 0; i < sizeof all_kinds / sizeof all_kinds[0]; i++) {
        if (strlen(all_kinds[i]) == size && memcmp(all_kinds[i], text, size) == 0)
            return true;
    }
    return false;
}

static void check_kinds(const char *kinds)
{
    if (strcmp(kinds, "all") == 0)
        return;
    for (const char *at = kinds; *at != '\0'; at += strcspn(at, ","), at += *at == ',') {
        if (!is_kind(at, strcspn(at, ",")))
            wrong("no such kind of fault", at);
    }
}

static bool is_wanted(const char *kinds, const char *kind)
{
    if (kinds == NULL || strcmp(kinds, "all") == 0)
        return kinds != NULL;
    for (const char *at = kinds; *at != '\0'; at += strcspn(at, ","), at += *at == ',') {
        if (strcspn(at, ",") == strlen(kind) && memcmp(at, kind, strlen(kind)) == 0)
            return true;
    }
    return false;
}

static void parse_option(struct options *options, char **argv, int argc, int *at)
{
    const char *option = argv[*at];
    const char *value = *at + 1 < argc ? argv[*at + 1] : NULL;
    if (strcmp(option, "--schedules") == 0) {
        options->schedules = true;
        return;
    }
    if (strcmp(option, "--prove") == 0) {
        options->sweep.prove = true;
        return;
    }
    if (value == NULL)
        wrong("no such option, or its value is missing", option);
    ++*at;
    if (strcmp(option, "--fail") == 0)
        check_kinds(options->kinds = value);
    else if (strcmp(option, "--call") == 0 && options->call_count < CALLS_MAX)
        options->calls[options->call_count++] = value;
    else if (strcmp(option, "--pairs") == 0)
        options->pairs = (unsigned)number(option, value, 2, 2 * PAIRS_CALLS_MAX);
    else if (strcmp(option, "--cover") == 0)
        options->cover = (unsigned)number(option, value, 2, 3);
    else if (strcmp(option, "--from") == 0)
        options->from = number(option, value, 0, 1000000);
    else if (strcmp(option, "--count") == 0)
        options->count = number(option, value, 1, 1000000);
    else if (strcmp(option, "--setup") == 0)
        options->setup = (unsigned)number(option, value, 1, PAIRS_SETUPS);
    else if (strcmp(option, "--depth") == 0)
        options->sweep.depth = (unsigned)number(option, value, 1, 2);
    else if (strcmp(option, "--part") == 0)
        parse_part(value, &options->sweep);
    else if (strcmp(option, "--switches") == 0)
        options->sweep.switches = (unsigned)number(option, value, 0, 4);
    else if (strcmp(option, "--most") == 0)
        options->sweep.most = number(option, value, 1, 100000);
    else if (strcmp(option, "--seconds") == 0)
        options->seconds = (double)number(option, value, 1, 1000000);
    else if (strcmp(option, "--timeout") == 0)
        options->sweep.timeout = (unsigned)number(option, value, 1, 3600);
    else if (strcmp(option, "--keep") == 0)
        options->sweep.keep = value;
    else
        wrong("no such option", option);
}

static bool totals_bad;
static struct sweep_counts totals;

static void print_row(const struct sweep *sweep, const char *what, const struct sweep_counts *counts)
{
    const bool good = counts->existing == counts->visited && counts->finds == 0;
    printf("%-4s %-30.60s %-32s %8zu existing %8zu visited %8zu runs %9zu judged", good ? "ok" : "FAIL",
           sweep->name, what, counts->existing, counts->visited, counts->runs, counts->judged);
    if (counts->equivalent > 0)
        printf(" %8zu equivalent", counts->equivalent);
    if (counts->outcomes > 0)
        printf(" %4zu outcomes", counts->outcomes);
    printf(" %3zu finds\n", counts->finds);
    fflush(stdout);
    totals_bad = totals_bad || !good;
    sweep_add(&totals, counts);
}

/* The call for one instance: %I replaced. False if there is nothing to replace and this is not the first. */
static bool call_for(const char *call, unsigned instance, char *text, size_t size)
{
    const char *mark = strstr(call, "%I");
    if (mark == NULL) {
        snprintf(text, size, "%s", call);
        return instance == 0;
    }
    snprintf(text, size, "%.*si%u%s", (int)(mark - call), call, instance, mark + 2);
    return true;
}

static bool has_instance(const struct program *program, unsigned instance)
{
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        if (line->kind == LINE_CALL && strcmp(line->op->name, "CreateInstance") == 0 &&
            line->argument_count > 0 && line->arguments[0].word[0] == 'i' &&
            strtoul(line->arguments[0].word + 1, NULL, 10) == instance)
            return true;
    }
    return false;
}

static void sweep_one(struct options *options)
{
    struct sweep_counts counts;
    struct sweep *sweep = &options->sweep;
    for (size_t i = 0; i < sizeof all_kinds / sizeof all_kinds[0]; i++) {
        if (is_wanted(options->kinds, all_kinds[i]) && sweep_faults(sweep, all_kinds[i], &counts))
            print_row(sweep, all_kinds[i], &counts);
    }
    for (size_t i = 0; i < options->call_count; i++) {
        for (unsigned instance = 0; instance < 32; instance++) {
            char call[200];
            if (!has_instance(sweep->program, instance) ||
                !call_for(options->calls[i], instance, call, sizeof call))
                continue;
            if (!sweep_calls(sweep, call, &counts))
                wrong("this call cannot be made, or no thread ever runs", call);
            print_row(sweep, call, &counts);
        }
    }
    if (options->schedules && sweep_schedules(sweep, &counts)) {
        char what[40];
        snprintf(what, sizeof what, "schedules, %u switches", sweep->switches);
        print_row(sweep, what, &counts);
    }
}

/* Adds up the schedules of all programs of one set-up in which the threads make so many calls; `order` 0, or
 * that of a covering set. */
static void sweep_pairs_of(struct options *options, size_t setup, size_t calls, size_t other, size_t order)
{
    struct sweep_counts all = {0};
    struct sweep *sweep = &options->sweep;
    const uint64_t whole = order > 0 ? pairs_cover_count(order) : pairs_count(calls, other);
    uint64_t done = options->from;
    const uint64_t count =
        options->count > 0 && done + options->count < whole ? done + options->count : whole;
    sweep->name = pairs_setup_name(setup);
    for (; done < count && !sweep_is_late(sweep) && sweep->finds_so_far < sweep->most; done++) {
        struct program program = {0};
        struct sweep_counts counts;
        if (order > 0)
            pairs_cover_build(&program, setup, order, done);
        else
            pairs_build(&program, setup, calls, other, done);
        sweep->program = &program;
        if (sweep_schedules(sweep, &counts))
            sweep_add(&all, &counts);
        program_free(&program);
    }
    char what[80];
    snprintf(what, sizeof what, "%zu + %zu calls, %u switches: %llu of %llu programs", calls, other,
             sweep->switches, (unsigned long long)(done - options->from), (unsigned long long)whole);
    totals_bad = totals_bad || done < count;
    print_row(sweep, what, &all);
}

static void sweep_pairs(struct options *options)
{
    for (size_t calls = 1; calls <= PAIRS_CALLS_MAX; calls++) {
        const size_t other = options->pairs > calls ? options->pairs - calls : 0;
        for (size_t setup = 0; setup < PAIRS_SETUPS && other > 0 && other <= calls; setup++) {
            if (options->setup == 0 || options->setup == setup + 1)
                sweep_pairs_of(options, setup, calls, other, 0);
        }
    }
    for (size_t setup = 0; setup < PAIRS_SETUPS && options->cover > 0; setup++) {
        if (options->setup == 0 || options->setup == setup + 1)
            sweep_pairs_of(options, setup, PAIRS_COVER_CALLS, PAIRS_COVER_CALLS, options->cover);
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

int main(int argc, char **argv)
{
    struct options options = {.sweep = {.timeout = 20, .depth = 1, .switches = 2, .most = 10}};
    int first = argc;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (argv[i][0] != '-') {
            first = i;
            break;
        }
        parse_option(&options, argv, argc, &i);
    }
    if (first == argc && options.pairs == 0 && options.cover == 0)
        wrong("no program", NULL);
    if (options.kinds == NULL && options.call_count == 0 && !options.schedules && options.pairs == 0 &&
        options.cover == 0)
        wrong("nothing to do: one of --fail, --call, --schedules, --pairs, --cover", NULL);
    if (options.sweep.keep != NULL)
        mkdir(options.sweep.keep, 0777);
    if (options.seconds > 0)
        options.sweep.deadline = sweep_now() + options.seconds;
    sweep_pairs(&options);
    for (int i = first; i < argc; i++) {
        struct program program = {0};
        struct program_error error = {0};
        if (!program_read(&program, argv[i], &error)) {
            fprintf(stderr, "%s:%u: %s\n", argv[i], error.line, error.message);
            return 2;
        }
        options.sweep.program = &program;
        options.sweep.name = base_name(argv[i]);
        sweep_one(&options);
        program_free(&program);
    }
    options.sweep.name = "all";
    print_row(&options.sweep, "", &totals);
    return totals_bad ? 1 : 0;
}
