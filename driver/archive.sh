#!/bin/sh
# SPDX-License-Identifier: MIT
#
# archive.sh OUT IN.a…: one archive with one object per input, in which hidden names have become local, so that they cannot clash
# with names of the program that links it.
set -eu
out=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for in in "$@"; do
    object=$folder/$(basename "$in" .a).o
    ${LD:-ld} -r --whole-archive "$in" -o "$object"
    ${OBJCOPY:-objcopy} --localize-hidden "$object"
done
rm -f "$out"
${AR:-ar} rcsD "$out" "$folder"/*.o
