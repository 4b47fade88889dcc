/* Keys, seeks, moves, ranges, bookmarks, positions, the current index (engine source: `jetapi.cxx`). */
#include "src/api/data_common.h"
#include "src/api/text.h"
#include "src/os/memory.h"
#include "src/table/navigate.h"

JET_ERR JET_API JetMakeKey(JET_SESID sesid, JET_TABLEID tableid, const void *pvData, uint32_t cbData,
                           JET_GRBIT grbit)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, 0, &call);
    if (cbData != 0)
        grbit &= ~(JET_GRBIT)JET_bitKeyDataZeroLength;
    if (err >= JET_errSuccess)
        err = table_make_key(call.cursor, pvData, cbData, grbit);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetSeek(JET_SESID sesid, JET_TABLEID tableid, JET_GRBIT grbit)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, 0, &call);
    if (err >= JET_errSuccess)
        err = table_seek(call.cursor, grbit);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetMove(JET_SESID sesid, JET_TABLEID tableid, int32_t cRow, JET_GRBIT grbit)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, 0, &call);
    if (err >= JET_errSuccess)
        err = table_move(call.cursor, cRow, grbit);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetSetIndexRange(JET_SESID sesid, JET_TABLEID tableidSrc, JET_GRBIT grbit)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableidSrc, REFUSE_INSERTING, &call);
    if (err >= JET_errSuccess)
        err = table_set_range(call.cursor, grbit);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetRetrieveKey(JET_SESID sesid, JET_TABLEID tableid, void *pvKey, uint32_t cbMax,
                               uint32_t *pcbActual, JET_GRBIT grbit)
{
    struct data_call call;
    struct span key;
    JET_ERR err = data_enter(sesid, tableid, &call);
    if (err >= JET_errSuccess)
        err = table_retrieve_key(call.cursor, grbit, &key);
    if (err >= JET_errSuccess)
        err = data_give_bytes(key, pvKey, cbMax, pcbActual, true);
    if (err == JET_wrnBufferTruncated && (grbit & JET_bitRetrieveCopy) != 0)
        err = JET_errSuccess; /* a made key is cut without a word */
    data_leave(&call);
    return err;
}

/* --- bookmarks --- */

JET_ERR JET_API JetGetBookmark(JET_SESID sesid, JET_TABLEID tableid, void *pvBookmark, uint32_t cbMax,
                               uint32_t *pcbActual)
{
    struct data_call call;
    struct span bookmark;
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_INSERTING | ALLOW_IN_CALLBACK, &call);
    if (err >= JET_errSuccess)
        err = table_bookmark(call.cursor, &bookmark);
    if (err >= JET_errSuccess)
        err = data_give_bytes(bookmark, pvBookmark, cbMax, pcbActual, false);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetGotoBookmark(JET_SESID sesid, JET_TABLEID tableid, void *pvBookmark, uint32_t cbBookmark)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_INSERTING, &call);
    if (err >= JET_errSuccess)
        err = table_goto_bookmark(call.cursor, span_of(pvBookmark, cbBookmark));
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetGetSecondaryIndexBookmark(JET_SESID sesid, JET_TABLEID tableid, void *pvSecondaryKey,
                                             uint32_t cbSecondaryKeyMax, uint32_t *pcbSecondaryKeyActual,
                                             void *pvPrimaryBookmark, uint32_t cbPrimaryBookmarkMax,
                                             uint32_t *pcbPrimaryBookmarkActual, const JET_GRBIT grbit)
{
    struct data_call call;
    struct span key;
    struct span bookmark;
    (void)grbit;
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_TEMPORARY | ALLOW_IN_CALLBACK, &call);
    if (err >= JET_errSuccess)
        err = table_secondary_bookmark(call.cursor, &key, &bookmark);
    if (err >= JET_errSuccess)
        err = data_give_bytes(key, pvSecondaryKey, cbSecondaryKeyMax, pcbSecondaryKeyActual, false);
    if (err >= JET_errSuccess)
        err = data_give_bytes(bookmark, pvPrimaryBookmark, cbPrimaryBookmarkMax, pcbPrimaryBookmarkActual,
                              false);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetGotoSecondaryIndexBookmark(JET_SESID sesid, JET_TABLEID tableid, void *pvSecondaryKey,
                                              uint32_t cbSecondaryKey, void *pvPrimaryBookmark,
                                              uint32_t cbPrimaryBookmark, const JET_GRBIT grbit)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call);
    if (err >= JET_errSuccess)
        err = table_goto_secondary_bookmark(call.cursor, span_of(pvSecondaryKey, cbSecondaryKey),
                                            span_of(pvPrimaryBookmark, cbPrimaryBookmark), grbit);
    data_leave(&call);
    return err;
}

/* --- counts and positions --- */

JET_ERR JET_API JetIndexRecordCount2(JET_SESID sesid, JET_TABLEID tableid, uint64_t *pcrec, uint64_t crecMax)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    if (pcrec == NULL)
        FAIL(JET_errInvalidParameter);
    TRY(table_count(call.cursor, crecMax, pcrec));
done:
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetIndexRecordCount(JET_SESID sesid, JET_TABLEID tableid, uint32_t *pcrec, uint32_t crecMax)
{
    uint64_t count = 0;
    JET_ERR err = JetIndexRecordCount2(sesid, tableid, pcrec == NULL ? NULL : &count, crecMax);
    if (err >= JET_errSuccess)
        *pcrec = (uint32_t)count;
    return err;
}

