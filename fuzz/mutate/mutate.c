#include "fuzz/mutate/mutate.h"

#include <stdio.h>
#include <string.h>

#include "fuzz/mutate/generate.h"
#include "fuzz/mutate/vocabulary.h"

/* Drops what says nothing about the run: comments, blank lines, expectations. */
static void strip(struct program *program)
{
    size_t kept = 0;
    for (size_t i = 0; i < program->line_count; i++) {
        struct program_line line = program->lines[i];
        if (line.kind != LINE_SET && line.kind != LINE_CALL)
            continue;
        line.expects = false;
        memset(&line.outcome, 0, sizeof line.outcome);
        line.arrow_column = 0;
        line.number = 0;
        program->lines[kept++] = line;
    }
    program->line_count = kept;
}

/* The first line that is not a setting: calls are inserted from here on. */
static size_t first_call(const struct program *program)
{
    size_t i = 0;
    while (i < program->line_count && program->lines[i].kind != LINE_CALL)
        i++;
    return i;
}

static size_t first_place(const struct program *program, const struct mutate_random *random)
{
    const size_t first = first_call(program);
    return random->from > first && random->from < program->line_count ? random->from : first;
}

static size_t pick_call(const struct program *program, struct mutate_random *random)
{
    size_t first = first_place(program, random);
    return first + mutate_below(random, program->line_count - first);
}

/* Where something new goes: anywhere among the calls, more often near the end, where the state is richest. */
static size_t pick_place(const struct program *program, struct mutate_random *random)
{
    size_t first = first_place(program, random);
    size_t room = program->line_count - first;
    size_t a = mutate_below(random, room + 1);
    size_t b = mutate_below(random, room + 1);
    return first + (mutate_one_in(random, 2) ? a : (a > b ? a : b));
}

/* Moves the last `count` lines, just appended, to position `place`. */
static void rotate_in(struct program *program, size_t place, size_t count)
{
    struct program_line line;
    size_t from = program->line_count - count;
    for (size_t i = 0; i < count; i++) {
        line = program->lines[from + i];
        memmove(&program->lines[place + i + 1], &program->lines[place + i],
                (from + i - (place + i)) * sizeof line);
        program->lines[place + i] = line;
    }
}

static void insert_call(struct program *program, struct mutate_random *random, unsigned features)
{
    struct program_line line = {0};
    generate_call(program, &line, random, features);
    size_t place = pick_place(program, random);
    *program_append(program) = line;
    rotate_in(program, place, 1);
}

/* Writes a phrase for instance `number` as text and appends its lines. Returns how many. */
static size_t append_phrase(struct program *program, const char *phrase, unsigned number)
{
    char line[256];
    size_t used = 0;
    size_t before = program->line_count;
    for (const char *at = phrase; *at != '\0'; at++) {
        if (*at == '\n') {
            struct program_error error;
            program_parse_line(program, line, used, &error);
            used = 0;
        } else if (used < sizeof line) {
            line[used++] = *at == '$' ? (char)('0' + number) : *at;
        }
    }
    return program->line_count - before;
}

static void insert_phrase(struct program *program, struct mutate_random *random, unsigned features)
{
    for (int attempt = 0; attempt < 20; attempt++) {
        const struct vocabulary_phrase *phrase =
            &vocabulary_phrases[mutate_below(random, vocabulary_phrase_count)];
        if ((phrase->features & features) == 0)
            continue;
        size_t place = pick_place(program, random);
        unsigned number = (unsigned)mutate_below(random, mutate_one_in(random, 4) ? 3 : 2);
        rotate_in(program, place, append_phrase(program, phrase->text, number));
        return;
    }
}

static void drop_calls(struct program *program, struct mutate_random *random)
{
    size_t first = pick_call(program, random);
    size_t count = mutate_one_in(random, 4) ? 1 + mutate_below(random, 8) : 1;
    if (count > program->line_count - first)
        count = program->line_count - first;
    program_remove(program, first, count);
}

static void repeat_calls(struct program *program, struct mutate_random *random)
{
    size_t first = pick_call(program, random);
    size_t count = mutate_one_in(random, 3) ? 1 + mutate_below(random, 6) : 1;
    if (count > program->line_count - first)
        count = program->line_count - first;
    size_t place = mutate_one_in(random, 2) ? first + count : pick_place(program, random);
    for (size_t i = 0; i < count; i++) {
        struct program_line *line = program_append(program);
        program_copy_line(program, line, &program->lines[first + i]);
    }
    rotate_in(program, place, count);
}

static void move_call(struct program *program, struct mutate_random *random)
{
    size_t from = pick_call(program, random);
    struct program_line line = program->lines[from];
    program_remove(program, from, 1);
    size_t place = pick_place(program, random);
    *program_append(program) = line;
    rotate_in(program, place, 1);
}

static void change_argument(struct program *program, struct mutate_random *random)
{
    for (int attempt = 0; attempt < 8; attempt++) {
        struct program_line *line = &program->lines[pick_call(program, random)];
        if (line->argument_count == 0)
            continue;
        generate_other_argument(program, line, mutate_below(random, line->argument_count), random);
        return;
    }
}

