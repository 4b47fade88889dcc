/* In builds with ESENT_TRACE: what the compiler calls for each access to memory (-fsanitize=thread), in place
 * of ThreadSanitizer's own library, and the C library's functions that go over memory, which the linker leads
 * here
 * (--wrap). Each access is told to the trace. */
#if defined(ESENT_TRACE)

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/sweep/trace.h"

#pragma clang attribute push(__attribute__((disable_sanitizer_instrumentation)), apply_to = function)
#pragma clang diagnostic ignored "-Wreserved-identifier"
#pragma clang diagnostic ignored "-Watomic-alignment"

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *);
void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

#define ACCESS(name, size, changes)                                                                          \
    void __tsan_##name(void *address);                                                                       \
    void __tsan_##name(void *address)                                                                        \
    {                                                                                                        \
        trace_touch(address, size, changes);                                                                 \
    }
#define ACCESSES(size)                                                                                       \
    ACCESS(read##size, size, false)                                                                          \
    ACCESS(write##size, size, true)                                                                          \
    ACCESS(read_write##size, size, true)                                                                     \
    ACCESS(unaligned_read##size, size, false)                                                                \
    ACCESS(unaligned_write##size, size, true)                                                                \
    ACCESS(unaligned_read_write##size, size, true)
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(void *, size_t);
void __tsan_read_range(void *address, size_t size)
{
    trace_touch(address, size, false);
}

void __tsan_write_range(void *, size_t);
void __tsan_write_range(void *address, size_t size)
{
    trace_touch(address, size, true);
}

/* Atomics, all of them in the strictest order: one thread runs at a time. */
#define CHANGE(bits, name, builtin)                                                                          \
    uint##bits##_t __tsan_atomic##bits##_##name(uint##bits##_t *object, uint##bits##_t value, int order);    \
    uint##bits##_t __tsan_atomic##bits##_##name(uint##bits##_t *object, uint##bits##_t value, int order)     \
    {                                                                                                        \
        (void)order;                                                                                         \
        trace_touch(object, bits / 8, true);                                                                 \
        return builtin(object, value, __ATOMIC_SEQ_CST);                                                     \
    }
#define COMPARE(bits, name)                                                                                  \
    int __tsan_atomic##bits##_compare_exchange_##name(uint##bits##_t *object, uint##bits##_t *expected,      \
                                                      uint##bits##_t value, int order, int otherwise);       \
    int __tsan_atomic##bits##_compare_exchange_##name(uint##bits##_t *object, uint##bits##_t *expected,      \
                                                      uint##bits##_t value, int order, int otherwise)        \
    {                                                                                                        \
        (void)order;                                                                                         \
        (void)otherwise;                                                                                     \
        trace_touch(object, bits / 8, true);                                                                 \
        return __atomic_compare_exchange_n(object, expected, value, false, __ATOMIC_SEQ_CST,                 \
                                           __ATOMIC_SEQ_CST);                                                \
    }
#define ATOMICS(bits)                                                                                        \
    uint##bits##_t __tsan_atomic##bits##_load(const uint##bits##_t *object, int order);                      \
    uint##bits##_t __tsan_atomic##bits##_load(const uint##bits##_t *object, int order)                       \
    {                                                                                                        \
        (void)order;                                                                                         \
        trace_touch(object, bits / 8, false);                                                                \
        return __atomic_load_n(object, __ATOMIC_SEQ_CST);                                                    \
    }                                                                                                        \
    void __tsan_atomic##bits##_store(uint##bits##_t *object, uint##bits##_t value, int order);               \
    void __tsan_atomic##bits##_store(uint##bits##_t *object, uint##bits##_t value, int order)                \
    {                                                                                                        \
        (void)order;                                                                                         \
        trace_touch(object, bits / 8, true);                                                                 \
        __atomic_store_n(object, value, __ATOMIC_SEQ_CST);                                                   \
    }                                                                                                        \
    uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                                               \
        uint##bits##_t *object, uint##bits##_t expected, uint##bits##_t value, int order, int otherwise);    \
    uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                                               \
        uint##bits##_t *object, uint##bits##_t expected, uint##bits##_t value, int order, int otherwise)     \
    {                                                                                                        \
        (void)order;                                                                                         \
        (void)otherwise;                                                                                     \
        trace_touch(object, bits / 8, true);                                                                 \
        __atomic_compare_exchange_n(object, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);    \
        return expected;                                                                                     \
    }                                                                                                        \
    CHANGE(bits, exchange, __atomic_exchange_n)                                                              \
    CHANGE(bits, fetch_add, __atomic_fetch_add)                                                              \
    CHANGE(bits, fetch_sub, __atomic_fetch_sub)                                                              \
    CHANGE(bits, fetch_and, __atomic_fetch_and)                                                              \
    CHANGE(bits, fetch_or, __atomic_fetch_or)                                                                \
    CHANGE(bits, fetch_xor, __atomic_fetch_xor)                                                              \
    COMPARE(bits, strong)                                                                                    \
    COMPARE(bits, weak)
ATOMICS(8)
ATOMICS(16)
ATOMICS(32)
ATOMICS(64)

void __tsan_atomic_thread_fence(int);
void __tsan_atomic_thread_fence(int order)
{
    (void)order;
}

void __tsan_atomic_signal_fence(int);
void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}

/* ---- the C library's */

#define WRAP(type, name, parameters)                                                                         \
    type __real_##name parameters;                                                                           \
    type __wrap_##name parameters;                                                                           \
    type __wrap_##name parameters

WRAP(void *, memcpy, (void *to, const void *from, size_t size))
{
    trace_touch(from, size, false);
    trace_touch(to, size, true);
    return __real_memcpy(to, from, size);
}

WRAP(void *, memmove, (void *to, const void *from, size_t size))
{
    trace_touch(from, size, false);
    trace_touch(to, size, true);
    return __real_memmove(to, from, size);
}

WRAP(void *, memset, (void *to, int byte, size_t size))
{
    trace_touch(to, size, true);
    return __real_memset(to, byte, size);
}

WRAP(int, memcmp, (const void *a, const void *b, size_t size))
{
    trace_touch(a, size, false);
    trace_touch(b, size, false);
    return __real_memcmp(a, b, size);
}

WRAP(size_t, strlen, (const char *text))
{
    const size_t size = __real_strlen(text);
    trace_touch(text, size + 1, false);
    return size;
}

WRAP(int, strcmp, (const char *a, const char *b))
{
    trace_touch(a, __real_strlen(a) + 1, false);
    trace_touch(b, __real_strlen(b) + 1, false);
    return __real_strcmp(a, b);
}

#pragma clang attribute pop

#endif

typedef int accesses_not_empty;
