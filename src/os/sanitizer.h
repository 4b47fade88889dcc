/* What sanitizers have to be told. MemorySanitizer follows every byte from where it was written, but
 * libraries of the system (ICU) are not built for it: what they write looks like what nobody wrote.
 * AddressSanitizer looks at each access: loops over whole pages are told apart, their range is looked at
 * once. */
#ifndef OPENESENT_OS_SANITIZER_H
#define OPENESENT_OS_SANITIZER_H

#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define OS_MEMORY_SANITIZER 1
#endif
#if __has_feature(address_sanitizer)
#define OS_ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer) && !defined(ESENT_TRACE) /* which has the instrumentation alone */
#define OS_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define OS_ADDRESS_SANITIZER 1
#endif
#if defined(__SANITIZE_THREAD__)
#define OS_THREAD_SANITIZER 1
#endif

#if defined(OS_MEMORY_SANITIZER)
#include <sanitizer/msan_interface.h>
#endif

#if defined(OS_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#define OS_RANGE_CHECKED __attribute__((no_sanitize_address))
#else
#define OS_RANGE_CHECKED
#endif

/* For callers of functions that are OS_RANGE_CHECKED: fails as an access does if a byte may not be read. */
static inline void os_check_readable(const void *bytes, size_t size)
{
#if defined(OS_ADDRESS_SANITIZER)
    const void *bad = __asan_region_is_poisoned((void *)(uintptr_t)bytes, size);
    if (bad != NULL)
        (void)*(const volatile unsigned char *)bad;
#else
    (void)bytes;
    (void)size;
#endif
}

/* Around calls of a library of the system: what it hands to the C library meanwhile is not looked at, since
 * places on the stack that it fills still look as our calls before left them. */
static inline void os_library_begins(void)
{
#if defined(OS_MEMORY_SANITIZER)
    __msan_scoped_disable_interceptor_checks();
#endif
}

/* The library is done, and has written these bytes (NULL: none). Only for what it truly filled: elsewhere
 * this hides faults. */
static inline void os_library_ends(const volatile void *filled, size_t size)
{
#if defined(OS_MEMORY_SANITIZER)
    __msan_scoped_enable_interceptor_checks();
    if (filled != NULL)
        __msan_unpoison(filled, size);
#else
    (void)filled;
    (void)size;
#endif
}

/* What goes to a file has been written by somebody: the rest of a buffer would carry memory of the process
 * along. */
static inline void os_check_is_filled(const void *bytes, size_t size)
{
#if defined(OS_MEMORY_SANITIZER)
    __msan_check_mem_is_initialized(bytes, size);
#else
    (void)bytes;
    (void)size;
#endif
}

#endif
