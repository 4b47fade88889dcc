/* Moves, ranges, bookmarks, counts, positions (engine sources: `rec.cxx`, `dir.cxx`). */
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/table/navigate.h"
#include "src/table/temporary.h"
#include "src/table/update.h"

void table_forget_range(struct table_cursor *cursor)
{
    cursor->range_set = false;
}

static struct span made_key(const struct table_cursor *cursor)
{
    return span_of(cursor->key, cursor->key_size);
}

/* Whether a key lies outside the range. If so the range ends and the place goes beyond the end. */
static bool leaves_range(struct table_cursor *cursor, struct span key)
{
    int order = span_compare(key, made_key(cursor));
    bool outside = cursor->range_upper ? order > 0 : order < 0;
    if (order == 0)
        outside = !cursor->range_inclusive;
    if (!outside)
        return false;
    table_forget_range(cursor);
    /* The row stays current; the next move goes from the end. */
    if (cursor->range_upper)
        versioned_cursor_after_last(table_active(cursor));
    else
        versioned_cursor_before_first(table_active(cursor));
    return true;
}

/* One step in the active tree, within the range, passing over what the filter refuses. */
static JET_ERR step(struct table_cursor *cursor, bool forward, bool by_key)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *active = table_active(cursor);
    bool passes = false;
    table_note_level(cursor);
    do {
        if (by_key)
            err = forward ? versioned_cursor_next_key(active) : versioned_cursor_previous_key(active);
        else
            err = forward ? versioned_cursor_next(active) : versioned_cursor_previous(active);
        TRY(err);
        if (cursor->range_set && cursor->range_upper == forward) {
            struct bookmark place;
            TRY_SOUND(versioned_cursor_bookmark(active, &place)); /* just moved to */
            if (leaves_range(cursor, place.key))
                FAIL(JET_errNoCurrentRecord);
        }
        TRY(table_passes_filter(cursor, &passes));
    } while (!passes);
done:
    return err;
}

/* To the first or last row that passes the filter. */
static JET_ERR to_end(struct table_cursor *cursor, bool first)
{
    JET_ERR err = JET_errSuccess;
    bool passes = false;
    table_forget_range(cursor);
    cursor->deferred_first = false;
    cursor->deferred_secondary = false;
    struct versioned_cursor *active = table_active(cursor);
    table_note_level(cursor);
    TRY(first ? versioned_cursor_first(active) : versioned_cursor_last(active));
    TRY(table_passes_filter(cursor, &passes));
    if (!passes)
        TRY(step(cursor, first, false));
done:
    return err;
}

