/* Flags, types, levels and limits of the calls. Part of esent.h. */
#ifndef OPENESENT_ESENT_CONSTANTS_H
#define OPENESENT_ESENT_CONSTANTS_H

/* Nil handles: a handle variable that holds one refers to nothing. */
#define JET_instanceNil (~(JET_INSTANCE)0)
#define JET_sesidNil (~(JET_SESID)0)
#define JET_tableidNil (~(JET_TABLEID)0)
#define JET_dbidNil ((JET_DBID)0xFFFFFFFF)
#define JET_LSNil (~(JET_LS)0)
#define JET_bitNil ((JET_GRBIT)0)

/* Limits: keys, columns, names (bytes). */
#define JET_cbBookmarkMost 256
#define JET_cbBookmarkMostMost JET_cbKeyMostMost
#define JET_cbColumnLVPageOverhead 82
#define JET_cbLVDefaultValueMost 255
#define JET_cbColumnMost 255
#define JET_cbLVColumnMost 0x7FFFFFFF
#define JET_cbKeyMostMost JET_cbKeyMost32KBytePage
#define JET_cbKeyMost32KBytePage JET_cbKeyMost8KBytePage
#define JET_cbKeyMost16KBytePage JET_cbKeyMost8KBytePage
#define JET_cbKeyMost8KBytePage 2000
#define JET_cbKeyMost4KBytePage 1000
#define JET_cbKeyMost2KBytePage 500
#define JET_cbKeyMostMin 255
#define JET_cbKeyMost 255
#define JET_cbLimitKeyMost 256
#define JET_cbPrimaryKeyMost 255
#define JET_cbSecondaryKeyMost 255
#define JET_ccolKeyMost 16
#define JET_ccolMost 0x0000fee0
#define JET_ccolFixedMost 0x0000007f
#define JET_ccolVarMost 0x00000080
#define JET_ccolTaggedMost (JET_ccolMost - 0x000000ff)
#define JET_BASE_NAME_LENGTH 3
#ifndef JET_UNICODE
#define JET_cbNameMost 64
#else
#define JET_cbNameMost 128
#endif
#ifndef JET_UNICODE
#define JET_cbFullNameMost 255
#else
#define JET_cbFullNameMost 510
#endif

/* Init and start-up. */
#define JET_bitReplayIgnoreMissingDB 0x00000004
#define JET_bitRecoveryWithoutUndo 0x00000008
#define JET_bitTruncateLogsAfterRecovery 0x00000010
#define JET_bitReplayMissingMapEntryDB 0x00000020
#define JET_bitLogStreamMustExist 0x00000040
#define JET_bitReplayIgnoreLostLogs 0x00000080
#define JET_bitKeepDbAttachedAtEndOfRecovery 0x00001000

/* Term and idle. */
#define JET_bitTermComplete 0x00000001
#define JET_bitTermAbrupt 0x00000002
#define JET_bitTermStopBackup 0x00000004
#define JET_bitTermDirty 0x00000008
#define JET_bitIdleFlushBuffers 0x00000001
#define JET_bitIdleCompact 0x00000002
#define JET_bitIdleStatus 0x00000004

/* Stop service. */
#define JET_bitStopServiceAll 0x00000000
#define JET_bitStopServiceBackgroundUserTasks 0x00000002
#define JET_bitStopServiceQuiesceCaches 0x00000004
#define JET_bitStopServiceResume 0x80000000

/* Create, attach and detach of databases. */
#define JET_bitDbReadOnly 0x00000001
#define JET_bitDbExclusive 0x00000002
#define JET_bitDbDeleteCorruptIndexes 0x00000010
#define JET_bitDbDeleteUnicodeIndexes 0x00000400
#define JET_bitDbUpgrade 0x00000200
#define JET_bitDbEnableBackgroundMaintenance 0x00000800
#define JET_bitDbPurgeCacheOnAttach 0x00001000
#define JET_bitForceDetach 0x00000001
#define JET_bitForceCloseAndDetach (0x00000002 | JET_bitForceDetach)
#define JET_bitDbRecoveryOff 0x00000008
#define JET_bitDbShadowingOff 0x00000080
#define JET_bitDbOverwriteExisting 0x00000200

