/* Damaged databases, logs, checkpoints and backup sets: any error code will do, but no crash and no wild
 * memory. The model does not know what the damage hit, so it does not judge. */
#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

const struct fuzz_target fuzz_target = {
    .name = "file",
    .features = MUTATE_BACKUP | MUTATE_DATA | MUTATE_CRASH | MUTATE_DAMAGE | MUTATE_SETTINGS,
    .simulated = true,
};
