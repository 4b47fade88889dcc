#include "fuzz/program/compact.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/program/compact_words.h"

/* First byte of a line; anything else is an op. */
enum { LINE_BYTE_EXTRAS = 0xfc, LINE_BYTE_SET, LINE_BYTE_COMMENT, LINE_BYTE_BLANK };

/* The byte of flags behind LINE_BYTE_EXTRAS. */
enum { EXTRA_THREAD = 1, EXTRA_FAULTS = 2, EXTRA_EXPECTS = 4, EXTRA_BAR = 8 };

/* First byte of an argument. */
enum {
    SLOT_LAST = 0x7f,
    SLOT_NIL = 0x80,
    SLOT_ZERO = 0x81,
    NUMBER_SMALL = 64,
    NUMBER_WRITTEN = 0xfe,
    LITERAL = 0xff
};

static char kind_of(const struct program_op *op, size_t index)
{
    size_t seen = 0;
    for (const char *kind = op->arguments; *kind != '\0'; kind++) {
        if (*kind == '?')
            continue;
        if (*kind == '*' || seen++ == index)
            return *kind;
    }
    return '*';
}

static bool is_slot(char kind)
{
    return strchr("isdthnbISDTHNB", kind) != NULL;
}

/* --- writing */

static void put_byte(struct text *out, unsigned value)
{
    char byte = (char)value;
    text_add(out, &byte, 1);
}

static void put_size(struct text *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put_byte(out, (unsigned)(value & 0x7f) | 0x80);
    put_byte(out, (unsigned)value);
}

static void put_string(struct text *out, const char *bytes, size_t size)
{
    put_size(out, size);
    text_add(out, bytes, size);
}

/* The size field holds whether a text follows the word. */
static void put_literal(struct text *out, const struct program_token *token)
{
    size_t size = strlen(token->word);
    put_size(out, (uint64_t)size << 1 | (token->text != NULL));
    text_add(out, token->word, size);
    if (token->text != NULL)
        put_string(out, token->text, token->text_size);
}

static bool put_slot(struct text *out, const struct program_token *token, char kind)
{
    const char *word = token->word;
    if (strcmp(word, "nil") == 0) {
        put_byte(out, SLOT_NIL);
        return true;
    }
    if (strcmp(word, "zero") == 0) {
        put_byte(out, SLOT_ZERO);
        return true;
    }
    if (word[0] != tolower((unsigned char)kind) || word[1] < '0' || word[1] > '9' || strlen(word) > 4)
        return false;
    char again[24];
    unsigned number = (unsigned)strtoul(word + 1, NULL, 10);
    snprintf(again, sizeof again, "%c%u", word[0], number);
    if (number > SLOT_LAST || strcmp(word, again) != 0)
        return false;
    put_byte(out, number);
    return true;
}

static bool put_number(struct text *out, const struct program_token *token)
{
    char again[24];
    if (token->word[0] < '0' || token->word[0] > '9')
        return false;
    unsigned long long number = strtoull(token->word, NULL, 10);
    snprintf(again, sizeof again, "%llu", number);
    if (strcmp(token->word, again) != 0)
        return false;
    if (number < NUMBER_SMALL) {
        put_byte(out, (unsigned)number);
        return true;
    }
    put_byte(out, NUMBER_WRITTEN);
    put_size(out, number);
    return true;
}

static bool put_known_word(struct text *out, const struct program_token *token, char kind)
{
    size_t count;
    const struct program_token *words = compact_words(kind, &count);
    for (size_t i = 0; i < count; i++) {
        if (program_token_equal(&words[i], token)) {
            put_byte(out, (unsigned)i + (kind == '#' ? NUMBER_SMALL : 0));
            return true;
        }
    }
    return false;
}

static void put_argument(struct text *out, const struct program_token *token, char kind)
{
    bool plain = token->text == NULL;
    if (is_slot(kind) ? plain && put_slot(out, token, kind) : put_known_word(out, token, kind))
        return;
    if (kind == '#' && plain && put_number(out, token))
        return;
    put_byte(out, LITERAL);
    put_literal(out, token);
}

static void put_tokens(struct text *out, const struct program_token *tokens, size_t count)
{
    put_size(out, count);
    for (size_t i = 0; i < count; i++)
        put_literal(out, &tokens[i]);
}

