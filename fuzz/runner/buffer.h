/* Buffers that a call fills: aligned as the call wants it and exactly as long as told, so that a write beyond
 * the end is noticed by a sanitizer. */
#ifndef OPENESENT_FUZZ_BUFFER_H
#define OPENESENT_FUZZ_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    void *base;
    size_t mapped; /* 0: from malloc */
    char *start;
};

/* A buffer of `size` bytes that begins `offset` bytes behind a page's start. False: no memory. */
bool buffer_open(struct buffer *buffer, uint64_t size, uint64_t offset);
void buffer_close(struct buffer *buffer);

#endif
