#include "src/table/index_key.h"

#include <stdlib.h>

#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/table/long_value.h"

/* What came of trying to make a key. */
enum key_outcome {
    KEY_MADE,
    KEY_ALL_NULL,
    KEY_FIRST_NULL,
    KEY_SOME_NULL,
    KEY_OUT_OF_VALUES, /* a multi-valued column has fewer values than asked for */
    KEY_OUT_OF_TUPLES,
    KEY_NOT_PRESENT, /* a condition keeps the record out of the index */
};

struct key_maker {
    struct table_cursor *cursor;
    const struct index_definition *index;
    struct record_view view;
    bool enforce;
    uint32_t itags[INDEX_SEGMENT_MAX];
    bool multivalued[INDEX_SEGMENT_MAX];
    int last_multivalued; /* -1: none */
    unsigned rollover;    /* column that ran out of values */
};

static JET_ERR read_value(const struct key_maker *maker, const struct column_definition *column,
                          uint32_t itag, struct value *value)
{
    if (column_id_is_tagged(column->id))
        return tagged_get(maker->cursor->table, maker->view, column, itag, value);
    return record_get(maker->cursor->table, maker->view, column, value);
}

static bool value_is_null(const struct value *value)
{
    return value->kind == VALUE_NULL || value->kind == VALUE_DEFAULT_NULL;
}

static JET_ERR check_conditions(const struct key_maker *maker, bool *present)
{
    *present = true;
    for (unsigned i = 0; i < maker->index->condition_count && *present; i++) {
        const struct index_key_column *condition = &maker->index->conditions[i];
        struct value value;
        JET_ERR err =
            read_value(maker, table_definition_column(maker->cursor->table, condition->column), 1, &value);
        if (err < JET_errSuccess)
            return err;
        *present = value_is_null(&value) == condition->must_be_null;
    }
    return JET_errSuccess;
}

/* The bytes of a value; *memory is freed by the caller if it was needed. */
static JET_ERR value_bytes(const struct key_maker *maker, const struct value *value, uint8_t **memory,
                           const uint8_t **bytes, uint32_t *size)
{
    *memory = NULL;
    if (value->kind == VALUE_PLAIN || value->kind == VALUE_DEFAULT) {
        *bytes = value->data;
        *size = value->size;
        return JET_errSuccess;
    }
    JET_ERR err = long_value_fetch(maker->cursor, value, memory, size);
    *bytes = *memory;
    return err;
}

/* Cuts a value to the piece that tuple `number` is of. False: there is no such piece. */
static bool cut_tuple(const struct index_definition *index, const struct column_definition *column,
                      uint32_t offset, const uint8_t **bytes, uint32_t *size)
{
    const uint32_t unit = column_is_text(column) && column->code_page == 1200 ? 2 : 1;
    const uint64_t start = (uint64_t)offset * unit;
    if (start > *size)
        return false;
    *bytes += start;
    *size -= (uint32_t)start;
    if (*size > index->tuple.max_length * unit)
        *size = index->tuple.max_length * unit;
    return *size >= index->tuple.min_length * unit;
}

/* State of one key. */
struct key_state {
    bool truncated;
    bool all_null;
    bool first_null;
    bool some_null;
    bool all_out; /* nested table: no multi-valued column has a value of this number */
};

static JET_ERR add_segment(struct key_maker *maker, unsigned i, uint32_t offset, struct key_state *state,
                           struct index_key *key, enum key_outcome *outcome)
{
    JET_ERR err = JET_errSuccess;
    const struct index_definition *index = maker->index;
    const struct index_key_column *part = &index->columns[i];
    const struct column_definition *column = table_definition_column(maker->cursor->table, part->column);
    const bool nested = (index->flags & INDEX_FLAG_NESTED_TABLE) != 0;
    const bool tuple = index->tuples && i == 0;
    struct value value;
    struct key_format format;
    struct key_segment segment = {0};
    uint8_t *memory = NULL;
    const uint8_t *bytes = NULL;
    uint32_t size = 0;
    TRY(read_value(maker, column, maker->itags[i], &value));
    const bool null = value_is_null(&value);
    if (column_id_is_tagged(column->id))
        state->all_out = state->all_out && maker->itags[i] > 1 && null;
    if (null && maker->itags[i] > 1 && !nested) {
        maker->rollover = i;
        *outcome = KEY_OUT_OF_VALUES;
        goto done;
    }
    if (null) {
        state->some_null = true;
        if (i == 0)
            state->first_null = true;
    }
    const uint32_t available = index->key_max - key->size;
    if (available == 0 || state->truncated) {
        state->truncated = true;
        if ((index->flags & INDEX_FLAG_DISALLOW_TRUNCATION) != 0 && maker->enforce && available == 0)
            FAIL(JET_errKeyTruncated);
        goto done;
    }
    if (!null)
        TRY(value_bytes(maker, &value, &memory, &bytes, &size));
    if (tuple) {
        if (null || !cut_tuple(index, column, offset, &bytes, &size)) {
            *outcome = KEY_OUT_OF_TUPLES;
            goto done;
        }
    }
    static const uint8_t nothing[1];
    if (!null) {
        state->all_null = false;
        if (bytes == NULL)
            bytes = nothing;
    }
    if (size > KEY_SIZE_DEFAULT && index->key_max == KEY_SIZE_DEFAULT)
        size = KEY_SIZE_DEFAULT;
    key_format_of(index, column, part->descending, &format);
    TRY(key_normalize(&format, null ? NULL : bytes, size, key->bytes + key->size, available, &segment));
    if (segment.truncated) {
        state->truncated = true;
        if ((index->flags & INDEX_FLAG_DISALLOW_TRUNCATION) != 0 && maker->enforce)
            FAIL(JET_errKeyTruncated);
    }
    key->size += segment.size;
done:
    os_free(memory);
    return err;
}

