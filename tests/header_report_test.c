/* What programs are told of a database's header: each field comes from the header's field of its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/recovery/header_report.h"

struct field {
    const char *name;
    size_t header, info, size;
};

#define SAME(header_field, info_field)                                                                       \
    {                                                                                                        \
#info_field, offsetof(struct database_header, header_field), offsetof(JET_DBINFOMISC7, info_field),  \
            sizeof(((JET_DBINFOMISC7 *)NULL)->info_field)                                                    \
    }

static const struct field fields[] = {
    SAME(version, ulVersion),
    SAME(update_major, ulUpdate),
    SAME(signature, signDb),
    SAME(state, dbstate),
    SAME(consistent, lgposConsistent),
    SAME(consistent_time, logtimeConsistent),
    SAME(attach_time, logtimeAttach),
    SAME(attach, lgposAttach),
    SAME(detach_time, logtimeDetach),
    SAME(detach, lgposDetach),
    SAME(log_signature, signLog),
    SAME(full_previous, bkinfoFullPrev),
    SAME(incremental_previous, bkinfoIncPrev),
    SAME(full_current, bkinfoFullCur),
    SAME(os_major, dwMajorVersion),
    SAME(os_minor, dwMinorVersion),
    SAME(os_build, dwBuildNumber),
    SAME(os_service_pack, lSPNumber),
    SAME(page_size, cbPageSize),
    SAME(generation_min_required, genMinRequired),
    SAME(generation_max_required, genMaxRequired),
    SAME(generation_max_create_time, logtimeGenMaxCreate),
    SAME(repair_count, ulRepairCount),
    SAME(repair_time, logtimeRepair),
    SAME(repair_count_old, ulRepairCountOld),
    SAME(ecc_fix_success, ulECCFixSuccess),
    SAME(ecc_fix_success_time, logtimeECCFixSuccess),
    SAME(ecc_fix_success_old, ulECCFixSuccessOld),
    SAME(ecc_fix_fail, ulECCFixFail),
    SAME(ecc_fix_fail_time, logtimeECCFixFail),
    SAME(ecc_fix_fail_old, ulECCFixFailOld),
    SAME(bad_checksum, ulBadChecksum),
    SAME(bad_checksum_time, logtimeBadChecksum),
    SAME(bad_checksum_old, ulBadChecksumOld),
    SAME(generation_max_committed, genCommitted),
    SAME(copy_previous, bkinfoCopyPrev),
    SAME(differential_previous, bkinfoDiffPrev),
    SAME(reseed_count, ulIncrementalReseedCount),
    SAME(reseed_time, logtimeIncrementalReseed),
    SAME(reseed_count_old, ulIncrementalReseedCountOld),
    SAME(page_patch_count, ulPagePatchCount),
    SAME(page_patch_time, logtimePagePatch),
    SAME(page_patch_count_old, ulPagePatchCountOld),
    SAME(scan_previous_time, logtimeChecksumPrev),
    SAME(scan_start_time, logtimeChecksumStart),
    SAME(scan_highest_continuous, cpgDatabaseChecked),
    SAME(reattach_time, logtimeLastReAttach),
    SAME(reattach, lgposLastReAttach),
};

/* No two places have the same four bytes. */
static void each_field_is_told(void **state)
{
    uint8_t header[sizeof(struct database_header)];
    JET_DBINFOMISC7 info;
    size_t told = 0;
    (void)state;
    for (size_t i = 0; i < sizeof header; i++)
        header[i] = (uint8_t)(i * 7 + i / 256 * 3 + 1);
    database_header_report((const struct database_header *)(const void *)header, &info);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (memcmp((const uint8_t *)&info + fields[i].info, header + fields[i].header, fields[i].size) != 0)
            fail_msg("%s", fields[i].name);
        told += fields[i].size;
    }
    /* All but the two that say yes or no. */
    assert_int_equal(told, sizeof info - sizeof info.fShadowingDisabled - sizeof info.fUpgradeDb);
    assert_int_equal(info.fUpgradeDb, 0);
    for (uint32_t flags = 0; flags < 4; flags++) {
        memcpy(header + offsetof(struct database_header, flags), &flags, sizeof flags);
        database_header_report((const struct database_header *)(const void *)header, &info);
        assert_int_equal(info.fShadowingDisabled, flags & 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