/* Resize of a database. */
#define JET_bitResizeDatabaseOnlyGrow 0x00000001
#define JET_bitResizeDatabaseOnlyShrink 0x00000002

/* Backup. */
#define JET_bitBackupIncremental 0x00000001
#define JET_bitBackupAtomic 0x00000004
#define JET_bitBackupSnapshot 0x00000010
#define JET_bitBackupEndNormal 0x0001
#define JET_bitBackupEndAbort 0x0002
#define JET_bitBackupTruncateDone 0x0100

/* Backup, beyond the public header. */
#define JET_bitKeepOldLogs 0x00000002
#define JET_bitBackupFullWithAllLogs 0x00000008
#define JET_bitBackupSurrogate 0x00000020
#define JET_bitInternalCopy 0x00000040
#define JET_bitBackupNoDbHeaderUpdate 0x0200

/* Operating-system snapshots. */
#define JET_bitIncrementalSnapshot 0x00000001
#define JET_bitCopySnapshot 0x00000002
#define JET_bitContinueAfterThaw 0x00000004
#define JET_bitExplicitPrepare 0x00000008
#define JET_bitAllDatabasesSnapshot 0x00000001
#define JET_bitAbortSnapshot 0x00000001

/* Transactions. */
#define JET_bitDurableCommitCallbackLogUnavailable 0x00000001
#define JET_bitTransactionReadOnly 0x00000001
#define JET_bitCommitLazyFlush 0x00000001
#define JET_bitWaitLastLevel0Commit 0x00000002
#define JET_bitWaitAllLevel0Commit 0x00000008
#define JET_bitForceNewLog 0x00000010
#define JET_bitRollbackAll 0x00000001

/* Tables. */
#define JET_bitTableCreateFixedDDL 0x00000001
#define JET_bitTableCreateTemplateTable 0x00000002
#define JET_bitTableCreateNoFixedVarColumnsInDerivedTables 0x00000004
#define JET_bitTableCreateImmutableStructure 0x00000008
#define JET_bitTableDenyWrite 0x00000001
#define JET_bitTableDenyRead 0x00000002
#define JET_bitTableReadOnly 0x00000004
#define JET_bitTableUpdatable 0x00000008
#define JET_bitTablePermitDDL 0x00000010
#define JET_bitTableNoCache 0x00000020
#define JET_bitTablePreread 0x00000040
#define JET_bitTableOpportuneRead 0x00000080
#define JET_bitTableSequential 0x00008000
#define JET_bitTableClassMask 0x001F0000
#define JET_bitTableClassNone 0x00000000
#define JET_bitTableClass1 0x00010000
#define JET_bitTableClass2 0x00020000
#define JET_bitTableClass3 0x00030000
#define JET_bitTableClass4 0x00040000
#define JET_bitTableClass5 0x00050000
#define JET_bitTableClass6 0x00060000
#define JET_bitTableClass7 0x00070000
#define JET_bitTableClass8 0x00080000
#define JET_bitTableClass9 0x00090000
#define JET_bitTableClass10 0x000A0000
#define JET_bitTableClass11 0x000B0000
#define JET_bitTableClass12 0x000C0000
#define JET_bitTableClass13 0x000D0000
#define JET_bitTableClass14 0x000E0000
#define JET_bitTableClass15 0x000F0000

