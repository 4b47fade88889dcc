#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

/* minimise: cuts a failing program down to what still fails in the same way. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/minimise/minimise.h"
#include "fuzz/replay/summary.h"
#include "fuzz/runner/judge.h"

static const char usage[] = "usage: minimise_program [--check] [--seed N] [--timeout S] [--most N] FILE\n"
                            "Cuts a failing program down, line by line and argument by argument, and prints "
                            "what is left. A program fails if the model\n"
                            "disagrees with an answer, if the library crashes or hangs, or (--check) if an "
                            "answer is not what the file expects.\n"
                            "Smaller programs must fail in the same way.\n"
                            "Exit status: 0 done, 1 the program does not fail, 2 wrong arguments.\n";

struct how {
    bool check;
    unsigned timeout;
    uint64_t seed;
    char group[96]; /* the failure that must stay */
};

/* The failure of a program in a word, "" if it has none; in this process. */
static void failure_here(const struct how *how, const struct program *program, char *group, size_t size)
{
    struct program transcript = {0};
    struct run_result run_result;
    struct file_result result = {.path = ""};
    struct run_options options = {.simulated = true, .seed = how->seed};
    if (how->check) {
        run_program(program, &options, &transcript, &run_result);
        compare_with_file(program, &transcript, false, &result);
        /* The other expectations must still hold, else the cut has changed what a right answer is. */
        if (how->group[0] != '\0' && result.differences > 1)
            result.kind = FILE_MATCHES;
    } else {
        struct judge judge;
        judge_start(&judge, program, NULL);
        options.observer = judge.observer;
        run_program(program, &options, &transcript, &run_result);
        judge_finish(&judge, &transcript, &result);
    }
    program_free(&transcript);
    snprintf(group, size, "%s", result.kind == FILE_MATCHES ? "" : result.group);
}

/* The same in a child, so that crashes and hangs are failures too. */
static void failure_of(const struct how *how, const struct program *program, char *group, size_t size)
{
    int ends[2];
    fflush(NULL);
    if (pipe(ends) != 0)
        abort();
    pid_t child = fork();
    if (child < 0)
        abort();
    if (child == 0) {
        char found[96] = "";
        close(ends[0]);
        failure_here(how, program, found, sizeof found);
        ssize_t written = write(ends[1], found, sizeof found);
        _exit(written == (ssize_t)sizeof found ? 0 : 1);
    }
    close(ends[1]);
    struct pollfd poll_for = {.fd = ends[0], .events = POLLIN};
    int ready = poll(&poll_for, 1, (int)how->timeout * 1000);
    char found[96] = "crash";
    if (ready > 0 && read(ends[0], found, sizeof found) != (ssize_t)sizeof found)
        strcpy(found, "crash");
    if (ready == 0) {
        strcpy(found, "hang");
        kill(child, SIGKILL);
    }
    close(ends[0]);
    waitpid(child, NULL, 0);
    snprintf(group, size, "%s", found);
}

static bool fails(void *context, const struct program *program)
{
    const struct how *how = context;
    char group[96];
    failure_of(how, program, group, sizeof group);
    return strcmp(group, how->group) == 0;
}

/* Calls that only look, and calls that were refused. */
static bool has_no_effect(const struct program_line *line)
{
    static const char *const looks[] = {"Get",  "List",  "Retrieve",        "Hash", "Enumerate", "Keys",
                                        "Walk", "Count", "IndexRecordCount"};
    if (line->kind != LINE_CALL)
        return line->kind != LINE_SET;
    if (line->expects && line->outcome.code != NULL && line->outcome.code[0] == '-')
        return true;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        if (strncmp(line->op->name, looks[i], strlen(looks[i])) == 0 &&
            strcmp(line->op->name, "GetLogInfoInstance") != 0)
            return true;
    }
    return false;
}

/* Cuts off what comes after the first difference. */
static void keep_to_difference(struct program *program, uint64_t seed)
{
    struct program transcript = {0};
    struct run_result run_result;
    struct file_result result = {.path = ""};
    struct run_options options = {.simulated = true, .seed = seed};
    run_program(program, &options, &transcript, &run_result);
    compare_with_file(program, &transcript, false, &result);
    for (size_t i = 0; i < program->line_count; i++) {
        if (result.line != 0 && program->lines[i].number == result.line) {
            program_remove(program, i + 1, program->line_count - i - 1);
            break;
        }
    }
    program_free(&transcript);
}

int main(int argc, char **argv)
{
    struct how how = {.timeout = 10};
    size_t most = 5000;
    const char *path = NULL;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--check") == 0)
            how.check = true;
        else if (strcmp(argv[i], "--seed") == 0 && value != NULL)
            how.seed = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--timeout") == 0 && value != NULL)
            how.timeout = (unsigned)strtoul(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--most") == 0 && value != NULL)
            most = (size_t)strtoul(argv[++i], NULL, 0);
        else if (argv[i][0] != '-' && path == NULL)
            path = argv[i];
        else
            path = "";
    }
    if (path == NULL || path[0] == '\0' || how.timeout == 0) {
        fputs(usage, stderr);
        return 2;
    }
    struct program program = {0};
    struct program_error error = {0};
    if (!program_read(&program, path, &error)) {
        fprintf(stderr, "%s:%u: %s\n", path, error.line, error.message);
        return 2;
    }
    failure_of(&how, &program, how.group, sizeof how.group);
    if (how.group[0] == '\0') {
        fprintf(stderr, "%s does not fail\n", path);
        program_free(&program);
        return 1;
    }
    struct minimise_judge judge = {
        .context = &how, .fails = fails, .removable = how.check ? has_no_effect : NULL, .stop = NULL};
    struct minimise_counts counts;
    size_t lines = program.line_count;
    if (how.check)
        keep_to_difference(&program, how.seed);
    minimise(&program, &judge, most, &counts);
    fprintf(stderr, "%s: %s; %zu lines of %zu are left, %zu programs tried\n", path, how.group,
            program.line_count, lines, counts.tried);
    struct text text = {0};
    program_print(&program, &text);
    fwrite(text.bytes, 1, text.size, stdout);
    text_free(&text);
    program_free(&program);
    return 0;
}
