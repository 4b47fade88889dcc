/* Rows: prepare, set, update, delete, escrow, retrieve, enumerate (engine source: `jetapi.cxx`). */
#include "src/api/data_common.h"
#include "src/os/memory.h"
#include "src/table/retrieve.h"
#include "src/table/update.h"

#define LONG_SIZE_MAX 0x7fffffffu

JET_ERR JET_API JetPrepareUpdate(JET_SESID sesid, JET_TABLEID tableid, uint32_t prep)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_SORTED, &call);
    if (err >= JET_errSuccess)
        err = table_prepare(call.cursor, prep);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetUpdate2(JET_SESID sesid, JET_TABLEID tableid, void *pvBookmark, uint32_t cbBookmark,
                           uint32_t *pcbActual, const JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct saved_bookmark bookmark = {.size = 0};
    const bool wanted = pvBookmark != NULL || pcbActual != NULL;
    TRY(data_enter_unless(sesid, tableid, REFUSE_SORTED, &call));
    const uint32_t max = pvBookmark == NULL ? UINT32_MAX : cbBookmark;
    if (call.cursor->prepared != PREPARED_NONE)
        TRY(data_check_change(&call));
    err = table_update(call.cursor, grbit, wanted ? &bookmark : NULL, max);
    /* The bookmark is known, and given out, before an index may still refuse the row. */
    if (wanted && bookmark.size > 0) {
        if (pcbActual != NULL)
            *pcbActual = bookmark.size;
        if (pvBookmark != NULL)
            memcpy(pvBookmark, bookmark.bytes, bookmark.size); /* one that does not fit has been refused */
    }
    TRY(err);
done:
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetUpdate(JET_SESID sesid, JET_TABLEID tableid, void *pvBookmark, uint32_t cbBookmark,
                          uint32_t *pcbActual)
{
    return JetUpdate2(sesid, tableid, pvBookmark, cbBookmark, pcbActual, 0);
}

JET_ERR JET_API JetDelete(JET_SESID sesid, JET_TABLEID tableid)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_SORT, &call);
    if (err >= JET_errSuccess)
        err = table_check_updatable(call.cursor);
    if (err >= JET_errSuccess)
        err = data_check_change(&call);
    if (err >= JET_errSuccess)
        err = table_delete(call.cursor);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetGetLock(JET_SESID sesid, JET_TABLEID tableid, JET_GRBIT grbit)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call);
    if (err >= JET_errSuccess)
        err = table_get_lock(call.cursor, grbit);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetEscrowUpdate(JET_SESID sesid, JET_TABLEID tableid, JET_COLUMNID columnid, void *pv,
                                uint32_t cbMax, void *pvOld, uint32_t cbOldMax, uint32_t *pcbOldActual,
                                JET_GRBIT grbit)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_SORTED, &call);
    if (err >= JET_errSuccess)
        err = table_escrow(call.cursor, columnid, pv, cbMax, pvOld, cbOldMax, pcbOldActual, grbit);
    data_leave(&call);
    return err;
}

/* --- setting columns --- */

JET_ERR JET_API JetSetColumn(JET_SESID sesid, JET_TABLEID tableid, JET_COLUMNID columnid, const void *pvData,
                             uint32_t cbData, JET_GRBIT grbit, JET_SETINFO *psetinfo)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct set_options options = {.itag = 1, .grbit = grbit};
    TRY(data_enter_unless(sesid, tableid, REFUSE_SORTED | ALLOW_IN_CALLBACK, &call));
    if (psetinfo != NULL) {
        if (psetinfo->cbStruct < sizeof(JET_SETINFO)) {
            TRY(table_check_updatable(call.cursor));
            if (call.cursor->prepared == PREPARED_NONE)
                FAIL(JET_errUpdateNotPrepared);
            FAIL(JET_errInvalidParameter);
        }
        options.itag = psetinfo->itagSequence;
        options.offset = psetinfo->ibLongValue;
    }
    err = table_set_column(call.cursor, columnid, pvData, cbData, &options);
