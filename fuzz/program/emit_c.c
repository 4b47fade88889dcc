#include "fuzz/program/emit_c.h"

#include <stdlib.h>
#include <string.h>

/* How an op is written in C. In a template: $h the next handle, $d a database id, $t a text, $n a number or
 * bits, $v a value's bytes and size, $o the out slot (as a variable `out` of the type in front of the colon).
 * Other text stands as it is. */
struct form {
    const char *name;
    const char *c;
};

static const struct form forms[] = {
    {"CreateInstance", "JET_INSTANCE:JetCreateInstanceA($o, $t)"},
    {"Init", "JetInit($&h)"},
    {"Init2", "JetInit2($&h, $n)"},
    {"Term", "JetTerm($h)"},
    {"Term2", "JetTerm2($h, $n)"},
    {"StopServiceInstance", "JetStopServiceInstance($h)"},
    {"StopServiceInstance2", "JetStopServiceInstance2($h, $n)"},
    {"BeginSession", "JET_SESID:JetBeginSessionA($h, $o, \"\", \"\")"},
    {"EndSession", "JetEndSession($h, $n)"},
    {"CreateDatabase", "JET_DBID:JetCreateDatabaseA($h, $t, NULL, $o, $n)"},
    {"AttachDatabase", "JetAttachDatabaseA($h, $t, $n)"},
    {"OpenDatabase", "JET_DBID:JetOpenDatabaseA($h, $t, NULL, $o, $n)"},
    {"CloseDatabase", "JetCloseDatabase($h, $d, $n)"},
    {"DetachDatabase", "JetDetachDatabaseA($h, $t)"},
    {"OpenTable", "JET_TABLEID:JetOpenTableA($h, $d, $t, NULL, 0, $n, $o)"},
    {"CloseTable", "JetCloseTable($h, $h)"},
    {"BeginTransaction", "JetBeginTransaction($h)"},
    {"BeginTransaction2", "JetBeginTransaction2($h, $n)"},
    {"CommitTransaction", "JetCommitTransaction($h, $n)"},
    {"Rollback", "JetRollback($h, $n)"},
    {"Move", "JetMove($h, $h, (long)$n, $n)"},
    {"Seek", "JetSeek($h, $h, $n)"},
    {"PrepareUpdate", "JetPrepareUpdate($h, $h, $n)"},
    {"Delete", "JetDelete($h, $h)"},
    {"SetCurrentIndex", "JetSetCurrentIndexA($h, $h, $t)"},
    {"BeginExternalBackup", "JetBeginExternalBackup($n)"},
    {"BeginExternalBackupInstance", "JetBeginExternalBackupInstance($h, $n)"},
    {"EndExternalBackup", "JetEndExternalBackup()"},
    {"EndExternalBackupInstance", "JetEndExternalBackupInstance($h)"},
    {"EndExternalBackupInstance2", "JetEndExternalBackupInstance2($h, $n)"},
    {"StopBackup", "JetStopBackup()"},
    {"StopBackupInstance", "JetStopBackupInstance($h)"},
    {"GetAttachInfo", "JetGetAttachInfoA(list, sizeof list, &actual)"},
    {"GetAttachInfoInstance", "JetGetAttachInfoInstanceA($h, list, sizeof list, &actual)"},
    {"GetLogInfo", "JetGetLogInfoA(list, sizeof list, &actual)"},
    {"GetLogInfoInstance", "JetGetLogInfoInstanceA($h, list, sizeof list, &actual)"},
    {"GetTruncateLogInfoInstance", "JetGetTruncateLogInfoInstanceA($h, list, sizeof list, &actual)"},
    {"TruncateLog", "JetTruncateLog()"},
    {"TruncateLogInstance", "JetTruncateLogInstance($h)"},
    {"OpenFile", "JET_HANDLE:JetOpenFileA($t, $o, &low, &high)"},
    {"OpenFileInstance", "JET_HANDLE:JetOpenFileInstanceA($h, $t, $o, &low, &high)"},
    {"ReadFile", "JetReadFile($h, pages, $n, &actual)"},
    {"ReadFileInstance", "JetReadFileInstance($h, $h, pages, $n, &actual)"},
    {"CloseFile", "JetCloseFile($h)"},
    {"CloseFileInstance", "JetCloseFileInstance($h, $h)"},
    {"Backup", "JetBackupA($t, $n, NULL)"},
    {"BackupInstance", "JetBackupInstanceA($h, $t, $n, NULL)"},
    {"Restore", "JetRestoreA($t, NULL)"},
    {"Restore2", "JetRestore2A($t, $t, NULL)"},
    {"RestoreInstance", "JetRestoreInstanceA($h, $t, $t, NULL)"},
    {"OSSnapshotPrepare", "JET_OSSNAPID:JetOSSnapshotPrepare($o, $n)"},
    {"OSSnapshotPrepareInstance", "JetOSSnapshotPrepareInstance($h, $h, $n)"},
    {"OSSnapshotFreeze", "JetOSSnapshotFreezeA($h, &count, &instances, $n)"},
    {"OSSnapshotThaw", "JetOSSnapshotThaw($h, $n)"},
    {"OSSnapshotAbort", "JetOSSnapshotAbort($h, $n)"},
    {"OSSnapshotEnd", "JetOSSnapshotEnd($h, $n)"},
    {"OSSnapshotTruncateLog", "JetOSSnapshotTruncateLog($h, $n)"},
    {"OSSnapshotTruncateLogInstance", "JetOSSnapshotTruncateLogInstance($h, $h, $n)"},
    {"Table", "JET_TABLEID:make_table($h, $d, $t, $o)"},
    {"Insert", "insert_rows($h, $h, $n, $n, $n)"},
    {"DeleteRows", "delete_rows($h, $h, $n, $n)"},
    {"CountRows", "count_rows($h, $h)"},
    {"HashTable", "count_rows($h, $h)"},
    {"StreamFile", "stream_file($h, $t, $t, $n)"},
    {"FullBackup", "full_backup($h, $t, $n, $n)"},
    {"MakeDir", "make_directory($t)"},
    {"DeleteFile", "(remove($t) == 0 ? 0 : -1811)"},
};

