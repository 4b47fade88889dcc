#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

/* replay: runs programs in the program text and prints, checks or rewrites their transcripts. `replay --help`
 * tells how. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/program/emit_c.h"
#include "fuzz/program/program.h"
#include "fuzz/replay/summary.h"
#include "fuzz/replay/walk.h"
#include "fuzz/runner/judge.h"
#include "fuzz/runner/runner.h"

static const char usage[] =
    "usage: replay [OPTION]... FILE|DIRECTORY...\n"
    "Runs programs in the program text (docs/programs.md) and prints their transcripts.\n"
    "\n"
    "What to do with each FILE (one of):\n"
    "  (nothing)        print the transcript\n"
    "  --check          compare with what the file expects; print the first difference of each file\n"
    "  --update         rewrite the file's expectations by what was answered\n"
    "  --judge          let the model judge every answer; print the first disagreement of each file\n"
    "  --oracle         do not run: let the model judge the answers that the file records\n"
    "  --c              do not run: print the program as C against esent.h\n"
    "  --fingerprint    print a number over all answers and one over all files at the end\n"
    "  --repeat N       with --fingerprint: run it N times; all must be like the first\n"
    "\n"
    "Where it runs:\n"
    "  --memory         files in memory (default)\n"
    "  --posix          real files, in a temporary directory that is removed\n"
    "  --dir D          real files in the directory D; what is left there is kept\n"
    "  --load D         first put the files of directory D there (*.gz unpacked). A program whose folder has "
    "its own\n"
    "                   name runs in a copy of that folder by itself\n"
    "  --threads        real threads and time instead of simulated ones\n"
    "  --seed N         the simulation's seed (default 0: each thread runs until it must wait)\n"
    "  --profile P      documented or published, whatever the program says\n"
    "\n"
    "How it reports:\n"
    "  --summary        with --check, --judge, --oracle: counts by folder and by kind of the first "
    "difference\n"
    "  --all            with --check: print every difference, not only the first of each file\n"
    "  --verbose        with these: a line for each file that matches, too\n"
    "  --quiet          with these: no line for any file\n"
    "  --files LIST     also the files that the text file LIST names, one a line\n"
    "  --timeout S      seconds before a program is called hung (default 60, 0: never)\n"
    "  --no-fork        run in this process (for debuggers)\n"
    "\n"
    "Exit status: 0 everything matched, 1 something did not, 2 wrong arguments or an unreadable file.\n";

enum mode { MODE_PRINT, MODE_CHECK, MODE_UPDATE, MODE_JUDGE, MODE_ORACLE, MODE_C, MODE_FINGERPRINT };

struct options {
    enum mode mode;
    struct run_options run;
    const char *load;
    const char *list;
    bool all, quiet, verbose, summary, no_fork;
    unsigned timeout;
    unsigned long long repeat;
};

/* What became of one file: a letter for the summary, and the report's texts. */
struct report {
    struct file_result result;
    struct text out; /* what a child wrote */
};

static int wrong(const char *message, const char *argument)
{
    fprintf(stderr, "replay: %s%s%s\nTry replay --help.\n", message, argument != NULL ? ": " : "",
            argument != NULL ? argument : "");
    exit(2);
}

static unsigned long long number_argument(const char *option, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 0);
    if (end == text || *end != '\0' || errno != 0 || text[0] == '-')
        wrong("not a number", option);
    return number;
}

static void set_mode(struct options *options, enum mode mode)
{
    if (options->mode != MODE_PRINT)
        wrong("only one of --check, --update, --judge, --oracle, --c, --fingerprint can be asked for", NULL);
    options->mode = mode;
}

