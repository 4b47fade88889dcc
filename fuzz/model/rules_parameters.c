/* System parameters: when they may be written, what is refused, and what the rules need to know of them.
 * Source: `sysparamtable.g.cxx` and the order of checks in `jetapi.cxx`. */
#include <string.h>
#include <strings.h>

#include "fuzz/model/state.h"
#include "fuzz/runner/names.h"

enum kind { NUMBER, BOOLEAN, SIZE, STRING, FOLDER };

/* The process's; fixed once the mode is chosen; fixed while the instance runs. */
#define G 1u
#define M 2u
#define I 4u

enum effect {
    NO_EFFECT,    /* none that a rule depends on */
    LIMIT,        /* less than the usual value may be too little */
    FOLLOWED,     /* see follow() */
    NOT_FOLLOWED, /* what happens afterwards is not described */
};

struct rule {
    uint32_t id;
    enum kind kind;
    uint32_t flags;
    uint64_t low, high; /* of numbers; of the lengths of texts */
    uint64_t usual;
    enum effect effect;
};

static const struct rule rules[] = {
    [MODEL_CIRCULAR] = {JET_paramCircularLog, BOOLEAN, I, 0, UINT64_MAX, 0, FOLLOWED},
    [MODEL_LOG_SIZE] = {JET_paramLogFileSize, NUMBER, I, 64, 32768, 5120, FOLLOWED},
    [MODEL_CREATE_PATHS] = {JET_paramCreatePathIfNotExist, BOOLEAN, 0, 0, UINT64_MAX, 0, FOLLOWED},
    [MODEL_FILE_NAMES] = {JET_paramLegacyFileNames, NUMBER, I, 0, 255, 1, FOLLOWED},
    [MODEL_PAGE] = {JET_paramDatabasePageSize, SIZE, G | M | I, 4096, 32768, 4096, FOLLOWED},
    [MODEL_TEMPORARY_TABLES] = {JET_paramMaxTemporaryTables, NUMBER, I, 0, 2147483647, 20, LIMIT},
    [MODEL_SNAPSHOT_TIMEOUT] = {JET_paramOSSnapshotTimeout, NUMBER, G, 0, 2147483647, 70000, NO_EFFECT},
    [MODEL_CHECKPOINT_DEPTH] = {JET_paramCheckpointDepthMax, NUMBER, 0, 0, UINT64_MAX, 20971520, NO_EFFECT},
    [MODEL_SESSIONS] = {JET_paramMaxSessions, NUMBER, I, 0, 30000, 16, FOLLOWED},
    {JET_paramSystemPath, FOLDER, I, 0, 246, 0, FOLLOWED},
    {JET_paramTempPath, FOLDER, I, 0, 247, 0, FOLLOWED},
    {JET_paramLogFilePath, FOLDER, I, 0, 246, 0, FOLLOWED},
    {JET_paramBaseName, STRING, I, 3, 3, 0, FOLLOWED},
    {JET_paramRecovery, STRING, I, 0, 259, 0, FOLLOWED},
    {JET_paramAlternateDatabaseRecoveryPath, FOLDER, I, 0, 246, 0, FOLLOWED},
    {JET_paramEventSource, STRING, I, 0, 259, 0, NO_EFFECT},
    {JET_paramEventSourceKey, STRING, I, 0, 259, 0, NO_EFFECT},
    {JET_paramNoInformationEvent, BOOLEAN, I, 0, UINT64_MAX, 0, NO_EFFECT},
    {JET_paramWaitLogFlush, NUMBER, 0, 0, 2147483647, 0, NO_EFFECT},
    {JET_paramLogCheckpointPeriod, NUMBER, I, 0, 2147483647, 1024, NO_EFFECT},
    {JET_paramLogWaitingUserMax, NUMBER, I, 0, 2147483647, 3, NO_EFFECT},
    {JET_paramPreferredMaxOpenTables, NUMBER, I, 0, 2147483647, 0, NO_EFFECT},
    {JET_paramDbExtensionSize, NUMBER, 0, 1, 2147483647, 256, NO_EFFECT},
    {JET_paramPageReadAheadMax, NUMBER, 0, 0, UINT64_MAX, UINT64_MAX, NO_EFFECT},
    {JET_paramBatchIOBufferMax, NUMBER, G, 0, UINT64_MAX, 256, NO_EFFECT},
    {JET_paramAssertAction, NUMBER, G, 0, 64, 64, NO_EFFECT},
    {JET_paramCheckFormatWhenOpenFail, BOOLEAN, I, 0, UINT64_MAX, 1, NO_EFFECT},
    {JET_paramEnableIndexChecking, NUMBER, 0, 0, 2, 1, NO_EFFECT},
    {JET_paramIgnoreLogVersion, BOOLEAN, I, 0, 0, 0, NO_EFFECT},
    {JET_paramDeleteOldLogs, BOOLEAN, I, 0, UINT64_MAX, 0, NO_EFFECT},
    {JET_paramEnableIndexCleanup, BOOLEAN, 0, 0, UINT64_MAX, 1, NO_EFFECT},
    {JET_paramBackupChunkSize, NUMBER, I, 1, 2147483647, 16, NO_EFFECT},
    {JET_paramBackupOutstandingReads, NUMBER, I, 1, 2147483647, 8, NO_EFFECT},
    {JET_paramZeroDatabaseDuringBackup, BOOLEAN, I, 0, UINT64_MAX, 0, NO_EFFECT},
    {JET_paramEnableSortedRetrieveColumns, BOOLEAN, I, 0, UINT64_MAX, 0, NO_EFFECT},
    {JET_paramIdleFlushTime, NUMBER, G, 0, UINT64_MAX, 0, NO_EFFECT},
    {JET_paramMaxRandomIOSize, NUMBER, G, 0, UINT64_MAX, 1 << 20, NO_EFFECT},
    {JET_paramPreferredVerPages, NUMBER, 0, 1, 2147483647, 58, NO_EFFECT},
    {JET_paramVersionStoreTaskQueueMax, NUMBER, 0, 1, 127, 4, NO_EFFECT},
    {JET_paramStartFlushThreshold, NUMBER, G, 0, UINT64_MAX, 20000000, NO_EFFECT},
    {JET_paramStopFlushThreshold, NUMBER, G, 0, UINT64_MAX, 40000000, NO_EFFECT},
    {JET_paramPageFragment, NUMBER, I, 0, 2147483647, 8, NO_EFFECT},
    {JET_paramMaxOpenTables, NUMBER, I, 0, 2147483647, 300, LIMIT},
    {JET_paramMaxCursors, NUMBER, I, 0, 2147483647, 1024, LIMIT},
    {JET_paramMaxVerPages, NUMBER, I, 1, 2147483647, 64, LIMIT},
    {JET_paramCacheSizeMax, NUMBER, G, 1, UINT64_MAX, 2000000000, NO_EFFECT},
    {JET_paramLogBuffers, NUMBER, I, 1, 2147483647, 126, NO_EFFECT},
    {JET_paramDeleteOutOfRangeLogs, BOOLEAN, I, 0, UINT64_MAX, 0, NOT_FOLLOWED},
    {JET_paramCleanupMismatchedLogFiles, BOOLEAN, I, 0, UINT64_MAX, 0, NOT_FOLLOWED},
    {JET_paramOneDatabasePerSession, BOOLEAN, I, 0, UINT64_MAX, 0, NOT_FOLLOWED},
    {JET_paramEnableTempTableVersioning, BOOLEAN, I, 0, UINT64_MAX, 1, NOT_FOLLOWED},
    {JET_paramDisableCallbacks, BOOLEAN, I, 0, UINT64_MAX, 0, NOT_FOLLOWED},
    {JET_paramIndexTuplesLengthMin, NUMBER, I, 2, 255, 3, NOT_FOLLOWED},
    {JET_paramIndexTuplesLengthMax, NUMBER, I, 2, 255, 10, NOT_FOLLOWED},
    {JET_paramIndexTuplesToIndexMax, NUMBER, I, 1, 32767, 32767, NOT_FOLLOWED},
    {JET_paramEnableAdvanced, BOOLEAN, 0, 0, UINT64_MAX, 1, NOT_FOLLOWED},
    {JET_paramPageTempDBMin, NUMBER, I, 0, 2147483647, 0, NOT_FOLLOWED},
};