done:
    data_leave(&call);
    return err;
}

/* The first error ends it; warnings are kept with their column, and that of the last column is the result. */
JET_ERR JET_API JetSetColumns(JET_SESID sesid, JET_TABLEID tableid, JET_SETCOLUMN *psetcolumn,
                              uint32_t csetcolumn)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    TRY(data_enter_unless(sesid, tableid, REFUSE_SORTED | ALLOW_IN_CALLBACK, &call));
    TRY(table_check_updatable(call.cursor));
    if (call.cursor->prepared == PREPARED_NONE)
        FAIL(JET_errUpdateNotPrepared);
    if (psetcolumn == NULL && csetcolumn > 0)
        FAIL(JET_errInvalidParameter);
    for (uint32_t i = 0; i < csetcolumn; i++) {
        if (psetcolumn[i].cbData > LONG_SIZE_MAX)
            FAIL(JET_errInvalidParameter);
    }
    for (uint32_t i = 0; i < csetcolumn; i++) {
        JET_SETCOLUMN *one = &psetcolumn[i];
        const struct set_options options = {one->itagSequence, one->ibLongValue, one->grbit};
        TRY(table_set_column(call.cursor, one->columnid, one->pvData, one->cbData, &options));
        one->err = err;
    }
done:
    data_leave(&call);
    return err;
}

/* --- retrieving columns --- */

/* A row and its long values are read in one state of the database, also outside a transaction. */
static bool begin_reading(struct data_call *call)
{
    struct transaction *transaction = &call->session->transaction;
    if (transaction_level(transaction) > 0)
        return false;
    SOUND(transaction_begin(transaction, true)); /* there is a level left */
    return true;
}

static void end_reading(struct data_call *call, bool own)
{
    if (own)
        (void)transaction_commit(&call->session->transaction, true); /* nothing was changed */
}

JET_ERR JET_API JetRetrieveColumn(JET_SESID sesid, JET_TABLEID tableid, JET_COLUMNID columnid, void *pvData,
                                  uint32_t cbData, uint32_t *pcbActual, JET_GRBIT grbit,
                                  JET_RETINFO *pretinfo)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    bool own = false;
    struct retrieve_options options = {.grbit = grbit, .itag = 1};
    TRY(data_enter_unless(sesid, tableid, REFUSE_INSERTING | ALLOW_IN_CALLBACK, &call));
    if (pretinfo != NULL) {
        if (pretinfo->cbStruct < sizeof(JET_RETINFO))
            FAIL(JET_errInvalidParameter);
        options.itag = pretinfo->itagSequence;
        options.offset = pretinfo->ibLongValue;
    }
    own = begin_reading(&call);
    err = table_retrieve(call.cursor, columnid, pvData, cbData, pcbActual, &options);
    end_reading(&call, own);
    if (err >= JET_errSuccess && pretinfo != NULL) {
        pretinfo->columnidNextTagged = options.column;
        if ((grbit & JET_bitRetrieveTag) != 0)
            pretinfo->itagSequence = options.itag;
    }
done:
    data_leave(&call);
    return err;
}

static JET_ERR retrieve_one(struct table_cursor *cursor, JET_RETRIEVECOLUMN *one)
{
    struct retrieve_options options = {
        .grbit = one->grbit, .offset = one->ibLongValue, .itag = one->itagSequence, .row_first = true};
    const bool from_key = (one->grbit & (JET_bitRetrieveFromIndex | JET_bitRetrieveFromPrimaryBookmark)) != 0;
    if (one->itagSequence == 0 && !from_key) {
        JET_ERR err = table_count_values(cursor, one->columnid, one->grbit, &one->itagSequence);
        if (err >= JET_errSuccess) {
            one->cbActual = 0;
            one->columnidNextTagged = one->columnid;
            one->err = err;
        }
        return err;
    }
    JET_ERR err = table_retrieve(cursor, one->columnid, one->pvData, one->cbData, &one->cbActual, &options);
    if (err >= JET_errSuccess) {
        one->columnidNextTagged = options.column;
        one->itagSequence = options.itag;
        one->err = err;
    }
    return err;
}