/* Columns. */
#define JET_bitColumnFixed 0x00000001
#define JET_bitColumnTagged 0x00000002
#define JET_bitColumnNotNULL 0x00000004
#define JET_bitColumnVersion 0x00000008
#define JET_bitColumnAutoincrement 0x00000010
#define JET_bitColumnUpdatable 0x00000020
#define JET_bitColumnTTKey 0x00000040
#define JET_bitColumnTTDescending 0x00000080
#define JET_bitColumnMultiValued 0x00000400
#define JET_bitColumnEscrowUpdate 0x00000800
#define JET_bitColumnUnversioned 0x00001000
#define JET_bitColumnMaybeNull 0x00002000
#define JET_bitColumnFinalize 0x00004000
#define JET_bitColumnUserDefinedDefault 0x00008000
#define JET_bitColumnDeleteOnZero 0x00020000
#define JET_bitColumnCompressed 0x00080000
#define JET_bitDeleteColumnIgnoreTemplateColumns 0x00000001

/* Column types. */
#define JET_coltypNil 0
#define JET_coltypBit 1
#define JET_coltypUnsignedByte 2
#define JET_coltypShort 3
#define JET_coltypLong 4
#define JET_coltypCurrency 5
#define JET_coltypIEEESingle 6
#define JET_coltypIEEEDouble 7
#define JET_coltypDateTime 8
#define JET_coltypBinary 9
#define JET_coltypText 10
#define JET_coltypLongBinary 11
#define JET_coltypLongText 12
#define JET_coltypSLV 13
#define JET_coltypUnsignedLong 14
#define JET_coltypLongLong 15
#define JET_coltypGUID 16
#define JET_coltypUnsignedShort 17
#define JET_coltypUnsignedLongLong 18
#define JET_coltypMax 19

/* Indexes. */
#define JET_bitIndexColumnMustBeNull 0x00000001
#define JET_bitIndexColumnMustBeNonNull 0x00000002
#define JET_bitRecordInIndex 0x00000001
#define JET_bitRecordNotInIndex 0x00000002
#define JET_bitIndexUnique 0x00000001
#define JET_bitIndexPrimary 0x00000002
#define JET_bitIndexDisallowNull 0x00000004
#define JET_bitIndexIgnoreNull 0x00000008
#define JET_bitIndexIgnoreAnyNull 0x00000020
#define JET_bitIndexIgnoreFirstNull 0x00000040
#define JET_bitIndexLazyFlush 0x00000080
#define JET_bitIndexEmpty 0x00000100
#define JET_bitIndexUnversioned 0x00000200
#define JET_bitIndexSortNullsHigh 0x00000400
#define JET_bitIndexUnicode 0x00000800
#define JET_bitIndexTuples 0x00001000
#define JET_bitIndexTupleLimits 0x00002000
#define JET_bitIndexCrossProduct 0x00004000
#define JET_bitIndexKeyMost 0x00008000
#define JET_bitIndexDisallowTruncation 0x00010000
#define JET_bitIndexNestedTable 0x00020000
#define JET_bitIndexDotNetGuid 0x00040000
#define JET_bitIndexImmutableStructure 0x00080000
#define JET_bitKeyAscending 0x00000000
#define JET_bitKeyDescending 0x00000001

/* Space and creation hints. */
#define JET_bitSpaceHintsUtilizeParentSpace 0x00000001
#define JET_bitCreateHintAppendSequential 0x00000002
#define JET_bitCreateHintHotpointSequential 0x00000004
#define JET_bitRetrieveHintReserve1 0x00000008
#define JET_bitRetrieveHintTableScanForward 0x00000010
#define JET_bitRetrieveHintTableScanBackward 0x00000020
#define JET_bitRetrieveHintReserve2 0x00000040
#define JET_bitRetrieveHintReserve3 0x00000080
#define JET_bitDeleteHintTableSequential 0x00000100