#define RULES (sizeof rules / sizeof rules[0])
_Static_assert(RULES <= MODEL_PARAMETERS, "an instance keeps a value for each rule");

static const struct rule *find_rule(const char *name)
{
    uint32_t id;
    if (!name_parameter(name, &id))
        return NULL;
    for (size_t i = 0; i < RULES; i++) {
        if (rules[i].id == id)
            return &rules[i];
    }
    return NULL;
}

/* A value as written: a text, or a number (0 where a text is given). */
struct value {
    const char *text;
    uint64_t number;
};

static bool read_value(const struct program_token *token, struct value *value)
{
    *value = (struct value){.text = token->text};
    return token->text != NULL || strcmp(token->word, "null") == 0 ||
           model_number_text(token->word, &value->number);
}

/* --- what is refused */

static bool is_text(const struct rule *rule)
{
    return rule->kind == STRING || rule->kind == FOLDER;
}

static int32_t time_code(const struct model *model, const struct rule *rule, bool running)
{
    if ((rule->flags & M) != 0 && model->mode != MODE_NONE)
        return JET_errAlreadyInitialized;
    return (rule->flags & I) != 0 && running ? JET_errAlreadyInitialized : JET_errSuccess;
}

static int32_t text_code(struct model *model, const struct rule *rule, const char *text, bool running)
{
    int32_t code = time_code(model, rule, running);
    const size_t length = text == NULL ? 0 : strlen(text);
    if (code == JET_errSuccess && (length < rule->low || length > rule->high))
        code = JET_errInvalidParameter;
    /* What becomes of a folder's name when it is completed is not described. */
    if (code == JET_errSuccess && rule->kind == FOLDER && length > 0 && !model_plain_path(text))
        model_no_opinion(model);
    return code;
}

