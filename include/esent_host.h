/* esent_host.h: choose what the engine stands on, and test with it.
 *
 * esent.h is Windows' API. This header is OpenESENT's own: which behaviour (profile), which files, memory,
 * clock, random numbers and threads the engine uses, which operations fail, when the process dies, and what a
 * database file holds.
 *
 * A program that calls none of these gets: the documented profile, the operating system's files, memory,
 * clock, random numbers, and real threads.
 *
 * Settings may change only while no instance exists (else JET_errAlreadyInitialized), from one thread.
 * Functions answer JET_errSuccess or an error code of esent.h. Texts are UTF-8; sizes are bytes; times are
 * milliseconds. Pointers to texts and tables handed in must stay valid only for the call, unless said
 * otherwise. */
#ifndef OPENESENT_ESENT_HOST_H
#define OPENESENT_ESENT_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "esent.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------- Profile */

enum ESENT_HOST_PROFILE {
    ESENT_HOST_DOCUMENTED, /* what the public documentation says */
    ESENT_HOST_PUBLISHED,  /* what Microsoft's published engine answers, where the two differ */
};

JET_ERR EsentHostSetProfile(enum ESENT_HOST_PROFILE profile);
enum ESENT_HOST_PROFILE EsentHostGetProfile(void);

/* ------------------------------------------------------------------------------------------------ Files */

/* A program's own file system. Calls may come from several threads at once, and answer (negative numbers):
 * JET_errFileNotFound (no such file), JET_errInvalidPath (no such directory), JET_errFileAlreadyExists,
 * JET_errFileAccessDenied, JET_errDiskFull, JET_errOutOfFileHandles, JET_errOutOfMemory, JET_errDiskIO. */

enum ESENT_HOST_OPEN_MODE {
    ESENT_HOST_OPEN_READ,      /* existing file, read only */
    ESENT_HOST_OPEN_WRITE,     /* existing file, read and write */
    ESENT_HOST_CREATE_NEW,     /* must not exist */
    ESENT_HOST_CREATE_ALWAYS,  /* emptied if it exists */
    ESENT_HOST_OPEN_OR_CREATE, /* created empty if it does not exist */
};

enum ESENT_HOST_SHARE {
    ESENT_HOST_SHARE_NONE,       /* nobody else may have it open */
    ESENT_HOST_SHARE_READ,       /* others may read */
    ESENT_HOST_SHARE_READ_WRITE, /* others may read and write */
};

struct ESENT_HOST_FILE_INFO {
    uint64_t size;     /* bytes; 0 for directories */
    uint8_t directory; /* 1 = a directory */
    uint8_t read_only; /* 1 = writing is refused */
};

/* Gets each entry of a directory; stop at an error it answers and answer that. */
typedef JET_ERR (*ESENT_HOST_LIST_CALLBACK)(void *callback_context, const char *name,
                                            const struct ESENT_HOST_FILE_INFO *info);

struct ESENT_HOST_FILE_SYSTEM {
    uint32_t size;      /* sizeof(struct ESENT_HOST_FILE_SYSTEM) */
    uint8_t concurrent; /* reserved, 0 */
    uint8_t reserved[3];
    void *context; /* first argument of each call */
    /* All paths are absolute, with '/' between names, without "." and "..", without a '/' at the end.
     * `*handle` belongs to the engine until `close`. */
    JET_ERR(*open)
    (void *context, const char *path, enum ESENT_HOST_OPEN_MODE mode, enum ESENT_HOST_SHARE share,
     void **handle);
    void (*close)(void *context, void *handle);
    /* Up to `size` bytes; fewer only at the end of the file. */
    JET_ERR (*read)(void *context, void *handle, uint64_t offset, void *buffer, size_t size, size_t *done);
    /* All `size` bytes, or an error; then any part may be written. Extends the file; a gap reads as zero. */
    JET_ERR (*write)(void *context, void *handle, uint64_t offset, const void *buffer, size_t size);
    JET_ERR (*sync)(void *context, void *handle);
    JET_ERR (*get_size)(void *context, void *handle, uint64_t *size);
    JET_ERR (*set_size)(void *context, void *handle, uint64_t size);
    JET_ERR (*info)(void *context, const char *path, struct ESENT_HOST_FILE_INFO *info);
    JET_ERR (*set_read_only)(void *context, const char *path, int read_only);
    JET_ERR (*remove)(void *context, const char *path); /* a file */
    JET_ERR (*rename)(void *context, const char *from, const char *to, int replace);
    JET_ERR (*create_directory)(void *context, const char *path);
    JET_ERR (*remove_directory)(void *context, const char *path); /* an empty one */
    JET_ERR (*sync_directory)(void *context, const char *path);
    JET_ERR(*list)
    (void *context, const char *path, ESENT_HOST_LIST_CALLBACK callback, void *callback_context);
    JET_ERR (*free_space)(void *context, const char *path, uint64_t *bytes);
    /* The directory that relative paths start from, absolute. */
    JET_ERR (*current_directory)(void *context, char *path, size_t size);
};

