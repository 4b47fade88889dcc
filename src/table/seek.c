/* JetSeek, going to bookmarks, choosing the current index (engine source: `rec.cxx`). */
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/table/index_key.h"
#include "src/table/navigate.h"
#include "src/table/temporary.h"
#include "src/table/update.h"

#define SEEK_ALL (JET_bitSeekEQ | JET_bitSeekGE | JET_bitSeekGT | JET_bitSeekLE | JET_bitSeekLT)

/* Whether the index entry at the cursor is the only one of its key; looks at the next one with a second
 * cursor. */
static JET_ERR key_is_unique(struct table_cursor *cursor, bool *unique)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *walk = NULL;
    struct bookmark place;
    struct bookmark next;
    const struct index_definition *index = cursor->index;
    *unique = index == NULL || index_is_unique(index);
    if (*unique)
        goto done;
    TRY(versioned_cursor_duplicate(cursor->secondary, &walk));
    err = versioned_cursor_next(walk);
    if (err == JET_errNoCurrentRecord) {
        *unique = true;
        err = JET_errSuccess;
        goto done;
    }
    TRY(err);
    TRY_SOUND(versioned_cursor_bookmark(cursor->secondary, &place)); /* both are on nodes */
    TRY_SOUND(versioned_cursor_bookmark(walk, &next));
    *unique = span_compare(place.key, next.key) != 0;
done:
    versioned_cursor_close(walk);
    return err;
}

/* Goes on from where the seek ended until the filter lets a row pass. */
static JET_ERR skip_filtered(struct table_cursor *cursor, bool forward, bool *moved)
{
    bool passes = false;
    *moved = false;
    JET_ERR err = table_passes_filter(cursor, &passes);
    while (err >= JET_errSuccess && !passes) {
        *moved = true;
        struct versioned_cursor *active = table_active(cursor);
        err = forward ? versioned_cursor_next(active) : versioned_cursor_previous(active);
        if (err >= JET_errSuccess)
            err = table_passes_filter(cursor, &passes);
    }
    return err;
}

static JET_ERR seek_relation(JET_GRBIT grbit, enum versioned_seek *relation, bool *forward)
{
    *forward = true;
    switch (grbit & SEEK_ALL) {
    case JET_bitSeekEQ:
        *relation = VERSIONED_SEEK_EQ;
        break;
    case JET_bitSeekGE:
        *relation = VERSIONED_SEEK_GE;
        break;
    case JET_bitSeekGT:
        *relation = VERSIONED_SEEK_GT;
        break;
    case JET_bitSeekLE:
        *relation = VERSIONED_SEEK_LE;
        *forward = false;
        break;
    case JET_bitSeekLT:
        *relation = VERSIONED_SEEK_LT;
        *forward = false;
        break;
    default:
        return JET_errInvalidParameter; /* none, or more than one */
    }
    return JET_errSuccess;
}

/* After a seek that found a row: extras that the caller asked for. */
static JET_ERR seek_found(struct table_cursor *cursor, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    bool unique = false;
    if ((grbit & SEEK_ALL) != JET_bitSeekEQ)
        goto done;
    if (grbit & JET_bitCheckUniqueness)
        TRY(key_is_unique(cursor, &unique));
    if (unique)
        err = JET_wrnUniqueKey;
    else if (grbit & JET_bitSetIndexRange)
        TRY(table_set_range(cursor, JET_bitRangeInclusive | JET_bitRangeUpperLimit));
done:
    return err;
}

static struct span made_key(const struct table_cursor *cursor)
{
    return span_of(cursor->key, cursor->key_size);
}

