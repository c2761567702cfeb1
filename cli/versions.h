/* SPDX-License-Identifier: MIT
 *
 * Do the protocol versions of all members overlap? memberlist refuses every exchange in which one member's least version of a protocol is newer
 * than another's newest; there are two protocols, memberlist's own and the delegate's, which is what the application makes of it.
 */
#ifndef HEARSAY_CLI_VERSIONS_H
#define HEARSAY_CLI_VERSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begin with zeros. Names are the caller's and must outlive this. */
struct versions {
    struct versions_range {
        const char *demanding, *lagging; /* who has the greatest minimum, and the least maximum */
        uint8_t least, most;             /* that minimum and that maximum */
    } ranges[2];
    size_t count;
};

/* One member's: least, newest and current of memberlist's protocol, then of the delegate's. */
void versions_take(struct versions *v, const char *name, const uint8_t versions[6]);
/* One sentence; false when all overlap. */
bool versions_clash(const struct versions *v, char *out, size_t size);

#endif
