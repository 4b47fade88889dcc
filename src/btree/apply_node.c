#include "src/btree/apply_node.h"

static uint8_t with_version(uint8_t flags, bool versioned)
{
    return versioned ? (uint8_t)(flags | NODE_VERSIONED) : flags;
}

JET_ERR apply_check_line(const struct page *page, uint32_t line)
{
    return line < page_line_count(page) ? JET_errSuccess : JET_errLogCorrupted;
}

JET_ERR apply_check_insert(const struct page *page, uint32_t line, struct span key, uint32_t prefix_size,
                           struct span data)
{
    struct line header = page_external_header(page);

    if (line > page_line_count(page) || prefix_size > key.size || prefix_size > header.size)
        return JET_errLogCorrupted;
    if (page_is_root(page) && prefix_size > 0)
        return JET_errLogCorrupted;
    if (prefix_size > 0 && memcmp(header.data, key.bytes, prefix_size) != 0)
        return JET_errLogCorrupted;
    if (key.size > NODE_KEY_SIZE_MASK || data.size > page->size ||
        !page_has_room(page, (uint32_t)node_size((uint32_t)key.size, (uint32_t)data.size, prefix_size) -
                                 (uint32_t)sizeof(struct page_tag)))
        return JET_errLogCorrupted;
    return JET_errSuccess;
}

void apply_insert(struct page *page, uint32_t line, struct span key, uint32_t prefix_size, struct span data,
                  bool versioned)
{
    struct node node = {key_of(key.bytes, key.size), data, with_version(0, versioned)};

    node_insert(page, line, &node, prefix_size);
}

JET_ERR apply_check_replace(const struct page *page, uint32_t line, uint32_t data_size)
{
    JET_ERR err = apply_check_line(page, line);

    if (err < JET_errSuccess)
        return err;
    size_t old_size = node_get(page, line).data.size;
    if (data_size > old_size && data_size - old_size > page_free_bytes(page))
        return JET_errLogCorrupted;
    return JET_errSuccess;
}

void apply_flag_insert(struct page *page, uint32_t line, bool versioned)
{
    node_clear_flags(page, line, NODE_DELETED);
    if (versioned)
        node_set_flags(page, line, NODE_VERSIONED);
}

void apply_flag_insert_and_replace(struct page *page, uint32_t line, struct span data, bool versioned)
{
    node_replace_data(page, line, data);
    apply_flag_insert(page, line, versioned);
}

void apply_replace(struct page *page, uint32_t line, struct span data, bool versioned)
{
    node_replace_data(page, line, data);
    if (versioned)
        node_set_flags(page, line, NODE_VERSIONED);
}

void apply_flag_delete(struct page *page, uint32_t line, bool versioned)
{
    node_set_flags(page, line, with_version(NODE_DELETED, versioned));
}

void apply_delete(struct page *page, uint32_t line)
{
    page_delete_lines(page, line, 1);
}

JET_ERR apply_check_delta(const struct page *page, uint32_t line, uint32_t offset, uint32_t width)
{
    JET_ERR err = apply_check_line(page, line);

    if (err < JET_errSuccess)
        return err;
    size_t size = node_get(page, line).data.size;
    return width <= size && offset <= size - width ? JET_errSuccess : JET_errLogCorrupted;
}

void apply_delta(struct page *page, uint32_t line, uint32_t offset, uint32_t width, int64_t delta,
                 bool versioned)
{
    struct node node = node_get(page, line);
    uint8_t *at = page->data + (node.data.bytes - page->data) + offset;
    uint64_t value = 0;

    ASSERT((width == 4 || width == 8) && offset + width <= node.data.size);
    memcpy(&value, at, width);
    value += (uint64_t)delta;
    memcpy(at, &value, width);
    if (versioned)
        node_set_flags(page, line, NODE_VERSIONED);
}