JET_ERR JET_API JetGetRecordPosition(JET_SESID sesid, JET_TABLEID tableid, JET_RECPOS *precpos,
                                     uint32_t cbRecpos)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY | ALLOW_IN_CALLBACK, &call));
    if (precpos == NULL || cbRecpos < sizeof(*precpos))
        FAIL(JET_errInvalidParameter);
    TRY(table_position(call.cursor, precpos));
done:
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetGotoPosition(JET_SESID sesid, JET_TABLEID tableid, JET_RECPOS *precpos)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    if (precpos == NULL)
        FAIL(JET_errInvalidParameter);
    TRY(table_goto_position(call.cursor, precpos));
done:
    data_leave(&call);
    return err;
}

/* --- the current index --- */

static JET_ERR set_index(JET_SESID sesid, JET_TABLEID tableid, const void *name, bool wide,
                         const JET_INDEXID *id, JET_GRBIT grbit, uint32_t itag)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct data_texts texts;
    const char *text = NULL;
    data_texts_init(&texts, wide);
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    TRY(data_text(&texts, name, &text));
    if (grbit & ~(JET_GRBIT)(JET_bitMoveFirst | JET_bitNoMove))
        FAIL(JET_errInvalidGrbit);
    if (id != NULL) {
        struct index_definition *index = NULL;
        TRY(data_index_of_id(call.cursor, id, &index));
        TRY(table_set_index_definition(call.cursor, index, grbit, itag));
        goto done;
    }
    TRY(table_set_index(call.cursor, text, grbit, itag));
done:
    data_texts_free(&texts);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetSetCurrentIndexA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName)
{
    return set_index(sesid, tableid, szIndexName, false, NULL, JET_bitMoveFirst, 1);
}

JET_ERR JET_API JetSetCurrentIndexW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName)
{
    return set_index(sesid, tableid, szIndexName, true, NULL, JET_bitMoveFirst, 1);
}

JET_ERR JET_API JetSetCurrentIndex2A(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                     JET_GRBIT grbit)
{
    return set_index(sesid, tableid, szIndexName, false, NULL, grbit, 1);
}

JET_ERR JET_API JetSetCurrentIndex2W(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName,
                                     JET_GRBIT grbit)
{
    return set_index(sesid, tableid, szIndexName, true, NULL, grbit, 1);
}

JET_ERR JET_API JetSetCurrentIndex3A(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                     JET_GRBIT grbit, uint32_t itagSequence)
{
    return set_index(sesid, tableid, szIndexName, false, NULL, grbit, itagSequence);
}

JET_ERR JET_API JetSetCurrentIndex3W(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName,
                                     JET_GRBIT grbit, uint32_t itagSequence)
{
    return set_index(sesid, tableid, szIndexName, true, NULL, grbit, itagSequence);
}

JET_ERR JET_API JetSetCurrentIndex4A(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                     JET_INDEXID *pindexid, JET_GRBIT grbit, uint32_t itagSequence)
{
    return set_index(sesid, tableid, szIndexName, false, pindexid, grbit, itagSequence);
}

JET_ERR JET_API JetSetCurrentIndex4W(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName,
                                     JET_INDEXID *pindexid, JET_GRBIT grbit, uint32_t itagSequence)
{
    return set_index(sesid, tableid, szIndexName, true, pindexid, grbit, itagSequence);
}

static JET_ERR current_index_name(struct table_cursor *cursor, const char **name)
{
    struct index_definition *index = cursor->index;
    JET_ERR err = index != NULL ? JET_errSuccess : table_find_index(cursor, NULL, &index);
    *name = index == NULL ? "" : index->name;
    return err;
}

/* The name is cut to the buffer without a complaint, as far as a whole name's buffer is not small. */
JET_ERR JET_API JetGetCurrentIndexA(JET_SESID sesid, JET_TABLEID tableid, JET_PSTR szIndexName,
                                    uint32_t cbIndexName)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    const char *name = NULL;
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY | ALLOW_IN_CALLBACK, &call));
    TRY(current_index_name(call.cursor, &name));
    const size_t length = strlen(name);
    if (cbIndexName == 0)
        FAIL(JET_wrnBufferTruncated);
    if (szIndexName != NULL) {
        const size_t count = length < cbIndexName ? length : cbIndexName - 1;
        memcpy(szIndexName, name, count);
        szIndexName[count] = 0;
    }
done:
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetGetCurrentIndexW(JET_SESID sesid, JET_TABLEID tableid, JET_PWSTR szIndexName,
                                    uint32_t cbIndexName)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    const char *name = NULL;
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY | ALLOW_IN_CALLBACK, &call));
    TRY(current_index_name(call.cursor, &name));
    TRY(api_text_out_wide(name, szIndexName, cbIndexName));
done:
    data_leave(&call);
    return err;
}

/* --- others --- */

JET_ERR JET_API JetSetCursorFilter(JET_SESID sesid, JET_TABLEID tableid, JET_INDEX_COLUMN *rgColumnFilters,
                                   uint32_t cColumnFilters, JET_GRBIT grbit)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call);
    if (err >= JET_errSuccess)
        err = table_set_filter(call.cursor, rgColumnFilters, cColumnFilters, grbit);
    data_leave(&call);
    return err;
}

static JET_ERR just_enter(JET_SESID sesid, JET_TABLEID tableid)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call);
    data_leave(&call);
    return err;
}

/* A hint for read-ahead: nothing changes that a program could see. */
JET_ERR JET_API JetSetTableSequential(JET_SESID sesid, JET_TABLEID tableid, JET_GRBIT grbit)
{
    (void)grbit;
    return just_enter(sesid, tableid);
}

JET_ERR JET_API JetResetTableSequential(JET_SESID sesid, JET_TABLEID tableid, JET_GRBIT grbit)
{
    (void)grbit;
    return just_enter(sesid, tableid);
}