/* The operating system's files (default). */
JET_ERR EsentHostUsePosixFiles(void);

/* Files in memory, empty at first, shared by the whole process; the same ones if used already. The current
 * directory is
 * "/" (see EsentHostSetDirectory). */
JET_ERR EsentHostUseMemoryFiles(void);
/* Frees them, and all that was kept for them; if they were in use, the operating system's are from then on. Not
 * while a file is open, which EsentHostReset sees to. */
JET_ERR EsentHostForgetMemoryFiles(void);

/* The program's own; the table and its context must stay valid until another choice. */
JET_ERR EsentHostUseFileSystem(const struct ESENT_HOST_FILE_SYSTEM *calls);

/* The directory that relative paths start from, for any kind of files; NULL = the kind's own. It need not
 * exist. */
JET_ERR EsentHostSetDirectory(const char *path);

/* The chosen files as a program sees them (paths as the engine takes them; '/' or '\'). Nothing here passes a
 * fault point. */
JET_ERR EsentHostFileRead(const char *path, uint64_t offset, void *buffer, size_t size, size_t *done);
/* Creates the file if needed. */
JET_ERR EsentHostFileWrite(const char *path, uint64_t offset, const void *buffer, size_t size);
JET_ERR EsentHostFileInfo(const char *path, struct ESENT_HOST_FILE_INFO *info);
JET_ERR EsentHostFileSetSize(const char *path, uint64_t size);
/* XORs the byte at `offset` with `mask`; beyond the end JET_errFileIOBeyondEOF. */
JET_ERR EsentHostFileCorrupt(const char *path, uint64_t offset, uint8_t mask);
JET_ERR EsentHostFileCopy(const char *from, const char *to);   /* replaces */
JET_ERR EsentHostFileRename(const char *from, const char *to); /* replaces */
JET_ERR EsentHostFileDelete(const char *path);
JET_ERR EsentHostDirectoryCreate(const char *path);               /* with its parents; existing is success */
JET_ERR EsentHostDirectoryCopy(const char *from, const char *to); /* all below, not into itself; replaces */
JET_ERR EsentHostDirectoryDelete(const char *path);               /* all below */
/* In byte order of the names. */
JET_ERR EsentHostDirectoryList(const char *path, ESENT_HOST_LIST_CALLBACK callback, void *context);

/* Files in memory only (else JET_errFeatureNotAvailable): */

/* Keeps the present state of all files; costs next to nothing. One snapshot a number (0-15); taking it again
 * replaces. */
JET_ERR EsentHostFilesSave(uint32_t number);
/* Goes back to it. No handles may be open: call it when no instance exists. */
JET_ERR EsentHostFilesRestore(uint32_t number);
/* Bytes the disk holds; beyond that JET_errDiskFull. 0 = no limit. */
JET_ERR EsentHostFilesSetCapacity(uint64_t bytes);
/* A number over names, sizes and contents of all files. */
uint64_t EsentHostFilesHash(void);

/* ----------------------------------------------------------------------------------------------- Memory */

struct ESENT_HOST_ALLOCATOR {
    void *context;
    /* Aligned to `alignment` (a power of two, at least 16). NULL on failure. */
    void *(*allocate)(void *context, size_t size, size_t alignment);
    void (*free)(void *context, void *block);
};

/* NULL = the C library's. Copied. Only while the engine holds no memory. */
JET_ERR EsentHostSetAllocator(const struct ESENT_HOST_ALLOCATOR *allocator);

/* ------------------------------------------------------------------------------------ Time and randomness */

/* Simulated time starting at `milliseconds` since 1970-01-01 UTC: moves only by sleeping and waiting.
 * Negative = the real clock. */
JET_ERR EsentHostSetClock(int64_t milliseconds);

/* Milliseconds since 1970-01-01 UTC, by the chosen clock. */
int64_t EsentHostGetClock(void);

