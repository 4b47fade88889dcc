/* Call-backs of rows (engine sources: `recupd.cxx`, `fcb.cxx`). */
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/table/update.h"

JET_ERR table_callback_add(struct table_cursor *cursor, JET_CBTYP types, JET_CALLBACK function, void *context,
                           uint32_t *id)
{
    struct table_definition *table = cursor->table;
    struct row_callback *callback = os_allocate_zeroed(sizeof(*callback));
    if (callback == NULL)
        return JET_errOutOfMemory;
    callback->function = function;
    callback->context = context;
    os_atomic_store(&callback->types, types);
    catalog_lock(cursor->database->catalog);
    callback->next = table->callbacks;
    callback->id = callback->next == NULL ? 1 : callback->next->id + 1;
    table->callbacks = callback;
    os_atomic_store(&table->callback_types, os_atomic_load(&table->callback_types) | types);
    *id = callback->id;
    catalog_unlock(cursor->database->catalog);
    return JET_errSuccess;
}

static struct row_callback *callbacks_of(const struct table_cursor *cursor)
{
    catalog_lock(cursor->database->catalog);
    struct row_callback *first = cursor->table->callbacks;
    catalog_unlock(cursor->database->catalog);
    return first;
}

JET_ERR table_callback_remove(struct table_cursor *cursor, uint32_t id)
{
    for (struct row_callback *callback = callbacks_of(cursor); callback != NULL; callback = callback->next) {
        if (callback->id == id && os_atomic_load(&callback->types) != 0) {
            os_atomic_store(&callback->types, 0);
            return JET_errSuccess;
        }
    }
    return JET_errInvalidParameter;
}

JET_ERR table_call_back(struct table_cursor *cursor, JET_CBTYP type)
{
    JET_ERR err = JET_errSuccess;
    if (cursor->call_back == NULL || (os_atomic_load(&cursor->table->callback_types) & type) == 0)
        return JET_errSuccess;
    for (const struct row_callback *callback = callbacks_of(cursor);
         callback != NULL && err >= JET_errSuccess; callback = callback->next) {
        if ((os_atomic_load(&callback->types) & type) != 0)
            err = cursor->call_back(cursor, callback, type);
    }
    return err < JET_errSuccess ? err : JET_errSuccess;
}
