# Sourced by ./check and ./campaign: makes sure that what they need is installed.
#
# On Debian as root, missing packages are installed. Otherwise the user is told exactly what to install; nothing is
# done behind anybody's back. Exit status 3: the machine lacks something, nothing was tested.

BASE_PACKAGES="bazel-bootstrap clang clang-14 llvm-14 libclang-rt-14-dev lld gcc g++ libc6-dev libcmocka-dev libicu-dev python3 libesedb-utils python3-impacket"
AFL_PACKAGES="afl++"

missing_packages() {
    local package missing=""
    for package in "$@"; do
        if ! dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$'; then
            missing="$missing $package"
        fi
    done
    echo "${missing# }"
}

# ensure_packages NAME...: returns when all are there, exits 3 with a message when that cannot be reached.
ensure_packages() {
    local missing command as_root=""
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        if command -v bazel >/dev/null && command -v clang >/dev/null && command -v python3 >/dev/null; then
            return 0
        fi
        cat >&2 <<MESSAGE
$PROGRAM: this machine is not Debian, so nothing can be installed automatically.
Needed, under Debian 12's names: $*
(Bazel 4.2, clang and LLVM 14 with compiler-rt, lld, gcc, cmocka, ICU's headers, Python 3.)
Install them, or run in a Debian 12 container, and start again.
MESSAGE
        exit 3
    fi
    missing=$(missing_packages "$@")
    [ -z "$missing" ] && return 0
    command="apt-get install -y --no-install-recommends $missing"
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            as_root="sudo"
        else
            echo "$PROGRAM: missing packages, and only root can install them. Run as root, then start again:" >&2
            echo "    $command" >&2
            exit 3
        fi
    fi
    echo "$PROGRAM: installing $missing"
    local log
    log=$(mktemp)
    if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive $command; } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        echo "$PROGRAM: the packages could not be installed (no network, or not Debian 12?). Full output: $log" >&2
        echo "Install them by hand, then start again:" >&2
        echo "    apt-get update && $command" >&2
        exit 3
    fi
    rm -f "$log"
}
