#include "fuzz/sweep/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/model.h"
#include "fuzz/sweep/ends.h"

#define ORDERS_MAX 4000
#define TERM_IN_PROGRESS "-1000"

/* Answers that calls get only because others are under way; the model knows one call at a time. They have no
 * effect. */
static bool only_beside_others(const struct program_outcome *outcome)
{
    static const char *const codes[] = {
        TERM_IN_PROGRESS, "-1910", /* JET_errSessionSharingViolation */
        "-1329",                   /* JET_errClientRequestToStopJetService: the service stopped meanwhile */
    };
    for (size_t i = 0; outcome->code != NULL && i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(outcome->code, codes[i]) == 0)
            return true;
    }
    return false;
}

/* Calls that take long, and notice a stop between two of their steps. */
static bool is_long_call(const struct program_line *line)
{
    static const char *const names[] = {"FullBackup",      "StreamFile", "BackupInstance",
                                        "BackupInstanceW", "Backup",     "BackupW"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(line->op->name, names[i]) == 0)
            return true;
    }
    return false;
}

static bool is_answer(const struct program_line *line)
{
    return line->kind == LINE_CALL && line->expects && line->outcome.code != NULL;
}

struct judged {
    const struct program_line *first; /* that the model disagrees with */
    struct model_verdict verdict;
    size_t lines; /* up to there */
    size_t judged;
};

static void see(void *context, const struct program_line *line, const struct model_verdict *verdict)
{
    struct judged *judged = context;
    judged->judged += verdict->opinion != MODEL_NO_OPINION;
    if (judged->first == NULL && verdict->opinion == MODEL_DISAGREES) {
        judged->first = line;
        judged->verdict = *verdict;
    }
    judged->lines += judged->first == NULL;
}

/* A hypothesis says in which order the lines ran: as if by one thread. Only sessions with contexts tell
 * threads apart; in their programs a line that was not waited for at once hides the rest from the model. */
static void forget_threads(struct program *hypothesis)
{
    for (size_t i = 0; i < hypothesis->line_count; i++) {
        const struct program_line *line = &hypothesis->lines[i];
        if (line->kind == LINE_CALL && strcmp(line->op->name, "SetSessionContext") == 0)
            return;
    }
    for (size_t i = 0; i < hypothesis->line_count; i++)
        hypothesis->lines[i].thread = 0;
}

/* Judges one hypothesis; true if it holds. Otherwise keeps the message of the one that went furthest. */
static bool try_hypothesis(struct program *hypothesis, size_t *furthest, struct explain_result *result)
{
    struct judged judged = {0};
    forget_threads(hypothesis);
    model_judge_transcript(hypothesis, NULL, NULL, NULL, see, &judged);
    result->hypotheses++;
    if (judged.first == NULL) {
        result->explained = true;
        result->judged = judged.judged;
        return true;
    }
    if (result->message[0] != '\0' && judged.lines <= *furthest)
        return false;
    *furthest = judged.lines;
    result->judged = judged.judged;
    struct text call = {0};
    struct text got = {0};
    struct program_line bare = *judged.first;
    bare.expects = false;
    program_print_line(&bare, &call);
    program_print_outcome(&judged.first->outcome, &got);
    snprintf(result->message, sizeof result->message, "%.120s => %.90s, but the model (%.40s): %.110s",
             call.bytes, got.bytes, judged.verdict.rule, judged.verdict.expected);
    text_free(&call);
    text_free(&got);
    return false;
}

/* A line as the model takes it: answered by `outcome` (NULL: by its own). */
static void append_answered(struct program *hypothesis, const struct program_line *line,
                            const struct program_outcome *outcome)
{
    struct program_line answered = *line;
    if (outcome != NULL) {
        answered.fault_count = 0;
        answered.outcome = *outcome;
    }
    program_copy_line(hypothesis, program_append(hypothesis), &answered);
}

bool explain_is_success(const struct program_outcome *outcome)
{
    return outcome->code != NULL && outcome->code[0] != '-' && outcome->code[0] != 'n';
}

