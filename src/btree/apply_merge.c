#include "src/btree/apply_merge.h"

static JET_ERR move_node(const struct page *from, uint32_t line, struct page *to, uint32_t place,
                         uint8_t *scratch)
{
    struct node node = node_get(from, line);
    size_t key_bytes = key_copy(&node.key, 0, scratch, from->size);
    struct key key = key_of(scratch, key_bytes);
    size_t prefix = node_prefix_size(to, &key);

    if (!page_has_room(to,
                       (uint32_t)(node_size(key_bytes, node.data.size, prefix) - sizeof(struct page_tag))))
        return JET_errLogCorrupted;
    struct node copy = {key, node.data, (uint8_t)(node.flags & NODE_VERSIONED)};
    node_insert(to, place, &copy, prefix);
    return JET_errSuccess;
}

JET_ERR apply_move_nodes(const struct page *from, uint32_t first, uint32_t end, struct page *to,
                         uint32_t place, uint8_t *scratch)
{
    JET_ERR err = JET_errSuccess;

    for (uint32_t line = end; line > first; line--) {
        if ((node_get(from, line - 1).flags & NODE_DELETED) == 0)
            TRY(move_node(from, line - 1, to, place, scratch));
    }
done:
    return err;
}