/* Numbers that some editions of the system's header leave out. */
static const char *const fallbacks[][2] = {
    {"JET_bitBackupIncremental", "0x00000001"},
    {"JET_bitBackupAtomic", "0x00000004"},
    {"JET_bitBackupSnapshot", "0x00000010"},
    {"JET_bitBackupSurrogate", "0x00000020"},
    {"JET_bitBackupEndNormal", "0x0001"},
    {"JET_bitBackupEndAbort", "0x0002"},
    {"JET_bitBackupTruncateDone", "0x0100"},
    {"JET_bitInternalCopy", "0x00000040"},
    {"JET_bitTermComplete", "0x00000001"},
    {"JET_bitTermAbrupt", "0x00000002"},
    {"JET_bitTermStopBackup", "0x00000004"},
    {"JET_bitTermDirty", "0x00000008"},
    {"JET_bitContinueAfterThaw", "0x00000004"},
    {"JET_bitIncrementalSnapshot", "0x00000001"},
    {"JET_bitCopySnapshot", "0x00000002"},
    {"JET_bitExplicitPrepare", "0x00000008"},
    {"JET_bitAllDatabasesSnapshot", "0x00000001"},
    {"JET_bitAbortSnapshot", "0x00000001"},
    {"JET_bitIndexPrimary", "0x00000002"},
    {"JET_bitIndexUnique", "0x00000001"},
    {"JET_bitNewKey", "0x00000001"},
    {"JET_bitSeekEQ", "0x00000001"},
    {"JET_bitSeekGE", "0x00000008"},
    {"JET_bitSeekGT", "0x00000010"},
    {"JET_bitSeekLE", "0x00000004"},
    {"JET_bitSeekLT", "0x00000002"},
    {"JET_bitCommitLazyFlush", "0x00000001"},
    {"JET_bitWaitLastLevel0Commit", "0x00000002"},
    {"JET_bitRollbackAll", "0x00000001"},
    {"JET_bitDbReadOnly", "0x00000001"},
    {"JET_bitTransactionReadOnly", "0x00000001"},
    {"JET_bitKeepOldLogs", "0x00000002"},
    {"JET_bitStopServiceAll", "0x00000000"},
    {"JET_prepInsert", "0"},
    {"JET_prepReplace", "2"},
    {"JET_prepCancel", "3"},
    {"JET_prepReplaceNoLock", "4"},
    {"JET_prepInsertCopy", "5"},
};