static const struct explain_unknown *find_unknown(const struct explain_unknown *unknowns, size_t count,
                                                  size_t line, size_t *index)
{
    for (size_t i = 0; i < count; i++) {
        if (unknowns[i].line == line) {
            *index = i;
            return &unknowns[i];
        }
    }
    return NULL;
}

/* Ways in which an unknown line can have gone. */
enum way { LEFT_OUT, TOOK_EFFECT, LIKE_OTHERS, WAY_COUNT, AS_TOLD = WAY_COUNT };

static void append_unknown(struct program *hypothesis, const struct program_line *line,
                           const struct explain_unknown *unknown, enum way way)
{
    if (way == TOOK_EFFECT)
        append_answered(hypothesis, line, unknown->outcome);
    if (way == AS_TOLD)
        append_answered(hypothesis, line, NULL);
    for (size_t i = 0; way == LIKE_OTHERS && i < unknown->instead->line_count; i++)
        append_answered(hypothesis, &unknown->instead->lines[i], NULL);
}

static bool is_possible(const struct explain_unknown *unknown, enum way way)
{
    return way != LIKE_OTHERS || (unknown->instead != NULL && unknown->instead->line_count > 0);
}

void explain_add_halves(struct program *halves, const struct program_line *line,
                        const struct program_outcome *outcome)
{
    if (outcome->code == NULL || strcmp(outcome->code, "0") != 0 || line->argument_count == 0)
        return;
    const char *slot = line->arguments[0].word;
    if (strncmp(line->op->name, "Term", 4) == 0) { /* its last records were not written */
        struct program_fault fault = {.kind = MODEL_HALF, .nth = 1};
        struct program_line half = *line;
        half.faults = &fault;
        half.fault_count = 1;
        half.expects = true;
        half.outcome = *outcome;
        program_copy_line(halves, program_append(halves), &half);
    } else if (strncmp(line->op->name, "OSSnapshotFreeze", 16) == 0) { /* frozen, and let go again */
        append_answered(halves, line, outcome);
        ends_append(halves, "OSSnapshotAbort %s 0 => 0", slot);
    }
}

void explain_unknowns(const struct program *transcript, const struct explain_unknown *unknowns, size_t count,
                      struct explain_result *result)
{
    size_t furthest = 0;
    size_t combinations = 1;
    *result = (struct explain_result){0};
    for (size_t i = 0; i < count; i++)
        combinations *= WAY_COUNT;
    for (size_t combination = 0; combination < combinations; combination++) {
        struct program hypothesis = {0};
        bool possible = true;
        for (size_t i = 0; i < transcript->line_count; i++) {
            const struct program_line *line = &transcript->lines[i];
            size_t which = 0;
            const struct explain_unknown *unknown = find_unknown(unknowns, count, i, &which);
            if (unknown == NULL) {
                append_answered(&hypothesis, line, NULL);
                continue;
            }
            size_t digits = combination;
            for (size_t k = 0; k < which; k++)
                digits /= WAY_COUNT;
            const enum way way = (enum way)(digits % WAY_COUNT);
            possible = possible && is_possible(unknown, way);
            if (possible)
                append_unknown(&hypothesis, line, unknown, way);
        }
        const bool holds = possible && try_hypothesis(&hypothesis, &furthest, result);
        program_free(&hypothesis);
        if (holds)
            return;
    }
}

struct asked {
    bool refuted;
    enum model_opinion last;
};

static void see_asked(void *context, const struct program_line *line, const struct model_verdict *verdict)
{
    struct asked *asked = context;
    (void)line;
    asked->refuted = asked->refuted || verdict->opinion == MODEL_DISAGREES;
    asked->last = verdict->opinion;
}

enum model_opinion explain_line(const struct program *transcript, const struct explain_unknown *unknown,
                                size_t line)
{
    enum model_opinion best = MODEL_DISAGREES;
    for (enum way way = LEFT_OUT; way <= AS_TOLD; way++) {
        struct program hypothesis = {0};
        struct asked asked = {0};
        for (size_t i = 0; i <= line && is_possible(unknown, way); i++) {
            if (i == unknown->line)
                append_unknown(&hypothesis, &transcript->lines[i], unknown, way);
            else
                append_answered(&hypothesis, &transcript->lines[i], NULL);
        }
        forget_threads(&hypothesis);
        model_judge_transcript(&hypothesis, NULL, NULL, NULL, see_asked, &asked);
        if (hypothesis.line_count > 0 && !asked.refuted && asked.last < best)
            best = asked.last;
        program_free(&hypothesis);
    }
    return best;
}