/* Moves, keys, seeks and ranges. */
#define JET_bitMoveFirst 0x00000000
#define JET_bitNoMove 0x00000002
#define JET_bitNewKey 0x00000001
#define JET_bitStrLimit 0x00000002
#define JET_bitSubStrLimit 0x00000004
#define JET_bitNormalizedKey 0x00000008
#define JET_bitKeyDataZeroLength 0x00000010
#define JET_bitFullColumnStartLimit 0x00000100
#define JET_bitFullColumnEndLimit 0x00000200
#define JET_bitPartialColumnStartLimit 0x00000400
#define JET_bitPartialColumnEndLimit 0x00000800
#define JET_bitRangeInclusive 0x00000001
#define JET_bitRangeUpperLimit 0x00000002
#define JET_bitRangeInstantDuration 0x00000004
#define JET_bitRangeRemove 0x00000008
#define JET_bitReadLock 0x00000001
#define JET_bitWriteLock 0x00000002
#define JET_MoveFirst (0x80000000)
#define JET_MovePrevious (-1)
#define JET_MoveNext (+1)
#define JET_MoveLast (0x7fffffff)
#define JET_bitMoveKeyNE 0x00000001
#define JET_bitSeekEQ 0x00000001
#define JET_bitSeekLT 0x00000002
#define JET_bitSeekLE 0x00000004
#define JET_bitSeekGE 0x00000008
#define JET_bitSeekGT 0x00000010
#define JET_bitSetIndexRange 0x00000020
#define JET_bitCheckUniqueness 0x00000040
#define JET_bitBookmarkPermitVirtualCurrency 0x00000001

/* Updates. */
#define JET_bitSetAppendLV 0x00000001
#define JET_bitSetOverwriteLV 0x00000004
#define JET_bitSetSizeLV 0x00000008
#define JET_bitSetZeroLength 0x00000020
#define JET_bitSetSeparateLV 0x00000040
#define JET_bitSetUniqueMultiValues 0x00000080
#define JET_bitSetUniqueNormalizedMultiValues 0x00000100
#define JET_bitSetRevertToDefaultValue 0x00000200
#define JET_bitSetIntrinsicLV 0x00000400
#define JET_bitSetUncompressed 0x00010000
#define JET_bitSetCompressed 0x00020000
#define JET_bitSetContiguousLV 0x00040000
#define JET_prepInsert 0
#define JET_prepReplace 2
#define JET_prepCancel 3
#define JET_prepReplaceNoLock 4
#define JET_prepInsertCopy 5
#define JET_prepInsertCopyDeleteOriginal 7
#define JET_prepInsertCopyReplaceOriginal 9
#define JET_bitUpdateCheckESE97Compatibility 0x00000001
#define JET_bitEscrowNoRollback 0x0001
#define JET_bitZeroLength 0x00000001

/* Retrieval and enumeration. */
#define JET_bitRetrieveCopy 0x00000001
#define JET_bitRetrieveFromIndex 0x00000002
#define JET_bitRetrieveFromPrimaryBookmark 0x00000004
#define JET_bitRetrieveTag 0x00000008
#define JET_bitRetrieveNull 0x00000010
#define JET_bitRetrieveIgnoreDefault 0x00000020
#define JET_bitRetrieveTuple 0x00000800
#define JET_bitEnumerateCopy JET_bitRetrieveCopy
#define JET_bitEnumerateIgnoreDefault JET_bitRetrieveIgnoreDefault
#define JET_bitEnumeratePresenceOnly 0x00020000
#define JET_bitEnumerateTaggedOnly 0x00040000
#define JET_bitEnumerateCompressOutput 0x00080000
#define JET_bitEnumerateIgnoreUserDefinedDefault 0x00100000
#define JET_bitEnumerateInRecordOnly 0x00200000
#define JET_bitRecordSizeInCopyBuffer 0x00000001
#define JET_bitRecordSizeRunningTotal 0x00000002
#define JET_bitRecordSizeLocal 0x00000004

