/* Rows, columns, keys, cursors, transactions against the model's content. */
#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

const struct fuzz_target fuzz_target = {
    .name = "data",
    .features = MUTATE_DATA | MUTATE_SETTINGS,
    .simulated = true,
    .judged = true,
};
