/* SPDX-License-Identifier: MIT
 *
 * Which instances of a service an answer has, and in which order: healthy, of the wanted family, each place once, near before far, and
 * those about equally near shuffled.
 */
#ifndef HEARSAY_DNS_CHOICE_H
#define HEARSAY_DNS_CHOICE_H

#include "dns/responder.h"

/* Fills r->chosen; at most `most`. type is DNS_A, DNS_AAAA, DNS_SRV, or DNS_ANY: addresses of either family. False when the service is
 * unknown. */
bool choice_make(struct responder *r, struct hearsay_bytes name, struct hearsay_bytes tag, uint16_t type, size_t most);

/* A set of places, to say each only once. */
#define CHOICE_SLOTS (2 * RESPONDER_INSTANCES)
struct choice_set {
    uint16_t slots[CHOICE_SLOTS]; /* number in chosen + 1, or 0 */
};
/* True when it was not in it. is_port: the port is part of the place. */
bool choice_add(struct choice_set *set, const struct dns_instance *chosen, size_t number, bool is_port);

#endif
