/* JetSetSystemParameter, JetGetSystemParameter, JetEnableMultiInstance (engine source: `jetapi.cxx`). */
#include "src/api/error_text.h"
#include "src/api/text.h"
#include "src/instance/process.h"
#include "src/os/memory.h"
#include "src/os/text.h"
#include "src/os/thread.h"

/* The least key that an index may be limited to at most: depends on the page size. */
static uint64_t key_most(uint64_t page_size)
{
    if (page_size <= 2048)
        return JET_cbKeyMost2KBytePage;
    return page_size <= 4096 ? JET_cbKeyMost4KBytePage : JET_cbKeyMost8KBytePage;
}

/* Which instance a parameter call is about: none gives NULL, and then the process's set. */
static JET_ERR find_target(const JET_INSTANCE *handle, JET_SESID session, uint32_t number,
                           struct instance **instance)
{
    *instance = NULL;
    if (process_mode_locked() == PROCESS_MODE_ONE_INSTANCE) {
        *instance = process_only_instance_locked();
    } else if (process_mode_locked() == PROCESS_MODE_MULTI_INSTANCE) {
        if (session != 0 && session != JET_sesidNil) {
            *instance = session_instance(session);
            if (*instance == NULL)
                return JET_errInvalidSesid;
        } else if (handle != NULL && *handle != 0 && *handle != JET_instanceNil) {
            *instance = process_find_locked(*handle);
            if (*instance == NULL)
                return JET_errInvalidParameter;
        }
    }
    if ((parameter_definition(number)->flags & PARAMETER_GLOBAL) != 0 &&
        process_mode_locked() == PROCESS_MODE_ONE_INSTANCE)
        *instance = NULL;
    return JET_errSuccess;
}

/* Is this a call-back of the instance's start, which is under way on this thread? Under the instance's lock.
 */
static bool in_start_callback(const struct instance *instance)
{
    return instance->state == INSTANCE_INITIALIZING && instance->start_thread == os_thread_id();
}

/* Parameters of an instance may be written and read before it runs, but not while it starts or ends; only
 * call-backs of the start may. */
static JET_ERR check_state(struct instance *instance)
{
    os_mutex_lock(&instance->lock);
    enum instance_state state = in_start_callback(instance) ? INSTANCE_RUNNING : instance->state;
    os_mutex_unlock(&instance->lock);
    switch (state) {
    case INSTANCE_TERMINATING:
        return JET_errTermInProgress;
    case INSTANCE_RESTORING:
        return JET_errRestoreInProgress;
    case INSTANCE_INITIALIZING:
        return JET_errInitInProgress;
    default:
        return JET_errSuccess;
    }
}

static struct parameters *parameters_of(struct instance *instance, uint32_t number)
{
    bool global = (parameter_definition(number)->flags & PARAMETER_GLOBAL) != 0;
    return instance == NULL || global ? process_parameters_locked() : &instance->parameters;
}

/* --- writing --- */

static JET_ERR set_locked(struct instance *instance, uint32_t number, uint64_t value, const char *text)
{
    struct parameters *set = parameters_of(instance, number);
    struct parameter_writer writer = {
        .mode_chosen = process_mode_locked() != PROCESS_MODE_NONE,
        /* What the start has read already is fixed. */
        .running = instance != NULL &&
                   (instance->state == INSTANCE_RUNNING || instance->state == INSTANCE_INITIALIZING),
        .advanced = parameter_is_on(instance != NULL ? &instance->parameters : process_parameters_locked(),
                                    JET_paramEnableAdvanced),
    };
    return parameter_set(set, number, value, text, &writer);
}

/* How one session commits by default. */
static JET_ERR set_session_default(JET_SESID sesid, uint64_t bits)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    TRY(parameter_check_commit_default(bits));
    TRY(session_enter(sesid, &session));
    session->commit_default = (JET_GRBIT)bits;
    session_leave(session);
done:
    return err;
}

