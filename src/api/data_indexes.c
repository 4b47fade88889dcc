/* Indexes: create and delete; reading the structures that describe them (engine source: `jetapi.cxx`). */
#include "src/api/data_common.h"
#include "src/api/data_schema.h"
#include "src/os/memory.h"

/* The first form without its newest member, the limit of keys. */
#define INDEX_CREATE_OLD_SIZE offsetof(JET_INDEXCREATE_A, cbKeyMost)

static bool is_index_size(uint32_t size, uint32_t version)
{
    switch (version) {
    case 1:
        return size == sizeof(JET_INDEXCREATE_A) || size == INDEX_CREATE_OLD_SIZE;
    case 2:
        return size == sizeof(JET_INDEXCREATE2_A);
    default:
        return size == sizeof(JET_INDEXCREATE3_A);
    }
}

/* The forms share their beginning, and each element of an array tells its size: JET_INDEXCREATE2 is
 * JET_INDEXCREATE with more behind it; JET_INDEXCREATE3 differs in the locale only. */
static const JET_INDEXCREATE2_A *index_after(const JET_INDEXCREATE2_A *index)
{
    return (const JET_INDEXCREATE2_A *)(const void *)((const uint8_t *)index + index->cbStruct);
}

void data_index_results(void *indexes, const struct index_request *requests, uint32_t count)
{
    JET_INDEXCREATE2_A *index = indexes;
    for (uint32_t i = 0; i < count; i++) {
        index->err = requests[i].err;
        index = (JET_INDEXCREATE2_A *)(uintptr_t)index_after(index);
    }
}

/* The locale: a number, a structure with a number, or a structure with a name. */
static JET_ERR read_locale(struct data_texts *texts, const JET_INDEXCREATE2_A *from, uint32_t version,
                           struct index_request *to)
{
    JET_ERR err = JET_errSuccess;
    uint16_t locale[DATA_LOCALE_SIZE];
    uint32_t lcid = 0;
    if (version == 3) {
        const JET_UNICODEINDEX2 *unicode = ((const JET_INDEXCREATE3_A *)(const void *)from)->pidxunicode;
        if ((from->grbit & JET_bitIndexUnicode) != 0 && unicode != NULL) {
            to->has_unicode = true;
            to->locale = (const uint16_t *)unicode->szLocaleName;
            to->map_flags = unicode->dwMapFlags;
        }
        goto done;
    }
    if (from->grbit & JET_bitIndexUnicode) {
        if (from->pidxunicode == NULL)
            goto done;
        lcid = from->pidxunicode->lcid;
        to->map_flags = from->pidxunicode->dwMapFlags;
    } else {
        lcid = from->lcid;
        if (lcid == 0)
            goto done;
        to->grbit |= JET_bitIndexUnicode;
    }
    to->has_unicode = true;
    TRY(data_locale_of_lcid(lcid, locale));
    /* Kept as a text of the call: two bytes a unit. */
    char *kept = os_duplicate(locale, sizeof(locale));
    if (kept == NULL)
        FAIL(JET_errOutOfMemory);
    to->locale = (const uint16_t *)(const void *)kept;
    TRY(data_texts_keep(texts, kept));
done:
    return err;
}

static JET_ERR read_index(struct data_texts *texts, const JET_INDEXCREATE2_A *from, uint32_t version,
                          struct condition_request *conditions, struct index_request *to)
{
    JET_ERR err = JET_errSuccess;
    const bool tuple_limits = (from->grbit & JET_bitIndexTupleLimits) != 0;
    *to = (struct index_request){
        .grbit = from->grbit,
        .density = from->ulDensity,
        .key_max = from->cbStruct == INDEX_CREATE_OLD_SIZE ? 0 : from->cbKeyMost,
        .segment_max = tuple_limits ? 0 : from->cbVarSegMac,
        .conditions = conditions,
        .condition_count = from->cConditionalColumn,
    };
    TRY(data_text(texts, from->szIndexName, &to->name));
    TRY(data_text_list(texts, from->szKey, from->cbKey, &to->key, &to->key_size));
    if (tuple_limits && from->ptuplelimits != NULL) {
        const JET_TUPLELIMITS *limits = from->ptuplelimits;
        to->has_limits = true;
        to->limits = (struct tuple_limits){limits->chLengthMin, limits->chLengthMax, limits->chToIndexMax,
                                           limits->cchIncrement, limits->ichStart};
    }
    for (uint32_t i = 0; i < from->cConditionalColumn && i <= INDEX_SEGMENT_MAX; i++) {
        const JET_CONDITIONALCOLUMN_A *condition = &from->rgconditionalcolumn[i];
        conditions[i].grbit = condition->grbit;
        conditions[i].size_is_right = condition->cbStruct == sizeof(JET_CONDITIONALCOLUMN_A);
        TRY(data_text(texts, condition->szColumnName, &conditions[i].column));
    }
    TRY(read_locale(texts, from, version, to));
done:
    return err;
}

