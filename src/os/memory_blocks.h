/* The bytes of an in-memory file: sparse blocks of 4 KiB, shared by copies until one of them writes.
 *
 * Not locked: the file system around it is. Blocks come from a pool that keeps freed ones. */
#ifndef OPENESENT_OS_MEMORY_BLOCKS_H
#define OPENESENT_OS_MEMORY_BLOCKS_H

#include "src/os/base.h"
#include "src/os/error.h"

#define MEMORY_BLOCK_SIZE 4096u
#define MEMORY_CHUNK_BLOCKS 64u

struct memory_block;
struct memory_chunk;

struct memory_content {
    uint64_t size;
    size_t chunk_count; /* entries of `chunks`; what lies beyond is zero */
    struct memory_chunk **chunks;
};

/* Bytes of a write, kept: in blocks that a content may share. */
struct memory_bytes {
    uint64_t offset;
    size_t size;
    struct memory_block **blocks; /* those that the bytes lie in, the first and the last perhaps in part */
};

void memory_content_clear(struct memory_content *content);
/* `copy` becomes equal to `content`, sharing everything; its former bytes are dropped. */
JET_ERR memory_content_copy(struct memory_content *copy, const struct memory_content *content);
size_t memory_content_read(const struct memory_content *content, uint64_t offset, void *buffer, size_t size);
JET_ERR memory_content_write(struct memory_content *content, uint64_t offset, const void *buffer,
                             size_t size);
JET_ERR memory_bytes_keep(struct memory_bytes *kept, uint64_t offset, const void *buffer, size_t size);
/* The same bytes once more. */
JET_ERR memory_bytes_share(struct memory_bytes *copy, const struct memory_bytes *kept);
void memory_bytes_drop(struct memory_bytes *kept);
/* Writes `size` of the kept bytes, from the one with number `from` on. Whole blocks are shared. */
JET_ERR memory_content_write_kept(struct memory_content *content, const struct memory_bytes *kept,
                                  size_t from, size_t size);
JET_ERR memory_content_set_size(struct memory_content *content, uint64_t size);
uint64_t memory_content_hash(const struct memory_content *content, uint64_t seed);
/* Blocks this content holds (shared or not). */
uint64_t memory_content_blocks(const struct memory_content *content);

#endif
