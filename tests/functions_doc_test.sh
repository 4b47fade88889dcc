#!/usr/bin/env bash
# docs/functions.md against the headers and sources: every declared call has a line, no line is of an unknown call, "not
# built" means the stubs of src/api/not_available*.c and nothing else, and each narrow call has its bare name.
# Arguments: functions.md, functions.h, then the sources of src/api.
set -u
document=$1
header=$2
shift 2
status=0

check() { # name, text that must be empty
    if [ -z "$2" ]; then
        echo "ok $1"
    else
        echo "FAIL $1:" $2
        status=1
    fi
}

declared=$(tr '\n' ' ' <"$header" | grep -oE 'JET_API +Jet[A-Za-z0-9]+ *\(' | sed -E 's/JET_API +//; s/ *\(//' | sort -u)
documented=$(grep -oE '^\| Jet[A-Za-z0-9]+ ' "$document" | tr -d '| ' | sort -u)
not_built=$(grep -E '^\| Jet[A-Za-z0-9]+ \| not built ' "$document" | awk '{ print $2 }' | sort -u)
stubs=$(for source in "$@"; do
    case $source in
    *not_available*) grep -oE '^JET_ERR JET_API Jet[A-Za-z0-9]+\(' "$source" ;;
    esac
done | sed -E 's/.* //; s/\(//' | sort -u)
bare=$(for source in "$@"; do
    case $source in
    *bare_names.c) grep -oE '^#undef Jet[A-Za-z0-9]+' "$source" ;;
    esac
done | sed 's/#undef //' | sort -u)
wanted_bare=$(comm -12 <(echo "$declared" | grep -E 'A$' | sed 's/A$//' | sort -u) <(echo "$declared" | grep -E 'W$' | sed 's/W$//' | sort -u) | comm -23 - <(echo "$declared"))

[ -n "$declared" ] || check headers-have-calls none
check every-call-has-a-line "$(comm -23 <(echo "$declared") <(echo "$documented"))"
check every-line-is-of-a-call "$(comm -13 <(echo "$declared") <(echo "$documented"))"
check not-built-means-a-stub "$(comm -3 <(echo "$not_built") <(echo "$stubs") | sed '/^\s*$/d')"
check narrow-calls-have-bare-names "$(comm -3 <(echo "$wanted_bare") <(echo "$bare") | sed '/^\s*$/d')"
exit $status
