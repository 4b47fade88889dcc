#include "fuzz/sweep/ends.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 32
#define SESSIONS 100 /* slots from here on are the ends' own */

void ends_append(struct program *program, const char *format, ...)
{
    char line[600];
    struct program_error error;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size > 0 && (size_t)size < sizeof line)
        program_parse_line(program, line, (size_t)size, &error);
}

void ends_append_plain(struct program *program, const struct program_line *line)
{
    struct program_line plain = *line;
    plain.thread = 0;
    plain.fault_count = 0;
    plain.expects = false;
    plain.outcome = (struct program_outcome){0};
    program_copy_line(program, program_append(program), &plain);
}

/* The slot number of the first argument, if it is a slot of this letter below SLOTS. */
static bool slot_of(const struct program_line *line, size_t argument, char letter, unsigned *slot)
{
    if (line->argument_count <= argument)
        return false;
    const struct program_token *token = &line->arguments[argument];
    if (token->text != NULL || token->word[0] != letter)
        return false;
    char *end;
    unsigned long number = strtoul(token->word + 1, &end, 10);
    *slot = (unsigned)number;
    return *end == '\0' && end != token->word + 1 && number < SLOTS;
}

static bool starts_instance(const struct program_line *line)
{
    return program_is_call(line, "Init") || program_is_call(line, "Init2") || program_is_call(line, "Init3");
}

/* Snapshots live beyond the instances. */
static void abort_snapshots(struct program *program, const struct program *source, size_t count)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned slot;
        if (!program_is_call(&source->lines[i], "OSSnapshotPrepare") ||
            !slot_of(&source->lines[i], 0, 'n', &slot))
            continue;
        if ((seen >> slot & 1) == 0)
            ends_append(program, "OSSnapshotAbort n%u 0", slot);
        seen |= UINT32_C(1) << slot;
    }
}

void ends_terminate(struct program *program, const struct program *source, size_t count)
{
    uint32_t seen = 0;
    abort_snapshots(program, source, count);
    for (size_t i = 0; i < count; i++) {
        unsigned slot;
        if (!program_is_call(&source->lines[i], "CreateInstance") ||
            !slot_of(&source->lines[i], 0, 'i', &slot))
            continue;
        if ((seen >> slot & 1) == 0)
            ends_append(program, "Term2 i%u TermAbrupt", slot);
        seen |= UINT32_C(1) << slot;
    }
    ends_append(program, "GetInstanceInfo");
}

/* The lines that lead to an instance's first start: from the last crash before it, up to the start. */
static bool find_first_start(const struct program *source, size_t count, unsigned instance, size_t *from,
                             size_t *start)
{
    *from = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned slot;
        if (program_is_call(&source->lines[i], "Crash"))
            *from = i + 1;
        if (!starts_instance(&source->lines[i]) || !slot_of(&source->lines[i], 0, 'i', &slot) ||
            slot != instance)
            continue;
        *start = i;
        return true;
    }
    return false;
}

/* Makes, sets and starts each instance that the program starts. */
static void append_starts(struct program *program, const struct program *source, size_t count,
                          uint32_t *started)
{
    for (size_t i = 0; i < count; i++) {
        const struct program_line *line = &source->lines[i];
        unsigned slot;
        size_t from, start;
        if (line->kind != LINE_CALL || !slot_of(line, 0, 'i', &slot) ||
            !find_first_start(source, count, slot, &from, &start) || i < from || i > start)
            continue;
        if (program_is_call(line, "CreateInstance") || program_is_call(line, "SetSystemParameter"))
            ends_append_plain(program, line);
        if (i == start) {
            ends_append(program, "Init i%u", slot);
            *started |= UINT32_C(1) << slot;
        }
    }
}

/* Which instance a session was begun on last, before the line `before`. */
static bool instance_of_session(const struct program *source, size_t before, unsigned session,
                                unsigned *instance)
{
    for (size_t i = before; i > 0; i--) {
        const struct program_line *line = &source->lines[i - 1];
        unsigned slot;
        if (program_is_call(line, "BeginSession") && slot_of(line, 1, 's', &slot) && slot == session)
            return slot_of(line, 0, 'i', instance);
    }
    return false;
}

static void append_tables(struct program *program, const struct program *source, size_t count,
                          unsigned session, unsigned database)
{
    for (size_t i = 0; i < count; i++) {
        const struct program_line *line = &source->lines[i];
        unsigned slot;
        if (!program_is_call(line, "Table") || line->argument_count < 4 || !slot_of(line, 1, 'd', &slot) ||
            slot != database || line->arguments[3].text == NULL)
            continue;
        ends_append(program, "OpenTable s%u d%u t20 \"%s\" 0", session, database, line->arguments[3].text);
        ends_append(program, "HashTable s%u t20", session);
        ends_append(program, "CloseTable s%u t20", session);
    }
}

/* Databases by the lines that made them; `visit` gets each once. */
static void each_database(struct program *program, const struct program *source, size_t count,
                          uint32_t started, bool check)
{
    uint32_t sessions = 0;
    for (size_t i = 0; i < count; i++) {
        const struct program_line *line = &source->lines[i];
        unsigned session, database, instance;
        if (!program_is_call(line, "CreateDatabase") || line->argument_count < 3 ||
            !slot_of(line, 0, 's', &session) || !slot_of(line, 1, 'd', &database) ||
            line->arguments[2].text == NULL || !instance_of_session(source, i, session, &instance) ||
            (started >> instance & 1) == 0)
            continue;
        const char *path = line->arguments[2].text;
        if (check) {
            ends_append(program, "Check \"%s\"", path);
            continue;
        }
        session = SESSIONS + instance; /* one for each instance */
        if ((sessions >> instance & 1) == 0)
            ends_append(program, "BeginSession i%u s%u", instance, session);
        sessions |= UINT32_C(1) << instance;
        ends_append(program, "AttachDatabase s%u \"%s\" 0", session, path);
        ends_append(program, "OpenDatabase s%u d%u \"%s\" 0", session, database, path);
        ends_append(program, "GetDatabaseInfo s%u d%u DbInfoMisc", session, database);
        append_tables(program, source, count, session, database);
    }
}

void ends_start_again(struct program *program, const struct program *source, size_t count)
{
    uint32_t started = 0;
    append_starts(program, source, count, &started);
    each_database(program, source, count, started, false);
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if ((started >> slot & 1) != 0)
            ends_append(program, "Term2 i%u TermComplete", slot);
    }
    each_database(program, source, count, started, true);
}
