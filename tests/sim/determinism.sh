#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One seed is one run, whatever built it and however many threads ran it: digests of searches, clusters, the spread model and a story, from
# this build, from clang's with optimisation, and from one with sanitizers. determinism.sh ROOT DIGESTS STORY, the two programs as built here
set -eu
root=$1
digests=$2
story=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# build COMPILER FLAGS…: both programs into $work/COMPILER, without meson: the core, the simulator and cmocka are all they need.
build() {
    out=$work/$1
    mkdir -p "$out"
    "$root/sim/scenarios/embed.sh" "$root"/sim/scenarios/*.json >"$work/scenario_files.c"
    # shellcheck disable=SC2016,SC2046,SC2086 # for the shells that xargs starts; ccache or nothing
    printf '%s\n' "$root"/src/*/*.c "$root"/sim/*.c "$work/scenario_files.c" "$root/tests/sim/digests.c" "$root/tests/story/determinism_test.c" |
        OUT=$out xargs -P 2 -I{} sh -c 'file=$1; shift; exec "$@" -c "$file" -o "$OUT/$(echo "$file" | tr / _).o"' sh {} \
            $(command -v ccache || true) "$@" -w -std=gnu17 -D_GNU_SOURCE -fno-strict-aliasing -ffp-contract=off -I"$root/include" \
            -I"$root/src" -I"$root" -I"$root/tests" || fail "$1 does not build it"
    for program in digests determinism_test; do
        [ $program = digests ] && other=determinism_test || other=digests
        # shellcheck disable=SC2046 # names without blanks
        "$@" -o "$out/$program" $(find "$out" -name '*.o' ! -name "*_$other.c.o") -lcmocka -ljansson -lpthread -lm
    done
}

"$digests" 1 >"$work/one"
[ "$(wc -l <"$work/one")" -ge 30 ] || fail "few digests: $(cat "$work/one")"
for threads in 2 5; do
    "$digests" "$threads" >"$work/more"
    cmp "$work/one" "$work/more" || fail "$threads threads: $(diff "$work/one" "$work/more")"
done
"$story" --digest >"$work/story"

same() { # NAME
    "$work/$1/digests" 2 >"$work/other" || fail "$1: the run fails"
    cmp -s "$work/one" "$work/other" || fail "$1 makes other runs: $(diff "$work/one" "$work/other")"
    "$work/$1/determinism_test" --digest >"$work/other" || fail "$1: the story fails"
    cmp -s "$work/story" "$work/other" || fail "$1 tells another story: $(diff "$work/story" "$work/other")"
}
build clang -O2
same clang
build gcc -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
same gcc