/* One key: of the values maker->itags, and of the piece of text at `offset` in a tuple index. */
static JET_ERR make_key(struct key_maker *maker, uint32_t offset, struct index_key *key,
                        enum key_outcome *outcome)
{
    JET_ERR err = JET_errSuccess;
    struct key_state state = {.all_null = true, .all_out = true};
    bool present = true;
    key->size = 0;
    *outcome = KEY_MADE;
    TRY(check_conditions(maker, &present));
    if (!present) {
        *outcome = KEY_NOT_PRESENT;
        goto done;
    }
    for (unsigned i = 0; i < maker->index->column_count && *outcome == KEY_MADE; i++)
        TRY(add_segment(maker, i, offset, &state, key, outcome));
    if (*outcome != KEY_MADE)
        goto done;
    if ((maker->index->flags & INDEX_FLAG_NESTED_TABLE) != 0 && state.all_out) {
        maker->rollover = 0;
        *outcome = KEY_OUT_OF_VALUES;
    } else if (state.all_null) {
        *outcome = KEY_ALL_NULL;
    } else if (state.first_null) {
        *outcome = KEY_FIRST_NULL;
    } else if (state.some_null) {
        *outcome = KEY_SOME_NULL;
    }
done:
    return err;
}

static void maker_init(struct key_maker *maker, struct table_cursor *cursor,
                       const struct index_definition *index, struct record_view view, bool enforce)
{
    *maker = (struct key_maker){
        .cursor = cursor, .index = index, .view = view, .enforce = enforce, .last_multivalued = -1};
    const bool all = (index->flags & (INDEX_FLAG_CROSS_PRODUCT | INDEX_FLAG_NESTED_TABLE)) != 0;
    for (unsigned i = 0; i < INDEX_SEGMENT_MAX; i++)
        maker->itags[i] = 1;
    for (unsigned i = 0; i < index->column_count; i++) {
        const struct column_definition *column =
            table_definition_column(cursor->table, index->columns[i].column);
        ASSERT(column != NULL);
        if (!column_id_is_tagged(column->id) || (column->flags & COLUMN_FLAG_MULTIVALUED) == 0)
            continue;
        if (maker->last_multivalued >= 0 && !all)
            break;
        maker->multivalued[i] = true;
        maker->last_multivalued = (int)i;
    }
}

static bool base_key(const struct key_maker *maker)
{
    for (unsigned i = 0; i < INDEX_SEGMENT_MAX; i++) {
        if (maker->itags[i] != 1)
            return false;
    }
    return true;
}

/* To the next combination of values. False: there is none. */
static bool next_combination(struct key_maker *maker, bool ran_out)
{
    if (maker->last_multivalued < 0)
        return false;
    if (!ran_out) {
        if (maker->index->flags & INDEX_FLAG_NESTED_TABLE) {
            for (unsigned i = 0; i < maker->index->column_count; i++)
                maker->itags[i] += maker->multivalued[i];
        } else {
            maker->itags[maker->last_multivalued]++;
        }
        return true;
    }
    for (int i = (int)maker->rollover - 1; i >= 0; i--) {
        if (maker->multivalued[i]) {
            maker->itags[i]++;
            for (int j = i + 1; j <= maker->last_multivalued; j++)
                maker->itags[j] = 1;
            return true;
        }
    }
    return false;
}

/* Whether the null rules of the index let the key in. */
static JET_ERR null_rules(const struct key_maker *maker, enum key_outcome outcome, bool *allowed)
{
    const uint16_t flags = maker->index->flags;
    const bool some = outcome == KEY_ALL_NULL || outcome == KEY_FIRST_NULL || outcome == KEY_SOME_NULL;
    *allowed = true;
    if (some && (flags & INDEX_FLAG_NO_NULL_SEGMENT) != 0) {
        *allowed = false;
        return maker->enforce ? JET_errNullKeyDisallowed : JET_errSuccess;
    }
    if (outcome == KEY_ALL_NULL)
        *allowed = (flags & INDEX_FLAG_ALLOW_ALL_NULLS) != 0;
    else if (outcome == KEY_FIRST_NULL)
        *allowed = (flags & INDEX_FLAG_ALLOW_FIRST_NULL) != 0;
    else if (outcome == KEY_SOME_NULL)
        *allowed = (flags & INDEX_FLAG_ALLOW_SOME_NULLS) != 0;
    return JET_errSuccess;
}

