#!/usr/bin/env bash
# Usage: recordings_test.sh REPLAY LIST: every recording of the published engine beside the checkout (../shared/golden)
# answers here as it was recorded, but for those that LIST names. A named one that answers as recorded must leave the list.
set -u
replay=$PWD/$1
list=$PWD/$2
recordings=${ESENT_SHARED:-../shared}/golden

if [ ! -d "$recordings" ]; then
    echo "skip recordings: none beside the checkout ($recordings)"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$recordings" || exit 1
# The programs that brought the real engine down: there is no answer to compare with. They must not bring ours down.
"$replay" --check --verbose backup restore scenarios files data probes >"$work/out"
"$replay" --check --verbose engine-crashes >"$work/crashes" 2>/dev/null

grep -v '^ *#' "$list" | awk 'NF { print $1 }' | sort >"$work/known"
grep '^ok ' "$work/out" | cut -d ' ' -f 2 | sort >"$work/same"
grep -v '^ok ' "$work/out" | sed -n 's/^\([^ :]*\.jet\):.*/\1/p' | sort -u >"$work/different"
status=0
while read -r file; do
    echo "FAIL $(grep -m 1 "^$file:" "$work/out")"
    status=1
done < <(comm -23 "$work/different" "$work/known")
while read -r file; do
    echo "FAIL $file answers as recorded now: take it out of the list"
    status=1
done < <(comm -12 "$work/same" "$work/known")
while read -r line; do
    echo "FAIL $line"
    status=1
done < <(grep -E 'the library crashes|the program hangs' "$work/crashes")
if [ ! -s "$work/same" ]; then
    echo "FAIL no recording was replayed"
    status=1
fi
sed 's/^/ok /' "$work/same"
echo "$(wc -l <"$work/same") recordings answer the same, $(wc -l <"$work/different") do not ($(wc -l <"$work/known") named)"
exit $status
