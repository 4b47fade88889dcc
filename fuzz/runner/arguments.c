/* Arguments of a call, its slots, and its answer's texts. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/run.h"

bool run_bad(struct call *call, const char *format, ...)
{
    if (!call->bad) {
        va_list list;
        va_start(list, format);
        vsnprintf(call->problem, sizeof call->problem, format, list);
        va_end(list);
        call->bad = true;
    }
    return false;
}

/* key=value, with a key of letters and digits that starts with a letter. */
static bool is_option(const struct program_token *token)
{
    const char *c = token->word;
    if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')))
        return false;
    while ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9'))
        c++;
    return *c == '=';
}

const struct program_token *arg_peek(struct call *call)
{
    while (call->next < call->line->argument_count && is_option(&call->line->arguments[call->next]))
        call->next++;
    return call->next < call->line->argument_count ? &call->line->arguments[call->next] : NULL;
}

const struct program_token *arg_next(struct call *call)
{
    const struct program_token *token = arg_peek(call);
    if (token != NULL)
        call->next++;
    return token;
}

size_t run_slot_kind(unsigned char letter)
{
    return (size_t)(strchr(SLOT_LETTERS, letter) - SLOT_LETTERS);
}

struct slot arg_slot(struct call *call)
{
    struct slot slot = {.value = NIL_HANDLE};
    const struct program_token *token = arg_next(call);
    if (token == NULL || token->text != NULL) {
        run_bad(call, "argument %zu must be a slot", token == NULL ? call->next + 1 : call->next);
        return slot;
    }
    const char *word = token->word;
    if (strcmp(word, "nil") == 0)
        return slot;
    if (strcmp(word, "zero") == 0) {
        slot.value = 0;
        return slot;
    }
    if (strcmp(word, "null") == 0) {
        slot.value = 0;
        slot.is_null = true;
        return slot;
    }
    if (strncmp(word, "raw:", 4) == 0) {
        if (!name_number(word + 4, &slot.value))
            run_bad(call, "bad number in \"%.40s\"", word);
        return slot;
    }
    char *end;
    unsigned long index =
        word[0] != '\0' && word[1] >= '0' && word[1] <= '9' ? strtoul(word + 1, &end, 10) : SLOTS_MAX;
    if (word[0] == '\0' || strchr(SLOT_LETTERS, word[0]) == NULL || index >= SLOTS_MAX || *end != '\0') {
        run_bad(call, "\"%.40s\" is not a slot", word);
        return slot;
    }
    slot.letter = (unsigned char)word[0];
    slot.index = (unsigned char)index;
    pthread_mutex_lock(&call->run->lock);
    slot.value = call->run->handles[run_slot_kind(slot.letter)][slot.index];
    pthread_mutex_unlock(&call->run->lock);
    return slot;
}

void run_slot_set(struct call *call, struct slot slot, uint64_t value)
{
    if (slot.letter == 0)
        return;
    pthread_mutex_lock(&call->run->lock);
    call->run->handles[run_slot_kind(slot.letter)][slot.index] = value;
    pthread_mutex_unlock(&call->run->lock);
}

const struct bookmark *run_bookmark_get(struct call *call, struct slot slot)
{
    if (slot.letter != 'b')
        return NULL;
    struct bookmark *copy = NULL;
    pthread_mutex_lock(&call->run->lock);
    const struct bookmark *bookmark = call->run->bookmarks[slot.index];
    if (bookmark != NULL) {
        copy = arena_allocate(&call->arena, sizeof *copy);
        *copy = *bookmark;
    }
    pthread_mutex_unlock(&call->run->lock);
    return copy;
}

void run_bookmark_set(struct call *call, struct slot slot, const void *bytes, uint32_t size)
{
    if (slot.letter != 'b' || size > BOOKMARK_MAX)
        return;
    pthread_mutex_lock(&call->run->lock);
    struct bookmark **bookmark = &call->run->bookmarks[slot.index];
    if (*bookmark == NULL)
        *bookmark = malloc(sizeof **bookmark);
    if (*bookmark != NULL) {
        (*bookmark)->size = size;
        memcpy((*bookmark)->bytes, bytes, size);
    }
    pthread_mutex_unlock(&call->run->lock);
}

