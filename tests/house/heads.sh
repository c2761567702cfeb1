#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every file says what it is and under which licence; none is longer than 700 lines, no function of the product longer than 70.
set -eu
cd "$1"
list=$(find include src driver sim rpc dns http agent cli tests fuzz bench examples -name '*.[ch]' | sort)
# shellcheck disable=SC2086
awk '
    FNR == 1 { if ($0 !~ /^\/\* SPDX-License-Identifier: MIT/) { print FILENAME ": the first line is not the SPDX line"; bad = 1 } start = 0 }
    FNR == 3 && $0 !~ /^ \* ./ { print FILENAME ": the head does not say what the file is"; bad = 1 }
    FNR == 701 && FILENAME !~ /^tests/ { print FILENAME ": longer than 700 lines"; bad = 1 }
    /^\{/ { start = FNR }
    /^\}/ { if (start && FNR - start > 70 && FILENAME !~ /^(tests|fuzz|bench)/) { print FILENAME ":" start ": a function of " FNR - start " lines"; bad = 1 } start = 0 }
    length($0) > 150 { print FILENAME ":" FNR ": a line of " length($0) " columns"; bad = 1 }
    END { exit bad }' $list
