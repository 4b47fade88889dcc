#include "fuzz/independence/generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/mutate/mutate.h"

/* Stretches of calls; `$` stands for the number of the instance (i$, s$, d$, h$, and its folders), `#` for a
 * number that rises from stretch to stretch. */
static const char start[] = "CreateInstance i$ \"i$\"\n"
                            "SetSystemParameter i$ LogFilePath \"i$/\"\n"
                            "SetSystemParameter i$ SystemPath \"i$/\"\n"
                            "SetSystemParameter i$ TempPath \"i$/\"\n";

static const char *const parameters[] = {
    "",
    "",
    "SetSystemParameter i$ CircularLog 1\n",
    "SetSystemParameter i$ LogFileSize 128\n",
    "SetSystemParameter i$ Recovery \"off\"\n",
};

static const char make[] = "Init i$\n"
                           "BeginSession i$ s$\n"
                           "CreateDatabase s$ d$ \"i$/a.edb\" 0\n"
                           "Table s$ d$ t$ \"t\"\n"
                           "Insert s$ t$ 1 15 60\n";

static const char second_database[] = "CreateDatabase s$ d1$ \"i$/b.edb\" 0\n"
                                      "Table s$ d1$ t1$ \"t\"\n";

static const char again[] = "Init i$\n"
                            "BeginSession i$ s$\n"
                            "AttachDatabase s$ \"i$/a.edb\" 0\n"
                            "OpenDatabase s$ d$ \"i$/a.edb\" 0\n"
                            "OpenTable s$ d$ t$ \"t\" 0\n"
                            "HashTable s$ t$\n"
                            "GetDatabaseInfo s$ d$ DbInfoMisc\n";

static const char *const calls[] = {
    "BeginExternalBackupInstance i$ 0\n",
    "BeginExternalBackupInstance i$ 0\n",
    "BeginExternalBackupInstance i$ BackupIncremental\n",
    "BeginExternalBackupInstance i$ BackupSurrogate\n",
    "BeginExternalBackupInstance i$ BackupAtomic\n",
    "BeginExternalBackupInstance i$ InternalCopy\n",
    "BeginSurrogateBackup i$ 1 1 0\n",
    "EndSurrogateBackup i$ BackupEndNormal\n",
    "GetAttachInfoInstance i$\n",
    "GetAttachInfoInstanceW i$ cbMax=3\n",
    "GetAttachInfoInstance i$ cbMax=0\n",
    "OpenFileInstance i$ h$ \"i$/a.edb\"\n",
    "OpenFileInstance i$ h$ \"i$/a.edb\"\nReadFileInstance i$ h$ 65536\nCloseFileInstance i$ h$\n",
    "OpenFileInstanceW i$ h$ \"i$/b.edb\"\n",
    "OpenFileInstance i$ h$ \"i$/none.edb\"\n",
    "OpenFileInstance i$ h$ \"i$/edb.log\"\n",
    "OpenFileInstance i$ h$ \"i$/edb00001.log\"\n",
    "OpenFileInstance i$ h$ \"\"\n",
    "OpenFileSectionInstance i$ h$ \"i$/a.edb\" 0 1 8192\n",
    "OpenFileSectionInstance i$ h$ \"i$/a.edb\" 0 2 0\n",
    "ReadFileInstance i$ h$ 65536\n",
    "ReadFileInstance i$ h$ 1048576\n",
    "ReadFileInstance i$ h$ 4096\n",
    "ReadFileInstance i$ h$ 100\n",
    "ReadFileInstance i$ nil 65536\n",
    "CloseFileInstance i$ h$\n",
    "CloseFileInstance i$ zero\n",
    "StreamFile i$ \"i$/a.edb\" \"\" 65536\n",
    "StreamFile i$ \"i$/b.edb\" \"\" 65536\n",
    "StreamFile i$ \"i$/edb00001.log\" \"\" 65536\n",
    "GetLogInfoInstance i$\n",
    "GetLogInfoInstance2W i$\n",
    "GetLogInfoInstance2 i$ cbSize=4\n",
    "GetTruncateLogInfoInstance i$\n",
    "TruncateLogInstance i$\n",
    "EndExternalBackupInstance i$\n",
    "EndExternalBackupInstance2 i$ BackupEndNormal\n",
    "EndExternalBackupInstance2 i$ BackupEndAbort\n",
    "EndExternalBackupInstance2 i$ 0\n",
    "StopBackupInstance i$\n",
    "StopBackupInstance i$\nEndExternalBackupInstance i$\n",
    "FullBackup i$ \"bk$\" 65536\n",
    "FullBackup i$ \"bk$\" 65536\n",
    "FullBackup i$ \"cp$\" 65536 0 truncate=0\n",
    "FullBackup i$ \"in$\" 65536 BackupIncremental\n",
    "BackupInstance i$ \"dir$\" 0\n",
    "BackupInstance i$ \"dir$\" BackupIncremental\n",
    "BackupInstanceW i$ \"at$\" BackupAtomic\n",
    "BackupInstance i$ null 0\n",
    "AttachDatabase s$ \"i$/a.edb\" 0\n",
    "AttachDatabase s$ \"i$/none.edb\" 0\n",
    "DetachDatabase s$ \"i$/b.edb\"\n",
    "CreateDatabase s$ d2$ \"i$/c#.edb\" 0\n",
    "GetDatabaseInfo s$ d$ DbInfoMisc\n",
    "Insert s$ t$ #00 3 100\n",
    "Insert s$ t$ #00 40 2000 txn=10\n",
    "Replace s$ t$ 2 5 700\n",
    "DeleteRows s$ t$ 3 4\n",
    "BeginTransaction s$\nInsert s$ t$ #00 2 50 txn=0\n",
    "CommitTransaction s$ 0\n",
    "Rollback s$\n",
    "HashTable s$ t$\n",
    "CountRows s$ t$\n",
    "StopServiceInstance i$\n",
    "GetSystemParameter i$ LogFilePath\n",
    "EndSession s$ 0\n",
    "BeginSession i$ s$\n",
    "ListDir \"i$\"\n",
    "ListDir \"bk$\"\n",
};