/* Temporary tables and pre-reading. */
#define JET_bitPrereadForward 0x00000001
#define JET_bitPrereadBackward 0x00000002
#define JET_bitPrereadFirstPage 0x00000004
#define JET_bitPrereadNormalizedKey 0x00000008
#define JET_bitTTIndexed 0x00000001
#define JET_bitTTUnique 0x00000002
#define JET_bitTTUpdatable 0x00000004
#define JET_bitTTScrollable 0x00000008
#define JET_bitTTSortNullsHigh 0x00000010
#define JET_bitTTForceMaterialization 0x00000020
#define JET_bitTTErrorOnDuplicateInsertion JET_bitTTForceMaterialization
#define JET_bitTTForwardOnly 0x00000040
#define JET_bitTTIntrinsicLVsOnly 0x00000080
#define JET_bitTTDotNetGuid 0x00000100

/* Local storage. */
#define JET_bitLSReset 0x00000001
#define JET_bitLSCursor 0x00000002
#define JET_bitLSTable 0x00000004

/* Defragmentation. */
#define JET_bitDefragmentBatchStart 0x00000001
#define JET_bitDefragmentBatchStop 0x00000002
#define JET_bitDefragmentAvailSpaceTreesOnly 0x00000040
#define JET_bitDefragmentNoPartialMerges 0x00000080
#define JET_bitDefragmentBTree 0x00000100
#define JET_bitCompactStats 0x00000020
#define JET_bitCompactRepair 0x00000040

/* Object information. */
#define JET_bitTableInfoUpdatable 0x00000001
#define JET_bitTableInfoBookmark 0x00000002
#define JET_bitTableInfoRollback 0x00000004
#define JET_bitObjectSystem 0x80000000
#define JET_bitObjectTableFixedDDL 0x40000000
#define JET_bitObjectTableTemplate 0x20000000
#define JET_bitObjectTableDerived 0x10000000
#define JET_bitObjectTableNoFixedVarColumnsInDerivedTables 0x04000000
#define cObjectInfoCols 9
#define cColumnInfoCols 14
#define cIndexInfoCols 15
#define JET_ObjInfo 0U
#define JET_ObjInfoListNoStats 1U
#define JET_ObjInfoList 2U
#define JET_ObjInfoSysTabCursor 3U
#define JET_ObjInfoListACM 4U
#define JET_ObjInfoNoStats 5U
#define JET_ObjInfoSysTabReadOnly 6U
#define JET_ObjInfoRulesLoaded 7U
#define JET_ObjInfoMax 8U
#define JET_objtypNil 0
#define JET_objtypTable 1

/* Levels of table, index and column information. */
#define JET_TblInfo 0U
#define JET_TblInfoName 1U
#define JET_TblInfoDbid 2U
#define JET_TblInfoMostMany 3U
#define JET_TblInfoRvt 4U
#define JET_TblInfoOLC 5U
#define JET_TblInfoResetOLC 6U
#define JET_TblInfoSpaceUsage 7U
#define JET_TblInfoDumpTable 8U
#define JET_TblInfoSpaceAlloc 9U
#define JET_TblInfoSpaceOwned 10U
#define JET_TblInfoSpaceAvailable 11U
#define JET_TblInfoTemplateTableName 12U
#define JET_TblInfoSpaceOwnedLV 17U
#define JET_TblInfoSpaceAvailableLV 18U
#define JET_IdxInfo 0U
#define JET_IdxInfoList 1U
#define JET_IdxInfoSysTabCursor 2U
#define JET_IdxInfoOLC 3U
#define JET_IdxInfoResetOLC 4U
#define JET_IdxInfoSpaceAlloc 5U
#define JET_IdxInfoLCID 6U
#define JET_IdxInfoLangid 6U
#define JET_IdxInfoCount 7U
#define JET_IdxInfoVarSegMac 8U
#define JET_IdxInfoIndexId 9U
#define JET_IdxInfoKeyMost 10U
#define JET_IdxInfoCreateIndex 11U
#define JET_IdxInfoCreateIndex2 12U
#define JET_IdxInfoCreateIndex3 13U
#define JET_IdxInfoLocaleName 14U
#define JET_IdxInfoSpaceOwned 18U
#define JET_IdxInfoSpaceAvailable 19U
#define JET_ColInfo 0U
#define JET_ColInfoList 1U
#define JET_ColInfoSysTabCursor 3U
#define JET_ColInfoBase 4U
#define JET_ColInfoListCompact 5U
#define JET_ColInfoByColid 6U
#define JET_ColInfoListSortColumnid 7U
#define JET_ColInfoBaseByColid 8U
#define JET_ColInfoGrbitNonDerivedColumnsOnly 0x80000000
#define JET_ColInfoGrbitMinimalInfo 0x40000000
#define JET_ColInfoGrbitSortByColumnid 0x20000000