/* Gives a call a different number of arguments: one less, or one more. */
static void change_argument_count(struct program *program, struct mutate_random *random)
{
    struct program_line *line = &program->lines[pick_call(program, random)];
    if (line->argument_count > 0 && mutate_one_in(random, 2)) {
        line->argument_count--;
        return;
    }
    if (line->argument_count >= strlen(line->op->arguments))
        return;
    struct program_token *longer =
        arena_allocate(&program->arena, (line->argument_count + 1) * sizeof *longer);
    if (line->argument_count > 0)
        memcpy(longer, line->arguments, line->argument_count * sizeof *longer);
    longer[line->argument_count] = (struct program_token){.word = "0"};
    line->arguments = longer;
    line->argument_count++;
    generate_other_argument(program, line, line->argument_count - 1, random);
}

/* Plays a stretch of calls on another instance: every slot with one number gets another number. */
static void change_instance(struct program *program, struct mutate_random *random)
{
    size_t first = pick_call(program, random);
    size_t count = mutate_one_in(random, 2) ? 1 : 1 + mutate_below(random, 10);
    char to = (char)('0' + mutate_below(random, 3));
    for (size_t i = first; i < program->line_count && i < first + count; i++) {
        struct program_line *line = &program->lines[i];
        for (size_t k = 0; k < line->argument_count; k++) {
            struct program_token *token = &line->arguments[k];
            char kind = generate_argument_kind(line->op, k);
            bool slot = strchr("isdthnbISDTHNB", kind) != NULL;
            if (!slot || token->text != NULL || strlen(token->word) != 2 || mutate_one_in(random, 8))
                continue;
            token->word = arena_format(&program->arena, "%c%c", token->word[0], to);
        }
    }
}

static void change_thread(struct program *program, struct mutate_random *random)
{
    struct program_line *line = &program->lines[pick_call(program, random)];
    if (line->op->family == OP_CONTROL)
        return;
    if (line->thread != 0) {
        line->thread = (unsigned)mutate_below(random, 3);
        return;
    }
    unsigned thread = 1 + (unsigned)mutate_below(random, 2);
    size_t index = (size_t)(line - program->lines);
    line->thread = thread;
    char join[16];
    struct program_error error;
    int size = snprintf(join, sizeof join, "Join %u", thread);
    if (program_parse_line(program, join, (size_t)size, &error))
        rotate_in(program, index + 1 + mutate_below(random, program->line_count - index - 1), 1);
}

static void change_fault(struct program *program, struct mutate_random *random)
{
    struct program_line *line = &program->lines[pick_call(program, random)];
    if (line->op->family == OP_CONTROL || line->op->family == OP_FILE)
        return;
    if (line->fault_count > 0 && mutate_one_in(random, 2)) {
        line->fault_count = 0;
        return;
    }
    line->faults = arena_allocate(&program->arena, sizeof line->faults[0]);
    line->fault_count = 1;
    line->faults[0].kind = vocabulary_faults[mutate_below(random, vocabulary_fault_count)];
    size_t reach = (size_t)1 << mutate_below(random, 9);
    line->faults[0].nth = 1 + (uint32_t)mutate_below(random, reach);
}

/* The wide call instead of the narrow one and back: every text then takes the other way in. */
static void change_width(struct program *program, struct mutate_random *random)
{
    struct program_line *line = &program->lines[pick_call(program, random)];
    char name[64];
    size_t size = strlen(line->op->name);
    if (size + 2 > sizeof name)
        return;
    memcpy(name, line->op->name, size + 1);
    if (name[size - 1] == 'W')
        name[size - 1] = '\0';
    else
        memcpy(name + size, "W", 2);
    const struct program_op *other = program_op_find(name);
    if (other != NULL)
        line->op = other;
}

static void change_setting(struct program *program, struct mutate_random *random)
{
    static const char *const settings[] = {
        "set page 2048",  "set page 4096",       "set page 8192",        "set page 16384",
        "set page 32768", "set LogFileSize 128", "set LogFileSize 5120", "set OSSnapshotTimeout 1"};
    size_t first = first_call(program);
    if (first > 0 && mutate_one_in(random, 2)) {
        program_remove(program, mutate_below(random, first), 1);
        return;
    }
    const char *line = settings[mutate_below(random, sizeof settings / sizeof settings[0])];
    struct program_error error;
    if (program_parse_line(program, line, strlen(line), &error))
        rotate_in(program, 0, 1);
}

static bool is_of_schedule(const char *name)
{
    return strcmp(name, "schedule") == 0 || strcmp(name, "switches") == 0 || strcmp(name, "priorities") == 0;
}

static void put_setting(struct program *program, const char *line)
{
    struct program_error error;
    if (program_parse_line(program, line, strlen(line), &error))
        rotate_in(program, 0, 1);
}

/* Another interleaving of the same calls: any at all, one by a few changes of priority, or one that goes from
 * thread to thread in a few places only. Small numbers are likelier, since most programs are short. */
