#include "src/version/versioned_cursor_internal.h"

JET_ERR versioned_cursor_open(struct transaction *transaction, struct database *database, page_number root,
                              struct versioned_cursor **out)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = NULL;
    struct versioned_cursor *cursor = NULL;

    *out = NULL;
    TRY(tree_open(transaction->store->options.trees, database, root, &tree));
    if (transaction->internal->spare_count > 0)
        cursor = transaction->internal->spare_cursors[--transaction->internal->spare_count];
    else
        cursor = os_allocate(sizeof *cursor);
    if (cursor == NULL)
        FAIL(JET_errOutOfMemory);
    memset(cursor, 0, offsetof(struct versioned_cursor, key_inside));
    cursor->transaction = transaction;
    cursor->key = byte_buffer_on(cursor->key_inside, sizeof cursor->key_inside);
    cursor->data = byte_buffer_on(cursor->data_inside, sizeof cursor->data_inside);
    btree_cursor_init(&cursor->physical, tree);
    tree = NULL;
    *out = cursor;
done:
    tree_close(tree);
    return err;
}

void versioned_cursor_set_density(struct versioned_cursor *cursor, uint32_t density)
{
    tree_set_density(btree_cursor_tree(&cursor->physical), density);
}

void versioned_cursor_close(struct versioned_cursor *cursor)
{
    if (cursor == NULL)
        return;
    btree_cursor_done(&cursor->physical);
    byte_buffer_free(&cursor->key);
    byte_buffer_free(&cursor->data);
    byte_buffer_free(&cursor->image);
    byte_buffer_free(&cursor->copy);
    struct transaction_internal *internal = cursor->transaction->internal;
    if (internal != NULL && internal->spare_count < SPARE_CURSORS)
        internal->spare_cursors[internal->spare_count++] = cursor;
    else
        os_free(cursor);
}

struct tree *versioned_cursor_tree(struct versioned_cursor *cursor)
{
    return btree_cursor_tree(&cursor->physical);
}

static JET_ERR set_bookmark(struct versioned_cursor *cursor, const struct bookmark *bookmark)
{
    JET_ERR err = JET_errSuccess;

    TRY(byte_buffer_set(&cursor->key, bookmark->key));
    TRY(byte_buffer_set(&cursor->data, bookmark->data));
    cursor->hint_page = PAGE_NUMBER_NULL;
done:
    return err;
}

JET_ERR versioned_cursor_duplicate(struct versioned_cursor *from, struct versioned_cursor **out)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = versioned_cursor_tree(from);
    struct bookmark bookmark = cursor_bookmark(from);

    TRY(versioned_cursor_open(from->transaction, tree->database, tree->root, out));
    err = set_bookmark(*out, &bookmark);
    if (err < JET_errSuccess) {
        versioned_cursor_close(*out);
        *out = NULL;
        goto done;
    }
    (*out)->place = from->place;
    (*out)->hint_page = from->hint_page;
    (*out)->hint_line = from->hint_line;
    (*out)->hint_modified = from->hint_modified;
done:
    return err;
}

void versioned_cursor_release(struct versioned_cursor *cursor)
{
    btree_cursor_release(&cursor->physical);
}

void versioned_cursor_before_first(struct versioned_cursor *cursor)
{
    versioned_cursor_release(cursor);
    cursor->place = PLACE_BEFORE_FIRST;
}

void versioned_cursor_after_last(struct versioned_cursor *cursor)
{
    versioned_cursor_release(cursor);
    cursor->place = PLACE_AFTER_LAST;
}

void versioned_cursor_lose(struct versioned_cursor *cursor)
{
    versioned_cursor_release(cursor);
    cursor->place = PLACE_LOST;
}

bool versioned_cursor_on_node(const struct versioned_cursor *cursor)
{
    return cursor->place == PLACE_ON_NODE;
}

JET_ERR versioned_cursor_bookmark(struct versioned_cursor *cursor, struct bookmark *bookmark)
{
    if (cursor->place != PLACE_ON_NODE)
        return JET_errNoCurrentRecord;
    *bookmark = cursor_bookmark(cursor);
    return JET_errSuccess;
}

