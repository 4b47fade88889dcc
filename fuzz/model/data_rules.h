/* What the rules of transactions, tables and rows share. Inside the model only. */
#ifndef OPENESENT_FUZZ_MODEL_DATA_RULES_H
#define OPENESENT_FUZZ_MODEL_DATA_RULES_H

#include "fuzz/model/state.h"

/* A transaction that has written no more than this to the log has not filled the version store. */
#define MODEL_VERSIONS_MOST ((uint64_t)2 << 20)

/* Nobody else of the instance is in a transaction. */
bool model_alone(const struct model *model, const struct model_session *session);
/* In a transaction, with others about: it may see what was there before they changed it, and not change it.
 */
bool model_sees_older(const struct model *model, const struct model_session *session);
/* The cursor of a data call; NULL: what it answers was added. */
struct model_cursor *model_cursor_gate(struct model *model, struct model_session *session);
/* NULL: it is there no more. */
struct model_table *model_cursor_table(const struct model_cursor *cursor);
/* Something was changed, and what it was is not known. */
void model_taint_databases(struct model *model, const struct model_instance *instance);
/* What is committed is on disk when the call comes back: while frozen, that is when the freeze is over. */
void model_wait_for_log(struct model *model, const struct database_file *file,
                        struct model_instance *instance);
/* Behind a composite call: what it began on a thread that the session's context is not with, it could not
 * end. */
void model_left_in_transaction(struct model *model);

#endif
