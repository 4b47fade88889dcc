#include "fuzz/program/slots.h"

#include <string.h>

bool program_is_slot(const struct program_token *token)
{
    return token->text == NULL && token->word[0] != '\0' && strchr("isdthnb", token->word[0]) != NULL &&
           token->word[1] >= '0' && token->word[1] <= '9';
}

bool slot_set_has(const struct slot_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->names[i], name) == 0)
            return true;
    }
    return false;
}

void slot_set_add(struct slot_set *set, const char *name)
{
    if (!slot_set_has(set, name) && set->count < 512 && strlen(name) < 8)
        strcpy(set->names[set->count++], name);
}

/* The place of the out argument in the op's row, or -1. */
static int out_place(const struct program_op *op)
{
    int place = 0;
    for (const char *c = op->arguments; *c != '\0'; c++) {
        if (*c == '?')
            continue;
        if (*c >= 'A' && *c <= 'Z')
            return place;
        place++;
    }
    return -1;
}

void slot_set_add_offspring(struct slot_set *set, const struct program *program)
{
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        int place = line->kind == LINE_CALL ? out_place(line->op) : -1;
        if (place < 0 || (size_t)place >= line->argument_count || !program_is_slot(&line->arguments[place]))
            continue;
        for (int a = 0; a < place; a++) {
            if (program_is_slot(&line->arguments[a]) && slot_set_has(set, line->arguments[a].word))
                slot_set_add(set, line->arguments[place].word);
        }
    }
}

bool slot_set_is_used(const struct slot_set *set, const struct program_line *line)
{
    if (line->kind != LINE_CALL)
        return false;
    for (size_t i = 0; i < line->argument_count; i++) {
        if (program_is_slot(&line->arguments[i]) && slot_set_has(set, line->arguments[i].word))
            return true;
    }
    return false;
}
