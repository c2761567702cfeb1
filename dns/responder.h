/* SPDX-License-Identifier: MIT
 *
 * The responder: a question as bytes in, an answer as bytes out, from memory; authoritative for one domain, and for nothing else. It has no
 * sockets and no clock. Below the domain (here hearsay.):
 *
 *     web.service         A, AAAA, SRV: healthy instances, nearest first, those equally near in any order
 *     v2.web.service      the same, of those with the tag v2; also _web._v2.service
 *     _web._tcp.service   as web.service (RFC 2782)
 *     n1.node             A, AAAA of a member that is there
 *     7f000001.addr       the address itself: what SRV names when an instance is not where its node is
 *
 * No amplification: over UDP, who is not local and has shown no cookie of ours gets at most as many bytes as it sent; else an empty answer
 * that says "truncated", so that it asks again by TCP, where it gets its cookie.
 */
#ifndef HEARSAY_DNS_RESPONDER_H
#define HEARSAY_DNS_RESPONDER_H

#include "base/rng.h"
#include "base/siphash.h"
#include "dns/message.h"
#include "dns/zone.h"

#define RESPONDER_UDP_BYTES 1232u       /* fits every path unfragmented */
#define RESPONDER_LOCAL_UDP_BYTES 8192u /* loopback has no such paths */
#define RESPONDER_INSTANCES 1024u       /* most in one answer */

#define RESPONDER_COUNTERS(X)                                                                                                              \
    X(udp, "questions by UDP")                                                                                                             \
    X(tcp, "questions by TCP")                                                                                                             \
    X(answered, "answers with records")                                                                                                    \
    X(empty, "answers without: the name exists, but has nothing of that type, or nothing healthy")                                         \
    X(nxdomain, "names that do not exist")                                                                                                 \
    X(refused, "questions about other zones, or for a transfer of ours")                                                                   \
    X(garbled, "questions that could not be read")                                                                                         \
    X(unsupported, "other than questions, and later versions of EDNS")                                                                     \
    X(truncated, "answers larger than the client takes by UDP")                                                                            \
    X(unproven, "answers larger than a question by UDP without a valid cookie, sent empty")                                                \
    X(dropped, "packets that deserve no answer: too short, or answers themselves")

struct responder_counters {
#define RESPONDER_COUNTER(name, sentence) uint64_t name;
    RESPONDER_COUNTERS(RESPONDER_COUNTER)
#undef RESPONDER_COUNTER
};

struct responder {
    struct dns_zone zone;
    struct dns_name domain;
    uint32_t ttl_s;
    struct siphash_key secret; /* of cookies */
    struct rng rng;
    struct responder_counters counters;
    struct dns_instance chosen[RESPONDER_INSTANCES]; /* of the question at hand */
    size_t chosen_count;
};

struct responder_asker {
    struct hearsay_address address;
    bool is_stream; /* TCP */
    bool is_local;  /* of this machine: nobody forges its address */
};

/* secret: 16 random bytes. False when domain is no name. */
bool responder_init(struct responder *r, const struct dns_zone *zone, const char *domain, uint32_t ttl_s, const uint8_t secret[16]);
/* Writes the answer into room, of at least 512 bytes. size 0: none is to be sent. now_s: seconds since 1970. */
struct hearsay_bytes responder_answer(struct responder *r, struct hearsay_bytes question, const struct responder_asker *asker,
                                      uint32_t now_s, uint8_t *room, size_t capacity);

#endif
