/* Inside the runner: one line being executed, its slots and arguments. Not for users of runner.h. */
#ifndef OPENESENT_FUZZ_RUN_H
#define OPENESENT_FUZZ_RUN_H

#include <pthread.h>

#include "fuzz/program/program.h"
#include "fuzz/runner/names.h"
#include "fuzz/runner/runner.h"
#include "fuzz/runner/utf16.h"
#include "fuzz/runner/values.h"
#include "include/esent.h"
#include "include/esent_host.h"

#define SLOTS_MAX 256
#define SLOT_LETTERS "isdthnbc"
#define SLOT_KINDS 8
#define THREADS_MAX 16
#define NIL_HANDLE (~(uint64_t)0)
#define BOOKMARK_MAX 2048
#define MOVE_FIRST ((int32_t)JET_MoveFirst)

struct bookmark {
    uint32_t size;
    unsigned char bytes[BOOKMARK_MAX];
};

#define VALUE_BUFFER ((uint32_t)2 * 1024 * 1024) /* bytes */

/* What one thread of a program has for itself (EsentHostThreadData). */
struct run_thread {
    void *value_buffer;           /* NULL until needed; freed with its thread */
    struct status_counts *counts; /* of the call-backs of the call that runs */
};

struct worker;

struct run {
    const struct program *program;
    const struct run_options *options;
    struct run_result *result;
    struct program *transcript;
    pthread_mutex_t lock;                    /* slots, and the workers' queues */
    uint64_t handles[SLOT_KINDS][SLOTS_MAX]; /* by run_slot_kind of the letter */
    struct bookmark *bookmarks[SLOTS_MAX];
    bool threaded; /* some line runs on another thread */
    bool together; /* `set together`: neighbouring lines of other threads are handed over at once */
    struct worker *workers[THREADS_MAX];
    char directory[4096]; /* absolute, no separator at the end (but for the root) */
    bool temporary;       /* a real directory that is removed at the end */
};

/* One call. `out` collects what stands behind the code: facts with a blank before each, " |" before the
 * notes. */
struct call {
    struct run *run;
    const struct program_line *line;
    size_t next; /* positional arguments taken so far */
    struct arena arena;
    struct text out;
    bool bad;
    char problem[160];
};

typedef JET_ERR (*call_function)(struct call *call);

/* The function for an op; NULL if the runner does not know it. */
call_function call_function_find(const struct program_op *op);

struct run_thread *run_thread(void); /* the calling thread's */
void *run_value_buffer(void); /* its VALUE_BUFFER bytes, for one call; ends the process without memory */

/* --- arguments: positional ones in order, options by key. On a malformed one call->bad is set and the answer
 * is a harmless value; a call function checks call->bad once, before it calls the library. */

const struct program_token *arg_next(struct call *call); /* NULL at the end */
const struct program_token *arg_peek(struct call *call);
uint64_t arg_handle(struct call *call);
uint32_t arg_database(struct call *call);
uint64_t arg_number(struct call *call, const char *what); /* must be there */
uint64_t arg_number_or(struct call *call, uint64_t otherwise);
const char *arg_text(struct call *call);     /* NULL for null; must be there */
const uint16_t *arg_wide(struct call *call); /* the same in UTF-16 */
const uint16_t *run_wide(struct call *call, const char *text);
uint64_t option_number(struct call *call, const char *key, uint64_t otherwise);
bool option_is_null(struct call *call, const char *key);
const char *option_text(struct call *call, const char *key); /* NULL if not there */
bool run_bad(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An out argument's slot: `letter` 0 when the token names no slot (nil, zero, raw:), and `is_null` for null.
 */
struct slot {
    unsigned char letter;
    unsigned char index;
    bool is_null;
    uint64_t value; /* the present value, or what nil, zero, raw: say */
};
struct slot arg_slot(struct call *call);
size_t run_slot_kind(unsigned char letter); /* its place in SLOT_LETTERS */
void run_slot_set(struct call *call, struct slot slot, uint64_t value);

/* Bookmark slots. The copy is the caller's (arena). NULL for nil and unassigned ones. */
const struct bookmark *run_bookmark_get(struct call *call, struct slot slot);
void run_bookmark_set(struct call *call, struct slot slot, const void *bytes, uint32_t size);

/* --- answers */

void run_fact(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
void run_bar(struct call *call);
void run_fact_quoted(struct call *call, const char *key, const char *bytes, size_t size);
/* A path as the library answers it: relative to the run's directory, with '/'. */
void run_fact_path(struct call *call, const char *key, const char *path);
void run_fact_wide_path(struct call *call, const char *key, const uint16_t *path);
const char *run_relative_path(struct call *call, const char *path);

/* --- columns, shared by the data calls */

struct column {
    uint32_t id;
    uint32_t type; /* JET_coltypNil if not known */
    uint32_t code_page;
};
/* A column argument: a name, a slot, or col:N. */
JET_ERR run_column_find(struct call *call, uint64_t session, uint64_t table,
                        const struct program_token *token, struct column *column);

/* Walks the workers: start a call on thread T, wait for its queue to be empty, stop all. */
void worker_start(struct run *run, unsigned thread, size_t line);
void worker_join(struct run *run, unsigned thread);
void workers_stop(struct run *run);

/* Executes a line on this thread and reports it. */
void run_line(struct run *run, size_t line);

/* The tables of calls, by family; each ends with a NULL name. */
struct call_entry {
    const char *name;
    call_function function;
};
extern const struct call_entry run_instance_calls[];
extern const struct call_entry run_backup_calls[];
extern const struct call_entry run_backup_list_calls[];
extern const struct call_entry run_restore_calls[];
extern const struct call_entry run_snapshot_calls[];
extern const struct call_entry run_schema_calls[];
extern const struct call_entry run_info_calls[];
extern const struct call_entry run_cursor_calls[];
extern const struct call_entry run_column_calls[];
extern const struct call_entry run_composite_calls[];
extern const struct call_entry run_walk_calls[];
extern const struct call_entry run_file_calls[];

/* Used by several families. */
JET_ERR run_stream_file(struct call *call, uint64_t instance, const char *source, const char *target,
                        uint32_t chunk, uint32_t *calls, uint64_t *bytes, uint64_t *announced);
JET_ERR run_print_misc_info(struct call *call, const JET_DBINFOMISC4 *info);

#endif
