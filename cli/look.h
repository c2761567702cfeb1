/* SPDX-License-Identifier: MIT
 *
 * Looking at nodes of a memberlist cluster from outside, many side by side: one exchange that carries no members, so our name never
 * enters the cluster, and a few pings. What was found stands in `inspection`; who looks decides what it means.
 */
#ifndef HEARSAY_CLI_LOOK_H
#define HEARSAY_CLI_LOOK_H

#include "cli/inspection.h"
#include "cli/place.h"

struct look {
    struct inspection inspection; /* its address is text of the owner of the look */
    struct place place;
    const char *name;   /* who should live there: the pings are for this name; NULL = whoever does */
    bool is_other_name; /* pings for that name were met with silence, one for whoever is there was answered */

    /* While it runs: */
    int stream, datagrams; /* -1 when closed */
    uint32_t sequence;
    uint64_t stream_until, ping_until, pinged_at;
    bool is_begun;
};

struct look_rules {
    const struct hearsay_inspect_options *options;
    int timeout_ms;   /* of the whole exchange */
    int ping_wait_ms; /* of each ping */
    unsigned pings;
};

/* The flags of every command that looks. */
extern char *look_encrypt;
extern const char *look_label, *look_timeout;
#define LOOK_FLAGS                                                                                                                         \
    {"encrypt", FLAG_SECRET, &look_encrypt, "KEY|@FILE", "key of the cluster, in base64"},                                                 \
        {"label", FLAG_TEXT, &look_label, "LABEL", "label of the cluster"},                                                                \
    {                                                                                                                                      \
        "timeout", FLAG_TEXT, &look_timeout, "MS", "longest wait for an exchange (default 5000)"                                           \
    }

/* What the flags say. False after saying what is wrong with them; look_forget frees what this made. */
bool look_read_flags(struct hearsay_inspect_options *options, int *timeout_ms);
void look_forget(struct hearsay_inspect_options *options);

/* Looks at all of them, at most 128 at a time, and returns when each has answered or run out of time. place and name are set by the
 * caller, everything else begins as zero. Each look then owns its inspection.look (hearsay_inspect_destroy). False when memory is out. */
bool looks_run(struct look *looks, size_t count, const struct look_rules *rules);

#endif
