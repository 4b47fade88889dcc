#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "fuzz/replay/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void describe(struct file_result *result, const struct program_line *expected,
                     const struct program_outcome *actual, const char *difference)
{
    struct text want = {0};
    struct text got = {0};
    struct text call = {0};
    struct program_line bare = *expected;
    bare.expects = false;
    program_print_line(&bare, &call);
    program_print_outcome(&expected->outcome, &want);
    program_print_outcome(actual, &got);
    result->line = expected->number;
    snprintf(result->message, sizeof result->message, "%.120s => expected %.110s, answered %.110s",
             call.bytes, want.bytes, got.bytes);
    if (strcmp(difference, "code") == 0)
        snprintf(result->group, sizeof result->group, "%s code %s, not %s", expected->op->name, actual->code,
                 expected->outcome.code);
    else
        snprintf(result->group, sizeof result->group, "%s %.*s", expected->op->name,
                 (int)strcspn(difference, "="), difference);
    text_free(&want);
    text_free(&got);
    text_free(&call);
}

int compare_with_file(const struct program *program, const struct program *transcript, bool print_all,
                      struct file_result *result)
{
    for (size_t i = 0; i < program->line_count && i < transcript->line_count; i++) {
        const struct program_line *expected = &program->lines[i];
        if (expected->kind != LINE_CALL || !expected->expects)
            continue;
        const struct program_outcome *actual = &transcript->lines[i].outcome;
        const char *difference = program_outcome_difference(&expected->outcome, actual);
        result->lines++;
        if (difference == NULL)
            continue;
        if (result->differences++ == 0)
            describe(result, expected, actual, difference);
        if (print_all) {
            struct file_result one = {0};
            describe(&one, expected, actual, difference);
            printf("%s:%u: [%s] %s\n", result->path, one.line, one.group, one.message);
        }
    }
    result->kind = result->differences > 0 ? FILE_DIFFERS : FILE_MATCHES;
    return result->differences > 0 ? 1 : 0;
}

static struct summary_count *find(struct summary_count **counts, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp((*counts)[i].name, name) == 0)
            return &(*counts)[i];
    }
    *counts = realloc(*counts, (*count + 1) * sizeof **counts);
    if (*counts == NULL)
        abort();
    struct summary_count *added = &(*counts)[(*count)++];
    *added = (struct summary_count){.name = strdup(name)};
    return added;
}

static void add(struct summary_count *count, const struct file_result *result)
{
    count->files++;
    count->matching += result->kind == FILE_MATCHES;
    count->lines += result->lines;
    count->differences += result->differences;
    if (count->example == NULL && result->kind != FILE_MATCHES)
        count->example = strdup(result->path);
}

/* The last two folders of a path. */
static void folder_of(const char *path, char *folder, size_t size)
{
    const char *end = strrchr(path, '/');
    const char *start = end != NULL ? end : path;
    unsigned slashes = 0;
    while (start > path && slashes < 2) {
        start--;
        slashes += *start == '/';
    }
    start += *start == '/';
    snprintf(folder, size, "%.*s", end != NULL && end > start ? (int)(end - start) : 1,
             end != NULL ? start : ".");
}

void summary_add(struct summary *summary, const struct file_result *result)
{
    char folder[256];
    folder_of(result->path, folder, sizeof folder);
    add(find(&summary->folders, &summary->folder_count, folder), result);
    if (result->kind != FILE_MATCHES)
        add(find(&summary->groups, &summary->group_count, result->group), result);
    add(&summary->total, result);
}

static int by_files(const void *a, const void *b)
{
    const struct summary_count *x = a;
    const struct summary_count *y = b;
    return (x->files < y->files) - (x->files > y->files);
}

static void print_counts(const struct summary_count *count, const char *name)
{
    printf("%6zu of %6zu files match, %7zu of %7zu lines differ  %s\n", count->matching, count->files,
           count->differences, count->lines, name);
}

void summary_print(struct summary *summary)
{
    for (size_t i = 0; i < summary->folder_count; i++)
        print_counts(&summary->folders[i], summary->folders[i].name);
    print_counts(&summary->total, "total");
    if (summary->group_count == 0)
        return;
    qsort(summary->groups, summary->group_count, sizeof *summary->groups, by_files);
    printf("first differences:\n");
    for (size_t i = 0; i < summary->group_count && i < 80; i++)
        printf("%6zu  %-50s %s\n", summary->groups[i].files, summary->groups[i].name,
               summary->groups[i].example);
}

static void free_counts(struct summary_count *counts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(counts[i].name);
        free(counts[i].example);
    }
    free(counts);
}

void summary_free(struct summary *summary)
{
    free_counts(summary->folders, summary->folder_count);
    free_counts(summary->groups, summary->group_count);
    free(summary->total.example);
    *summary = (struct summary){0};
}
