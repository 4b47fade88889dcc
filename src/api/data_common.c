#include "src/api/data_common.h"

#include "src/api/text.h"
#include "src/instance/databases.h"
#include "src/os/memory.h"
#include "src/table/temporary.h"

JET_ERR data_enter(JET_SESID sesid, JET_TABLEID tableid, struct data_call *call)
{
    void *object = NULL;
    *call = (struct data_call){0};
    JET_ERR err = session_enter_cursor(sesid, tableid, &call->session, &object);
    if (err < JET_errSuccess) {
        call->session = NULL;
        return err;
    }
    call->cursor = object;
    return JET_errSuccess;
}

static unsigned temporary_phase(const struct table_cursor *cursor)
{
    if (cursor->temporary_inserting)
        return REFUSE_INSERTING;
    return temporary_is_materialized(cursor) ? REFUSE_MATERIALIZED : REFUSE_SORTED;
}

JET_ERR data_enter_unless(JET_SESID sesid, JET_TABLEID tableid, unsigned refused, struct data_call *call)
{
    JET_ERR err = data_enter(sesid, tableid, call);
    if (err < JET_errSuccess)
        return err;
    if ((call->cursor->is_temporary && (refused & temporary_phase(call->cursor)) != 0) ||
        (call->cursor->in_callback && (refused & ALLOW_IN_CALLBACK) == 0)) {
        data_leave(call);
        err = JET_errIllegalOperation;
    }
    return err;
}

JET_ERR data_check_change(const struct data_call *call)
{
    return transaction_level(&call->session->transaction) > 0 ? session_check_thread(call->session)
                                                              : JET_errSuccess;
}

void data_leave(struct data_call *call)
{
    if (call->session != NULL)
        session_leave(call->session);
    call->session = NULL;
}

static void close_cursor(struct session *session, void *object)
{
    (void)session;
    table_cursor_close(object);
}

/* The session's thread is in the program's function meanwhile and may call in again. */
static JET_ERR call_back(struct table_cursor *cursor, const struct row_callback *callback, JET_CBTYP type)
{
    struct session *session = cursor->owner;
    const bool outer = cursor->in_callback;
    const uint8_t outer_level = session->callback_level;
    cursor->in_callback = true;
    session->callback_level = (uint8_t)transaction_level(&session->transaction);
    session->row_callbacks++;
    session_bind_thread(session); /* the transaction may be the call's own, of no thread yet */
    session_callback_begin(session);
    JET_ERR err = callback->function(session->handle, databases_id(session->instance, cursor->database),
                                     cursor->handle, type, NULL, NULL, callback->context, 0);
    session_callback_end(session);
    session->row_callbacks--;
    session->callback_level = outer_level;
    cursor->in_callback = outer;
    return err;
}

void data_place_cursor(struct session *session, struct table_cursor *cursor, JET_TABLEID *table)
{
    cursor->owner = session;
    cursor->call_back = call_back;
    cursor->parameters = data_parameters(session);
    cursor->open_level = (uint8_t)transaction_level(&session->transaction);
    session_place_cursor(session, CURSOR_KIND_TABLE, cursor, close_cursor, &cursor->handle);
    *table = cursor->handle;
}

JET_ERR data_publish_cursor(struct session *session, struct table_cursor *cursor, JET_TABLEID *table)
{
    JET_ERR err = session_reserve_cursor(session);
    if (err < JET_errSuccess)
        table_cursor_close(cursor);
    else
        data_place_cursor(session, cursor, table);
    return err;
}

/* --- parameters --- */

static void free_owner_data(struct session *session)
{
    os_free(session->owner_data);
    session->owner_data = NULL;
}

static uint32_t number(const struct session *session, uint32_t parameter)
{
    return (uint32_t)instance_parameter(session->instance, parameter);
}

const struct table_parameters *data_parameters(struct session *session)
{
    return session->owner_data;
}

JET_ERR data_ddl_context(struct session *session, struct ddl_context *context)
{
    struct table_parameters *parameters = session->owner_data;
    if (parameters == NULL) {
        parameters = os_allocate_zeroed(sizeof(*parameters));
        if (parameters == NULL)
            return JET_errOutOfMemory;
        session->owner_data = parameters;
        session->free_owner_data = free_owner_data;
    }
    parameters->tuple_min = number(session, JET_paramIndexTuplesLengthMin);
    parameters->tuple_max = number(session, JET_paramIndexTuplesLengthMax);
    parameters->tuple_to_index = number(session, JET_paramIndexTuplesToIndexMax);
    parameters->tuple_increment = number(session, JET_paramIndexTupleIncrement);
    parameters->tuple_start = number(session, JET_paramIndexTupleStart);
    *context = (struct ddl_context){.parameters = parameters, .owner = session};
    return JET_errSuccess;
}

/* --- texts --- */

void data_texts_init(struct data_texts *texts, bool wide)
{
    *texts = (struct data_texts){.wide = wide};
}