JET_ERR versioned_cursor_set_bookmark(struct versioned_cursor *cursor, const struct bookmark *bookmark)
{
    versioned_cursor_release(cursor);
    JET_ERR err = set_bookmark(cursor, bookmark);
    if (err >= JET_errSuccess)
        cursor->place = PLACE_ON_NODE;
    return err;
}

JET_ERR cursor_save_place(struct versioned_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    struct node node = btree_cursor_raw_node(&cursor->physical);
    size_t size = key_size(&node.key);

    TRY(byte_buffer_reserve(&cursor->key, size));
    cursor->key.size = key_copy(&node.key, 0, cursor->key.bytes, size);
    if (versioned_cursor_tree(cursor)->unique)
        cursor->data.size = 0;
    else
        TRY(byte_buffer_set(&cursor->data, node.data));
    cursor->place = PLACE_ON_NODE;
    cursor->hint_page = btree_cursor_page(&cursor->physical);
    cursor->hint_line = btree_cursor_line(&cursor->physical);
    cursor->hint_modified = btree_cursor_modified(&cursor->physical);
done:
    return err;
}

/* What the transaction sees of the node the physical cursor is on. */
static JET_ERR look(struct versioned_cursor *cursor, struct node_sight *sight)
{
    struct node node = btree_cursor_raw_node(&cursor->physical);

    return node_look(cursor->transaction->store, cursor->transaction, versioned_cursor_tree(cursor), &node,
                     &cursor->image, sight);
}

/* Goes on from the physical cursor's node, itself included, to the first visible one, and makes it the place.
 */
static JET_ERR settle(struct versioned_cursor *cursor, bool forward)
{
    JET_ERR err = JET_errSuccess;
    struct node_sight sight = {false, {NULL, 0}};

    for (;;) {
        TRY(look(cursor, &sight));
        if (sight.exists)
            break;
        TRY(forward ? btree_cursor_next(&cursor->physical) : btree_cursor_previous(&cursor->physical));
    }
    TRY(cursor_save_place(cursor));
done:
    btree_cursor_release(&cursor->physical);
    return err;
}

JET_ERR versioned_cursor_first(struct versioned_cursor *cursor)
{
    JET_ERR err = btree_cursor_first(&cursor->physical, LATCH_SHARED);

    if (err >= JET_errSuccess)
        err = settle(cursor, true);
    if (err == JET_errRecordNotFound)
        err = JET_errNoCurrentRecord;
    if (err < JET_errSuccess)
        versioned_cursor_before_first(cursor);
    return err;
}

JET_ERR versioned_cursor_last(struct versioned_cursor *cursor)
{
    JET_ERR err = btree_cursor_last(&cursor->physical, LATCH_SHARED);

    if (err >= JET_errSuccess)
        err = settle(cursor, false);
    if (err == JET_errRecordNotFound)
        err = JET_errNoCurrentRecord;
    if (err < JET_errSuccess)
        versioned_cursor_after_last(cursor);
    return err;
}

/* Latches the node at the bookmark or, if it is not there, its neighbour; `equal` tells. *place as
 * btree_cursor_seek. */
static JET_ERR find_place(struct versioned_cursor *cursor, enum seek_place *place)
{
    JET_ERR err = JET_errSuccess;

    if (cursor->place == PLACE_ON_NODE && btree_cursor_try_place(&cursor->physical, cursor->hint_page,
                                                                 cursor->hint_line, cursor->hint_modified)) {
        *place = SEEK_EQUAL;
    } else {
        struct bookmark bookmark = cursor_bookmark(cursor);

        TRY(btree_cursor_seek(&cursor->physical, &bookmark, LATCH_SHARED, place));
    }
done:
    return err;
}

