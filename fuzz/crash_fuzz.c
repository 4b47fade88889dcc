/* The process dies at any point, or the machine does; what recovery finds must be what was durable. */
#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

const struct fuzz_target fuzz_target = {
    .name = "crash",
    .features = MUTATE_BACKUP | MUTATE_DATA | MUTATE_CRASH | MUTATE_SETTINGS,
    .simulated = true,
    .judged = true,
};
