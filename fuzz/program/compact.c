/* The compact form. A line is
 *   255 0                        a blank line
 *   255 1 TEXT                   a comment
 *   255 2 TEXT TOKEN             set NAME VALUE
 *   op FLAGS [...] ARGUMENT...   a call; op is the row in program_ops
 * FLAGS: the low four bits count the arguments (15: a number follows); 128: a thread follows; 64: faults
 * follow; 32: an expectation follows. Numbers are in base 128, low digits first. TEXT is a number and as many
 * bytes.
 *
 * An argument is one byte by the kind that the op's row tells for its place, or LITERAL and a token written
 * out. */
#include "fuzz/program/compact.h"

#include <stdlib.h>
#include <string.h>

#define LITERAL 0xf0
#define SPECIAL_LINE 0xff
#define SLOT_NIL 0xe0 /* then zero, null */
#define SLOTS_IN_BYTE 32

/* Common arguments by kind. Append only: positions are the form. */
static const char *const numbers[] = {
    "0",     "1",     "2",     "3",      "4",      "5",      "8",       "10",         "20",
    "40",    "50",    "80",    "100",    "200",    "1000",   "4096",    "8192",       "12288",
    "16384", "32768", "65536", "131072", "262144", "524288", "1048576", "4294967295", "2048",
    "512",   "1024",  "-1",    "128",    "255",    "4097",   "100000",  "24576",      "49152"};
static const char *const bits[] = {"0",
                                   "BackupIncremental",
                                   "BackupAtomic",
                                   "BackupSurrogate",
                                   "BackupEndNormal",
                                   "BackupEndAbort",
                                   "BackupTruncateDone",
                                   "BackupSnapshot",
                                   "TermComplete",
                                   "TermAbrupt",
                                   "TermStopBackup",
                                   "TermDirty",
                                   "TermComplete|TermStopBackup",
                                   "TermAbrupt|TermStopBackup",
                                   "CommitLazyFlush",
                                   "WaitLastLevel0Commit",
                                   "RollbackAll",
                                   "TransactionReadOnly",
                                   "DbReadOnly",
                                   "ContinueAfterThaw",
                                   "IncrementalSnapshot",
                                   "CopySnapshot",
                                   "ExplicitPrepare",
                                   "AbortSnapshot",
                                   "AllDatabasesSnapshot",
                                   "NewKey",
                                   "SeekEQ",
                                   "SeekGE",
                                   "SeekGT",
                                   "SeekLE",
                                   "SeekLT",
                                   "RangeInclusive|RangeUpperLimit",
                                   "RangeRemove",
                                   "IndexPrimary",
                                   "IndexUnique",
                                   "RetrieveCopy",
                                   "SetAppendLV",
                                   "0x10",
                                   "0x1000",
                                   "BackupIncremental|BackupSurrogate",
                                   "InternalCopy",
                                   "1",
                                   "2",
                                   "4",
                                   "8",
                                   "ReplayIgnoreMissingDB",
                                   "RecoveryWithoutUndo",
                                   "ReadLock",
                                   "WriteLock",
                                   "NoMove",
                                   "0xffffffff"};
static const char *const words[] = {"DbInfoMisc",
                                    "prepInsert",
                                    "prepReplace",
                                    "prepReplaceNoLock",
                                    "prepCancel",
                                    "prepInsertCopy",
                                    "MoveFirst",
                                    "MoveLast",
                                    "MoveNext",
                                    "MovePrevious",
                                    "Long",
                                    "LongBinary",
                                    "Text",
                                    "Short",
                                    "Currency",
                                    "LongText",
                                    "IdxInfo",
                                    "IdxInfoCount",
                                    "IdxInfoLCID",
                                    "TblInfoName",
                                    "DbInfoFilename",
                                    "DbInfoPageSize",
                                    "0",
                                    "1",
                                    "-1",
                                    "5",
                                    "Binary",
                                    "GUID",
                                    "IEEEDouble",
                                    "Bit"};
