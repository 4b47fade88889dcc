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
    add(run_instance_calls);
    add(run_backup_calls);
    add(run_backup_list_calls);
    add(run_restore_calls);
    add(run_snapshot_calls);
    add(run_schema_calls);
    add(run_info_calls);
    add(run_cursor_calls);
    add(run_column_calls);
    add(run_composite_calls);
    add(run_walk_calls);
    add(run_file_calls);
}

call_function call_function_find(const struct program_op *op)
{
    pthread_once(&once, fill);
    size_t index = program_op_index(op);
    return index < sizeof functions / sizeof functions[0] ? functions[index] : NULL;
}
