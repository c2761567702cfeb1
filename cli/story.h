/* SPDX-License-Identifier: MIT
 *
 * A flight recorder's records in plain sentences, and what they amount to. It knows nothing of where they came from.
 */
#ifndef HEARSAY_CLI_STORY_H
#define HEARSAY_CLI_STORY_H

#include <stddef.h>
#include <stdint.h>

struct story_record {
    uint64_t at_ms; /* Unix time */
    char event[32], reason[32], name[256], accuser[256], direct[16], indirect[16], stream[16];
    uint64_t incarnation, relays_asked, nacks, acks, waited_ms, confirmations, confirmations_wanted, timer_min_ms, timer_max_ms,
        timer_ran_ms, own_health, own_pause_ms;
};

/* Where the evidence of this name (as agents tell it: "reason", "probe_nacks", …) is kept: text of size bytes, or a number. Both NULL: unknown. */
struct story_place {
    char *text;
    size_t size;
    uint64_t *number;
};
struct story_place story_place(struct story_record *record, const char *name, size_t length);

/* One record as a sentence. */
void story_sentence(const struct story_record *record, char *out, size_t size);
/* What all of them amount to. count > 0. */
void story_diagnosis(const struct story_record *records, size_t count, char *out, size_t size);

#endif