static const char prologue[] =
    "/* Made from a program in the program text. Needs esent.h alone; compiles with gcc, and with mingw-w64 "
    "against\n"
    " * Windows' own engine (link with -lesent). */\n"
    "#include <stdio.h>\n"
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "#ifdef _WIN32\n"
    "#include <windows.h>\n"
    "#include <direct.h>\n"
    "#define make_one_directory(path) _mkdir(path)\n"
    "#else\n"
    "#include <sys/stat.h>\n"
    "#define make_one_directory(path) mkdir(path, 0777)\n"
    "#endif\n"
    "#include \"esent.h\"\n";

static const char helpers[] =
    "\n"
    "#define NIL (~(JET_API_PTR)0)\n"
    "#if defined(_WIN32) && !defined(OPENESENT_ESENT_H)\n"
    "typedef unsigned long jet_ulong; /* 32 bits there */\n"
    "#else\n"
    "typedef unsigned int jet_ulong;\n"
    "#endif\n"
    "static int differences;\n"
    "static char list[65536];\n"
    "static char page_memory[(16 << 20) + 65536];\n"
    "static char *pages;\n"
    "static jet_ulong actual, low, high, count;\n"
    "static JET_INSTANCE_INFO_A *instances;\n"
    "\n"
    "static void check(int line, const char *call, JET_ERR got, JET_ERR wanted, int wants)\n"
    "{\n"
    "    printf(\"%d: %s => %d\", line, call, (int)got);\n"
    "    if (wants && got != wanted)\n"
    "        printf(\"   EXPECTED %d\", (int)wanted), differences++;\n"
    "    printf(\"\\n\");\n"
    "    fflush(stdout);\n"
    "}\n"
    "\n"
    "static JET_ERR make_directory(const char *path)\n"
    "{\n"
    "    make_one_directory(path);\n"
    "    return 0;\n"
    "}\n"
    "\n"
    "static JET_ERR add_column(JET_SESID s, JET_TABLEID t, const char *name, JET_COLTYP type)\n"
    "{\n"
    "    JET_COLUMNDEF c;\n"
    "    JET_COLUMNID id;\n"
    "    memset(&c, 0, sizeof c);\n"
    "    c.cbStruct = sizeof c;\n"
    "    c.coltyp = type;\n"
    "    return JetAddColumnA(s, t, name, &c, NULL, 0, &id);\n"
    "}\n"
    "\n"
    "static JET_ERR make_table(JET_SESID s, JET_DBID d, const char *name, JET_TABLEID *t)\n"
    "{\n"
    "    JET_ERR err = JetBeginTransaction(s);\n"
    "    if (err < 0)\n"
    "        return err;\n"
    "    if ((err = JetCreateTableA(s, d, name, 0, 80, t)) < 0 || (err = add_column(s, *t, \"id\", "
    "JET_coltypLong)) < 0 ||\n"
    "        (err = add_column(s, *t, \"data\", JET_coltypLongBinary)) < 0 ||\n"
    "        (err = JetCreateIndexA(s, *t, \"pk\", JET_bitIndexPrimary, \"+id\\0\", 5, 80)) < 0 ||\n"
    "        (err = JetCommitTransaction(s, 0)) < 0)\n"
    "        JetRollback(s, 0);\n"
    "    return err;\n"
    "}\n"
    "\n"
    "static JET_COLUMNID column(JET_SESID s, JET_TABLEID t, const char *name)\n"
    "{\n"
    "    JET_COLUMNDEF c;\n"
    "    memset(&c, 0, sizeof c);\n"
    "    c.cbStruct = sizeof c;\n"
    "    JetGetTableColumnInfoA(s, t, name, &c, sizeof c, JET_ColInfo);\n"
    "    return c.columnid;\n"
    "}\n"
    "\n"
    "static JET_ERR insert_rows(JET_SESID s, JET_TABLEID t, int from, int rows, unsigned size)\n"
    "{\n"
    "    JET_COLUMNID id = column(s, t, \"id\"), data = column(s, t, \"data\");\n"
    "    unsigned char *bytes = calloc(1, size + 1);\n"
    "    JET_ERR err = JetBeginTransaction(s);\n"
    "    int open = err >= 0;\n"
    "    for (int i = 0; i < rows && err >= 0; i++) {\n"
    "        int value = from + i;\n"
    "        unsigned x = (unsigned)value * 2654435761u;\n"
    "        for (unsigned b = 0; b < size; b++)\n"
    "            x = x * 1664525u + 1013904223u, bytes[b] = (unsigned char)(x >> 24);\n"
    "        if ((err = JetPrepareUpdate(s, t, JET_prepInsert)) >= 0 &&\n"
    "            (err = JetSetColumn(s, t, id, &value, sizeof value, 0, NULL)) >= 0 &&\n"
    "            (err = JetSetColumn(s, t, data, bytes, size, 0, NULL)) >= 0)\n"
    "            err = JetUpdate(s, t, NULL, 0, NULL);\n"
    "        if (err < 0)\n"
    "            JetPrepareUpdate(s, t, JET_prepCancel);\n"
    "    }\n"
    "    free(bytes);\n"
    "    if (err >= 0)\n"
    "        err = JetCommitTransaction(s, 0);\n"
    "    if (err < 0 && open)\n"
    "        JetRollback(s, 0);\n"
    "    return err;\n"
    "}\n"
    "\n"
    "static JET_ERR delete_rows(JET_SESID s, JET_TABLEID t, int from, int rows)\n"
    "{\n"
    "    JET_ERR err = JetBeginTransaction(s);\n"
    "    int open = err >= 0;\n"
    "    for (int i = 0; i < rows && err >= 0; i++) {\n"
    "        int value = from + i;\n"
    "        if ((err = JetMakeKey(s, t, &value, sizeof value, JET_bitNewKey)) >= 0 && (err = JetSeek(s, t, "
    "JET_bitSeekEQ)) >= 0)\n"
    "            err = JetDelete(s, t);\n"
    "    }\n"
    "    if (err >= 0)\n"
    "        err = JetCommitTransaction(s, 0);\n"
    "    if (err < 0 && open)\n"
    "        JetRollback(s, 0);\n"
    "    return err;\n"
    "}\n"
    "\n"
    "static JET_ERR count_rows(JET_SESID s, JET_TABLEID t)\n"
    "{\n"
    "    int rows = 0;\n"
    "    JET_ERR err = JetSetCurrentIndexA(s, t, NULL);\n"
    "    if (err >= 0)\n"
    "        err = JetMove(s, t, (int)JET_MoveFirst, 0);\n"
    "    for (; err >= 0; rows++)\n"
    "        err = JetMove(s, t, JET_MoveNext, 0);\n"
    "    printf(\"   %d rows\\n\", rows);\n"
    "    return err == JET_errNoCurrentRecord ? 0 : err;\n"
    "}\n"
    "\n"
    "static JET_ERR stream_file(JET_INSTANCE i, const char *from, const char *to, unsigned chunk)\n"
    "{\n"
    "    JET_HANDLE file;\n"
    "    jet_ulong size = 0, got, top;\n"
    "    JET_ERR err = JetOpenFileInstanceA(i, from, &file, &size, &top), close_err;\n"
    "    FILE *out = err >= 0 && to[0] ? fopen(to, \"wb\") : NULL;\n"
    "    if (err < 0)\n"
    "        return err;\n"
    "    do {\n"
    "        got = 0;\n"
    "        err = JetReadFileInstance(i, file, pages, chunk, &got);\n"
    "        if (err >= 0 && out)\n"
    "            fwrite(pages, 1, got, out);\n"
    "    } while (err >= 0 && got > 0);\n"
    "    if (out)\n"
    "        fclose(out);\n"
    "    close_err = JetCloseFileInstance(i, file);\n"
    "    return err < 0 ? err : close_err;\n"
    "}\n"
    "\n"
    "static JET_ERR stream_list(JET_INSTANCE i, const char *directory, unsigned chunk)\n"
    "{\n"
    "    static char names[sizeof list];\n"
    "    JET_ERR err = 0;\n"
    "    memcpy(names, list, sizeof names);\n"
    "    for (char *name = names; *name && err >= 0; name += strlen(name) + 1) {\n"
    "        char target[1024];\n"
    "        const char *base = name;\n"
    "        for (const char *c = name; *c; c++)\n"
    "            if (*c == '/' || *c == '\\\\')\n"
    "                base = c + 1;\n"
    "        snprintf(target, sizeof target, \"%s/%s\", directory, base);\n"
    "        err = stream_file(i, name, target, chunk);\n"
    "    }\n"
    "    return err;\n"
    "}\n"
    "\n"
    "static JET_ERR full_backup(JET_INSTANCE i, const char *directory, unsigned chunk, JET_GRBIT grbit)\n"
    "{\n"
    "    JET_ERR err;\n"
    "    make_directory(directory);\n"
    "    if ((err = JetBeginExternalBackupInstance(i, grbit)) < 0)\n"
    "        return err;\n"
    "    if (!(grbit & JET_bitBackupIncremental) &&\n"
    "        ((err = JetGetAttachInfoInstanceA(i, list, sizeof list, &actual)) < 0 || (err = stream_list(i, "
    "directory, chunk)) < 0))\n"
    "        return err;\n"
    "    if ((err = JetGetLogInfoInstanceA(i, list, sizeof list, &actual)) < 0 || (err = stream_list(i, "
    "directory, chunk)) < 0 ||\n"
    "        (err = JetTruncateLogInstance(i)) < 0)\n"
    "        return err;\n"
    "    return JetEndExternalBackupInstance(i);\n"
    "}\n"
    "\n";

