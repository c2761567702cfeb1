#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Writes the core as two files, hearsay.c and hearsay.h, that compile with any C17 compiler and nothing else.
# Argument: the folder to write to (default: build-amalgam beside this tree). Static names that occur in several files are renamed
# per file by the preprocessor.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
out=${1:-$root/build-amalgam}
mkdir -p "$out"
cd "$root"

sources=$(sed -n "/core_sources = files(/,/^)/p" src/meson.build | grep -o "'[^']*\.c'" | tr -d "'")

# ---- hearsay.h: the public headers, each once, in the order of their includes
awk '
    function emit(file, line, name) {
        if (file in seen) return
        seen[file] = 1
        while ((getline line < file) > 0) {
            if (line ~ /^#include <hearsay\//) {
                name = line; sub(/^#include </, "", name); sub(/>.*/, "", name)
                emit("include/" name)
            } else print line
        }
        close(file)
    }
    BEGIN {
        print "/* hearsay, the core in one header. Made by ./dev amalgamate; do not edit. */"
        emit("include/hearsay/hearsay.h"); emit("include/hearsay/inspect.h"); emit("include/hearsay/services.h")
    }' >"$out/hearsay.h"

# ---- names that are static in more than one file
shared=$(for file in $sources; do
    awk -v file="$file" '
        /^static / && !/;[[:space:]]*$/ || /^static .*[=\[]/ || /^static .*\);$/ {
            line = $0; sub(/[=(\[;].*/, "", line); sub(/[[:space:]]+$/, "", line)
            n = split(line, words, /[^A-Za-z0-9_]+/); name = words[n]
            if (name != "" && !(name in seen)) { seen[name] = 1; print name, file }
        }
        /^(struct|enum) [a-z_]+ \{/ { print "tag:" $2, file }' "src/$file"
done | sort | awk '{ files[$1] = files[$1] " " $2; count[$1]++ } END { for (name in count) if (count[name] > 1) print name files[name] }' | sed 's/^tag://' | sort)

# ---- hearsay.c
{
    printf '/* hearsay, the core in one file. Made by ./dev amalgamate; do not edit. Compile with -std=c17. */\n'
    printf '#include "hearsay.h"\n'
    for file in $sources; do
        stem=$(basename "$file" .c)
        names=$(printf '%s\n' "$shared" | awk -v file="$file" '{ for (i = 2; i <= NF; i++) if ($i == file) print $1 }')
        headers=$(awk '/^#include "/ { gsub(/"/, "", $2); print $2 }' "src/$file")
        printf '%s\n' "$headers" | sed '/^$/d; s/^/header /'
        printf '%s\n' "$names" | sed '/^$/d; s/.*/define & '"$stem"'__&/'
        printf 'source %s\n' "$file"
        printf '%s\n' "$names" | sed '/^$/d; s/.*/undef &/'
    done
} | awk '
    function emit_header(file, line, name) {
        if (file in seen) return
        seen[file] = 1
        while ((getline line < ("src/" file)) > 0) {
            if (line ~ /^#include "/) { name = line; gsub(/^#include "|".*/, "", name); emit_header(name) }
            else if (line !~ /^#include <hearsay\//) print line
        }
        close("src/" file)
    }
    function emit_source(file, line, name, n) {
        n = 0
        while ((getline line < ("src/" file)) > 0) {
            if (line ~ /^#include ["<]/ && line !~ /^#include <[a-z]*\.h>/) continue
            if (line ~ /^#[[:space:]]*define [A-Za-z_]/) { name = line; sub(/^#[[:space:]]*define /, "", name); sub(/[^A-Za-z0-9_].*/, "", name); macros[++n] = name }
            print line
        }
        close("src/" file)
        for (; n > 0; n--) print "#undef " macros[n]
    }
    /^header / { emit_header($2); next }
    /^define / { print "#define " $2 " " $3; next }
    /^undef / { print "#undef " $2; next }
    /^source / { emit_source($2); next }
    { print }' >"$out/hearsay.c"
printf 'wrote %s/hearsay.c (%d lines) and hearsay.h\n' "$out" "$(wc -l <"$out/hearsay.c")"
