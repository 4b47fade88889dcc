/* The same calls on several threads under the simulated scheduler: stop against read against end against
 * term. */
#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

const struct fuzz_target fuzz_target = {
    .name = "schedule",
    .features = MUTATE_BACKUP | MUTATE_THREADS,
    .simulated = true,
    .judged = true,
};
