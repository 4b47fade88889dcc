/* What the files of src/os share among themselves; nobody else includes this. */
#ifndef OPENESENT_OS_INTERNAL_H
#define OPENESENT_OS_INTERNAL_H

#include <pthread.h>
#include <setjmp.h>

#include "src/os/atomic.h"
#include "src/os/carrier.h"
#include "src/os/file_system.h"
#include "src/os/host.h"
#include "src/os/lock.h"
#include "src/os/memory_file_system.h"
#include "src/os/path.h"
#include "src/os/random.h"
#include "src/os/thread.h"
#include "src/os/trace.h"

/* ---- the host's settings; written only while nobody is in the engine */
struct os_host_state {
    enum ESENT_HOST_PROFILE profile;
    bool simulated;       /* one thread at a time, scheduler.c decides */
    bool simulated_clock; /* clock.c counts instead of asking the system */
    bool seeded;          /* random.c counts instead of asking the system */
    bool allocator_set;
    uint32_t world; /* number of the simulated process: grows when one dies */
    uint32_t holders;
    const os_file_system *files;              /* NULL = POSIX */
    struct memory_file_system *memory_files;  /* NULL until used */
    struct memory_file_system *frozen;        /* the disk at the crash point, if one was reached */
    struct memory_file_system *snapshots[16]; /* EsentHostFilesSave */
    char directory[OS_PATH_SIZE];             /* empty = the file system's own */
    struct ESENT_HOST_ALLOCATOR allocator;
};
extern struct os_host_state os_host;
bool os_memory_files_in_use(void);

/* Memory of the host itself: not counted, no fault point, survives the death of the process. */
void *os_host_allocate(size_t size); /* zero-filled */
void *os_host_reallocate(void *block, size_t size);
void os_host_free(void *block);

/* ---- threads */
#define OS_HELD_MAX 64u

enum os_thread_state { OS_THREAD_RUNNABLE, OS_THREAD_WAITING, OS_THREAD_FINISHED };

struct os_held_lock {
    const void *lock;
    enum os_lock_rank rank;
    enum os_lock_rank most; /* the greatest of this one's rank and those in front */
};

struct os_thread {
    struct os_thread *next; /* simulation: all threads, by number */
    uint64_t id;
    pthread_t native;
    void (*function)(void *context);
    void *context;
    void *data;      /* EsentHostThreadData */
    uint32_t number; /* simulation: 0 = first */
    /* simulation */
    struct os_carrier carrier;
    struct os_thread_costs costs; /* while it is not its turn, if a stack carries it */
    enum os_thread_state state;
    const void *waiting_for;
    const char *waiting_kind;
    bool has_deadline;
    bool timed_out;
    bool doomed; /* leaves its function at the next chance */
    bool gone;   /* it has left, and its carrier is freed */
    uint64_t deadline;
    uint64_t priority;
    jmp_buf death;
    /* lock order */
    uint32_t held_count;
    uint32_t task_depth;     /* background tasks this thread is in */
    uint32_t fault_suspends; /* os_fault_suspend */
    struct os_held_lock held[OS_HELD_MAX];
};

/* NULL in a thread that was not made here and has not asked yet. */
extern _Thread_local struct os_thread *os_thread_current __attribute__((tls_model("initial-exec")));
struct os_thread *os_thread_register(void);

static inline __attribute__((always_inline)) struct os_thread *os_thread_self(void)
{
    struct os_thread *self = os_thread_current;
    return self != NULL ? self : os_thread_register();
}

void os_thread_set_self(struct os_thread *thread);

/* ---- scheduler.c: all of these only while os_host.simulated */
JET_ERR os_scheduler_start(const struct ESENT_HOST_SIMULATION *simulation);
void os_scheduler_stop(void);    /* all threads but the first must have ended */
void os_scheduler_restart(void); /* seeds as at the start */
void os_scheduler_kill_others(void);
JET_ERR os_scheduler_create(struct os_thread *thread);
void os_scheduler_join(struct os_thread *thread);
void os_scheduler_point_slow(bool yield); /* os_scheduler_point */
/* Waits for os_scheduler_wake(object); false if the deadline (in ticks) came first. */
bool os_scheduler_block(const void *object, const char *kind, bool has_deadline, uint64_t deadline);
void os_scheduler_wake_slow(const void *object, bool one); /* os_scheduler_wake */
/* A recorded choice about background work: 0 <= result < count; 0 if nothing random is wanted. */
uint32_t os_scheduler_choose(uint32_t count);
bool os_scheduler_has_background_thread(void);
void os_scheduler_kick_background(void);
void os_scheduler_clock_moved(void);
void os_scheduler_counters(struct ESENT_HOST_COUNTERS *counters);

/* The part of the scheduler that every lock and every point looks at; only the thread whose turn it is does.
 */
struct os_simulation {
    struct os_thread *running;
    uint64_t points;
    uint64_t change_at; /* the point at which the next drop of a priority is due */
    uint32_t runnable;  /* threads in OS_THREAD_RUNNABLE, the running one included */
    uint32_t threads;
};
extern struct os_simulation os_sim;

OS_UNTRACED_BEGIN

/* One point of a simulation. `yield`: others go first. */
static inline void os_scheduler_point(bool yield)
{
    os_sim.points++;
    if (os_sim.runnable != 1 || os_sim.points >= os_sim.change_at)
        os_scheduler_point_slow(yield);
}

static inline void os_scheduler_wake(const void *object, bool one)
{
    if (os_sim.threads > 1)
        os_scheduler_wake_slow(object, one);
}

OS_UNTRACED_END

/* A scheduling point. */
static inline void os_point(void)
{
    if (os_host.simulated)
        os_scheduler_point(false);
}

/* ---- executor.c */
bool os_executor_next_due(uint64_t *due);
uint32_t os_executor_run_due(void);
void os_executor_forget(void);

/* ---- clock.c */
void os_clock_simulate(int64_t start);
void os_clock_real(void);
void os_clock_advance(uint64_t milliseconds);
void os_clock_rewind(void);

/* ---- random.c */
void os_random_host_seed(uint64_t seed);
void os_random_host_rewind(void);

/* ---- fault.c */
void os_fault_reset(void);
bool os_fault_is_counting(void);

/* ---- file.c */
void os_file_close_all(void);
size_t os_file_open_count(void);
void os_file_visit_open(void (*visit)(void *context, const char *path), void *context);
void os_file_counters(struct ESENT_HOST_COUNTERS *counters);
void os_file_reset_counters(void);

/* ---- memory.c */
void os_memory_reset_peak(void);

/* ---- Windows' rule of sharing, for both kinds of files: may a second open coexist with a first? */
bool os_share_compatible(bool first_writes, enum ESENT_HOST_SHARE first_share, bool second_writes,
                         enum ESENT_HOST_SHARE second_share);

#endif
