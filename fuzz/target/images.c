#include "fuzz/target/images.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__clang__) /* what is done here is not the input's doing */
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

#define IMAGES_MAX (WORLD_IMAGES_MAX - 1) /* one is free for the next */
#define USEFUL_MAX (IMAGES_MAX / 4 * 3)
#define SEEN_MAX (1u << 20)
#define LINES_MAX 512u
#define STEP 4u          /* lines from image to image */
#define WORTH_STEP 2u    /* the time from image to image, in copies' */
#define WORTH_LEAVING 1u /* the same where a program leaves what was seen */
#define STEP_MIN 2u      /* lines that one is worth */

struct kept {
    struct world_image *image;
    struct life *life;
    uint64_t key;
    size_t line;
    uint64_t used; /* when last */
    bool useful;   /* some program went on from it */
};

static struct kept kept[IMAGES_MAX];
static uint32_t *seen; /* by the key's low bits, its high ones */
static uint64_t turn;
static size_t useful_count;
static uint64_t copy_time; /* nanoseconds, of late */
static bool used;
static bool checked;

void images_use(void)
{
    static bool decided;
    if (decided)
        return;
    decided = true;
    const char *wanted = getenv("ESENT_FUZZ_IMAGES");
    if ((wanted != NULL && strcmp(wanted, "off") == 0) || getenv("ESENT_FUZZ_TRANSCRIPTS") != NULL)
        return;
    seen = calloc(SEEN_MAX, sizeof *seen);
    used = seen != NULL && world_begin();
    checked = used && wanted != NULL && strcmp(wanted, "check") == 0;
}

bool images_are_used(void)
{
    return used;
}

bool images_are_checked(void)
{
    return checked;
}

/* ---- keys */

static uint64_t add_bytes(uint64_t key, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < size; i++)
        key = (key ^ byte[i]) * 0x100000001b3;
    return (key ^ size) * 0x9e3779b97f4a7c15;
}

static uint64_t add_text(uint64_t key, const char *text)
{
    return text == NULL ? add_bytes(key, "", 0) : add_bytes(key, text, strlen(text) + 1);
}

static uint64_t add_line(uint64_t key, const struct program_line *line)
{
    key = add_bytes(key, &line->kind, sizeof line->kind);
    key = add_bytes(key, &line->op, sizeof line->op);
    key = add_text(key, line->name);
    for (size_t i = 0; i < line->argument_count; i++) {
        const struct program_token *token = &line->arguments[i];
        key = add_text(key, token->word);
        key = token->text == NULL ? add_text(key, NULL) : add_bytes(key, token->text, token->text_size);
    }
    for (size_t i = 0; i < line->fault_count; i++) {
        key = add_text(key, line->faults[i].kind);
        key = add_bytes(key, &line->faults[i].nth, sizeof line->faults[i].nth);
    }
    return key;
}

/* What of a whole program decides how its beginning runs: the settings, and whether the machine crashes. */
static uint64_t key_of_whole(const struct program *program)
{
    uint64_t key = 0xcbf29ce484222325;
    bool machine = false;
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        if (line->kind == LINE_SET)
            key = add_line(key, line);
        else if (line->kind == LINE_CALL && strcmp(line->op->name, "Crash") == 0 && line->argument_count > 0)
            machine = true;
    }
    return add_bytes(key, &machine, sizeof machine);
}

/* keys[n]: of the first n lines. Returns the greatest n for which an image can be made: up to where another
 * thread begins, or `own`. */
static size_t find_keys(const struct program *program, size_t own, uint64_t keys[LINES_MAX])
{
    size_t n = 0;
    keys[0] = key_of_whole(program);
    for (; n < own && n + 1 < LINES_MAX; n++) {
        const struct program_line *line = &program->lines[n];
        if (line->kind == LINE_CALL && line->thread != 0)
            break;
        keys[n + 1] = add_line(keys[n], line);
    }
    return n;
}

/* ---- plans */

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct kept *find_image(const uint64_t *keys, size_t most)
{
    struct kept *best = NULL;
    for (size_t i = 0; i < IMAGES_MAX; i++) {
        struct kept *one = &kept[i];
        if (one->image != NULL && one->line <= most && one->key == keys[one->line] &&
            (best == NULL || one->line > best->line))
            best = one;
    }
    return best;
}

static bool was_seen(uint64_t key)
{
    return seen[key % SEEN_MAX] == (uint32_t)(key >> 32);
}

void images_plan(const struct program *program, size_t own, struct images_plan *plan)
{
    uint64_t keys[LINES_MAX];
    *plan = (struct images_plan){0};
    if (own == 0)
        return;
    const size_t most = find_keys(program, own, keys);
    struct kept *best = find_image(keys, most);
    if (best != NULL) {
        best->used = ++turn;
        useful_count += !best->useful;
        best->useful = true;
        plan->image = best->image;
        plan->life = best->life;
        plan->from = best->line;
    }
    size_t leaves = plan->from; /* where it leaves what was seen */
    while (leaves < most && was_seen(keys[leaves + 1]))
        leaves++;
    size_t last = plan->from;
    for (size_t n = last + STEP_MIN; n <= most; n++) {
        if ((n != leaves && n < last + STEP) || plan->count == IMAGES_PLANNED_MAX)
            continue;
        plan->lines[plan->count] = last = n;
        plan->keys[plan->count++] = keys[n];
    }
    plan->leaves = leaves;
    plan->since = nanoseconds();
    for (size_t n = 1; n <= most; n++)
        seen[keys[n] % SEEN_MAX] = (uint32_t)(keys[n] >> 32);
}

bool images_are_worth_it(struct images_plan *plan, size_t n)
{
    const uint64_t now = nanoseconds();
    const uint64_t least = copy_time * (plan->lines[n] == plan->leaves ? WORTH_LEAVING : WORTH_STEP);
    const bool worth = checked || now - plan->since > least;
    if (worth)
        plan->since = now;
    return worth;
}

static struct kept *oldest(bool useful)
{
    struct kept *place = NULL;
    for (size_t i = 0; i < IMAGES_MAX; i++) {
        if (kept[i].useful == useful && (place == NULL || kept[i].used < place->used))
            place = &kept[i];
    }
    return place;
}

/* Beginnings that many programs share stay, however many programs come in between. */
static struct kept *find_place(void)
{
    return oldest(useful_count > USEFUL_MAX);
}

void images_add(struct images_plan *plan, size_t n, struct world_image *image, struct life *life)
{
    const uint64_t now = nanoseconds();
    copy_time = (copy_time * 7 + (now - plan->since)) / 8;
    plan->since = now;
    if (image == NULL)
        return;
    struct kept *place = find_place();
    useful_count -= place->useful;
    world_forget(place->image);
    *place = (struct kept){
        .image = image, .life = life, .key = plan->keys[n], .line = plan->lines[n], .used = ++turn};
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
