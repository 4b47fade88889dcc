/* Writing the log: segments, durability, generations. */
#include "src/log/log_internal.h"

#include "src/os/clock.h"
#include "src/os/memory.h"
#include "src/page/checksum.h"
#include "src/page/page.h"

#define FIRST_OFFSET ((size_t)LOG_HEADER_SECTORS * LOG_SECTOR_SIZE)
#define GENERATION_MAX (0x7FFFFA00 - 0x200)

static void seal_segments(struct log *log, uint8_t *segments, size_t first_offset, size_t size)
{
    ASSERT(log->durable <= first_offset && log->durable % LOG_SECTOR_SIZE == 0);
    for (size_t i = 0; i < size; i += LOG_SECTOR_SIZE) {
        struct log_segment_header header;
        memcpy(&header, segments + i, sizeof(header));
        header.position = log_position_of(log, first_offset + i);
        header.pieces = log_segment_pieces(segments + i);
        header.unsynced = (uint16_t)((first_offset + i - log->durable) / LOG_SECTOR_SIZE);
        header.flags = PAGE_NEW_CHECKSUM;
        memcpy(segments + i, &header, sizeof(header));
        header.checksum = checksum_block(segments + i, LOG_SECTOR_SIZE, header.position.sector, true);
        memcpy(segments + i, &header.checksum, sizeof(header.checksum));
        log->segments_checksum ^= header.checksum;
    }
}

/* A write failed, and may have left a part behind that would look like damage: what nobody was promised
 * becomes unused space again, if that can still be written. */
static void take_back(struct os_file *file, uint64_t start, uint8_t *segments, size_t size)
{
    memset(segments, 0, size);
    (void)os_file_write(file, start, segments, size);
}

JET_ERR log_write_segments(struct log *log, bool sync)
{
    JET_ERR err = JET_errSuccess;
    ASSERT(log->writing);
    size_t start = log->base;
    size_t size = (log->entry - log->base) / LOG_SECTOR_SIZE * LOG_SECTOR_SIZE;
    size_t tail = log->entry - log->base - size;
    uint8_t *segments = log->buffer;
    size_t capacity = log->capacity;
    if (size > 0) {
        /* The buffers change places: others append to the one while the other is written. */
        ASSERT(log->spare_capacity >= 2 * LOG_SECTOR_SIZE);
        memcpy(log->spare, segments + size, tail);
        log->buffer = log->spare;
        log->capacity = log->spare_capacity;
        log->base += size;
        seal_segments(log, segments, start, size);
        log->spare = NULL;
        log->spare_capacity = 0;
    }
    struct os_file *file = log->file;
    os_mutex_unlock(&log->lock);
    if (size > 0) {
        err = os_file_write(file, start, segments, size);
        if (err < JET_errSuccess)
            take_back(file, start, segments, size);
    }
    if (err >= JET_errSuccess && sync)
        err = os_file_sync(file);
    os_mutex_lock(&log->lock);
    if (size > 0) {
        log->spare = segments;
        log->spare_capacity = capacity;
    }
    if (err < JET_errSuccess) {
        log_set_down(log, err);
        return JET_errLogWriteFail;
    }
    if (sync)
        log->durable = start + size;
    return JET_errSuccess;
}

static bool durable_locked(const struct log *log, struct log_position position)
{
    return position.generation < log->header.generation ||
           log_position_compare(position, log_position_of(log, log->durable)) < 0;
}

void log_set_write_gate(struct log *log, void (*wait)(void *context), void *context)
{
    os_mutex_lock(&log->lock);
    log->write_gate = wait;
    log->write_gate_context = context;
    os_mutex_unlock(&log->lock);
}

static void pass_write_gate(struct log *log)
{
    os_mutex_lock(&log->lock);
    void (*wait)(void *) = log->write_gate;
    void *context = log->write_gate_context;
    os_mutex_unlock(&log->lock);
    if (wait != NULL)
        wait(context);
}

JET_ERR log_flush(struct log *log, struct log_position position)
{
    JET_ERR err = JET_errSuccess;
    if (!log->settings.enabled || log_position_is_null(position))
        return JET_errSuccess;
    pass_write_gate(log);
    os_mutex_lock(&log->lock);
    for (;;) {
        if (!log->started)
            break;
        /* A position nothing was appended at yet asks for everything that was. */
        if (durable_locked(log, position) || log->durable == log->entry)
            break;
        if (log->down != JET_errSuccess || log->service_stopped)
            FAIL(JET_errLogWriteFail);
        if (log->writing) {
            (void)os_condition_wait(&log->idle, &log->lock, OS_WAIT_FOREVER);
            continue;
        }
        log_begin_writing(log);
        err = log_fill_segment(log, true);
        if (err >= JET_errSuccess)
            err = log_write_segments(log, true);
        log_end_writing(log);
        if (err < JET_errSuccess)
            goto done;
    }
done:
    os_mutex_unlock(&log->lock);
    return err;
}

