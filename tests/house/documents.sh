#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The documents tell the truth about names: documents.sh ROOT. Every path and every C name between backticks exists in the tree, every link
# leads to a file, every `./dev COMMAND` is one, and every Debian package of ./dev is explained.
# shellcheck disable=SC2086,SC2013,SC2016 # lists of files, of words without blanks; backticks of Markdown
set -eu
cd "$1"
pages='README.md ARCHITECTURE.md HACKING.md CHANGELOG.md SECURITY.md doc/wire-policy.md doc/kubernetes.md'
code='src driver sim rpc dns http agent cli include tests/lib examples bench'
status=0
complain() {
    echo "$1"
    status=1
}

# Conventions and placeholders, not names in the tree.
is_pattern() {
    case $1 in
    hearsay_verb | file_verb | _ms | _at | is_ | has_ | can_ | *NAME* | *TOPIC* | *FLOOR* | build*) return 0 ;;
    esac
    return 1
}

for name in $(grep -oh '`[a-z][a-z0-9]*_[a-z0-9_]*`' $pages | tr -d '`' | sort -u); do
    is_pattern "$name" || grep -rqw -e "$name" $code || complain "no such name: $name ($(grep -l -e "\`$name\`" $pages | tr '\n' ' '))"
done
for path in $(grep -oh '`[a-z]*/[A-Za-z0-9_./-]*`\|([a-z]*/[a-z0-9_./]*\.[ch])' $pages | tr -d '`()' | sort -u); do
    is_pattern "$path" || [ -e "$path" ] || complain "no such path: $path ($(grep -lF -e "$path" $pages | tr '\n' ' '))"
done
for link in $(grep -oh '](\([^)#]*\))' $pages | sed 's/](\(.*\))/\1/' | grep -v '^http' | sort -u); do
    [ -e "$link" ] || complain "a link leads nowhere: $link"
done
help=$(./dev help)
for command in $(grep -oh '\./dev [a-z][a-z-]*' $pages | sed 's/.* //' | sort -u); do
    echo "$help" | grep -q -e "^  $command " || complain "no such command: ./dev $command"
done
for command in $(echo "$help" | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do
    grep -q -e "^$command)\|^$command |" dev || complain "./dev help speaks of $command, which is not there"
done
for package in $(sed -n "/^packages='/,/'\$/p" dev | sed "s/^packages='//;s/'\$//"); do
    grep -q -w -e "$package" HACKING.md || complain "HACKING.md does not explain the package $package"
done
exit $status
