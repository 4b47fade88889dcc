/* How much calls write to the log, at most: as long as it surely fits into the current log file, the
 * generation is known. The figures are bounds from above, for pages of every size. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/state.h"

/* A commit that is waited for begins the next segment of the log. */
#define SEGMENT 4096u

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void model_writes(struct model *model, struct model_session *session, uint64_t bytes)
{
    model_log_written(model, session->instance, session->level > 0 ? bytes : bytes + SEGMENT);
    if (session->level > 0)
        session->written += bytes;
}

void model_writes_unknown(struct model *model, struct model_session *session)
{
    model_writes(model, session, model_log_file_size(session->instance));
}

void model_writes_unlogged(struct model_session *session, uint64_t bytes)
{
    session->unlogged += session->level > 0 ? bytes : 0;
}

uint64_t model_versions(const struct model_session *session)
{
    return session->written + session->unlogged;
}

void model_writes_begin(struct model_session *session)
{
    session->written_before[session->level] = session->written;
    session->unlogged_before[session->level] = session->unlogged;
}

void model_writes_commit(struct model *model, struct model_session *session)
{
    if (session->written > 0)
        model_log_written(model, session->instance, SEGMENT);
    session->written = 0;
    session->unlogged = 0;
}

/* What is undone, down to the session's level, is logged once more, without the values. */
void model_writes_rollback(struct model *model, struct model_session *session)
{
    const uint64_t before = session->written_before[session->level];
    if (session->written > before)
        model_log_written(model, session->instance, (session->written - before) / 2 + SEGMENT);
    session->written = before;
    session->unlogged = session->unlogged_before[session->level];
}

/* --- rows: the values come once, and a half more for the pieces of long ones */

#define ROW 250u         /* the rest, with its undoing */
#define LONG_VALUE 1000u /* from here on values may get a tree of their own */

/* When a page is split in the middle, it is logged as it was. Pages that fill up in order have their last row
 * alone on the next one; but of a long value the last piece comes first, and what belongs before it may just
 * not fit any more: then each value splits a page. */
static uint64_t split_volume(const struct model *model, uint64_t size, bool in_order)
{
    return in_order && size < LONG_VALUE ? 0 : lesser(3 * size, model->page);
}

uint64_t model_insert_volume(const struct model *model, uint64_t size, bool in_order)
{
    return size + size / 2 + ROW + split_volume(model, size, in_order);
}

/* The row as it was, and the whole row. */
uint64_t model_replace_volume(const struct model *model, uint64_t before, uint64_t size)
{
    return before + model_insert_volume(model, size, size <= before);
}

uint64_t model_delete_volume(uint64_t size)
{
    return size - size / 4 + ROW;
}

/* --- values that calls bring */

static uint64_t value_bytes(const struct program_token *token)
{
    if (token->text != NULL)
        return 2 * token->text_size; /* UTF-16 */
    if (token->word == NULL || token->word[0] != 'r' || token->word[1] != ':')
        return token->word == NULL ? 0 : strlen(token->word);
    return strtoull(token->word + 2, NULL, 10);
}

/* Of the call's arguments and options. */
uint64_t model_value_volume(const struct model *model)
{
    const struct program_line *line = model->line;
    uint64_t bytes = 0, size = 0;
    for (size_t i = 0; i < line->argument_count; i++)
        bytes += value_bytes(&line->arguments[i]);
    const char *text = model_option(model, "cb"); /* of a value that is only made longer */
    if (text != NULL && model_number_text(text, &size))
        bytes += size;
    return 2 * bytes;
}
