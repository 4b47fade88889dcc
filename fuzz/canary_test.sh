#!/usr/bin/env bash
# An engine with a planted bug must be caught within a minute by mutating the corpus: a harness that finds nothing there
# would find nothing anywhere. The honest engine must pass the very programs, the one that caught the bug included.
set -u
planted=$1
honest=$2
status=0

"$planted" --hunt 60 corpus/seeds >hunt.txt 2>&1
tail -40 hunt.txt
programs=$(sed -n 's/^found after \([0-9]*\) programs$/\1/p' hunt.txt)
if [ -n "$programs" ]; then
    echo "ok the-planted-bug-is-caught"
else
    echo "FAIL the-planted-bug-is-caught"
    exit 1
fi

"$honest" --hunt "600:$programs" corpus/seeds >hunt.txt 2>&1
if grep -q "^nothing found after $programs programs$" hunt.txt; then
    echo "ok the-honest-engine-passes"
else
    tail -40 hunt.txt
    echo "FAIL the-honest-engine-passes"
    status=1
fi
exit $status