/* Parses one option at argv[*at]; false if it is a file's name. */
static bool parse_option(struct options *options, char **argv, int argc, int *at)
{
    const char *option = argv[*at];
    if (option[0] != '-' || option[1] != '-')
        return false;
    static const struct {
        const char *name;
        enum mode mode;
    } modes[] = {{"--check", MODE_CHECK},   {"--update", MODE_UPDATE}, {"--judge", MODE_JUDGE},
                 {"--oracle", MODE_ORACLE}, {"--c", MODE_C},           {"--fingerprint", MODE_FINGERPRINT}};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(option, modes[i].name) == 0) {
            set_mode(options, modes[i].mode);
            return true;
        }
    }
    if (strcmp(option, "--help") == 0) {
        fputs(usage, stdout);
        exit(0);
    }
    bool known = true;
    if (strcmp(option, "--memory") == 0)
        options->run.files = RUN_MEMORY;
    else if (strcmp(option, "--posix") == 0)
        options->run.files = RUN_POSIX;
    else if (strcmp(option, "--threads") == 0)
        options->run.simulated = false;
    else if (strcmp(option, "--summary") == 0)
        options->summary = true;
    else if (strcmp(option, "--verbose") == 0)
        options->verbose = true;
    else if (strcmp(option, "--all") == 0)
        options->all = true;
    else if (strcmp(option, "--quiet") == 0)
        options->quiet = true;
    else if (strcmp(option, "--no-fork") == 0)
        options->no_fork = true;
    else
        known = false;
    if (known)
        return true;
    if (strcmp(option, "--dir") != 0 && strcmp(option, "--load") != 0 && strcmp(option, "--seed") != 0 &&
        strcmp(option, "--profile") != 0 && strcmp(option, "--timeout") != 0 &&
        strcmp(option, "--files") != 0 && strcmp(option, "--repeat") != 0)
        wrong("unknown option", option);
    if (*at + 1 >= argc)
        wrong("the option needs a value", option);
    const char *value = argv[++*at];
    if (strcmp(option, "--dir") == 0) {
        options->run.files = RUN_POSIX;
        options->run.directory = value;
    } else if (strcmp(option, "--files") == 0) {
        options->list = value;
    } else if (strcmp(option, "--load") == 0) {
        options->load = value;
    } else if (strcmp(option, "--seed") == 0) {
        options->run.seed = number_argument(option, value);
    } else if (strcmp(option, "--repeat") == 0) {
        options->repeat = number_argument(option, value);
    } else if (strcmp(option, "--timeout") == 0) {
        options->timeout = (unsigned)number_argument(option, value);
    } else if (strcmp(value, "documented") == 0 || strcmp(value, "published") == 0) {
        options->run.profile = value;
    } else {
        wrong("a profile is documented or published, not", value);
    }
    return true;
}

/* --- one file, in the process that runs it. Results go to `out` as text: see parse_result. */

/* The folder of a program that is named as the program: golden sets of files come so. */
static bool own_folder(const char *path, char *folder, size_t size)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) >= size)
        return false;
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    const char *name = strrchr(folder, '/');
    name = name != NULL ? name + 1 : folder;
    size_t length = strlen(name);
    return strncmp(slash + 1, name, length) == 0 && strcmp(slash + 1 + length, ".jet") == 0;
}

/* The directory whose files a program finds at first, or NULL. */
static const char *loads(const struct options *options, const struct program *program, char *folder,
                         size_t size)
{
    if (options->load != NULL)
        return options->load;
    if (options->run.directory == NULL && program->name != NULL && own_folder(program->name, folder, size))
        return folder;
    return NULL;
}

static void run_one(const struct options *options, const struct program *program, struct program *transcript,
                    struct run_result *result, const struct run_observer *observer)
{
    struct run_options run = options->run;
    char folder[2048];
    run.load = loads(options, program, folder, sizeof folder);
    if (observer != NULL)
        run.observer = *observer;
    run_program(program, &run, transcript, result);
}

static void start_judge(const struct options *options, struct judge *judge, const struct program *program)
{
    char folder[2048];
    judge_start(judge, program, options->run.profile);
    if (loads(options, program, folder, sizeof folder) != NULL)
        model_assume_files(judge->model);
}

static bool write_file(const char *path, const struct text *text)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return false;
    bool good = fwrite(text->bytes, 1, text->size, file) == text->size;
    return fclose(file) == 0 && good;
}

/* "not-run" alone would leave the reader to guess. */
static void explain_bad_line(void *context, const struct program *program, size_t line,
                             const struct run_answer *answer)
{
    (void)context;
    if (answer->bad_line)
        fprintf(stderr, "%s:%u: %s\n", program->name, program->lines[line].number, answer->problem);
}

static int print_or_update(const struct options *options, struct program *program)
{
    struct program transcript = {0};
    struct run_result result;
    run_one(options, program, &transcript, &result, &(struct run_observer){.after = explain_bad_line});
    struct text text = {0};
    program_print(&transcript, &text);
    bool good = result.finished && result.bad_lines == 0;
    if (options->mode == MODE_UPDATE)
        good = write_file(program->name, &text) && good;
    else
        fwrite(text.bytes, 1, text.size, stdout);
    fflush(stdout);
    text_free(&text);
    program_free(&transcript);
    return good ? 0 : 1;
}

struct fingerprint {
    uint64_t answers; /* FNV-1a of the transcript */
    uint64_t files;
};