static void change_schedule(struct program *program, struct mutate_random *random)
{
    for (size_t i = first_call(program); i > 0; i--) {
        if (is_of_schedule(program->lines[i - 1].name))
            program_remove(program, i - 1, 1);
    }
    char line[80];
    const size_t kind = mutate_below(random, 3);
    if (kind == 2) {
        int size = snprintf(line, sizeof line, "set switches \"");
        for (size_t count = 1 + mutate_below(random, 3); count > 0; count--)
            size += snprintf(line + size, sizeof line - (size_t)size, "%u ",
                             (unsigned)mutate_below(random, (size_t)8 << mutate_below(random, 9)));
        line[size - 1] = '"';
        put_setting(program, line);
        return;
    }
    if (kind == 1) {
        snprintf(line, sizeof line, "set priorities %u", (unsigned)mutate_below(random, 4));
        put_setting(program, line);
    }
    snprintf(line, sizeof line, "set schedule %u", (unsigned)mutate_below(random, 100000));
    put_setting(program, line);
}

static void mutate_once(struct program *program, struct mutate_random *random, unsigned features)
{
    if (first_call(program) == program->line_count) {
        insert_phrase(program, random, features);
        return;
    }
    size_t choice = mutate_below(random, 100);
    if (choice < 18)
        insert_call(program, random, features);
    else if (choice < 34)
        insert_phrase(program, random, features);
    else if (choice < 48)
        drop_calls(program, random);
    else if (choice < 54)
        repeat_calls(program, random);
    else if (choice < 60)
        move_call(program, random);
    else if (choice < 78)
        change_argument(program, random);
    else if (choice < 81)
        change_argument_count(program, random);
    else if (choice < 87)
        change_instance(program, random);
    else if (choice < 91 && (features & MUTATE_THREADS) != 0)
        mutate_one_in(random, 3) ? change_schedule(program, random) : change_thread(program, random);
    else if (choice < 96 && (features & MUTATE_FAULTS) != 0)
        change_fault(program, random);
    else if (choice < 98)
        change_width(program, random);
    else if ((features & MUTATE_SETTINGS) != 0)
        change_setting(program, random);
    else
        change_argument(program, random);
}

/* Logs of the default size, which programs seldom fill, cost their backups and restarts a tenth of the time:
 * most programs get smaller ones. */
static void mind_size_of_logs(struct program *program, struct mutate_random *random)
{
    for (size_t i = first_call(program); i > 0; i--) {
        if (strcmp(program->lines[i - 1].name, "LogFileSize") == 0)
            return;
    }
    if (!mutate_one_in(random, 16))
        put_setting(program, "set LogFileSize 256");
}

void mutate_program(struct program *program, struct mutate_random *random, unsigned features)
{
    strip(program);
    mind_size_of_logs(program, random);
    /* What many programs in a row share at their beginning needs to be run only once. */
    const size_t calls = program->line_count - first_call(program);
    random->from = mutate_one_in(random, 4) ? 0 : first_call(program) + mutate_below(random, calls);
    size_t times = 1;
    while (times < 8 && mutate_one_in(random, 2))
        times++;
    while (times-- > 0)
        mutate_once(program, random, features);
    random->from = 0;
    if (program->line_count > MUTATE_LINES_MAX)
        program_remove(program, MUTATE_LINES_MAX, program->line_count - MUTATE_LINES_MAX);
}

static void append_copies(struct program *child, const struct program *source, size_t first, size_t end)
{
    for (size_t i = first; i < end && child->line_count < MUTATE_LINES_MAX; i++) {
        struct program_line *line = program_append(child);
        program_copy_line(child, line, &source->lines[i]);
    }
}

void mutate_cross(struct program *child, const struct program *a, const struct program *b,
                  struct mutate_random *random)
{
    size_t a_first = first_call(a);
    size_t b_first = first_call(b);
    append_copies(child, a, 0, a_first);
    size_t a_cut = a_first + mutate_below(random, a->line_count - a_first + 1);
    if (mutate_one_in(random, 3)) {
        /* Interleaved from there on: both go on in turns of a few calls. */
        size_t i = a_cut;
        size_t k = b_first;
        append_copies(child, a, a_first, a_cut);
        while ((i < a->line_count || k < b->line_count) && child->line_count < MUTATE_LINES_MAX) {
            size_t turn = 1 + mutate_below(random, 6);
            size_t end = i + turn < a->line_count ? i + turn : a->line_count;
            append_copies(child, a, i, end);
            i = end;
            turn = 1 + mutate_below(random, 6);
            end = k + turn < b->line_count ? k + turn : b->line_count;
            append_copies(child, b, k, end);
            k = end;
        }
    } else {
        /* One's stretch put into the other. */
        size_t b_begin = b_first + mutate_below(random, b->line_count - b_first + 1);
        size_t b_end = b_begin + mutate_below(random, b->line_count - b_begin + 1);
        append_copies(child, a, a_first, a_cut);
        append_copies(child, b, b_begin, b_end);
        append_copies(child, a, a_cut, a->line_count);
    }
    strip(child);
}
