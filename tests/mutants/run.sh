#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Who judges the judge? Plants known bugs one by one, each a patch of this folder, in a copy of the tree, and shows which tests catch them:
# run.sh [NAME…]. What it finds goes into caught.txt, the list that is kept here. Exit code 1 when a bug survives. Tests of real processes are
# left out: what they would catch, virtual time catches sooner. The search looks as well, shortly at each, long at what no test caught (with the
# shared store where the bug is in it): "search N" is its first seed that fails, which `hearsay sim search --seed N` of a tree with the bug
# shows again.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
work=${HEARSAY_MUTANTS_BUILD:-$root/build-mutants}
[ $# -gt 0 ] && names="$*" || names=$(cd "$here" && ls -- *.patch | sed 's/\.patch$//')

rm -rf "$work/tree"
mkdir -p "$work/tree"
(cd "$root" && git ls-files -z | xargs -0 tar -cf - --) | tar -xf - -C "$work/tree"
cd "$work/tree"
meson setup ../build . --wipe >/dev/null 2>&1 || meson setup ../build . >/dev/null
ninja -C ../build hearsay >../build.log 2>&1 || {
    tail -n 20 ../build.log >&2
    exit 1
}

# searched SEEDS FLAGS…: the first seed that fails, or nothing. A run that never ends or aborts is one that fails.
searched() {
    seeds=$1 code=0
    shift
    timeout $((60 + seeds * 15)) ../build/hearsay sim search "$@" --seeds "1..$seeds" --first-failure --format json >../search.log 2>&1 || code=$?
    case $code in
    0) ;;
    1) sed -n "s/^{\"seed\":\([0-9]*\),\"ok\":false.*/search ${1:+$1 }\1/p" ../search.log | tail -n 1 ;;
    124) echo "search${1:+ $1} (never ends)" ;;
    *) echo "search${1:+ $1} (exit code $code)" ;;
    esac
}

# What catches the bug that is planted, as one line; empty: nothing does.
catchers() {
    : >../test.log
    # shellcheck disable=SC2086 # meson builds just what these need
    [ -z "$suites" ] || meson test -C ../build -t 4 $suites >../test.log 2>&1 || true
    by=$(sed -n 's/^ *[0-9]*\/[0-9]* hearsay:[a-z]* \/ \(.*[^ ]\)  *\(FAIL\|TIMEOUT\).*/\1/p' ../test.log | sort | tr '\n' ',' | sed 's/,$//; s/,/, /g')
    flag=$(! grep -q '^+++ b/src/sync/' "$here/$1.patch" || echo --store)
    # shellcheck disable=SC2086 # one flag or none
    search=$(searched "$([ -n "$by" ] && echo "$short" || echo "$long")" $flag)
    echo "$by${search:+${by:+, }$search}"
}

long=${HEARSAY_MUTANTS_SEEDS:-40}
short=${HEARSAY_MUTANTS_SHORT:-6}
suites=${HEARSAY_MUTANTS_SUITES---suite unit --suite story --suite wire} # empty: the search alone
caught=0
total=$(echo "$names" | wc -w)
survivors=''
: >"$work/caught.txt"
for name in $names; do
    [ -t 2 ] && printf '\r\033[K%s of %s: %s…' "$caught" "$total" "$name" >&2
    patch -s -p1 <"$here/$name.patch"
    by=''
    if ninja -C ../build hearsay >../build.log 2>&1; then
        by=$(catchers "$name")
    else
        echo "$name does not compile:" >&2
        tail -n 5 ../build.log >&2
    fi
    patch -s -R -p1 <"$here/$name.patch"
    [ -t 2 ] && printf '\r\033[K' >&2
    if [ -n "$by" ]; then
        caught=$((caught + 1))
    else
        survivors="$survivors $name"
    fi
    printf '%-53s %s\n' "$name" "${by:-SURVIVED}" | tee -a "$work/caught.txt"
done

# The lines of this run take the place of those of before; bugs that are planted no more have none.
if [ -n "$suites" ]; then
    cat "$work/caught.txt" "$here/caught.txt" | while read -r name by; do
        [ ! -e "$here/$name.patch" ] || printf '%-53s %s\n' "$name" "$by"
    done | sort -k1,1 -s | sort -k1,1 -u >"$work/whole.txt"
    cp "$work/whole.txt" "$here/caught.txt"
fi
echo "$caught of $total planted bugs were caught"
[ -z "$survivors" ]