JET_ERR table_move(struct table_cursor *cursor, int32_t rows, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    const bool by_key = (grbit & JET_bitMoveKeyNE) != 0;
    if (cursor->filter_count > 0 && rows == 0)
        return JET_errFilteredMoveNotSupported;
    TRY(temporary_check_move(cursor, rows));
    if (cursor->prepared != PREPARED_NONE)
        table_drop_update(cursor);
    if (rows == (int32_t)JET_MoveFirst || rows == JET_MoveLast) {
        err = to_end(cursor, rows == (int32_t)JET_MoveFirst);
    } else {
        err = table_settle_active(cursor);
        if (rows == 0 && err >= JET_errSuccess) {
            struct node_view node;
            err = versioned_cursor_get(table_active(cursor), &node);
            versioned_cursor_release(table_active(cursor));
        }
        for (int64_t left = rows; err >= JET_errSuccess && left != 0; left += left > 0 ? -1 : 1)
            err = step(cursor, left > 0, by_key);
    }
    if (err >= JET_errSuccess)
        err = table_follow(cursor);
    if (err < JET_errSuccess && rows != 0) {
        if (rows > 0 && (err == JET_errNoCurrentRecord || err == JET_errRecordDeleted))
            table_after_last(cursor);
        else
            table_before_first(cursor); /* also after failures of any other kind */
    }
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

JET_ERR table_set_range(struct table_cursor *cursor, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct index_definition *index = cursor->index;
    struct bookmark place;
    if (grbit & JET_bitRangeRemove) {
        if (!cursor->range_set)
            return JET_errInvalidOperation;
        table_forget_range(cursor);
        return JET_errSuccess;
    }
    if (index == NULL)
        TRY(table_find_index(cursor, NULL, &index));
    if (index == NULL)
        FAIL(JET_errNoCurrentIndex);
    if (!cursor->key_prepared)
        FAIL(JET_errKeyNotMade);
    cursor->range_set = true;
    cursor->range_upper = (grbit & JET_bitRangeUpperLimit) != 0;
    cursor->range_inclusive = (grbit & JET_bitRangeInclusive) != 0;
    err = table_settle_active(cursor);
    if (err >= JET_errSuccess && cursor->beside && !versioned_cursor_on_node(table_active(cursor)))
        place.key = span_of(cursor->beside_key.bytes, cursor->beside_key.size);
    else if (err >= JET_errSuccess)
        err = versioned_cursor_bookmark(table_active(cursor), &place);
    if (err >= JET_errSuccess && leaves_range(cursor, place.key))
        err = JET_errNoCurrentRecord;
    table_forget_key(cursor);
    if (grbit & JET_bitRangeInstantDuration)
        table_forget_range(cursor);
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

JET_ERR table_bookmark(struct table_cursor *cursor, struct span *bookmark)
{
    struct bookmark place;
    JET_ERR err = versioned_cursor_bookmark(cursor->primary, &place);
    if (err >= JET_errSuccess)
        *bookmark = place.key;
    return err;
}

JET_ERR table_secondary_bookmark(struct table_cursor *cursor, struct span *key, struct span *bookmark)
{
    JET_ERR err = JET_errSuccess;
    struct node_view node;
    if (cursor->secondary == NULL)
        FAIL(JET_errNoCurrentIndex);
    TRY(table_settle_active(cursor));
    TRY(versioned_cursor_copy(cursor->secondary, &node));
    *key = node.key;
    *bookmark = node.data;
done:
    return err;
}

JET_ERR table_retrieve_key(struct table_cursor *cursor, JET_GRBIT grbit, struct span *key)
{
    JET_ERR err = JET_errSuccess;
    struct node_view node;
    if (grbit & JET_bitRetrieveCopy) {
        if (cursor->key == NULL || cursor->key_size == 0)
            FAIL(JET_errKeyNotMade); /* one that has been used is still there */
        *key = made_key(cursor);
        goto done;
    }
    TRY(table_settle_active(cursor));
    TRY(versioned_cursor_copy(table_active(cursor), &node));
    *key = node.key;
    if (temporary_has_numbers(cursor))
        key->size -= TEMPORARY_NUMBER_SIZE;
done:
    return err;
}

JET_ERR table_count(struct table_cursor *cursor, uint64_t limit, uint64_t *count)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *walk = NULL;
    struct node_view node;
    *count = 0;
    TRY(table_settle_active(cursor));
    TRY(versioned_cursor_copy(table_active(cursor), &node));
    TRY(versioned_cursor_duplicate(table_active(cursor), &walk));
    while (limit == 0 || *count < limit) {
        ++*count;
        if (limit != 0 && *count == limit)
            break;
        const bool forward = !cursor->range_set || cursor->range_upper;
        err = forward ? versioned_cursor_next(walk) : versioned_cursor_previous(walk);
        if (err == JET_errNoCurrentRecord) {
            err = JET_errSuccess;
            break;
        }
        TRY(err);
        if (cursor->range_set) {
            struct bookmark place;
            TRY_SOUND(versioned_cursor_bookmark(walk, &place));
            const int order = span_compare(place.key, made_key(cursor));
            if ((forward ? order > 0 : order < 0) || (order == 0 && !cursor->range_inclusive))
                break;
        }
    }
done:
    versioned_cursor_close(walk);
    return err < JET_errSuccess ? err : JET_errSuccess;
}

JET_ERR table_position(struct table_cursor *cursor, JET_RECPOS *position)
{
    JET_ERR err = JET_errSuccess;
    uint64_t less = 0;
    uint64_t total = 0;
    TRY(table_settle_active(cursor));
    TRY(versioned_cursor_position(table_active(cursor), &less, &total));
    position->cbStruct = sizeof(*position);
    position->centriesLT = (uint32_t)less;
    position->centriesInRange = 1;
    position->centriesTotal = (uint32_t)total;
done:
    return err;
}

JET_ERR table_goto_position(struct table_cursor *cursor, const JET_RECPOS *position)
{
    JET_ERR err = JET_errSuccess;
    if (cursor->prepared != PREPARED_NONE)
        table_drop_update(cursor);
    table_forget_range(cursor);
    if (position->centriesLT > position->centriesTotal)
        FAIL(JET_errInvalidParameter);
    cursor->deferred_first = false;
    cursor->deferred_secondary = false;
    table_note_level(cursor);
    if (position->centriesLT == position->centriesTotal)
        err = versioned_cursor_last(table_active(cursor));
    else
        err = versioned_cursor_goto_position(table_active(cursor), position->centriesLT,
                                             position->centriesTotal);
    if (err >= JET_errSuccess)
        err = table_follow(cursor);
    if (err == JET_errRecordNotFound || err == JET_errNoCurrentRecord) {
        table_before_first(cursor);
        err = JET_errNoCurrentRecord;
    }
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}
