#!/usr/bin/env bash
# Usage: first_program_test.sh SOURCE README PROGRAM: README shows the source, and the program answers as its comments say.
set -eu
source=$PWD/$1 readme=$PWD/$2 program=$PWD/$3

shown=$(sed -n '/^## A first program/,/^## /p' "$readme" | sed -n '/^```c$/,/^```$/p' | sed '1d;$d')
if [ "$shown" != "$(cat "$source")" ]; then
    echo "README.md and examples/first.c differ:"
    diff <(echo "$shown") "$source" || true
    exit 1
fi

cd "$(mktemp -d)"
"$program" | tee answers
[ "$(grep -c ' 0$' answers)" -eq 16 ] # every call but one
[ "$(grep -c '^JetEndExternalBackupInstance.* -801$' answers)" -eq 1 ]
[ "$(wc -l <answers)" -eq 17 ]
cmp backup/first.edb again/first.edb >/dev/null && { echo "the restored database is still the raw copy"; exit 1; }
[ -s again/first.edb ]
