#include "fuzz/sweep/pairs.h"

#include <string.h>

#include "fuzz/sweep/ends.h"

#define START                                                                                                \
    "set LogFileSize 512\n"                                                                                  \
    "set together 1\n"                                                                                       \
    "set CreatePathIfNotExist 1\n"                                                                           \
    "CreateInstance i0 \"a\"\n"                                                                              \
    "SetSystemParameter i0 LogFilePath \"a/\"\n"                                                             \
    "SetSystemParameter i0 SystemPath \"a/\"\n"                                                              \
    "SetSystemParameter i0 TempPath \"a/\"\n"                                                                \
    "Init i0\n"                                                                                              \
    "BeginSession i0 s0\n"                                                                                   \
    "CreateDatabase s0 d0 \"a/a0.edb\" 0\n"                                                                  \
    "Table s0 d0 t0 \"t\"\n"                                                                                 \
    "BeginSession i0 s1\n"                                                                                   \
    "OpenDatabase s1 d1 \"a/a0.edb\" 0\n"                                                                    \
    "CloseTable s0 t0\n"                                                                                     \
    "OpenTable s0 d0 t0 \"t\" 0\n"                                                                           \
    "OpenTable s1 d1 t1 \"t\" 0\n"
#define BACKUP                                                                                               \
    "BeginExternalBackupInstance i0 0\n"                                                                     \
    "OpenFileInstance i0 h0 \"a/a0.edb\"\n"

static const struct {
    const char *name;
    const char *text;
} setups[PAIRS_SETUPS] = {
    {"nothing under way", START},
    {"a file being read", START BACKUP},
    {"among the logs", START BACKUP "CloseFileInstance i0 h0\nGetLogInfoInstance i0\n"},
    {"a snapshot prepared", START "OSSnapshotPrepare n0 0\n"},
    {"a snapshot frozen", START "OSSnapshotPrepare n0 0\nOSSnapshotFreeze n0 0\n"},
};

static const char *const vocabulary[] = {
    "StopBackupInstance i0",
    "ReadFileInstance i0 h0 65536",
    "EndExternalBackupInstance2 i0 BackupEndNormal",
    "Term2 i0 TermAbrupt",
    "OSSnapshotFreeze n0 0",
    "OSSnapshotThaw n0 0",
    "BeginExternalBackupInstance i0 0",
    "GetLogInfoInstance i0",
    "TruncateLogInstance i0",
    NULL, /* Insert, a transaction: each thread has a session, a table and rows of its own */
};
#define WORDS (sizeof vocabulary / sizeof vocabulary[0])

const char *pairs_setup_name(size_t setup)
{
    return setups[setup].name;
}

/* How many sequences of so many calls. */
static uint64_t sequences(size_t calls)
{
    uint64_t count = 1;
    for (size_t i = 0; i < calls; i++)
        count *= WORDS;
    return count;
}

uint64_t pairs_count(size_t calls, size_t other)
{
    const uint64_t first = sequences(calls);
    return calls == other ? first * (first + 1) / 2 : first * sequences(other);
}

/* The call number `index` of the sequence number `sequence`. */
static size_t word_of(uint64_t sequence, size_t index)
{
    for (size_t i = 0; i < index; i++)
        sequence /= WORDS;
    return (size_t)(sequence % WORDS);
}

static void append_call(struct program *program, unsigned thread, size_t index, size_t word)
{
    const char *prefix = thread == 0 ? "" : "@1 ";
    if (vocabulary[word] != NULL)
        ends_append(program, "%s%s", prefix, vocabulary[word]);
    else
        ends_append(program, "%sInsert s%u t%u %zu00 2 40", prefix, thread, thread, 1 + 2 * index + thread);
}

static void append_end(struct program *program)
{
    ends_append(program, "Join 1");
    ends_append(program, "OSSnapshotAbort n0 0");
    ends_append(program, "Term2 i0 TermAbrupt");
    ends_append(program, "GetInstanceInfo");
}

void pairs_build(struct program *program, size_t setup, size_t calls, size_t other, uint64_t number)
{
    uint64_t first = 0;
    uint64_t second = 0;
    struct program_error error;
    if (calls == other) { /* second <= first */
        while ((first + 1) * (first + 2) / 2 <= number)
            first++;
        second = number - first * (first + 1) / 2;
    } else {
        first = number / sequences(other);
        second = number % sequences(other);
    }
    program_parse(program, setups[setup].text, strlen(setups[setup].text), &error);
    for (size_t i = 0; i < calls; i++)
        append_call(program, 1, i, word_of(first, i));
    for (size_t i = 0; i < other; i++)
        append_call(program, 0, i, word_of(second, i));
    append_end(program);
}

/* A circle of calls in which each sequence of `order` calls is there once (de Bruijn): begun with the first
 * word again and again, each next call is the last word that gives a sequence which was not there yet. */
static size_t make_circle(size_t order, uint8_t *circle)
{
    static bool seen[WORDS * WORDS * WORDS];
    const size_t size = (size_t)sequences(order);
    size_t window = 0; /* the last order - 1 calls */
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < size; i++) {
        size_t word = WORDS;
        while (word > 0 && seen[window * WORDS + word - 1])
            word--;
        circle[i] = (uint8_t)(word > 0 ? word - 1 : 0);
        window = window * WORDS + circle[i];
        seen[window] = true;
        window %= size / WORDS;
    }
    return size;
}

/* Each program's threads make PAIRS_COVER_CALLS calls out of the circle; the next program's begin so many
 * later that no sequence is left out. */
static size_t stride(size_t order)
{
    return PAIRS_COVER_CALLS + 1 - order;
}

uint64_t pairs_cover_count(size_t order)
{
    return (sequences(order) + stride(order) - 1) / stride(order);
}

void pairs_cover_build(struct program *program, size_t setup, size_t order, uint64_t number)
{
    static uint8_t circle[WORDS * WORDS * WORDS];
    const size_t size = make_circle(order, circle);
    const uint64_t count = pairs_cover_count(order);
    const uint64_t other = (number * 7 + count / 2) % count; /* each piece meets one from elsewhere */
    struct program_error error;
    program_parse(program, setups[setup].text, strlen(setups[setup].text), &error);
    for (size_t i = 0; i < PAIRS_COVER_CALLS; i++)
        append_call(program, 1, i, circle[(number * stride(order) + i) % size]);
    for (size_t i = 0; i < PAIRS_COVER_CALLS; i++)
        append_call(program, 0, i, circle[(other * stride(order) + i) % size]);
    append_end(program);
}
