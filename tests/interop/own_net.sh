# SPDX-License-Identifier: MIT
#
# For tests that break the network: sourced first, it starts the test again in a network namespace of its own, with a table `broken` of nftables
# whose chain `out` sees what is sent. `drop RULE…` adds to it, `mend` empties it.

if [ -z "${HEARSAY_OWN_NET:-}" ]; then
    unshare -n true 2>/dev/null || { echo "skipped: no network namespaces here"; exit 77; }
    exec unshare -n env HEARSAY_OWN_NET=1 sh "$0" "$@"
fi
ip link set lo up
nft add table ip broken && nft add chain ip broken out '{ type filter hook output priority 0; }' || { echo "skipped: no nftables here"; exit 77; }

drop() {
    nft add rule ip broken out "$@" drop
}

mend() {
    nft flush chain ip broken out
}
