#include "src/btree/space_internal.h"
#include "src/btree/root_header.h"

/* Sizes of extents, in pages (engine source: `space.cxx`). */
#define EXTENT_SMALL 4u      /* a tree that owns little gets little */
#define EXTENT_DEFAULT 16u   /* others at least this */
#define SMALL_TREE_PAGES 16u /* what "little" is */
#define GROWTH_FRACTION 4u   /* and at least this fraction of their first extent, as much as the last time */
#define FILE_GROWTH 256u     /* the file grows to multiples of this, its header pages counted */
#define FILE_HEADER_PAGES 2u
#define FRAGMENT_PAGES 8u /* large requests leave no smaller rests (JET_paramPageFragment) */
/* In a small database new trees get exactly what they ask for, while they begin in its first half. */
#define SMALL_DATABASE_PAGES 254u
#define SMALL_DATABASE_FIRST_HALF 128u

JET_ERR space_extend_file(struct tree *tree, uint32_t wanted, struct space_extent *extent)
{
    JET_ERR err = JET_errSuccess;
    struct database *database = tree->database;
    page_number before = database->page_last;
    uint64_t total = (uint64_t)before + FILE_HEADER_PAGES + wanted;
    struct log_record_extend_database record;

    total = (total + FILE_GROWTH - 1) / FILE_GROWTH * FILE_GROWTH;
    if (database->pages_max != 0 && total - FILE_HEADER_PAGES > database->pages_max)
        total = (uint64_t)before + FILE_HEADER_PAGES + wanted;
    if (total > 0x7fffffff)
        FAIL(JET_errOutOfDatabaseSpace);
    page_number last = (page_number)(total - FILE_HEADER_PAGES);
    TRY(database_extend(database, last));
    if (change_is_logged(tree)) {
        record = (struct log_record_extend_database){
            .ignored = {LOG_RECORD_EXTEND_DATABASE, sizeof record - sizeof record.ignored},
            .database_id = (uint8_t)database->id,
            .last_page = last};
        TRY(log_append_record(database->log, &record, sizeof record, NULL));
    }
    *extent = (struct space_extent){last, last - before};
done:
    return err;
}

JET_ERR space_from_parent(struct tree *tree, const struct btree_actor *actor, uint32_t wanted, uint32_t least,
                          struct space_extent *extent)
{
    JET_ERR err = JET_errSuccess;
    struct tree *parent = NULL;

    if (tree->parent == PAGE_NUMBER_NULL)
        return space_extend_file(tree, wanted, extent);
    TRY(tree_open(tree->registry, tree->database, tree->parent, &parent));
    /* Indexes and long values lie in tables, those in the database: no deeper, and no circles. */
    TRY(tree_know_space(parent));
    if (parent->parent != PAGE_NUMBER_NULL && parent->parent != ROOT_PAGE_DATABASE)
        FAIL(JET_errDatabaseCorrupted);
    TRY(space_get_extent(parent, actor, wanted, least, false, extent));
done:
    tree_close(parent);
    return err;
}

/* How many pages a split from the leaf to the root may need at most. */
static JET_ERR pages_for_split(struct tree *extents, uint32_t *needed, uint32_t *buffered)
{
    JET_ERR err = JET_errSuccess;
    struct split_buffer buffer;
    bool leaf = false;
    uint32_t free_bytes = 0;

    TRY(split_buffer_read(extents, &buffer, &leaf, &free_bytes));
    *buffered = buffer.extents[0].pages + buffer.extents[1].pages;
    if (leaf)
        *needed = free_bytes > extents->database->page_size / 4 ? 0 : 2;
    else
        *needed = 4; /* space trees have at most four levels */
done:
    return err;
}

/* Fills the split buffer of a space tree. The owned-extents tree comes first: to know the new extent, it may
 * use the pages itself that it just got. */