JET_ERR data_read_indexes(struct data_texts *texts, const void *indexes, uint32_t count, uint32_t version,
                          struct index_request **requests, struct condition_request **conditions)
{
    JET_ERR err = JET_errSuccess;
    *requests = os_allocate_array(count, sizeof(**requests));
    *conditions = os_allocate_array((size_t)count * (INDEX_SEGMENT_MAX + 1), sizeof(**conditions));
    if (*requests == NULL || *conditions == NULL)
        FAIL(JET_errOutOfMemory);
    const JET_INDEXCREATE2_A *from = indexes;
    for (uint32_t i = 0; i < count; i++, from = index_after(from)) {
        if (!is_index_size(from->cbStruct, version))
            FAIL(JET_errInvalidParameter);
        TRY(read_index(texts, from, version, *conditions + (size_t)i * (INDEX_SEGMENT_MAX + 1),
                       &(*requests)[i]));
    }
done:
    return err;
}

static JET_ERR create_indexes(JET_SESID sesid, JET_TABLEID tableid, void *indexes, uint32_t count,
                              uint32_t version, bool wide)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct data_texts texts;
    struct ddl_context context;
    struct index_request *requests = NULL;
    struct condition_request *conditions = NULL;
    data_texts_init(&texts, wide);
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    if (indexes == NULL || count == 0)
        FAIL(JET_errInvalidParameter);
    TRY(data_ddl_context(call.session, &context));
    TRY(data_read_indexes(&texts, indexes, count, version, &requests, &conditions));
    TRY(data_check_change(&call));
    err = table_create_indexes(call.cursor, requests, count, &context);
    if (count == 1)
        requests[0].err = err;
    data_index_results(indexes, requests, count);
done:
    os_free(requests);
    os_free(conditions);
    data_texts_free(&texts);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetCreateIndex2A(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE_A *pindexcreate,
                                 uint32_t cIndexCreate)
{
    return create_indexes(sesid, tableid, pindexcreate, cIndexCreate, 1, false);
}

JET_ERR JET_API JetCreateIndex2W(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE_W *pindexcreate,
                                 uint32_t cIndexCreate)
{
    return create_indexes(sesid, tableid, pindexcreate, cIndexCreate, 1, true);
}

JET_ERR JET_API JetCreateIndex3A(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE2_A *pindexcreate,
                                 uint32_t cIndexCreate)
{
    return create_indexes(sesid, tableid, pindexcreate, cIndexCreate, 2, false);
}

JET_ERR JET_API JetCreateIndex3W(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE2_W *pindexcreate,
                                 uint32_t cIndexCreate)
{
    return create_indexes(sesid, tableid, pindexcreate, cIndexCreate, 2, true);
}

JET_ERR JET_API JetCreateIndex4A(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE3_A *pindexcreate,
                                 uint32_t cIndexCreate)
{
    return create_indexes(sesid, tableid, pindexcreate, cIndexCreate, 3, false);
}

JET_ERR JET_API JetCreateIndex4W(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE3_W *pindexcreate,
                                 uint32_t cIndexCreate)
{
    return create_indexes(sesid, tableid, pindexcreate, cIndexCreate, 3, true);
}

/* The old call tells a locale behind the key: one zero, then a language number; longer tails tell more. */
static JET_ERR create_index(JET_SESID sesid, JET_TABLEID tableid, const void *name, JET_GRBIT grbit,
                            const void *key, uint32_t key_size, uint32_t density, bool wide)
{
    JET_INDEXCREATE_A index = {
        .cbStruct = sizeof(index),
        .szIndexName = (char *)(uintptr_t)name,
        .szKey = (char *)(uintptr_t)key,
        .cbKey = key_size,
        .grbit = grbit,
        .ulDensity = density,
    };
    return create_indexes(sesid, tableid, &index, 1, 1, wide);
}

JET_ERR JET_API JetCreateIndexA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName, JET_GRBIT grbit,
                                const char *szKey, uint32_t cbKey, uint32_t lDensity)
{
    return create_index(sesid, tableid, szIndexName, grbit, szKey, cbKey, lDensity, false);
}

JET_ERR JET_API JetCreateIndexW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName, JET_GRBIT grbit,
                                const WCHAR *szKey, uint32_t cbKey, uint32_t lDensity)
{
    return create_index(sesid, tableid, szIndexName, grbit, szKey, cbKey, lDensity, true);
}

static JET_ERR delete_index(JET_SESID sesid, JET_TABLEID tableid, const void *name, bool wide)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct data_texts texts;
    const char *text = NULL;
    data_texts_init(&texts, wide);
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    TRY(data_text(&texts, name, &text));
    TRY(data_check_change(&call));
    TRY(table_delete_index(call.cursor, text));
done:
    data_texts_free(&texts);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetDeleteIndexA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName)
{
    return delete_index(sesid, tableid, szIndexName, false);
}

JET_ERR JET_API JetDeleteIndexW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName)
{
    return delete_index(sesid, tableid, szIndexName, true);
}
