/* Between the backup calls of the API and the backup layer: entering an instance with its backup context
 * bound, and lists of texts as the calls give them out. */
#ifndef OPENESENT_API_BACKUP_COMMON_H
#define OPENESENT_API_BACKUP_COMMON_H

#include "src/backup/backup.h"
#include "src/instance/instance.h"

/* An instance, as the backup layer asks it. The pointer that goes with it is the struct instance. */
extern const struct backup_services api_backup_services;

/* instance_enter with the context bound. Left with instance_leave. */
JET_ERR api_backup_enter(JET_INSTANCE handle, struct instance **instance);

/* The instance of a legacy call, when the gates of the mode are passed: the call goes on as the one with that
 * handle. */
JET_ERR api_backup_legacy_handle(JET_INSTANCE *handle);

/* Gives a list out in UTF-8: size 0 asks for the size; a buffer that is too small is JET_errBufferTooSmall
 * and leaves the count alone. */
JET_ERR api_backup_list_out(const struct backup_list *list, char *buffer, uint32_t size, uint32_t *actual);

/* Gives a list out in UTF-16, cut to the buffer. The count is what is needed, or (`counts_copied`, with a
 * buffer) what was copied. */
JET_ERR api_backup_list_out_wide(const struct backup_list *list, WCHAR *buffer, uint32_t size,
                                 uint32_t *actual, bool counts_copied);

#endif