JET_ERR log_flush_all(struct log *log)
{
    return log_flush(log, LOG_POSITION_MAX);
}

struct log_position log_durable_end(struct log *log)
{
    os_mutex_lock(&log->lock);
    struct log_position end = log_position_of(log, log->durable);
    os_mutex_unlock(&log->lock);
    return end;
}

bool log_is_durable(struct log *log, struct log_position position)
{
    if (!log->settings.enabled || log_position_is_null(position))
        return true;
    os_mutex_lock(&log->lock);
    bool durable = durable_locked(log, position);
    os_mutex_unlock(&log->lock);
    return durable;
}

/* Archives edb.log, puts edbtmp.log in its place and opens it. No lock held. */
static JET_ERR switch_files(struct log *log, int32_t archived_generation, struct os_file **file)
{
    JET_ERR err = JET_errSuccess;
    char current[OS_PATH_SIZE];
    char other[OS_PATH_SIZE];
    log_path(log, LOG_PATH_CURRENT, current);
    if (archived_generation != 0) {
        log_path(log, archived_generation, other);
        TRY(os_file_rename(current, other, false));
    }
    log_path(log, LOG_PATH_TEMPORARY, other);
    TRY(os_file_rename(other, current, false));
    TRY(os_directory_sync(log->settings.log_directory));
    TRY(os_file_open(current, OS_OPEN_WRITE, OS_SHARE_READ, file));
done:
    return err;
}

static JET_ERR require_generation(struct log *log, int32_t low, const struct log_file_header *header)
{
    const struct log_callbacks *callbacks = &log->settings.callbacks;
    if (callbacks->generations_required == NULL)
        return JET_errSuccess;
    return callbacks->generations_required(callbacks->context, low, header->generation, &header->created);
}

static void install_file(struct log *log, struct os_file *file, const struct log_file_header *header)
{
    log->file = file;
    log->header = *header;
    log->segments_checksum = 0;
    log->base = FIRST_OFFSET;
    log->entry = FIRST_OFFSET;
    log->durable = FIRST_OFFSET;
}

JET_ERR log_next_generation(struct log *log)
{
    JET_ERR err = JET_errSuccess;
    struct log_file_header header;
    struct os_file *file = NULL;
    int32_t low = log->checkpoint.generation;
    ASSERT(log->writing);
    if (log->header.generation >= GENERATION_MAX) {
        log_set_down(log, JET_errLogSequenceEnd);
        return JET_errLogSequenceEnd;
    }
    /* Nobody appends from here on, though a small record might still fit: it would be left behind. */
    log->rolling = true;
    TRY(log_fill_segment(log, false));
    TRY(log_write_segments(log, true));
    ASSERT(log->entry == log->base);
    os_mutex_unlock(&log->lock);
    log_delete_passed(log);
    err = log_create_file(log, log->header.generation + 1, &log->header, log->segments_checksum, &header,
                          &file);
    if (err >= JET_errSuccess) {
        os_file_close(file);
        file = NULL;
        os_file_close(log->file);
        log->file = NULL;
        err = switch_files(log, log->header.generation, &file);
    }
    if (err >= JET_errSuccess)
        err = require_generation(log, low, &header);
    if (err >= JET_errSuccess)
        log_keep_temporary(log);
    os_mutex_lock(&log->lock);
    if (err < JET_errSuccess) {
        os_file_close(file);
        log_set_down(log, err);
        FAIL(err == JET_errDiskFull ? JET_errLogDiskFull : JET_errLogWriteFail);
    }
    install_file(log, file, &header);
    os_task_submit(&log->checkpoint_task);
done:
    log->rolling = false; /* who waits for it is woken by log_end_writing */
    return err;
}

JET_ERR log_roll(struct log *log, int32_t *generation)
{
    JET_ERR err = JET_errSuccess;
    if (!log->settings.enabled) {
        *generation = 0;
        return JET_errSuccess;
    }
    os_mutex_lock(&log->lock);
    int32_t before = log->header.generation;
    log_begin_writing(log);
    if (!log->started || log->down != JET_errSuccess || log->service_stopped)
        err = JET_errLogWriteFail;
    else if (log->header.generation == before)
        err = log_next_generation(log);
    log_end_writing(log);
    *generation = log->header.generation;
    os_mutex_unlock(&log->lock);
    return err;
}

JET_ERR log_force_new_generation(struct log *log)
{
    JET_ERR err = JET_errSuccess;
    struct log_position position = LOG_POSITION_MIN;
    struct log_record_trace record = {LOG_RECORD_FORCE_ROLLOVER, 0, 0};
    struct log_piece piece = {&record, sizeof(record)};
    TRY(log_append(log, &piece, 1, LOG_APPEND_NEW_GENERATION, 0, &position));
    TRY(log_flush(log, position));
done:
    return err;
}

