#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "fuzz/minimise/failure.h"

#include <ctype.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* The first line that holds `mark`, from its beginning; NULL if there is none. */
static const char *line_with(const char *said, const char *mark)
{
    const char *found = strstr(said, mark);
    while (found != NULL && found > said && found[-1] != '\n')
        found--;
    return found;
}

/* The first line that begins with `word`. */
static const char *line_beginning(const char *said, const char *word)
{
    const char *line = said;
    while (line != NULL && strncmp(line, word, strlen(word)) != 0) {
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return line;
}

static void copy_line(const char *from, char *to, size_t size)
{
    size_t length = strcspn(from, "\n");
    if (length >= size)
        length = size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

/* Numbers differ from run to run: addresses, sizes. */
static void forget_numbers(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0';) {
        if (isdigit((unsigned char)*at)) {
            while (isxdigit((unsigned char)*at) || *at == 'x')
                at++;
            *to++ = 'N';
        } else {
            *to++ = *at++;
        }
    }
    *to = '\0';
}

/* "call 9: expected -801, got 0 n=1" and "rule: I1 ReadFileInstance" become "I1 ReadFileInstance: -801 / 0".
 */
static void model_key(const char *said, const char *rule, char *key, size_t size)
{
    char name[160];
    char call[400] = "";
    copy_line(rule + strlen("rule: "), name, sizeof name);
    const char *line = line_beginning(said, "call ");
    if (line != NULL)
        copy_line(line, call, sizeof call);
    const char *expected = strstr(call, "expected ");
    const char *got = strstr(call, ", got ");
    if (expected == NULL || got == NULL || strncmp(name, "I9", 2) == 0) {
        snprintf(key, size, "%s", name);
        return;
    }
    expected += strlen("expected ");
    got += strlen(", got ");
    snprintf(key, size, "%s: %.*s / %.*s", name, (int)strcspn(expected, " ,\n"), expected,
             (int)strcspn(got, " ,\n"), got);
}

void failure_key(const char *said, int status, char *key, size_t size)
{
    static const char *const marks[] = {"SUMMARY: ", "runtime error: ", "lock order: ", "ssertion ",
                                        "simulation stuck: "};
    const bool killed = WIFSIGNALED(status);
    key[0] = '\0';
    if (!killed && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (killed && WTERMSIG(status) == SIGALRM) {
        snprintf(key, size, "hang");
        return;
    }
    const char *rule = line_beginning(said, "rule: ");
    if (rule != NULL) {
        model_key(said, rule, key, size);
        return;
    }
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const char *line = line_with(said, marks[i]);
        if (line == NULL)
            continue;
        copy_line(line, key, size);
        if (strstr(key, "ssertion ") == NULL)
            forget_numbers(key);
        return;
    }
    if (killed)
        snprintf(key, size, "signal %d", WTERMSIG(status));
    else
        snprintf(key, size, "exit status %d", WEXITSTATUS(status));
}

void failure_headline(const char *said, char *line, size_t size)
{
    static const char *const marks[] = {"simulation stuck: ", "lock order: ", "ssertion ",
                                        "runtime error: ", "SUMMARY: "};
    const char *found = line_beginning(said, "call ");
    for (size_t i = 0; found == NULL && i < sizeof marks / sizeof marks[0]; i++)
        found = line_with(said, marks[i]);
    line[0] = '\0';
    if (found != NULL)
        copy_line(found, line, size);
}