JET_ERR versioned_cursor_next(struct versioned_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    enum seek_place place = SEEK_EMPTY;

    versioned_cursor_release(cursor);
    if (cursor->place == PLACE_BEFORE_FIRST) {
        err = versioned_cursor_first(cursor);
        if (err == JET_errNoCurrentRecord)
            versioned_cursor_after_last(cursor);
        return err;
    }
    if (cursor->place == PLACE_AFTER_LAST || cursor->place == PLACE_LOST)
        return JET_errNoCurrentRecord;
    TRY(find_place(cursor, &place));
    if (place == SEEK_EMPTY || place == SEEK_LESS)
        FAIL(JET_errNoCurrentRecord);
    if (place == SEEK_EQUAL && cursor->place == PLACE_ON_NODE)
        TRY(btree_cursor_next(&cursor->physical));
    TRY(settle(cursor, true));
done:
    if (err == JET_errNoCurrentRecord)
        versioned_cursor_after_last(cursor);
    versioned_cursor_release(cursor);
    return err;
}

JET_ERR versioned_cursor_previous(struct versioned_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    enum seek_place place = SEEK_EMPTY;

    versioned_cursor_release(cursor);
    if (cursor->place == PLACE_AFTER_LAST) {
        err = versioned_cursor_last(cursor);
        if (err == JET_errNoCurrentRecord)
            versioned_cursor_before_first(cursor);
        return err;
    }
    if (cursor->place == PLACE_BEFORE_FIRST || cursor->place == PLACE_LOST)
        return JET_errNoCurrentRecord;
    TRY(find_place(cursor, &place));
    if (place == SEEK_EMPTY)
        FAIL(JET_errNoCurrentRecord);
    if (place != SEEK_LESS)
        TRY(btree_cursor_previous(&cursor->physical));
    TRY(settle(cursor, false));
done:
    if (err == JET_errNoCurrentRecord)
        versioned_cursor_before_first(cursor);
    versioned_cursor_release(cursor);
    return err;
}

static JET_ERR move_key(struct versioned_cursor *cursor, bool forward)
{
    JET_ERR err = JET_errSuccess;
    struct byte_buffer start = {NULL, 0, 0, false};

    if (cursor->place != PLACE_ON_NODE) {
        err = forward ? versioned_cursor_next(cursor) : versioned_cursor_previous(cursor);
        goto done;
    }
    TRY(byte_buffer_set(&start, span_of(cursor->key.bytes, cursor->key.size)));
    do {
        TRY(forward ? versioned_cursor_next(cursor) : versioned_cursor_previous(cursor));
    } while (span_compare(span_of(cursor->key.bytes, cursor->key.size), span_of(start.bytes, start.size)) ==
             0);
done:
    byte_buffer_free(&start);
    return err;
}

JET_ERR versioned_cursor_next_key(struct versioned_cursor *cursor)
{
    return move_key(cursor, true);
}

JET_ERR versioned_cursor_previous_key(struct versioned_cursor *cursor)
{
    return move_key(cursor, false);
}

/* Puts the cursor beside a key, where it is not on any node. */
static JET_ERR place_beside(struct versioned_cursor *cursor, struct span key)
{
    struct bookmark bookmark = {key, {NULL, 0}};
    JET_ERR err = set_bookmark(cursor, &bookmark);

    if (err >= JET_errSuccess)
        cursor->place = PLACE_BESIDE;
    return err;
}

static int compare_place(const struct versioned_cursor *cursor, struct span key)
{
    return span_compare(span_of(cursor->key.bytes, cursor->key.size), key);
}

/* The first visible node at or behind the key; JET_errNoCurrentRecord if none, the place being beside the
 * key. */
static JET_ERR seek_forward(struct versioned_cursor *cursor, struct span key)
{
    JET_ERR err = place_beside(cursor, key);

    if (err < JET_errSuccess)
        return err;
    err = versioned_cursor_next(cursor);
    if (err == JET_errNoCurrentRecord && place_beside(cursor, key) < JET_errSuccess)
        err = JET_errOutOfMemory;
    return err;
}

