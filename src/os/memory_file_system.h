/* Files in memory: sparse blocks shared by copies, so that a whole file system is cloned and rewound for next
 * to nothing, and a model of what a crash of the machine keeps.
 *
 * Model of durability (only while tracking is on; else every write is durable at once): a write is kept by
 * sectors of 512 bytes; until the next sync of its file each sector of each write may or may not be on disk,
 * whatever its order. A file's size lies between the synced and the last. Creations, deletions and renames
 * become durable in their order, all of them with the next sync of any file or directory; until then a crash
 * keeps a prefix of them. The contents of a deleted or replaced file come back with its name. */
#ifndef OPENESENT_OS_MEMORY_FILE_SYSTEM_H
#define OPENESENT_OS_MEMORY_FILE_SYSTEM_H

#include "src/os/file_system.h"

struct memory_file_system;

/* A new, empty file system with the root directory "/". Its memory does not count in os/memory.h and survives
 * the death of the process. NULL if the system has no memory. */
struct memory_file_system *memory_file_system_create(void);
void memory_file_system_destroy(struct memory_file_system *files);

/* The table of calls on it. Valid as long as `files`. */
const os_file_system *memory_file_system_calls(struct memory_file_system *files);

/* Removes every file and directory and forgets open handles (they must not be used any more). */
void memory_file_system_clear(struct memory_file_system *files);

/* Closes all handles of a dead process. */
void memory_file_system_close_all(struct memory_file_system *files);

/* A copy that shares all blocks until one side writes. It has no open handles and no unsynced writes of its
 * own: what the original shows at this moment. */
struct memory_file_system *memory_file_system_clone(struct memory_file_system *files);

/* Makes `files` equal to `snapshot` (which stays), as after the death of the process: no open handles. */
JET_ERR memory_file_system_rewind(struct memory_file_system *files, struct memory_file_system *snapshot);

/* Turns the record of unsynced writes on (with the size of a sector, a power of two) or off (0); what is
 * there counts as durable. */
void memory_file_system_track(struct memory_file_system *files, uint32_t sector_size);

/* The machine crashes: computes what survives and closes all handles. See EsentHostMachineCrash for the
 * modes. */
JET_ERR memory_file_system_crash(struct memory_file_system *files, enum ESENT_HOST_CRASH_MODE mode,
                                 uint64_t seed);

/* A clone that keeps unsynced writes too, so that a crash of this very moment can be computed later. NULL
 * without memory. */
struct memory_file_system *memory_file_system_freeze(struct memory_file_system *files);
/* Makes `files` what `frozen` was, without open handles, and destroys `frozen`. */
void memory_file_system_thaw(struct memory_file_system *files, struct memory_file_system *frozen);

/* Limit on the bytes held in blocks (disk size); writes beyond are JET_errDiskFull. 0 = no limit. */
void memory_file_system_set_capacity(struct memory_file_system *files, uint64_t bytes);
uint64_t memory_file_system_used(struct memory_file_system *files);

/* A number over names, sizes and contents of all files: equal trees, equal numbers. */
uint64_t memory_file_system_hash(struct memory_file_system *files);

#endif