uint64_t arg_handle(struct call *call)
{
    return arg_slot(call).value;
}

uint32_t arg_database(struct call *call)
{
    return (uint32_t)arg_slot(call).value;
}

static uint64_t token_number(struct call *call, const struct program_token *token, const char *what)
{
    uint64_t value = 0;
    if (token == NULL)
        run_bad(call, "%s is missing", what);
    else if (token->text != NULL || !name_number(token->word, &value))
        run_bad(call, "%s: \"%.40s\" is not a number", what, token->word);
    return value;
}

uint64_t arg_number(struct call *call, const char *what)
{
    return token_number(call, arg_next(call), what);
}

uint64_t arg_number_or(struct call *call, uint64_t otherwise)
{
    const struct program_token *token = arg_next(call);
    return token == NULL ? otherwise : token_number(call, token, "number");
}

const char *arg_text(struct call *call)
{
    const struct program_token *token = arg_next(call);
    if (token == NULL) {
        run_bad(call, "a text is missing");
        return "";
    }
    if (token->text != NULL && token->word[0] == '\0')
        return token->text;
    if (token->text == NULL && strcmp(token->word, "null") == 0)
        return NULL;
    run_bad(call, "\"%.40s\" must be a text in quotes, or null", token->word);
    return "";
}

const uint16_t *run_wide(struct call *call, const char *text)
{
    size_t units;
    return text == NULL ? NULL : utf16_from_bytes(&call->arena, text, strlen(text), &units);
}

const uint16_t *arg_wide(struct call *call)
{
    return run_wide(call, arg_text(call));
}

const char *option_text(struct call *call, const char *key)
{
    const struct program_token *token = program_find_argument(call->line, key);
    return token == NULL ? NULL : program_token_value(token, strlen(key) + 1, NULL);
}

uint64_t option_number(struct call *call, const char *key, uint64_t otherwise)
{
    const char *text = option_text(call, key);
    uint64_t value = otherwise;
    if (text != NULL && strcmp(text, "null") != 0 && !name_number(text, &value))
        run_bad(call, "%s=%.40s is not a number", key, text);
    return value;
}

bool option_is_null(struct call *call, const char *key)
{
    const char *text = option_text(call, key);
    return text != NULL && strcmp(text, "null") == 0;
}

void run_fact(struct call *call, const char *format, ...)
{
    char buffer[256];
    va_list list;
    va_start(list, format);
    vsnprintf(buffer, sizeof buffer, format, list);
    va_end(list);
    text_print(&call->out, " %s", buffer);
}

void run_bar(struct call *call)
{
    text_print(&call->out, " |");
}

void run_fact_quoted(struct call *call, const char *key, const char *bytes, size_t size)
{
    text_print(&call->out, " %s", key);
    program_print_quoted(bytes, size, &call->out);
}

const char *run_relative_path(struct call *call, const char *path)
{
    const char *directory = call->run->directory;
    size_t length = strlen(directory);
    char *copy = arena_text(&call->arena, path);
    for (char *c = copy; *c != '\0'; c++) {
        if (*c == '\\')
            *c = '/';
    }
    if (length > 0 && strncmp(copy, directory, length) == 0 &&
        (directory[length - 1] == '/' || copy[length] == '/')) {
        copy += length;
        while (*copy == '/')
            copy++;
    } else if (strncmp(copy, "./", 2) == 0) {
        copy += 2;
    }
    return copy;
}

void run_fact_path(struct call *call, const char *key, const char *path)
{
    const char *relative = path == NULL ? "" : run_relative_path(call, path);
    run_fact_quoted(call, key, relative, strlen(relative));
}

void run_fact_wide_path(struct call *call, const char *key, const uint16_t *path)
{
    struct text narrow = {0};
    text_add(&narrow, "", 0);
    if (path != NULL)
        utf16_print(&narrow, path, SIZE_MAX);
    run_fact_path(call, key, narrow.bytes);
    text_free(&narrow);
}
