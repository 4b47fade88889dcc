#include "src/recovery/header_report.h"

static JET_BKINFO backup_info_out(const struct backup_info *info)
{
    JET_BKINFO out;
    _Static_assert(sizeof(out) == sizeof(*info), "both are the engine's BKINFO");
    memcpy(&out, info, sizeof(out));
    return out;
}

static JET_LOGTIME time_out(struct log_time time)
{
    JET_LOGTIME out;
    memcpy(&out, &time, sizeof(out));
    return out;
}

static JET_LGPOS position_out(struct log_position position)
{
    JET_LGPOS out;
    memcpy(&out, &position, sizeof(out));
    return out;
}

static JET_SIGNATURE signature_out(const struct signature *signature)
{
    JET_SIGNATURE out;
    memcpy(&out, signature, sizeof(out));
    return out;
}

void database_header_report(const struct database_header *header, JET_DBINFOMISC7 *info)
{
    memset(info, 0, sizeof(*info));
    info->ulVersion = header->version;
    info->ulUpdate = header->update_major;
    info->signDb = signature_out(&header->signature);
    info->dbstate = header->state;
    info->lgposConsistent = position_out(header->consistent);
    info->logtimeConsistent = time_out(header->consistent_time);
    info->logtimeAttach = time_out(header->attach_time);
    info->lgposAttach = position_out(header->attach);
    info->logtimeDetach = time_out(header->detach_time);
    info->lgposDetach = position_out(header->detach);
    info->signLog = signature_out(&header->log_signature);
    info->bkinfoFullPrev = backup_info_out(&header->full_previous);
    info->bkinfoIncPrev = backup_info_out(&header->incremental_previous);
    info->bkinfoFullCur = backup_info_out(&header->full_current);
    info->fShadowingDisabled = header->flags & 1u;
    info->dwMajorVersion = header->os_major;
    info->dwMinorVersion = header->os_minor;
    info->dwBuildNumber = header->os_build;
    info->lSPNumber = header->os_service_pack;
    info->cbPageSize = header->page_size;
    info->genMinRequired = (uint32_t)header->generation_min_required;
    info->genMaxRequired = (uint32_t)header->generation_max_required;
    info->logtimeGenMaxCreate = time_out(header->generation_max_create_time);
    info->ulRepairCount = header->repair_count;
    info->logtimeRepair = time_out(header->repair_time);
    info->ulRepairCountOld = header->repair_count_old;
    info->ulECCFixSuccess = header->ecc_fix_success;
    info->logtimeECCFixSuccess = time_out(header->ecc_fix_success_time);
    info->ulECCFixSuccessOld = header->ecc_fix_success_old;
    info->ulECCFixFail = header->ecc_fix_fail;
    info->logtimeECCFixFail = time_out(header->ecc_fix_fail_time);
    info->ulECCFixFailOld = header->ecc_fix_fail_old;
    info->ulBadChecksum = header->bad_checksum;
    info->logtimeBadChecksum = time_out(header->bad_checksum_time);
    info->ulBadChecksumOld = header->bad_checksum_old;
    info->genCommitted = (uint32_t)header->generation_max_committed;
    info->bkinfoCopyPrev = backup_info_out(&header->copy_previous);
    info->bkinfoDiffPrev = backup_info_out(&header->differential_previous);
    info->ulIncrementalReseedCount = header->reseed_count;
    info->logtimeIncrementalReseed = time_out(header->reseed_time);
    info->ulIncrementalReseedCountOld = header->reseed_count_old;
    info->ulPagePatchCount = header->page_patch_count;
    info->logtimePagePatch = time_out(header->page_patch_time);
    info->ulPagePatchCountOld = header->page_patch_count_old;
    info->logtimeChecksumPrev = time_out(header->scan_previous_time);
    info->logtimeChecksumStart = time_out(header->scan_start_time);
    info->cpgDatabaseChecked = header->scan_highest_continuous;
    info->logtimeLastReAttach = time_out(header->reattach_time);
    info->lgposLastReAttach = position_out(header->reattach);
}
