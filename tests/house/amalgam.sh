#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The two files of ./dev amalgamate compile without a warning and without anything else, and an example runs with them.
set -eu
root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/dev" amalgamate "$work"
cp "$root/tests/house/amalgam_example.c" "$work/example.c"
for compiler in gcc clang musl-gcc; do
    command -v "$compiler" >/dev/null || continue
    "$compiler" -std=c17 -Wall -Wextra -Werror -O1 -I"$work" "$work/example.c" "$work/hearsay.c" -o "$work/example"
    "$work/example"
    echo "$compiler: fine"
done
