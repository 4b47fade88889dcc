#!/usr/bin/env bash
# Seeds swept whole: every operation fails once, calls of another thread come at every point, all schedules with few
# switches. Each row says how many points exist and how many were visited; they must be equal. By hand, for more:
#   bazel-bin/fuzz/sweep_program --fail all corpus/seeds/*.jet
#   bazel-bin/fuzz/sweep_program --schedules --switches 3 corpus/schedules/*.jet
#   bazel-bin/fuzz/traced_sweep --cover 2 --switches 3 --setup 2
set -u
sweep=$1
how=${2-}
seeds=corpus/seeds
schedules=corpus/schedules
status=0

run() {
    "$sweep" "$@" || status=1
}

# How many points exist.
count() {
    "$sweep" "$@" | awk '$2 == "all" { print $3 }'
}

if [ "$how" = --traced ]; then
    # What counts as equivalent is equivalent: run as well, it shows the same answers and leaves the same files.
    run --schedules --switches 2 --prove $schedules/stop-against-stop.jet
    run --pairs 2 --switches 1 --setup 2 --from 20 --count 10 --prove
    run --schedules --switches 2 $schedules/*.jet
    run --pairs 2 --switches 2 --setup 5
    run --cover 2 --switches 1 --setup 3
    run --cover 2 --switches 3 --setup 2 --count 1
elif [ "$how" = --full ]; then
    run --fail all $seeds/stop-while-reading.jet $seeds/crash-during-backup.jet $seeds/restore-external.jet
    run --fail io,crash,machine --depth 2 $seeds/stop-in-logs-phase.jet
    run --call "StopBackupInstance %I" --call "StopServiceInstance %I" --call "Term2 %I TermAbrupt" \
        $seeds/stop-in-logs-phase.jet
    run --call "StopBackupInstance %I" $seeds/stop-other-instance.jet
    run --schedules --switches 2 $schedules/stop-against-stop.jet $schedules/freeze-against-thaw.jet
    run --pairs 3 --switches 0
else
    run --fail io,crash,machine $seeds/stop-in-logs-phase.jet
    whole=$(count --fail crash $seeds/stop-in-logs-phase.jet)
    parts=0
    for part in 0 1 2; do
        parts=$((parts + $(count --fail crash --part $part/3 $seeds/stop-in-logs-phase.jet)))
    done
    echo "$whole points, $parts in three parts"
    [ "$whole" -gt 3 ] && [ "$whole" = $parts ] || status=1
    run --schedules --switches 0 $schedules/*.jet
    run --schedules --switches 1 $schedules/stop-against-stop.jet
    run --pairs 2 --switches 0
fi
exit $status