/* Levels of instance, session and error information. */
#define JET_InstanceMiscInfoLogSignature 0U
#define JET_InstanceMiscInfoRBS 2U
#define JET_ErrorInfoSpecificErr 1U

/* Levels of database information, states and file types. */
#define JET_DbInfoFilename 0
#define JET_DbInfoConnect 1
#define JET_DbInfoCountry 2
#define JET_DbInfoLCID 3
#define JET_DbInfoLangid 3
#define JET_DbInfoCp 4
#define JET_DbInfoCollate 5
#define JET_DbInfoOptions 6
#define JET_DbInfoTransactions 7
#define JET_DbInfoVersion 8
#define JET_DbInfoIsam 9
#define JET_DbInfoFilesize 10
#define JET_DbInfoSpaceOwned 11
#define JET_DbInfoSpaceAvailable 12
#define JET_DbInfoUpgrade 13
#define JET_DbInfoMisc 14
#define JET_DbInfoDBInUse 15
#define JET_DbInfoPageSize 17
#define JET_DbInfoFileType 19
#define JET_DbInfoFilesizeOnDisk 21
#define JET_dbstateJustCreated 1
#define JET_dbstateDirtyShutdown 2
#define JET_dbstateCleanShutdown 3
#define JET_dbstateBeingConverted 4
#define JET_dbstateForceDetach 5
#define JET_filetypeUnknown 0
#define JET_filetypeDatabase 1
#define JET_filetypeLog 3
#define JET_filetypeCheckpoint 4
#define JET_filetypeTempDatabase 5
#define JET_filetypeFlushMap 7

/* Call-backs. */
#define JET_cbtypNull 0x00000000
#define JET_cbtypFinalize 0x00000001
#define JET_cbtypBeforeInsert 0x00000002
#define JET_cbtypAfterInsert 0x00000004
#define JET_cbtypBeforeReplace 0x00000008
#define JET_cbtypAfterReplace 0x00000010
#define JET_cbtypBeforeDelete 0x00000020
#define JET_cbtypAfterDelete 0x00000040
#define JET_cbtypUserDefinedDefaultValue 0x00000080
#define JET_cbtypOnlineDefragCompleted 0x00000100
#define JET_cbtypFreeCursorLS 0x00000200
#define JET_cbtypFreeTableLS 0x00000400

/* Status call-backs: process and event. */
#define JET_snpRepair 2
#define JET_snpCompact 4
#define JET_snpRestore 8
#define JET_snpBackup 9
#define JET_snpUpgrade 10
#define JET_snpScrub 11
#define JET_snpUpgradeRecordFormat 12
#define JET_sntBegin 5
#define JET_sntRequirements 7
#define JET_sntProgress 0
#define JET_sntComplete 6
#define JET_sntFail 3
#define JET_snpRecoveryControl 18 /* JET_RECOVERYCONTROL */
#define JET_sntOpenLog 1001
#define JET_sntOpenCheckpoint 1002
#define JET_sntMissingLog 1004
#define JET_sntBeginUndo 1005
#define JET_sntNotificationEvent 1006
#define JET_sntSignalErrorCondition 1007
#define JET_sntAttachedDb 1008
#define JET_sntDetachingDb 1009
#define JET_sntCommitCtx 1010

