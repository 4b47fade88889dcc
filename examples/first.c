/* Makes a database, backs it up, stops another backup, restores the first. */
#include <esent.h>
#include <stdio.h>
#include <sys/stat.h>

#define DO(call) printf("%-36.36s %d\n", #call, (int)(call))

int main(void)
{
    JET_INSTANCE instance = JET_instanceNil;
    JET_SESID session = JET_sesidNil;
    JET_DBID database = JET_dbidNil;
    DO(JetSetSystemParameter(NULL, 0, JET_paramCreatePathIfNotExist, 1, NULL));
    DO(JetCreateInstance(&instance, "first"));
    DO(JetSetSystemParameter(&instance, 0, JET_paramLogFilePath, 0, "live/"));
    DO(JetSetSystemParameter(&instance, 0, JET_paramSystemPath, 0, "live/"));
    DO(JetInit(&instance));
    DO(JetBeginSession(instance, &session, NULL, NULL));
    DO(JetCreateDatabase(session, "live/first.edb", NULL, &database, 0));
    DO(JetBackupInstance(instance, "backup/", 0, NULL));
    DO(JetBeginExternalBackupInstance(instance, 0));
    DO(JetStopBackupInstance(instance));
    DO(JetEndExternalBackupInstance(instance)); /* -801: the backup has ended, and was not a good one */
    DO(JetTerm2(instance, JET_bitTermComplete));
    DO(mkdir("again", 0777)); /* a restore makes no directories */
    DO(JetCreateInstance(&instance, "second"));
    DO(JetSetSystemParameter(&instance, 0, JET_paramLogFilePath, 0, "again/"));
    DO(JetSetSystemParameter(&instance, 0, JET_paramSystemPath, 0, "again/"));
    DO(JetRestoreInstance(instance, "backup/", "again/", NULL));
    return 0;
}
