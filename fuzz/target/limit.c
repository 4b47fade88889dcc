/* Programs of a fuzzer ask for a million rows as readily as for one. What only costs time is cut down here,
 * so that the same program answers the same, sooner. */
#include "fuzz/target/target.h"

#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 96
#define ROWS_MAX 100
#define ROW_BYTES_MAX 20000
#define BYTES_MAX 100000

static unsigned long long number_of(const struct program_token *token)
{
    return token->text == NULL && token->word != NULL ? strtoull(token->word, NULL, 0) : 0;
}

static void limit_number(struct program *program, struct program_token *token, unsigned long long limit)
{
    /* Negative numbers come out huge here and are cut as well. */
    if (number_of(token) > limit)
        *token = (struct program_token){.word = arena_format(&program->arena, "%llu", limit)};
}

static void limit_rows(struct program *program, struct program_line *line)
{
    if (line->argument_count < 4)
        return;
    limit_number(program, &line->arguments[3], ROWS_MAX);
    if (line->argument_count < 5)
        return;
    unsigned long long rows = number_of(&line->arguments[3]);
    limit_number(program, &line->arguments[4], ROW_BYTES_MAX);
    if (rows > 0)
        limit_number(program, &line->arguments[4], BYTES_MAX / rows);
}

/* Generated values: r:SIZE:SEED. */
static void limit_values(struct program *program, struct program_line *line)
{
    for (size_t i = 0; i < line->argument_count; i++) {
        struct program_token *token = &line->arguments[i];
        const char *value = token->word == NULL ? NULL : strstr(token->word, "r:");
        if (value == NULL || (value != token->word && value[-1] != '='))
            continue;
        if (strtoull(value + 2, NULL, 0) > ROW_BYTES_MAX)
            token->word = arena_format(&program->arena, "%.*sr:%d:1", (int)(value - token->word), token->word,
                                       ROW_BYTES_MAX);
    }
}

/* A stream read in chunks of a few bytes never ends: the chunk is at least a page or refused. */
static void limit_chunk(struct program *program, struct program_line *line, size_t index)
{
    if (line->argument_count <= index)
        return;
    struct program_token *token = &line->arguments[index];
    unsigned long long chunk = number_of(token);
    if (chunk > 0 && chunk < 8192)
        *token = (struct program_token){.word = arena_text(&program->arena, "8192")};
    limit_number(program, token, 4 << 20);
}

void fuzz_limit_program(struct program *program)
{
    size_t kept = 0;
    size_t calls = 0;
    for (size_t i = 0; i < program->line_count; i++) {
        struct program_line *line = &program->lines[i];
        if (line->kind == LINE_CALL) {
            const char *name = line->op->name;
            if (strcmp(name, "Sleep") == 0)
                continue;
            if (++calls > CALLS_MAX)
                break;
            if (strcmp(name, "Insert") == 0 || strcmp(name, "Replace") == 0 ||
                strcmp(name, "DeleteRows") == 0)
                limit_rows(program, line);
            else if (strcmp(name, "StreamFile") == 0)
                limit_chunk(program, line, 3);
            else if (strcmp(name, "FullBackup") == 0)
                limit_chunk(program, line, 2);
            else
                limit_values(program, line);
        } else if (line->kind != LINE_SET) {
            continue;
        }
        program->lines[kept++] = *line;
    }
    program->line_count = kept;
}
