/* The cursor's insides, for the files that move it and that change through it. */
#ifndef OPENESENT_VERSION_VERSIONED_CURSOR_INTERNAL_H
#define OPENESENT_VERSION_VERSIONED_CURSOR_INTERNAL_H

#include "src/version/version_internal.h"

enum cursor_place {
    PLACE_BEFORE_FIRST,
    PLACE_ON_NODE, /* of the bookmark, which may be gone meanwhile */
    PLACE_BESIDE,  /* where the bookmark would be: between nodes */
    PLACE_AFTER_LAST,
    PLACE_LOST, /* no neighbours */
};

/* Most bookmarks are short: no memory of their own for these. */
#define BOOKMARK_INSIDE 128u

struct versioned_cursor {
    struct transaction *transaction;
    struct btree_cursor physical;
    enum cursor_place place;
    struct byte_buffer key; /* bookmark, for PLACE_ON_NODE and PLACE_BESIDE */
    struct byte_buffer data;
    page_number hint_page; /* where the node was last seen */
    uint32_t hint_line;
    dbtime hint_modified;
    struct byte_buffer image; /* data that is not on the page */
    struct byte_buffer copy;
    uint8_t key_inside[BOOKMARK_INSIDE];
    uint8_t data_inside[BOOKMARK_INSIDE];
};

static inline struct bookmark cursor_bookmark(const struct versioned_cursor *cursor)
{
    return (struct bookmark){span_of(cursor->key.bytes, cursor->key.size),
                             span_of(cursor->data.bytes, cursor->data.size)};
}

/* Remembers the node that the physical cursor is latched on as the place. */
JET_ERR cursor_save_place(struct versioned_cursor *cursor);

#endif
