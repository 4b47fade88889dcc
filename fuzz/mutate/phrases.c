/* Phrases: stretches of calls that belong together, which random insertion would take ages to find. */
#include "fuzz/mutate/vocabulary.h"

#define BACKUP_WORK (MUTATE_BACKUP | MUTATE_THREADS | MUTATE_FAULTS | MUTATE_CRASH | MUTATE_DAMAGE)
#define ANY_WORK (BACKUP_WORK | MUTATE_DATA | MUTATE_TEXT)

/* The next life after an end, up to the content of the first table. */
#define NEW_START                                                                                            \
    "CreateInstance i$ \"i$\"\n"                                                                             \
    "SetSystemParameter i$ LogFilePath \"i$/\"\n"                                                            \
    "SetSystemParameter i$ SystemPath \"i$/\"\n"                                                             \
    "SetSystemParameter i$ TempPath \"i$/\"\n"                                                               \
    "Init i$\n"                                                                                              \
    "BeginSession i$ s$\n"                                                                                   \
    "AttachDatabase s$ \"i$/a.edb\" 0\n"                                                                     \
    "OpenDatabase s$ d$ \"i$/a.edb\" 0\n"                                                                    \
    "OpenTable s$ d$ t$ \"t\" 0\n"                                                                           \
    "HashTable s$ t$\n"

