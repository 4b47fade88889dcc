/* Nodes: what B+-tree pages hold in their lines. A node has a key, data and three flags.
 *
 *     [prefix size, 2 bytes, if NODE_COMPRESSED] [suffix size, 2 bytes] [suffix] [data]
 *
 * The key is the first `prefix size` bytes of the page's external header followed by the suffix. In large
 * pages the top three bits of the first two bytes hold the flags, so sizes have 13 bits everywhere. A node of
 * a branch page has the child's page number (4 bytes) as data, and its key separates: all keys in the child
 * are smaller. The last key of the last page of a level is empty, meaning "above all". (Engine source:
 * `node.cxx`, `bt.cxx`.)
 *
 * Functions that read a node require a page that passed page_check. Thread-safety: the caller's latch. */
#ifndef OPENESENT_PAGE_NODE_H
#define OPENESENT_PAGE_NODE_H

#include "src/page/page.h"

enum node_flag {
    NODE_VERSIONED = 1,  /* the version store may know more about it */
    NODE_DELETED = 2,    /* flag-deleted, waits for clean-up */
    NODE_COMPRESSED = 4, /* the key begins with a part of the page's prefix */
};

#define NODE_KEY_SIZE_MASK 0x1fffu
/* Bytes a node takes beside key and data: suffix size and tag; and the prefix size if compressed. */
#define NODE_OVERHEAD 6u
#define NODE_PREFIX_OVERHEAD 2u

/* A key in two parts, as pages hold it. */
struct key {
    struct span prefix;
    struct span suffix;
};

static inline struct key key_of(const void *data, size_t size)
{
    return (struct key){{NULL, 0}, span_of(data, size)};
}

static inline size_t key_size(const struct key *key)
{
    return key->prefix.size + key->suffix.size;
}

struct node {
    struct key key;
    struct span data;
    uint8_t flags; /* enum node_flag */
};

/* The node in a line. Spans point into the page. */
struct node node_get(const struct page *page, uint32_t line);

/* The same for a page that is not trusted: JET_errNodeCorrupted if the line cannot be a node. */
JET_ERR node_get_checked(const struct page *page, uint32_t line, struct node *node);

/* The child page of a branch page's line. */
page_number node_child(const struct page *page, uint32_t line);

/* Compares as byte strings, shorter first: negative, 0, positive. */
int span_compare(struct span a, struct span b);
int key_compare(const struct key *a, const struct key *b);

/* Compares key, then (if `with_data`, for non-unique trees) data. */
int node_compare(const struct node *a, const struct key *key, struct span data, bool with_data);

/* Whether a branch page's line lies above the key: its own key is greater, or empty. */
bool node_separates(const struct page *page, uint32_t line, const struct key *key);

/* node_get and node_compare in one: what a search does at each line. */
int node_compare_line(const struct page *page, uint32_t line, const struct key *key, struct span data,
                      bool with_data);

/* Number of leading bytes that two keys share. */
size_t key_common_prefix(const struct key *a, const struct key *b);

/* Copies the key, at most `capacity` bytes from `offset` on; returns the number copied. */
size_t key_copy(const struct key *key, size_t offset, void *to, size_t capacity);

/* Bytes that a node takes in a page with its tag, when `prefix_size` bytes of its key are compressed (0:
 * none). */
size_t node_size(size_t key_bytes, size_t data_bytes, size_t prefix_size);

/* How many bytes of the key may be taken from the page's prefix: 0, or more than NODE_PREFIX_OVERHEAD. */
size_t node_prefix_size(const struct page *page, const struct key *key);

/* Inserts a node before `line`, compressed by `prefix_size` bytes (as node_prefix_size gives; the caller may
 * pass less, 0 = not at all). node->flags decides the other flags; NODE_COMPRESSED is set as needed. Requires
 * room. */
void node_insert(struct page *page, uint32_t line, const struct node *node, size_t prefix_size);

/* Replaces a node's data, keeping key and flags. Growing requires room; new data must not lie on the page. */
void node_replace_data(struct page *page, uint32_t line, struct span data);

/* Sets or clears flags (NODE_COMPRESSED may not be touched). */
void node_set_flags(struct page *page, uint32_t line, uint8_t flags);
void node_clear_flags(struct page *page, uint32_t line, uint8_t flags);

#endif
