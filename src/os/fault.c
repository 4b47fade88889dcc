/* Counters of fault points. Counting starts with the first use of the public functions, so that a program
 * that never asks for faults does not pay for shared counters. */
#include "src/os/fault.h"

#include "src/os/atomic.h"
#include "src/os/internal.h"
#include "src/os/trace.h"

OS_UNTRACED_BEGIN

struct fault {
    os_atomic_64 count;
    os_atomic_64 failures;
    os_atomic_64 first; /* counts at which to fail: first <= count < end; first 0 = disarmed */
    os_atomic_64 end;
};

static struct fault faults[ESENT_HOST_FAULT_COUNT];
static os_atomic_bool counting;

static const char *const fault_names[ESENT_HOST_FAULT_COUNT] = {
    [ESENT_HOST_FAULT_ALLOCATE] = "alloc", [ESENT_HOST_FAULT_IO] = "io",
    [ESENT_HOST_FAULT_OPEN] = "open",      [ESENT_HOST_FAULT_READ] = "read",
    [ESENT_HOST_FAULT_WRITE] = "write",    [ESENT_HOST_FAULT_SHORT_WRITE] = "short",
    [ESENT_HOST_FAULT_SYNC] = "sync",      [ESENT_HOST_FAULT_DISK_FULL] = "full",
    [ESENT_HOST_FAULT_NAME] = "name",      [ESENT_HOST_FAULT_FLIP] = "flip",
    [ESENT_HOST_FAULT_THREAD] = "thread",  [ESENT_HOST_FAULT_CRASH] = "crash",
};

bool os_fault_point(os_fault_kind kind)
{
    if (!atomic_load_explicit(&counting, memory_order_relaxed))
        return false;
    if (os_thread_self()->fault_suspends != 0)
        return false;
    struct fault *fault = &faults[kind];
    uint64_t count = atomic_fetch_add_explicit(&fault->count, 1, memory_order_relaxed) + 1;
    uint64_t first = os_atomic_load(&fault->first);
    if (first == 0 || count < first || count >= os_atomic_load(&fault->end))
        return false;
    os_atomic_add(&fault->failures, 1);
    return true;
}

bool os_fault_is_counting(void)
{
    return os_atomic_load(&counting);
}

uint64_t os_fault_count(os_fault_kind kind)
{
    return os_atomic_load(&faults[kind].count);
}

void os_fault_suspend(void)
{
    os_thread_self()->fault_suspends++;
}

void os_fault_resume(void)
{
    ASSERT(os_thread_self()->fault_suspends > 0);
    os_thread_self()->fault_suspends--;
}

void os_fault_reset(void)
{
    EsentHostFailNone();
    if (os_atomic_load(&counting))
        EsentHostResetCounters();
    os_atomic_store(&counting, false);
}

void EsentHostFailNth(enum ESENT_HOST_FAULT kind, uint64_t nth, uint64_t times)
{
    if ((unsigned)kind >= ESENT_HOST_FAULT_COUNT)
        return;
    os_atomic_store(&counting, true);
    struct fault *fault = &faults[kind];
    if (nth == 0) {
        os_atomic_store(&fault->first, 0);
        return;
    }
    uint64_t first = os_atomic_load(&fault->count) + nth;
    os_atomic_store(&fault->first, 0);
    os_atomic_store(&fault->end, times == 0 || times > UINT64_MAX - first ? UINT64_MAX : first + times);
    os_atomic_store(&fault->first, first);
}

void EsentHostFailNone(void)
{
    for (int kind = 0; kind < ESENT_HOST_FAULT_COUNT; kind++)
        os_atomic_store(&faults[kind].first, 0);
}

uint64_t EsentHostCountPoints(enum ESENT_HOST_FAULT kind)
{
    os_atomic_store(&counting, true);
    return (unsigned)kind < ESENT_HOST_FAULT_COUNT ? os_atomic_load(&faults[kind].count) : 0;
}

uint64_t EsentHostCountFailures(enum ESENT_HOST_FAULT kind)
{
    return (unsigned)kind < ESENT_HOST_FAULT_COUNT ? os_atomic_load(&faults[kind].failures) : 0;
}

/* Armed faults keep their distance: a counter goes to zero, the count at which it fails moves along. */
void EsentHostResetCounters(void)
{
    os_atomic_store(&counting, true);
    for (int kind = 0; kind < ESENT_HOST_FAULT_COUNT; kind++) {
        struct fault *fault = &faults[kind];
        uint64_t count = os_atomic_exchange(&fault->count, 0);
        uint64_t first = os_atomic_load(&fault->first);
        uint64_t end = os_atomic_load(&fault->end);
        if (first != 0 && end > count + 1) {
            os_atomic_store(&fault->end, end == UINT64_MAX ? end : end - count);
            os_atomic_store(&fault->first, first > count ? first - count : 1);
        } else {
            os_atomic_store(&fault->first, 0);
        }
        os_atomic_store(&fault->failures, 0);
    }
    os_file_reset_counters();
}

const char *EsentHostFaultName(enum ESENT_HOST_FAULT kind)
{
    return (unsigned)kind < ESENT_HOST_FAULT_COUNT ? fault_names[kind] : "";
}

enum ESENT_HOST_FAULT EsentHostFaultFromName(const char *name)
{
    int kind = 0;
    while (kind < ESENT_HOST_FAULT_COUNT && strcmp(fault_names[kind], name) != 0)
        kind++;
    return (enum ESENT_HOST_FAULT)kind;
}

OS_UNTRACED_END