static const struct form *find_form(const char *name)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(forms[i].name, name) == 0)
            return &forms[i];
    }
    return NULL;
}

static bool is_slot(const struct program_token *token)
{
    return token->text == NULL && token->word[0] != '\0' && strchr("isdthn", token->word[0]) != NULL &&
           token->word[1] >= '0' && token->word[1] <= '9' && strtoul(token->word + 1, NULL, 10) < 256;
}

/* A handle as a C expression. */
static void emit_handle(const struct program_token *token, const char *cast, struct text *out)
{
    if (token == NULL || strcmp(token->word, "zero") == 0 || strcmp(token->word, "null") == 0)
        text_print(out, "0");
    else if (is_slot(token))
        text_print(out, "%s%c[%lu]", cast, token->word[0], strtoul(token->word + 1, NULL, 10));
    else if (strncmp(token->word, "raw:", 4) == 0)
        text_print(out, "%s%s", cast, token->word + 4);
    else
        text_print(out, "%sNIL", cast);
}

/* Bits and numbers: names get the header's prefix. */
static void emit_number(const struct program_token *token, struct text *out)
{
    if (token == NULL || token->text != NULL) {
        text_print(out, "0");
        return;
    }
    const char *part = token->word;
    for (;;) {
        size_t size = strcspn(part, "|");
        bool plain = (part[0] >= '0' && part[0] <= '9') || part[0] == '-';
        static const char *const whole[] = {"prep", "Move", "coltyp", "DbInfo", "IdxInfo"};
        const char *prefix = plain ? "" : "JET_bit";
        for (size_t i = 0; i < sizeof whole / sizeof whole[0] && !plain; i++) {
            if (strncmp(part, whole[i], strlen(whole[i])) == 0)
                prefix = "JET_";
        }
        text_print(out, "%s%.*s", prefix, (int)size, part);
        if (part[size] == '\0')
            return;
        text_print(out, " | ");
        part += size + 1;
    }
}