static int32_t number_code(const struct model *model, const struct rule *rule, uint64_t present,
                           uint64_t number, bool running)
{
    const uint64_t low = rule->kind == SIZE && !model->published ? 2048 : rule->low;
    if (number != present) { /* what it is already may be written at any time */
        int32_t code = time_code(model, rule, running);
        if (code != JET_errSuccess)
            return code;
        if (number < low || number > rule->high)
            return JET_errInvalidParameter;
    }
    return rule->kind == SIZE && (number & (number - 1)) != 0 ? JET_errInvalidParameter : JET_errSuccess;
}

/* --- what it means */

/* `path`: the text, in its one spelling. */
static bool is_plain_folder(const char *text, const char *path)
{
    return text[0] == '\0' ||
           (model_plain_path(text) && strchr(path, '.') == NULL && text[0] != '/' && text[0] != '\\');
}

/* The file: a folder gets the usual name, a bare name lies in the system path whatever that becomes. */
static const char *temporary_path(struct model *model, const char *text)
{
    const size_t length = strlen(text);
    if (length == 0)
        return "tmp.edb";
    if (text[length - 1] != '/' && text[length - 1] != '\\')
        return model_path(model, text);
    const char *folder = model_path(model, text);
    if (folder[0] == '\0')
        return text[0] == '.' ? "./tmp.edb" : "/tmp.edb";
    return arena_format(&model->arena, "%s/tmp.edb", folder);
}

/* False: a text that is not described. */
static bool follow_text(struct model *model, struct model_instance *instance, uint32_t id, const char *text)
{
    const char *path = model_path(model, text);
    switch (id) {
    case JET_paramSystemPath:
        instance->system_path = path;
        instance->empty_system_path = text[0] == '\0';
        return is_plain_folder(text, path);
    case JET_paramTempPath:
        instance->temp_path = temporary_path(model, text);
        return text[0] == '\0' || model_plain_path(text);
    case JET_paramLogFilePath:
        instance->log_path = path;
        instance->empty_log_path = text[0] == '\0';
        return is_plain_folder(text, path);
    case JET_paramAlternateDatabaseRecoveryPath:
        instance->elsewhere = text[0] == '\0' ? NULL : path;
        return true;
    case JET_paramBaseName:
        instance->base_name = arena_text(&model->arena, text);
        return model_plain_text(text);
    case JET_paramRecovery:
        instance->no_logging = strcasecmp(text, "on") != 0;
        return strncasecmp(text, "repair", 6) != 0;
    default:
        return true;
    }
}

/* The parameter has the value now. False: what follows is not described. */
static bool follow(struct model *model, struct model_instance *instance, const struct rule *rule,
                   const struct value *value)
{
    if (rule->effect == NOT_FOLLOWED)
        return false;
    if (is_text(rule))
        return follow_text(model, instance, rule->id, value->text == NULL ? "" : value->text);
    if (rule->effect == LIMIT && value->number < rule->usual)
        return false;
    /* Other extensions of the names are not described. */
    return rule->id != JET_paramLegacyFileNames || (value->number & JET_bitESE98FileNames) != 0;
}

static void store(struct model *model, struct model_instance *instance, const struct rule *rule,
                  const struct value *value)
{
    struct model_instance *holder = (rule->flags & G) != 0 ? &model->defaults : instance;
    if (!is_text(rule))
        holder->numbers[rule - rules] = rule->kind == BOOLEAN ? value->number != 0 : value->number;
    if (!follow(model, holder, rule, value)) {
        if (holder == &model->defaults)
            model->lost = true;
        else
            instance->lost = true;
        if (rule->kind == FOLDER)
            model->lost = true; /* it may be another's, too */
    }
    model->page = (uint32_t)model->defaults.numbers[MODEL_PAGE];
}

/* --- calls */