static JET_ERR reserve_for(struct tree *tree, struct space_trees *trees, struct tree *extents,
                           const struct btree_actor *actor)
{
    JET_ERR err = JET_errSuccess;
    struct space_extent extent = {0, 0};
    uint32_t needed = 0;
    uint32_t buffered = 0;
    bool found = false;

    TRY(pages_for_split(extents, &needed, &buffered));
    if (needed <= buffered)
        goto done;
    uint32_t wanted = needed <= 2 ? 2 : 8;
    /* Taking pages that the tree has already changes one number. */
    TRY(extents_find_size(trees->available, wanted + 1, &extent, &found));
    if (found) {
        TRY(extents_take(trees->available, actor, extent, wanted));
        extent = (struct space_extent){extent.last - extent.pages + wanted, wanted};
        TRY(split_buffer_add(extents, actor, extent));
        goto done;
    }
    TRY(space_from_parent(tree, actor, wanted, needed, &extent));
    struct space_extent rest = extent;
    if (extent.pages > wanted)
        extent = (struct space_extent){extent.last - extent.pages + wanted, wanted};
    TRY(split_buffer_add(extents, actor, extent));
    TRY(extents_insert(trees->owned, actor, rest));
    if (rest.pages > extent.pages) {
        rest.pages -= extent.pages;
        TRY(extents_insert(trees->available, actor, rest));
    }
done:
    return err;
}

JET_ERR space_reserve(struct tree *tree, struct space_trees *trees, const struct btree_actor *actor)
{
    JET_ERR err = reserve_for(tree, trees, trees->owned, actor);

    return err < JET_errSuccess ? err : reserve_for(tree, trees, trees->available, actor);
}

JET_ERR space_add_extent(struct tree *tree, struct space_trees *trees, const struct btree_actor *actor,
                         uint32_t wanted, uint32_t least, struct space_extent *extent)
{
    JET_ERR err = JET_errSuccess;

    TRY(space_reserve(tree, trees, actor));
    TRY(space_from_parent(tree, actor, wanted, least, extent));
    TRY(extents_insert(trees->owned, actor, *extent));
    TRY(extents_insert(trees->available, actor, *extent));
done:
    return err;
}

static JET_ERR log_convert(struct tree *tree, const struct btree_actor *actor,
                           const struct convert_change *change, dbtime before, struct log_position *position)
{
    struct log_record_convert_fdp record;
    struct log_piece piece = {&record, sizeof record};

    memset(&record, 0, sizeof record);
    log_fill_page(&record.convert.page, LOG_RECORD_CONVERT_FDP, tree, actor, tree->root, change->modified,
                  before);
    record.convert.object = tree->object;
    record.convert.owned_page = change->secondary_first;
    record.convert.available_page = change->secondary_first + 1;
    record.convert.parent_tree_page = tree->parent;
    record.convert.secondary_first_page = change->secondary_first;
    record.convert.primary_pages = change->header.pages;
    record.convert.secondary_pages = change->secondary_pages;
    record.available_bitmap = change->bitmap;
    record.page_flags = change->page_flags;
    return log_append(tree->database->log, &piece, 1, 0, actor->begin.generation, position);
}

JET_ERR space_convert(struct tree *tree, const struct btree_actor *actor, uint32_t wanted, uint32_t least)
{
    JET_ERR err = JET_errSuccess;
    struct space_extent extent = {0, 0};
    struct latch root = LATCH_INIT;
    struct latch owned = LATCH_INIT;
    struct latch available = LATCH_INIT;
    struct log_position position = LOG_POSITION_MIN;
    struct convert_change change = {.root = tree->root, .object = tree->object};

    TRY(space_read_header(tree, &change.header)); /* checks it */
    least += 2;                                   /* for the roots of the space trees */
    if (wanted < least)
        wanted = least;
    if (wanted < change.header.pages)
        wanted = change.header.pages;
    TRY(space_from_parent(tree, actor, wanted, least, &extent));
    change.secondary_first = extent.last - extent.pages + 1;
    change.secondary_pages = extent.pages;
    if (tree->root >= change.secondary_first && tree->root <= extent.last)
        FAIL(JET_errSPAvailExtCorrupted);
    TRY(cache_latch(tree->database, tree->root, LATCH_EXCLUSIVE, 0, &root));
    TRY(tree_check_page(tree, &root.page, NULL));
    TRY(latch_new_page(tree, actor, change.secondary_first, &owned));
    TRY(latch_new_page(tree, actor, change.secondary_first + 1, &available));
    if (!root_header_space(&root.page, &change.header))
        FAIL(JET_errSPOwnExtCorrupted);
    change.bitmap = change.header.available;
    change.page_flags =
        page_header(&root.page)->flags &
        ~(uint32_t)(PAGE_ROOT | PAGE_LEAF | PAGE_PARENT_OF_LEAF | PAGE_REPAIR | PAGE_FLAGS_OF_WRITING);
    change.modified = database_next_dbtime(tree->database);
    if (change_is_logged(tree))
        TRY(log_convert(tree, actor, &change, page_header(&root.page)->modified, &position));
    apply_convert(&root.page, &owned.page, &available.page, &change);
    stamp_page(&root, actor, change.modified, position);
    stamp_page(&owned, actor, change.modified, position);
    stamp_page(&available, actor, change.modified, position);
    tree->owned_root = change.secondary_first;
    tree->available_root = change.secondary_first + 1;
done:
    cache_unlatch(&available);
    cache_unlatch(&owned);
    cache_unlatch(&root);
    return err;
}