static JET_ERR set_parameter(const JET_INSTANCE *handle, JET_SESID sesid, uint32_t number, uint64_t value,
                             const char *text)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = NULL;

    process_lock();
    TRY(find_target(handle, sesid, number, &instance));
    if (instance != NULL)
        TRY(check_state(instance));
    if (instance != NULL && number == JET_paramCommitDefault && sesid != 0 && sesid != JET_sesidNil) {
        process_unlock();
        return set_session_default(sesid, value);
    }
    TRY(set_locked(instance, number, value, text));
done:
    process_unlock();
    return err;
}

JET_ERR JET_API JetSetSystemParameterA(JET_INSTANCE *pinstance, JET_SESID sesid, uint32_t paramid,
                                       JET_API_PTR lParam, JET_PCSTR szParam)
{
    JET_ERR err = api_text_check(szParam);
    return err < JET_errSuccess ? err : set_parameter(pinstance, sesid, paramid, lParam, szParam);
}

JET_ERR JET_API JetSetSystemParameterW(JET_INSTANCE *pinstance, JET_SESID sesid, uint32_t paramid,
                                       JET_API_PTR lParam, JET_PCWSTR szParam)
{
    JET_ERR err = JET_errSuccess;
    char *text = NULL;
    TRY(api_text_from_wide(szParam, &text));
    TRY(set_parameter(pinstance, sesid, paramid, lParam, text));
done:
    os_free(text);
    return err;
}

/* --- reading --- */

/* A parameter's value: `*text` is set for texts (a new block), `*value` for numbers. */
struct parameter_answer {
    uint64_t value;
    char *text;
};

static void read_special(struct instance *instance, uint32_t number, struct parameter_answer *answer)
{
    const struct parameters *global = process_parameters_locked();
    uint64_t page_size = parameter_number(global, JET_paramDatabasePageSize);
    switch (number) {
    case JET_paramKeyMost:
        answer->value = key_most(page_size);
        break;
    case JET_paramEngineFormatVersion:
        answer->value = parameter_number(parameters_of(instance, number), number);
        if (answer->value == JET_efvUseEngineDefault)
            answer->value = parameters_newest_format();
        break;
    case JET_paramLVChunkSizeMost:
        if (page_size <= 8192)
            answer->value = page_size - JET_cbColumnLVPageOverhead;
        else
            answer->value = page_size == 16384 ? 4050 : 8150;
        break;
    default:
        answer->value = parameter_number(parameters_of(instance, number), number);
        break;
    }
}

static bool is_text_parameter(uint32_t number)
{
    uint8_t type = parameter_definition(number)->type;
    return type == PARAMETER_STRING || type == PARAMETER_PATH || type == PARAMETER_FOLDER;
}

static JET_ERR read_parameter(JET_INSTANCE handle, JET_SESID sesid, uint32_t number,
                              struct parameter_answer *answer)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = NULL;

    process_lock();
    TRY(find_target(&handle, sesid, number, &instance));
    if (instance != NULL)
        TRY(check_state(instance));
    if (parameter_definition(number)->type == PARAMETER_ILLEGAL)
        FAIL(JET_errInvalidParameter);
    if (is_text_parameter(number)) {
        answer->text = os_duplicate_text(parameter_text(parameters_of(instance, number), number));
        if (answer->text == NULL)
            FAIL(JET_errOutOfMemory);
    } else {
        read_special(instance, number, answer);
    }
done:
    process_unlock();
    return err;
}

/* JET_paramTransactionLevel and the commit default are a session's, if one is given. */
static JET_ERR read_session_parameter(JET_SESID sesid, uint32_t number, JET_API_PTR *value)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    if (value == NULL || sesid == 0 || sesid == JET_sesidNil)
        return JET_errInvalidParameter;
    TRY(session_enter(sesid, &session));
    if (number == JET_paramTransactionLevel)
        *value = transaction_level(&session->transaction);
    else
        *value = session->commit_default;
    session_leave(session);
done:
    return err;
}