static const char *const parameters[] = {
    "LogFilePath",        "SystemPath",       "TempPath",
    "LogFileSize",        "CircularLog",      "Recovery",
    "BaseName",           "DatabasePageSize", "CreatePathIfNotExist",
    "OSSnapshotTimeout",  "MaxSessions",      "MaxVerPages",
    "CheckpointDepthMax", "LegacyFileNames",  "AlternateDatabaseRecoveryPath",
    "DeleteOldLogs"};
/* Texts, for the kinds p, q and x; NULL is null. */
static const char *const paths[] = {"a/a0.edb",
                                    "a/a1.edb",
                                    "b/b0.edb",
                                    "b/b1.edb",
                                    "a/",
                                    "b/",
                                    "a",
                                    "b",
                                    "bk0",
                                    "bk1",
                                    "bk0/",
                                    "bk0/a0.edb",
                                    "r",
                                    "r/",
                                    "a/edb.log",
                                    "a/edb.chk",
                                    "a/edb00001.log",
                                    "a/edb00002.log",
                                    "a/edb00003.log",
                                    "b/edb00001.log",
                                    "b/edb00002.log",
                                    "a/edb00000001.log",
                                    "a/edb00000002.log",
                                    "a/edb00000003.log",
                                    "b/edb00000001.log",
                                    "b/edb00000002.log",
                                    "",
                                    NULL,
                                    "nothere.edb",
                                    "c/c0.edb",
                                    "c/",
                                    "c",
                                    "a/tmp.edb",
                                    "bk0/edb00001.log",
                                    "bk0/edb00000001.log",
                                    "bk0/new",
                                    "."};
static const char *const names[] = {"t", "u", "v", "id", "data", "pk",   "a",
                                    "b", "c", "x", NULL, "",     "none", "x!"};
static const char *const texts[] = {"+id", "-id", "+a", "+a -b", "a/", "b/", "on", "off", "edb", "", NULL};
static const char *const values[] = {"i:1",     "i:0",      "i:-1",         "i:5",    "null",  "zero",
                                     "r:100:1", "r:5000:2", "i:2147483647", "x:00ff", "f:1.5", "i:100"};
