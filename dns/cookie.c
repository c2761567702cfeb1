/* SPDX-License-Identifier: MIT
 *
 * See cookie.h. RFC 9018, 4: version, three zeros, the time, and SipHash-2-4 of the client's cookie, all that, and the client's address.
 */
#include "dns/cookie.h"

#define VERSION 1u

static void make_at(const struct siphash_key *secret, const uint8_t *client, const struct hearsay_address *address, uint32_t made_s,
                    uint8_t *cookie)
{
    struct hearsay_address place = address_normal(address);
    struct siphash hash;
    memcpy(cookie, client, COOKIE_CLIENT);
    memset(cookie + 8, 0, 4);
    cookie[8] = VERSION;
    bytes_put_u32(cookie + 12, made_s);
    siphash_begin(&hash, secret, false);
    siphash_add(&hash, cookie, 16);
    siphash_add(&hash, place.bytes, place.size);
    uint64_t sum = siphash_end(&hash);
    for (int i = 0; i < 8; i++) { /* little-endian, as SipHash's own code has it */
        cookie[16 + i] = (uint8_t)(sum >> (8 * i));
    }
}

void cookie_make(const struct siphash_key *secret, const uint8_t client[COOKIE_CLIENT], const struct hearsay_address *address,
                 uint32_t now_s, uint8_t cookie[COOKIE_WHOLE])
{
    make_at(secret, client, address, now_s, cookie);
}

bool cookie_is_valid(const struct siphash_key *secret, struct hearsay_bytes cookie, const struct hearsay_address *address, uint32_t now_s)
{
    uint8_t ours[COOKIE_WHOLE], difference = 0;
    if (cookie.size != COOKIE_WHOLE) {
        return false;
    }
    uint32_t made_s = bytes_get_u32(cookie.data + 12);
    make_at(secret, cookie.data, address, made_s, ours);
    for (unsigned i = 0; i < COOKIE_WHOLE; i++) { /* takes as long whatever differs */
        difference |= (uint8_t)(ours[i] ^ cookie.data[i]);
    }
    return difference == 0 && now_s - made_s + COOKIE_AHEAD_S <= COOKIE_AGE_S + COOKIE_AHEAD_S;
}