static void emit_text(const struct program_token *token, struct text *out)
{
    if (token == NULL || token->text == NULL) {
        text_print(out, "NULL");
        return;
    }
    text_print(out, "\"");
    for (size_t i = 0; i < token->text_size; i++) {
        unsigned char c = (unsigned char)token->text[i];
        if (c == '"' || c == '\\')
            text_print(out, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f || c == '?')
            text_print(out, "\\%03o", c);
        else
            text_print(out, "%c", c);
    }
    text_print(out, "\"");
}

/* The positional arguments in turn. */
struct cursor {
    const struct program_line *line;
    size_t next;
};

static const struct program_token *next_token(struct cursor *cursor)
{
    while (cursor->next < cursor->line->argument_count) {
        const struct program_token *token = &cursor->line->arguments[cursor->next++];
        if (strchr(token->word, '=') == NULL)
            return token;
    }
    return NULL;
}

/* Arguments in C are in the header's order, in programs handles come first: the template asks by kind. */
static const struct program_token *take(struct cursor *cursor, char kind)
{
    size_t start = cursor->next;
    const struct program_token *token = next_token(cursor);
    if (kind == 't' && token != NULL && token->text == NULL && strcmp(token->word, "null") != 0)
        cursor->next = start;
    return token;
}

static void emit_call(const struct program_line *line, const char *template, struct text *out)
{
    /* In programs the out slot stands before texts and numbers, in C perhaps behind them: find it first. */
    struct program_line copy = *line;
    struct program_token arguments[32];
    const struct program_token *out_slot = NULL;
    size_t count = 0;
    size_t handles_before_out = 0;
    const char *dollar = strstr(template, "$o");
    if (dollar != NULL) {
        const char *signature = line->op->arguments;
        while (*signature != '\0' && (*signature < 'A' || *signature > 'Z'))
            signature++;
        handles_before_out = (size_t)(signature - line->op->arguments);
    }
    for (size_t i = 0; i < line->argument_count && count < 32; i++) {
        if (dollar != NULL && i == handles_before_out)
            out_slot = &line->arguments[i];
        else
            arguments[count++] = line->arguments[i];
    }
    copy.arguments = arguments;
    copy.argument_count = count;
    struct cursor cursor = {&copy, 0};
    const char *colon = strchr(template, ':');
    if (dollar != NULL && colon != NULL) {
        text_print(out,
                   "    {\n        %.*s out = (%.*s)NIL;\n        JET_ERR err = ", (int)(colon - template),
                   template, (int)(colon - template), template);
        template = colon + 1;
    } else {
        text_print(out, "    {\n        JET_ERR err = ");
    }
    for (const char *c = template; *c != '\0'; c++) {
        if (*c != '$') {
            text_add(out, c, 1);
            continue;
        }
        c++;
        if (*c == '&') {
            c++;
            const struct program_token *token = take(&cursor, 'h');
            if (token != NULL && is_slot(token))
                text_print(out, "&");
            emit_handle(token != NULL && !is_slot(token) ? NULL : token, "", out);
        } else if (*c == 'h') {
            emit_handle(take(&cursor, 'h'), "", out);
        } else if (*c == 'd') {
            emit_handle(take(&cursor, 'h'), "(JET_DBID)", out);
        } else if (*c == 't') {
            emit_text(take(&cursor, 't'), out);
        } else if (*c == 'n') {
            emit_number(take(&cursor, 'n'), out);
        } else if (*c == 'o') {
            text_print(out, out_slot != NULL && strcmp(out_slot->word, "null") == 0 ? "NULL" : "&out");
        }
    }
    text_print(out, ";\n");
    if (out_slot != NULL && !is_slot(out_slot))
        text_print(out, "        (void)out;\n");
    if (out_slot != NULL && is_slot(out_slot))
        text_print(out, "        if (err >= 0)\n            %c[%lu] = out;\n", out_slot->word[0],
                   strtoul(out_slot->word + 1, NULL, 10));
}

