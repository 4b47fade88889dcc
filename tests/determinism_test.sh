#!/usr/bin/env bash
# One program, one run: each program of the corpus answers the same and leaves the same files, byte for byte, each time
# it runs in a process, and in another process whose fresh memory holds other bytes and lies elsewhere. With the path of
# a second replay (of another compiler, say) the two must agree, too: determinism_test.sh REPLAY [OTHER] [TIMES].
set -u
replay=$1
other=${2:-$1}
times=${3:-2}
status=0

fingerprints() { # replay, byte of fresh memory, what makes the environment longer
    env MALLOC_PERTURB_="$2" PADDING="$3" "$1" --no-fork --fingerprint --repeat "$times" corpus | sort
    return "${PIPESTATUS[0]}"
}

fingerprints "$replay" 17 x >first.txt || status=1
fingerprints "$other" 202 "$(printf '%5000s' x)" >second.txt || status=1
count=$(wc -l <first.txt)
if [ $status -ne 0 ]; then
    echo "FAIL every-run-in-a-process-is-alike"
elif [ "$count" -lt 50 ]; then
    echo "FAIL there-are-programs ($count)"
    status=1
elif diff first.txt second.txt; then
    echo "ok $count programs, $times times in each of two processes"
else
    echo "FAIL both-processes-agree"
    status=1
fi
exit $status
