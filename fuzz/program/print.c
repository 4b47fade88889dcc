/* Writing the program text: the inverse of parsing. */
#include "fuzz/program/program.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void text_reserve(struct text *text, size_t size)
{
    if (text->size + size + 1 <= text->capacity)
        return;
    size_t capacity = text->capacity > 0 ? text->capacity : 256;
    while (capacity < text->size + size + 1)
        capacity *= 2;
    text->bytes = realloc(text->bytes, capacity);
    if (text->bytes == NULL)
        abort();
    text->capacity = capacity;
}

void text_add(struct text *text, const void *bytes, size_t size)
{
    text_reserve(text, size);
    if (size > 0)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void text_print(struct text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    text_reserve(text, 128);
    size_t room = text->capacity - text->size;
    int size = vsnprintf(text->bytes + text->size, room, format, list);
    va_end(list);
    if (size < 0)
        abort();
    if ((size_t)size >= room) {
        text_reserve(text, (size_t)size);
        va_start(list, format);
        vsnprintf(text->bytes + text->size, (size_t)size + 1, format, list);
        va_end(list);
    }
    text->size += (size_t)size;
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}

static void add_string(struct text *out, const char *string)
{
    text_add(out, string, strlen(string));
}

/* The length of the well-formed UTF-8 sequence of two to four bytes at `bytes`, or 0: those are printed as
 * they are. */
static size_t utf8_sequence(const char *bytes, size_t size)
{
    unsigned char c = (unsigned char)bytes[0];
    size_t length = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    unsigned char second = (unsigned char)bytes[1];
    bool overlong = (c == 0xe0 && second < 0xa0) || (c == 0xf0 && second < 0x90);
    bool out_of_range = (c == 0xed && second >= 0xa0) || (c == 0xf4 && second >= 0x90);
    bool control = c == 0xc2 && second < 0xa0;
    return overlong || out_of_range || control ? 0 : length;
}

void program_print_quoted(const char *bytes, size_t size, struct text *out)
{
    add_string(out, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        size_t sequence = utf8_sequence(&bytes[i], size - i);
        if (sequence > 0) {
            text_add(out, &bytes[i], sequence);
            i += sequence - 1;
            continue;
        }
        if (c == '"' || c == '\\')
            text_print(out, "\\%c", c);
        else if (c == '\n')
            add_string(out, "\\n");
        else if (c < 0x20 || c >= 0x7f)
            text_print(out, "\\x%02x", c);
        else
            text_add(out, &bytes[i], 1);
    }
    add_string(out, "\"");
}

void program_print_token(const struct program_token *token, struct text *out)
{
    add_string(out, token->word);
    if (token->text != NULL)
        program_print_quoted(token->text, token->text_size, out);
}

static void print_tokens(const struct program_token *tokens, size_t count, struct text *out)
{
    for (size_t i = 0; i < count; i++) {
        add_string(out, " ");
        program_print_token(&tokens[i], out);
    }
}

void program_print_outcome(const struct program_outcome *outcome, struct text *out)
{
    add_string(out, outcome->code != NULL ? outcome->code : "0");
    print_tokens(outcome->facts, outcome->fact_count, out);
    if (outcome->has_bar || outcome->note_count > 0) {
        add_string(out, " |");
        print_tokens(outcome->notes, outcome->note_count, out);
    }
}

void program_print_line(const struct program_line *line, struct text *out)
{
    size_t start = out->size;
    switch (line->kind) {
    case LINE_BLANK:
        break;
    case LINE_COMMENT:
        add_string(out, line->comment);
        break;
    case LINE_SET:
        text_print(out, "set %s", line->name);
        print_tokens(line->arguments, line->argument_count, out);
        break;
    case LINE_CALL:
        if (line->thread != 0)
            text_print(out, "@%u ", line->thread);
        add_string(out, line->op->name);
        print_tokens(line->arguments, line->argument_count, out);
        for (size_t i = 0; i < line->fault_count; i++)
            text_print(out, " fail=%s:%u", line->faults[i].kind, line->faults[i].nth);
        if (line->expects) {
            size_t width = out->size - start;
            size_t column = line->arrow_column > width ? line->arrow_column : width + 1;
            text_print(out, "%*s=> ", (int)(column - width), "");
            program_print_outcome(&line->outcome, out);
        }
        break;
    }
}

void program_print(const struct program *program, struct text *out)
{
    for (size_t i = 0; i < program->line_count; i++) {
        program_print_line(&program->lines[i], out);
        add_string(out, "\n");
    }
}
