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
commands=$("$program" --help | sed -n 's/^  \([a-z-]\{3,\}\)  .*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 13 ] || complain 'the commands could not be read'
for command in $commands; do
    grep -q "^## hearsay $command" "$page" || complain "the page does not have: $command"
    help=$("$program" "$command" --help)
    [ "$command" = agent ] || echo "$help" | grep -q "  *.*hearsay $command" || complain "no example in: $command --help"
    for flag in $(echo "$help" | grep -o '^  --[a-z-]*' | tr -d ' '); do
        [ "$flag" = --help ] || grep -q -e "$flag" "$page" || complain "the page does not have: $command $flag"
    done
done
exit $status
