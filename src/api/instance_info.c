#include "src/api/instance_info.h"

#include "src/api/backup_common.h"
#include "src/os/memory.h"
#include "src/os/text.h"

struct instance_info_entry {
    JET_INSTANCE handle;
    char *name; /* NULL if none */
    char *databases[INSTANCE_DATABASES];
    uint32_t database_count;
};

/* --- gathering --- */

struct gathering {
    struct instance_info_entry *entry;
    JET_ERR err;
};

static void add_database(void *argument, struct database *database)
{
    struct gathering *gathering = argument;
    struct instance_info_entry *entry = gathering->entry;
    if (gathering->err < JET_errSuccess || !database->logged)
        return;
    entry->databases[entry->database_count] = os_duplicate_text(database->path);
    if (entry->databases[entry->database_count] == NULL)
        gathering->err = JET_errOutOfMemory;
    else
        entry->database_count++;
}

JET_ERR instance_info_add(struct instance_info *info, struct instance *instance)
{
    JET_ERR err = JET_errSuccess;
    struct instance_info_entry *grown = os_reallocate(info->entries, (info->count + 1) * sizeof *grown);
    if (grown == NULL)
        FAIL(JET_errOutOfMemory);
    info->entries = grown;
    struct instance_info_entry *entry = &grown[info->count++];
    memset(entry, 0, sizeof *entry);
    entry->handle = instance->handle;
    if (instance->name != NULL) {
        entry->name = os_duplicate_text(instance->name);
        if (entry->name == NULL)
            FAIL(JET_errOutOfMemory);
    }
    struct gathering gathering = {entry, JET_errSuccess};
    api_backup_services.visit(instance, add_database, &gathering);
    err = gathering.err;
done:
    return err;
}

void instance_info_free(struct instance_info *info)
{
    for (size_t i = 0; i < info->count; i++) {
        os_free(info->entries[i].name);
        for (uint32_t n = 0; n < info->entries[i].database_count; n++)
            os_free(info->entries[i].databases[n]);
    }
    os_free(info->entries);
    *info = (struct instance_info){NULL, 0};
}

/* --- the block: structures, then pointers to texts, then texts --- */

static size_t text_size(const char *text, bool wide)
{
    size_t length = 0;
    if (!wide)
        return strlen(text) + 1;
    (void)os_utf8_to_utf16(text, strlen(text), NULL, 0, &length); /* the text is a valid one */
    return (length + 1) * sizeof(uint16_t);
}

static size_t pointers_count(const struct instance_info *info)
{
    size_t count = 0;
    for (size_t i = 0; i < info->count; i++)
        count += 2 * (size_t)info->entries[i].database_count;
    return count;
}

static size_t texts_size(const struct instance_info *info, bool wide)
{
    size_t size = 0;
    for (size_t i = 0; i < info->count; i++) {
        const struct instance_info_entry *entry = &info->entries[i];
        size += entry->name == NULL ? 0 : text_size(entry->name, wide);
        for (uint32_t n = 0; n < entry->database_count; n++)
            size += text_size(entry->databases[n], wide);
    }
    return size;
}

/* Puts a text where *at points and moves that on. */
static char *put_text(char **at, const char *text, bool wide)
{
    char *here = *at;
    const size_t size = text_size(text, wide);
    if (wide) {
        memset(here, 0, size);
        (void)os_utf8_to_utf16(text, strlen(text), (uint16_t *)(void *)here, size / sizeof(uint16_t), NULL);
    } else {
        memcpy(here, text, size);
    }
    *at += size;
    return here;
}

_Static_assert(sizeof(JET_INSTANCE_INFO_A) == sizeof(JET_INSTANCE_INFO_W), "both differ in the texts only");

static JET_ERR make_block(const struct instance_info *info, bool wide, uint32_t *count, void **block)
{
    *count = 0;
    *block = NULL;
    if (info->count == 0)
        return JET_errSuccess;
    const size_t structures = info->count * sizeof(JET_INSTANCE_INFO_A);
    const size_t pointers = pointers_count(info) * sizeof(char *);
    char *memory = os_allocate_zeroed(structures + pointers + texts_size(info, wide));
    if (memory == NULL)
        return JET_errOutOfMemory;
    JET_INSTANCE_INFO_A *out = (JET_INSTANCE_INFO_A *)(void *)memory;
    char **pointer = (char **)(void *)(memory + structures);
    char *text = memory + structures + pointers;
    for (size_t i = 0; i < info->count; i++) {
        const struct instance_info_entry *entry = &info->entries[i];
        out[i].hInstanceId = entry->handle;
        out[i].szInstanceName = entry->name == NULL ? NULL : put_text(&text, entry->name, wide);
        out[i].cDatabases = entry->database_count;
        if (entry->database_count == 0)
            continue;
        out[i].szDatabaseFileName = pointer;
        out[i].szDatabaseDisplayName = pointer + entry->database_count; /* none has one */
        for (uint32_t n = 0; n < entry->database_count; n++)
            pointer[n] = put_text(&text, entry->databases[n], wide);
        pointer += 2 * (size_t)entry->database_count;
    }
    *count = (uint32_t)info->count;
    *block = memory;
    return JET_errSuccess;
}

JET_ERR instance_info_out(const struct instance_info *info, uint32_t *count, JET_INSTANCE_INFO_A **block)
{
    void *memory;
    const JET_ERR err = make_block(info, false, count, &memory);
    *block = memory;
    return err;
}

JET_ERR instance_info_out_wide(const struct instance_info *info, uint32_t *count, JET_INSTANCE_INFO_W **block)
{
    void *memory;
    const JET_ERR err = make_block(info, true, count, &memory);
    *block = memory;
    return err;
}

/* --- JetGetInstanceInfo --- */

static JET_ERR add_instance(struct instance *instance, void *context)
{
    return instance_info_add(context, instance);
}

JET_ERR JET_API JetGetInstanceInfoA(uint32_t *pcInstanceInfo, JET_INSTANCE_INFO_A **paInstanceInfo)
{
    struct instance_info info = {NULL, 0};
    JET_ERR err = JET_errSuccess;
    if (pcInstanceInfo == NULL || paInstanceInfo == NULL)
        return JET_errInvalidParameter;
    TRY(instance_visit(add_instance, &info));
    TRY(instance_info_out(&info, pcInstanceInfo, paInstanceInfo));
done:
    instance_info_free(&info);
    return err;
}

JET_ERR JET_API JetGetInstanceInfoW(uint32_t *pcInstanceInfo, JET_INSTANCE_INFO_W **paInstanceInfo)
{
    struct instance_info info = {NULL, 0};
    JET_ERR err = JET_errSuccess;
    if (pcInstanceInfo == NULL || paInstanceInfo == NULL)
        return JET_errInvalidParameter;
    TRY(instance_visit(add_instance, &info));
    TRY(instance_info_out_wide(&info, pcInstanceInfo, paInstanceInfo));
done:
    instance_info_free(&info);
    return err;
}