/* In a sort, all rows whose keys begin with the key made are equal to it. */
static JET_ERR seek_sort(struct table_cursor *cursor, enum versioned_seek relation)
{
    JET_ERR err = JET_errSuccess;
    struct bookmark place;
    uint8_t behind[KEY_BUFFER_SIZE + 4];
    const struct span key = made_key(cursor);
    memcpy(behind, key.bytes, key.size);
    memset(behind + key.size, 0xff, 4);
    const struct span last = span_of(behind, key.size + 4);
    switch (relation) {
    case VERSIONED_SEEK_GT:
    case VERSIONED_SEEK_LE:
        err = versioned_cursor_seek(cursor->primary, last, relation);
        break;
    case VERSIONED_SEEK_LT:
        err = versioned_cursor_seek(cursor->primary, key, relation);
        break;
    default:
        err = versioned_cursor_seek(cursor->primary, key, VERSIONED_SEEK_GE);
        break;
    }
    TRY(err);
    TRY_SOUND(versioned_cursor_bookmark(cursor->primary, &place)); /* found just now */
    const bool equal = place.key.size >= key.size && memcmp(place.key.bytes, key.bytes, key.size) == 0;
    if (relation == VERSIONED_SEEK_EQ && !equal)
        FAIL(JET_errRecordNotFound);
    if (relation == VERSIONED_SEEK_GE || relation == VERSIONED_SEEK_LE)
        err = equal ? JET_errSuccess : JET_wrnSeekNotEqual;
    else
        err = JET_errSuccess;
done:
    return err;
}

/* As the published engine does it: what is greater than a whole key in a secondary index comes after all that
 * begins like the key. */
static void extend_beyond(struct table_cursor *cursor, enum versioned_seek relation)
{
    const struct index_definition *index = cursor->index;
    if (relation == VERSIONED_SEEK_GT && index != NULL && !index_is_unique(index) &&
        cursor->key_size < index->key_max + 1u && cursor->key_columns == index->column_count)
        cursor->key[cursor->key_size++] = 0xff;
}

/* A seek that found nothing leaves the cursor where the row would be: a range may start there. */
static void remember_seek(struct table_cursor *cursor)
{
    if (cursor->secondary != NULL)
        versioned_cursor_before_first(cursor->primary);
    cursor->beside = true;
    cursor->beside_key.size = cursor->key_size;
    memcpy(cursor->beside_key.bytes, cursor->key, cursor->key_size);
}

/* Whether the published engine, when it found nothing, went on to an end of the tree (and stays there)
 * instead of staying where the row would be: it does if the descent ended on a row it can see (`rec.cxx`,
 * `bt.cxx`). A search for an equal key goes on in non-unique indexes only, and only when nothing lies behind.
 */
static JET_ERR went_to_end(struct table_cursor *cursor, enum versioned_seek relation, bool *to_end)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *active = table_active(cursor);
    *to_end = false;
    if (relation != VERSIONED_SEEK_EQ) {
        err = versioned_cursor_lands(active, made_key(cursor), to_end);
    } else if (cursor->index != NULL && !index_is_unique(cursor->index)) {
        err = versioned_cursor_next(active);
        if (err == JET_errNoCurrentRecord) {
            err = versioned_cursor_previous(active);
            *to_end = err >= JET_errSuccess;
        }
        if (err >= JET_errSuccess || err == JET_errNoCurrentRecord)
            err =
                versioned_cursor_seek(active, made_key(cursor), VERSIONED_SEEK_EQ); /* beside the key again */
        if (err == JET_errRecordNotFound)
            err = JET_errSuccess;
    }
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* Nothing was found: where the cursor stays. */
static JET_ERR place_after_miss(struct table_cursor *cursor, enum versioned_seek relation, bool forward)
{
    bool to_end = true;
    if (!cursor->is_temporary || temporary_is_materialized(cursor)) {
        JET_ERR err = went_to_end(cursor, relation, &to_end);
        if (err < JET_errSuccess)
            return err;
    } else {
        to_end = relation != VERSIONED_SEEK_EQ;
    }
    if (!to_end)
        remember_seek(cursor);
    else if (forward)
        table_after_last(cursor);
    else
        table_before_first(cursor);
    return JET_errSuccess;
}

