/* SPDX-License-Identifier: MIT
 *
 * The hybrid logical clock (S. Kulkarni et al., "Logical physical clocks", 2014): milliseconds since 1970 in the upper 48 bits, a counter
 * in the lower 16; adding one carries a full counter into the milliseconds. It follows the wall clock that the host sets, never goes back,
 * and never falls behind what it accepted from others.
 *
 * What others say is judged by our wall clock, corrected by the median of the peers' wall clocks once at least two of them are known and it
 * is further away than the drift allowed: then it is our clock that is wrong, and we write nothing ourselves until it is set right.
 */
#ifndef HEARSAY_SYNC_HLC_H
#define HEARSAY_SYNC_HLC_H

#include <stdbool.h>
#include <stdint.h>

#define HLC_PEERS 15
#define HLC_COUNTER_BITS 16

struct hlc {
    uint64_t last;             /* newest moment given out or accepted */
    uint64_t wall_ms, wall_at; /* the wall clock showed wall_ms (0 = never set) at host time wall_at (us) */
    uint32_t drift_max_ms;
    struct {
        uint64_t peer;
        int64_t ahead_ms; /* its wall clock - ours */
    } peers[HLC_PEERS];   /* the latest word of as many peers */
    unsigned peer_count, peer_next;
    int64_t median_ms; /* of ahead_ms; 0 while fewer than two peers are known */
};

/* mark: the newest moment of a former life, 0 = none. */
void hlc_init(struct hlc *h, uint32_t drift_max_ms, uint64_t mark);
void hlc_set_wall_clock(struct hlc *h, uint64_t host_now, uint64_t unix_ms);

static inline uint64_t hlc_of_ms(uint64_t ms)
{
    return ms << HLC_COUNTER_BITS;
}

static inline uint64_t hlc_ms(uint64_t hlc)
{
    return hlc >> HLC_COUNTER_BITS;
}

/* Our wall clock as the host set it; 0 when it was never set. Goes with every packet, beside hlc_now. */
uint64_t hlc_wall_ms(const struct hlc *h, uint64_t host_now);
/* Is our wall clock further from the median of the peers' than allowed? */
bool hlc_is_astray(const struct hlc *h);
/* The present moment. Changes nothing. */
uint64_t hlc_now(const struct hlc *h, uint64_t host_now);
/* Microseconds until hlc_now will be this moment; 0 when it is, UINT64_MAX without a wall clock. */
uint64_t hlc_us_until(const struct hlc *h, uint64_t host_now, uint64_t hlc);
/* A moment newer than all before. */
uint64_t hlc_next(struct hlc *h, uint64_t host_now);
/* Would hlc_witness accept it? */
bool hlc_is_plausible(const struct hlc *h, uint64_t host_now, uint64_t hlc);
/* Somebody else's moment. False, and ignored, when it is further ahead than the drift allowed. */
bool hlc_witness(struct hlc *h, uint64_t host_now, uint64_t hlc);
/* What a peer's wall clock shows; peer is any number that names it. */
void hlc_hear_wall_clock(struct hlc *h, uint64_t host_now, uint64_t peer, uint64_t unix_ms);

#endif
