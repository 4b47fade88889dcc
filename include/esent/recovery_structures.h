/* What recovery asks and tells (JET_snpRecoveryControl), and the newest structures about a database's header:
 * as in the published engine's own header. */
#ifndef OPENESENT_ESENT_RECOVERY_STRUCTURES_H
#define OPENESENT_ESENT_RECOVERY_STRUCTURES_H

typedef struct {
    uint32_t ulVersion;
    uint32_t ulUpdate;
    JET_SIGNATURE signDb;
    uint32_t dbstate;
    JET_LGPOS lgposConsistent;
    JET_LOGTIME logtimeConsistent;
    JET_LOGTIME logtimeAttach;
    JET_LGPOS lgposAttach;
    JET_LOGTIME logtimeDetach;
    JET_LGPOS lgposDetach;
    JET_SIGNATURE signLog;
    JET_BKINFO bkinfoFullPrev;
    JET_BKINFO bkinfoIncPrev;
    JET_BKINFO bkinfoFullCur;
    uint32_t fShadowingDisabled;
    uint32_t fUpgradeDb;
    uint32_t dwMajorVersion;
    uint32_t dwMinorVersion;
    uint32_t dwBuildNumber;
    int32_t lSPNumber;
    uint32_t cbPageSize;
    uint32_t genMinRequired;
    uint32_t genMaxRequired;
    JET_LOGTIME logtimeGenMaxCreate;
    uint32_t ulRepairCount;
    JET_LOGTIME logtimeRepair;
    uint32_t ulRepairCountOld;
    uint32_t ulECCFixSuccess;
    JET_LOGTIME logtimeECCFixSuccess;
    uint32_t ulECCFixSuccessOld;
    uint32_t ulECCFixFail;
    JET_LOGTIME logtimeECCFixFail;
    uint32_t ulECCFixFailOld;
    uint32_t ulBadChecksum;
    JET_LOGTIME logtimeBadChecksum;
    uint32_t ulBadChecksumOld;
    uint32_t genCommitted;
    JET_BKINFO bkinfoCopyPrev;
    JET_BKINFO bkinfoDiffPrev;
    uint32_t ulIncrementalReseedCount;
    JET_LOGTIME logtimeIncrementalReseed;
    uint32_t ulIncrementalReseedCountOld;
    uint32_t ulPagePatchCount;
    JET_LOGTIME logtimePagePatch;
    uint32_t ulPagePatchCountOld;
} JET_DBINFOMISC5;

typedef struct {
    uint32_t ulVersion;
    uint32_t ulUpdate;
    JET_SIGNATURE signDb;
    uint32_t dbstate;
    JET_LGPOS lgposConsistent;
    JET_LOGTIME logtimeConsistent;
    JET_LOGTIME logtimeAttach;
    JET_LGPOS lgposAttach;
    JET_LOGTIME logtimeDetach;
    JET_LGPOS lgposDetach;
    JET_SIGNATURE signLog;
    JET_BKINFO bkinfoFullPrev;
    JET_BKINFO bkinfoIncPrev;
    JET_BKINFO bkinfoFullCur;
    uint32_t fShadowingDisabled;
    uint32_t fUpgradeDb;
    uint32_t dwMajorVersion;
    uint32_t dwMinorVersion;
    uint32_t dwBuildNumber;
    int32_t lSPNumber;
    uint32_t cbPageSize;
    uint32_t genMinRequired;
    uint32_t genMaxRequired;
    JET_LOGTIME logtimeGenMaxCreate;
    uint32_t ulRepairCount;
    JET_LOGTIME logtimeRepair;
    uint32_t ulRepairCountOld;
    uint32_t ulECCFixSuccess;
    JET_LOGTIME logtimeECCFixSuccess;
    uint32_t ulECCFixSuccessOld;
    uint32_t ulECCFixFail;
    JET_LOGTIME logtimeECCFixFail;
    uint32_t ulECCFixFailOld;
    uint32_t ulBadChecksum;
    JET_LOGTIME logtimeBadChecksum;
    uint32_t ulBadChecksumOld;
    uint32_t genCommitted;
    JET_BKINFO bkinfoCopyPrev;
    JET_BKINFO bkinfoDiffPrev;
    uint32_t ulIncrementalReseedCount;
    JET_LOGTIME logtimeIncrementalReseed;
    uint32_t ulIncrementalReseedCountOld;
    uint32_t ulPagePatchCount;
    JET_LOGTIME logtimePagePatch;
    uint32_t ulPagePatchCountOld;
    JET_LOGTIME logtimeChecksumPrev;
    JET_LOGTIME logtimeChecksumStart;
    uint32_t cpgDatabaseChecked;
} JET_DBINFOMISC6;

