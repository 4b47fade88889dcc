#include "src/os/memory_blocks.h"

#include "src/os/internal.h"
#include "src/os/trace.h"
#include "src/os/zero.h"

/* Files beyond this are refused: a write at a wild offset must not cost a wild table. */
#define SIZE_MAX_BYTES (UINT64_C(1) << 36)
#define CHUNK_BYTES ((uint64_t)MEMORY_BLOCK_SIZE * MEMORY_CHUNK_BLOCKS)
#define POOL_MAX 8192u

struct memory_block {
    uint32_t references;
    struct memory_block *next; /* in the pool */
    uint8_t bytes[MEMORY_BLOCK_SIZE];
};

struct memory_chunk {
    uint32_t references;
    struct memory_block *blocks[MEMORY_CHUNK_BLOCKS]; /* NULL = zero */
};

/* What blocks of zeros share: new databases and their copies are full of them. Never released to the end. */
static struct memory_block zero_block = {.references = 1};

/* Freed blocks, for the next file: allocators (above all the sanitizers') are slow. A host that brings its
 * own has a quick one, and wants all memory back. */
static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static struct memory_block *pool;
static uint32_t pool_size;

OS_UNTRACED_BEGIN

static struct memory_block *block_of_pool(void)
{
    if (os_host.allocator_set)
        return NULL;
    pthread_mutex_lock(&pool_lock);
    struct memory_block *block = pool;
    if (block != NULL) {
        pool = block->next;
        pool_size--;
    }
    pthread_mutex_unlock(&pool_lock);
    return block;
}

static struct memory_block *block_new(void)
{
    struct memory_block *block = block_of_pool();
    if (block == NULL)
        block = os_host_reallocate(NULL, sizeof *block);
    if (block != NULL)
        block->references = 1;
    return block;
}

