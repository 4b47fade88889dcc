#include "fuzz/mutate/vocabulary.h"

#include <string.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Bits by call; a name ending in '*' is a prefix. The first match counts. */
static const struct vocabulary_words bits[] = {
    {"BeginExternalBackup*",
     WORDS("0", "BackupIncremental", "BackupSurrogate", "BackupIncremental|BackupSurrogate", "BackupAtomic",
           "BackupSnapshot", "InternalCopy", "KeepOldLogs")},
    {"EndExternalBackup*", WORDS("BackupEndNormal", "BackupEndAbort", "0", "BackupEndNormal|BackupEndAbort",
                                 "BackupEndNormal|BackupTruncateDone")},
    {"BeginSurrogateBackup", WORDS("0", "BackupIncremental")},
    {"EndSurrogateBackup", WORDS("BackupEndNormal", "BackupEndAbort", "BackupEndNormal|BackupTruncateDone")},
    {"FullBackup", WORDS("0", "BackupIncremental")},
    {"Backup*", WORDS("0", "BackupAtomic", "BackupIncremental", "BackupAtomic|BackupIncremental",
                      "BackupSnapshot", "BackupSurrogate")},
    {"Term2", WORDS("0", "TermComplete", "TermAbrupt", "TermStopBackup", "TermComplete|TermStopBackup",
                    "TermAbrupt|TermStopBackup", "TermDirty", "TermComplete|TermAbrupt")},
    {"Init*", WORDS("0", "ReplayIgnoreMissingDB", "ReplayIgnoreLostLogs", "RecoveryWithoutUndo")},
    {"StopServiceInstance2", WORDS("0", "1", "2", "0x80000000")},
    {"OSSnapshotPrepare", WORDS("0", "IncrementalSnapshot", "CopySnapshot", "ContinueAfterThaw",
                                "ExplicitPrepare", "ExplicitPrepare|ContinueAfterThaw")},
    {"AttachDatabase*", WORDS("0", "DbReadOnly", "DbDeleteCorruptIndexes")},
    {"OpenDatabase*", WORDS("0", "DbReadOnly", "DbExclusive")},
    {"CreateDatabase*", WORDS("0", "DbOverwriteExisting", "DbShadowingOff", "DbRecoveryOff")},
    {"DetachDatabase2", WORDS("0", "ForceDetach", "ForceCloseAndDetach")},
    {"BeginTransaction*", WORDS("0", "TransactionReadOnly")},
    {"CommitTransaction*", WORDS("0", "CommitLazyFlush", "WaitLastLevel0Commit", "WaitAllLevel0Commit")},
    {"Rollback", WORDS("0", "RollbackAll")},
    {"OpenTable", WORDS("0", "TableReadOnly", "TableDenyWrite", "TableDenyRead",
                        "TablePermitDDL|TableDenyRead", "TableUpdatable", "TableSequential", "TablePreread")},
    {"CreateIndex*",
     WORDS("0", "IndexUnique", "IndexPrimary", "IndexPrimary|IndexUnique", "IndexDisallowNull",
           "IndexIgnoreNull", "IndexIgnoreAnyNull", "IndexIgnoreFirstNull", "IndexSortNullsHigh")},
    {"AddColumn", WORDS("0", "ColumnFixed", "ColumnTagged", "ColumnNotNULL", "ColumnAutoincrement",
                        "ColumnVersion", "ColumnEscrowUpdate", "ColumnTagged|ColumnMultiValued")},
    {"SetColumn*",
     WORDS("0", "SetAppendLV", "SetOverwriteLV", "SetSizeLV", "SetZeroLength", "SetIntrinsicLV",
           "SetSeparateLV", "SetRevertToDefaultValue", "SetOverwriteLV|SetSizeLV", "SetUniqueMultiValues")},
    {"RetrieveColumn*", WORDS("0", "RetrieveCopy", "RetrieveIgnoreDefault", "RetrieveNull", "RetrieveTag",
                              "RetrieveFromIndex", "RetrieveFromPrimaryBookmark")},
    {"MakeKey", WORDS("NewKey", "0", "NormalizedKey", "KeyDataZeroLength", "NewKey|StrLimit",
                      "NewKey|SubStrLimit", "NewKey|FullColumnStartLimit", "NewKey|FullColumnEndLimit")},
    {"Seek*",
     WORDS("SeekEQ", "SeekGE", "SeekGT", "SeekLE", "SeekLT", "SeekEQ|SetIndexRange", "SeekGE|SetIndexRange")},
    {"SetIndexRange", WORDS("0", "RangeInclusive", "RangeUpperLimit", "RangeInclusive|RangeUpperLimit",
                            "RangeRemove", "RangeInclusive|RangeUpperLimit|RangeInstantDuration")},
    {"EnumerateColumns", WORDS("0", "EnumerateCompressOutput", "EnumerateCopy", "EnumerateIgnoreDefault",
                               "EnumeratePresenceOnly", "EnumerateTaggedOnly")},
    {"GetLock", WORDS("ReadLock", "WriteLock", "0")},
    {"EscrowUpdate", WORDS("0", "EscrowNoRollback")},
    {"Defragment", WORDS("DefragmentBatchStart", "DefragmentBatchStop", "0")},
    {"*", WORDS("0", "1", "2", "4", "8", "0x10", "0x80000000", "0xffffffff")},
};

