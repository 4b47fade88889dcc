/* Runs many mutants with one start: linked into replay, sweep_program and each unit test of the build that
 * holds all mutants (tools/mutants.py).
 *
 * A line on standard input is a run: the mutant (-1: none), seconds of processor time, milliseconds, and what
 * to run, a program's path (replay), a kind of fault and a path (sweep_program), or a test's number. A child does it, its output goes to the file
 * MUTANTS_OUT; after the first that goes wrong the others are left out. The line "end" asks for the answer, a
 * line on what was standard output: how many ran; of the last 0 well, 1 not well, 2 a signal, 3 too slow, and
 * its exit status or signal; microseconds of processor time of all. The first line of all says ready and
 * names the tests. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern int mutant_active;

typedef int act(const char *what, void *context);

static void run_child(act *run, const char *what, void *context, int mutant, unsigned seconds)
{
    setpgid(0, 0);
    const struct rlimit processor = {.rlim_cur = seconds, .rlim_max = seconds + 1};
    const struct rlimit core = {0};
    const struct rlimit size = {.rlim_cur = 1 << 30, .rlim_max = 1 << 30}; /* of a file */
    setrlimit(RLIMIT_CPU, &processor);
    setrlimit(RLIMIT_CORE, &core);
    setrlimit(RLIMIT_FSIZE, &size);
    const int out = open(getenv("MUTANTS_OUT"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const int none = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(none, 0);
    dup2(out, 1);
    dup2(out, 2);
    mutant_active = mutant;
    const int status = run(what, context);
    fflush(NULL);
    _exit(status > 125 ? 125 : status);
}

/* What became of a child. */
struct outcome {
    int kind, status;
    long long used;
};

static void await(pid_t pid, int milliseconds, struct outcome *outcome)
{
    const int watched = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ended = {.fd = watched, .events = POLLIN};
    const int ready = poll(&ended, 1, milliseconds);
    kill(-pid, SIGKILL); /* its own children, too */
    close(watched);
    int status = 0;
    struct rusage usage = {0};
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
        continue;
    outcome->kind = WIFSIGNALED(status) ? 2 : WEXITSTATUS(status) != 0;
    outcome->status = outcome->kind == 2 ? WTERMSIG(status) : WEXITSTATUS(status);
    if (ready == 0 || (outcome->kind == 2 && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)))
        outcome->kind = 3;
    outcome->used += (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000ll + usage.ru_utime.tv_usec +
                     usage.ru_stime.tv_usec;
}

static void serve(act *run, void *context, FILE *to)
{
    char line[4096];
    FILE *from = fdopen(fcntl(0, F_DUPFD_CLOEXEC, 10), "r");
    struct outcome outcome = {0};
    unsigned count = 0;
    fflush(NULL);
    while (from != NULL && fgets(line, sizeof line, from) != NULL) {
        int mutant = -1, milliseconds = 0, at = 0;
        unsigned seconds = 0;
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "end") == 0) {
            fprintf(to, "%u %d %d %lld\n", count, outcome.kind, outcome.status, outcome.used);
            fflush(to);
            outcome = (struct outcome){0};
            count = 0;
            continue;
        }
        if (sscanf(line, "%d %u %d %n", &mutant, &seconds, &milliseconds, &at) != 3)
            break;
        if (outcome.kind != 0)
            continue;
        const pid_t pid = fork();
        if (pid == 0)
            run_child(run, line + at, context, mutant, seconds);
        setpgid(pid, pid); /* whoever is first */
        await(pid, milliseconds, &outcome);
        count++;
    }
    _exit(0);
}

static FILE *answers(void)
{
    return fdopen(fcntl(1, F_DUPFD_CLOEXEC, 10), "w");
}

#if defined(MUTANTS_SWEEP)

extern int sweep_main(int argc, char **argv);

static int run_sweep(const char *what, void *context)
{
    char kind[20], path[400];
    (void)context;
    if (sscanf(what, "%19s %399s", kind, path) != 2)
        return 2;
    char *arguments[] = {"sweep_program", "--most", "1", "--timeout", "10", "--fail", kind, path, NULL};
    return sweep_main(8, arguments);
}

int main(void)
{
    FILE *to = answers();
    fprintf(to, "ready\n");
    fflush(to);
    serve(run_sweep, NULL, to);
}

#elif defined(MUTANTS_REPLAY)

extern int replay_main(int argc, char **argv);

static int run_program(const char *what, void *context)
{
    (void)context;
    char *arguments[] = {"replay", "--check", "--no-fork", (char *)what, NULL};
    return replay_main(4, arguments);
}

int main(void)
{
    FILE *to = answers();
    fprintf(to, "ready\n");
    fflush(to);
    serve(run_program, NULL, to);
}

#else

struct group {
    const char *name;
    const struct CMUnitTest *tests;
    CMFixtureFunction begin, end;
};

extern int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *const tests,
                                          const size_t count, CMFixtureFunction begin, CMFixtureFunction end);

static int run_one_test(const char *what, void *context)
{
    const struct group *group = context;
    return __real__cmocka_run_group_tests(group->name, group->tests + atoi(what), 1, group->begin,
                                          group->end);
}

/* The linker puts it in the place of cmocka's. */
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *const tests, const size_t count,
                                   CMFixtureFunction begin, CMFixtureFunction end)
{
    struct group group = {name, tests, begin, end};
    FILE *to = answers();
    fprintf(to, "ready");
    for (size_t i = 0; i < count; i++)
        fprintf(to, " %s", tests[i].name);
    fprintf(to, "\n");
    fflush(to);
    serve(run_one_test, &group, to);
    return 0;
}

#endif
