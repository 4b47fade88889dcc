/* Status call-backs of a replay (engine sources: `logutil.cxx`, `logredo.cxx`, `rstmap.cxx`). */
#include "src/recovery/recovery_internal.h"

#define PERCENT 100u
/* Copying all databases of a backup counts as this part of the generations. */
#define COPY_PERCENT 10u
/* Fewer generations than this part of the percents are told apart by their sectors. */
#define FEW_OF_THREE 2u

static void tell(struct recovery *recovery, JET_SNT what)
{
    JET_SNPROG progress = {sizeof(progress), recovery->progress.percent, PERCENT};
    (void)recovery->options->status(recovery->options->status_session, JET_snpRestore, what, &progress);
}

static void reach(struct recovery *recovery, uint64_t percent)
{
    if (percent > PERCENT)
        percent = PERCENT; /* there were more logs than expected */
    if (percent <= recovery->progress.percent)
        return;
    recovery->progress.percent = (uint32_t)percent;
    tell(recovery, JET_sntProgress);
}

void recovery_progress_begin(struct recovery *recovery, int32_t low, int32_t high)
{
    struct recovery_progress *progress = &recovery->progress;
    const uint32_t whole = PERCENT - (recovery->hard ? COPY_PERCENT : 0);
    *progress = (struct recovery_progress){0};
    if (recovery->options->status == NULL)
        return;
    ASSERT(low <= high);
    progress->running = true;
    progress->expected = (uint32_t)(high - low) + 1;
    progress->counts_sectors = progress->expected < whole * FEW_OF_THREE / 3;
    tell(recovery, JET_sntBegin);
}

void recovery_progress_database(struct recovery *recovery, uint32_t databases)
{
    struct recovery_progress *progress = &recovery->progress;
    if (!progress->running)
        return;
    uint32_t copy = progress->expected * COPY_PERCENT / PERCENT / (databases > 0 ? databases : 1);
    if (copy == 0)
        copy = 1;
    progress->expected += copy;
    progress->done += copy;
    reach(recovery, (uint64_t)copy * PERCENT / progress->expected);
}

void recovery_progress_next_file(struct recovery *recovery)
{
    struct recovery_progress *progress = &recovery->progress;
    if (!progress->running)
        return;
    progress->done++;
    progress->sector = 0;
    reach(recovery, (uint64_t)progress->done * PERCENT / progress->expected);
}

void recovery_progress_sector(struct recovery *recovery, uint32_t sector)
{
    struct recovery_progress *progress = &recovery->progress;
    if (!progress->running || !progress->counts_sectors || sector <= progress->sector)
        return;
    const uint64_t sectors = log_file_reader_header(recovery->reader)->file_sectors;
    reach(recovery, (uint64_t)progress->done * PERCENT / progress->expected +
                        (uint64_t)sector * PERCENT / (sectors * progress->expected));
}

void recovery_progress_end(struct recovery *recovery, bool well)
{
    if (!recovery->progress.running)
        return;
    recovery->progress.percent = PERCENT;
    tell(recovery, well ? JET_sntComplete : JET_sntFail);
    recovery->progress.running = false;
}