static const char *const faults[] = {"alloc", "io",   "open", "read", "write",  "short",
                                     "sync",  "full", "name", "flip", "thread", "crash"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The common arguments of a kind; `quoted` if they are texts. NULL: none. */
static const char *const *common(char kind, size_t *count, bool *quoted)
{
    *quoted = kind == 'p' || kind == 'q' || kind == 'x';
    switch (kind) {
    case '#':
        *count = COUNT(numbers);
        return numbers;
    case 'g':
        *count = COUNT(bits);
        return bits;
    case 'w':
        *count = COUNT(words);
        return words;
    case 'm':
        *count = COUNT(parameters);
        return parameters;
    case 'p':
        *count = COUNT(paths);
        return paths;
    case 'q':
        *count = COUNT(names);
        return names;
    case 'x':
        *count = COUNT(texts);
        return texts;
    case 'v':
        *count = COUNT(values);
        return values;
    default:
        *count = 0;
        return NULL;
    }
}

/* The slot letter of a kind of argument, 0 if it is no slot. */
static char slot_letter(char kind)
{
    if (kind != '\0' && strchr("isdthnb", kind) != NULL)
        return kind;
    if (kind != '\0' && strchr("ISDTHNB", kind) != NULL)
        return (char)(kind - 'A' + 'a');
    return 0;
}

/* The kind of the argument at a place: letters of the row but '?'; beyond them '*'. */
static char kind_at(const struct program_op *op, size_t place)
{
    for (const char *c = op->arguments; *c != '\0'; c++) {
        if (*c == '?')
            continue;
        if (*c == '*' || place == 0)
            return *c;
        place--;
    }
    return '*';
}

/* --- encoding */

static void put_byte(struct text *out, unsigned byte)
{
    char c = (char)byte;
    text_add(out, &c, 1);
}

static void put_number(struct text *out, uint64_t number)
{
    while (number >= 128) {
        put_byte(out, (unsigned)(number & 127) | 128);
        number >>= 7;
    }
    put_byte(out, (unsigned)number);
}

static void put_bytes(struct text *out, const char *bytes, size_t size)
{
    put_number(out, size);
    text_add(out, bytes, size);
}

static void put_token(struct text *out, const struct program_token *token)
{
    put_bytes(out, token->word, strlen(token->word));
    if (token->text == NULL) {
        put_number(out, 0);
    } else {
        put_number(out, token->text_size + 1);
        text_add(out, token->text, token->text_size);
    }
}

static bool put_slot(struct text *out, char letter, const char *word)
{
    static const char *const special[] = {"nil", "zero", "null"};
    for (unsigned i = 0; i < COUNT(special); i++) {
        if (strcmp(word, special[i]) == 0) {
            put_byte(out, SLOT_NIL + i);
            return true;
        }
    }
    char *end;
    if (word[0] != letter || word[1] < '0' || word[1] > '9' || (word[1] == '0' && word[2] != '\0'))
        return false;
    unsigned long index = strtoul(word + 1, &end, 10);
    if (*end != '\0' || index >= SLOTS_IN_BYTE)
        return false;
    put_byte(out, (unsigned)index);
    return true;
}

static bool put_common(struct text *out, char kind, const struct program_token *token)
{
    size_t count;
    bool quoted;
    const char *const *list = common(kind, &count, &quoted);
    for (size_t i = 0; i < count; i++) {
        bool same;
        if (list[i] == NULL)
            same = token->text == NULL && strcmp(token->word, "null") == 0;
        else if (quoted)
            same = token->text != NULL && token->word[0] == '\0' && token->text_size == strlen(list[i]) &&
                   memcmp(token->text, list[i], token->text_size) == 0;
        else
            same = token->text == NULL && strcmp(token->word, list[i]) == 0;
        if (same) {
            put_byte(out, (unsigned)i);
            return true;
        }
    }
    return false;
}

static void put_argument(struct text *out, char kind, const struct program_token *token)
{
    char letter = slot_letter(kind);
    if (letter != 0 && token->text == NULL && put_slot(out, letter, token->word))
        return;
    if (letter == 0 && put_common(out, kind, token))
        return;
    put_byte(out, LITERAL);
    put_token(out, token);
}

static void put_faults(struct text *out, const struct program_line *line)
{
    put_number(out, line->fault_count);
    for (size_t i = 0; i < line->fault_count; i++) {
        size_t kind = 0;
        while (kind < COUNT(faults) && strcmp(faults[kind], line->faults[i].kind) != 0)
            kind++;
        if (kind < COUNT(faults)) {
            put_byte(out, (unsigned)kind);
        } else {
            put_byte(out, LITERAL);
            put_bytes(out, line->faults[i].kind, strlen(line->faults[i].kind));
        }
        put_number(out, line->faults[i].nth);
    }
}

static void put_outcome(struct text *out, const struct program_line *line)
{
    const struct program_outcome *outcome = &line->outcome;
    put_number(out, line->arrow_column);
    put_bytes(out, outcome->code, strlen(outcome->code));
    put_number(out, outcome->fact_count);
    for (size_t i = 0; i < outcome->fact_count; i++)
        put_token(out, &outcome->facts[i]);
    put_number(out, outcome->has_bar || outcome->note_count > 0 ? outcome->note_count + 1 : 0);
    for (size_t i = 0; i < outcome->note_count; i++)
        put_token(out, &outcome->notes[i]);
}

static void put_call(struct text *out, const struct program_line *line)
{
    unsigned few = line->argument_count < 15 ? (unsigned)line->argument_count : 15;
    put_byte(out, (unsigned)program_op_index(line->op));
    put_byte(out, few | (line->thread != 0 ? 128u : 0) | (line->fault_count > 0 ? 64u : 0) |
                      (line->expects ? 32u : 0));
    if (few == 15)
        put_number(out, line->argument_count);
    if (line->thread != 0)
        put_byte(out, line->thread);
    if (line->fault_count > 0)
        put_faults(out, line);
    for (size_t i = 0; i < line->argument_count; i++)
        put_argument(out, kind_at(line->op, i), &line->arguments[i]);
    if (line->expects)
        put_outcome(out, line);
}

void compact_encode(const struct program *program, struct text *out)
{
    text_add(out, "", 0);
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        switch (line->kind) {
        case LINE_BLANK:
            put_byte(out, SPECIAL_LINE);
            put_byte(out, 0);
            break;
        case LINE_COMMENT:
            put_byte(out, SPECIAL_LINE);
            put_byte(out, 1);
            put_bytes(out, line->comment, strlen(line->comment));
            break;
        case LINE_SET:
            put_byte(out, SPECIAL_LINE);
            put_byte(out, 2);
            put_bytes(out, line->name, strlen(line->name));
            put_token(out, &line->arguments[0]);
            break;
        case LINE_CALL:
            put_call(out, line);
            break;
        }
    }
}