typedef struct {
    uint32_t ulVersion;
    uint32_t ulUpdate;
    JET_SIGNATURE signDb;
    uint32_t dbstate;
    JET_LGPOS lgposConsistent;
    JET_LOGTIME logtimeConsistent;
    JET_LOGTIME logtimeAttach;
    JET_LGPOS lgposAttach;
    JET_LOGTIME logtimeDetach;
    JET_LGPOS lgposDetach;
    JET_SIGNATURE signLog;
    JET_BKINFO bkinfoFullPrev;
    JET_BKINFO bkinfoIncPrev;
    JET_BKINFO bkinfoFullCur;
    uint32_t fShadowingDisabled;
    uint32_t fUpgradeDb;
    uint32_t dwMajorVersion;
    uint32_t dwMinorVersion;
    uint32_t dwBuildNumber;
    int32_t lSPNumber;
    uint32_t cbPageSize;
    uint32_t genMinRequired;
    uint32_t genMaxRequired;
    JET_LOGTIME logtimeGenMaxCreate;
    uint32_t ulRepairCount;
    JET_LOGTIME logtimeRepair;
    uint32_t ulRepairCountOld;
    uint32_t ulECCFixSuccess;
    JET_LOGTIME logtimeECCFixSuccess;
    uint32_t ulECCFixSuccessOld;
    uint32_t ulECCFixFail;
    JET_LOGTIME logtimeECCFixFail;
    uint32_t ulECCFixFailOld;
    uint32_t ulBadChecksum;
    JET_LOGTIME logtimeBadChecksum;
    uint32_t ulBadChecksumOld;
    uint32_t genCommitted;
    JET_BKINFO bkinfoCopyPrev;
    JET_BKINFO bkinfoDiffPrev;
    uint32_t ulIncrementalReseedCount;
    JET_LOGTIME logtimeIncrementalReseed;
    uint32_t ulIncrementalReseedCountOld;
    uint32_t ulPagePatchCount;
    JET_LOGTIME logtimePagePatch;
    uint32_t ulPagePatchCountOld;
    JET_LOGTIME logtimeChecksumPrev;
    JET_LOGTIME logtimeChecksumStart;
    uint32_t cpgDatabaseChecked;
    JET_LOGTIME logtimeLastReAttach;
    JET_LGPOS lgposLastReAttach;
} JET_DBINFOMISC7;

/* JET_RECOVERYCONTROL.OpenLog.eReason */
#define JET_OpenLogForRecoveryCheckingAndPatching 1
#define JET_OpenLogForRedo 2
#define JET_OpenLogForUndo 3
#define JET_OpenLogForDo 4

/* JET_RECOVERYCONTROL.MissingLog.eNextAction: what success means. */
#define JET_MissingLogMustFail 1
#define JET_MissingLogContinueToRedo 2
#define JET_MissingLogContinueTryCurrentLog 3
#define JET_MissingLogContinueToUndo 4
#define JET_MissingLogCreateNewLogStream 5

typedef struct {
    uint32_t cbStruct;
    JET_ERR errDefault; /* what happens without a call-back: answer it to have no opinion */
    JET_INSTANCE instance;
    JET_SNT sntUnion; /* which of these it is */
    union {
        struct {
            uint32_t cbStruct;
            uint32_t lGenNext;
            unsigned char fCurrentLog : 1;
            unsigned char eReason;
            unsigned char rgbReserved[6];
            WCHAR *wszLogFile;
            uint32_t cdbinfomisc;
            JET_DBINFOMISC7 *rgdbinfomisc;
        } OpenLog;
        struct {
            uint32_t cbStruct;
            WCHAR *wszCheckpoint;
        } OpenCheckpoint;
        struct {
            uint32_t cbStruct;
            uint32_t lGenMissing;
            unsigned char fCurrentLog : 1;
            unsigned char eNextAction;
            unsigned char rgbReserved[6];
            WCHAR *wszLogFile;
            uint32_t cdbinfomisc;
            JET_DBINFOMISC7 *rgdbinfomisc;
        } MissingLog;
        struct {
            uint32_t cbStruct;
            uint32_t cdbinfomisc;
            JET_DBINFOMISC7 *rgdbinfomisc;
        } BeginUndo;
        struct {
            uint32_t cbStruct;
            uint32_t EventID;
        } NotificationEvent;
        struct {
            uint32_t cbStruct;
        } SignalErrorCondition;
        struct {
            uint32_t cbStruct;
            const WCHAR *wszDbPath;
        } AttachedDb;
        struct {
            uint32_t cbStruct;
            const WCHAR *wszDbPath;
        } DetachingDb;
        struct {
            uint32_t cbStruct;
            const void *pbCommitCtx;
            uint32_t cbCommitCtx;
            uint32_t fCallbackType;
        } CommitCtx;
    };
} JET_RECOVERYCONTROL;

#define fCommitCtxLegacyCommitCallback 1
#define fCommitCtxPreCommitCallback 2
#define fCommitCtxPostCommitCallback 3

#endif