/* A term that finds a transaction waits a while, and time that passes for one instance passes for all. */
static const char *const ends[] = {
    "Rollback s$ RollbackAll\nTerm2 i$ TermComplete\n",
    "Rollback s$ RollbackAll\nTerm2 i$ TermAbrupt\n",
    "Rollback s$ RollbackAll\nTerm2 i$ TermComplete|TermStopBackup\n",
    "Rollback s$ RollbackAll\nTerm i$\n",
};

/* Behind an end, with the instance gone. No damaged pages: reads of them are tried again after pauses, and
 * time that passes for one instance passes for all. */
static const char *const returns[] = {
    "GetDatabaseFileInfo \"i$/a.edb\" DbInfoMisc\n",
    "DeleteFile \"i$/edb.log\"\n",
    "DeleteFile \"i$/a.edb\"\n",
    "ExternalRestore2 \"bk$/\" \"bk$/\" \"bk$/\" \"i$/a.edb\" \"bk$/a.edb\"\n",
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct writer {
    struct program *program;
    struct mutate_random random;
    unsigned number; /* of the stretch */
};

static void add_line(struct writer *writer, unsigned instance, const char *text, size_t size)
{
    char line[256];
    size_t length = 0;
    for (size_t i = 0; i < size && length < sizeof line - 8; i++) {
        if (text[i] == '$')
            length += (size_t)snprintf(line + length, sizeof line - length, "%u", instance);
        else if (text[i] == '#')
            length += (size_t)snprintf(line + length, sizeof line - length, "%u", writer->number);
        else
            line[length++] = text[i];
    }
    struct program_error error;
    if (!program_parse_line(writer->program, line, length, &error)) {
        fprintf(stderr, "%.*s: %s\n", (int)length, line, error.message);
        abort();
    }
}

static void add(struct writer *writer, unsigned instance, const char *text)
{
    writer->number++;
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        add_line(writer, instance, text, size);
        text += text[size] == '\n' ? size + 1 : size;
    }
}

static const char *pick(struct writer *writer, const char *const *from, size_t count)
{
    return from[mutate_below(&writer->random, count)];
}

static void begin(struct writer *writer, unsigned instance, bool first)
{
    add(writer, instance, start);
    if (first)
        add(writer, instance, pick(writer, parameters, COUNT(parameters)));
    if (mutate_one_in(&writer->random, 12))
        add(writer, instance, pick(writer, calls, COUNT(calls))); /* before Init */
    add(writer, instance, first ? make : again);
    if (first && mutate_one_in(&writer->random, 2))
        add(writer, instance, second_database);
}

static void end(struct writer *writer, unsigned instance)
{
    add(writer, instance, pick(writer, ends, COUNT(ends)));
    if (mutate_one_in(&writer->random, 3))
        add(writer, instance, pick(writer, returns, COUNT(returns)));
    if (mutate_one_in(&writer->random, 4))
        add(writer, instance, pick(writer, calls, COUNT(calls))); /* with a dead handle */
    if (!mutate_one_in(&writer->random, 3))
        begin(writer, instance, false);
}

void independence_generate(struct program *program, uint64_t seed)
{
    /* Small pages are quick. */
    static const char *const pages[] = {"set page 4096", "set page 4096", "set page 4096",
                                        "set page 4096", "set page 8192", "set page 32768"};
    struct writer writer = {.program = program, .random = {.state = seed}};
    /* Neighbours would otherwise be the same stretch of random numbers, one number further. */
    writer.random.state = mutate_next(&writer.random) ^ seed << 32;
    add(&writer, 0, mutate_one_in(&writer.random, 2) ? "set profile published" : "set profile documented");
    add(&writer, 0, pick(&writer, pages, COUNT(pages)));
    add(&writer, 0, "set LogFileSize 256\nset CreatePathIfNotExist 1\nCreateInstance i9 \"keeper\"");
    bool second_begun = mutate_one_in(&writer.random, 2);
    begin(&writer, 0, true);
    if (second_begun)
        begin(&writer, 1, true);
    size_t stretches = 8 + mutate_below(&writer.random, 32);
    for (size_t i = 0; i < stretches; i++) {
        unsigned instance = mutate_one_in(&writer.random, 2) ? 1 : 0;
        if (instance == 1 && !second_begun) {
            begin(&writer, 1, true);
            second_begun = true;
        } else if (mutate_one_in(&writer.random, 25)) {
            end(&writer, instance);
        } else if (mutate_one_in(&writer.random, 150)) {
            add(&writer, 0, "Crash\nCreateInstance i9 \"keeper\"");
            begin(&writer, 0, false);
            begin(&writer, 1, false);
        } else {
            add(&writer, instance, pick(&writer, calls, COUNT(calls)));
        }
    }
    if (!second_begun)
        begin(&writer, 1, true);
    for (unsigned instance = 0; instance < 2; instance++)
        add(&writer, instance,
            "HashTable s$ t$\nGetDatabaseInfo s$ d$ DbInfoMisc\nTerm2 i$ TermAbrupt\nListDir \"i$\"\n");
}
