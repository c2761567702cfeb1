#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The list of what catches the planted bugs is whole: each patch of tests/mutants has a line in caught.txt, and none has survived.
set -eu
cd "$1"
failed=0
for file in tests/mutants/*.patch; do
    name=$(basename "$file" .patch)
    grep -q "^$name  *[a-z]" tests/mutants/caught.txt || { echo "nothing is known to catch $name: ./dev test-the-tests $name"; failed=1; }
done
while read -r name by; do
    [ -e "tests/mutants/$name.patch" ] || { echo "caught.txt names $name, which is planted no more ($by)"; failed=1; }
done <tests/mutants/caught.txt
exit $failed
