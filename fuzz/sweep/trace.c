#include "fuzz/sweep/trace.h"

#include <stdlib.h>
#include <string.h>

#include "include/esent_host.h"

#if defined(ESENT_TRACE)
#pragma clang attribute push(__attribute__((disable_sanitizer_instrumentation)), apply_to = function)
#endif

#define STEPS_MAX (64 * 1024)
#define FILTER 4096 /* a power of two */
#define HELD_MAX 64
#define LOCKS (UINT64_C(1) << 62) /* keys of locks, apart from those of memory */
#define GRANULE_BITS 3

/* Locks that were taken in this step and not left yet. */
struct held {
    const void *lock;
    bool shared;
};

static struct {
    struct trace *trace; /* NULL: nothing is watched */
    bool keeping;        /* from the wanted choice on */
    bool touching;       /* what is touched, too */
    bool whole;          /* and not only in the first turn */
    uint32_t from;
    uint64_t wanted_prefix;
    uint32_t other_than;
    uint64_t prefix;
    struct trace_step *step;
    struct held held[HELD_MAX];
    size_t held_count;
    struct {
        uint64_t key;
        size_t step; /* the number of the step that touched it last, from 1 on */
        bool changes;
    } filter[FILTER];
} watch;

#define NO_TURNS UINT64_C(14695981039346656037)

struct trace *trace_in(void *memory, size_t size)
{
    struct trace *trace = memory;
    *trace = (struct trace){.step_room = STEPS_MAX};
    trace->steps = (struct trace_step *)(void *)(trace + 1);
    trace->accesses = (struct trace_access *)(void *)(trace->steps + STEPS_MAX);
    const size_t used = (size_t)((char *)trace->accesses - (char *)memory);
    if (used >= size)
        abort();
    trace->access_room = (size - used) / sizeof *trace->accesses;
    return trace;
}

void *trace_end(const struct trace *trace)
{
    return trace->accesses + trace->access_count;
}

static void add(uint64_t first, uint64_t count, bool changes)
{
    struct trace *trace = watch.trace;
    if (count == 1) {
        const size_t at = (first ^ first >> 12) % FILTER;
        if (watch.filter[at].key == first && watch.filter[at].step == trace->step_count &&
            watch.filter[at].changes >= changes)
            return;
        watch.filter[at].key = first;
        watch.filter[at].step = trace->step_count;
        watch.filter[at].changes = changes;
    }
    if (trace->access_count == trace->access_room) {
        trace->overflowed = true;
        return;
    }
    trace->accesses[trace->access_count++] =
        (struct trace_access){first, count > UINT32_MAX ? UINT32_MAX : (uint32_t)count, changes};
    watch.step->count++;
}

void trace_touch(const volatile void *address, size_t size, bool changes)
{
    if (!watch.touching || size == 0)
        return;
    const uint64_t first = (uint64_t)(uintptr_t)address >> GRANULE_BITS;
    const uint64_t last = ((uint64_t)(uintptr_t)address + size - 1) >> GRANULE_BITS;
    add(first, last - first + 1, changes);
}

static void touch_lock(const void *lock, bool of_readers, bool changes)
{
    const uint64_t key = (uint64_t)(uintptr_t)lock >> GRANULE_BITS;
    add((key << 1 | of_readers) | LOCKS, 1, changes);
}

/* ---- steps */

static void begin_step(uint32_t thread)
{
    struct trace *trace = watch.trace;
    if (trace->step_count == trace->step_room)
        trace->overflowed = true;
    else
        trace->step_count++;
    watch.step = &trace->steps[trace->step_count - 1];
    *watch.step = (struct trace_step){
        .thread = thread, .choice = TRACE_NONE, .next = thread, .first = trace->access_count};
}

/* What a step has taken and not left is closed to others at its end. */
static void end_step(void)
{
    for (size_t i = 0; i < watch.held_count; i++)
        touch_lock(watch.held[i].lock, watch.held[i].shared, true);
    watch.held_count = 0;
}

static uint64_t mix(uint64_t number, uint64_t value)
{
    return (number ^ value) * UINT64_C(1099511628211) ^ number >> 29;
}

static void turn(void *context, const struct ESENT_HOST_TURN *what)
{
    (void)context;
    const bool chosen = what->choice != SIZE_MAX;
    const uint64_t before = watch.prefix;
    watch.prefix = mix(mix(before, chosen ? what->choice : UINT64_C(1) << 40), what->thread);
    if (!watch.keeping && chosen && what->choice == watch.from) {
        watch.trace->strayed = before != watch.wanted_prefix || what->thread == watch.other_than;
        watch.keeping = watch.touching = true;
        begin_step(what->thread);
        return;
    }
    if (!watch.keeping)
        return;
    end_step();
    watch.step->choice = chosen ? (uint32_t)what->choice : TRACE_NONE;
    watch.step->next = what->thread;
    watch.step->free_to_go_on = what->free_to_go_on != 0;
    watch.step->prefix = before;
    watch.touching = watch.touching && (watch.whole || what->thread == watch.step->thread);
    begin_step(what->thread);
}

/* ---- locks: taken and left again within a step, a lock is as it was; only that it was free was seen */

static bool drop_held(const void *lock, bool shared)
{
    for (size_t i = watch.held_count; i > 0; i--) {
        if (watch.held[i - 1].lock == lock && watch.held[i - 1].shared == shared) {
            watch.held[i - 1] = watch.held[--watch.held_count];
            return true;
        }
    }
    return false;
}

