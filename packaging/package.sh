#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the Debian packages hearsay, libhearsay0 and libhearsay-dev from this tree into build-deb/: package.sh. It installs what
# building packages needs beyond ./dev setup; git is not needed, so a tree unpacked from an archive will do.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
out=${HEARSAY_DEB_BUILD:-$root/build-deb}

missing=''
for package in build-essential debhelper fakeroot; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    as=''
    [ "$(id -u)" -eq 0 ] || as=sudo
    echo "installing:$missing" >&2
    # shellcheck disable=SC2086 # a list
    $as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

rm -rf "$out"
mkdir -p "$out/hearsay"
tar -cf "$out/tree.tar" -C "$root" --exclude=./.git --exclude='./build*' .
tar -xf "$out/tree.tar" -C "$out/hearsay"
rm "$out/tree.tar"
cp -R "$out/hearsay/packaging/debian" "$out/hearsay/debian"
cd "$out/hearsay"
dpkg-buildpackage -us -uc -b >"$out/build.log" 2>&1 || {
    tail -n 30 "$out/build.log" >&2
    echo "package: dpkg-buildpackage failed; the whole log is $out/build.log" >&2
    exit 1
}
ls -l "$out"/*.deb
