#include "fuzz/sweep/torn_page.h"

#include <string.h>

#define FINDING "checksum page="

static bool answers(const struct program_line *line, const char *code)
{
    return line->outcome.code != NULL && strcmp(line->outcome.code, code) == 0;
}

static bool has_fault(const struct program_line *line, const char *kind)
{
    for (size_t i = 0; i < line->fault_count; i++) {
        if (strcmp(line->faults[i].kind, kind) == 0)
            return true;
    }
    return false;
}

/* The text of the only thing that a check of a file found, NULL if that is not a page's checksum. */
static const char *page_of_check(const struct program_line *line)
{
    const struct program_outcome *outcome = &line->outcome;
    if (outcome->fact_count != 1 || outcome->facts[0].text == NULL ||
        strncmp(outcome->facts[0].text, FINDING, sizeof FINDING - 1) != 0)
        return NULL;
    return outcome->facts[0].text;
}

/* Whether the checks from `line` on name one page, and always the same. */
static bool one_page_is_bad(const struct program *transcript, size_t line)
{
    const char *page = NULL;
    for (; line < transcript->line_count; line++) {
        const struct program_line *check = &transcript->lines[line];
        if (!program_is_call(check, "Check") || answers(check, "0"))
            continue;
        const char *named = page_of_check(check);
        if (named == NULL || (page != NULL && strcmp(named, page) != 0))
            return false;
        page = named;
    }
    return page != NULL;
}

size_t torn_page_line(const struct program *transcript, size_t hit)
{
    size_t line = hit + 1;
    while (line < transcript->line_count &&
           !(program_is_call(&transcript->lines[line], "Init") && answers(&transcript->lines[line], "-1018")))
        line++;
    const bool torn = has_fault(&transcript->lines[hit], "short") && one_page_is_bad(transcript, hit + 1);
    return torn ? line : transcript->line_count;
}
