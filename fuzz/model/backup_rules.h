/* What the rules of streaming and of whole backups share. Inside the model only. */
#ifndef OPENESENT_FUZZ_MODEL_BACKUP_RULES_H
#define OPENESENT_FUZZ_MODEL_BACKUP_RULES_H

#include "fuzz/model/state.h"

/* The log begins a new generation. */
void model_roll_log(struct model_instance *instance);
const char *model_log_name(struct model *model, const struct model_instance *instance, uint32_t generation);
/* The generation in a log's path, 0 if it is none of this instance's numbered logs. */
uint32_t model_log_generation(struct model *model, const struct model_instance *instance, const char *path);
bool model_is_current_log(struct model *model, const struct model_instance *instance, const char *path);

/* Milliseconds: for so long a page that is damaged is read again and again. */
#define REREADING 13600u

/* A log was read to its end. */
void model_log_read(struct backup_context *backup, uint32_t generation);

bool model_in_backup(const struct database_file *file, const struct model_instance *instance);
struct database_file *model_attached_file(struct model *model, const struct model_instance *instance,
                                          const char *path);
size_t model_count_in_backup(const struct model *model, const struct model_instance *instance);
/* Copying the file may find a damaged page; the same of any of the backup's files. */
bool model_pages_unsure(const struct model *model, const struct database_file *file);
bool model_backup_unsure(const struct model *model, const struct model_instance *instance);
/* Logs went that databases may need whose next incremental backup nobody thought of. */
void model_logs_deleted(struct model *model);

/* The checks that most calls share: no backup, stopped. False: the call ends there. */
bool model_in_progress(struct model *model, struct model_instance *instance);
/* The first call that asks for logs begins a new generation and fixes the ranges. */
void model_enter_logs_phase(struct model *model, struct model_instance *instance);
/* What opening `path` answers: the code is added; *file and *generation say what it is. True: expected to
 * open. */
bool model_open_rule(struct model *model, struct model_instance *instance, const char *path,
                     struct database_file **file, uint32_t *generation);
/* After a failed open: in the logs phase it ends the backup, but for the checks that come before the file is
 * looked at. */
void model_open_failed(struct model *model, struct model_instance *instance, int32_t code, const char *path);

extern const struct model_entry model_stream_entries[];

#endif