static bool take_fingerprint(const struct options *options, const struct program *program,
                             struct fingerprint *fingerprint)
{
    struct program transcript = {0};
    struct run_result result;
    struct text text = {0};
    fingerprint->answers = 0xcbf29ce484222325;
    run_one(options, program, &transcript, &result, NULL);
    program_print(&transcript, &text);
    for (size_t i = 0; i < text.size; i++)
        fingerprint->answers = (fingerprint->answers ^ (unsigned char)text.bytes[i]) * 0x100000001b3;
    fingerprint->files = result.files_hash;
    text_free(&text);
    program_free(&transcript);
    return result.finished;
}

static int print_fingerprint(const struct options *options, const struct program *program)
{
    struct options hashing = *options;
    struct fingerprint first = {0};
    hashing.run.hash_files = true;
    bool finished = take_fingerprint(&hashing, program, &first);
    printf("%s %016llx %016llx\n", program->name, (unsigned long long)first.answers,
           (unsigned long long)first.files);
    for (unsigned long long run = 2; finished && run <= options->repeat; run++) {
        struct fingerprint again = {0};
        finished = take_fingerprint(&hashing, program, &again);
        if (again.answers == first.answers && again.files == first.files)
            continue;
        fprintf(stderr, "%s: run %llu is not like the first: %s\n", program->name, run,
                again.answers != first.answers ? "its answers" : "its files");
        return 1;
    }
    return finished ? 0 : 1;
}

static int check_expectations(const struct options *options, const struct program *program,
                              const struct program *transcript, struct file_result *out)
{
    int status = compare_with_file(program, transcript, options->all, out);
    if (out->lines > 0)
        return status;
    /* Such a file would match whatever the engine answers. */
    out->kind = FILE_DIFFERS;
    snprintf(out->group, sizeof out->group, "expects nothing");
    snprintf(out->message, sizeof out->message, "no call expects anything: there is nothing to check");
    return 1;
}

/* Whoever has ended all instances has left nothing behind (I9). */
static bool tell_leak(const struct run_result *result, struct file_result *out)
{
    if (!result->alone || (result->leaked_bytes == 0 && result->leaked_handles == 0))
        return false;
    out->kind = FILE_DIFFERS;
    snprintf(out->group, sizeof out->group, "left behind");
    snprintf(out->message, sizeof out->message, "left behind at the end: %llu bytes, %u open files",
             (unsigned long long)result->leaked_bytes, result->leaked_handles);
    return true;
}

static int process_file(const struct options *options, const char *path, struct file_result *out)
{
    struct program program = {0};
    struct program_error error = {0};
    int status;
    out->path = path;
    if (!program_read(&program, path, &error)) {
        fprintf(stderr, "%s:%u: %s\n", path, error.line, error.message);
        out->kind = FILE_UNREADABLE;
        snprintf(out->group, sizeof out->group, "parse error");
        status = 2;
    } else if (options->mode == MODE_PRINT || options->mode == MODE_UPDATE) {
        status = print_or_update(options, &program);
        out->kind = status == 0 ? FILE_MATCHES : FILE_DIFFERS;
    } else if (options->mode == MODE_FINGERPRINT) {
        status = print_fingerprint(options, &program);
    } else if (options->mode == MODE_C) {
        struct text text = {0};
        emit_c(&program, &text);
        fwrite(text.bytes, 1, text.size, stdout);
        text_free(&text);
        status = 0;
    } else if (options->mode == MODE_ORACLE) {
        status = judge_recorded(&program, options->run.profile, out);
    } else {
        struct program transcript = {0};
        struct run_result result;
        struct judge judge;
        bool judging = options->mode == MODE_JUDGE;
        if (judging)
            start_judge(options, &judge, &program);
        run_one(options, &program, &transcript, &result, judging ? &judge.observer : NULL);
        if (judging)
            status = judge_finish(&judge, &transcript, out);
        else
            status = check_expectations(options, &program, &transcript, out);
        if (status == 0 && tell_leak(&result, out))
            status = 1;
        if (!result.finished)
            status = 2;
        program_free(&transcript);
    }
    program_free(&program);
    return status;
}

/* --- a child process for each file, so that a crash or a hang is that file's result alone */

/* There in a build that measures coverage; written at exit(), which a child leaves out. */
extern int __llvm_profile_write_file(void) __attribute__((weak));