static JET_ERR allocate_buffers(struct log *log)
{
    for (int i = 0; i < 2; i++) {
        uint8_t **buffer = i == 0 ? &log->buffer : &log->spare;
        size_t *capacity = i == 0 ? &log->capacity : &log->spare_capacity;
        if (*buffer != NULL)
            continue;
        *buffer = os_allocate(4 * LOG_SECTOR_SIZE);
        if (*buffer == NULL)
            return JET_errOutOfMemory;
        *capacity = 4 * LOG_SECTOR_SIZE;
    }
    return JET_errSuccess;
}

static JET_ERR start_fresh_file(struct log *log, int32_t generation, const struct log_file_header *previous,
                                uint64_t previous_checksum)
{
    JET_ERR err = JET_errSuccess;
    struct log_file_header header;
    struct os_file *file = NULL;
    TRY(allocate_buffers(log));
    TRY(log_create_file(log, generation, previous, previous_checksum, &header, &file));
    os_file_close(file);
    file = NULL;
    TRY(switch_files(log, 0, &file));
    TRY(require_generation(log, log->checkpoint.generation, &header));
    install_file(log, file, &header);
    log->started = true;
    log->down = JET_errSuccess;
    if (log->settings.create_reserve_logs)
        log_create_reserves(log);
    log_keep_temporary(log);
    return JET_errSuccess;
done:
    os_file_close(file);
    return err == JET_errDiskFull ? JET_errLogDiskFull : err;
}

JET_ERR log_start_new(struct log *log)
{
    JET_ERR err = JET_errSuccess;
    ASSERT(!log->started);
    if (!log->settings.enabled)
        return JET_errSuccess;
    log->checkpoint = (struct log_position){0, LOG_HEADER_SECTORS, 1};
    TRY(start_fresh_file(log, 1, NULL, 0));
    TRY(log_update_checkpoint(log, true));
done:
    return err;
}

JET_ERR log_start_behind(struct log *log, const struct log_file_reader *previous)
{
    const struct log_file_header *header = log_file_reader_header(previous);
    ASSERT(!log->started);
    return start_fresh_file(log, header->generation + 1, header,
                            log_file_reader_end(previous)->segments_checksum);
}

/* What lies behind the end must be gone before anything new is written there: it would look like its
 * continuation. */
static JET_ERR clear_tail(struct os_file *file, const struct log_file_end *end)
{
    JET_ERR err = JET_errSuccess;
    uint8_t *zeroes = os_allocate_zeroed(LOG_SECTOR_SIZE);
    if (zeroes == NULL)
        FAIL(JET_errOutOfMemory);
    for (uint32_t sector = end->end.sector; sector < end->tail_end; sector++)
        TRY(os_file_write(file, (uint64_t)sector * LOG_SECTOR_SIZE, zeroes, LOG_SECTOR_SIZE));
    TRY(os_file_sync(file));
done:
    os_free(zeroes);
    return err;
}

JET_ERR log_start_existing(struct log *log, const struct log_file_reader *reader)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    struct os_file *file = NULL;
    const struct log_file_end *end = log_file_reader_end(reader);
    ASSERT(!log->started && !end->corrupt && end->end.byte == 0);
    TRY(allocate_buffers(log));
    log_path(log, LOG_PATH_CURRENT, path);
    TRY(os_file_open(path, OS_OPEN_WRITE, OS_SHARE_READ, &file));
    if (end->torn_tail)
        TRY(clear_tail(file, end));
    install_file(log, file, log_file_reader_header(reader));
    file = NULL;
    log->segments_checksum = end->segments_checksum;
    log->base = log->entry = log->durable = (size_t)end->end.sector * LOG_SECTOR_SIZE;
    log->started = true;
    log->down = JET_errSuccess;
    if (log->settings.create_reserve_logs)
        log_create_reserves(log);
    log_keep_temporary(log);
done:
    os_file_close(file);
    return err;
}

static void close_files(struct log *log)
{
    os_task_cancel(&log->checkpoint_task);
    os_mutex_lock(&log->lock);
    log_begin_writing(log);
    os_file_close(log->file);
    log->file = NULL;
    log->started = false;
    log_end_writing(log);
    os_mutex_unlock(&log->lock);
}

JET_ERR log_stop(struct log *log)
{
    if (!log->started)
        return JET_errSuccess;
    JET_ERR err = log_flush_all(log);
    close_files(log);
    return err;
}

JET_ERR log_abandon(struct log *log)
{
    if (log->started)
        close_files(log);
    return JET_errSuccess;
}