static void emit_parameter(const struct program_line *line, struct text *out)
{
    struct cursor cursor = {line, 0};
    const struct program_token *instance = next_token(&cursor);
    const struct program_token *name = next_token(&cursor);
    const struct program_token *value = next_token(&cursor);
    text_print(out, "    {\n        JET_ERR err = JetSetSystemParameterA(");
    if (instance != NULL && is_slot(instance))
        text_print(out, "&");
    emit_handle(instance, "", out);
    bool numeric_name = name != NULL && name->word[0] >= '0' && name->word[0] <= '9';
    text_print(out, ", JET_sesidNil, %s%s, ", numeric_name ? "" : "JET_param",
               name != NULL ? name->word : "0");
    if (value != NULL && value->text != NULL) {
        text_print(out, "0, ");
        emit_text(value, out);
    } else {
        emit_number(value, out);
        text_print(out, ", NULL");
    }
    text_print(out, ");\n");
}

static void emit_external_restore(const struct program_line *line, struct text *out)
{
    struct cursor cursor = {line, 0};
    const struct program_token *checkpoint = next_token(&cursor);
    const struct program_token *log = next_token(&cursor);
    const struct program_token *backup = next_token(&cursor);
    text_print(out, "    {\n        JET_RSTMAP_A map[16] = {");
    unsigned count = 0;
    const struct program_token *from;
    while ((from = next_token(&cursor)) != NULL && count < 16) {
        text_print(out, "{(char *)");
        emit_text(from, out);
        text_print(out, ", (char *)");
        emit_text(next_token(&cursor), out);
        text_print(out, "}, ");
        count++;
    }
    text_print(out, "{0}};\n        JET_ERR err = JetExternalRestoreA((char *)");
    emit_text(checkpoint, out);
    text_print(out, ", (char *)");
    emit_text(log, out);
    text_print(out, ", map, %u, (char *)", count);
    emit_text(backup, out);
    text_print(out, ", 0, 0, NULL);\n");
}