static void put_extras(struct text *out, const struct program_line *line)
{
    const struct program_outcome *outcome = &line->outcome;
    unsigned extras = 0;
    extras |= line->thread != 0 ? EXTRA_THREAD : 0;
    extras |= line->fault_count != 0 ? EXTRA_FAULTS : 0;
    if (line->expects) {
        extras |= EXTRA_EXPECTS;
        extras |= outcome->has_bar || outcome->note_count > 0 ? EXTRA_BAR : 0;
    }
    if (extras == 0)
        return;
    put_byte(out, LINE_BYTE_EXTRAS);
    put_byte(out, extras);
    if (line->thread != 0)
        put_byte(out, line->thread);
    if (line->fault_count != 0) {
        put_size(out, line->fault_count);
        for (size_t i = 0; i < line->fault_count; i++) {
            put_string(out, line->faults[i].kind, strlen(line->faults[i].kind));
            put_size(out, line->faults[i].nth);
        }
    }
    if (line->expects) {
        put_string(out, outcome->code, strlen(outcome->code));
        put_tokens(out, outcome->facts, outcome->fact_count);
        if ((extras & EXTRA_BAR) != 0)
            put_tokens(out, outcome->notes, outcome->note_count);
    }
}

static void put_line(struct text *out, const struct program_line *line)
{
    switch (line->kind) {
    case LINE_BLANK:
        put_byte(out, LINE_BYTE_BLANK);
        break;
    case LINE_COMMENT:
        put_byte(out, LINE_BYTE_COMMENT);
        put_string(out, line->comment, strlen(line->comment));
        break;
    case LINE_SET:
        put_byte(out, LINE_BYTE_SET);
        put_string(out, line->name, strlen(line->name));
        put_literal(out, &line->arguments[0]);
        break;
    case LINE_CALL:
        put_extras(out, line);
        put_byte(out, (unsigned)program_op_index(line->op));
        put_size(out, line->argument_count);
        for (size_t i = 0; i < line->argument_count; i++)
            put_argument(out, &line->arguments[i], kind_of(line->op, i));
        break;
    }
}

void compact_encode(const struct program *program, struct text *out)
{
    for (size_t i = 0; i < program->line_count; i++)
        put_line(out, &program->lines[i]);
}

/* --- reading: never fails; bytes that are missing are zero, what no text could say is changed into something
 * it can */

struct reader {
    const uint8_t *next;
    const uint8_t *end;
    struct arena *arena;
};

static unsigned get_byte(struct reader *reader)
{
    return reader->next < reader->end ? *reader->next++ : 0;
}

static uint64_t get_size(struct reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned byte = get_byte(reader);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    return value;
}

/* A number of things each of which takes a byte at least. */
static size_t get_count(struct reader *reader)
{
    uint64_t count = get_size(reader);
    size_t left = (size_t)(reader->end - reader->next);
    return count > left ? left : (size_t)count;
}

static char *get_bytes(struct reader *reader, size_t size)
{
    size_t left = (size_t)(reader->end - reader->next);
    char *bytes = arena_copy(reader->arena, reader->next, size < left ? size : left);
    reader->next += size < left ? size : left;
    return bytes;
}

/* What may stand in a word of the text form. */
static void clean_word(char *word, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)word[i];
        if (c <= ' ' || c == '"' || c == 0x7f)
            word[i] = '_';
    }
}

static char *get_word(struct reader *reader, const char *otherwise)
{
    size_t size = get_count(reader);
    char *word = get_bytes(reader, size);
    clean_word(word, size);
    return size > 0 ? word : arena_text(reader->arena, otherwise);
}

/* `place` says where the token stands: some words mean something else there. */
enum place { IN_CALL, IN_OUTCOME, IN_SET };

static bool means_something_else(const char *word, enum place place)
{
    if (place == IN_CALL)
        return strcmp(word, "=>") == 0 || strncmp(word, "fail=", 5) == 0;
    return place == IN_OUTCOME && strcmp(word, "|") == 0;
}

static void get_literal(struct reader *reader, struct program_token *token, enum place place)
{
    uint64_t head = get_size(reader);
    size_t left = (size_t)(reader->end - reader->next);
    size_t size = head >> 1 < left ? (size_t)(head >> 1) : left;
    char *word = get_bytes(reader, size);
    clean_word(word, size);
    *token = (struct program_token){.word = word};
    if ((head & 1) != 0) {
        token->text_size = get_count(reader);
        token->text = get_bytes(reader, token->text_size);
    } else if (size == 0 || means_something_else(word, place)) {
        token->word = "0";
    }
}

/* Without printf, which took a third of the time that decoding takes. */
static char *slot_word(struct arena *arena, char letter, unsigned number)
{
    char *word = arena_allocate(arena, sizeof "i127");
    char *at = word;
    *at++ = letter;
    if (number >= 100)
        *at++ = (char)('0' + number / 100);
    if (number >= 10)
        *at++ = (char)('0' + number / 10 % 10);
    *at = (char)('0' + number % 10);
    return word;
}

static void get_slot(struct reader *reader, struct program_token *token, char kind, unsigned first)
{
    token->text = NULL;
    if (first == SLOT_NIL || first == SLOT_ZERO)
        token->word = first == SLOT_NIL ? "nil" : "zero";
    else
        token->word = slot_word(reader->arena, (char)tolower((unsigned char)kind),
                                first <= SLOT_LAST ? first : first % 4);
}

