#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "fuzz/runner/buffer.h"

#include <stdlib.h>
#include <sys/mman.h>

#define PAGE_ALIGNMENT 4096u
#define MAPPED_FROM ((size_t)16 * 1024 * 1024) /* larger ones cost no memory until written */

bool buffer_open(struct buffer *buffer, uint64_t size, uint64_t offset)
{
    uint64_t total = size + offset;
    buffer->mapped = 0;
    if (total >= MAPPED_FROM) {
        buffer->base = mmap(NULL, (size_t)total, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (buffer->base == MAP_FAILED)
            return false;
        buffer->mapped = (size_t)total;
    } else if (posix_memalign(&buffer->base, PAGE_ALIGNMENT, total > 0 ? (size_t)total : 1) != 0) {
        return false;
    }
    buffer->start = (char *)buffer->base + offset;
    return true;
}

void buffer_close(struct buffer *buffer)
{
    if (buffer->mapped > 0)
        munmap(buffer->base, buffer->mapped);
    else
        free(buffer->base);
}