/* The instance that is meant; the process's values where none is. NULL: a handle that is none. */
static struct model_instance *find_target(struct model *model, struct model_reference reference,
                                          const struct program_token *token)
{
    if (model->mode == MODE_NONE)
        return &model->defaults;
    if (model->mode == MODE_ONE) {
        for (size_t i = 0; i < model->instance_count; i++) {
            if (model->instances[i]->alive)
                return model->instances[i];
        }
        return &model->defaults;
    }
    if (reference.kind == OBJECT_INSTANCE) {
        struct model_instance *instance = reference.pointer;
        return instance->alive ? instance : NULL;
    }
    if (reference.kind != OBJECT_NONE)
        return NULL;
    return token != NULL && model_invented(token) ? NULL : &model->defaults;
}

static void set_system_parameter(struct model *model)
{
    const struct program_token *handle = model->line->argument_count > 0 ? &model->line->arguments[0] : NULL;
    struct model_instance *target = find_target(model, model_reference(model), handle);
    const struct program_token *name = model_token(model);
    const struct program_token *token = model_token(model);
    struct value value;
    if (name == NULL || name->text != NULL || token == NULL || !read_value(token, &value)) {
        model_no_opinion(model);
        return;
    }
    if (target == NULL) {
        model_want(model, JET_errInvalidParameter);
        model->expect.rule = "I12";
        return;
    }
    const struct rule *rule = find_rule(name->word);
    if (rule == NULL) {
        model_no_opinion(model);
        if (model->answer == NULL || model_succeeded(model))
            model->lost = true;
        return;
    }
    const bool global = (rule->flags & G) != 0;
    const bool running = target->initialised && !(global && model->mode == MODE_ONE);
    if (target->lost)
        model_no_opinion(model);
    if (is_text(rule))
        model_want(model, text_code(model, rule, value.text, running));
    else
        model_want(model,
                   number_code(model, rule, (global ? &model->defaults : target)->numbers[rule - rules],
                               value.number, running));
    if (model_succeeded(model))
        store(model, target, rule, &value);
}

/* What was written is read back, numbers at least. */
static void get_system_parameter(struct model *model)
{
    const struct program_token *handle = model->line->argument_count > 0 ? &model->line->arguments[0] : NULL;
    struct model_instance *target = find_target(model, model_reference(model), handle);
    const struct program_token *name = model_token(model);
    const struct rule *rule = name == NULL || name->text != NULL ? NULL : find_rule(name->word);
    if (target == NULL) {
        model_want(model, JET_errInvalidParameter);
        return;
    }
    if (target->lost || rule == NULL || rule->kind != NUMBER || rule->effect == NOT_FOLLOWED) {
        model_no_opinion(model);
        return;
    }
    model_want(model, JET_errSuccess);
    model_want_fact(
        model, "v=%llu",
        (unsigned long long)((rule->flags & G) != 0 ? &model->defaults : target)->numbers[rule - rules]);
}

/* --- a fresh process */

void model_parameters_reset(struct model *model)
{
    struct model_instance *defaults = &model->defaults;
    const uint32_t page_before = model->page; /* 0: the first process */
    *defaults = (struct model_instance){
        .name = "", .log_path = "", .system_path = "", .temp_path = "tmp.edb", .base_name = "edb"};
    for (size_t i = 0; i < RULES; i++)
        defaults->numbers[i] = rules[i].usual;
    if (!model->published)
        defaults->numbers[MODEL_FILE_NAMES] = JET_bitESE98FileNames | JET_bitEightDotThreeSoftCompat;
    model->page = (uint32_t)rules[MODEL_PAGE].usual;
    for (size_t i = 0; i < model->program->line_count; i++) {
        const struct program_line *line = &model->program->lines[i];
        uint32_t id;
        if (line->kind != LINE_SET || line->argument_count == 0 || strcmp(line->name, "profile") == 0)
            continue;
        const char *name = strcmp(line->name, "page") == 0 ? "DatabasePageSize" : line->name;
        const struct rule *rule = find_rule(name);
        if (rule == NULL) {
            model->lost = model->lost || name_parameter(name, &id);
            continue;
        }
        struct value value = {.text = program_token_value(&line->arguments[0], 0, NULL)};
        if (line->arguments[0].text == NULL && model_number_text(value.text, &value.number))
            value.text = NULL;
        const int32_t code =
            is_text(rule) ? text_code(model, rule, value.text, false)
                          : number_code(model, rule, defaults->numbers[rule - rules], value.number, false);
        if (code == JET_errSuccess)
            store(model, defaults, rule, &value);
    }
    /* Which logs are of the other size is not followed. */
    if (page_before != 0 && page_before != model->page)
        model->lost = true;
}

const struct model_entry model_parameter_entries[] = {
    {"SetSystemParameter", set_system_parameter},
    {"GetSystemParameter", get_system_parameter},
    {NULL, NULL},
};