/* Others. */
#define JET_bitDumpMinimum 0x00000001
#define JET_bitDumpMaximum 0x00000002
#define JET_bitDumpCacheMinimum 0x00000004
#define JET_bitDumpCacheMaximum 0x00000008
#define JET_bitDumpCacheIncludeDirtyPages 0x00000010
#define JET_bitDumpCacheIncludeCachedPages 0x00000020
#define JET_bitDumpCacheIncludeCorruptedPages 0x00000040
#define JET_bitDumpCacheNoDecommit 0x00000080

/* Beyond the public header: flags and levels that the published engine knows. */
#define JET_bitColumnVariable 0x00040000
#define JET_bitColumnEncrypted 0x00100000
#define JET_bitIndexDeferredPopulateCreate 0x00100000
#define JET_bitIndexDeferredPopulateProcess 0x00200000
#define JET_bitStopServiceStopAndEmitLog 0x00000008
#define JET_bitTableCreateSystemTable 0x80000000
#define JET_bitTableDelete 0x10000000
#define JET_bitDbVersioningOff 0x00000040
#define JET_bitUpdateNoVersion 0x00000002
#define JET_bitRecordSizeExtrinsicLogicalOnly 0x00000040
#define JET_bitRecordSizeIntrinsicPhysicalOnly 0x00000020
#define JET_bitRecordSizeIncludeDefaultValues 0x00000008
#define JET_bitRecordSizeSecondaryIndexKeyOnly 0x00000010
#define JET_bitMoveBeforeFirst 0x00000001
#define JET_bitRetrieveLongId 0x00000040
#define JET_bitRetrieveLongValueRefCount 0x00000080
#define JET_bitRetrievePageNumber 0x00001000
#define JET_bitRetrievePhysicalSize 0x00010000
#define JET_bitRetrieveCopyIntrinsic 0x00002000
#define JET_bitEnumerateLocal 0x00010000
#define JET_bitIndexClustered40 0x00000010
#define JET_bitIndexOptionallyUnique 0x00400000
#define JET_bitCompactPreserveOriginal 0x00000100
#define JET_bitForceSessionClosed 0x00000001
#define JET_bitHungIODebug 0x00000004
#define JET_bitHungIOEnforce 0x00000008
#define JET_bitHungIOTimeout 0x00000010
#define JET_bitHungIOCancel 0x00000002
#define JET_dbstateDirtyAndPatchedShutdown 7
#define JET_dbstateIncrementalReseedInProgress 6
#define JET_dbstateRevertInProgress 8
#define JET_DbInfoUseCachedResult 0x40000000
#define JET_DbInfoSplitBuffers 23
#define JET_InstanceMiscInfoCheckpoint 1
#define JET_bitAllowSoftRecoveryOnBackup 0x00000200
#define JET_bitAllowMissingCurrentLog 0x00000100
#define JET_bitReplayIgnoreLogRecordsBeforeMinRequiredLog 0x00002000
#define JET_bitDeleteAllExistingLogs 0x00000001
#define JET_bitReplayInferCheckpointFromRstmapDbs 0x00004000
#define JET_bitExternalRecoveryControl 0x00000800
#define JET_bitIdleVersionStoreTest 0x00000008
#define JET_bitIdleAvailBuffersStatus 0x00000020
#define JET_bitIdleCompactAsync 0x00000010
#define JET_bitIdleWaitForAsyncActivity 0x00000040
#define JET_bitTableTryPurgeOnClose 0x01000000
#define JET_bitPersistedLostFlushDetectionEnabled 0x00000001
#define JET_prepReadOnlyCopy 8
#define JET_prepInsertMustSetAutoIncrement 10

#endif
