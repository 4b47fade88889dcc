#!/bin/bash -eu
# Builds every fuzz target for OSS-Fuzz and ClusterFuzzLite: the sources are compiled directly, because the image's Bazel
# is not ours. Uses $CC $CXX $CFLAGS $CXXFLAGS $LIB_FUZZING_ENGINE $OUT $SRC $WORK.
#
# Tried on a plain Debian 12, from the top of the tree, as
#   CC=clang CXX=clang++ CFLAGS="-O1 -g -fsanitize=address,fuzzer-no-link" CXXFLAGS="$CFLAGS" \
#   LIB_FUZZING_ENGINE=-fsanitize=fuzzer OUT=/tmp/out WORK=/tmp/work SRC=/tmp .clusterfuzzlite/build.sh

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
[ -f WORKSPACE ] || cd "$SRC/openesent"

objects="$WORK/objects"
rm -rf "$objects"
mkdir -p "$objects" "$OUT"

FLAGS="-std=c11 -D_GNU_SOURCE -DESENT_ASSERTIONS=1 -DESENT_FUZZING=1 -I."
export CC CFLAGS FLAGS objects

compile() {
    # shellcheck disable=SC2086 (flags are lists of words)
    $CC $CFLAGS $FLAGS -c "$1" -o "$objects/$(echo "$1" | tr / _).o"
}
export -f compile

{
    find src fuzz/program fuzz/runner fuzz/model fuzz/mutate -name '*.c'
    find fuzz/target -name '*.c' ! -name '*_shim.c' ! -name '*_main.c' ! -name reduce.c
} | sort | xargs -P "$(nproc)" -I{} bash -euc 'compile {}'

rm -f "$objects/libopenesent.a"
ar rcs "$objects/libopenesent.a" "$objects"/*.o

# The entry points stand outside of the archive: an engine that names them weakly would not draw them out of it.
# shellcheck disable=SC2086
$CC $CFLAGS $FLAGS -c fuzz/target/libfuzzer_shim.c -o "$objects/shim.o"

# The machines that fuzz have no ICU: it is linked in.
ICU="-Wl,-Bstatic -licui18n -licuuc -licudata -Wl,-Bdynamic -ldl -lpthread -lm"
case "$CXXFLAGS" in
*-stdlib=libc++*) ICU="$ICU -l:libstdc++.a" ;;
esac

seeds="$WORK/seeds"
rm -rf "$seeds"
mkdir -p "$seeds"
find corpus -name '*.jet' | while read -r file; do
    cp "$file" "$seeds/$(sha1sum <"$file" | cut -d' ' -f1)"
done

# The calls' names, for engines that mutate the text form.
sed -n 's/^ *{"\([A-Za-z0-9]*\)".*/"\1"/p' fuzz/program/op.c >"$WORK/calls.dict"

for source in fuzz/*_fuzz.c; do
    target=$(basename "$source" .c)
    # shellcheck disable=SC2086
    $CC $CFLAGS $FLAGS -c "$source" -o "$objects/$target.main.o"
    # shellcheck disable=SC2086
    $CXX $CXXFLAGS "$objects/$target.main.o" "$objects/shim.o" $LIB_FUZZING_ENGINE "$objects/libopenesent.a" $ICU -o "$OUT/$target"
    cp "$WORK/calls.dict" "$OUT/$target.dict"
    printf '[libfuzzer]\nmax_len = 8192\nlen_control = 0\nentropic = 0\n' >"$OUT/$target.options"
    if [ -n "$(ls -A "$seeds")" ]; then
        rm -f "$OUT/${target}_seed_corpus.zip"
        (cd "$seeds" && zip -q -r "$OUT/${target}_seed_corpus.zip" .)
    fi
done