void data_texts_free(struct data_texts *texts)
{
    for (uint32_t i = 0; i < texts->count; i++)
        os_free(texts->made[i]);
    os_free(texts->made);
    *texts = (struct data_texts){0};
}

JET_ERR data_texts_keep(struct data_texts *texts, char *text)
{
    if (texts->count == texts->capacity) {
        uint32_t capacity = texts->capacity * 2 + 8;
        char **made = os_reallocate(texts->made, capacity * sizeof(*made));
        if (made == NULL) {
            os_free(text);
            return JET_errOutOfMemory;
        }
        texts->made = made;
        texts->capacity = capacity;
    }
    texts->made[texts->count++] = text;
    return JET_errSuccess;
}

JET_ERR data_text(struct data_texts *texts, const void *text, const char **out)
{
    JET_ERR err = JET_errSuccess;
    char *made = NULL;
    *out = NULL;
    if (text == NULL)
        return JET_errSuccess;
    if (!texts->wide) {
        *out = text;
        return api_text_check(text);
    }
    TRY(api_text_from_wide(text, &made));
    TRY(data_texts_keep(texts, made));
    *out = made;
done:
    return err;
}

JET_ERR data_text_list(struct data_texts *texts, const void *text, uint32_t size, const char **out,
                       uint32_t *out_size)
{
    *out = text;
    *out_size = size;
    if (!texts->wide || text == NULL)
        return JET_errSuccess;
    /* Names of columns are plain: each unit becomes a byte, one that does not fit cannot be a name. */
    const WCHAR *units = text;
    const uint32_t count = size / (uint32_t)sizeof(WCHAR);
    char *made = os_allocate(count + 1);
    if (made == NULL)
        return JET_errOutOfMemory;
    for (uint32_t i = 0; i < count; i++)
        made[i] = units[i] < 0x80 ? (char)units[i] : '?';
    JET_ERR err = data_texts_keep(texts, made);
    *out = made;
    *out_size = count;
    return err;
}

JET_ERR data_give_bytes(struct span bytes, void *buffer, uint32_t max, uint32_t *actual, bool cut)
{
    if (actual != NULL)
        *actual = (uint32_t)bytes.size;
    const bool fits = bytes.size <= max;
    if (!fits && !cut)
        return JET_errBufferTooSmall;
    if (buffer != NULL && bytes.size > 0)
        memcpy(buffer, bytes.bytes, fits ? bytes.size : max);
    return fits ? JET_errSuccess : JET_wrnBufferTruncated;
}

/* Languages that programs use by number; the rest has names only. */
static const struct {
    uint32_t lcid;
    const char *name;
} lcids[] = {
    {0x0401, "ar-SA"}, {0x0404, "zh-TW"}, {0x0405, "cs-CZ"},        {0x0406, "da-DK"}, {0x0407, "de-DE"},
    {0x0408, "el-GR"}, {0x0409, "en-US"}, {0x040a, "es-ES_tradnl"}, {0x040b, "fi-FI"}, {0x040c, "fr-FR"},
    {0x040d, "he-IL"}, {0x040e, "hu-HU"}, {0x0410, "it-IT"},        {0x0411, "ja-JP"}, {0x0412, "ko-KR"},
    {0x0413, "nl-NL"}, {0x0414, "nb-NO"}, {0x0415, "pl-PL"},        {0x0416, "pt-BR"}, {0x0418, "ro-RO"},
    {0x0419, "ru-RU"}, {0x041a, "hr-HR"}, {0x041b, "sk-SK"},        {0x041d, "sv-SE"}, {0x041e, "th-TH"},
    {0x041f, "tr-TR"}, {0x0422, "uk-UA"}, {0x0424, "sl-SI"},        {0x0425, "et-EE"}, {0x0426, "lv-LV"},
    {0x0427, "lt-LT"}, {0x042a, "vi-VN"}, {0x0804, "zh-CN"},        {0x0807, "de-CH"}, {0x0809, "en-GB"},
    {0x080a, "es-MX"}, {0x080c, "fr-BE"}, {0x0816, "pt-PT"},        {0x0c0a, "es-ES"}, {0x0c0c, "fr-CA"},
};

JET_ERR data_locale_of_lcid(uint32_t lcid, uint16_t locale[DATA_LOCALE_SIZE])
{
    locale[0] = 0;
    if (lcid == 0 || lcid == 0x007f || lcid == 0x0400 || lcid == 0x0800)
        return JET_errSuccess;
    for (size_t i = 0; i < sizeof(lcids) / sizeof(lcids[0]); i++) {
        if (lcids[i].lcid != lcid)
            continue;
        size_t length = 0;
        do
            locale[length] = (uint8_t)lcids[i].name[length];
        while (lcids[i].name[length++] != 0);
        return JET_errSuccess;
    }
    return JET_errInvalidLanguageId;
}
