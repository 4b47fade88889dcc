/* The log's object: creation, state, appending records. */
#include "src/log/log.h"

#include "src/log/log_internal.h"
#include "src/os/clock.h"
#include "src/os/memory.h"
#include "src/os/thread.h"

#define BUFFER_SECTORS 4u /* first size of the buffers */
#define WRITE_AHEAD_SECTORS                                                                                  \
    64u /* that many whole segments in the buffer are written without being asked for */
#define TOO_DEEP_MARGIN                                                                                      \
    0x20 /* generations between the checkpoint limit and its enforcement, as the engine's */

static void free_settings(struct log_settings *settings)
{
    os_free((void *)(uintptr_t)settings->log_directory);
    os_free((void *)(uintptr_t)settings->system_directory);
    os_free((void *)(uintptr_t)settings->base_name);
}

static JET_ERR copy_settings(struct log_settings *copy, const struct log_settings *settings)
{
    *copy = *settings;
    copy->log_directory = os_duplicate_text(settings->log_directory);
    copy->system_directory = os_duplicate_text(settings->system_directory);
    copy->base_name = os_duplicate_text(settings->base_name);
    if (copy->log_directory == NULL || copy->system_directory == NULL || copy->base_name == NULL) {
        free_settings(copy);
        return JET_errOutOfMemory;
    }
    return JET_errSuccess;
}

/* Whether the longest names fit in the two directories: from here on all do. */
static JET_ERR check_names(const struct log *log)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    TRY(log_path_in(log, log->settings.log_directory, INT32_MAX, path, sizeof(path)));
    err = log_path_in(log, log->settings.system_directory, LOG_PATH_CHECKPOINT, path, sizeof(path));
done:
    return err;
}

static void run_checkpoint(void *context)
{
    (void)log_update_checkpoint(context, false);
}

JET_ERR log_create(const struct log_settings *settings, struct log **log)
{
    JET_ERR err = JET_errSuccess;
    struct log *created = os_allocate_zeroed(sizeof(*created));
    if (created == NULL)
        return JET_errOutOfMemory;
    err = copy_settings(&created->settings, settings);
    if (err >= JET_errSuccess && created->settings.enabled) {
        err = check_names(created);
        if (err < JET_errSuccess)
            free_settings(&created->settings);
    }
    if (err < JET_errSuccess) {
        os_free(created);
        return err;
    }
    os_mutex_init(&created->lock, OS_RANK_LOG_BUFFER);
    os_condition_init(&created->idle);
    os_task_init(&created->checkpoint_task, run_checkpoint, created);
    *log = created;
    return JET_errSuccess;
}

void log_destroy(struct log *log)
{
    if (log == NULL)
        return;
    os_task_cancel(&log->checkpoint_task);
    os_file_close(log->file);
    os_free(log->buffer);
    os_free(log->spare);
    free_settings(&log->settings);
    os_condition_destroy(&log->idle);
    os_mutex_destroy(&log->lock);
    os_free(log);
}

bool log_enabled(const struct log *log)
{
    return log->settings.enabled;
}

const struct log_settings *log_get_settings(const struct log *log)
{
    return &log->settings;
}

void log_set_callbacks(struct log *log, const struct log_callbacks *callbacks)
{
    os_mutex_lock(&log->lock);
    while (log->checkpointing) /* it reads them without the lock */
        (void)os_condition_wait(&log->idle, &log->lock, OS_WAIT_FOREVER);
    log->settings.callbacks = *callbacks;
    os_mutex_unlock(&log->lock);
}

void log_set_file_size(struct log *log, uint32_t size)
{
    log->settings.file_size = size;
}

bool log_started(const struct log *log)
{
    return log->started;
}

void log_set_down(struct log *log, JET_ERR reason)
{
    if (log->down == JET_errSuccess)
        log->down = reason;
}

void log_begin_writing(struct log *log)
{
    while (log->writing)
        (void)os_condition_wait(&log->idle, &log->lock, OS_WAIT_FOREVER);
    log->writing = true;
}

void log_end_writing(struct log *log)
{
    ASSERT(log->writing);
    log->writing = false;
    os_condition_wake_all(&log->idle);
}

/* --- layout ---
 *
 * The same walk computes how many bytes a record takes at a place (target NULL) and copies it there. */

struct piece_cursor {
    const struct log_piece *pieces;
    size_t index;
    size_t offset;
};

static void copy_pieces(struct piece_cursor *cursor, uint8_t *target, size_t size)
{
    while (size > 0) {
        const struct log_piece *piece = &cursor->pieces[cursor->index];
        size_t part = piece->size - cursor->offset < size ? piece->size - cursor->offset : size;
        if (part > 0)
            memcpy(target, (const uint8_t *)piece->data + cursor->offset, part);
        target += part;
        size -= part;
        cursor->offset += part;
        if (cursor->offset == piece->size) {
            cursor->index++;
            cursor->offset = 0;
        }
    }
}