static JET_ERR seek_backward(struct versioned_cursor *cursor, struct span key)
{
    JET_ERR err = place_beside(cursor, key);

    if (err < JET_errSuccess)
        return err;
    err = versioned_cursor_previous(cursor);
    if (err == JET_errNoCurrentRecord && place_beside(cursor, key) < JET_errSuccess)
        err = JET_errOutOfMemory;
    return err;
}

JET_ERR versioned_cursor_seek(struct versioned_cursor *cursor, struct span wanted, enum versioned_seek how)
{
    JET_ERR err = JET_errSuccess;
    uint8_t memory[2 * BOOKMARK_INSIDE];
    struct byte_buffer kept = byte_buffer_on(memory, sizeof memory); /* the key may be the cursor's own */

    TRY(byte_buffer_set(&kept, wanted));
    struct span key = span_of(kept.bytes, kept.size);
    if (how == VERSIONED_SEEK_LT) {
        TRY(seek_backward(cursor, key));
        goto done;
    }
    err = seek_forward(cursor, key);
    while (err >= JET_errSuccess && how == VERSIONED_SEEK_GT && compare_place(cursor, key) == 0)
        err = versioned_cursor_next(cursor);
    if (how == VERSIONED_SEEK_GT) {
        TRY(err);
        goto done;
    }
    if (err >= JET_errSuccess && compare_place(cursor, key) == 0)
        goto done;
    if (err < JET_errSuccess && err != JET_errNoCurrentRecord)
        goto done;
    if (how == VERSIONED_SEEK_LE) {
        TRY(seek_backward(cursor, key));
        err = JET_wrnSeekNotEqual;
    } else if (how == VERSIONED_SEEK_GE) {
        TRY(err);
        err = JET_wrnSeekNotEqual;
    } else {
        TRY(place_beside(cursor, key));
        err = JET_errRecordNotFound;
    }
done:
    if (err == JET_errNoCurrentRecord) {
        err = place_beside(cursor, span_of(kept.bytes, kept.size));
        if (err >= JET_errSuccess)
            err = JET_errRecordNotFound;
    }
    byte_buffer_free(&kept);
    return err;
}

JET_ERR versioned_cursor_lands(struct versioned_cursor *cursor, struct span key, bool *visible)
{
    JET_ERR err = JET_errSuccess;
    enum seek_place place = SEEK_EMPTY;
    const struct bookmark bookmark = {key, {NULL, 0}};
    struct node_sight sight = {false, {NULL, 0}};

    versioned_cursor_release(cursor);
    TRY(btree_cursor_seek(&cursor->physical, &bookmark, LATCH_SHARED, &place));
    if (place != SEEK_EMPTY)
        TRY(look(cursor, &sight));
    *visible = sight.exists;
done:
    versioned_cursor_release(cursor);
    return err;
}

static bool is_settled(const struct versioned_cursor *cursor, const struct tree *tree,
                       const struct node *node, struct byte_buffer *key)
{
    struct version_store *store = cursor->transaction->store;
    const struct span data = tree->unique ? span_of(NULL, 0) : node->data;
    const uint32_t hash = hash_of(tree, &node->key, data);

    if ((node->flags & NODE_VERSIONED) == 0)
        return true;
    key->size = key_copy(&node->key, 0, key->bytes, key->capacity);
    struct bookmark bookmark = {span_of(key->bytes, key->size), data};
    os_mutex_lock(bucket_lock(store, hash));
    bool conflicts = entry_conflicts(store, cursor->transaction, tree, &bookmark, VERSION_REPLACE);
    os_mutex_unlock(bucket_lock(store, hash));
    return !conflicts;
}

