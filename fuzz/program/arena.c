#include "fuzz/program/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks grow: many arenas serve one call, and what others have left over is in every copy of them. */
#define FIRST_SIZE ((size_t)1024)
#define LARGEST_SIZE ((size_t)16 * 1024)

struct arena_block {
    struct arena_block *older;
    max_align_t bytes[];
};

static void *checked_malloc(size_t size)
{
    void *memory = malloc(size);
    if (memory == NULL)
        abort();
    return memory;
}

void *arena_allocate(struct arena *arena, size_t size)
{
    size = (size + 15u) & ~(size_t)15u;
    if (size > (size_t)(arena->end - arena->next)) {
        const size_t usual = arena->usual == 0 ? FIRST_SIZE : arena->usual;
        const size_t capacity = size > usual / 4 ? size : usual;
        struct arena_block *block = checked_malloc(sizeof *block + capacity);
        block->older = arena->first;
        arena->first = block;
        if (capacity != usual && arena->next != NULL) {
            /* A big one: keep filling the block in use. */
            memset(block->bytes, 0, size);
            return block->bytes;
        }
        if (capacity == usual && usual < LARGEST_SIZE)
            arena->usual = 2 * usual;
        arena->next = (char *)block->bytes;
        arena->end = arena->next + capacity;
    }
    void *memory = arena->next;
    arena->next += size;
    memset(memory, 0, size);
    return memory;
}

char *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    char *copy = arena_allocate(arena, size + 1);
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    char buffer[512];
    va_list list;
    va_start(list, format);
    int size = vsnprintf(buffer, sizeof buffer, format, list);
    va_end(list);
    if (size < (int)sizeof buffer)
        return arena_copy(arena, buffer, (size_t)(size < 0 ? 0 : size));
    char *text = arena_allocate(arena, (size_t)size + 1);
    va_start(list, format);
    vsnprintf(text, (size_t)size + 1, format, list);
    va_end(list);
    return text;
}

void arena_free(struct arena *arena)
{
    struct arena_block *block = arena->first;
    while (block != NULL) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
    *arena = (struct arena){0};
}
