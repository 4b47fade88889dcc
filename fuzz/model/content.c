/* What tables hold: rows made by Insert and its kin, whose bytes follow from size and seed. */
#include <string.h>
#include <strings.h>

#include "fuzz/model/state.h"

struct content *model_content_new(struct model *model)
{
    return arena_allocate(&model->arena, sizeof(struct content));
}

static void copy_table(struct model *model, struct model_table *to, const struct model_table *from)
{
    *to = *from;
    to->capacity = from->count;
    to->rows = arena_allocate(&model->arena, from->count * sizeof *to->rows + 1);
    if (from->count > 0)
        memcpy(to->rows, from->rows, from->count * sizeof *to->rows);
}

struct content *model_content_copy(struct model *model, const struct content *content)
{
    struct content *copy = model_content_new(model);
    *copy = *content;
    copy->tables = arena_allocate(&model->arena, content->count * sizeof *copy->tables + 1);
    for (uint32_t i = 0; i < content->count; i++)
        copy_table(model, &copy->tables[i], &content->tables[i]);
    return copy;
}

struct model_table *model_content_table(struct content *content, const char *name)
{
    for (uint32_t i = 0; i < content->count; i++) {
        if (strcasecmp(content->tables[i].name, name) == 0)
            return &content->tables[i];
    }
    return NULL;
}

struct model_table *model_content_add(struct model *model, struct content *content, const char *name)
{
    struct model_table *tables = arena_allocate(&model->arena, (content->count + 1) * sizeof *tables);
    if (content->count > 0)
        memcpy(tables, content->tables, content->count * sizeof *tables);
    content->tables = tables;
    tables[content->count] = (struct model_table){.name = name};
    return &tables[content->count++];
}

static uint32_t fnv(uint32_t hash, uint8_t byte)
{
    return (hash ^ byte) * 16777619u;
}

uint32_t model_rows_hash(const struct model_table *table)
{
    uint32_t hash = 0x811c9dc5u;
    for (uint32_t i = 0; i < table->count; i++) {
        const struct model_row *row = &table->rows[i];
        for (unsigned shift = 0; shift < 32; shift += 8)
            hash = fnv(hash, (uint8_t)((uint32_t)row->id >> shift));
        uint32_t x = row->seed;
        for (uint32_t b = 0; b < row->size; b++) {
            x = x * 1664525u + 1013904223u;
            hash = fnv(hash, (uint8_t)(x >> 24));
        }
    }
    return hash;
}

/* The first index whose id is not below. */
static uint32_t position(const struct model_table *table, int32_t id)
{
    uint32_t low = 0;
    uint32_t high = table->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (table->rows[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct model_row *model_rows_find(struct model_table *table, int32_t id)
{
    uint32_t at = position(table, id);
    return at < table->count && table->rows[at].id == id ? &table->rows[at] : NULL;
}

bool model_rows_insert(struct model *model, struct model_table *table, struct model_row row)
{
    uint32_t at = position(table, row.id);
    if (at < table->count && table->rows[at].id == row.id)
        return false;
    if (table->count == table->capacity) {
        uint32_t capacity = table->capacity < 32 ? 64 : table->capacity * 2;
        struct model_row *rows = arena_allocate(&model->arena, capacity * sizeof *rows);
        if (table->count > 0)
            memcpy(rows, table->rows, table->count * sizeof *rows);
        table->rows = rows;
        table->capacity = capacity;
    }
    memmove(&table->rows[at + 1], &table->rows[at], (table->count - at) * sizeof *table->rows);
    table->rows[at] = row;
    table->count++;
    return true;
}

void model_rows_remove(struct model_table *table, int32_t id)
{
    struct model_row *row = model_rows_find(table, id);
    if (row == NULL)
        return;
    size_t at = (size_t)(row - table->rows);
    memmove(row, row + 1, (table->count - at - 1) * sizeof *row);
    table->count--;
}

/* True while some session of the instance is inside a transaction. */
static bool in_transaction(const struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->session_count; i++) {
        if (model->sessions[i]->alive && model->sessions[i]->instance == instance &&
            model->sessions[i]->level > 0)
            return true;
    }
    return false;
}

static void settle(struct model *model, const struct model_instance *instance, enum model_wrote wrote,
                   bool lazy)
{
    const bool others = in_transaction(model, instance); /* their changes are mixed in */
    const bool flushed = wrote == WROTE_SURELY && !lazy; /* with all that was written before */
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        if (file->attached != instance)
            continue;
        file->fields_fresh = file->fields_fresh && !flushed;
        if (!others)
            file->durable = model_content_copy(model, file->content);
        if (wrote != WROTE_NOTHING && (others || lazy))
            file->uncertain = true;
        else if (flushed)
            file->uncertain = false;
    }
}

void model_content_commit(struct model *model, const struct model_session *session, enum model_wrote wrote,
                          bool lazy)
{
    settle(model, session->instance, wrote, lazy);
    if (wrote != WROTE_NOTHING)
        session->instance->last_commit = wrote == WROTE_SURELY ? session : NULL;
}

void model_content_flush(struct model *model, const struct model_instance *instance)
{
    settle(model, instance, WROTE_SURELY, false);
}
