#include "src/page/node.h"

#include "src/page/tags.h"

static inline __attribute__((always_inline)) uint16_t read_size(const uint8_t *at)
{
    uint16_t size;
    memcpy(&size, at, 2);
    return (uint16_t)(size & NODE_KEY_SIZE_MASK);
}

struct read_node {
    struct node node;
    JET_ERR err;
};

/* By value and inlined wherever a node is looked at, so that it stays in registers in every build. */
static inline __attribute__((always_inline)) struct read_node read_node(const struct page *page,
                                                                        uint32_t line_index)
{
    struct read_node read = {{{{NULL, 0}, {NULL, 0}}, {NULL, 0}, 0}, JET_errNodeCorrupted};
    const struct line line = line_of_tag(page, line_index + reserved_count(page));
    const uint8_t *at = line.data;
    uint32_t left = line.size;
    ASSERT(line_index + reserved_count(page) < tag_count(page));
    read.node.flags = line.flags;
    if (line.flags & NODE_COMPRESSED) {
        const struct line header = line_of_tag(page, 0);
        if (left < NODE_PREFIX_OVERHEAD)
            return read;
        const uint16_t prefix = read_size(at);
        if (prefix > header.size)
            return read;
        read.node.key.prefix = span_of(header.data, prefix);
        at += NODE_PREFIX_OVERHEAD;
        left -= NODE_PREFIX_OVERHEAD;
    }
    if (left < 2)
        return read;
    const uint16_t suffix = read_size(at);
    if (suffix > left - 2)
        return read;
    read.node.key.suffix = span_of(at + 2, suffix);
    read.node.data = span_of(at + 2 + suffix, left - 2 - suffix);
    read.err = JET_errSuccess;
    return read;
}

JET_ERR node_get_checked(const struct page *page, uint32_t line, struct node *node)
{
    const struct read_node read = read_node(page, line);
    *node = read.node;
    return read.err;
}

struct node node_get(const struct page *page, uint32_t line)
{
    const struct read_node read = read_node(page, line);
    ASSERT(read.err == JET_errSuccess);
    return read.node;
}

page_number node_child(const struct page *page, uint32_t line)
{
    const struct node node = node_get(page, line);
    page_number child;
    ASSERT(node.data.size == sizeof child);
    memcpy(&child, node.data.bytes, sizeof child);
    return child;
}

/* How many leading bytes are the same. Keys are short and differ early: this is less than a call of memcmp.
 */
static inline __attribute__((always_inline)) size_t common_bytes(const uint8_t *a, const uint8_t *b,
                                                                 size_t size)
{
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word_a;
        uint64_t word_b;
        memcpy(&word_a, a + at, 8);
        memcpy(&word_b, b + at, 8);
        if (word_a != word_b)
            return at + (size_t)__builtin_ctzll(word_a ^ word_b) / 8;
    }
    while (at < size && a[at] == b[at])
        at++;
    return at;
}

static inline __attribute__((always_inline)) int compare_spans(struct span a, struct span b)
{
    const size_t size = a.size < b.size ? a.size : b.size;
    const size_t common = common_bytes(a.bytes, b.bytes, size);
    if (common < size)
        return a.bytes[common] < b.bytes[common] ? -1 : 1;
    return (a.size > b.size) - (a.size < b.size);
}

int span_compare(struct span a, struct span b)
{
    return compare_spans(a, b);
}

/* The part of a key that begins at `offset`, as one piece that ends where a part of the key ends. */
static inline __attribute__((always_inline)) struct span key_piece(struct key key, size_t offset)
{
    if (offset < key.prefix.size)
        return span_of(key.prefix.bytes + offset, key.prefix.size - offset);
    offset -= key.prefix.size;
    if (offset >= key.suffix.size)
        return (struct span){NULL, 0};
    return span_of(key.suffix.bytes + offset, key.suffix.size - offset);
}

static inline __attribute__((always_inline)) int compare_keys(struct key a, struct key b)
{
    size_t at = 0;
    if (a.prefix.size + b.prefix.size == 0) /* most keys are of one piece */
        return compare_spans(a.suffix, b.suffix);
    for (;;) {
        const struct span piece_a = key_piece(a, at);
        const struct span piece_b = key_piece(b, at);
        const size_t size = piece_a.size < piece_b.size ? piece_a.size : piece_b.size;
        if (size == 0)
            return (piece_a.size > 0) - (piece_b.size > 0);
        const size_t common = common_bytes(piece_a.bytes, piece_b.bytes, size);
        if (common < size)
            return piece_a.bytes[common] < piece_b.bytes[common] ? -1 : 1;
        at += size;
    }
}

