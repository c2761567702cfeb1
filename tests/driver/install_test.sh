#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What `meson install` puts into a folder of its own is enough to build and run programs: through pkg-config, shared and static, and through
# CMake where there is one. install_test.sh BUILD PREFIX LIBDIR
set -eu
build=$1 prefix=$2 libdir=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
DESTDIR=$work meson install -C "$build" --no-rebuild --quiet
here=$work$prefix
for file in bin/hearsay include/hearsay/hearsay.h include/hearsay/hearsay_uv.h "$libdir/libhearsay.so.0" "$libdir/libhearsay.a" \
    "$libdir/pkgconfig/hearsay.pc" "$libdir/cmake/hearsay/hearsay-config.cmake" lib/systemd/system/hearsay.service \
    share/bash-completion/completions/hearsay share/zsh/site-functions/_hearsay share/fish/vendor_completions.d/hearsay.fish; do
    [ -e "$here/$file" ] || { echo "not installed: $file"; exit 1; }
done
"$here/bin/hearsay" version >/dev/null

cat >"$work/use.c" <<'END'
#include <hearsay/hearsay_uv.h>
#include <stdio.h>
int main(void)
{
    struct hearsay_uv_options options;
    hearsay_uv_options(&options);
    return options.node.probe_interval_ms != 1000 || puts(hearsay_version()) < 0;
}
END
export PKG_CONFIG_PATH="$here/$libdir/pkgconfig" LD_LIBRARY_PATH="$here/$libdir"
flags="--define-variable=prefix=$here hearsay"
# shellcheck disable=SC2046,SC2086 # lists of flags
${CC:-cc} "$work/use.c" $(pkg-config --cflags --libs $flags) -o "$work/shared"
"$work/shared" >/dev/null
# shellcheck disable=SC2046,SC2086
${CC:-cc} "$work/use.c" $(pkg-config --cflags $flags) "$here/$libdir/libhearsay.a" \
    $(pkg-config --libs --static $flags | sed 's/-lhearsay//') -o "$work/static"
LD_LIBRARY_PATH='' "$work/static" >/dev/null

if command -v cmake >/dev/null; then
    mkdir "$work/cmake"
    cat >"$work/cmake/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.18)
project(use C)
find_package(hearsay 0.1 REQUIRED)
add_executable(shared ../use.c)
target_link_libraries(shared hearsay::hearsay)
add_executable(static ../use.c)
target_link_libraries(static hearsay::static)
END
    if ! { cmake -S "$work/cmake" -B "$work/cmake/build" -DCMAKE_PREFIX_PATH="$here" && cmake --build "$work/cmake/build"; } \
        >"$work/cmake.log" 2>&1; then
        cat "$work/cmake.log"
        exit 1
    fi
    "$work/cmake/build/shared" >/dev/null
    "$work/cmake/build/static" >/dev/null
fi

if command -v systemd-analyze >/dev/null; then
    unit=$work/hearsay.service
    sed "s|$prefix/bin/hearsay|$here/bin/hearsay|" "$here/lib/systemd/system/hearsay.service" >"$unit"
    systemd-analyze verify --man=no "$unit" >"$work/verify" 2>&1 || { cat "$work/verify"; exit 1; }
    grep -q hearsay.service "$work/verify" && { cat "$work/verify"; exit 1; }
    exposure=$(systemd-analyze security --offline=true --threshold=20 "$unit" 2>&1 | sed -n 's/.*exposure level for .*: \([0-9.]*\).*/\1/p')
    echo "exposure $exposure"
    case $exposure in
    [01].[0-9] | 2.0) ;;
    *) echo "exposure above 2.0" && exit 1 ;;
    esac
fi