JET_ERR table_seek(struct table_cursor *cursor, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    enum versioned_seek relation = VERSIONED_SEEK_EQ;
    bool forward = true;
    bool moved = false;
    TRY(temporary_check_seek(cursor));
    TRY(seek_relation(grbit, &relation, &forward));
    if (!cursor->key_prepared)
        FAIL(JET_errKeyNotMade);
    if (cursor->prepared != PREPARED_NONE)
        table_drop_update(cursor);
    table_forget_range(cursor);
    cursor->deferred_first = false;
    cursor->deferred_secondary = false;
    table_note_level(cursor);
    extend_beyond(cursor, relation);
    err = cursor->is_temporary && !temporary_is_materialized(cursor)
              ? seek_sort(cursor, relation)
              : versioned_cursor_seek(table_active(cursor), made_key(cursor), relation);
    const bool not_equal = err == JET_wrnSeekNotEqual;
    if (err >= JET_errSuccess && cursor->filter_count > 0 && relation != VERSIONED_SEEK_EQ)
        err = skip_filtered(cursor, forward, &moved);
    if (err >= JET_errSuccess)
        err = table_follow(cursor);
    if (err == JET_errRecordNotFound || err == JET_errNoCurrentRecord) {
        err = place_after_miss(cursor, relation, forward);
        if (err >= JET_errSuccess) {
            table_forget_key(cursor);
            FAIL(JET_errRecordNotFound);
        }
    }
    if (err < JET_errSuccess) {
        table_forget_key(cursor);
        table_before_first(cursor);
        goto done;
    }
    err = seek_found(cursor, grbit);
    if (err == JET_errSuccess && (not_equal || moved) &&
        (relation == VERSIONED_SEEK_GE || relation == VERSIONED_SEEK_LE))
        err = JET_wrnSeekNotEqual;
    table_forget_key(cursor);
done:
    return err;
}

/* After the primary place has been set: finds the entry of that row in the current secondary index. */
static JET_ERR find_entry(struct table_cursor *cursor, struct span primary_key, uint32_t itag)
{
    JET_ERR err = JET_errSuccess;
    struct index_key key;
    bool present = false;
    struct node_view node;
    cursor->secondary_level = (uint8_t)transaction_level(cursor->transaction);
    TRY(versioned_cursor_copy(cursor->primary, &node));
    TRY(index_key_of_row(cursor, cursor->index,
                         (struct record_view){node.data.bytes, (uint32_t)node.data.size}, itag, &key,
                         &present));
    /* The published engine makes this key in the buffer of JetMakeKey. */
    if (cursor->key != NULL)
        memcpy(cursor->key, key.bytes, key.size);
    if (!present)
        FAIL(JET_errNoCurrentRecord);
    struct bookmark entry = {.key = span_of(key.bytes, key.size), .data = primary_key};
    if (index_is_unique(cursor->index)) {
        TRY(versioned_cursor_seek(cursor->secondary, entry.key, VERSIONED_SEEK_EQ));
    } else {
        TRY(versioned_cursor_goto(cursor->secondary, &entry));
    }
done:
    return err;
}

/* JET_errInvalidBookmark for what can be no bookmark. */
static JET_ERR check_bookmark(struct span bookmark)
{
    return bookmark.bytes == NULL || bookmark.size == 0 || bookmark.size > KEY_SIZE_MAX
               ? JET_errInvalidBookmark
               : JET_errSuccess;
}