static JET_ERR read_unicode_default(JET_INSTANCE handle, JET_SESID sesid, JET_API_PTR *value, uint32_t size)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = NULL;
    if (value == NULL)
        return JET_errInvalidParameter;
    if (size < sizeof(JET_UNICODEINDEX))
        return JET_errBufferTooSmall;
    process_lock();
    TRY(find_target(&handle, sesid, JET_paramUnicodeIndexDefault, &instance));
    JET_UNICODEINDEX *out = (JET_UNICODEINDEX *)(void *)value;
    const struct parameters *set = parameters_of(instance, JET_paramUnicodeIndexDefault);
    out->lcid = set->unicode_default_set ? set->unicode_default.locale_id : PARAMETER_UNICODE_LOCALE;
    out->dwMapFlags = set->unicode_default_set ? set->unicode_default.map_flags : PARAMETER_UNICODE_FLAGS;
done:
    process_unlock();
    return err;
}

/* The error's name and description, as text. */
static JET_ERR read_error_text(const JET_API_PTR *value, char *text, size_t size)
{
    if (value == NULL)
        return JET_errInvalidParameter;
    return error_text((JET_ERR)*value, text, size);
}

typedef JET_ERR (*text_output)(const char *text, void *buffer, size_t size);

static JET_ERR get_parameter(JET_INSTANCE handle, JET_SESID sesid, uint32_t number, JET_API_PTR *value,
                             void *buffer, uint32_t size, text_output output)
{
    JET_ERR err = JET_errSuccess;
    struct parameter_answer answer = {0, NULL};
    char text[256];

    switch (number) {
    case JET_paramUnicodeIndexDefault:
        return read_unicode_default(handle, sesid, value, size);
    case JET_paramErrorToString:
        TRY(read_error_text(value, text, sizeof(text)));
        TRY(output(text, buffer, size));
        return err;
    case JET_paramTransactionLevel:
        return read_session_parameter(sesid, number, value);
    case JET_paramCommitDefault:
        if (sesid != 0 && sesid != JET_sesidNil)
            return read_session_parameter(sesid, number, value);
        break;
    default:
        break;
    }
    TRY(read_parameter(handle, sesid, number, &answer));
    if (answer.text != NULL) {
        TRY(output(answer.text, buffer, size));
    } else {
        if (value == NULL)
            FAIL(JET_errInvalidParameter);
        *value = answer.value;
    }
done:
    os_free(answer.text);
    return err;
}

static JET_ERR output_narrow(const char *text, void *buffer, size_t size)
{
    return api_text_out(text, buffer, size);
}

static JET_ERR output_wide(const char *text, void *buffer, size_t size)
{
    return api_text_out_wide(text, buffer, size);
}

JET_ERR JET_API JetGetSystemParameterA(JET_INSTANCE instance, JET_SESID sesid, uint32_t paramid,
                                       JET_API_PTR *plParam, JET_PSTR szParam, uint32_t cbMax)
{
    return get_parameter(instance, sesid, paramid, plParam, szParam, cbMax, output_narrow);
}

JET_ERR JET_API JetGetSystemParameterW(JET_INSTANCE instance, JET_SESID sesid, uint32_t paramid,
                                       JET_API_PTR *plParam, JET_PWSTR szParam, uint32_t cbMax)
{
    return get_parameter(instance, sesid, paramid, plParam, szParam, cbMax, output_wide);
}

/* --- multi-instance mode --- */

/* One entry of the A or W array, in UTF-8. */
struct multi_parameter {
    uint32_t number;
    uint64_t value;
    const char *text;
    JET_ERR *err;
};

/* In multi-instance mode already: the values must be those that were set then. */
static JET_ERR compare_parameter(const struct multi_parameter *entry)
{
    const struct parameter_definition *definition = parameter_definition(entry->number);
    const struct parameters *set = process_parameters_locked();
    if (definition->type == PARAMETER_ILLEGAL)
        return JET_errInvalidParameter;
    bool fixed_global = (definition->flags & PARAMETER_GLOBAL) != 0 &&
                        (definition->flags & PARAMETER_FIXED_BY_GLOBAL_INIT) != 0;
    if (fixed_global && !set->values[entry->number].written)
        return JET_errSystemParameterConflict;
    bool same;
    if (is_text_parameter(entry->number))
        same = strcmp(parameter_text(set, entry->number), entry->text != NULL ? entry->text : "") == 0;
    else
        same = parameter_number(set, entry->number) == entry->value;
    return same ? JET_errSuccess : JET_errSystemParameterConflict;
}