/* Moves the simulated clock on. */
void EsentHostAdvanceClock(uint32_t milliseconds);

/* All random numbers come from this seed. 0 = from the operating system. */
JET_ERR EsentHostSetRandomSeed(uint64_t seed);

/* ---------------------------------------------------------------------------------------------- Threads */

/* Real threads (default). */
JET_ERR EsentHostUseThreads(void);

/* How a simulated run picks the thread that goes on. */
enum ESENT_HOST_SCHEDULER {
    ESENT_HOST_SCHEDULE_FIFO,     /* the running thread goes on until it must wait; then the lowest number */
    ESENT_HOST_SCHEDULE_RANDOM,   /* any runnable thread at each point */
    ESENT_HOST_SCHEDULE_PRIORITY, /* random priorities, lowered at a few random points: finds bugs of small
                                     depth */
};

struct ESENT_HOST_SIMULATION {
    uint64_t seed;                       /* of schedule, random numbers; 0 is a seed like another */
    int64_t clock;                       /* start, milliseconds since 1970; 0 = a fixed date */
    enum ESENT_HOST_SCHEDULER scheduler; /* what decides after `choices` */
    uint32_t priority_changes;  /* SCHEDULE_PRIORITY: how many points lower the running thread; 0 = 3 */
    uint32_t expected_points;   /* SCHEDULE_PRIORITY: among about how many points; 0 = 10,000 */
    uint32_t maximum_points;    /* the run is reported as a livelock after these; 0 = 100 million */
    uint32_t background_thread; /* 0 = background work runs at chosen points on the caller's thread; 1 = on a
                                   simulated thread of its own */
    const uint8_t *choices; /* an explicit schedule: each byte, modulo the number of runnable threads, picks
                               one at a point where more than one can run (0 = the running one). From
                               ESENT_HOST_CHOICE_THREAD on: the thread of this number (the first is 0), if it can
                               run, else what `scheduler` decides. From
                               ESENT_HOST_CHOICE_RELATIVE on: 0xFF what `scheduler` decides, 0xFE the next thread
                               after that one, 0xFD the one after the next... */
    size_t choices_size;
};

#define ESENT_HOST_CHOICE_THREAD 0xA0u
#define ESENT_HOST_CHOICE_RELATIVE 0xC0u
/* This bit is set in the choices that are about background work (run it now or not), not about threads. */
#define ESENT_HOST_CHOICE_BACKGROUND 0x80u

/* One thread at a time, chosen by the simulation; background work runs at chosen points on the caller's
 * thread; the calling thread is the simulation's first. Also sets clock and random seed. `choices` are
 * copied. */
JET_ERR EsentHostUseSimulation(const struct ESENT_HOST_SIMULATION *simulation);

/* The choices made so far, to run the same schedule again: copies up to `size`, answers how many there are.
 */
size_t EsentHostGetSchedule(uint8_t *choices, size_t size);

/* In the middle of a simulation: the explicit schedule from now on, as in ESENT_HOST_SIMULATION, with the
 * bytes of the choices made so far in front. Not copied: it must stay until the simulation's end. */
void EsentHostSetChoices(const uint8_t *choices, size_t size);

/* A turn of a simulated thread ends, because another one's begins or could begin. */
struct ESENT_HOST_TURN {
    size_t choice;         /* number of the choice, as in EsentHostGetSchedule; SIZE_MAX: there was none */
    uint32_t thread;       /* whose turn is next (0 = the first thread) */
    uint8_t free_to_go_on; /* 1: the thread could have gone on and did not ask for others to go first; another
                              one's turn is then a pre-emption */
};

enum ESENT_HOST_LOCK_EVENT {
    ESENT_HOST_LOCK_TAKEN,        /* for itself alone */
    ESENT_HOST_LOCK_LEFT,         /* what was taken so */
    ESENT_HOST_LOCK_TAKEN_SHARED, /* together with other readers */
    ESENT_HOST_LOCK_LEFT_SHARED,
    ESENT_HOST_LOCK_REFUSED, /* it was asked for and is not to be had */
    ESENT_HOST_LOCK_CHANGED, /* anything else: from shared to alone and back, threads wait for it or are woken
                              */
};

/* Watches a simulation; members may be NULL. `lock` and `freed` are called only in libraries built with
 * ESENT_TRACE, whose memory accesses are told by the compiler (-fsanitize=thread). */
