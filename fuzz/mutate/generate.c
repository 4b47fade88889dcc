#include "fuzz/mutate/generate.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/mutate/vocabulary.h"

char generate_argument_kind(const struct program_op *op, size_t index)
{
    size_t seen = 0;
    for (const char *kind = op->arguments; *kind != '\0'; kind++) {
        if (*kind == '?')
            continue;
        if (*kind == '*' || seen == index)
            return *kind;
        seen++;
    }
    return '*';
}

bool generate_op_suits(const struct program_op *op, unsigned features)
{
    switch ((enum op_family)op->family) {
    case OP_BACKUP:
    case OP_SNAPSHOT:
        return (features & MUTATE_BACKUP) != 0;
    case OP_SCHEMA:
    case OP_DATA:
        return (features & MUTATE_DATA) != 0;
    case OP_CONTROL:
        if (strcmp(op->name, "Crash") == 0 || strcmp(op->name, "Check") == 0)
            return (features & (MUTATE_CRASH | MUTATE_DAMAGE)) != 0;
        return (features & MUTATE_THREADS) != 0;
    case OP_FILE:
        return (features & (MUTATE_DAMAGE | MUTATE_TEXT)) != 0;
    case OP_INSTANCE:
    case OP_DATABASE:
    case OP_COMPOSITE:
        return true;
    }
    return true;
}

static bool is_slot_kind(char kind)
{
    return strchr("isdthnbISDTHNB", kind) != NULL;
}

static const char *pick(const char *const *words, struct mutate_random *random)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    /* The first words are the ordinary ones. */
    size_t index = mutate_below(random, count);
    if (mutate_one_in(random, 2))
        index = mutate_below(random, index + 1);
    return words[index];
}

/* A token of the same letter or kind that the program uses somewhere, or NULL. */
static const struct program_token *borrow_token(const struct program *program, char kind,
                                                struct mutate_random *random)
{
    if (program->line_count == 0)
        return NULL;
    for (int attempt = 0; attempt < 6; attempt++) {
        const struct program_line *line = &program->lines[mutate_below(random, program->line_count)];
        if (line->kind != LINE_CALL)
            continue;
        for (size_t i = 0; i < line->argument_count; i++) {
            char other = generate_argument_kind(line->op, i);
            if (is_slot_kind(kind) ? tolower((unsigned char)other) == tolower((unsigned char)kind)
                                   : other == kind)
                return &line->arguments[i];
        }
    }
    return NULL;
}

static void set_word(struct program *program, struct program_token *token, const char *word)
{
    *token = (struct program_token){.word = arena_text(&program->arena, word)};
}

static void set_quoted(struct program *program, struct program_token *token, const char *text, size_t size)
{
    token->word = "";
    token->text = arena_copy(&program->arena, text, size);
    token->text_size = size;
}

/* A token of the vocabulary's own spelling: a word, or prefix and quoted text ("a:\"x\""). */
static void set_spelled(struct program *program, struct program_token *token, const char *spelling)
{
    const char *quote = strchr(spelling, '"');
    if (quote == NULL) {
        set_word(program, token, spelling);
        return;
    }
    set_quoted(program, token, quote + 1, strlen(quote + 1) - 1);
    token->word = arena_copy(&program->arena, spelling, (size_t)(quote - spelling));
}

static void make_slot(struct program *program, struct program_token *token, char kind,
                      struct mutate_random *random)
{
    char letter = (char)tolower((unsigned char)kind);
    char word[16];
    const struct program_token *borrowed = borrow_token(program, kind, random);
    if (borrowed != NULL && !mutate_one_in(random, 6)) {
        *token = *borrowed;
        return;
    }
    if (mutate_one_in(random, 12)) {
        static const char *const odd[] = {
            "nil", "zero", "raw:0x1234", "raw:0xffffffff", "raw:0x1", "raw:0xffffffffffffffff"};
        set_word(program, token, odd[mutate_below(random, sizeof odd / sizeof odd[0])]);
        return;
    }
    snprintf(word, sizeof word, "%c%u", letter, (unsigned)mutate_below(random, 4));
    set_word(program, token, word);
}

static void make_number(struct program *program, struct program_token *token, struct mutate_random *random)
{
    char word[24];
    if (token->word != NULL && token->text == NULL && !mutate_one_in(random, 3)) {
        long long value = strtoll(token->word, NULL, 0);
        switch (mutate_below(random, 6)) {
        case 0:
            value += 1;
            break;
        case 1:
            value -= 1;
            break;
        case 2:
            value = value * 2;
            break;
        case 3:
            value = value / 2;
            break;
        case 4:
            value += 4096;
            break;
        default:
            value = (long long)mutate_below(random, 64);
            break;
        }
        snprintf(word, sizeof word, "%lld", value & 0xffffffffLL);
        set_word(program, token, word);
        return;
    }
    set_word(program, token, vocabulary_numbers[mutate_below(random, vocabulary_number_count)]);
}

