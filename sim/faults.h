/* SPDX-License-Identifier: MIT
 *
 * Faults: what befalls a cluster, one after the other or at once, as a list that a scenario wrote or a seed drew. A fault begins, perhaps
 * ends, perhaps comes again; aimed at a crowd, which may be drawn by a salt of its own, so that leaving one fault out of a list changes no
 * other. It knows what hosts and links can suffer, not what the protocol makes of it.
 */
#ifndef HEARSAY_SIM_FAULTS_H
#define HEARSAY_SIM_FAULTS_H

#include "sim/cluster.h"

enum fault_kind {
    FAULT_CRASH,       /* kill -9; starts again at the end, with or without its disk */
    FAULT_SWITCH_OFF,  /* the machine goes; the same */
    FAULT_LEAVE,       /* says goodbye and stops; starts again at the end */
    FAULT_JOIN,        /* new hosts (who.count) join */
    FAULT_FREEZE,      /* SIGSTOP */
    FAULT_BLOCK,       /* messages wait both ways, timers fire on time */
    FAULT_SLOW,        /* little CPU: runs for run_us in every every_us */
    FAULT_SKEW,        /* the clock jumps ahead_us and drifts by drift_ppm */
    FAULT_CUT,         /* who and whom do not hear each other; whom empty = all others */
    FAULT_CUT_ONE_WAY, /* whom does not hear who */
    FAULT_PARTITION,   /* who on one side, the others on the other */
    FAULT_LINK,        /* the links of who (empty = all) are as `link` says */
    FAULT_GARBAGE,     /* who gets noise, `rate` packets a second: random bytes, and packets of others with bytes changed */
    FAULT_EVENT,       /* who sends a user event */
    FAULT_TAGS,        /* who changes its tags */
    FAULT_KINDS
};

/* Hosts: `count` of them or `share` of all, from number `first` on (1 = n1), or drawn by salt when first is 0. All zero: everybody. */
struct crowd {
    uint32_t first, count;
    double share;
    uint64_t salt;
};

struct fault {
    enum fault_kind kind;
    struct crowd who, whom;
    uint64_t at_us, for_us;       /* since the begin; for_us 0 = for good */
    uint64_t spacing_us;          /* between one host and the next */
    uint64_t every_us, until_us;  /* comes again, until then; 0 = once */
    struct link link;
    uint32_t run_us, slice_us;    /* SLOW */
    uint64_t ahead_us;
    int32_t drift_ppm;
    double rate;
    bool keeps_disk;
};

struct fault_name {
    const char *name, *sentence;
};
extern const struct fault_name fault_names[FAULT_KINDS];

struct faults;

/* Schedules them, counted from now. The list is copied. on_change (may be NULL) hears of every begin and end. */
struct faults *faults_start(struct cluster *cluster, const struct fault *list, size_t count,
                            void (*on_change)(void *context, const struct fault *fault, bool begins), void *context);
/* Ends everything: links as at first, cuts mended, clocks steady, whoever is down starts again. */
void faults_heal(struct faults *faults);
void faults_destroy(struct faults *faults);

/* Draws a list: faults that begin and end within `span_us`. The count may be less than most. */
size_t faults_draw(struct rng *rng, struct fault *list, size_t most, uint64_t span_us, const struct link *usual);
/* One line for people. */
void fault_text(const struct fault *fault, char *text, size_t size);

#endif
