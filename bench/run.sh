#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the benchmarks that ./dev bench names, or all: run.sh BUILD [NAME…] [--quick] [--format table|json]. Each starts the processes it
# measures and ends them; the exit code is 1 when one of them missed what is required of it.
set -eu

build=$1
shift
all='core dns tree storage anti-entropy heal visible doctor dropin event crash idle http crowd starvation truth services'
names=''
flags=''
while [ $# -gt 0 ]; do
    case $1 in
    --format)
        flags="$flags --format ${2:?--format needs table or json}"
        shift
        ;;
    -*) flags="$flags $1" ;;
    *) names="$names $1" ;;
    esac
    shift
done
status=0
for name in ${names:-$all}; do
    if [ "$name" = switch ]; then # minutes with 40 agents: only when asked for
        case $flags in *--quick*) size=5 ;; *) size=20 ;; esac
        "$(dirname "$0")/../tests/interop/switch.sh" "$build/hearsay" "$size" || status=1
        continue
    fi
    if [ ! -x "$build/bench/bench-$name" ]; then
        echo "bench: there is no benchmark '$name'; there are: $all switch" >&2
        exit 2
    fi
    # shellcheck disable=SC2086 # a list of flags
    "$build/bench/bench-$name" $flags || status=1
done
exit $status
