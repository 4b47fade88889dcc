#include "fuzz/program/compact_words.h"

#define WORD(w)                                                                                              \
    {                                                                                                        \
        .word = w                                                                                            \
    }
#define TEXT(t)                                                                                              \
    {                                                                                                        \
        .word = "", .text = t, .text_size = sizeof t - 1                                                     \
    }
#define SIZED(table) (*count = sizeof table / sizeof table[0], table)

static const struct program_token numbers[] = {
    WORD("-1"),         WORD("100"),        WORD("127"),    WORD("128"),     WORD("255"),
    WORD("256"),        WORD("512"),        WORD("1000"),   WORD("1024"),    WORD("2048"),
    WORD("4095"),       WORD("4096"),       WORD("4097"),   WORD("8192"),    WORD("12288"),
    WORD("16384"),      WORD("32768"),      WORD("65535"),  WORD("65536"),   WORD("65537"),
    WORD("131072"),     WORD("262144"),     WORD("524288"), WORD("1048576"), WORD("0x7fffffff"),
    WORD("0x80000000"), WORD("0xffffffff"),
};

/* Bits and other words by name, of all calls together. */
static const struct program_token bits[] = {
    WORD("0"),
    WORD("1"),
    WORD("2"),
    WORD("4"),
    WORD("8"),
    WORD("0x10"),
    WORD("BackupIncremental"),
    WORD("BackupAtomic"),
    WORD("BackupSnapshot"),
    WORD("BackupSurrogate"),
    WORD("BackupIncremental|BackupSurrogate"),
    WORD("InternalCopy"),
    WORD("BackupEndNormal"),
    WORD("BackupEndAbort"),
    WORD("BackupEndNormal|BackupEndAbort"),
    WORD("BackupEndNormal|BackupTruncateDone"),
    WORD("TermComplete"),
    WORD("TermAbrupt"),
    WORD("TermStopBackup"),
    WORD("TermComplete|TermStopBackup"),
    WORD("TermAbrupt|TermStopBackup"),
    WORD("TermDirty"),
    WORD("ReplayIgnoreMissingDB"),
    WORD("ReplayIgnoreLostLogs"),
    WORD("IncrementalSnapshot"),
    WORD("CopySnapshot"),
    WORD("ContinueAfterThaw"),
    WORD("ExplicitPrepare"),
    WORD("ExplicitPrepare|ContinueAfterThaw"),
    WORD("DbReadOnly"),
    WORD("DbOverwriteExisting"),
    WORD("DbExclusive"),
    WORD("CommitLazyFlush"),
    WORD("RollbackAll"),
    WORD("IndexPrimary"),
    WORD("IndexUnique"),
    WORD("ColumnFixed"),
    WORD("ColumnTagged"),
    WORD("ColumnAutoincrement"),
    WORD("ColumnEscrowUpdate"),
    WORD("ColumnNotNULL"),
    WORD("NewKey"),
    WORD("SeekEQ"),
    WORD("SeekGE"),
    WORD("SeekGT"),
    WORD("SeekLE"),
    WORD("SeekLT"),
    WORD("prepInsert"),
    WORD("prepReplace"),
    WORD("prepReplaceNoLock"),
    WORD("prepInsertCopy"),
    WORD("prepCancel"),
    WORD("MoveFirst"),
    WORD("MoveLast"),
    WORD("MoveNext"),
    WORD("MovePrevious"),
    WORD("coltypLong"),
    WORD("coltypText"),
    WORD("coltypBinary"),
    WORD("coltypLongText"),
    WORD("coltypLongBinary"),
    WORD("DbInfoMisc"),
    WORD("RetrieveCopy"),
    WORD("SetAppendLV"),
    WORD("SetOverwriteLV"),
    WORD("RangeInclusive"),
    WORD("RangeUpperLimit"),
    WORD("lose"),
    WORD("reorder"),
    WORD("tear"),
    WORD("prefix"),
};

static const struct program_token parameters[] = {
    WORD("LogFilePath"),        WORD("SystemPath"),         WORD("TempPath"),    WORD("CircularLog"),
    WORD("Recovery"),           WORD("LogFileSize"),        WORD("LogBuffers"),  WORD("BaseName"),
    WORD("CacheSizeMax"),       WORD("CheckpointDepthMax"), WORD("MaxSessions"), WORD("MaxVerPages"),
    WORD("MaxTemporaryTables"), WORD("LegacyFileNames"),    WORD("EventSource"),
};

static const struct program_token paths[] = {
    WORD("null"),
    TEXT("a"),
    TEXT("b"),
    TEXT("a/a.edb"),
    TEXT("b/b.edb"),
    TEXT("i0"),
    TEXT("i1"),
    TEXT("i2"),
    TEXT("i0/a.edb"),
    TEXT("i1/a.edb"),
    TEXT("i2/a.edb"),
    TEXT("a/a0.edb"),
    TEXT("b/b0.edb"),
    TEXT("bk"),
    TEXT("bk0"),
    TEXT("bk1"),
    TEXT("bk/"),
    TEXT("dir0"),
    TEXT("dir1"),
    TEXT(""),
    TEXT("a/edb.log"),
    TEXT("a/edb00001.log"),
    TEXT("a/edb00002.log"),
    TEXT("a/edb.chk"),
    TEXT("missing"),
    TEXT("missing.edb"),
};

static const struct program_token names[] = {
    WORD("null"), TEXT("t"),  TEXT("u"),   TEXT("id"),  TEXT("data"), TEXT("pk"),  TEXT("a"),
    TEXT("b"),    TEXT("a/"), TEXT("b/"),  TEXT("i0/"), TEXT("i1/"),  TEXT("i2/"), TEXT(""),
    TEXT("off"),  TEXT("on"), TEXT("+id"), WORD("0"),   WORD("1"),    WORD("128"), TEXT("MSysObjects"),
};

static const struct program_token values[] = {
    WORD("i:0"),
    WORD("i:1"),
    WORD("i:2"),
    WORD("i:-1"),
    WORD("i:100"),
    WORD("null"),
    WORD("zero"),
    WORD("r:100:1"),
    WORD("r:4000:1"),
    WORD("x:00"),
    {.word = "a:", .text = "a", .text_size = 1},
    WORD("r:255:1"),
};

static const struct program_token further[] = {
    WORD("0"),
    WORD("cbMax=0"),
    WORD("cbMax=1"),
    WORD("cbMax=16"),
    WORD("pcb=null"),
    WORD("pv=null"),
    WORD("ph=null"),
    WORD("off=1"),
    WORD("off=8"),
    WORD("truncate=1"),
    WORD("truncate=0"),
    WORD("txn=0"),
    WORD("BackupIncremental"),
    WORD("itag=1"),
    WORD("ib=0"),
};

const struct program_token *compact_words(char kind, size_t *count)
{
    switch (kind) {
    case '#':
        return SIZED(numbers);
    case 'g':
    case 'w':
        return SIZED(bits);
    case 'm':
        return SIZED(parameters);
    case 'p':
        return SIZED(paths);
    case 'q':
    case 'x':
        return SIZED(names);
    case 'v':
        return SIZED(values);
    default:
        return SIZED(further);
    }
}
