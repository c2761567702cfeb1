#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the core asks of the world (nm -u of all of it, linked into one object), and how its files name what they show: external names of
# x.c begin with x_ or hearsay_. Arguments: the archive of the core, its folder of objects.
set -eu
archive=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# bcmp is how clang spells memcmp when only equality is asked.
ld -r --whole-archive "$archive" -o "$work/core.o"
allowed='memcpy memmove memset memcmp memchr strlen realloc free _GLOBAL_OFFSET_TABLE_'
for symbol in $(nm -u "$work/core.o" | awk '{ print $2 }'); do
    case $symbol in bcmp | __stack_chk_fail | __asan_* | __ubsan_* | __sanitizer_* | __gcov_* | __memcpy_chk | __memset_chk) continue ;; esac
    case " $allowed " in
    *" $symbol "*) ;;
    *)
        echo "the core needs $symbol, which is not on its list: $allowed"
        failed=1
        ;;
    esac
done

nm -A --defined-only -g "$archive" >"$work/names"
while read -r object _ name; do
    file=$(echo "$object" | sed 's/\.c\.o:.*//; s/.*_\([a-z0-9]*\)$/\1/; s/^.*\///')
    case $object in # folder_file.c.o, where file may have underscores itself
    *wire_serf_message.c.o*) file=serf ;;
    *swim_push_pull.c.o*) file=push_pull ;;
    *serf_user_state.c.o*) file=user_state ;;
    *wire_*) file=$(echo "$object" | sed 's/.*wire_\(.*\)\.c\.o.*/\1/') ;;
    esac
    case $name in
    hearsay_* | __asan_* | __odr_asan* ) ;;
    "$file"_* | "$file"s_*) ;;
    buffer_*) [ "$file" = memory ] || { echo "$object shows $name"; failed=1; } ;;
    receive_user | node_begin | node_end) ;;
    *)
        echo "$object shows $name, which does not begin with ${file}_"
        failed=1
        ;;
    esac
done <"$work/names"
exit "$failed"