JET_ERR versioned_cursor_check_settled(struct versioned_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    struct btree_cursor *physical = &cursor->physical;
    struct tree *tree = versioned_cursor_tree(cursor);
    struct byte_buffer key = {0};

    TRY(byte_buffer_reserve(&key, BTREE_KEY_MOST));
    versioned_cursor_before_first(cursor);
    for (err = btree_cursor_first(physical, LATCH_SHARED); err >= JET_errSuccess;
         err = btree_cursor_next(physical)) {
        struct node node = btree_cursor_raw_node(physical);

        if (!is_settled(cursor, tree, &node, &key))
            FAIL(JET_errWriteConflict);
    }
    if (err == JET_errNoCurrentRecord || err == JET_errRecordNotFound)
        err = JET_errSuccess;
done:
    btree_cursor_release(physical);
    byte_buffer_free(&key);
    return err;
}

JET_ERR versioned_cursor_any_node(struct versioned_cursor *cursor, bool *any)
{
    versioned_cursor_release(cursor);
    JET_ERR err = btree_cursor_first(&cursor->physical, LATCH_SHARED);
    *any = err >= JET_errSuccess;
    versioned_cursor_release(cursor);
    return err == JET_errRecordNotFound ? JET_errSuccess : err;
}

JET_ERR versioned_cursor_goto(struct versioned_cursor *cursor, const struct bookmark *bookmark)
{
    JET_ERR err = JET_errSuccess;
    enum seek_place place = SEEK_EMPTY;
    struct node_sight sight = {false, {NULL, 0}};

    versioned_cursor_release(cursor);
    TRY(btree_cursor_seek(&cursor->physical, bookmark, LATCH_SHARED, &place));
    if (place != SEEK_EQUAL)
        FAIL(JET_errRecordDeleted);
    TRY(look(cursor, &sight));
    if (!sight.exists)
        FAIL(JET_errRecordDeleted);
    TRY(cursor_save_place(cursor));
done:
    versioned_cursor_release(cursor);
    return err;
}

JET_ERR versioned_cursor_get(struct versioned_cursor *cursor, struct node_view *node)
{
    JET_ERR err = JET_errSuccess;
    enum seek_place place = SEEK_EMPTY;
    struct node_sight sight = {false, {NULL, 0}};

    versioned_cursor_release(cursor);
    if (cursor->place != PLACE_ON_NODE)
        return JET_errNoCurrentRecord;
    TRY(find_place(cursor, &place));
    if (place != SEEK_EQUAL)
        FAIL(JET_errRecordDeleted);
    TRY(look(cursor, &sight));
    if (!sight.exists)
        FAIL(JET_errRecordDeleted);
    cursor->hint_page = btree_cursor_page(&cursor->physical);
    cursor->hint_line = btree_cursor_line(&cursor->physical);
    cursor->hint_modified = btree_cursor_modified(&cursor->physical);
    node->key = span_of(cursor->key.bytes, cursor->key.size);
    node->data = sight.data;
    node->flags = btree_cursor_raw_node(&cursor->physical).flags;
done:
    if (err < JET_errSuccess)
        versioned_cursor_release(cursor);
    return err;
}

JET_ERR versioned_cursor_copy(struct versioned_cursor *cursor, struct node_view *node)
{
    JET_ERR err = JET_errSuccess;

    TRY(versioned_cursor_get(cursor, node));
    TRY(byte_buffer_set(&cursor->copy, node->data));
    node->data = span_of(cursor->copy.bytes, cursor->copy.size);
done:
    versioned_cursor_release(cursor);
    return err;
}

JET_ERR versioned_cursor_position(struct versioned_cursor *cursor, uint64_t *less, uint64_t *total)
{
    if (cursor->place != PLACE_ON_NODE)
        return JET_errNoCurrentRecord;
    struct bookmark bookmark = cursor_bookmark(cursor);
    return btree_cursor_estimate(&cursor->physical, &bookmark, less, total);
}

JET_ERR versioned_cursor_goto_position(struct versioned_cursor *cursor, uint64_t less, uint64_t total)
{
    JET_ERR err = btree_cursor_at_fraction(&cursor->physical, less, total);

    if (err >= JET_errSuccess)
        err = settle(cursor, true);
    if (err == JET_errNoCurrentRecord)
        err = versioned_cursor_last(cursor);
    return err == JET_errNoCurrentRecord ? JET_errRecordNotFound : err;
}
