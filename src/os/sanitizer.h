/* What the memory sanitizer has to be told. It follows every byte from where it was written, but libraries of
 * the system (ICU) are not built for it: what they write looks like what nobody wrote. */
#ifndef OPENESENT_OS_SANITIZER_H
#define OPENESENT_OS_SANITIZER_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define OS_MEMORY_SANITIZER 1
#endif
#endif

#if defined(OS_MEMORY_SANITIZER)
#include <sanitizer/msan_interface.h>
#endif

/* A library of the system has written these bytes. Only for what it truly filled: elsewhere this hides
 * faults. */
static inline void os_filled_by_library(const volatile void *bytes, size_t size)
{
#if defined(OS_MEMORY_SANITIZER)
    __msan_unpoison(bytes, size);
#else
    (void)bytes;
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
