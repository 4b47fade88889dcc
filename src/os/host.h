/* The host: one per process, it says which files, clock, memory, threads the engine uses. Set up through
 * include/esent_host.h; the layers above os ask here. */
#ifndef OPENESENT_OS_HOST_H
#define OPENESENT_OS_HOST_H

#include "include/esent_host.h"
#include "src/os/base.h"
#include "src/os/error.h"

/* The profile in force: what the documentation says, or what the published engine answers. */
enum ESENT_HOST_PROFILE os_host_profile(void);
static inline bool os_host_is_published(void)
{
    return os_host_profile() == ESENT_HOST_PUBLISHED;
}

/* True if one seed decides everything (in-process scheduler). */
bool os_host_is_simulated(void);

/* The instance layer holds the host while an instance exists: settings cannot change then. */
void os_host_hold(void);
void os_host_release(void);

/* Name of the computer as signatures and log headers hold it: at most 15 characters and NUL. Simulated:
 * fixed. */
void os_host_computer_name(char name[16]);

/* Registers what a layer must forget when the process dies: sets its process-wide variables back to those of
 * a new process. Called in the reverse order of registration, with no thread in the engine; must not free
 * memory of os/memory.h (all of it goes by itself), must not touch files. Registering the same function again
 * does nothing. */
void os_host_on_death(void (*forget)(void));

/* The process dies: other simulated threads are dropped where they stand, tasks forgotten, the layers'
 * functions above called, all memory freed, files closed without a flush. In threaded mode no other thread
 * may be in the engine. The caller goes on as the first thread of a new process. */
void os_host_die(void);

#endif