/* --- decoding: never fails; what cannot stand in a program is mended */

struct reader {
    const uint8_t *next;
    const uint8_t *end;
    struct arena *arena;
    bool in_outcome; /* behind the arrow, where other words are special */
};

static unsigned get_byte(struct reader *reader)
{
    return reader->next < reader->end ? *reader->next++ : 0;
}

static uint64_t get_number(struct reader *reader)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        unsigned byte = get_byte(reader);
        number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            break;
    }
    return number;
}

/* As many bytes as announced, or as there are. */
static char *get_bytes(struct reader *reader, uint64_t announced, size_t *size)
{
    size_t left = (size_t)(reader->end - reader->next);
    *size = announced < left ? (size_t)announced : left;
    char *bytes = arena_copy(reader->arena, reader->next, *size);
    reader->next += *size;
    return bytes;
}

/* A word without blanks, quotes and control characters, that means nothing else in a line. */
static char *get_word(struct reader *reader)
{
    size_t size;
    char *word = get_bytes(reader, get_number(reader), &size);
    for (size_t i = 0; i < size; i++) {
        if (word[i] == ' ' || word[i] == '\t' || word[i] == '"' || word[i] == '\0' || word[i] == '\n' ||
            word[i] == '\r')
            word[i] = '_';
    }
    bool special = strcmp(word, "|") == 0;
    if (!reader->in_outcome)
        special = special || strcmp(word, "=>") == 0 || strncmp(word, "fail=", 5) == 0;
    if (special)
        word[0] = '_';
    return word;
}

static struct program_token get_token(struct reader *reader)
{
    struct program_token token = {.word = get_word(reader)};
    uint64_t announced = get_number(reader);
    if (announced > 0)
        token.text = get_bytes(reader, announced - 1, &token.text_size);
    else if (token.word[0] == '\0')
        token.word = "0";
    return token;
}

static struct program_token word_token(const char *word)
{
    return (struct program_token){.word = word};
}

static struct program_token get_slot(struct reader *reader, char letter, unsigned byte)
{
    if (byte >= SLOT_NIL && byte < SLOT_NIL + 3)
        return word_token(byte == SLOT_NIL ? "nil" : byte == SLOT_NIL + 1 ? "zero" : "null");
    unsigned index = byte < SLOTS_IN_BYTE ? byte : byte % 4;
    return word_token(arena_format(reader->arena, "%c%u", letter, index));
}

static struct program_token get_argument(struct reader *reader, char kind)
{
    unsigned byte = get_byte(reader);
    if (byte == LITERAL)
        return get_token(reader);
    char letter = slot_letter(kind);
    if (letter != 0)
        return get_slot(reader, letter, byte);
    size_t count;
    bool quoted;
    const char *const *list = common(kind, &count, &quoted);
    if (list == NULL)
        return word_token(numbers[byte % COUNT(numbers)]);
    const char *text = list[byte % count];
    if (text == NULL)
        return word_token("null");
    if (!quoted)
        return word_token(text);
    return (struct program_token){.word = "", .text = text, .text_size = strlen(text)};
}