JET_ERR JET_API JetRetrieveColumns(JET_SESID sesid, JET_TABLEID tableid, JET_RETRIEVECOLUMN *pretrievecolumn,
                                   uint32_t cretrievecolumn)
{
    JET_ERR err = JET_errSuccess;
    JET_ERR result = JET_errSuccess;
    struct data_call call;
    bool own = false;
    TRY(data_enter_unless(sesid, tableid, REFUSE_INSERTING | ALLOW_IN_CALLBACK, &call));
    own = begin_reading(&call);
    if (pretrievecolumn == NULL && cretrievecolumn > 0)
        FAIL(JET_errInvalidParameter);
    for (uint32_t i = 0; i < cretrievecolumn; i++) {
        TRY(retrieve_one(call.cursor, &pretrievecolumn[i]));
        if (err == JET_wrnBufferTruncated)
            result = JET_wrnBufferTruncated;
    }
    err = result;
done:
    end_reading(&call, own);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetEnumerateColumns(JET_SESID sesid, JET_TABLEID tableid, uint32_t cEnumColumnId,
                                    JET_ENUMCOLUMNID *rgEnumColumnId, uint32_t *pcEnumColumn,
                                    JET_ENUMCOLUMN **prgEnumColumn, JET_PFNREALLOC pfnRealloc,
                                    void *pvReallocContext, uint32_t cbDataMost, JET_GRBIT grbit)
{
    struct data_call call;
    const struct enumeration request = {
        .columns = prgEnumColumn,
        .count = pcEnumColumn,
        .reallocate = pfnRealloc,
        .context = pvReallocContext,
        .size_max = cbDataMost,
        .grbit = grbit,
    };
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_INSERTING | ALLOW_IN_CALLBACK, &call);
    bool own = false;
    if (err >= JET_errSuccess) {
        own = begin_reading(&call);
        err = table_enumerate(call.cursor, rgEnumColumnId, rgEnumColumnId == NULL ? 0 : cEnumColumnId,
                              &request);
    }
    end_reading(&call, own);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetRetrieveTaggedColumnList(JET_SESID sesid, JET_TABLEID tableid, uint32_t *pcColumns,
                                            void *pvData, uint32_t cbData, JET_COLUMNID columnidStart,
                                            JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    if (pcColumns == NULL)
        FAIL(JET_errInvalidParameter);
    const uint32_t max = cbData / (uint32_t)sizeof(JET_RETRIEVEMULTIVALUECOUNT);
    TRY(table_tagged_list(call.cursor, pvData, max, pcColumns, columnidStart, grbit));
done:
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetGetRecordSize2(JET_SESID sesid, JET_TABLEID tableid, JET_RECSIZE2 *precsize,
                                  const JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    bool own = false;
    struct data_call call;
    TRY(data_enter_unless(sesid, tableid, REFUSE_INSERTING | ALLOW_IN_CALLBACK, &call));
    if (precsize == NULL)
        FAIL(JET_errInvalidParameter);
    own = begin_reading(&call);
    TRY(table_record_size(call.cursor, precsize, grbit));
done:
    end_reading(&call, own);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetGetRecordSize(JET_SESID sesid, JET_TABLEID tableid, JET_RECSIZE *precsize,
                                 const JET_GRBIT grbit)
{
    JET_RECSIZE2 sizes = {0};
    if (precsize != NULL)
        memcpy(&sizes, precsize, sizeof(*precsize)); /* the shorter form is the beginning of the longer one */
    JET_ERR err = JetGetRecordSize2(sesid, tableid, precsize == NULL ? NULL : &sizes, grbit);
    if (err >= JET_errSuccess)
        memcpy(precsize, &sizes, sizeof(*precsize));
    return err;
}