static bool emit_line(const struct program_line *line, struct text *out)
{
    const struct form *form = find_form(line->op->name);
    if (line->thread != 0 || line->fault_count > 0)
        return false;
    if (strcmp(line->op->name, "SetSystemParameter") == 0)
        emit_parameter(line, out);
    else if (strncmp(line->op->name, "ExternalRestore", 15) == 0)
        emit_external_restore(line, out);
    else if (form != NULL)
        emit_call(line, form->c, out);
    else
        return false;
    struct text call = {0};
    struct program_line bare = *line;
    bare.expects = false;
    program_print_line(&bare, &call);
    struct program_token text = {"", call.bytes, call.size};
    bool wants =
        line->expects && line->outcome.code != NULL &&
        (line->outcome.code[0] == '-' || (line->outcome.code[0] >= '0' && line->outcome.code[0] <= '9'));
    text_print(out, "        check(%u, ", line->number);
    emit_text(&text, out);
    text_print(out, ", err, %s, %d);\n    }\n", wants ? line->outcome.code : "0", wants ? 1 : 0);
    text_free(&call);
    return true;
}

static void emit_comment(const char *label, const struct program_line *line, struct text *out)
{
    struct text text = {0};
    program_print_line(line, &text);
    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.bytes[i] == '*' && text.bytes[i + 1] == '/')
            text.bytes[i] = '.';
    }
    text_print(out, "    /* %s%s */\n", label, text.bytes != NULL ? text.bytes : "");
    text_free(&text);
}

