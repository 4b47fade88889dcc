/* Backup sequences over several instances, in every legal and illegal order, each call judged by the model.
 */
#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

const struct fuzz_target fuzz_target = {
    .name = "backup",
    .features = MUTATE_BACKUP | MUTATE_SETTINGS,
    .simulated = true,
    .judged = true,
};
