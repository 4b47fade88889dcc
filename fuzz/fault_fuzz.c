/* Failing allocations and I/O inside any call: an error code, nothing half-done, nothing left behind. */
#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

const struct fuzz_target fuzz_target = {
    .name = "fault",
    .features = MUTATE_BACKUP | MUTATE_DATA | MUTATE_FAULTS,
    .simulated = true,
    .judged = true,
};
