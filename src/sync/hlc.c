/* SPDX-License-Identifier: MIT
 *
 * See hlc.h.
 */
#include "sync/hlc.h"

#define HLC_MS_MAX (((uint64_t)1 << 48) - 1)

void hlc_init(struct hlc *h, uint32_t drift_max_ms, uint64_t mark)
{
    *h = (struct hlc){.drift_max_ms = drift_max_ms, .last = mark};
}

void hlc_set_wall_clock(struct hlc *h, uint64_t host_now, uint64_t unix_ms)
{
    uint64_t before = hlc_wall_ms(h, host_now);
    unix_ms = unix_ms > HLC_MS_MAX ? HLC_MS_MAX : unix_ms;
    for (unsigned i = 0; before != 0 && i < h->peer_count; i++) { /* the peers' clocks did not move with ours */
        h->peers[i].ahead_ms -= (int64_t)unix_ms - (int64_t)before;
    }
    h->median_ms -= before != 0 && h->peer_count >= 2 ? (int64_t)unix_ms - (int64_t)before : 0;
    h->wall_ms = unix_ms;
    h->wall_at = host_now;
}

uint64_t hlc_wall_ms(const struct hlc *h, uint64_t host_now)
{
    return h->wall_ms == 0 ? 0 : h->wall_ms + (host_now - h->wall_at) / 1000;
}

bool hlc_is_astray(const struct hlc *h)
{
    int64_t most = h->drift_max_ms;
    return h->median_ms > most || h->median_ms < -most;
}

/* The time by which we judge. */
static uint64_t true_ms(const struct hlc *h, uint64_t host_now)
{
    uint64_t wall = hlc_wall_ms(h, host_now);
    if (wall == 0 || !hlc_is_astray(h)) {
        return wall;
    }
    int64_t corrected = (int64_t)wall + h->median_ms;
    return corrected < 1 ? 1 : (uint64_t)corrected;
}

uint64_t hlc_now(const struct hlc *h, uint64_t host_now)
{
    uint64_t physical = hlc_of_ms(true_ms(h, host_now));
    return physical > h->last ? physical : h->last;
}

uint64_t hlc_us_until(const struct hlc *h, uint64_t host_now, uint64_t hlc)
{
    uint64_t ms = true_ms(h, host_now), target = hlc_ms(hlc) + ((hlc & (hlc_of_ms(1) - 1)) != 0);
    if (hlc <= hlc_now(h, host_now)) {
        return 0;
    }
    return ms == 0 ? UINT64_MAX : (target - ms) * 1000 - (host_now - h->wall_at) % 1000;
}

uint64_t hlc_next(struct hlc *h, uint64_t host_now)
{
    uint64_t physical = hlc_of_ms(true_ms(h, host_now));
    h->last = physical > h->last ? physical : h->last + 1;
    return h->last;
}

bool hlc_is_plausible(const struct hlc *h, uint64_t host_now, uint64_t hlc)
{
    uint64_t now = true_ms(h, host_now);
    return now != 0 && hlc_ms(hlc) <= now + h->drift_max_ms;
}

bool hlc_witness(struct hlc *h, uint64_t host_now, uint64_t hlc)
{
    if (!hlc_is_plausible(h, host_now, hlc)) {
        return false;
    }
    h->last = hlc > h->last ? hlc : h->last;
    return true;
}

static void find_median(struct hlc *h)
{
    int64_t sorted[HLC_PEERS + 1] = {0}; /* ourselves included, we are as good a clock as they */
    unsigned count = 1;
    for (unsigned i = 0; i < h->peer_count; i++) {
        unsigned at = count++;
        for (; at > 0 && sorted[at - 1] > h->peers[i].ahead_ms; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = h->peers[i].ahead_ms;
    }
    int64_t low = sorted[(count - 1) / 2], high = sorted[count / 2];
    int64_t nearer = (low < 0 ? -low : low) < (high < 0 ? -high : high) ? low : high; /* when in doubt, ours is right */
    h->median_ms = h->peer_count < 2 ? 0 : nearer;
}

void hlc_hear_wall_clock(struct hlc *h, uint64_t host_now, uint64_t peer, uint64_t unix_ms)
{
    uint64_t ours = hlc_wall_ms(h, host_now);
    if (ours == 0 || unix_ms == 0 || unix_ms > HLC_MS_MAX) {
        return;
    }
    unsigned i = 0;
    while (i < h->peer_count && h->peers[i].peer != peer) {
        i++;
    }
    if (i == h->peer_count && h->peer_count < HLC_PEERS) {
        h->peer_count++;
    } else if (i == h->peer_count) {
        i = h->peer_next;
        h->peer_next = (h->peer_next + 1) % HLC_PEERS;
    }
    h->peers[i].peer = peer;
    h->peers[i].ahead_ms = (int64_t)unix_ms - (int64_t)ours;
    find_median(h);
}
