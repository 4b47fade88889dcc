/* Reading the program text. */
#include "fuzz/program/program.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line may have this many tokens; more is an error of the text. */
#define TOKENS_MAX 4096

struct scanner {
    const char *start;
    const char *next;
    const char *end;
    struct arena *arena;
    struct program_error *error;
};

static bool fail(struct scanner *scanner, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct scanner *scanner, const char *format, ...)
{
    if (scanner->error != NULL) {
        va_list list;
        va_start(list, format);
        vsnprintf(scanner->error->message, sizeof scanner->error->message, format, list);
        va_end(list);
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct scanner *scanner)
{
    while (scanner->next < scanner->end && is_blank(*scanner->next))
        scanner->next++;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One escape behind a backslash; `next` stands behind the backslash. */
static bool scan_escape(struct scanner *scanner, char *byte)
{
    if (scanner->next >= scanner->end)
        return fail(scanner, "text ends with a backslash");
    char c = *scanner->next++;
    switch (c) {
    case '"':
    case '\\':
        *byte = c;
        return true;
    case 'n':
        *byte = '\n';
        return true;
    case 'x': {
        if (scanner->end - scanner->next < 2)
            return fail(scanner, "\\x needs two hex digits");
        int high = hex_digit(scanner->next[0]);
        int low = hex_digit(scanner->next[1]);
        if (high < 0 || low < 0)
            return fail(scanner, "\\x needs two hex digits");
        scanner->next += 2;
        *byte = (char)(high * 16 + low);
        return true;
    }
    default:
        return fail(scanner, "unknown escape \\%c", c);
    }
}

static bool scan_quoted(struct scanner *scanner, struct program_token *token)
{
    /* A decoded text is never longer than its source. */
    char *text = arena_allocate(scanner->arena, (size_t)(scanner->end - scanner->next) + 1);
    size_t size = 0;
    scanner->next++;
    for (;;) {
        if (scanner->next >= scanner->end)
            return fail(scanner, "text without a closing quote");
        char c = *scanner->next++;
        if (c == '"')
            break;
        if (c == '\\' && !scan_escape(scanner, &c))
            return false;
        text[size++] = c;
    }
    text[size] = '\0';
    token->text = text;
    token->text_size = size;
    if (scanner->next < scanner->end && !is_blank(*scanner->next))
        return fail(scanner, "a blank must follow a quoted text");
    return true;
}

/* The next token; false at the end of the line or on an error (then *failed is set). */
static bool scan_token(struct scanner *scanner, struct program_token *token, bool *failed)
{
    skip_blanks(scanner);
    if (scanner->next >= scanner->end)
        return false;
    const char *start = scanner->next;
    while (scanner->next < scanner->end && !is_blank(*scanner->next) && *scanner->next != '"')
        scanner->next++;
    *token = (struct program_token){0};
    token->word = arena_copy(scanner->arena, start, (size_t)(scanner->next - start));
    if (scanner->next < scanner->end && *scanner->next == '"' && !scan_quoted(scanner, token)) {
        *failed = true;
        return false;
    }
    return true;
}

static bool is_word(const struct program_token *token, const char *word)
{
    return token->text == NULL && strcmp(token->word, word) == 0;
}

/* A growing array of tokens that ends up in the arena. */
struct tokens {
    struct program_token fixed[24];
    struct program_token *items;
    size_t count;
    size_t capacity;
};

static void tokens_start(struct tokens *tokens)
{
    tokens->items = tokens->fixed;
    tokens->count = 0;
    tokens->capacity = sizeof tokens->fixed / sizeof tokens->fixed[0];
}

static bool tokens_add(struct scanner *scanner, struct tokens *tokens, struct program_token token)
{
    if (tokens->count == TOKENS_MAX)
        return fail(scanner, "more than %d arguments", TOKENS_MAX);
    if (tokens->count == tokens->capacity) {
        struct program_token *items = arena_allocate(scanner->arena, tokens->capacity * 2 * sizeof *items);
        memcpy(items, tokens->items, tokens->count * sizeof *items);
        tokens->items = items;
        tokens->capacity *= 2;
    }
    tokens->items[tokens->count++] = token;
    return true;
}

static struct program_token *tokens_keep(struct scanner *scanner, const struct tokens *tokens)
{
    if (tokens->count == 0)
        return NULL;
    struct program_token *items = arena_allocate(scanner->arena, tokens->count * sizeof *items);
    memcpy(items, tokens->items, tokens->count * sizeof *items);
    return items;
}

static bool scan_outcome(struct scanner *scanner, struct program_outcome *outcome)
{
    struct tokens tokens[2];
    tokens_start(&tokens[0]);
    tokens_start(&tokens[1]);
    struct program_token token;
    bool failed = false;
    bool first = true;
    *outcome = (struct program_outcome){0};
    while (scan_token(scanner, &token, &failed)) {
        if (is_word(&token, "|")) {
            if (outcome->has_bar)
                return fail(scanner, "a second bar");
            outcome->has_bar = true;
        } else if (first && !outcome->has_bar && token.text == NULL) {
            outcome->code = token.word;
        } else if (!tokens_add(scanner, &tokens[outcome->has_bar ? 1 : 0], token)) {
            return false;
        }
        first = false;
    }
    if (failed)
        return false;
    if (outcome->code == NULL)
        return fail(scanner, "=> without a code");
    outcome->facts = tokens_keep(scanner, &tokens[0]);
    outcome->fact_count = tokens[0].count;
    outcome->notes = tokens_keep(scanner, &tokens[1]);
    outcome->note_count = tokens[1].count;
    return true;
}

static bool scan_number(const char *text, uint32_t *value)
{
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end != '\0' || errno != 0 || number > UINT32_MAX)
        return false;
    *value = (uint32_t)number;
    return true;
}

static bool scan_fault(struct scanner *scanner, const char *text, struct program_line *line)
{
    const char *colon = strchr(text, ':');
    struct program_fault fault = {0};
    if (colon == NULL || colon == text || !scan_number(colon + 1, &fault.nth) || fault.nth == 0)
        return fail(scanner, "a fault reads fail=KIND:N with N from 1");
    fault.kind = arena_copy(scanner->arena, text, (size_t)(colon - text));
    struct program_fault *faults = arena_allocate(scanner->arena, (line->fault_count + 1) * sizeof *faults);
    if (line->fault_count > 0)
        memcpy(faults, line->faults, line->fault_count * sizeof *faults);
    faults[line->fault_count++] = fault;
    line->faults = faults;
    return true;
}

static bool scan_call(struct scanner *scanner, struct program_token token, struct program_line *line)
{
    bool failed = false;
    line->kind = LINE_CALL;
    if (token.word[0] == '@') {
        uint32_t thread;
        if (token.text != NULL || !scan_number(token.word + 1, &thread) || thread > 255)
            return fail(scanner, "a thread reads @N with N from 0 to 255");
        line->thread = thread;
        if (!scan_token(scanner, &token, &failed))
            return failed ? false : fail(scanner, "a thread without a call");
    }
    line->op = token.text == NULL ? program_op_find(token.word) : NULL;
    if (line->op == NULL)
        return fail(scanner, "unknown call \"%.60s\"", token.word);
    struct tokens arguments;
    tokens_start(&arguments);
    while (scan_token(scanner, &token, &failed)) {
        if (is_word(&token, "=>")) {
            line->expects = true;
            line->arrow_column = (unsigned)(scanner->next - 2 - scanner->start);
            if (!scan_outcome(scanner, &line->outcome))
                return false;
        } else if (token.text == NULL && strncmp(token.word, "fail=", 5) == 0) {
            if (!scan_fault(scanner, token.word + 5, line))
                return false;
        } else if (!tokens_add(scanner, &arguments, token)) {
            return false;
        }
    }
    if (failed)
        return false;
    line->arguments = tokens_keep(scanner, &arguments);
    line->argument_count = arguments.count;
    return true;
}

static bool scan_set(struct scanner *scanner, struct program_line *line)
{
    struct program_token token;
    bool failed = false;
    if (!scan_token(scanner, &token, &failed))
        return failed ? false : fail(scanner, "set reads: set NAME VALUE");
    if (token.text != NULL)
        return fail(scanner, "set reads: set NAME VALUE");
    line->kind = LINE_SET;
    line->name = token.word;
    line->arguments = arena_allocate(scanner->arena, sizeof *line->arguments);
    line->argument_count = 1;
    if (!scan_token(scanner, &line->arguments[0], &failed))
        return failed ? false : fail(scanner, "set %s has no value", line->name);
    if (scan_token(scanner, &token, &failed) || failed)
        return failed ? false : fail(scanner, "set has one value");
    return true;
}

bool program_parse_line(struct program *program, const char *text, size_t size, struct program_error *error)
{
    struct scanner scanner = {text, text, text + size, &program->arena, error};
    struct program_line line = {0};
    if (memchr(text, '\0', size) != NULL)
        return fail(&scanner, "a NUL byte in the text (write \\x00)");
    skip_blanks(&scanner);
    if (scanner.next == scanner.end) {
        line.kind = LINE_BLANK;
    } else if (*scanner.next == '#') {
        line.kind = LINE_COMMENT;
        line.comment = arena_copy(&program->arena, text, size);
    } else {
        struct program_token token;
        bool failed = false;
        if (!scan_token(&scanner, &token, &failed))
            return false;
        if (is_word(&token, "set") ? !scan_set(&scanner, &line) : !scan_call(&scanner, token, &line))
            return false;
    }
    *program_append(program) = line;
    return true;
}

bool program_parse_outcome(struct arena *arena, const char *text, size_t size,
                           struct program_outcome *outcome, struct program_error *error)
{
    struct scanner scanner = {text, text, text + size, arena, error};
    return scan_outcome(&scanner, outcome);
}

bool program_parse(struct program *program, const char *text, size_t size, struct program_error *error)
{
    const char *end = text + size;
    unsigned number = 0;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline != NULL ? newline : end;
        const char *stop = line_end;
        if (stop > text && stop[-1] == '\r')
            stop--;
        number++;
        if (!program_parse_line(program, text, (size_t)(stop - text), error)) {
            if (error != NULL)
                error->line = number;
            return false;
        }
        program->lines[program->line_count - 1].number = number;
        text = newline != NULL ? newline + 1 : end;
    }
    return true;
}

static bool read_all(FILE *file, struct text *out)
{
    char buffer[8192];
    size_t size;
    while ((size = fread(buffer, 1, sizeof buffer, file)) > 0)
        text_add(out, buffer, size);
    return ferror(file) == 0;
}

bool program_read(struct program *program, const char *path, struct program_error *error)
{
    struct scanner scanner = {.error = error};
    if (error != NULL)
        error->line = 0;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return fail(&scanner, "cannot open: %s", strerror(errno));
    struct text text = {0};
    bool good = read_all(file, &text);
    if (!good)
        fail(&scanner, "cannot read: %s", strerror(errno));
    fclose(file);
    if (good) {
        program->name = arena_text(&program->arena, path);
        good = program_parse(program, text.bytes != NULL ? text.bytes : "", text.size, error);
    }
    text_free(&text);
    return good;
}
