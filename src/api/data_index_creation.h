/* Tells how to make an index again: the levels JET_IdxInfoCreateIndex, 2 and 3. */
#ifndef OPENESENT_API_DATA_INDEX_CREATION_H
#define OPENESENT_API_DATA_INDEX_CREATION_H

#include "src/api/data_infos.h"

/* The size in bytes of the structure that a level begins with, 0 for any other level. */
uint32_t data_index_creation_size(uint32_t level);

/* Fills `call->result` with the JET_INDEXCREATE, 2 or 3 of an index, and with all that it points to, behind
 * it in the same buffer: JetCreateIndex2, 3 or 4 takes it as it is. Texts are of `call->wide`; `lcid` is the
 * number of the index' locale. Errors: JET_errBufferTooSmall (the content is undefined then),
 * JET_errInvalidParameter: a buffer that no structure may begin at (the engine's structures lie as they come).
 * Source: `info.cxx`. */
JET_ERR data_index_creation_out(const struct table_cursor *cursor, const struct index_definition *index,
                                JET_GRBIT grbit, uint32_t lcid, const struct info_call *call);

#endif
