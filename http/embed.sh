#!/bin/sh
# SPDX-License-Identifier: MIT
#
# embed.sh FILE…: the files as C arrays, and a table of them. Their paths in the server: openapi.json at the top, all others under /ui/.
set -eu

number=0
for file; do
    printf 'static const char file_%d[] = {\n' $number
    od -An -v -tx1 "$file" | sed 's/ \(..\)/(char)0x\1,/g'
    printf '};\n'
    number=$((number + 1))
done
printf 'static const struct http_file table[] = {\n'
number=0
for file; do
    name=${file##*/}
    case $name in
    *.html) type='text/html; charset=utf-8' ;;
    *.js) type='text/javascript; charset=utf-8' ;;
    *.css) type='text/css; charset=utf-8' ;;
    *.svg) type=image/svg+xml ;;
    *) type=application/json ;;
    esac
    case $name in
    openapi.json) path=/$name ;;
    *) path=/ui/$name ;;
    esac
    printf '    {"%s", "%s", file_%d, sizeof file_%d},\n' "$path" "$type" $number $number
    number=$((number + 1))
done
printf '};\n'