/* Who asks for pages, since that decides where they come from. */
enum space_request {
    REQUEST_PAGE,   /* the tree itself needs one */
    REQUEST_EXTENT, /* a child's further extent */
    REQUEST_TREE,   /* a child that is being made */
};

/* Trees whose free pages children may have. Other trees keep theirs, and get what a child asks for from
 * above. */
static bool serves_children(const struct tree *tree)
{
    static const page_number roots[] = {ROOT_PAGE_DATABASE, 4, 7, 10,
                                        24}; /* the catalog's and its indexes' */

    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        if (tree->root == roots[i])
            return true;
    }
    return false;
}

/* Whether the tree is so small that it gets little: its first extent, what it owns, and its branch pages. */
static JET_ERR is_small(struct tree *tree, struct space_trees *trees, const struct space_header *header,
                        bool *small)
{
    JET_ERR err = JET_errSuccess;
    struct latch root = LATCH_INIT;
    uint32_t owned = 0;

    *small = false;
    if ((header->flags & SPACE_VERSION2) != 0 || header->pages >= SMALL_TREE_PAGES)
        goto done;
    TRY(cache_latch(tree->database, tree->root, LATCH_SHARED, 0, &root));
    bool flat = page_is_leaf(&root.page) || (page_has_flag(&root.page, PAGE_PARENT_OF_LEAF) &&
                                             page_line_count(&root.page) < SMALL_TREE_PAGES);
    cache_unlatch(&root);
    if (!flat)
        goto done;
    TRY(extents_sum(trees->owned, &owned));
    *small = owned <= SMALL_TREE_PAGES;
done:
    cache_unlatch(&root);
    return err;
}

/* A change of the space header by a number; an error refuses it. */
typedef JET_ERR header_function(struct space_header *header, uint32_t value);

static JET_ERR change_space_header(struct tree *tree, const struct btree_actor *actor,
                                   header_function *function, uint32_t value)
{
    JET_ERR err = JET_errSuccess;
    struct latch root = LATCH_INIT;
    struct space_header header;
    uint8_t bytes[ROOT_HEADER_MOST];

    TRY(cache_latch(tree->database, tree->root, LATCH_EXCLUSIVE, 0, &root));
    TRY(tree_check_page(tree, &root.page, NULL));
    if (!root_header_space(&root.page, &header))
        FAIL(JET_errSPOwnExtCorrupted);
    TRY(function(&header, value));
    const uint32_t size = root_header_with_space(&root.page, &header, bytes);
    TRY(root_set_header(tree, actor, &root, span_of(bytes, size)));
done:
    cache_unlatch(&root);
    return err;
}

/* Remembers the size of the last extent. */
static JET_ERR remember_growth(struct space_header *header, uint32_t pages)
{
    header->pages = pages;
    header->flags |= SPACE_VERSION2;
    return JET_errSuccess;
}

/* Takes pages out of the bitmap of a single-extent tree, and puts them back. */
static JET_ERR take_bits(struct space_header *header, uint32_t bits)
{
    if ((header->available & bits) != bits)
        return JET_errSPAvailExtCorrupted;
    header->available &= ~bits;
    return JET_errSuccess;
}