static const struct vocabulary_words enumerators[] = {
    {"PrepareUpdate", WORDS("prepInsert", "prepReplace", "prepReplaceNoLock", "prepCancel", "prepInsertCopy",
                            "prepInsertCopyDeleteOriginal", "prepInsertCopyReplaceOriginal")},
    {"Move", WORDS("MoveFirst", "MoveLast", "MoveNext", "MovePrevious", "2", "-3", "0")},
    {"AddColumn", WORDS("coltypLong", "coltypBit", "coltypUnsignedByte", "coltypShort", "coltypCurrency",
                        "coltypIEEESingle", "coltypIEEEDouble", "coltypDateTime", "coltypBinary",
                        "coltypText", "coltypLongBinary", "coltypLongText", "coltypUnsignedLong",
                        "coltypLongLong", "coltypGUID", "coltypUnsignedShort")},
    {"GetDatabase*",
     WORDS("DbInfoMisc", "DbInfoFilename", "DbInfoVersion", "DbInfoPageSize", "DbInfoFilesize")},
    {"GetTableInfo", WORDS("TblInfo", "TblInfoName", "TblInfoSpaceUsage", "TblInfoSpaceAlloc")},
    {"Crash", WORDS("lose", "reorder", "tear", "prefix")},
    {"*", WORDS("0", "1", "5")},
};

static const char *const *find_words(const struct vocabulary_words *table, const char *op)
{
    for (;; table++) {
        size_t size = strlen(table->op);
        if (table->op[size - 1] == '*' ? strncmp(op, table->op, size - 1) == 0 : strcmp(op, table->op) == 0)
            return table->words;
    }
}

const char *const *vocabulary_bits(const char *op)
{
    return find_words(bits, op);
}

const char *const *vocabulary_enumerators(const char *op)
{
    return find_words(enumerators, op);
}

const struct vocabulary_parameter vocabulary_parameters[] = {
    {"LogFilePath", {"\"a/\"", "\"b/\"", "\"\"", "\"missing/\"", NULL}},
    {"SystemPath", {"\"a/\"", "\"b/\"", "\"missing/\"", NULL}},
    {"TempPath", {"\"a/\"", "\"b/\"", NULL}},
    {"Recovery", {"\"off\"", "\"on\"", NULL}},
    {"CircularLog", {"1", "0", NULL}},
    {"LogFileSize", {"128", "512", "64", "1", "1024", NULL}},
    {"LogBuffers", {"32", "128", "1", NULL}},
    {"CacheSizeMax", {"64", "256", "1", NULL}},
    {"MaxSessions", {"4", "16", "1", NULL}},
    {"MaxVerPages", {"64", "8", NULL}},
    {"MaxTemporaryTables", {"0", "5", NULL}},
    {"BaseName", {"\"edb\"", "\"abc\"", "\"toolong\"", "\"\"", NULL}},
    {"CheckpointDepthMax", {"65536", "0", "1048576", NULL}},
    {"LegacyFileNames", {"0", "1", NULL}},
    {"EventSource", {"\"x\"", NULL}},
};
const size_t vocabulary_parameter_count = sizeof vocabulary_parameters / sizeof vocabulary_parameters[0];

const char *const vocabulary_numbers[] = {
    "0",       "1",     "2",     "3",          "4",          "5",          "10",     "100",
    "255",     "256",   "2048",  "4095",       "4096",       "4097",       "8192",   "8193",
    "12288",   "16384", "32768", "65535",      "65536",      "65537",      "131072", "262144",
    "1048576", "-1",    "-2",    "0x7fffffff", "0x80000000", "0xffffffff",
};
const size_t vocabulary_number_count = sizeof vocabulary_numbers / sizeof vocabulary_numbers[0];

const char *const vocabulary_values[] = {
    "i:0",   "i:1",     "i:-1",    "i:5",      "i:100",    "i1:255",    "i2:-32768", "i4:0x7fffffff",
    "i8:-1", "f:0",     "f:1.5",   "x:00",     "x:00ff",   "a:\"\"",    "a:\"a\"",   "u:\"text\"",
    "r:1:1", "r:100:7", "r:255:3", "r:1024:9", "r:4000:2", "r:20000:5", "null",      "zero",
};
const size_t vocabulary_value_count = sizeof vocabulary_values / sizeof vocabulary_values[0];

const char *const vocabulary_texts[] = {
    "",
    "a",
    ".",
    "..",
    "/",
    "\\",
    "a/",
    "a//a.edb",
    "A/A.EDB",
    "a\\a.edb",
    "a/./a.edb",
    "a/../a/a.edb",
    "missing",
    "missing/none.edb",
    "a/edb.log",
    "a/edb00001.log",
    "a/edb.chk",
    "bk",
    "bk/",
    "id",
    "data",
    "pk",
    "t",
    "MSysObjects",
    "\xC3\xA4",
    "\xFF",
    "name with blank",
    "0123456789012345678901234567890123456789012345678901234567890123",
};
const size_t vocabulary_text_count = sizeof vocabulary_texts / sizeof vocabulary_texts[0];

const char *const vocabulary_faults[] = {"alloc", "io",    "read", "write", "sync",
                                         "open",  "short", "full", "name",  "flip"};
const size_t vocabulary_fault_count = sizeof vocabulary_faults / sizeof vocabulary_faults[0];