static void get_argument(struct reader *reader, struct program_token *token, char kind)
{
    unsigned first = get_byte(reader);
    *token = (struct program_token){0};
    if (first == LITERAL) {
        get_literal(reader, token, IN_CALL);
        return;
    }
    if (is_slot(kind)) {
        get_slot(reader, token, kind, first);
        return;
    }
    if (kind == '#' && (first < NUMBER_SMALL || first == NUMBER_WRITTEN)) {
        uint64_t number = first == NUMBER_WRITTEN ? get_size(reader) : first;
        token->word = arena_format(reader->arena, "%llu", (unsigned long long)number);
        return;
    }
    size_t count;
    const struct program_token *words = compact_words(kind, &count);
    *token = words[(kind == '#' ? first - NUMBER_SMALL : first) % count];
}

static struct program_token *get_tokens(struct reader *reader, size_t *count)
{
    *count = get_count(reader);
    struct program_token *tokens = arena_allocate(reader->arena, (*count + 1) * sizeof *tokens);
    for (size_t i = 0; i < *count; i++)
        get_literal(reader, &tokens[i], IN_OUTCOME);
    return tokens;
}

static void get_faults(struct reader *reader, struct program_line *line)
{
    size_t count = get_count(reader);
    line->faults = arena_allocate(reader->arena, (count + 1) * sizeof line->faults[0]);
    line->fault_count = count;
    for (size_t i = 0; i < count; i++) {
        char *kind = get_word(reader, "alloc");
        for (char *c = kind; *c != '\0'; c++) {
            if (*c == ':')
                *c = '_';
        }
        uint64_t nth = get_size(reader);
        line->faults[i].kind = kind;
        line->faults[i].nth = nth == 0 ? 1 : nth > UINT32_MAX ? UINT32_MAX : (uint32_t)nth;
    }
}

static void get_outcome(struct reader *reader, struct program_outcome *outcome, unsigned extras)
{
    outcome->code = get_word(reader, "0");
    if (strcmp(outcome->code, "|") == 0)
        outcome->code = "0";
    outcome->facts = get_tokens(reader, &outcome->fact_count);
    outcome->has_bar = (extras & EXTRA_BAR) != 0;
    if (outcome->has_bar)
        outcome->notes = get_tokens(reader, &outcome->note_count);
}

static void get_call(struct reader *reader, struct program_line *line, unsigned first)
{
    line->kind = LINE_CALL;
    if (first == LINE_BYTE_EXTRAS) {
        unsigned extras = get_byte(reader);
        if ((extras & EXTRA_THREAD) != 0)
            line->thread = get_byte(reader);
        if ((extras & EXTRA_FAULTS) != 0)
            get_faults(reader, line);
        if ((extras & EXTRA_EXPECTS) != 0) {
            line->expects = true;
            get_outcome(reader, &line->outcome, extras);
        }
        first = get_byte(reader);
    }
    line->op = &program_ops[first % program_op_count];
    line->argument_count = get_count(reader);
    line->arguments = arena_allocate(reader->arena, (line->argument_count + 1) * sizeof line->arguments[0]);
    for (size_t i = 0; i < line->argument_count; i++)
        get_argument(reader, &line->arguments[i], kind_of(line->op, i));
}

static void get_comment(struct reader *reader, struct program_line *line)
{
    size_t size = get_count(reader);
    char *text = get_bytes(reader, size);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n' || text[i] == '\r' || text[i] == '\0')
            text[i] = '_';
    }
    size_t start = strspn(text, " \t");
    line->kind = LINE_COMMENT;
    line->comment = text[start] == '#' ? text : arena_format(reader->arena, "#%s", text);
}

static void get_set(struct reader *reader, struct program_line *line)
{
    line->kind = LINE_SET;
    line->name = get_word(reader, "page");
    line->arguments = arena_allocate(reader->arena, sizeof line->arguments[0]);
    line->argument_count = 1;
    get_literal(reader, &line->arguments[0], IN_SET);
}

void compact_decode(struct program *program, const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return;
    struct reader reader = {bytes, bytes + size, &program->arena};
    while (reader.next < reader.end && program->line_count < COMPACT_LINES_MAX) {
        struct program_line line = {0};
        unsigned first = get_byte(&reader);
        if (first == LINE_BYTE_BLANK)
            line.kind = LINE_BLANK;
        else if (first == LINE_BYTE_COMMENT)
            get_comment(&reader, &line);
        else if (first == LINE_BYTE_SET)
            get_set(&reader, &line);
        else
            get_call(&reader, &line, first);
        *program_append(program) = line;
    }
}
