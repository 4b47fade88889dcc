/* Programs in memory: what the program text (docs/programs.md) says, line by line, so that it can be run,
 * judged, cut down, mutated, and printed again byte for byte.
 *
 * Everything a program points at lives in its arena. Texts are byte strings with a size (a NUL follows, but
 * texts may hold NULs themselves). Not thread-safe: a program belongs to one thread at a time. */
#ifndef OPENESENT_FUZZ_PROGRAM_H
#define OPENESENT_FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/program/arena.h"
#include "fuzz/program/op.h"

/* One blank-separated piece of a line: `word`, then perhaps a quoted text right behind it.
 *   i0            word "i0"
 *   "a/a.edb"     word "", text a/a.edb
 *   col="id;Long" word "col=", text id;Long
 *   a:"\xa0"      word "a:", text A0 */
struct program_token {
    const char *word;
    const char *text; /* NULL when nothing is quoted */
    size_t text_size;
};

/* What a call answered, or what the file expects: the code, then the facts, then behind a bar the notes. */
struct program_outcome {
    const char *code; /* "0", "-801"; or a word ("not-run", "hang"): nothing is expected. NULL: no code. */
    struct program_token *facts; /* key=value tokens and quoted texts */
    size_t fact_count;
    struct program_token *notes; /* behind the bar */
    size_t note_count;
    bool has_bar; /* a bar was written (notes may still be none) */
};

struct program_fault {
    const char *kind; /* "alloc", "io", "sync", ... */
    uint32_t nth;     /* 1-based */
};

enum program_line_kind { LINE_BLANK, LINE_COMMENT, LINE_SET, LINE_CALL };

struct program_line {
    enum program_line_kind kind;
    unsigned number;                 /* in the file, 1-based; 0 for a line that was not read from a file */
    const char *comment;             /* LINE_COMMENT: the whole line */
    const char *name;                /* LINE_SET: the name */
    unsigned thread;                 /* LINE_CALL: 0 is the main thread */
    const struct program_op *op;     /* LINE_CALL */
    struct program_token *arguments; /* LINE_CALL: all but faults; LINE_SET: the value */
    size_t argument_count;
    struct program_fault *faults;
    size_t fault_count;
    bool expects;                   /* the line has an => part */
    struct program_outcome outcome; /* when it expects */
    unsigned arrow_column;          /* where => stood, 0-based; the printer pads to it */
};

struct program {
    struct arena arena;
    const char *name; /* the file's name, or NULL */
    struct program_line *lines;
    size_t line_count;
    size_t line_capacity;
};

struct program_error {
    unsigned line;
    char message[200];
};

/* Parse a whole text. On failure returns false, fills `error`, and the program is still to be freed. A zeroed
 * `struct program` is an empty program. */
bool program_parse(struct program *program, const char *text, size_t size, struct program_error *error);

/* Parse one line (no line end) and append it. */
bool program_parse_line(struct program *program, const char *text, size_t size, struct program_error *error);

/* Parse the part behind "=>" into an outcome. */
bool program_parse_outcome(struct arena *arena, const char *text, size_t size,
                           struct program_outcome *outcome, struct program_error *error);

/* Read a file and parse it. Errors of reading have line 0. */
bool program_read(struct program *program, const char *path, struct program_error *error);

void program_free(struct program *program);

/* A growing text for printers. A zeroed one is empty; `bytes` is NUL-terminated once anything was added. */
struct text {
    char *bytes;
    size_t size;
    size_t capacity;
};
void text_add(struct text *text, const void *bytes, size_t size);
void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_free(struct text *text);

/* Print: the inverse of parsing. `program_print_line` adds no line end. */
void program_print(const struct program *program, struct text *out);
void program_print_line(const struct program_line *line, struct text *out);
void program_print_token(const struct program_token *token, struct text *out);
void program_print_outcome(const struct program_outcome *outcome, struct text *out);
void program_print_quoted(const char *bytes, size_t size, struct text *out);

/* Append a line (zeroed, to be filled in by the caller). The pointer is valid until the next append. */
struct program_line *program_append(struct program *program);

/* Remove lines [first, first + count). */
void program_remove(struct program *program, size_t first, size_t count);

/* A deep copy: shares nothing with the source. `target` must be empty (zeroed). */
void program_copy(struct program *target, const struct program *source);
void program_copy_line(struct program *target, struct program_line *to, const struct program_line *from);

/* Equality of what the programs say (not of file positions and padding). */
bool program_equal(const struct program *a, const struct program *b);
bool program_line_equal(const struct program_line *a, const struct program_line *b);
bool program_token_equal(const struct program_token *a, const struct program_token *b);

/* The argument's value when it is `key=...` (the part behind the =, as word or text), or NULL. */
const struct program_token *program_find_argument(const struct program_line *line, const char *key);

/* The text of a token behind a prefix of `skip` bytes of its word: the quoted text if there is one, else the
 * word. */
const char *program_token_value(const struct program_token *token, size_t skip, size_t *size);

/* `set NAME value` as text or NULL when the program does not set it. */
const char *program_setting(const struct program *program, const char *name);

/* What the disk writes whole when the machine crashes: `set sector N` (a power of two from 512 on), else a
 * page. */
uint32_t program_sector_size(const struct program *program);

/* Whether the line is a call of that name. */
bool program_is_call(const struct program_line *line, const char *name);

/* A fact by key (`n=`: key "n"), facts first and then notes when `notes`; NULL when there is none. */
const char *program_outcome_fact(const struct program_outcome *outcome, const char *key, bool notes);

/* Compare an answer with what a line expects, by the rules of the program text: the code; each expected fact
 * among the answer's facts or notes; if quoted texts are expected, the answer's are exactly these. Returns
 * NULL if it matches, else a short kind of the difference ("code", "texts", or the fact's key), valid as long
 * as the outcomes are. */
const char *program_outcome_difference(const struct program_outcome *expected,
                                       const struct program_outcome *actual);

#endif
