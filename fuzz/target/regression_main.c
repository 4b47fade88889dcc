/* A fuzz target as a plain test: runs every program of the given files and directories, each in a process of its own, so
 * that one failure hides no other. Prints `ok PATH` or `FAIL PATH` for each; exit status 0 only if all were good.
 *
 * Options: --direct runs the files in this process (for debuggers and fuzzing orchestration); --print FILE prints the
 * program in FILE as text, as the target would run it. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

#define SECONDS_MAX 60

static bool direct;
static unsigned good;
static unsigned bad;

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *bytes = NULL;
    size_t used = 0;
    size_t got;
    do {
        uint8_t *larger = realloc(bytes, used + 65536);
        if (larger == NULL)
            break;
        bytes = larger;
        got = fread(bytes + used, 1, 65536, file);
        used += got;
    } while (got > 0);
    fclose(file);
    *size = used;
    return bytes;
}

static bool run_file(const char *path)
{
    size_t size = 0;
    uint8_t *bytes = read_file(path, &size);
    if (bytes == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    fuzz_run_input(bytes, size);
    free(bytes);
    return true;
}

static bool run_apart(const char *path)
{
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        alarm(SECONDS_MAX);
        bool done = run_file(path);
        fflush(NULL);
        exit(done ? 0 : 1);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child)
        return false;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        fprintf(stderr, "%s: still running after %d seconds\n", path, SECONDS_MAX);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void visit(const char *path);

static void visit_directory(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char name[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
            struct stat status;
            size_t size = strlen(name);
            bool program = size > 4 && strcmp(name + size - 4, ".jet") == 0;
            if (stat(name, &status) == 0 && (S_ISDIR(status.st_mode) || program))
                visit(name);
        }
        free(entries[i]);
    }
    free(entries);
}

static void visit(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        bad++;
        return;
    }
    if (S_ISDIR(status.st_mode)) {
        visit_directory(path);
        return;
    }
    bool done = direct ? run_file(path) : run_apart(path);
    printf("%s %s\n", done ? "ok" : "FAIL", path);
    fflush(stdout);
    good += done;
    bad += !done;
}

static int print_file(const char *path)
{
    size_t size = 0;
    uint8_t *bytes = read_file(path, &size);
    if (bytes == NULL)
        return 1;
    struct program program = {0};
    struct text text = {0};
    mutate_decode_input(&program, bytes, size);
    fuzz_limit_program(&program);
    program_print(&program, &text);
    fwrite(text.bytes == NULL ? "" : text.bytes, 1, text.size, stdout);
    text_free(&text);
    program_free(&program);
    free(bytes);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--print") == 0)
        return print_file(argv[2]);
    if (argc == 2 && strcmp(argv[1], "--features") == 0) {
        printf("%u\n", fuzz_target.features);
        return 0;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--direct") == 0)
            direct = true;
        else
            visit(argv[i]);
    }
    fprintf(stderr, "%s: %u good, %u bad\n", fuzz_target.name, good, bad);
    return bad == 0 ? 0 : 1;
}
