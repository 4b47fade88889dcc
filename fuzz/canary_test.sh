#!/usr/bin/env bash
# An engine with a planted bug must be caught within a minute by mutating the corpus: a harness that finds nothing there
# would find nothing anywhere. The same hunt on the honest engine must find nothing.
set -u
planted=$1
honest=$2
status=0

if "$planted" --hunt 60 corpus/seeds 2>&1 | tee hunt.txt | tail -40; grep -q '^found after' hunt.txt; then
    echo "ok the-planted-bug-is-caught"
else
    echo "FAIL the-planted-bug-is-caught"
    status=1
fi

if "$honest" --hunt 10 corpus/seeds >hunt.txt 2>&1; grep -q '^found after' hunt.txt; then
    tail -40 hunt.txt
    echo "FAIL the-honest-engine-passes"
    status=1
else
    echo "ok the-honest-engine-passes"
fi
exit $status