static void begin_segment(uint8_t *target)
{
    struct log_segment_header header;
    memset(&header, 0, sizeof(header));
    header.started = os_clock_log_time();
    memcpy(target, &header, sizeof(header));
}

static size_t lay_out_over_sectors(size_t at, size_t total, uint8_t *buffer, size_t base,
                                   struct piece_cursor *cursor)
{
    bool fragmented = false;
    while (total > 0) {
        size_t room = LOG_SECTOR_SIZE - at % LOG_SECTOR_SIZE;
        if (!fragmented && room != LOG_SECTOR_SIZE && room < total && room < LOG_FRAGMENT_MIN) {
            if (buffer != NULL)
                memset(buffer + (at - base), LOG_RECORD_NOP, room);
            at += room;
            room = LOG_SECTOR_SIZE;
        }
        if (room == LOG_SECTOR_SIZE) {
            if (buffer != NULL)
                begin_segment(buffer + (at - base));
            at += sizeof(struct log_segment_header);
            room -= sizeof(struct log_segment_header);
        }
        if (!fragmented && room < total) {
            struct log_record_fragment_begin begin = {LOG_RECORD_FRAGMENT_BEGIN, (uint32_t)total,
                                                      (uint16_t)(room - sizeof(begin))};
            if (buffer != NULL)
                memcpy(buffer + (at - base), &begin, sizeof(begin));
            fragmented = true;
            at += sizeof(begin);
            room -= sizeof(begin);
        } else if (fragmented) {
            room -= sizeof(struct log_record_fragment);
            struct log_record_fragment fragment = {LOG_RECORD_FRAGMENT,
                                                   (uint16_t)(total < room ? total : room)};
            if (buffer != NULL)
                memcpy(buffer + (at - base), &fragment, sizeof(fragment));
            at += sizeof(fragment);
        }
        size_t part = total < room ? total : room;
        if (buffer != NULL)
            copy_pieces(cursor, buffer + (at - base), part);
        at += part;
        total -= part;
    }
    return at;
}

/* Lays a record of `total` bytes out from file offset `at`; `buffer` (if not NULL) holds the file from `base`
 * on. Returns the offset behind it. */
static size_t lay_out(size_t at, size_t total, uint8_t *buffer, size_t base, struct piece_cursor *cursor)
{
    const size_t used = at % LOG_SECTOR_SIZE;
    if (used == 0 || total > LOG_SECTOR_SIZE - used)
        return lay_out_over_sectors(at, total, buffer, base, cursor);
    if (buffer != NULL)
        copy_pieces(cursor, buffer + (at - base), total);
    return at + total;
}

/* The last sector of a file stays unused. */
static bool fits_in_file(const struct log *log, size_t behind)
{
    return behind / LOG_SECTOR_SIZE + 1 <= (size_t)log->header.file_sectors - 1;
}

static JET_ERR grow_buffer(struct log *log, size_t behind)
{
    size_t needed = behind - log->base + LOG_SECTOR_SIZE;
    if (needed <= log->capacity)
        return JET_errSuccess;
    size_t capacity = log->capacity;
    ASSERT(capacity > 0);
    while (capacity < needed)
        capacity *= 2;
    uint8_t *buffer = os_reallocate(log->buffer, capacity);
    if (buffer == NULL)
        return JET_errOutOfMemory;
    log->buffer = buffer;
    log->capacity = capacity;
    return JET_errSuccess;
}

/* NOPs that are too few for a record which fills are what a longer record skips, and then that one begins
 * with them, for whoever reads the log: after a flush the next one would. It comes behind a segment that is
 * left out.
 */
static void leave_segment_out(struct log *log)
{
    const struct log_record_ignored fill = {
        LOG_RECORD_NOP2, LOG_SECTOR_SIZE - sizeof(struct log_segment_header) - sizeof(fill)};
    if (!fits_in_file(log, log->entry) || grow_buffer(log, log->entry + LOG_SECTOR_SIZE) < JET_errSuccess)
        return;
    uint8_t *target = log->buffer + (log->entry - log->base);
    memset(target, LOG_RECORD_NOP, LOG_SECTOR_SIZE);
    begin_segment(target);
    memcpy(target + sizeof(struct log_segment_header), &fill, sizeof(fill));
    log->last = log_position_of(log, log->entry);
    log->entry += LOG_SECTOR_SIZE;
}