/* A call whose handle died on its way, because another one ended the instance. */
static bool lost_its_handle(const struct program_line *line, const struct program_line *other)
{
    return strncmp(other->op->name, "Term", 4) == 0 && line->outcome.code != NULL &&
           (strcmp(line->outcome.code, "-1003") == 0 || strcmp(line->outcome.code, "-1104") == 0);
}

/* A call on an instance that is being started. */
static bool came_too_early(const struct program_line *line, const struct program_line *other)
{
    return strncmp(other->op->name, "Init", 4) == 0 && line->outcome.code != NULL &&
           strcmp(line->outcome.code, "-1029") == 0;
}

/* An end that was refused, because it cut the way back of a call that had begun a transaction. */
static bool was_refused(const struct program_line *line)
{
    return strncmp(line->op->name, "Term", 4) == 0 && line->outcome.code != NULL &&
           strcmp(line->outcome.code, "-1059") == 0;
}

/* Whether a line's answer may be that of a call that noticed, in the middle of its work, what another one
 * did; it has no effect then. */
static bool may_be_interrupted(const struct program *transcript, size_t line, size_t by)
{
    if (line >= transcript->line_count || by >= transcript->line_count ||
        !is_answer(&transcript->lines[line]) || transcript->lines[by].kind != LINE_CALL)
        return false;
    const struct program_line *answered = &transcript->lines[line];
    return only_beside_others(&answered->outcome) || is_long_call(answered) ||
           lost_its_handle(answered, &transcript->lines[by]) ||
           came_too_early(answered, &transcript->lines[by]) || was_refused(answered);
}

/* A freeze that met an instance on its way to the end. */
static bool froze_what_ends(const struct program_line *line, const struct program_line *other)
{
    return strncmp(other->op->name, "Term", 4) == 0 && strncmp(line->op->name, "OSSnapshotFreeze", 16) == 0 &&
           line->outcome.code != NULL && strcmp(line->outcome.code, "-2403") == 0;
}

/* A call whose session was ended by the end of its instance, which itself is still there: a stop behind it
 * is taken. */
static bool lost_its_session(const struct program_line *line, const struct program_line *other)
{
    return strncmp(other->op->name, "Term", 4) == 0 && explain_is_success(&other->outcome) &&
           line->outcome.code != NULL && strcmp(line->outcome.code, "-1104") == 0;
}

/* A begin that was refused while a freeze had begun and did not hold up the log yet, or a thaw did not any
 * more and was not done. */
static bool met_a_snapshot(const struct program_line *line, const struct program_line *other)
{
    return (strncmp(other->op->name, "OSSnapshotFreeze", 16) == 0 ||
            strcmp(other->op->name, "OSSnapshotThaw") == 0) &&
           explain_is_success(&other->outcome) && strncmp(line->op->name, "BeginExternalBackup", 19) == 0 &&
           line->outcome.code != NULL && strcmp(line->outcome.code, "-505") == 0;
}

/* Whether a line's answer may be one, without effect, that a call gets only while one of another thread is
 * under way. */
static bool may_have_met_another(const struct program *transcript, const struct program_line *line)
{
    for (size_t i = 0; i < transcript->line_count && is_answer(line); i++) {
        const struct program_line *other = &transcript->lines[i];
        if (other->kind == LINE_CALL && other->thread != line->thread &&
            (froze_what_ends(line, other) || lost_its_session(line, other) || met_a_snapshot(line, other)))
            return true;
    }
    return false;
}

static bool met_a_term(const struct program_line *line)
{
    return is_answer(line) && strcmp(line->outcome.code, TERM_IN_PROGRESS) == 0;
}

static bool failed(const struct program_line *line)
{
    return is_answer(line) && line->outcome.code[0] == '-';
}

/* The lines in order, `moved` before or behind `at`, either left out if wanted; without the lines that were
 * refused while `moved` waited for others. */
