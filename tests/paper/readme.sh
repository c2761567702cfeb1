#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The figures of the README are those of a run: readme.sh PROGRAM ROOT. It repeats the commands that the README names, and expects the same
# rows, the same periods in the text, and the same picture.
set -eu
program=$1 root=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# spread NODES FLAGS…: one line of CSV per setting, without the head.
spread() {
    "$program" sim spread --nodes "$@" --format csv | tail -n +2
}

spread 10000 --mode push,pull,push-pull --fanout 1,3 --plot "$work/spread.svg" | awk -F, '$3 == 1 && $2 != "pull"' >"$work/runs"
spread 1000 --mode push,pull,push-pull --fanout 3 >>"$work/runs"
[ "$(wc -l <"$work/runs")" -eq 5 ] || { cat "$work/runs"; exit 1; }
awk -F, '{ printf "| %s, %s, %s | %.1f rounds | %.1f rounds | %d rounds |\n", $1 == 1000 ? "1,000" : "10,000", $2, $3, $18, $11, $14 }' \
    "$work/runs" >"$work/rows"
while read -r row; do
    grep -qF -e "$row" "$root/README.md" || { echo "the README has another row than: $row"; exit 1; }
done <"$work/rows"
[ "$(grep -c '^| 10*,000, ' "$root/README.md")" -eq 5 ] || { echo 'the README has rows that were not measured'; exit 1; }

spread 1000 --mode push,push-pull --fanout 3 --timing timers >"$work/timers"
text=$(awk -F, '{ at[$2] = sprintf("%.1f", $11) } END { print "after " at["push"] " periods, push-pull after " at["push-pull"] }' "$work/timers")
tr '\n' ' ' <"$root/README.md" | grep -qF -e "$text" || { echo "the README has other periods than: $text"; exit 1; }

cmp "$work/spread.svg" "$root/doc/spread.svg" || { echo 'doc/spread.svg is not what this build draws'; exit 1; }