JET_ERR table_goto_bookmark(struct table_cursor *cursor, struct span bookmark)
{
    JET_ERR err = JET_errSuccess;
    const struct bookmark place = {.key = bookmark};
    TRY(check_bookmark(bookmark));
    if (cursor->prepared != PREPARED_NONE)
        table_drop_update(cursor);
    table_forget_range(cursor);
    table_forget_key(cursor);
    TRY(versioned_cursor_goto(cursor->primary, &place));
    cursor->deferred_first = false;
    cursor->deferred_secondary = false;
    if (cursor->secondary != NULL) {
        uint8_t copy[KEY_BUFFER_SIZE];
        memcpy(copy, bookmark.bytes, bookmark.size);
        err = find_entry(cursor, span_of(copy, bookmark.size), 1);
        if (err < JET_errSuccess) {
            versioned_cursor_before_first(cursor->secondary);
            if (err == JET_errRecordNotFound || err == JET_errRecordDeleted)
                err = JET_errNoCurrentRecord;
        }
    }
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

JET_ERR table_goto_secondary_bookmark(struct table_cursor *cursor, struct span key, struct span bookmark,
                                      JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct bookmark entry = {.key = key, .data = bookmark};
    if (cursor->secondary == NULL)
        FAIL(JET_errNoCurrentIndex);
    if (key.bytes == NULL || key.size == 0 || key.size > KEY_SIZE_MAX)
        FAIL(JET_errInvalidBookmark);
    const bool unique = index_is_unique(cursor->index);
    if (!unique || (grbit & JET_bitBookmarkPermitVirtualCurrency) != 0)
        TRY(check_bookmark(bookmark));
    if (cursor->prepared != PREPARED_NONE)
        table_drop_update(cursor);
    table_forget_range(cursor);
    table_forget_key(cursor);
    cursor->deferred_first = false;
    cursor->deferred_secondary = false;
    if (unique)
        entry.data = span_of(NULL, 0);
    err = versioned_cursor_goto(cursor->secondary, &entry);
    if (err == JET_errRecordDeleted && (grbit & JET_bitBookmarkPermitVirtualCurrency) != 0) {
        TRY(versioned_cursor_set_bookmark(cursor->secondary, &entry));
        entry = (struct bookmark){.key = bookmark};
        TRY(versioned_cursor_set_bookmark(cursor->primary, &entry));
        FAIL(JET_errRecordDeleted);
    }
    TRY(err);
    TRY(table_follow(cursor));
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* Makes `index` (NULL: primary) the current one, without a place. */
static JET_ERR switch_index(struct table_cursor *cursor, struct index_definition *index)
{
    struct versioned_cursor *secondary = NULL;
    if (index != NULL) {
        JET_ERR err = versioned_cursor_open(cursor->transaction, cursor->database, index->root, &secondary);
        if (err < JET_errSuccess)
            return err;
    }
    versioned_cursor_close(cursor->secondary);
    cursor->secondary = secondary;
    cursor->secondary_level = (uint8_t)transaction_level(cursor->transaction);
    cursor->index = index;
    table_forget_key(cursor);
    cursor->key_size = 0;
    table_forget_range(cursor);
    table_before_first(cursor);
    return JET_errSuccess;
}

JET_ERR table_set_index_definition(struct table_cursor *cursor, struct index_definition *index,
                                   JET_GRBIT grbit, uint32_t itag)
{
    JET_ERR err = JET_errSuccess;
    uint8_t copy[KEY_BUFFER_SIZE];
    uint32_t size = 0;
    struct index_definition *wanted = index != NULL && !index_is_primary(index) ? index : NULL;
    if (wanted != NULL && (wanted->extended & INDEX_EXTENDED_DEFERRED_POPULATE) != 0)
        FAIL(JET_errCantUseDeferredPopulateIndex);
    if (grbit == JET_bitMoveFirst) {
        if (cursor->prepared != PREPARED_NONE)
            table_drop_update(cursor);
        if (wanted != cursor->index)
            TRY(switch_index(cursor, wanted));
        table_defer_first(cursor);
        goto done;
    }
    struct span bookmark;
    TRY(table_bookmark(cursor, &bookmark));
    size = (uint32_t)bookmark.size;
    memcpy(copy, bookmark.bytes, size);
    if (wanted != cursor->index)
        TRY(switch_index(cursor, wanted));
    const struct bookmark place = {.key = span_of(copy, size)};
    table_forget_key(cursor);
    TRY(versioned_cursor_goto(cursor->primary, &place));
    if (cursor->secondary != NULL) {
        cursor->deferred_secondary = false;
        err = find_entry(cursor, place.key, itag == 0 ? 1 : itag);
        if (err < JET_errSuccess) {
            versioned_cursor_before_first(cursor->secondary);
            if (err == JET_errRecordNotFound || err == JET_errRecordDeleted)
                err = JET_errNoCurrentRecord;
        }
    }
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

JET_ERR table_set_index(struct table_cursor *cursor, const char *name, JET_GRBIT grbit, uint32_t itag)
{
    JET_ERR err = JET_errSuccess;
    struct index_definition *index = NULL;
    char checked[NAME_MAX_SIZE + 1];
    if (cursor->filter_count > 0)
        FAIL(JET_errFilteredMoveNotSupported);
    if (name != NULL && name[0] != 0) {
        TRY(table_check_name(name, checked));
        TRY(table_find_index(cursor, checked, &index));
    }
    TRY(table_set_index_definition(cursor, index, grbit, itag));
done:
    return err;
}