static JET_ERR keys_add(struct index_keys *keys, const struct index_key *key)
{
    if (keys->count == keys->capacity) {
        uint32_t capacity = keys->capacity * 2 + 4;
        struct index_key **entries = os_reallocate(keys->entries, capacity * sizeof(*entries));
        if (entries == NULL)
            return JET_errOutOfMemory;
        keys->entries = entries;
        keys->capacity = capacity;
    }
    struct index_key *copy =
        os_duplicate(key, offsetof(struct index_key, bytes) + (key->size == 0 ? 1 : key->size));
    if (copy == NULL)
        return JET_errOutOfMemory;
    keys->entries[keys->count++] = copy;
    return JET_errSuccess;
}

static int compare_entries(const void *a, const void *b)
{
    const struct index_key *const *left = a;
    const struct index_key *const *right = b;
    return span_compare(span_of((*left)->bytes, (*left)->size), span_of((*right)->bytes, (*right)->size));
}

static void sort_keys(struct index_keys *keys)
{
    if (keys->count < 2)
        return;
    qsort(keys->entries, keys->count, sizeof(keys->entries[0]), compare_entries);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < keys->count; i++) {
        if (compare_entries(&keys->entries[i], &keys->entries[kept - 1]) == 0)
            os_free(keys->entries[i]);
        else
            keys->entries[kept++] = keys->entries[i];
    }
    keys->count = kept;
}

void index_keys_free(struct index_keys *keys)
{
    for (uint32_t i = 0; i < keys->count; i++)
        os_free(keys->entries[i]);
    os_free(keys->entries);
    *keys = (struct index_keys){0};
}

/* All keys of one combination of values: one, or one a piece of text. *done: no other combination matters. */
static JET_ERR combination_keys(struct key_maker *maker, struct index_keys *keys, bool *ran_out,
                                bool *complete)
{
    JET_ERR err = JET_errSuccess;
    struct index_key key;
    const struct index_definition *index = maker->index;
    const uint32_t count = index->tuples ? index->tuple.to_index_max : 1;
    uint32_t offset = index->tuples ? index->tuple.start : 0;
    *ran_out = false;
    *complete = false;
    for (uint32_t i = 0; i < count; i++, offset += index->tuples ? index->tuple.increment : 1) {
        enum key_outcome outcome = KEY_MADE;
        bool allowed = true;
        TRY(make_key(maker, offset, &key, &outcome));
        if (outcome == KEY_OUT_OF_VALUES) {
            *ran_out = true;
            goto done;
        }
        if (outcome == KEY_OUT_OF_TUPLES) {
            *complete = !maker->multivalued[0];
            goto done;
        }
        if (outcome == KEY_NOT_PRESENT) {
            *complete = true;
            goto done;
        }
        TRY(null_rules(maker, outcome, &allowed));
        if (outcome == KEY_ALL_NULL)
            *complete = true;
        if (allowed)
            TRY(keys_add(keys, &key));
        else
            *complete = true;
        if (*complete)
            goto done;
    }
done:
    return err;
}

JET_ERR index_keys_of_record(struct table_cursor *cursor, const struct index_definition *index,
                             struct record_view view, bool enforce, struct index_keys *keys)
{
    JET_ERR err = JET_errSuccess;
    struct key_maker maker;
    bool ran_out = false;
    bool complete = false;
    *keys = (struct index_keys){0};
    maker_init(&maker, cursor, index, view, enforce);
    do {
        TRY(combination_keys(&maker, keys, &ran_out, &complete));
    } while (!complete && next_combination(&maker, ran_out));
    sort_keys(keys);
done:
    if (err < JET_errSuccess)
        index_keys_free(keys);
    return err;
}

JET_ERR index_primary_key(struct table_cursor *cursor, struct record_view view, struct index_key *key)
{
    struct key_maker maker;
    enum key_outcome outcome = KEY_MADE;
    bool allowed = true;
    maker_init(&maker, cursor, cursor->table->primary, view, true);
    JET_ERR err = make_key(&maker, 0, key, &outcome);
    if (err >= JET_errSuccess)
        err = null_rules(&maker, outcome, &allowed);
    return err;
}

JET_ERR index_key_of_row(struct table_cursor *cursor, const struct index_definition *index,
                         struct record_view view, uint32_t itag, struct index_key *key, bool *present)
{
    struct key_maker maker;
    enum key_outcome outcome = KEY_MADE;
    *present = false;
    maker_init(&maker, cursor, index, view, false);
    if (!base_key(&maker))
        return JET_errSuccess;
    for (unsigned i = 0; i < index->column_count; i++) {
        if (maker.multivalued[i]) {
            maker.itags[i] = itag;
            break;
        }
    }
    JET_ERR err = make_key(&maker, index->tuples ? index->tuple.start : 0, key, &outcome);
    if (err < JET_errSuccess)
        return err;
    if (outcome == KEY_MADE)
        *present = true;
    else if (outcome != KEY_OUT_OF_VALUES && outcome != KEY_OUT_OF_TUPLES && outcome != KEY_NOT_PRESENT)
        err = null_rules(&maker, outcome, present);
    return err;
}
