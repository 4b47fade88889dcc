/* Texts and arguments: odd paths and names, narrow and wide calls, wrong sizes. */
#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

const struct fuzz_target fuzz_target = {
    .name = "text",
    .features = MUTATE_BACKUP | MUTATE_DATA | MUTATE_TEXT,
    .simulated = true,
    .judged = true,
};