/* Counts are changed by several file systems that share blocks, under their own locks: atomically. */
static void block_release(struct memory_block *block)
{
    if (block == NULL || __atomic_sub_fetch(&block->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    if (os_host.allocator_set) {
        os_host_free(block);
        return;
    }
    pthread_mutex_lock(&pool_lock);
    bool keep = pool_size < POOL_MAX;
    if (keep) {
        block->next = pool;
        pool = block;
        pool_size++;
    }
    pthread_mutex_unlock(&pool_lock);
    if (!keep)
        os_host_free(block);
}

OS_UNTRACED_END

static void chunk_release(struct memory_chunk *chunk)
{
    if (chunk == NULL || __atomic_sub_fetch(&chunk->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (size_t i = 0; i < MEMORY_CHUNK_BLOCKS; i++)
        block_release(chunk->blocks[i]);
    os_host_free(chunk);
}

static bool is_shared(const uint32_t *references)
{
    return __atomic_load_n(references, __ATOMIC_ACQUIRE) > 1;
}

void memory_content_clear(struct memory_content *content)
{
    for (size_t i = 0; i < content->chunk_count; i++)
        chunk_release(content->chunks[i]);
    os_host_free(content->chunks);
    *content = (struct memory_content){0, 0, NULL};
}

JET_ERR memory_content_copy(struct memory_content *copy, const struct memory_content *content)
{
    struct memory_chunk **chunks = NULL;
    if (content->chunk_count > 0) {
        chunks = os_host_reallocate(NULL, content->chunk_count * sizeof(struct memory_chunk *));
        if (chunks == NULL)
            return JET_errOutOfMemory;
    }
    for (size_t i = 0; i < content->chunk_count; i++) {
        chunks[i] = content->chunks[i];
        if (chunks[i] != NULL)
            __atomic_add_fetch(&chunks[i]->references, 1, __ATOMIC_ACQ_REL);
    }
    uint64_t size = content->size;
    size_t count = content->chunk_count;
    memory_content_clear(copy);
    *copy = (struct memory_content){size, count, chunks};
    return JET_errSuccess;
}

static const struct memory_block *find_block(const struct memory_content *content, uint64_t number)
{
    uint64_t chunk = number / MEMORY_CHUNK_BLOCKS;
    if (chunk >= content->chunk_count || content->chunks[chunk] == NULL)
        return NULL;
    return content->chunks[chunk]->blocks[number % MEMORY_CHUNK_BLOCKS];
}

/* How many of the `size` bytes at the offset lie in its block. */
static size_t part_of_block(uint64_t offset, size_t size)
{
    const size_t part = MEMORY_BLOCK_SIZE - (size_t)(offset % MEMORY_BLOCK_SIZE);
    return part < size ? part : size;
}

size_t memory_content_read(const struct memory_content *content, uint64_t offset, void *buffer, size_t size)
{
    if (offset >= content->size)
        return 0;
    if (size > content->size - offset)
        size = (size_t)(content->size - offset);
    size_t done = 0;
    while (done < size) {
        size_t start = (size_t)((offset + done) % MEMORY_BLOCK_SIZE);
        size_t part = part_of_block(offset + done, size - done);
        const struct memory_block *block = find_block(content, (offset + done) / MEMORY_BLOCK_SIZE);
        if (block != NULL)
            memcpy((uint8_t *)buffer + done, block->bytes + start, part);
        else
            memset((uint8_t *)buffer + done, 0, part);
        done += part;
    }
    return size;
}

/* The chunk, existing and not shared. */
static struct memory_chunk *own_chunk(struct memory_content *content, uint64_t number)
{
    if (number >= content->chunk_count) {
        size_t count = content->chunk_count * 2 > number + 1 ? content->chunk_count * 2 : (size_t)number + 1;
        struct memory_chunk **grown =
            os_host_reallocate(content->chunks, count * sizeof(struct memory_chunk *));
        if (grown == NULL)
            return NULL;
        memset(grown + content->chunk_count, 0,
               (count - content->chunk_count) * sizeof(struct memory_chunk *));
        content->chunks = grown;
        content->chunk_count = count;
    }
    struct memory_chunk *chunk = content->chunks[number];
    if (chunk != NULL && !is_shared(&chunk->references))
        return chunk;
    struct memory_chunk *own = os_host_allocate(sizeof *own);
    if (own == NULL)
        return NULL;
    own->references = 1;
    if (chunk != NULL) {
        for (size_t i = 0; i < MEMORY_CHUNK_BLOCKS; i++) {
            own->blocks[i] = chunk->blocks[i];
            if (own->blocks[i] != NULL)
                __atomic_add_fetch(&own->blocks[i]->references, 1, __ATOMIC_ACQ_REL);
        }
        chunk_release(chunk);
    }
    content->chunks[number] = own;
    return own;
}

/* The block, existing and not shared. `whole`: all of it will be written, its bytes need not be right. */
static struct memory_block *own_block(struct memory_content *content, uint64_t number, bool whole)
{
    struct memory_chunk *chunk = own_chunk(content, number / MEMORY_CHUNK_BLOCKS);
    if (chunk == NULL)
        return NULL;
    struct memory_block **slot = &chunk->blocks[number % MEMORY_CHUNK_BLOCKS];
    if (*slot != NULL && !is_shared(&(*slot)->references))
        return *slot;
    struct memory_block *own = block_new();
    if (own == NULL)
        return NULL;
    if (!whole && *slot != NULL)
        memcpy(own->bytes, (*slot)->bytes, MEMORY_BLOCK_SIZE);
    else if (!whole)
        memset(own->bytes, 0, MEMORY_BLOCK_SIZE);
    block_release(*slot);
    *slot = own;
    return own;
}

static struct memory_block *share(struct memory_block *block)
{
    __atomic_add_fetch(&block->references, 1, __ATOMIC_ACQ_REL);
    return block;
}

/* The content's block is `block` from now on, which is shared. */
static JET_ERR write_shared(struct memory_content *content, uint64_t number, struct memory_block *block)
{
    struct memory_chunk *chunk = own_chunk(content, number / MEMORY_CHUNK_BLOCKS);
    if (chunk == NULL)
        return JET_errDiskFull;
    struct memory_block **slot = &chunk->blocks[number % MEMORY_CHUNK_BLOCKS];
    share(block);
    block_release(*slot);
    *slot = block;
    return JET_errSuccess;
}

/* Bytes of one block. */
static JET_ERR write_block(struct memory_content *content, uint64_t number, size_t start,
                           const uint8_t *bytes, size_t size)
{
    const bool whole = size == MEMORY_BLOCK_SIZE;
    if (whole && os_is_zero(bytes, MEMORY_BLOCK_SIZE))
        return write_shared(content, number, &zero_block);
    struct memory_block *block = own_block(content, number, whole);
    if (block == NULL)
        return JET_errDiskFull;
    memcpy(block->bytes + start, bytes, size);
    return JET_errSuccess;
}

static bool is_possible(uint64_t offset, size_t size)
{
    return offset <= SIZE_MAX_BYTES && size <= SIZE_MAX_BYTES - offset;
}

static void note_size(struct memory_content *content, uint64_t offset, size_t size)
{
    if (size > 0 && offset + size > content->size)
        content->size = offset + size;
}

JET_ERR memory_content_write(struct memory_content *content, uint64_t offset, const void *buffer, size_t size)
{
    JET_ERR err = JET_errSuccess;
    if (!is_possible(offset, size))
        return JET_errDiskFull;
    for (size_t done = 0, part; done < size; done += part) {
        const uint64_t at = offset + done;
        part = part_of_block(at, size - done);
        TRY(write_block(content, at / MEMORY_BLOCK_SIZE, (size_t)(at % MEMORY_BLOCK_SIZE),
                        (const uint8_t *)buffer + done, part));
    }
    note_size(content, offset, size);
done:
    return err;
}

/* How many blocks the bytes lie in. */
static size_t block_count(uint64_t offset, size_t size)
{
    if (size == 0)
        return 0;
    return (size_t)((offset + size - 1) / MEMORY_BLOCK_SIZE - offset / MEMORY_BLOCK_SIZE) + 1;
}

/* Without the blocks. */
static JET_ERR bytes_new(struct memory_bytes *kept, uint64_t offset, size_t size)
{
    const size_t count = block_count(offset, size);
    *kept = (struct memory_bytes){offset, size, NULL};
    if (count == 0)
        return JET_errSuccess;
    kept->blocks = os_host_reallocate(NULL, count * sizeof(struct memory_block *));
    if (kept->blocks == NULL)
        return JET_errDiskFull;
    memset(kept->blocks, 0, count * sizeof(struct memory_block *));
    return JET_errSuccess;
}

void memory_bytes_drop(struct memory_bytes *kept)
{
    for (size_t i = 0; kept->blocks != NULL && i < block_count(kept->offset, kept->size); i++)
        block_release(kept->blocks[i]);
    os_host_free(kept->blocks);
    *kept = (struct memory_bytes){0, 0, NULL};
}

JET_ERR memory_bytes_keep(struct memory_bytes *kept, uint64_t offset, const void *buffer, size_t size)
{
    JET_ERR err = JET_errSuccess;
    const uint8_t *bytes = buffer;
    size_t number = 0;
    if (!is_possible(offset, size))
        return JET_errDiskFull;
    TRY(bytes_new(kept, offset, size));
    for (size_t done = 0, part; done < size; done += part) {
        part = part_of_block(offset + done, size - done);
        const bool zero = part == MEMORY_BLOCK_SIZE && os_is_zero(bytes + done, MEMORY_BLOCK_SIZE);
        struct memory_block *block = zero ? share(&zero_block) : block_new();
        if (block == NULL)
            FAIL(JET_errDiskFull);
        if (!zero)
            memcpy(block->bytes + (offset + done) % MEMORY_BLOCK_SIZE, bytes + done, part);
        kept->blocks[number++] = block;
    }
done:
    if (err < JET_errSuccess)
        memory_bytes_drop(kept);
    return err;
}

JET_ERR memory_bytes_share(struct memory_bytes *copy, const struct memory_bytes *kept)
{
    JET_ERR err = bytes_new(copy, kept->offset, kept->size);
    for (size_t i = 0; err >= JET_errSuccess && i < block_count(kept->offset, kept->size); i++)
        copy->blocks[i] = share(kept->blocks[i]);
    return err;
}

JET_ERR memory_content_write_kept(struct memory_content *content, const struct memory_bytes *kept,
                                  size_t from, size_t size)
{
    JET_ERR err = JET_errSuccess;
    const uint64_t first = kept->offset / MEMORY_BLOCK_SIZE;
    ASSERT(from <= kept->size && size <= kept->size - from);
    for (size_t done = from, part; done < from + size; done += part) {
        const uint64_t at = kept->offset + done;
        struct memory_block *block = kept->blocks[at / MEMORY_BLOCK_SIZE - first];
        const size_t start = (size_t)(at % MEMORY_BLOCK_SIZE);
        part = part_of_block(at, from + size - done);
        if (part == MEMORY_BLOCK_SIZE)
            TRY(write_shared(content, at / MEMORY_BLOCK_SIZE, block));
        else
            TRY(write_block(content, at / MEMORY_BLOCK_SIZE, start, block->bytes + start, part));
    }
    note_size(content, kept->offset + from, size);
done:
    return err;
}

JET_ERR memory_content_set_size(struct memory_content *content, uint64_t size)
{
    if (size > SIZE_MAX_BYTES)
        return JET_errDiskFull;
    if (size < content->size) {
        /* What is cut off reads as zero if the file grows again. */
        size_t tail = (size_t)(size % MEMORY_BLOCK_SIZE);
        uint64_t number = size / MEMORY_BLOCK_SIZE;
        if (tail != 0 && find_block(content, number) != NULL) {
            struct memory_block *block = own_block(content, number, false);
            if (block == NULL)
                return JET_errDiskFull;
            memset(block->bytes + tail, 0, MEMORY_BLOCK_SIZE - tail);
        }
        uint64_t first = number + (tail != 0);
        for (; first % MEMORY_CHUNK_BLOCKS != 0; first++) {
            if (find_block(content, first) == NULL)
                continue;
            struct memory_chunk *chunk = own_chunk(content, first / MEMORY_CHUNK_BLOCKS);
            if (chunk == NULL)
                return JET_errDiskFull;
            block_release(chunk->blocks[first % MEMORY_CHUNK_BLOCKS]);
            chunk->blocks[first % MEMORY_CHUNK_BLOCKS] = NULL;
        }
        for (uint64_t chunk = first / MEMORY_CHUNK_BLOCKS; chunk < content->chunk_count; chunk++) {
            chunk_release(content->chunks[chunk]);
            content->chunks[chunk] = NULL;
        }
    }
    content->size = size;
    return JET_errSuccess;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

/* A block of zeros counts like a missing one. */
uint64_t memory_content_hash(const struct memory_content *content, uint64_t seed)
{
    uint64_t hash = mix(seed, content->size);
    for (uint64_t i = 0; i < content->chunk_count * MEMORY_CHUNK_BLOCKS; i++) {
        const struct memory_block *block = find_block(content, i);
        if (block == NULL)
            continue;
        uint64_t own = 1;
        uint64_t any = 0;
        for (size_t at = 0; at < MEMORY_BLOCK_SIZE; at += 8) {
            uint64_t word;
            memcpy(&word, block->bytes + at, 8);
            any |= word;
            own = mix(own, word);
        }
        if (any != 0)
            hash = mix(mix(hash, i), own);
    }
    return hash;
}

uint64_t memory_content_blocks(const struct memory_content *content)
{
    uint64_t count = 0;
    for (size_t i = 0; i < content->chunk_count; i++) {
        for (size_t j = 0; content->chunks[i] != NULL && j < MEMORY_CHUNK_BLOCKS; j++)
            count += content->chunks[i]->blocks[j] != NULL;
    }
    return count;
}