struct ESENT_HOST_TRACE {
    void *context;
    void (*turn)(void *context, const struct ESENT_HOST_TURN *turn);
    void (*lock)(void *context, const void *lock, enum ESENT_HOST_LOCK_EVENT event);
    void (*freed)(void *context, const void *block, size_t size);
};

/* NULL: none. Answers 1 if locks are told. */
int EsentHostSetTrace(const struct ESENT_HOST_TRACE *trace);

/* Threads of the program itself, real or simulated as chosen. Join exactly once. */
struct ESENT_HOST_THREAD;
JET_ERR EsentHostThreadStart(void (*function)(void *context), void *context,
                             struct ESENT_HOST_THREAD **thread);
void EsentHostThreadJoin(struct ESENT_HOST_THREAD *thread);
/* The place of one pointer of the program's own for the calling thread; NULL when the thread begins. (Threads
 * of a simulation share what the compiler takes for thread-local.) */
void **EsentHostThreadData(void);
/* For a host that copies all memory of the engine and of the simulated process (between two calls, while no
 * other thread lives), and later puts it back: call the one before the copy is made, the other when it is
 * back. They take care of what belongs to a thread of the system. Variables in the section esent_not_copied are left as
 * they are. EsentHostMemoryIsCopied answers 0 if another thread lives, whose stack such a copy would lack, or if this is
 * no simulation; then it must not be used. */
int EsentHostMemoryIsCopied(void);
void EsentHostMemoryIsBack(void);
void EsentHostYield(void);
/* Sleeps by the chosen clock. */
void EsentHostSleep(uint32_t milliseconds);
/* Runs background work that is due, on this thread; answers how many tasks ran. */
uint32_t EsentHostRunBackground(void);

/* Called instead of aborting when a simulation can go no further: all threads wait (deadlock) or
 * maximum_points passed (livelock). `report` says who waits for what. It must not return. NULL = print and
 * abort. */
void EsentHostSetStuckHandler(void (*handler)(const char *report));

/* ----------------------------------------------------------------------------------------------- Faults */

enum ESENT_HOST_FAULT {
    ESENT_HOST_FAULT_ALLOCATE,    /* allocation answers JET_errOutOfMemory */
    ESENT_HOST_FAULT_IO,          /* any file operation: open, read, write, sync, size, name: JET_errDiskIO */
    ESENT_HOST_FAULT_OPEN,        /* open or create: JET_errFileAccessDenied */
    ESENT_HOST_FAULT_READ,        /* JET_errDiskIO */
    ESENT_HOST_FAULT_WRITE,       /* JET_errDiskIO, nothing written */
    ESENT_HOST_FAULT_SHORT_WRITE, /* JET_errDiskIO, a part (multiple of 512 bytes) is written */
    ESENT_HOST_FAULT_SYNC,        /* JET_errDiskIO */
    ESENT_HOST_FAULT_DISK_FULL,   /* a write or growth: JET_errDiskFull */
    ESENT_HOST_FAULT_NAME,        /* delete, rename, directory, attributes: JET_errFileAccessDenied */
    ESENT_HOST_FAULT_FLIP,        /* a read succeeds with one bit flipped */
    ESENT_HOST_FAULT_THREAD,      /* a thread cannot start: JET_errOutOfThreads */
    ESENT_HOST_FAULT_CRASH, /* the disk stays as it is before this write, sync, size or name operation: see
                               EsentHostCrashPointReached */
    ESENT_HOST_FAULT_COUNT
};

/* Makes the `nth` operation of this kind from now fail (1 = the next), and the `times` - 1 after it (0 = all
 * after it, until disarmed). nth 0 disarms. May be called at any time. */
void EsentHostFailNth(enum ESENT_HOST_FAULT kind, uint64_t nth, uint64_t times);
/* Disarms all kinds. */
void EsentHostFailNone(void);
/* Operations of this kind since the last EsentHostResetCounters. Counting costs time, so it begins with the first
 * call about faults or counters, and ends with EsentHostReset. */
uint64_t EsentHostCountPoints(enum ESENT_HOST_FAULT kind);
/* How many operations were made to fail since then. */
uint64_t EsentHostCountFailures(enum ESENT_HOST_FAULT kind);
void EsentHostResetCounters(void);
/* A fault's name in programs ("alloc", "io", "open", "read", "write", "short", "sync", "full", "name",
 * "flip", "thread", "crash"), and back (ESENT_HOST_FAULT_COUNT if there is none). */
