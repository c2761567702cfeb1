/* SPDX-License-Identifier: MIT
 *
 * Cookies of DNS: a client that shows one that we made for its address receives there what is sent to it (RFC 7873). Interoperable server
 * cookies of version 1 (RFC 9018): nothing is kept per client.
 */
#ifndef HEARSAY_DNS_COOKIE_H
#define HEARSAY_DNS_COOKIE_H

#include "base/siphash.h"

#define COOKIE_CLIENT 8u
#define COOKIE_WHOLE 24u /* the client's 8 bytes and our 16 */
#define COOKIE_AGE_S 3600u
#define COOKIE_AHEAD_S 300u

/* client: what its option began with. now_s: seconds since 1970, modulo 2^32. */
void cookie_make(const struct siphash_key *secret, const uint8_t client[COOKIE_CLIENT], const struct hearsay_address *address,
                 uint32_t now_s, uint8_t cookie[COOKIE_WHOLE]);
/* Did we make it, for that address, within the last hour? */
bool cookie_is_valid(const struct siphash_key *secret, struct hearsay_bytes cookie, const struct hearsay_address *address, uint32_t now_s);

#endif
