#include "src/instance/parameters.h"

#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/os/path.h"
#include "src/os/text.h"

/* The formats this engine writes and reads, as JET_paramEngineFormatVersion numbers them. */
#define FORMAT_VERSION_LEAST 5920u
#define FORMAT_VERSION_GREATEST 9600u

/* Commit bits that may be a default. */
#define COMMIT_DEFAULT_BITS                                                                                  \
    (JET_bitCommitLazyFlush | JET_bitWaitLastLevel0Commit | JET_bitWaitAllLevel0Commit | JET_bitForceNewLog)

static bool is_text(const struct parameter_definition *definition)
{
    return definition->type == PARAMETER_STRING || definition->type == PARAMETER_PATH ||
           definition->type == PARAMETER_FOLDER;
}

/* Defaults that depend on the profile: the documented one is Windows' own build, the published one the
 * published build. */
static uint64_t profile_default(uint32_t number, uint64_t usual)
{
    bool published = os_host_is_published();
    switch (number) {
    case JET_paramLegacyFileNames:
        return published ? JET_bitESE98FileNames : JET_bitESE98FileNames | JET_bitEightDotThreeSoftCompat;
    case JET_paramEnablePersistedCallbacks:
        return published ? 1 : 0;
    default:
        return usual;
    }
}

void parameters_init(struct parameters *set, char (*storage)[PARAMETER_TEXT_SIZE])
{
    memset(set, 0, sizeof(*set));
    set->storage = storage;
    for (uint32_t number = 0; number < PARAMETER_COUNT; number++)
        os_atomic_store(&set->values[number].number,
                        profile_default(number, parameter_definition(number)->default_value));
}

void parameters_refresh(struct parameters *set)
{
    static const uint32_t numbers[] = {JET_paramLegacyFileNames, JET_paramEnablePersistedCallbacks};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct parameter *parameter = &set->values[numbers[i]];
        if (!parameter->written)
            os_atomic_store(&parameter->number, profile_default(numbers[i], 0));
    }
}

JET_ERR parameters_copy(struct parameters *to, const struct parameters *from)
{
    JET_ERR err = JET_errSuccess;
    memset(to, 0, sizeof(*to));
    for (uint32_t number = 0; number < PARAMETER_COUNT; number++) {
        struct parameter *copy = &to->values[number];
        const struct parameter *original = &from->values[number];
        os_atomic_store(&copy->number, os_atomic_load(&original->number));
        copy->written = original->written;
        if (original->text != NULL && (copy->text = os_duplicate_text(original->text)) == NULL)
            FAIL(JET_errOutOfMemory);
    }
    to->unicode_default_set = from->unicode_default_set;
    to->unicode_default = from->unicode_default;
done:
    if (err < JET_errSuccess)
        parameters_done(to);
    return err;
}

void parameters_done(struct parameters *set)
{
    for (uint32_t number = 0; number < PARAMETER_COUNT; number++) {
        if (set->storage == NULL)
            os_free(set->values[number].text);
        set->values[number].text = NULL;
    }
}

uint64_t parameter_number(const struct parameters *set, uint32_t number)
{
    ASSERT(number < PARAMETER_COUNT && !is_text(parameter_definition(number)));
    return os_atomic_load(&set->values[number].number);
}

const char *parameter_text(const struct parameters *set, uint32_t number)
{
    ASSERT(number < PARAMETER_COUNT && is_text(parameter_definition(number)));
    const char *text = set->values[number].text;
    return text != NULL ? text : parameter_definition(number)->default_text;
}

void parameter_force_number(struct parameters *set, uint32_t number, uint64_t value)
{
    ASSERT(number < PARAMETER_COUNT);
    os_atomic_store(&set->values[number].number, value);
}

JET_ERR parameter_force_text(struct parameters *set, uint32_t number, const char *text)
{
    ASSERT(number < PARAMETER_COUNT);
    if (set->storage != NULL) {
        JET_ERR err = os_text_copy(text, set->storage[number], PARAMETER_TEXT_SIZE);
        if (err < JET_errSuccess) {
            set->values[number].text = NULL;
            return JET_errInvalidParameter;
        }
        set->values[number].text = set->storage[number];
        return JET_errSuccess;
    }
    char *copy = os_duplicate_text(text);
    if (copy == NULL)
        return JET_errOutOfMemory;
    os_free(set->values[number].text);
    set->values[number].text = copy;
    return JET_errSuccess;
}

/* May it be written now at all? */
static JET_ERR check_time(const struct parameter_definition *definition,
                          const struct parameter_writer *writer)
{
    if ((definition->flags & PARAMETER_FIXED_BY_GLOBAL_INIT) != 0 && writer->mode_chosen)
        return JET_errAlreadyInitialized;
    if ((definition->flags & PARAMETER_FIXED_BY_INIT) != 0 && writer->running)
        return JET_errAlreadyInitialized;
    return JET_errSuccess;
}

/* The published engine refuses what the documented profile adds: pages of 2 KiB. */
static uint64_t least_value(uint32_t number, const struct parameter_definition *definition)
{
    if (number == JET_paramDatabasePageSize && os_host_is_published())
        return 4096;
    return definition->low;
}

