/* What a host is told of a simulation's schedule (EsentHostSetTrace). Locks are told only in builds with
 * ESENT_TRACE, whose compiler also tells each access to memory: there, what the engine counts for people, and
 * what locks and the scheduler are made of, is left out, or all threads would seem to touch the same things.
 */
#ifndef OPENESENT_OS_TRACE_H
#define OPENESENT_OS_TRACE_H

#include "include/esent_host.h"

extern struct ESENT_HOST_TRACE os_trace;

#if defined(ESENT_TRACE)

/* The first attribute keeps these functions out of others, the second one is about atomics, too. */
#define OS_UNTRACED_BEGIN                                                                                    \
    _Pragma("clang attribute push(__attribute__((no_sanitize(\"thread\"))), apply_to = function)") _Pragma(  \
        "clang attribute push(__attribute__((disable_sanitizer_instrumentation)), apply_to = function)")
#define OS_UNTRACED_END _Pragma("clang attribute pop") _Pragma("clang attribute pop")

static inline void os_trace_lock(const void *lock, enum ESENT_HOST_LOCK_EVENT event)
{
    if (os_trace.lock != NULL)
        os_trace.lock(os_trace.context, lock, event);
}

/* A block that is freed: nobody may use it before or behind that. */
static inline void os_trace_freed(const void *block, size_t size)
{
    if (os_trace.freed != NULL)
        os_trace.freed(os_trace.context, block, size);
}

#else

#define OS_UNTRACED_BEGIN
#define OS_UNTRACED_END

static inline void os_trace_lock(const void *lock, enum ESENT_HOST_LOCK_EVENT event)
{
    (void)lock;
    (void)event;
}

static inline void os_trace_freed(const void *block, size_t size)
{
    (void)block;
    (void)size;
}

#endif

#endif
