/* The process behind the instances: its mode, parameters and table, for the other files of this layer and for
 * the parameter calls of the API.
 *
 * Everything here is under one lock (OS_RANK_PROCESS), which is held for lookups and never while anything
 * waits for I/O. Functions named ..._locked need it. */
#ifndef OPENESENT_INSTANCE_PROCESS_H
#define OPENESENT_INSTANCE_PROCESS_H

#include "src/instance/instance.h"

/* Takes the process lock, and sees to it that the process's parameters have their defaults. */
void process_lock(void);
void process_unlock(void);

enum process_mode process_mode_locked(void);
/* Only while there is no instance. */
void process_set_mode_locked(enum process_mode mode);
struct parameters *process_parameters_locked(void);
uint32_t process_instance_count_locked(void);

/* The instance of a handle, NULL if there is none; in one-instance mode the only one, whatever the handle. */
struct instance *process_find_locked(JET_INSTANCE handle);
/* The one instance of one-instance mode, NULL in other modes. */
struct instance *process_only_instance_locked(void);

/* Calls visit for each instance; it must not take the process lock. */
void process_visit_locked(void (*visit)(struct instance *instance, void *context), void *context);

/* JetInit* without an instance: `handle_wanted` says whether the caller can be told the handle.
 * JET_errRunningInMultiInstanceMode if not and the mode is multi-instance, JET_errAlreadyInitialized if the
 * one instance exists, JET_errInstanceNameInUse... as instance_create. */
JET_ERR instance_create_for_init(bool handle_wanted, JET_INSTANCE *handle);
/* JetRestoreInstance without an instance. */
JET_ERR instance_create_for_restore(const char *name, JET_INSTANCE *handle);

/* Parts that live as long as the instance itself (parts.c). */
JET_ERR instance_parts_make(struct instance *instance);
void instance_parts_free(struct instance *instance);

#endif
