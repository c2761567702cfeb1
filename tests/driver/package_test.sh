#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What users get: package_test.sh SHARED ARCHIVE INCLUDE_FOLDER. Every function of the headers is there, nothing but hearsay_* is to be seen,
# the core links without libuv, and the headers are C11 and C++.
set -u
shared=$1 archive=$2 include=$3
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
status=0

complain()
{
    echo "$1"
    status=1
}

cat "$include"/hearsay/*.h | tr '\n' ' ' | sed 's/;/;\n/g' | grep HEARSAY_API | grep -v '# *define' |
    grep -o 'hearsay_[a-z_]*(' | tr -d '(' | sort -u >"$folder/declared"
nm -D --defined-only "$shared" | awk '{print $NF}' | sort -u >"$folder/exported"
nm --defined-only --extern-only "$archive" 2>/dev/null | awk 'NF == 3 {print $NF}' | sort -u >"$folder/archived"
[ "$(wc -l <"$folder/declared")" -gt 50 ] || complain "the headers could not be read"
for list in exported archived; do
    missing=$(comm -23 "$folder/declared" "$folder/$list" | tr '\n' ' ')
    [ -z "$missing" ] || complain "declared but not $list: $missing"
    foreign=$(grep -v '^hearsay_' "$folder/$list" | tr '\n' ' ')
    [ -z "$foreign" ] || complain "$list under foreign names: $foreign"
done
readelf -d "$shared" | grep -q 'SONAME.*libhearsay\.so\.0\]' || complain "the shared library is not called libhearsay.so.0"

cat >"$folder/core.c" <<'END'
#include <hearsay/hearsay.h>
#include <stdio.h>
int rng_next(void); /* a name the library uses inside */
int rng_next(void) { return 0; }
int main(void) { return puts(hearsay_version()) < 0 || rng_next(); }
END
${CC:-cc} ${SANITIZE:-} -std=c11 -pedantic-errors -Wall -Werror -I "$include" "$folder/core.c" "$archive" -lm -o "$folder/core" &&
    "$folder/core" >/dev/null || complain "the core does not link alone"
ldd "$folder/core" | grep -q -e libuv -e libnettle && complain "the core alone needs more than the C library"
if command -v ${CXX:-c++} >/dev/null 2>&1; then
    for header in hearsay hearsay_uv inspect; do
        echo "#include <hearsay/$header.h>" | ${CXX:-c++} -fsyntax-only -Wall -Werror -I "$include" -x c++ - ||
            complain "$header.h is not C++"
    done
fi
exit $status
