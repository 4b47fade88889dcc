/* What became of each file of a replay, and the counts over many. */
#ifndef OPENESENT_FUZZ_SUMMARY_H
#define OPENESENT_FUZZ_SUMMARY_H

#include <stddef.h>

#include "fuzz/program/program.h"

enum file_kind {
    FILE_MATCHES,
    FILE_DIFFERS,
    FILE_UNREADABLE, /* does not parse */
    FILE_CRASHES,
    FILE_HANGS,
};

struct file_result {
    const char *path;
    enum file_kind kind;
    unsigned line;      /* of the first difference */
    size_t lines;       /* that could differ */
    size_t differences; /* that did */
    char group[96];     /* the kind of the first difference: "Seek code -1601 0" */
    char message[400];
};

/* Compares the expectations of `program` with the transcript; `print_all` prints each difference. 0 all
 * match, 1 not. */
int compare_with_file(const struct program *program, const struct program *transcript, bool print_all,
                      struct file_result *result);

struct summary_count {
    char *name;
    size_t files, matching, lines, differences;
    char *example;
};

struct summary {
    struct summary_count *folders;
    size_t folder_count;
    struct summary_count *groups;
    size_t group_count;
    struct summary_count total;
};

void summary_add(struct summary *summary, const struct file_result *result);
void summary_print(struct summary *summary);
void summary_free(struct summary *summary);

#endif