static void get_faults(struct reader *reader, struct program_line *line)
{
    uint64_t count = get_number(reader);
    if (count > 4)
        count = count % 4 + 1;
    line->faults = arena_allocate(reader->arena, (size_t)count * sizeof *line->faults + 1);
    for (; line->fault_count < count; line->fault_count++) {
        struct program_fault *fault = &line->faults[line->fault_count];
        unsigned kind = get_byte(reader);
        size_t size;
        fault->kind =
            kind == LITERAL ? get_bytes(reader, get_number(reader), &size) : faults[kind % COUNT(faults)];
        if (kind == LITERAL && (fault->kind[0] == '\0' || strpbrk(fault->kind, " \t\":\n\r") != NULL))
            fault->kind = faults[0];
        fault->nth = (uint32_t)get_number(reader);
        if (fault->nth == 0)
            fault->nth = 1;
    }
}

/* Not more than there are bytes left: each token takes two. */
static struct program_token *get_tokens(struct reader *reader, uint64_t announced, size_t *count)
{
    uint64_t most = (uint64_t)(reader->end - reader->next) / 2;
    *count = (size_t)(announced < most ? announced : most);
    struct program_token *tokens = arena_allocate(reader->arena, *count * sizeof *tokens + 1);
    for (size_t i = 0; i < *count; i++)
        tokens[i] = get_token(reader);
    return *count > 0 ? tokens : NULL;
}

static void get_outcome(struct reader *reader, struct program_line *line)
{
    reader->in_outcome = true;
    line->expects = true;
    line->arrow_column = (unsigned)(get_number(reader) % 4096);
    line->outcome.code = get_word(reader);
    if (line->outcome.code[0] == '\0')
        line->outcome.code = "0";
    line->outcome.facts = get_tokens(reader, get_number(reader), &line->outcome.fact_count);
    uint64_t notes = get_number(reader);
    line->outcome.has_bar = notes > 0;
    if (notes > 0)
        line->outcome.notes = get_tokens(reader, notes - 1, &line->outcome.note_count);
    reader->in_outcome = false;
}

static void get_call(struct reader *reader, unsigned op, struct program_line *line)
{
    line->kind = LINE_CALL;
    line->op = &program_ops[op % program_op_count];
    unsigned flags = get_byte(reader);
    uint64_t count = flags & 15;
    if (count == 15)
        count = get_number(reader);
    uint64_t most = (uint64_t)(reader->end - reader->next) + 8;
    if (count > most)
        count = most;
    if ((flags & 128) != 0)
        line->thread = get_byte(reader);
    if ((flags & 64) != 0)
        get_faults(reader, line);
    line->arguments = arena_allocate(reader->arena, (size_t)count * sizeof *line->arguments + 1);
    for (; line->argument_count < count; line->argument_count++)
        line->arguments[line->argument_count] = get_argument(reader, kind_at(line->op, line->argument_count));
    if ((flags & 32) != 0)
        get_outcome(reader, line);
}

static void get_special(struct reader *reader, struct program_line *line)
{
    size_t size;
    switch (get_byte(reader) % 3) {
    case 0:
        line->kind = LINE_BLANK;
        break;
    case 1: {
        char *comment = get_bytes(reader, get_number(reader), &size);
        for (size_t i = 0; i < size; i++) {
            if (comment[i] == '\n' || comment[i] == '\0' || comment[i] == '\r')
                comment[i] = ' ';
        }
        size_t blanks = strspn(comment, " \t");
        line->kind = LINE_COMMENT;
        line->comment = comment[blanks] == '#' ? comment : arena_format(reader->arena, "#%s", comment);
        break;
    }
    default:
        line->kind = LINE_SET;
        line->name = get_word(reader);
        if (line->name[0] == '\0')
            line->name = "page";
        line->arguments = arena_allocate(reader->arena, sizeof *line->arguments);
        line->arguments[0] = get_token(reader);
        line->argument_count = 1;
        break;
    }
}

void compact_decode(struct program *program, const uint8_t *bytes, size_t size)
{
    struct reader reader = {.next = bytes, .end = bytes + size, .arena = &program->arena};
    while (reader.next < reader.end && program->line_count < COMPACT_LINES_MAX) {
        struct program_line line = {0};
        unsigned first = get_byte(&reader);
        if (first == SPECIAL_LINE)
            get_special(&reader, &line);
        else
            get_call(&reader, first, &line);
        *program_append(program) = line;
    }
}