JET_ERR log_fill_segment(struct log *log, bool record)
{
    size_t used = log->entry % LOG_SECTOR_SIZE;
    if (used == 0)
        return JET_errSuccess;
    size_t room = LOG_SECTOR_SIZE - used;
    uint8_t *target = log->buffer + (log->entry - log->base);
    memset(target, LOG_RECORD_NOP, room);
    if (record && room >= sizeof(struct log_record_ignored)) {
        struct log_record_ignored fill = {LOG_RECORD_NOP2, (uint32_t)(room - sizeof(fill))};
        log->last = log_position_of(log, log->entry);
        memcpy(target, &fill, sizeof(fill));
    }
    log->entry += room;
    if (record && room < sizeof(struct log_record_ignored))
        leave_segment_out(log);
    return JET_errSuccess;
}

/* Records that may still be written when the checkpoint is too far behind: those that end things. */
static bool ends_things(uint8_t type)
{
    switch (type) {
    case LOG_RECORD_COMMIT0:
    case LOG_RECORD_ROLLBACK:
    case LOG_RECORD_UNDO:
    case LOG_RECORD_UNDO_INFO:
    case LOG_RECORD_SHUTDOWN_MARK:
    case LOG_RECORD_TERM2:
    case LOG_RECORD_TRACE:
    case LOG_RECORD_RECOVERY_UNDO2:
    case LOG_RECORD_RECOVERY_QUIT2:
    case LOG_RECORD_RECOVERY_QUIT_KEEP_ATTACHMENTS:
    case LOG_RECORD_MACRO_ABORT:
    case LOG_RECORD_DETACH_DATABASE:
    case LOG_RECORD_FORCE_ROLLOVER:
        return true;
    default:
        return false;
    }
}

static JET_ERR check_depth(const struct log *log, uint8_t type, int32_t begin0_generation)
{
    int64_t limit = log->settings.checkpoint_too_deep;
    if (limit < TOO_DEEP_MARGIN || type == LOG_RECORD_INIT2 || log->checkpoint.generation == 0)
        return JET_errSuccess;
    int64_t outstanding = (int64_t)log->header.generation - log->checkpoint.generation;
    int64_t transaction = begin0_generation == 0 ? 0 : (int64_t)log->header.generation - begin0_generation;
    bool deep = outstanding > limit - TOO_DEEP_MARGIN / 2;
    if (!deep && transaction <= limit / 2)
        return JET_errSuccess;
    if (ends_things(type) && outstanding <= limit - TOO_DEEP_MARGIN / 4)
        return JET_errSuccess;
    return deep ? JET_errCheckpointDepthTooDeep : JET_errTransactionTooLong;
}

/* Makes room for a record of `total` bytes in the current file, by a new generation if need be. Lock held. */
static JET_ERR make_room(struct log *log, size_t total, uint8_t type, bool new_generation,
                         int32_t begin0_generation, size_t *behind)
{
    JET_ERR err = JET_errSuccess;
    int32_t first_generation = log->header.generation;
    for (;;) {
        while (log->rolling)
            (void)os_condition_wait(&log->idle, &log->lock, OS_WAIT_FOREVER);
        if (!log->started || log->down != JET_errSuccess || log->service_stopped)
            FAIL(JET_errLogWriteFail);
        TRY(check_depth(log, type, begin0_generation));
        *behind = lay_out(log->entry, total, NULL, 0, NULL);
        bool roll = new_generation && log->header.generation == first_generation;
        if (!roll && fits_in_file(log, *behind))
            break;
        if (!roll && log->entry == LOG_HEADER_SECTORS * LOG_SECTOR_SIZE)
            FAIL(JET_errLogBufferTooSmall);
        int32_t generation = log->header.generation;
        log_begin_writing(log);
        /* Another thread may have begun the new generation while this one waited. */
        if (log->header.generation == generation && log->down == JET_errSuccess)
            err = log_next_generation(log);
        log_end_writing(log);
        if (err < JET_errSuccess)
            goto done;
    }
    TRY(grow_buffer(log, *behind));
done:
    return err;
}

static void set_end_hint(struct log *log)
{
    struct log_position end = log_position_of(log, log->entry);
    uint64_t packed;
    memcpy(&packed, &end, sizeof(packed));
    os_atomic_store(&log->end_hint, packed);
}

struct log_position log_end_hint(const struct log *log)
{
    uint64_t packed = os_atomic_load(&log->end_hint);
    struct log_position end;
    memcpy(&end, &packed, sizeof(end));
    return end;
}