static void build_moved(struct program *hypothesis, const struct program *transcript, size_t moved, size_t at,
                        bool behind, bool without_line, bool without_moved)
{
    bool ending = false;
    for (size_t i = 0; i <= transcript->line_count; i++) {
        ending = ending || (i < transcript->line_count && met_a_term(&transcript->lines[i]));
        if (i == at && !behind && !without_moved)
            append_answered(hypothesis, &transcript->lines[moved], NULL);
        if (i < transcript->line_count && i != moved && !(without_line && i == at) &&
            !(ending && failed(&transcript->lines[i])))
            append_answered(hypothesis, &transcript->lines[i], NULL);
        if (i == at && behind && !without_moved)
            append_answered(hypothesis, &transcript->lines[moved], NULL);
    }
}

/* The variants of one place. */
static bool explain_moved_to(const struct program *transcript, size_t moved, size_t at, size_t *furthest,
                             struct explain_result *result)
{
    const bool without_line = may_be_interrupted(transcript, at, moved);
    const bool without_moved = may_be_interrupted(transcript, moved, at);
    for (int variant = 0; variant < 8; variant++) {
        if (((variant & 2) != 0 && !without_line) || ((variant & 4) != 0 && !without_moved))
            continue;
        struct program hypothesis = {0};
        build_moved(&hypothesis, transcript, moved, at, (variant & 1) != 0, (variant & 2) != 0,
                    (variant & 4) != 0);
        const bool holds = try_hypothesis(&hypothesis, furthest, result);
        program_free(&hypothesis);
        if (holds)
            return true;
    }
    return false;
}

void explain_moved(const struct program *transcript, size_t moved, size_t before,
                   struct explain_result *result)
{
    size_t furthest = 0;
    *result = (struct explain_result){0};
    if (explain_moved_to(transcript, moved, before, &furthest, result))
        return;
    /* An end waits for calls under way, and looks for them from time to time: it may come much later. */
    bool waited = false;
    for (size_t i = 0; i < transcript->line_count; i++)
        waited = waited || met_a_term(&transcript->lines[i]);
    for (size_t at = before + 1; waited && at < transcript->line_count; at++) {
        if (explain_moved_to(transcript, moved, at, &furthest, result))
            return;
    }
}

/* --- orders of the lines of several threads */

struct orders {
    const struct program *transcript;
    struct explain_result *result;
    size_t furthest;
    bool *taken; /* by line */
    size_t *order;
    size_t count;
};

/* Whether a line may come next: what must be before it was taken. */
static bool may_come(const struct orders *orders, size_t index)
{
    const struct program_line *lines = orders->transcript->lines;
    for (size_t i = 0; i < index; i++) {
        if (orders->taken[i] || lines[i].kind != LINE_CALL)
            continue;
        if (lines[i].thread == 0 || lines[i].thread == lines[index].thread)
            return false;
        /* Behind a Join of that thread. */
        for (size_t j = i + 1; j <= index; j++) {
            if (lines[j].kind == LINE_CALL && strcmp(lines[j].op->name, "Join") == 0 &&
                lines[j].argument_count > 0 &&
                strtoul(lines[j].arguments[0].word, NULL, 10) == lines[i].thread)
                return false;
        }
    }
    return true;
}

/* The session of a composite call that works within a transaction of its own; NULL: it is none. */
static const char *session_in_transaction(const struct program_line *line)
{
    static const char *const names[] = {"Insert", "Replace", "DeleteRows", "Row", "Table"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(line->op->name, names[i]) == 0 && line->argument_count > 0)
            return line->arguments[0].word;
    }
    return NULL;
}

/* A composite call that an end cut off, and which could not roll its transaction back any more: its begin is
 * what is left of it. */
static bool append_begin_of(struct program *hypothesis, const struct program_line *line)
{
    const char *session = session_in_transaction(line);
    if (session == NULL || strcmp(line->outcome.code, TERM_IN_PROGRESS) != 0)
        return false;
    if (hypothesis != NULL)
        ends_append(hypothesis, "BeginTransaction %s => 0", session);
    return true;
}

