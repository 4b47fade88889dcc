/* The table of calls that a program may hold: one row an op, with the kinds of its arguments. The parser, the
 * compact form, the mutators and the model's path tool all read this one table. */
#ifndef OPENESENT_FUZZ_OP_H
#define OPENESENT_FUZZ_OP_H

#include <stddef.h>

/* Kinds of arguments, one letter each in `struct program_op.arguments`:
 *   i instance   s session   d database   t cursor   h backup file handle   n snapshot   b bookmark
 *   o the same letters' slot as an *out* argument is written in capitals: I S D T H N B
 *   p path (quoted)    q name of a table, column or index (quoted, or null)   x other text (quoted)
 *   v value            # number          g bits (grbit)     m parameter name  w other word (an enumerator by
 * name)
 *   * any further arguments, key=value among them
 * The letters after '?' may be left out at the end of a line. */
struct program_op {
    const char *name;
    const char *arguments;
    unsigned char family; /* enum op_family */
};

enum op_family {
    OP_INSTANCE,  /* instances, parameters, sessions, start, term */
    OP_DATABASE,  /* create, attach, open, infos */
    OP_BACKUP,    /* streaming and directory backup, restore, stop */
    OP_SNAPSHOT,  /* OS snapshots */
    OP_SCHEMA,    /* tables, columns, indexes */
    OP_DATA,      /* rows, cursors, transactions */
    OP_COMPOSITE, /* calls of the program text that are made of several API calls */
    OP_FILE,      /* the files of the program's directory */
    OP_CONTROL,   /* threads, crash, check */
};

extern const struct program_op program_ops[];
extern const size_t program_op_count;

/* The row for a name, or NULL. */
const struct program_op *program_op_find(const char *name);

/* The row's index in program_ops. */
size_t program_op_index(const struct program_op *op);

#endif