static JET_ERR return_bits(struct space_header *header, uint32_t bits)
{
    if ((header->available & bits) != 0)
        return JET_errSPAvailExtCorrupted;
    header->available |= bits;
    return JET_errSuccess;
}

/* The size a tree that ran out of pages asks for. */
static JET_ERR growth(struct tree *tree, struct space_trees *trees, const struct btree_actor *actor,
                      uint32_t *pages)
{
    JET_ERR err = JET_errSuccess;
    struct space_header header;
    bool small = false;

    TRY(space_read_header(tree, &header));
    TRY(is_small(tree, trees, &header, &small));
    bool first_known = (header.flags & SPACE_VERSION2) == 0;
    uint32_t least = first_known ? header.pages / GROWTH_FRACTION : header.pages;
    if (least < EXTENT_DEFAULT)
        least = EXTENT_DEFAULT;
    *pages = small ? EXTENT_SMALL : least;
    if (*pages < header.pages)
        *pages = header.pages;
    if (*pages > tree->database->page_last)
        FAIL(JET_errSPOwnExtCorrupted); /* no extent was ever that large */
    if (*pages != header.pages)
        TRY(change_space_header(tree, actor, remember_growth, *pages));
done:
    return err;
}

/* Finds free pages in the trees, growing the tree if there are none. */
static JET_ERR find_or_grow(struct tree *tree, struct space_trees *trees, const struct btree_actor *actor,
                            enum space_request request, uint32_t wanted, uint32_t least, page_number hint,
                            struct space_extent *extent)
{
    JET_ERR err = JET_errSuccess;
    bool found = false;

    if (request == REQUEST_PAGE && hint != PAGE_NUMBER_NULL)
        TRY(extents_find(trees->available, hint, extent, &found));
    if (!found && (request == REQUEST_PAGE || serves_children(tree)))
        TRY(extents_find_size(trees->available, least, extent, &found));
    if (!found) {
        uint32_t pages = wanted;

        if (request == REQUEST_PAGE && tree->parent != PAGE_NUMBER_NULL)
            TRY(growth(tree, trees, actor, &pages));
        TRY(space_add_extent(tree, trees, actor, pages, least, extent));
    }
done:
    return err;
}

/* How many of the found pages are handed out: all of them where the rest would be too small to be of use. */
static uint32_t pages_to_take(const struct tree *tree, enum space_request request, struct space_extent found,
                              uint32_t wanted)
{
    bool all = false;

    if (found.pages <= wanted || request == REQUEST_PAGE)
        return found.pages < wanted ? found.pages : wanted;
    if (tree->parent == PAGE_NUMBER_NULL)
        all = found.pages < wanted + EXTENT_SMALL &&
              !(request == REQUEST_TREE && tree->database->page_last < SMALL_DATABASE_PAGES &&
                found.last - found.pages + 1 < SMALL_DATABASE_FIRST_HALF);
    else
        all = wanted >= FRAGMENT_PAGES && found.pages < wanted + FRAGMENT_PAGES;
    return all ? found.pages : wanted;
}

/* A run of `least` to `wanted` free pages in the bitmap; 0 if there is none. */
static uint32_t bitmap_run(const struct space_header *header, uint32_t wanted, uint32_t least,
                           uint32_t *first_bit)
{
    uint32_t bits = header->pages - 1 < SPACE_BITMAP_PAGES ? header->pages - 1 : SPACE_BITMAP_PAGES;

    for (uint32_t bit = 0; bit < bits; bit++) {
        uint32_t run = 0;

        while (run < wanted && bit + run < bits && (header->available >> (bit + run) & 1) != 0)
            run++;
        if (run >= least) {
            *first_bit = bit;
            return run;
        }
    }
    return 0;
}

static uint32_t run_of_bits(uint32_t first_bit, uint32_t count)
{
    return (uint32_t)(((UINT64_C(1) << count) - 1) << first_bit);
}

/* From the single extent if it has the pages; *got tells. */
static JET_ERR get_small(struct tree *tree, const struct btree_actor *actor, uint32_t wanted, uint32_t least,
                         struct space_extent *extent, bool *got)
{
    JET_ERR err = JET_errSuccess;
    struct space_header header;
    uint32_t first_bit = 0;