/* An end that came into the middle of a composite call of another thread, its neighbour in the order, and was
 * refused because of its transaction; the call went on behind it. The session of that call, or NULL. */
static const char *refused_beside(const struct orders *orders, size_t at)
{
    const struct program_line *lines = orders->transcript->lines;
    const struct program_line *line = &lines[orders->order[at]];
    for (size_t other = at == 0 ? 0 : at - 1; was_refused(line) && other <= at + 1 && other < orders->count;
         other++) {
        const struct program_line *neighbour = &lines[orders->order[other]];
        if (neighbour->thread != line->thread && explain_is_success(&neighbour->outcome) &&
            session_in_transaction(neighbour) != NULL)
            return session_in_transaction(neighbour);
    }
    return NULL;
}

/* What may be different in a hypothesis about an order; each only if there is such a line. */
enum variant { CUT_CALLS_BEGAN = 1, CALLS_MET_OTHERS = 2, ENDS_MET_TRANSACTIONS = 4, VARIANT_COUNT = 8 };

/* `*possible` says which variants there are. */
static bool try_order_with(struct orders *orders, unsigned variant, unsigned *possible)
{
    struct program hypothesis = {0};
    const struct program *transcript = orders->transcript;
    for (size_t i = 0; i < transcript->line_count; i++) {
        if (transcript->lines[i].kind == LINE_SET)
            program_copy_line(&hypothesis, program_append(&hypothesis), &transcript->lines[i]);
    }
    for (size_t i = 0; i < orders->count; i++) {
        const struct program_line *line = &transcript->lines[orders->order[i]];
        if (strcmp(line->op->name, "Join") == 0)
            continue;
        const bool cut = is_answer(line) && only_beside_others(&line->outcome);
        const bool refused = may_have_met_another(transcript, line);
        const char *session = refused_beside(orders, i);
        if (session != NULL)
            *possible |= ENDS_MET_TRANSACTIONS;
        if ((variant & ENDS_MET_TRANSACTIONS) == 0)
            session = NULL;
        if (cut && append_begin_of((variant & CUT_CALLS_BEGAN) != 0 ? &hypothesis : NULL, line))
            *possible |= CUT_CALLS_BEGAN;
        if (refused)
            *possible |= CALLS_MET_OTHERS;
        if (session != NULL)
            ends_append(&hypothesis, "BeginTransaction %s => 0", session);
        if (!cut && !(refused && (variant & CALLS_MET_OTHERS) != 0))
            append_answered(&hypothesis, line, NULL);
        if (session != NULL)
            ends_append(&hypothesis, "Rollback %s 0 => 0", session);
    }
    const bool holds = try_hypothesis(&hypothesis, &orders->furthest, orders->result);
    program_free(&hypothesis);
    return holds;
}

static bool try_order(struct orders *orders)
{
    unsigned possible = 0;
    for (unsigned variant = 0; variant < VARIANT_COUNT; variant++) {
        if ((variant & ~possible) == 0 && try_order_with(orders, variant, &possible))
            return true;
    }
    return false;
}

/* Extends the order in every way; true as soon as one holds. */
static bool extend(struct orders *orders)
{
    const struct program *transcript = orders->transcript;
    bool any = false;
    for (size_t i = 0; i < transcript->line_count; i++) {
        if (orders->taken[i] || transcript->lines[i].kind != LINE_CALL || !may_come(orders, i))
            continue;
        any = true;
        orders->taken[i] = true;
        orders->order[orders->count++] = i;
        const bool holds = extend(orders);
        orders->count--;
        orders->taken[i] = false;
        if (holds || orders->result->hypotheses >= ORDERS_MAX)
            return holds;
    }
    return any ? false : try_order(orders);
}

void explain_threads(const struct program *transcript, struct explain_result *result)
{
    *result = (struct explain_result){0};
    struct orders orders = {.transcript = transcript, .result = result};
    orders.taken = calloc(transcript->line_count + 1, sizeof *orders.taken);
    orders.order = calloc(transcript->line_count + 1, sizeof *orders.order);
    if (orders.taken == NULL || orders.order == NULL)
        abort();
    extend(&orders);
    free(orders.taken);
    free(orders.order);
}
