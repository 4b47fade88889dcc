/* From an op's row to the function that makes the call. */
#include <pthread.h>
#include <string.h>

#include "fuzz/runner/run.h"

static call_function functions[512];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void add(const struct call_entry *entries)
{
    for (; entries->name != NULL; entries++) {
        const struct program_op *op = program_op_find(entries->name);
        if (op != NULL)
            functions[program_op_index(op)] = entries->function;
    }
}

static void fill(void)
{
    add(instance_calls);
    add(backup_calls);
    add(snapshot_calls);
    add(schema_calls);
    add(info_calls);
    add(cursor_calls);
    add(column_calls);
    add(composite_calls);
    add(walk_calls);
    add(file_calls);
}

call_function call_function_find(const struct program_op *op)
{
    pthread_once(&once, fill);
    size_t index = program_op_index(op);
    return index < sizeof functions / sizeof functions[0] ? functions[index] : NULL;
}
