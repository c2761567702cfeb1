#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The man page is well-formed and names every command and every flag that the program's own help names; every command has an example.
# manual.sh PROGRAM PAGE.scd
set -eu
program=$1 page=$2
status=0
complain() {
    echo "$1"
    status=1
}
if command -v scdoc >/dev/null && command -v mandoc >/dev/null; then
    work=$(mktemp)
    scdoc <"$page" >"$work" || complain 'scdoc refuses the page'
    mandoc -T lint -W error "$work" || complain 'mandoc finds errors'
    rm "$work"
fi
commands=$("$program" --help | sed -n 's/^  \([a-z-]\{2,\}\)  .*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 13 ] || complain 'the commands could not be read'

# The flags that a help names, and those that a page names; whole words, sorted.
flags_of_help() {
    grep -o '^  --[a-z-]*' | tr -d ' ' | grep -v -x -e --help | sort -u
}
flags_of_page() {
    grep -o -e '--[a-z][a-z-]*' | sort -u
}
section() { # NAME: what the page says of `hearsay NAME`
    awk -v name="$1" '/^#/ { inside = $1 == "##" && $2 == "hearsay" && $3 == name } inside' "$page"
}
general=$(awk '/^# DESCRIPTION/ { inside = 1 } /^# COMMANDS/ { inside = 0 } inside' "$page" | flags_of_page)

known=$general
for command in $commands; do
    text=$(section "$command")
    help=$("$program" "$command" --help)
    for subcommand in $({ [ "$command" = sim ] || [ "$command" = kv ] || [ "$command" = service ]; } && echo "$help" | sed -n 's/^  \([a-z-]\{3,\}\)  .*/\1/p'); do
        text_of_it=$("$program" "$command" "$subcommand" --help)
        echo "$text_of_it" | grep -q "  *.*hearsay $command $subcommand" || complain "no example in: $command $subcommand --help"
        help=$(printf '%s\n%s' "$help" "$text_of_it")
    done
    [ -n "$text" ] || complain "the page does not have: $command"
    echo "$text" | grep -q "^	hearsay $command\|^	(.*hearsay $command" || complain "the page has no example of: $command"
    echo "$help" | grep -q "^.\{2,\}hearsay $command" || complain "no example in: $command --help"
    helped=$(echo "$help" | flags_of_help || true)
    paged=$(printf '%s\n%s' "$general" "$(echo "$text" | flags_of_page)")
    known=$(printf '%s\n%s' "$known" "$helped")
    for flag in $helped; do
        echo "$paged" | grep -q -x -e "$flag" || complain "the page does not have: $command $flag"
    done
done
# The other way: what the page promises, some command takes.
for flag in $(sed -n '/^# COMMANDS/,$p' "$page" | flags_of_page); do
    echo "$known" | grep -q -x -e "$flag" || [ "$flag" = --help ] || complain "no command takes $flag, which the page names"
done
exit $status