/* Versions of the format: a number, or a flag that stands for one. */
static JET_ERR check_format_version(uint64_t value)
{
    if (value == JET_efvUseEngineDefault || value == JET_efvUsePersistedFormat)
        return JET_errSuccess;
    uint64_t version = value;
    if ((value & JET_efvAllowHigherPersistedFormat) == JET_efvAllowHigherPersistedFormat)
        version = value & ~(uint64_t)JET_efvAllowHigherPersistedFormat;
    if (version < FORMAT_VERSION_LEAST)
        return JET_errEngineFormatVersionNoLongerSupportedTooLow;
    if (version > FORMAT_VERSION_GREATEST)
        return JET_errEngineFormatVersionNotYetImplementedTooHigh;
    return JET_errSuccess;
}

uint32_t parameters_newest_format(void)
{
    return os_host_is_published() ? FORMAT_VERSION_GREATEST : JET_efvExchange2016Cu1Rtm;
}

bool parameters_format_reaches(const struct parameters *set, uint32_t wanted)
{
    uint64_t version = parameter_number(set, JET_paramEngineFormatVersion);
    if (version == JET_efvUseEngineDefault)
        version = parameters_newest_format();
    if ((version & JET_efvAllowHigherPersistedFormat) == JET_efvAllowHigherPersistedFormat)
        version &= ~(uint64_t)JET_efvAllowHigherPersistedFormat;
    return version != JET_efvUsePersistedFormat && version >= wanted;
}

static JET_ERR set_number(struct parameters *set, uint32_t number, uint64_t value,
                          const struct parameter_writer *writer)
{
    JET_ERR err = JET_errSuccess;
    const struct parameter_definition *definition = parameter_definition(number);
    struct parameter *parameter = &set->values[number];
    uint64_t stored = value;

    /* The value it has already may be set at any time. */
    if (value != os_atomic_load(&parameter->number)) {
        TRY(check_time(definition, writer));
        if (value < least_value(number, definition) || value > definition->high)
            FAIL(JET_errInvalidParameter);
    }
    if (definition->type == PARAMETER_BLOCK_SIZE && (value & (value - 1)) != 0)
        FAIL(JET_errInvalidParameter);
    if (definition->type == PARAMETER_BOOLEAN)
        stored = value != 0;
    os_atomic_store(&parameter->number, stored);
    parameter->written = true;
done:
    return err;
}

/* The absolute path, that of a folder with its separator. */
static JET_ERR complete_path(const char *path, bool folder, char *full, size_t size)
{
    JET_ERR err = JET_errSuccess;
    TRY(os_path_full(path, full, size - 1));
    if (folder && !os_path_ends_with_separator(full))
        strcat(full, "/");
done:
    return err;
}

static JET_ERR set_text(struct parameters *set, uint32_t number, const char *text,
                        const struct parameter_writer *writer)
{
    JET_ERR err = JET_errSuccess;
    const struct parameter_definition *definition = parameter_definition(number);
    char full[OS_PATH_SIZE];

    TRY(check_time(definition, writer));
    if (text == NULL)
        text = "";
    const size_t length = strlen(text);
    if (length < definition->low || length > definition->high)
        FAIL(JET_errInvalidParameter);
    const bool folder = definition->type == PARAMETER_FOLDER || os_path_ends_with_separator(text);
    /* A mere file name stays one: it is taken relative to the system path at start-up. */
    if (length > 0 && definition->type != PARAMETER_STRING && (folder || os_path_file_name(text) != text)) {
        TRY(complete_path(text, folder, full, sizeof(full)));
        if (strlen(full) > definition->high)
            FAIL(JET_errInvalidParameter);
        text = full;
    }
    TRY(parameter_force_text(set, number, text));
    set->values[number].written = true;
done:
    return err;
}

static JET_ERR set_unicode_default(struct parameters *set, uint64_t value,
                                   const struct parameter_writer *writer)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_time(parameter_definition(JET_paramUnicodeIndexDefault), writer));
    set->unicode_default_set = value != 0;
    if (value != 0) {
        const JET_UNICODEINDEX *given = (const JET_UNICODEINDEX *)(uintptr_t)value;
        set->unicode_default.locale_id = given->lcid;
        set->unicode_default.map_flags = given->dwMapFlags;
    }
    set->values[JET_paramUnicodeIndexDefault].written = true;
done:
    return err;
}

JET_ERR parameter_check_commit_default(uint64_t value)
{
    return (value & ~(uint64_t)COMMIT_DEFAULT_BITS) != 0 ? JET_errInvalidParameter : JET_errSuccess;
}

JET_ERR parameter_set(struct parameters *set, uint32_t number, uint64_t value, const char *text,
                      const struct parameter_writer *writer)
{
    JET_ERR err = JET_errSuccess;
    const struct parameter_definition *definition = parameter_definition(number);

    if (definition->type == PARAMETER_ILLEGAL)
        FAIL(JET_errInvalidParameter);
    /* Advanced parameters are left alone, without an error, unless the program says that it knows what it
     * does. */
    if ((definition->flags & PARAMETER_ADVANCED) != 0 && !writer->advanced)
        goto done;
    if ((definition->flags & PARAMETER_READ_ONLY) != 0)
        FAIL(JET_errInvalidParameter);
    switch (number) {
    case JET_paramUnicodeIndexDefault:
        TRY(set_unicode_default(set, value, writer));
        goto done;
    case JET_paramCommitDefault:
        TRY(parameter_check_commit_default(value));
        break;
    case JET_paramEngineFormatVersion:
        TRY(check_format_version(value));
        break;
    case JET_paramConfiguration:
        if ((value & ~(uint64_t)definition->high) != 0)
            FAIL(JET_errInvalidParameter);
        break;
    default:
        break;
    }
    if (is_text(definition))
        TRY(set_text(set, number, text, writer));
    else
        TRY(set_number(set, number, value, writer));
done:
    return err;
}
