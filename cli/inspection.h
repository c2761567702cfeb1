/* SPDX-License-Identifier: MIT
 *
 * What an inspection found, and how it is told: a table and sentences for people, JSON for programs.
 */
#ifndef HEARSAY_CLI_INSPECTION_H
#define HEARSAY_CLI_INSPECTION_H

#include <hearsay/inspect.h>

struct inspection {
    const char *address, *expected; /* expected personality, or NULL */
    bool has_key, has_label;
    struct hearsay_inspection *look;
    bool has_connected, has_timed_out;
    int tcp_error; /* errno, 0 = none */
    enum hearsay_inspect_status status;
    size_t bytes;  /* received on the stream */
    unsigned pings, acks;
    uint64_t rtt_least_us, rtt_most_us, rtt_sum_us;
    uint32_t abilities;
    bool has_clock;
    int64_t clock_ahead_ms; /* its wall clock minus ours, by the quickest ping: right to half of rtt_least_us */
};

/* A ping was answered: after rtt_us, by somebody whose wall clock then showed clock_ms (0: it did not say). */
void inspection_take_ack(struct inspection *i, uint64_t rtt_us, uint64_t clock_ms);
/* One sentence about what went wrong and what to try next, or "" when all is well. */
void inspection_finding(const struct inspection *i, char *out, size_t size);
void inspection_print_text(const struct inspection *i);
void inspection_print_json(const struct inspection *i);

#endif