static void child(const struct options *options, const char *path, int to_parent)
{
    struct file_result result = {0};
    int status = process_file(options, path, &result);
    /* The parent knows the path. */
    ssize_t written = write(to_parent, &result, sizeof result);
    fflush(NULL);
    if (__llvm_profile_write_file != NULL)
        __llvm_profile_write_file();
    _exit(written == (ssize_t)sizeof result ? status : 3);
}

static void reap(pid_t pid, const char *path, struct file_result *result, bool complete, bool hung)
{
    int status = 0;
    waitpid(pid, &status, 0);
    result->path = path;
    if (hung) {
        result->kind = FILE_HANGS;
        snprintf(result->group, sizeof result->group, "hang");
        snprintf(result->message, sizeof result->message, "the program hangs");
    } else if (!complete || !WIFEXITED(status)) {
        result->kind = FILE_CRASHES;
        int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        snprintf(result->group, sizeof result->group, "crash");
        snprintf(result->message, sizeof result->message, "the library crashes (signal %d, status %d)",
                 signal_number, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
}

static void run_in_child(const struct options *options, const char *path, struct file_result *result)
{
    int ends[2];
    fflush(NULL);
    if (pipe(ends) != 0)
        wrong("no pipe", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        wrong("no process", strerror(errno));
    if (pid == 0) {
        close(ends[0]);
        child(options, path, ends[1]);
    }
    close(ends[1]);
    struct pollfd poll_for = {.fd = ends[0], .events = POLLIN};
    int ready = poll(&poll_for, 1, options->timeout > 0 ? (int)options->timeout * 1000 : -1);
    bool complete = ready > 0 && read(ends[0], result, sizeof *result) == (ssize_t)sizeof *result;
    if (ready == 0)
        kill(pid, SIGKILL);
    close(ends[0]);
    reap(pid, path, result, complete, ready == 0);
}

static int report_file(const struct options *options, const struct file_result *result)
{
    bool compares =
        options->mode == MODE_CHECK || options->mode == MODE_JUDGE || options->mode == MODE_ORACLE;
    bool failed = result->kind != FILE_MATCHES;
    if (failed && !options->quiet && !(options->all && result->kind == FILE_DIFFERS) &&
        result->kind != FILE_UNREADABLE && (compares || result->kind >= FILE_CRASHES))
        printf("%s:%u: %s\n", result->path, result->line, result->message);
    if (!failed && options->verbose && compares)
        printf("ok %s\n", result->path);
    if (result->kind == FILE_UNREADABLE)
        return 2;
    return failed ? 1 : 0;
}

/* Appends the names that a file lists, one a line. */
struct files {
    const char **paths;
    size_t count;
};

static void add_file(void *context, const char *path)
{
    struct files *files = context;
    files->paths = realloc(files->paths, (files->count + 1) * sizeof *files->paths);
    if (files->paths == NULL)
        abort();
    files->paths[files->count++] = strdup(path);
}

/* A file, or every program below a directory. */
static void add_path(struct files *files, const char *path)
{
    struct stat status;
    const size_t before = files->count;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        add_file(files, path);
        return;
    }
    each_program_file(path, add_file, files);
    if (files->count == before)
        wrong("no program (*.jet) below", path);
}

static void add_listed(struct files *files, const char *list)
{
    FILE *file = fopen(list, "r");
    char line[4096];
    if (file == NULL)
        wrong("cannot open", list);
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0')
            add_path(files, line);
    }
    fclose(file);
}

int main(int argc, char **argv)
{
    struct options options = {.run = {.simulated = true}, .timeout = 60};
    struct files files = {0};
    bool only_files = false;
    for (int i = 1; i < argc; i++) {
        if (!only_files && strcmp(argv[i], "--") == 0)
            only_files = true;
        else if (only_files || !parse_option(&options, argv, argc, &i))
            add_path(&files, argv[i]);
    }
    if (options.list != NULL)
        add_listed(&files, options.list);
    if (files.count == 0)
        wrong("no file given", NULL);
    struct summary summary = {0};
    int status = 0;
    for (size_t i = 0; i < files.count; i++) {
        struct file_result result = {0};
        if (options.no_fork || options.mode == MODE_ORACLE || options.mode == MODE_C)
            process_file(&options, files.paths[i], &result);
        else
            run_in_child(&options, files.paths[i], &result);
        int file_status = report_file(&options, &result);
        status = file_status > status ? file_status : status;
        summary_add(&summary, &result);
    }
    if (options.summary)
        summary_print(&summary);
    summary_free(&summary);
    for (size_t i = 0; i < files.count; i++)
        free((void *)(uintptr_t)files.paths[i]);
    free(files.paths);
    return status;
}
