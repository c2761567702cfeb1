/* SPDX-License-Identifier: MIT
 *
 * Datagrams out of files: pcap captures (the classic format, either byte order, µs or ns) and lines of hex. It knows Ethernet, Linux cooked and
 * raw captures, IPv4 and IPv6, and takes UDP only; fragments and everything else are counted and skipped.
 */
#ifndef HEARSAY_CLI_CAPTURE_H
#define HEARSAY_CLI_CAPTURE_H

#include <hearsay/types.h>

struct capture_datagram {
    uint64_t at_us; /* Unix time; 0 = unknown (hex) */
    struct hearsay_address from, to; /* size 0 = unknown */
    struct hearsay_bytes payload;
};

struct capture_skipped {
    unsigned tcp, fragments, others, cut;
};

typedef void (*capture_show)(void *context, const struct capture_datagram *datagram);

/* Both: false with a line in error that names the offset or line. What came before the fault was shown. */
bool capture_read_pcap(struct hearsay_bytes file, capture_show show, void *context, struct capture_skipped *skipped, char *error, size_t size);
/* One datagram per line; blanks and colons between bytes are skipped, lines that begin with # are comments. */
bool capture_read_hex(struct hearsay_bytes file, capture_show show, void *context, char *error, size_t size);
bool capture_is_pcap(struct hearsay_bytes file);

#endif