static JET_ERR append_locked(struct log *log, const struct log_piece *pieces, size_t total,
                             bool new_generation, int32_t begin0_generation, struct log_position *position)
{
    JET_ERR err = JET_errSuccess;
    size_t behind = 0;
    uint8_t type = *(const uint8_t *)pieces[0].data;
    TRY(make_room(log, total, type, new_generation, begin0_generation, &behind));
    struct piece_cursor cursor = {pieces, 0, 0};
    *position = log->last = log_position_of(log, log->entry);
    size_t end = lay_out(log->entry, total, log->buffer, log->base, &cursor);
    ASSERT(end == behind);
    log->entry = end;
    set_end_hint(log);
    if (log->entry - log->base >= WRITE_AHEAD_SECTORS * LOG_SECTOR_SIZE && !log->writing) {
        log_begin_writing(log);
        /* A failure is found by whoever waits for durability; the record itself has been accepted. */
        (void)log_write_segments(log, false);
        log_end_writing(log);
    }
done:
    return err;
}

JET_ERR log_append(struct log *log, const struct log_piece *pieces, size_t count, unsigned flags,
                   int32_t begin0_generation, struct log_position *position)
{
    struct log_position at = LOG_POSITION_MIN;
    size_t total = 0;
    JET_ERR err = JET_errSuccess;
    if (log->settings.enabled) {
        for (size_t i = 0; i < count; i++)
            total += pieces[i].size;
        ASSERT(count > 0 && pieces[0].size >= 1 && total <= UINT32_MAX);
        os_mutex_lock(&log->lock);
        err = append_locked(log, pieces, total, (flags & LOG_APPEND_NEW_GENERATION) != 0, begin0_generation,
                            &at);
        os_mutex_unlock(&log->lock);
        if (err >= JET_errSuccess)
            os_thread_add_log_record((uint32_t)total);
    }
    if (position != NULL && err >= JET_errSuccess)
        *position = at;
    return err;
}

JET_ERR log_append_record(struct log *log, const void *record, size_t size, struct log_position *position)
{
    struct log_piece piece = {record, size};
    return log_append(log, &piece, 1, 0, 0, position);
}

struct log_position log_end(struct log *log)
{
    os_mutex_lock(&log->lock);
    struct log_position end = log_position_of(log, log->entry);
    os_mutex_unlock(&log->lock);
    return end;
}

struct log_position log_last(struct log *log)
{
    os_mutex_lock(&log->lock);
    const struct log_position last = log->last.generation != 0 ? log->last : log_position_of(log, log->entry);
    os_mutex_unlock(&log->lock);
    return last;
}

int32_t log_generation(struct log *log)
{
    os_mutex_lock(&log->lock);
    int32_t generation = log->header.generation;
    os_mutex_unlock(&log->lock);
    return generation;
}

bool log_has_births(struct log *log)
{
    os_mutex_lock(&log->lock);
    bool births = log->header.update_major >= LOG_VERSION_UPDATE_MAJOR_BIRTHS;
    os_mutex_unlock(&log->lock);
    return births;
}

struct log_time log_generation_created(struct log *log)
{
    os_mutex_lock(&log->lock);
    struct log_time created = log->header.created;
    os_mutex_unlock(&log->lock);
    return created;
}

struct signature log_signature(struct log *log)
{
    os_mutex_lock(&log->lock);
    struct signature signature = log->header.log_signature;
    os_mutex_unlock(&log->lock);
    return signature;
}

JET_ERR log_state(struct log *log)
{
    JET_ERR err = JET_errSuccess;
    if (!log->settings.enabled)
        return JET_errSuccess;
    os_mutex_lock(&log->lock);
    bool disk_full = log->disk_full;
    if (log->service_stopped)
        err = JET_errLogWriteFail;
    else if (log->down == JET_errLogSequenceEnd)
        err = JET_errLogSequenceEnd;
    else if (log->down != JET_errSuccess)
        err = JET_errLogWriteFail;
    os_mutex_unlock(&log->lock);
    if (err == JET_errSuccess && disk_full) {
        /* The disk may have space again. */
        log_create_reserves(log);
        os_mutex_lock(&log->lock);
        err = log->disk_full ? JET_errLogDiskFull : JET_errSuccess;
        os_mutex_unlock(&log->lock);
    }
    return err;
}

void log_stop_service(struct log *log)
{
    os_mutex_lock(&log->lock);
    log->service_stopped = true;
    os_mutex_unlock(&log->lock);
}

uint64_t log_distance(struct log *log, struct log_position a, struct log_position b)
{
    if (log_position_compare(b, a) <= 0)
        return 0;
    os_mutex_lock(&log->lock);
    uint64_t file = log->header.file_sectors != 0 ? (uint64_t)log->header.file_sectors * LOG_SECTOR_SIZE
                                                  : log->settings.file_size;
    os_mutex_unlock(&log->lock);
    uint64_t from = (uint64_t)a.sector * LOG_SECTOR_SIZE + a.byte;
    uint64_t to = (uint64_t)b.sector * LOG_SECTOR_SIZE + b.byte;
    return (uint64_t)(b.generation - a.generation) * file + to - from;
}