static void emit_setting(const struct program_line *line, struct text *out)
{
    const bool page = strcmp(line->name, "page") == 0;
    if (!page && line->name[0] >= 'a' &&
        line->name[0] <= 'z') { /* of the runner: profile, schedule, sector... */
        emit_comment("", line, out);
        return;
    }
    const char *name = page ? "DatabasePageSize" : line->name;
    text_print(out, "    JetSetSystemParameterA(NULL, JET_sesidNil, JET_param%s, ", name);
    if (line->arguments[0].text != NULL) {
        text_print(out, "0, ");
        emit_text(&line->arguments[0], out);
    } else {
        emit_number(&line->arguments[0], out);
        text_print(out, ", NULL");
    }
    text_print(out, ");\n");
}

/* Slots that the program uses, as arrays of the largest index. */
static void emit_slots(const struct program *program, struct text *out)
{
    static const char letters[] = "isdthn";
    static const char *const types[] = {"JET_INSTANCE", "JET_SESID",  "JET_DBID",
                                        "JET_TABLEID",  "JET_HANDLE", "JET_OSSNAPID"};
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
        unsigned long most = 0;
        bool used = false;
        for (size_t i = 0; i < program->line_count; i++) {
            const struct program_line *line = &program->lines[i];
            for (size_t a = 0; line->kind == LINE_CALL && a < line->argument_count; a++) {
                if (!is_slot(&line->arguments[a]) || line->arguments[a].word[0] != letters[k])
                    continue;
                unsigned long index = strtoul(line->arguments[a].word + 1, NULL, 10);
                most = index > most ? index : most;
                used = true;
            }
        }
        if (used)
            text_print(out, "static %s %c[%lu];\n", types[k], letters[k], most + 1);
    }
    text_print(out,
               "\nint main(void)\n{\n    pages = (char *)(((size_t)page_memory + 65535) / 65536 * 65536);\n");
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
        struct text pattern = {0};
        text_print(&pattern, "static %s %c[", types[k], letters[k]);
        if (strstr(out->bytes, pattern.bytes) != NULL)
            text_print(out, "    memset(%c, 0xff, sizeof %c);\n", letters[k], letters[k]);
        text_free(&pattern);
    }
}

static void emit_fallbacks(struct text *out)
{
    for (size_t i = 0; i < sizeof fallbacks / sizeof fallbacks[0]; i++)
        text_print(out, "#ifndef %s\n#define %s %s\n#endif\n", fallbacks[i][0], fallbacks[i][0],
                   fallbacks[i][1]);
    text_print(out, "\n");
}

void emit_c(const struct program *program, struct text *out)
{
    text_add(out, prologue, sizeof prologue - 1);
    emit_fallbacks(out);
    text_add(out, helpers, sizeof helpers - 1);
    emit_slots(program, out);
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        if (line->kind == LINE_COMMENT)
            emit_comment("", line, out);
        else if (line->kind == LINE_SET)
            emit_setting(line, out);
        else if (line->kind == LINE_CALL && !emit_line(line, out))
            emit_comment("not in this form of C: ", line, out);
    }
    text_print(out, "    printf(\"%%d differences\\n\", differences);\n    return differences > 0;\n}\n");
}
