#!/usr/bin/env bash
# Usage: readers_test.sh REPLAY: independent readers (esedbexport of libesedb, impacket) find in a database of ours exactly
# the rows that were put there, for each page size that they know.
set -u
replay=$PWD/$1
status=0

for page in 4096 8192 16384 32768; do
    work=$(mktemp -d)
    cat >"$work/make.jet" <<PROGRAM
set page $page
CreateInstance i0 "a" => 0
Init i0 => 0
BeginSession i0 s0 => 0
CreateDatabase s0 d0 "a.edb" 0 => 0
Table s0 d0 t0 "t" => 0
Insert s0 t0 1 500 60 => 0 rows=500
DeleteRows s0 t0 50 10 => 0
Term2 i0 TermComplete => 0
PROGRAM
    "$replay" --dir "$work" --check "$work/make.jet" || status=1
    seq 1 49 >"$work/expected"
    seq 60 500 >>"$work/expected"

    if command -v esedbexport >/dev/null; then
        (cd "$work" && esedbexport -t export a.edb >/dev/null 2>&1)
        sed 1d "$work"/export.export/t.* | cut -f 1 >"$work/esedbexport"
        if cmp "$work/expected" "$work/esedbexport"; then
            echo "ok esedbexport-$page"
        else
            echo "FAIL esedbexport-$page"
            status=1
        fi
    else
        echo "skip esedbexport-$page: libesedb-utils is not installed"
    fi

    # On pages over 8 KiB impacket under Python 3 takes ord() of a number and gives up, with anybody's files.
    if [ "$page" -gt 8192 ]; then
        :
    elif /usr/bin/python3 -c 'import impacket.ese' 2>/dev/null; then
        /usr/bin/python3 - "$work/a.edb" >"$work/impacket" 2>"$work/trouble" <<'PYTHON'
import sys
from impacket.ese import ESENT_DB
database = ESENT_DB(sys.argv[1])
cursor = database.openTable("t")
while True:
    row = database.getNextRow(cursor)
    if row is None:
        break
    print(row[b"id"] if b"id" in row else row["id"])
PYTHON
        if cmp "$work/expected" "$work/impacket"; then
            echo "ok impacket-$page"
        else
            tail -3 "$work/trouble"
            echo "FAIL impacket-$page"
            status=1
        fi
    else
        echo "skip impacket-$page: python3-impacket is not installed"
    fi
    rm -rf "$work"
done
exit $status