const struct vocabulary_phrase vocabulary_phrases[] = {
    {"CreateInstance i$ \"i$\"\n"
     "SetSystemParameter i$ LogFilePath \"i$/\"\n"
     "SetSystemParameter i$ SystemPath \"i$/\"\n"
     "SetSystemParameter i$ TempPath \"i$/\"\n"
     "Init i$\n"
     "BeginSession i$ s$\n"
     "CreateDatabase s$ d$ \"i$/a.edb\" 0\n"
     "Table s$ d$ t$ \"t\"\n"
     "Insert s$ t$ 1 20 40\n",
     ANY_WORK},
    {"SetSystemParameter i$ CircularLog 1\n", BACKUP_WORK},
    {"BeginExternalBackupInstance i$ 0\n"
     "GetAttachInfoInstance i$\n"
     "OpenFileInstance i$ h$ \"i$/a.edb\"\n"
     "ReadFileInstance i$ h$ 65536\n"
     "ReadFileInstance i$ h$ 1048576\n"
     "CloseFileInstance i$ h$\n"
     "GetLogInfoInstance i$\n"
     "TruncateLogInstance i$\n"
     "EndExternalBackupInstance i$\n",
     BACKUP_WORK},
    {"BeginExternalBackupInstance i$ 0\n"
     "StreamFile i$ \"i$/a.edb\" \"bk$/a.edb\" 65536\n"
     "GetLogInfoInstance i$\n"
     "EndExternalBackupInstance2 i$ BackupEndNormal\n",
     BACKUP_WORK},
    {"BeginExternalBackupInstance i$ BackupIncremental\n"
     "GetLogInfoInstance i$\n"
     "GetTruncateLogInfoInstance i$\n"
     "TruncateLogInstance i$\n"
     "EndExternalBackupInstance i$\n",
     BACKUP_WORK},
    {"FullBackup i$ \"bk$\" 65536 truncate=1\n", BACKUP_WORK},
    {"FullBackup i$ \"bk$\" 65536 BackupIncremental\n", BACKUP_WORK},
    {"BackupInstance i$ \"dir$\" 0\n", BACKUP_WORK},
    {"BackupInstance i$ \"dir$\" BackupAtomic\n", BACKUP_WORK},
    {"StopBackupInstance i$\n", BACKUP_WORK},
    {"StopBackupInstance i$\nEndExternalBackupInstance i$\nBeginExternalBackupInstance i$ 0\n", BACKUP_WORK},
    {"StopServiceInstance i$\nTerm2 i$ TermAbrupt\n", BACKUP_WORK},
    {"OSSnapshotPrepare n$ 0\n"
     "OSSnapshotFreeze n$ 0\n"
     "OSSnapshotThaw n$ 0\n"
     "OSSnapshotEnd n$ 0\n",
     BACKUP_WORK},
    {"OSSnapshotPrepare n$ ContinueAfterThaw|ExplicitPrepare\n"
     "OSSnapshotPrepareInstance n$ i$\n"
     "OSSnapshotFreeze n$ 0\n"
     "OSSnapshotThaw n$ 0\n"
     "OSSnapshotTruncateLogInstance n$ i$\n"
     "OSSnapshotEnd n$ 0\n",
     BACKUP_WORK},
    {"BeginSurrogateBackup i$ 1 2\nEndSurrogateBackup i$ BackupEndNormal\n", BACKUP_WORK},
    {"Term2 i$ TermComplete\n", ANY_WORK},
    {"Term2 i$ TermAbrupt\n" NEW_START, ANY_WORK},
    {"Crash\n" NEW_START, MUTATE_CRASH | MUTATE_BACKUP},
    {"Crash tear $\n" NEW_START, MUTATE_CRASH},
    {"Insert s$ t$ 3000 9 700 txn=4\n"
     "Crash reorder $\n" NEW_START,
     MUTATE_CRASH},
    {"FullBackup i$ \"bk$\" 65536\n"
     "Term2 i$ TermComplete\n"
     "CreateInstance i7 \"restore\"\n"
     "SetSystemParameter i7 LogFilePath \"bk$/\"\n"
     "SetSystemParameter i7 SystemPath \"bk$/\"\n"
     "ExternalRestore2 \"bk$/\" \"bk$/\" \"bk$/\" lo=1 hi=3 \"i$/a.edb\" \"r$/a.edb\"\n",
     MUTATE_BACKUP | MUTATE_DAMAGE},
    {"BackupInstance i$ \"dir$\" 0\n"
     "Term2 i$ TermComplete\n"
     "CreateInstance i7 \"restore\"\n"
     "RestoreInstance i7 \"dir$\" null\n",
     MUTATE_BACKUP | MUTATE_DAMAGE},
    {"BeginTransaction s$\nInsert s$ t$ 500 5 100 txn=0\nRollback s$\nHashTable s$ t$\n",
     MUTATE_DATA | MUTATE_BACKUP},
    {"Insert s$ t$ 1000 30 400\nHashTable s$ t$\n", ANY_WORK},
    {"Replace s$ t$ 1 10 3000\nDeleteRows s$ t$ 5 5\nHashTable s$ t$\n", ANY_WORK},
    {"BeginTransaction s$\n"
     "PrepareUpdate s$ t$ prepInsert\n"
     "SetColumn s$ t$ \"id\" i:77\n"
     "SetColumn s$ t$ \"data\" r:5000:3\n"
     "Update s$ t$ b$\n"
     "GotoBookmark s$ t$ b$\n"
     "RetrieveColumn s$ t$ \"data\"\n"
     "CommitTransaction s$ 0\n",
     MUTATE_DATA},
    {"MakeKey s$ t$ i:3 NewKey\nSeek s$ t$ SeekGE\nMove s$ t$ MoveNext\nRetrieveColumn s$ t$ \"id\"\n",
     MUTATE_DATA},
    {"AddColumn s$ t$ \"c\" coltypText 0 cp=1252 max=100\nCreateIndex s$ t$ \"ci\" 0 \"+c\" "
     "80\nSetCurrentIndex s$ t$ \"ci\"\n",
     MUTATE_DATA},
    {"CreateTable s$ d$ t$ \"u\" 1 80\n"
     "AddColumn s$ t$ \"k\" coltypLong ColumnAutoincrement\n"
     "AddColumn s$ t$ \"v\" coltypLongText ColumnTagged\n"
     "CreateIndex s$ t$ \"p\" IndexPrimary \"+k\" 80\n"
     "Row s$ t$ \"v\" u:\"x\"\n",
     MUTATE_DATA},
    {"Term2 i$ TermComplete\nCorrupt \"i$/a.edb\" 40000 255\n", MUTATE_DAMAGE},
    {"Term2 i$ TermAbrupt\nCorrupt \"i$/edb.log\" 5000 1\n", MUTATE_DAMAGE},
    {"Truncate \"i$/a.edb\" 8192\n", MUTATE_DAMAGE},
    {"DeleteFile \"i$/edb.chk\"\n", MUTATE_DAMAGE},
    {"DeleteFile \"i$/edb00001.log\"\n", MUTATE_DAMAGE},
    {"Check \"i$/a.edb\"\n", MUTATE_DAMAGE | MUTATE_CRASH},
    {"@1 ReadFileInstance i$ h$ 65536\nStopBackupInstance i$\nJoin 1\n", MUTATE_THREADS},
    {"@1 Insert s$ t$ 2000 20 100\n@2 FullBackup i$ \"bk$\" 65536\nJoin 1\nJoin 2\n", MUTATE_THREADS},
    {"@1 StopBackupInstance i$\n@2 Term2 i$ TermAbrupt\nJoin 1\nJoin 2\n", MUTATE_THREADS},
};
const size_t vocabulary_phrase_count = sizeof vocabulary_phrases / sizeof vocabulary_phrases[0];