static void hold(const void *lock, bool shared)
{
    if (watch.held_count < HELD_MAX)
        watch.held[watch.held_count++] = (struct held){lock, shared};
    else
        watch.trace->overflowed = true;
}

static void see_lock(void *context, const void *lock, enum ESENT_HOST_LOCK_EVENT event)
{
    (void)context;
    if (!watch.touching)
        return;
    const bool shared = event == ESENT_HOST_LOCK_TAKEN_SHARED || event == ESENT_HOST_LOCK_LEFT_SHARED;
    touch_lock(lock, false, false);
    if (!shared)
        touch_lock(lock, true, false);
    switch (event) {
    case ESENT_HOST_LOCK_TAKEN:
    case ESENT_HOST_LOCK_TAKEN_SHARED:
        hold(lock, shared);
        break;
    case ESENT_HOST_LOCK_LEFT:
    case ESENT_HOST_LOCK_LEFT_SHARED:
        if (!drop_held(lock, shared))
            touch_lock(lock, shared, true);
        break;
    case ESENT_HOST_LOCK_REFUSED:
        break;
    default:
        touch_lock(lock, false, true);
        touch_lock(lock, true, true);
    }
}

static void see_freed(void *context, const void *block, size_t size)
{
    (void)context;
    trace_touch(block, size, true);
}

void trace_begin(struct trace *trace, uint32_t from, uint64_t prefix, uint32_t next, bool whole)
{
    const struct ESENT_HOST_TRACE host = {.turn = turn, .lock = see_lock, .freed = see_freed};
    watch.trace = trace;
    watch.keeping = watch.touching = from == TRACE_NONE;
    watch.whole = whole;
    watch.from = from;
    watch.wanted_prefix = prefix;
    watch.other_than = next;
    watch.prefix = NO_TURNS;
    watch.held_count = 0;
    trace->strayed = from != TRACE_NONE;
    trace->known = EsentHostSetTrace(&host) != 0;
    if (watch.keeping)
        begin_step(0);
}

void trace_stop(void)
{
    if (watch.keeping)
        end_step();
    watch.keeping = watch.touching = false;
    watch.trace = NULL;
    EsentHostSetTrace(NULL);
}

/* ---- sets */

static struct trace_slot *slot_of(const struct trace_set *set, uint64_t key)
{
    size_t at = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (set->room - 1);
    while (set->slots[at].key != 0 && set->slots[at].key != key)
        at = (at + 1) & (set->room - 1);
    return &set->slots[at];
}

static void put(struct trace_set *set, const struct trace_access *access)
{
    for (uint32_t i = 0; i < access->count && !set->open; i++) {
        struct trace_slot *slot = slot_of(set, access->first + i);
        if (slot->key == 0 && ++set->count > set->room / 2)
            set->open = true;
        slot->key = access->first + i;
        slot->changes = slot->changes || access->changes != 0;
    }
}

/* Makes the set of the steps from `from` on, before `end`. */
static void set_of_steps(struct trace_set *set, const struct trace *trace, size_t from, size_t end)
{
    size_t accesses = 0;
    for (size_t at = from; at < end; at++) {
        for (size_t i = 0; i < trace->steps[at].count; i++)
            accesses += trace->accesses[trace->steps[at].first + i].count;
    }
    set->room = 64;
    while (set->room < accesses * 2 + 2)
        set->room *= 2;
    if (set->room > TRACE_SET_SLOTS) {
        set->open = true;
        return;
    }
    memset(set->slots, 0, set->room * sizeof *set->slots);
    for (size_t at = from; at < end; at++) {
        for (size_t i = 0; i < trace->steps[at].count; i++)
            put(set, &trace->accesses[trace->steps[at].first + i]);
    }
}

void trace_set_of_step(struct trace_set *set, const struct trace *trace, size_t step)
{
    set->open = !trace->known || trace->overflowed;
    set->count = 0;
    if (!set->open)
        set_of_steps(set, trace, step, step + 1);
}

void trace_set_of_turn(struct trace_set *set, const struct trace *trace, size_t from)
{
    set->open = !trace->known || trace->overflowed;
    set->count = 0;
    if (set->open || from >= trace->step_count)
        return;
    size_t end = from;
    const uint32_t thread = trace->steps[from].thread;
    for (; end < trace->step_count && trace->steps[end].thread == thread; end++) {
        const struct trace_step *step = &trace->steps[end];
        if (step->next != thread && step->choice != TRACE_NONE) {
            set->open = true; /* it asked for others to go first, and could have gone on */
            return;
        }
    }
    set_of_steps(set, trace, from, end);
}

bool trace_meets(const struct trace_set *set, const struct trace *trace, const struct trace_step *step)
{
    if (set->open || trace->overflowed)
        return true;
    for (size_t i = 0; i < step->count && set->count > 0; i++) {
        const struct trace_access *access = &trace->accesses[step->first + i];
        for (uint32_t k = 0; k < access->count; k++) {
            const struct trace_slot *slot = slot_of(set, access->first + k);
            if (slot->key != 0 && (slot->changes || access->changes != 0))
                return true;
        }
    }
    return false;
}

#if defined(ESENT_TRACE)
#pragma clang attribute pop
#endif
