#!/bin/sh
# SPDX-License-Identifier: MIT
# Fuzzes one target, or all: fuzz/run.sh [TARGET] [--seconds N]. Builds with clang's libFuzzer and sanitizers in build-fuzz/, starts from the
# seeds made of the captured vectors and keeps what it learns in build-fuzz/corpus. An input that breaks something is left in
# build-fuzz/broken/TARGET-*; once fixed, move it to fuzz/found/TARGET/ so that every test run replays it.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${HEARSAY_FUZZ_BUILD:-$root/build-fuzz}
all="config dns_message dns_responder envelope exchange expression frames inspect keyring lzw message msgpack node packet push_pull scan serf_inner serf_message serf_state services session snapshot store stream parley tags tape"
target=all
seconds=60
while [ $# -gt 0 ]; do
    case $1 in
    --seconds)
        seconds=${2:-}
        shift
        ;;
    --seconds=*) seconds=${1#--seconds=} ;;
    [0-9]*) seconds=$1 ;;
    *) target=$1 ;;
    esac
    [ $# -eq 0 ] || shift
done

case $seconds in
'' | *[!0-9]*)
    echo "fuzz: \"$seconds\" is not a number of seconds" >&2
    exit 2
    ;;
esac
if [ "$target" = all ]; then
    for each in $all; do
        "$0" "$each" --seconds "$seconds"
    done
    exit 0
fi
case " $all " in
*" $target "*) ;;
*)
    echo "fuzz: no target \"$target\"; there are: $all" >&2
    exit 2
    ;;
esac
if ! command -v clang >/dev/null; then
    echo "fuzz: clang is missing: apt install clang libclang-rt-14-dev" >&2
    exit 1
fi

mkdir -p "$build/corpus/$target" "$build/broken"
if ! {
    [ -f "$build/build.ninja" ] || CC=clang meson setup "$build" "$root" -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 \
        '-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined'
    ninja -C "$build" "fuzz/loose_$target" fuzz/seeds
} >"$build/build.log" 2>&1; then
    cat "$build/build.log" >&2
    exit 1
fi

set -- "$build/corpus/$target" "$build/fuzz/seeds/$target"
if [ -d "$root/fuzz/found/$target" ]; then
    set -- "$@" "$root/fuzz/found/$target"
fi
exec "$build/fuzz/loose_$target" -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$build/broken/$target-" "$@"