static void make_bits(struct program *program, struct program_token *token, const char *op,
                      struct mutate_random *random)
{
    char word[16];
    if (!mutate_one_in(random, 8)) {
        set_word(program, token, pick(vocabulary_bits(op), random));
        return;
    }
    snprintf(word, sizeof word, "0x%x", 1u << mutate_below(random, 32));
    set_word(program, token, word);
}

static void make_text(struct program *program, struct program_token *token, char kind,
                      struct mutate_random *random)
{
    const struct program_token *borrowed = borrow_token(program, kind, random);
    if (borrowed != NULL && !mutate_one_in(random, 5)) {
        *token = *borrowed;
        /* Near-valid: another spelling of the same path. */
        if (kind == 'p' && token->text != NULL && mutate_one_in(random, 5)) {
            char *text = arena_copy(&program->arena, token->text, token->text_size);
            for (size_t i = 0; i < token->text_size; i++) {
                if (text[i] == '/')
                    text[i] = '\\';
                else if (mutate_one_in(random, 4))
                    text[i] = (char)toupper((unsigned char)text[i]);
            }
            token->text = text;
        }
        return;
    }
    if (mutate_one_in(random, 8)) {
        set_word(program, token, "null");
        return;
    }
    const char *text = vocabulary_texts[mutate_below(random, vocabulary_text_count)];
    set_quoted(program, token, text, strlen(text));
}

/* One argument of a kind; `token` may hold the former one. */
static void make_argument(struct program *program, struct program_token *token, const struct program_op *op,
                          char kind, struct mutate_random *random)
{
    const struct program_token *borrowed;
    switch (kind) {
    case 'g':
        make_bits(program, token, op->name, random);
        break;
    case '#':
        make_number(program, token, random);
        break;
    case 'p':
    case 'q':
    case 'x':
        make_text(program, token, kind, random);
        break;
    case 'v':
        set_spelled(program, token, vocabulary_values[mutate_below(random, vocabulary_value_count)]);
        break;
    case 'w':
        set_word(program, token, pick(vocabulary_enumerators(op->name), random));
        break;
    case 'm':
        set_word(program, token,
                 vocabulary_parameters[mutate_below(random, vocabulary_parameter_count)].name);
        break;
    case '*':
        borrowed = borrow_token(program, kind, random);
        if (borrowed != NULL && mutate_one_in(random, 2))
            *token = *borrowed;
        else
            set_word(program, token, mutate_one_in(random, 2) ? "cbMax=0" : "pcb=null");
        break;
    default:
        make_slot(program, token, kind, random);
        break;
    }
}

/* A parameter and a value that suits it. */
static void make_parameter(struct program *program, struct program_line *line, struct mutate_random *random)
{
    const struct vocabulary_parameter *parameter =
        &vocabulary_parameters[mutate_below(random, vocabulary_parameter_count)];
    size_t count = 0;
    while (count < sizeof parameter->values / sizeof parameter->values[0] && parameter->values[count] != NULL)
        count++;
    set_word(program, &line->arguments[1], parameter->name);
    set_spelled(program, &line->arguments[2], parameter->values[mutate_below(random, count)]);
}

void generate_call(struct program *program, struct program_line *line, struct mutate_random *random,
                   unsigned features)
{
    const struct program_op *op;
    do {
        op = &program_ops[mutate_below(random, program_op_count)];
        /* The subject of a backup target is the backup: other calls are there for its sake. */
        if ((features & MUTATE_BACKUP) != 0 && op->family != OP_BACKUP && !mutate_one_in(random, 3))
            continue;
    } while (!generate_op_suits(op, features));
    line->kind = LINE_CALL;
    line->op = op;
    size_t count = 0;
    bool optional = false;
    for (const char *kind = op->arguments; *kind != '\0'; kind++) {
        if (*kind == '?') {
            optional = true;
            continue;
        }
        if ((optional && mutate_one_in(random, 2)) || (*kind == '*' && !mutate_one_in(random, 6)))
            break;
        count++;
    }
    line->arguments = arena_allocate(&program->arena, (count + 1) * sizeof line->arguments[0]);
    memset(line->arguments, 0, (count + 1) * sizeof line->arguments[0]);
    for (size_t i = 0; i < count; i++)
        make_argument(program, &line->arguments[i], op, generate_argument_kind(op, i), random);
    line->argument_count = count;
    if (count >= 3 && strncmp(op->name, "SetSystemParameter", 18) == 0)
        make_parameter(program, line, random);
}

void generate_other_argument(struct program *program, struct program_line *line, size_t index,
                             struct mutate_random *random)
{
    make_argument(program, &line->arguments[index], line->op, generate_argument_kind(line->op, index),
                  random);
}
