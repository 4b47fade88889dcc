#!/usr/bin/env bash
# One program, one run: each program of the corpus answers the same and leaves the same files, byte for byte, each time
# it runs in a process, and in another process whose fresh memory holds other bytes and lies elsewhere; and a fuzz
# target's transcript, run as a program by replay, comes out as it went in.
#
# determinism_test.sh REPLAY TARGET [--full] [REPLAY OF ANOTHER COMPILER]: --full runs each program 500 times in each of
# the two processes, else twice. Across builds and fuzzing engines: tools/determinism.py.
set -u
replay=$1
target=$2
shift 2
times=2
other=$replay
for argument; do
    case $argument in
    --full) times=500 ;;
    *) other=$argument ;;
    esac
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

verdict() { # 0 or 1, what
    if [ "$1" -eq 0 ]; then
        echo "ok $2"
    else
        echo "FAIL $2"
        status=1
    fi
}

fingerprints() { # replay, byte of fresh memory, what makes the environment longer
    env MALLOC_PERTURB_="$2" PADDING="$3" "$1" --no-fork --fingerprint --repeat "$times" corpus | sort
    return "${PIPESTATUS[0]}"
}

fingerprints "$replay" 17 x >"$work/first" && fingerprints "$other" 202 "$(printf '%5000s' x)" >"$work/second"
verdict $? "every-run-in-a-process-is-alike, $times runs"
count=$(wc -l <"$work/first")
[ "$count" -ge 50 ]
verdict $? "there-are-programs, $count"
diff "$work/first" "$work/second"
verdict $? both-processes-agree

# A file a program: the numbers in the first lines are of the input and of the files that were left.
ESENT_FUZZ_TRANSCRIPTS=$work/said "$target" --direct corpus >/dev/null 2>"$work/errors" || tail -n 30 "$work/errors"
mkdir "$work/programs"
awk -v folder="$work/programs" '/^# input / { file = folder "/" $3 ".jet" } { print > file }' "$work/said"
[ "$(find "$work/programs" -name '*.jet' | wc -l)" = "$count" ]
verdict $? the-target-tells-what-every-program-answered
"$replay" "$work/programs" >"$work/replayed" 2>/dev/null
for file in "$work/programs"/*.jet; do cat "$file"; done | cmp - "$work/replayed"
verdict $? replay-answers-what-the-target-answered
awk '/^# input / { print $5 }' "$work/programs"/*.jet >"$work/files"
"$replay" --fingerprint "$work/programs" | awk '{ print $3 }' | cmp - "$work/files"
verdict $? replay-leaves-the-files-that-the-target-left
exit $status
