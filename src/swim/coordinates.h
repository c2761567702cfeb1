/* SPDX-License-Identifier: MIT
 *
 * Network coordinates: how long a packet takes to any member, from the times of our probes alone. F. Dabek et al., "Vivaldi" (SIGCOMM 2004), with
 * heights (its section 5.4), the adjustment of J. Ledlie et al., "Network coordinates in the wild" (NSDI 2007, as a windowed mean), and their
 * latency filter and gravity, exactly as Serf computes them (serf coordinate/), so that coordinates of both can be compared.
 */
#ifndef HEARSAY_SWIM_COORDINATES_H
#define HEARSAY_SWIM_COORDINATES_H

#include "base/table.h"
#include "spread/turn.h"
#include "swim/members.h"
#include <hearsay/hearsay.h>

#define COORDINATES_WINDOW 20
#define COORDINATES_WIRE_BYTES 192 /* what an ack carries at most */

struct coordinates_entry;

struct coordinates {
    struct hearsay_coordinate own;
    double adjustments[COORDINATES_WINDOW];
    uint32_t next_adjustment;
    uint64_t resets;
    struct rng rng;                    /* its own, so that the other choices of a seed are those without coordinates */
    struct coordinates_entry *entries; /* of others, by name */
    uint32_t used, capacity, free_first;
    struct table names;
    uint64_t swept_drops;              /* members->drops when it was swept */
    bool is_on;
};

void coordinates_init(struct coordinates *c, struct turn *turn);
void coordinates_deinit(struct coordinates *c, const struct hearsay_allocator *memory);
/* What our acks carry: a version byte and the coordinate; nothing when switched off. */
struct hearsay_bytes coordinates_payload(const struct coordinates *c, uint8_t room[COORDINATES_WIRE_BYTES]);
/* A direct ack of name came after rtt_us with this payload. */
void coordinates_on_ack(struct coordinates *c, struct turn *turn, struct hearsay_bytes name, uint64_t rtt_us, struct hearsay_bytes payload);
/* False when nothing is known of name. */
bool coordinates_of(const struct coordinates *c, struct hearsay_bytes name, struct hearsay_coordinate *out);
/* Forgets who is no member any more. */
void coordinates_sweep(struct coordinates *c, const struct members *m);
/* Estimated round trip in seconds. */
double coordinates_distance(const struct hearsay_coordinate *a, const struct hearsay_coordinate *b);

#endif
