#!/usr/bin/env bash
# The shared library exports every call that the headers declare, and nothing but Jet... and Esent...
# Prints `ok NAME` or `FAIL NAME` for each of the two.
set -u
library=$1
shift
exported=$(nm -D --defined-only "$library" | awk '{ print $3 }' | sed 's/@.*//' | sort -u)
status=0

foreign=$(echo "$exported" | grep -vE '^(Jet|Esent)' || true)
if [ -z "$foreign" ]; then
    echo "ok nothing-else-is-exported"
else
    echo "FAIL nothing-else-is-exported:" $foreign
    status=1
fi

declared=$(cat "$@" | tr '\n' ' ' | grep -oE '\b(JET_API +Jet[A-Za-z0-9]+|EsentHost[A-Za-z0-9]+) *\(' | sed -E 's/JET_API +//; s/ *\(//' | sort -u)
missing=$(comm -23 <(echo "$declared") <(echo "$exported"))
if [ -n "$declared" ] && [ -z "$missing" ]; then
    echo "ok every-declared-call-is-exported ($(echo "$declared" | wc -l) calls)"
else
    echo "FAIL every-declared-call-is-exported, missing:" $missing
    status=1
fi
exit $status