/* Global parameters that were set then must be among those given now. */
static bool all_written_given(const uint8_t given[PARAMETER_COUNT])
{
    const struct parameters *set = process_parameters_locked();
    for (uint32_t number = 0; number < PARAMETER_COUNT; number++) {
        const struct parameter_definition *definition = parameter_definition(number);
        if ((definition->flags & PARAMETER_GLOBAL) != 0 &&
            (definition->flags & PARAMETER_FIXED_BY_GLOBAL_INIT) != 0 && set->values[number].written &&
            given[number] == 0)
            return false;
    }
    return true;
}

typedef JET_ERR (*entry_reader)(const void *array, uint32_t index, struct multi_parameter *entry,
                                char **block);

static JET_ERR enable_multi_instance(void *array, uint32_t count, uint32_t *succeeded, entry_reader read)
{
    JET_ERR err = JET_errSuccess;
    uint8_t given[PARAMETER_COUNT] = {0};
    uint32_t done_count = 0;
    bool compare;

    process_lock();
    compare = process_mode_locked() == PROCESS_MODE_MULTI_INSTANCE;
    if (count > 0 && array == NULL)
        FAIL(JET_errInvalidParameter);
    if (process_mode_locked() == PROCESS_MODE_ONE_INSTANCE)
        FAIL(JET_errRunningInOneInstanceMode);
    for (uint32_t i = 0; i < count; i++) {
        struct multi_parameter entry;
        char *block = NULL;
        err = read(array, i, &entry, &block);
        if (err >= JET_errSuccess)
            err =
                compare ? compare_parameter(&entry) : set_locked(NULL, entry.number, entry.value, entry.text);
        *entry.err = err;
        if (err >= JET_errSuccess) /* of a number that there is */
            given[entry.number] = 1;
        os_free(block);
        TRY(err);
        done_count++;
    }
    if (compare)
        FAIL(all_written_given(given) ? JET_errSystemParamsAlreadySet : JET_errSystemParameterConflict);
    process_set_mode_locked(PROCESS_MODE_MULTI_INSTANCE);
done:
    process_unlock();
    if (succeeded != NULL)
        *succeeded = done_count;
    return err;
}

static JET_ERR read_entry_narrow(const void *array, uint32_t index, struct multi_parameter *entry,
                                 char **block)
{
    JET_SETSYSPARAM_A *given = (JET_SETSYSPARAM_A *)(uintptr_t)array + index;
    (void)block;
    *entry = (struct multi_parameter){given->paramid, given->lParam, given->sz, &given->err};
    return api_text_check(given->sz);
}

static JET_ERR read_entry_wide(const void *array, uint32_t index, struct multi_parameter *entry, char **block)
{
    JET_SETSYSPARAM_W *given = (JET_SETSYSPARAM_W *)(uintptr_t)array + index;
    *entry = (struct multi_parameter){given->paramid, given->lParam, NULL, &given->err};
    JET_ERR err = api_text_from_wide(given->sz, block);
    entry->text = *block;
    return err;
}

JET_ERR JET_API JetEnableMultiInstanceA(JET_SETSYSPARAM_A *psetsysparam, uint32_t csetsysparam,
                                        uint32_t *pcsetsucceed)
{
    return enable_multi_instance(psetsysparam, csetsysparam, pcsetsucceed, read_entry_narrow);
}

JET_ERR JET_API JetEnableMultiInstanceW(JET_SETSYSPARAM_W *psetsysparam, uint32_t csetsysparam,
                                        uint32_t *pcsetsucceed)
{
    return enable_multi_instance(psetsysparam, csetsysparam, pcsetsucceed, read_entry_wide);
}
