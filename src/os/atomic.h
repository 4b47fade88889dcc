/* Atomic counters and flags: C11 atomics under short names. Loads acquire, stores release, changes do both.
 */
#ifndef OPENESENT_OS_ATOMIC_H
#define OPENESENT_OS_ATOMIC_H

#include <stdatomic.h>

#include "src/os/base.h"

typedef _Atomic uint8_t os_atomic_8;
typedef _Atomic uint32_t os_atomic_32;
typedef _Atomic uint64_t os_atomic_64;
typedef _Atomic bool os_atomic_bool;

#define os_atomic_load(object) atomic_load_explicit((object), memory_order_acquire)
#define os_atomic_store(object, value) atomic_store_explicit((object), (value), memory_order_release)
/* The value after the change. */
static inline uint32_t os_atomic_add_32(os_atomic_32 *object, uint32_t value)
{
    return atomic_fetch_add_explicit(object, value, memory_order_acq_rel) + value;
}
static inline uint64_t os_atomic_add_64(os_atomic_64 *object, uint64_t value)
{
    return atomic_fetch_add_explicit(object, value, memory_order_acq_rel) + value;
}
static inline uint32_t os_atomic_subtract_32(os_atomic_32 *object, uint32_t value)
{
    return atomic_fetch_sub_explicit(object, value, memory_order_acq_rel) - value;
}
static inline uint64_t os_atomic_subtract_64(os_atomic_64 *object, uint64_t value)
{
    return atomic_fetch_sub_explicit(object, value, memory_order_acq_rel) - value;
}
#define os_atomic_add(object, value)                                                                         \
    _Generic((object), os_atomic_32 * : os_atomic_add_32, os_atomic_64 * : os_atomic_add_64)(object, value)
#define os_atomic_subtract(object, value)                                                                    \
    _Generic((object), os_atomic_32 *                                                                        \
             : os_atomic_subtract_32, os_atomic_64 *                                                         \
             : os_atomic_subtract_64)(object, value)
#define os_atomic_exchange(object, value) atomic_exchange_explicit((object), (value), memory_order_acq_rel)
/* True if `object` held `*expected` and now holds `value`; else `*expected` is what it holds. */
#define os_atomic_compare_exchange(object, expected, value)                                                  \
    atomic_compare_exchange_strong_explicit((object), (expected), (value), memory_order_acq_rel,             \
                                            memory_order_acquire)

#endif
