/* The model's state as a number, so that a campaign can count the states it reached. */
#include "fuzz/model/model.h"
#include "fuzz/model/state.h"

static uint64_t mix(uint64_t number, uint64_t value)
{
    number = (number ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return number ^ (number >> 29);
}

static uint64_t few(uint64_t count)
{
    return count < 3 ? count : 3;
}

static uint64_t number_of_handle(const struct model_handle *handle)
{
    if (handle == NULL)
        return 0;
    const uint64_t kind = handle->file != NULL ? 1 : handle->is_log ? 2 : 3;
    const uint64_t progress = handle->offset == 0                                   ? 0
                              : handle->size != 0 && handle->offset >= handle->size ? 2
                                                                                    : 1;
    return kind * 3 + progress;
}

/* The databases of an instance, in no order: how many there are, were copied, know a full backup. */
static uint64_t number_of_files(const struct model *model, const struct model_instance *instance)
{
    uint64_t counts[4] = {0};
    for (size_t i = 0; i < model->file_count; i++) {
        const struct database_file *file = model->files[i];
        if (file->attached != instance)
            continue;
        counts[0]++;
        counts[1] += file->copied;
        counts[2] += file->fields_unknown;
        counts[3] += !file->fields_unknown && file->fields.full != 0;
    }
    return few(counts[0]) | few(counts[1]) << 2 | few(counts[2]) << 4 | few(counts[3]) << 6;
}

static uint64_t number_of_sessions(const struct model *model, const struct model_instance *instance)
{
    uint64_t count = 0;
    uint64_t deepest = 0;
    for (size_t i = 0; i < model->session_count; i++) {
        const struct model_session *session = model->sessions[i];
        if (session->instance != instance || !session->alive)
            continue;
        count++;
        deepest = session->level > deepest ? session->level : deepest;
    }
    return few(count) | few(deepest) << 2;
}

static uint64_t number_of_instance(const struct model *model, const struct model_instance *instance)
{
    const struct backup_context *backup = &instance->backup;
    uint64_t number = mix(1, (uint64_t)instance->initialised | (uint64_t)instance->service_stopped << 1 |
                                 (uint64_t)instance->never_backup << 2 | (uint64_t)instance->no_logging << 3);
    number = mix(number, (uint64_t)backup->kind | (uint64_t)backup->incremental << 8 |
                             (uint64_t)backup->stop << 9 | (uint64_t)backup->logs_phase << 10 |
                             (uint64_t)backup->truncated << 11 | (uint64_t)(backup->read_sum > 0) << 12 |
                             number_of_handle(backup->open) << 16);
    number = mix(number, number_of_files(model, instance) | number_of_sessions(model, instance) << 8);
    const struct model_snapshot *snapshot = instance->snapshot;
    return mix(number,
               snapshot == NULL ? 0 : 1 + (uint64_t)snapshot->state + ((uint64_t)snapshot->grbit << 8));
}

uint64_t model_state_number(const struct model *model)
{
    uint64_t number = model->published;
    if (model->lost)
        return 0;
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct model_instance *instance = model->instances[i];
        if (!instance->alive)
            continue;
        if (instance->lost)
            return 0;
        number += number_of_instance(model, instance); /* in any order */
    }
    return number | 1;
}
