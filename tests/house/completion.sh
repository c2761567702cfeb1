#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Completions name every command and flag that the program's own help names, and the shells take them. completion.sh PROGRAM
set -eu
program=$1
status=0
complain() {
    echo "$1"
    status=1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for shell in bash zsh fish; do
    "$program" completion $shell >"$work/$shell"
    if command -v $shell >/dev/null; then
        $shell -n "$work/$shell" || complain "$shell finds errors in its completion"
    fi
done
"$program" completion tcsh 2>/dev/null && complain 'a shell that is not known is refused'

names() {
    sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'
}
commands=$("$program" --help | names)
for command in $commands; do
    case $command in
    kv | service | sim) paths=$("$program" "$command" --help | names | sed "s/^/$command /") ;;
    *) paths=$command ;;
    esac
    echo "$paths" >"$work/paths"
    while read -r path; do
        # shellcheck disable=SC2086 # a group and its command are two words
        for flag in $("$program" $path --help | sed -n 's/^  --\([a-z-]*\).*/\1/p'); do
            grep -q "^    '$path') flags='.* --$flag[ ']" "$work/bash" || complain "bash: $path --$flag"
            sed -n "/^  '$path')/,/;;/p" "$work/zsh" | grep -q -e "--$flag\[" || complain "zsh: $path --$flag"
            grep -q -e "from ${path#* }.*' -l $flag " "$work/fish" || complain "fish: $path --$flag"
        done
    done <"$work/paths"
done

command -v bash >/dev/null || exit $status
cat >"$work/try" <<'END_OF_TRY'
. "$1"
try() { # WANTED WORDS…: a word that completing the last of them must offer
    wanted=$1
    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _hearsay
    case " ${COMPREPLY[*]} " in
    *" $wanted "*) ;;
    *) echo "bash: $* offers ${COMPREPLY[*]:-nothing} instead of $wanted" && exit 1 ;;
    esac
}
try members hearsay mem
try --status hearsay members --st
try json hearsay members --format j
try put hearsay kv p
try --nodes hearsay sim spread --no
try --retry-join hearsay agent --retry
try /bin hearsay agent --config-file /bi
END_OF_TRY
bash "$work/try" "$work/bash" || status=1
exit $status