void apply_empty_page(struct page *page)
{
    page_delete_lines(page, 0, page_line_count(page));
    page_set_external_header(page, NULL, 0);
    page_set_uncommitted_free(page, 0);
    page_header(page)->flags |= PAGE_EMPTY;
}

void apply_external_header(struct page *page, struct span data)
{
    page_set_external_header(page, &data, 1);
}

static void clear_version(struct page *page, uint32_t line, bool unversion)
{
    if (unversion)
        node_clear_flags(page, line, NODE_VERSIONED);
}

void apply_undo_insert(struct page *page, uint32_t line, bool unversion)
{
    node_set_flags(page, line, NODE_DELETED);
    clear_version(page, line, unversion);
}

void apply_undo_flag_delete(struct page *page, uint32_t line, bool unversion)
{
    node_clear_flags(page, line, NODE_DELETED);
    clear_version(page, line, unversion);
}

void apply_undo_replace(struct page *page, uint32_t line, struct span before, bool unversion)
{
    node_replace_data(page, line, before);
    clear_version(page, line, unversion);
}

/* Flags of a difference's header, as they are in the one-byte form (the two-byte header has them in its upper
 * byte). */
enum {
    DIFFERENCE_SAME_LENGTH = 1 << 5,
    DIFFERENCE_INSERT = 1 << 6,
    DIFFERENCE_WIDE_LENGTHS = 1 << 7,
    DIFFERENCE_OFFSET_MASK = 0x1fff,
};

/* Reads from the differences, remembering that it ran out. */
struct difference_reader {
    struct span rest;
    bool short_of_bytes;
};

static uint32_t read_number(struct difference_reader *reader, uint32_t width)
{
    uint32_t value = 0;

    if (reader->rest.size < width) {
        reader->short_of_bytes = true;
        return 0;
    }
    memcpy(&value, reader->rest.bytes, width);
    reader->rest = span_of(reader->rest.bytes + width, reader->rest.size - width);
    return value;
}

/* Writes the result, remembering that it did not fit. */
struct difference_writer {
    uint8_t *out;
    uint32_t capacity;
    uint32_t size;
    bool overflow;
};

static void write_bytes(struct difference_writer *writer, const uint8_t *bytes, size_t size)
{
    if (size > writer->capacity - writer->size) {
        writer->overflow = true;
        return;
    }
    if (size > 0)
        memcpy(writer->out + writer->size, bytes, size);
    writer->size += (uint32_t)size;
}

JET_ERR apply_difference(struct span before, struct span differences, bool wide_header, uint8_t *out,
                         uint32_t capacity, uint32_t *out_size)
{
    struct difference_reader reader = {differences, false};
    struct difference_writer writer = {out, capacity, 0, false};
    size_t done = 0; /* bytes of `before` that are dealt with */

    while (reader.rest.size > 0) {
        uint32_t head = read_number(&reader, 2);
        uint32_t flags = wide_header ? read_number(&reader, 1) : head >> 8;
        uint32_t offset = wide_header ? head : (head & DIFFERENCE_OFFSET_MASK);
        uint32_t width = (flags & DIFFERENCE_WIDE_LENGTHS) != 0 ? 2 : 1;
        uint32_t new_size = read_number(&reader, width);
        uint32_t old_size = 0;

        if ((flags & DIFFERENCE_INSERT) == 0)
            old_size = (flags & DIFFERENCE_SAME_LENGTH) != 0 ? new_size : read_number(&reader, width);
        if (reader.short_of_bytes || reader.rest.size < new_size || offset < done || offset > before.size ||
            old_size > before.size - offset)
            return JET_errLogCorrupted;
        write_bytes(&writer, before.bytes + done, offset - done);
        write_bytes(&writer, reader.rest.bytes, new_size);
        reader.rest = span_of(reader.rest.bytes + new_size, reader.rest.size - new_size);
        done = offset + old_size;
    }
    write_bytes(&writer, before.bytes + done, before.size - done);
    if (writer.overflow)
        return JET_errLogCorrupted;
    *out_size = writer.size;
    return JET_errSuccess;
}