    *got = false;
    TRY(space_read_header(tree, &header));
    uint32_t run = bitmap_run(&header, wanted, least, &first_bit);
    if (run == 0)
        goto done;
    TRY(change_space_header(tree, actor, take_bits, run_of_bits(first_bit, run)));
    *extent = (struct space_extent){tree->root + first_bit + run, run};
    *got = true;
done:
    return err;
}

/* The same for all trees; the caller holds the lock. */
static JET_ERR get_locked(struct tree *tree, const struct btree_actor *actor, enum space_request request,
                          uint32_t wanted, uint32_t least, page_number hint, struct space_extent *extent)
{
    JET_ERR err = JET_errSuccess;
    struct space_trees trees = {NULL, NULL};
    struct space_extent found = {0, 0};
    bool got = false;

    TRY(tree_know_space(tree));
    if (tree->owned_root == PAGE_NUMBER_NULL) {
        TRY(get_small(tree, actor, wanted, least, extent, &got));
        if (got)
            goto done;
        TRY(space_convert(tree, actor, wanted, least));
    }
    TRY(space_trees_open(tree, &trees));
    TRY(find_or_grow(tree, &trees, actor, request, wanted, least, hint, &found));
    uint32_t take = pages_to_take(tree, request, found, wanted);
    TRY(extents_take(trees.available, actor, found, take));
    *extent = (struct space_extent){found.last - found.pages + take, take};
done:
    space_trees_close(&trees);
    return err;
}

JET_ERR space_get_extent(struct tree *tree, const struct btree_actor *actor, uint32_t wanted, uint32_t least,
                         bool new_tree, struct space_extent *extent)
{
    os_mutex_lock(&tree->space_lock);
    JET_ERR err = get_locked(tree, actor, new_tree ? REQUEST_TREE : REQUEST_EXTENT, wanted, least,
                             PAGE_NUMBER_NULL, extent);
    os_mutex_unlock(&tree->space_lock);
    return err;
}

JET_ERR space_free_extent(struct tree *tree, const struct btree_actor *actor, struct space_extent extent)
{
    JET_ERR err = JET_errSuccess;
    struct space_trees trees = {NULL, NULL};

    os_mutex_lock(&tree->space_lock);
    TRY(tree_know_space(tree));
    if (tree->owned_root == PAGE_NUMBER_NULL) {
        page_number first = extent.last - extent.pages + 1;

        if (first <= tree->root || extent.last > tree->root + SPACE_BITMAP_PAGES)
            FAIL(JET_errSPOwnExtCorrupted);
        TRY(change_space_header(tree, actor, return_bits, run_of_bits(first - tree->root - 1, extent.pages)));
        goto done;
    }
    TRY(space_trees_open(tree, &trees));
    TRY(space_reserve(tree, &trees, actor));
    TRY(extents_add_free(&trees, actor, extent));
done:
    os_mutex_unlock(&tree->space_lock);
    space_trees_close(&trees);
    return err;
}

JET_ERR space_get_page(struct tree *tree, const struct btree_actor *actor, page_number hint,
                       page_number *page)
{
    struct space_extent extent = {0, 0};

    os_mutex_lock(&tree->space_lock);
    JET_ERR err = get_locked(tree, actor, REQUEST_PAGE, 1, 1, hint, &extent);
    os_mutex_unlock(&tree->space_lock);
    *page = extent.last;
    return err;
}

JET_ERR space_free_page(struct tree *tree, const struct btree_actor *actor, page_number page)
{
    return space_free_extent(tree, actor, (struct space_extent){page, 1});
}

JET_ERR tree_take_page(struct tree *tree, const struct btree_actor *actor, page_number hint,
                       page_number *page)
{
    if (tree->space)
        return split_buffer_take(tree, actor, page);
    return space_get_page(tree, actor, hint, page);
}

void tree_return_page(struct tree *tree, const struct btree_actor *actor, page_number page)
{
    if (tree->space)
        split_buffer_return(tree, actor, page);
    else
        (void)space_free_page(tree, actor, page); /* else the page is lost to use, which a crash does too */
}
