/* Run a program against the library, line by line, and tell an observer what each call answered.
 *
 * Each program runs in an empty directory of its own: in memory (the default; nothing touches the disk), or a
 * real one. All handles are the program's slots; a slot never assigned holds nil. Nothing the program says
 * can make the runner itself misbehave: bad arguments are passed on where the API has a place for them, and
 * refused with RUN_BAD_LINE where it has none.
 *
 * One run at a time in a process: the library's process-wide state is part of the run. */
#ifndef OPENESENT_FUZZ_RUNNER_H
#define OPENESENT_FUZZ_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/program/program.h"

/* What a call answered. `outcome` is in the program text's terms (code, facts, notes). */
struct run_answer {
    int32_t code;
    struct program_outcome outcome; /* lives until the run ends */
    bool bad_line;                  /* the runner could not make the call of the line: a malformed argument */
    char problem[160];              /* then: why */
};

/* Called on the thread that runs the program (for calls of other threads: when their answer is collected, in
 * program order). `before` may be NULL. */
struct run_observer {
    void *context;
    void (*before)(void *context, const struct program *program, size_t line);
    void (*after)(void *context, const struct program *program, size_t line, const struct run_answer *answer);
};

enum run_files {
    RUN_MEMORY, /* in-memory files of esent_host.h */
    RUN_POSIX,  /* a real directory */
};

struct run_options {
    enum run_files files;
    const char *directory; /* RUN_POSIX: run there and keep what is left; NULL: a temporary directory, removed
                              afterwards */
    const char
        *load; /* NULL, or a real directory whose files are put into the program's directory before it starts;
                * *.gz are unpacked */
    const char *profile; /* overrides `set profile`; NULL: as the program says */
    bool simulated;      /* threads and time under the seeded scheduler, else real ones */
    uint64_t seed;
    bool hash_files; /* RUN_MEMORY: fill run_result.files_hash */
    /* The allocations of each call on rows or schema (not of composite ones) fail one after the other, and
     * the call is made again until it answers something else than that memory ran out: what then is answered
     * must be what it answers without faults. */
    bool retry_allocations;
    struct run_observer observer;
};

struct run_result {
    bool finished;           /* every line was run */
    size_t lines;            /* calls made */
    size_t bad_lines;        /* lines that the runner refused */
    size_t retries;          /* calls made again after an allocation failed */
    uint64_t leaked_bytes;   /* library memory that was left after the last instance had gone */
    uint32_t leaked_handles; /* files open then */
    bool alone;              /* at the end no instance lived: what leaked is a leak */
    uint64_t files_hash;     /* over names and contents of all files at the end */
};

/* Runs the program. If `transcript` is not NULL it must be zeroed and becomes a copy of the program in which
 * each call's expectation is what the call answered. Everything the program left open is torn down at the
 * end. */
void run_program(const struct program *program, const struct run_options *options, struct program *transcript,
                 struct run_result *result);

/* The same in parts, for a host that keeps copies of the whole process's memory between calls: run_open
 * starts a process for a program on files in memory and in a simulation; run_go_on runs its lines from `from`
 * up to `to` (not with it); run_close ends it, after which `run` is gone. The options and the result must
 * live till then. */
struct run;
struct run *run_open(const struct program *program, const struct run_options *options,
                     struct run_result *result);
void run_go_on(struct run *run, size_t from, size_t to);
/* No other thread was begun. */
bool run_is_single(const struct run *run);
/* Goes on with another program that began with the same lines and has the same settings; only while
 * run_is_single. */
void run_change_program(struct run *run, const struct program *program);
void run_close(struct run *run);

/* The files of the running program's directory, for observers (in `after`) that look at them: sizes,
 * existence, contents. Paths are the program's (relative, '/'). Return false if there is no such file. */
bool run_file_size(const char *path, uint64_t *size);
bool run_file_read(const char *path, uint64_t offset, void *buffer, size_t size);

#endif