int key_compare(const struct key *a, const struct key *b)
{
    return compare_keys(*a, *b);
}

int node_compare(const struct node *node, const struct key *key, struct span data, bool with_data)
{
    const int order = compare_keys(node->key, *key);
    return order != 0 || !with_data ? order : compare_spans(node->data, data);
}

int node_compare_line(const struct page *page, uint32_t line, const struct key *key, struct span data,
                      bool with_data)
{
    const struct read_node read = read_node(page, line);
    ASSERT(read.err == JET_errSuccess);
    const int order = compare_keys(read.node.key, *key);
    return order != 0 || !with_data ? order : compare_spans(read.node.data, data);
}

bool node_separates(const struct page *page, uint32_t line, const struct key *key)
{
    const struct read_node read = read_node(page, line);
    ASSERT(read.err == JET_errSuccess);
    return read.node.key.prefix.size + read.node.key.suffix.size == 0 ||
           compare_keys(read.node.key, *key) > 0;
}

size_t key_common_prefix(const struct key *a, const struct key *b)
{
    size_t at = 0;
    for (;;) {
        const struct span piece_a = key_piece(*a, at);
        const struct span piece_b = key_piece(*b, at);
        const size_t size = piece_a.size < piece_b.size ? piece_a.size : piece_b.size;
        const size_t common = common_bytes(piece_a.bytes, piece_b.bytes, size);
        at += common;
        if (common < size || size == 0)
            return at;
    }
}

size_t key_copy(const struct key *key, size_t offset, void *to, size_t capacity)
{
    size_t done = 0;
    while (done < capacity) {
        const struct span piece = key_piece(*key, offset + done);
        const size_t size = piece.size < capacity - done ? piece.size : capacity - done;
        if (size == 0)
            break;
        memcpy((uint8_t *)to + done, piece.bytes, size);
        done += size;
    }
    return done;
}

size_t node_size(size_t key_bytes, size_t data_bytes, size_t prefix_size)
{
    return NODE_OVERHEAD + key_bytes + data_bytes + (prefix_size > 0 ? NODE_PREFIX_OVERHEAD : 0) -
           prefix_size;
}

size_t node_prefix_size(const struct page *page, const struct key *key)
{
    if (page_is_root(page))
        return 0;
    const struct line header = page_external_header(page);
    const struct key prefix = key_of(header.data, header.size);
    const size_t common = header.size == 0 ? 0 : key_common_prefix(&prefix, key);
    return common > NODE_PREFIX_OVERHEAD ? common : 0;
}

void node_insert(struct page *page, uint32_t line, const struct node *node, size_t prefix_size)
{
    ASSERT(prefix_size <= key_size(&node->key) && key_size(&node->key) <= NODE_KEY_SIZE_MASK);
    ASSERT(prefix_size == 0 || prefix_size <= page_external_header(page).size);
    const uint16_t sizes[2] = {(uint16_t)prefix_size, (uint16_t)(key_size(&node->key) - prefix_size)};
    struct span parts[4];
    size_t count = 0;
    parts[count++] = prefix_size > 0 ? span_of(sizes, 4) : span_of(&sizes[1], 2);
    const struct span rest = key_piece(node->key, prefix_size);
    parts[count++] = rest;
    parts[count++] = key_piece(node->key, prefix_size + rest.size);
    parts[count++] = node->data;
    uint8_t flags = (uint8_t)(node->flags & ~NODE_COMPRESSED);
    if (prefix_size > 0)
        flags |= NODE_COMPRESSED;
    page_insert_line(page, line, flags, parts, count);
}

void node_replace_data(struct page *page, uint32_t line_index, struct span data)
{
    const struct line line = page_line(page, line_index);
    const struct node node = node_get(page, line_index);
    const size_t head = line.size - node.data.size;
    /* The head may have to move with the line: a growing line leaves its place. */
    uint8_t copy[NODE_PREFIX_OVERHEAD + 2 + NODE_KEY_SIZE_MASK];
    ASSERT(head <= sizeof copy);
    memcpy(copy, line.data, head);
    const struct span parts[2] = {span_of(copy, head), data};
    page_replace_line(page, line_index, line.flags, parts, 2);
}

void node_set_flags(struct page *page, uint32_t line, uint8_t flags)
{
    ASSERT(!(flags & NODE_COMPRESSED));
    page_set_line_flags(page, line, page_line(page, line).flags | flags);
}

void node_clear_flags(struct page *page, uint32_t line, uint8_t flags)
{
    ASSERT(!(flags & NODE_COMPRESSED));
    page_set_line_flags(page, line, (uint8_t)(page_line(page, line).flags & ~flags));
}