const char *EsentHostFaultName(enum ESENT_HOST_FAULT kind);
enum ESENT_HOST_FAULT EsentHostFaultFromName(const char *name);

/* ---------------------------------------------------------------------------------------------- Crashes */

/* The process dies here: all instances, sessions, handles are gone, all memory is freed, nothing is flushed
 * or closed properly; what was written is in the files. The caller is the first thread of a new process. In
 * threaded mode no other thread may be in the engine. If an armed crash point was reached, the files are as
 * they were at that point. */
void EsentHostCrash(void);

/* What the machine's crash does to writes that no sync made durable (files in memory, with tracking on). */
enum ESENT_HOST_CRASH_MODE {
    ESENT_HOST_CRASH_KEEP_ALL,    /* everything reached the disk (as if only the process died) */
    ESENT_HOST_CRASH_LOSE_ALL,    /* nothing did */
    ESENT_HOST_CRASH_REORDER,     /* each write did or did not, whole */
    ESENT_HOST_CRASH_TEAR,        /* each sector of each write did or did not */
    ESENT_HOST_CRASH_PREFIX_TEAR, /* the writes of each file up to one did; that one by sectors */
};

/* Records writes until they are synced, so that a machine's crash can lose them. Costs memory and time. 0 =
 * off, 1 = on with sectors of 512 bytes, else the size of a sector (a power of two): what is never torn. */
JET_ERR EsentHostTrackWrites(int sector_size);

/* EsentHostCrash, and the disk loses by `mode` and `seed` (same seed, same disk). */
JET_ERR EsentHostMachineCrash(enum ESENT_HOST_CRASH_MODE mode, uint64_t seed);

/* 1 if a crash point armed by EsentHostFailNth(ESENT_HOST_FAULT_CRASH, n, 1) was reached: the engine ran on,
 * but the next EsentHostCrash or EsentHostMachineCrash takes the disk as it was just before that operation.
 * Needs files in memory. */
int EsentHostCrashPointReached(void);

/* ------------------------------------------------------------------------------------------- The whole world
 */

struct ESENT_HOST_COUNTERS {
    uint64_t live_blocks; /* engine's memory blocks */
    uint64_t live_bytes;
    uint64_t peak_bytes;
    uint64_t open_files;
    uint64_t reads, writes, syncs; /* since EsentHostResetCounters */
    uint64_t read_bytes, written_bytes;
    uint64_t points;   /* scheduling points of the simulation */
    uint64_t switches; /* times it went to another thread */
};
void EsentHostGetCounters(struct ESENT_HOST_COUNTERS *counters);

/* Ends everything: as EsentHostCrash, then files in memory emptied and snapshots dropped, faults disarmed,
 * counters zero, simulation seeds as at the start. Settings stay. Answers the number of memory blocks and
 * open files that were still held: 0 if all instances had ended properly and nothing leaked. `report` (may be
 * NULL) gets a line for each of the first few, cut to `size`. */
size_t EsentHostReset(char *report, size_t size);

/* Calls `visit` for each memory block the engine holds; `site` says where it was allocated. */
void EsentHostVisitMemory(void (*visit)(void *context, const void *block, size_t size, const char *site),
                          void *context);

/* -------------------------------------------------------------------------------------------- The checker */

/* A finding in a database file. */
struct ESENT_HOST_FINDING {
    const char *kind; /* "header", "checksum", "tree", "space", "record", "long value", "catalog", … */
    uint32_t page;    /* page number, 0 = none */
    uint32_t object;  /* root page of the tree, 0 = none */
    const char *text; /* what is wrong, a sentence */
    int warning; /* 1 = a crash or the format allows it (lost space, for instance); does not count as corrupt
                  */
};

typedef void (*ESENT_HOST_CHECK_CALLBACK)(void *context, const struct ESENT_HOST_FINDING *finding);

/* Walks a database file that no instance has attached and checks every invariant: header, page checksums,
 * trees, space, catalog, records, indexes, long values. Calls back for each finding (callback may be NULL).
 * JET_errSuccess if there is none, JET_errDatabaseCorrupted if there are some, else what kept it from reading
 * (JET_errFileNotFound, JET_errOutOfMemory…). A dirty database (shut down badly) is checked too, and answers
 * JET_errDatabaseDirtyShutdown if nothing else is wrong. */
JET_ERR EsentHostCheckDatabase(const char *path, ESENT_HOST_CHECK_CALLBACK callback, void *context);

#ifdef __cplusplus
}
#endif

#endif
