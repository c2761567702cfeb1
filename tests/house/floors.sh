#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Includes point down only: each folder may include what stands in its line, and itself.
set -eu
cd "$1"

rules() {
    cat <<'END'
src/base     base hearsay/types.h
src/wire     wire base hearsay/types.h
src/spread   spread wire base hearsay
src/swim     swim spread wire base hearsay
src/serf     serf swim spread wire base hearsay
src/sync     sync swim spread wire base hearsay
src/services wire base hearsay
src/node     node serf sync swim spread wire base hearsay
include      hearsay uv.h
driver       driver hearsay uv.h system
sim          sim base hearsay system
rpc          rpc base wire/msgpack.h hearsay system
dns          dns base hearsay system
agent        agent rpc dns http/http.h base wire/msgpack.h hearsay uv.h system
http         http files_table.h hearsay uv.h system
cli          cli sim rpc base wire/msgpack.h agent/agent.h agent/setup.h hearsay system
examples     examples hearsay uv.h system
END
}

# The core may ask the C library for this and nothing else.
core_headers='stdbool.h stddef.h stdint.h string.h math.h'

rules | while read -r folder allowed; do
    [ -d "$folder" ] || continue
    find "$folder" -name '*.[ch]' | sort | while read -r file; do
        sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"][^>"]*\)[>"].*/\1/p' "$file" | while read -r include; do
            path=${include#?}
            for allowance in $allowed; do
                case $path in
                "$allowance" | "$allowance"/*) continue 2 ;;
                esac
                case $allowance in
                system) case $include in '<'*) case $path in uv.h | hearsay/*) ;; *) continue 2 ;; esac ;; esac ;;
                esac
            done
            case " $core_headers " in *" $path "*) continue ;; esac
            [ "$file $path" = 'src/base/memory.c stdlib.h' ] && continue
            case "$folder $include" in # headers of the same folder without its name
            'driver "'* | 'sim "'* | 'http "'* | 'examples "'*) [ -e "$folder/$path" ] && continue ;;
            esac
            echo "$file includes $path: $folder may include only: $allowed"
        done
    done
done >"${TMPDIR:-/tmp}/floors.$$"

if [ -s "${TMPDIR:-/tmp}/floors.$$" ]; then
    cat "${TMPDIR:-/tmp}/floors.$$"
    rm "${TMPDIR:-/tmp}/floors.$$"
    exit 1
fi
rm "${TMPDIR:-/tmp}/floors.$$"
