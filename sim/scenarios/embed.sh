#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Writes the ready scenarios as a C file on stdout: embed.sh FILE.json…
printf '/* SPDX-License-Identifier: MIT\n *\n * Made from sim/scenarios by embed.sh.\n */\n#include "sim/scenario.h"\n\nconst struct scenario_file scenario_files[] = {\n'
for file; do
    printf '    {"%s",\n' "$(basename "$file" .json)"
    sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/     "&\\n"/' "$file"
    printf '    },\n'
done
printf '    {NULL, NULL},\n};\n'
