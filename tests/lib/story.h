/* SPDX-License-Identifier: MIT
 *
 * Stories: what a cluster lives through in a virtual world, told as a test.
 *
 *     STORY(an_isolated_node_is_suspected_then_declared_dead_then_welcomed_back)
 *     {
 *         start(c, 5);
 *         cut(c, n3, everyone);
 *         expect_sees_within(c, seconds(10), except(n3), n3, DEAD);
 *         mend(c);
 *         expect_converged_within(c, seconds(5));
 *     }
 *
 * Nodes are sets of bits: n1 | n2 are two nodes, everyone is all of them, including those above n63, which only come together. A story runs
 * in virtual time under several seeds; one that fails prints its claim, every node's view, the last lines of what happened and the command that
 * replays it. A `within` returns at the first moment it holds and answers how long that took; a `never for` always spends its time.
 */
#ifndef HEARSAY_TESTS_STORY_H
#define HEARSAY_TESTS_STORY_H

#include "sim/cipher.h"
#include "sim/host.h"
#include "sim/network.h"

#include <hearsay/hearsay.h>

struct story;
typedef uint64_t nodes;
typedef uint64_t span; /* microseconds */

#define STORY(title)                                                                               \
    static void title(struct story *c);                                                            \
    __attribute__((constructor)) static void title##_is_told(void)                                 \
    {                                                                                              \
        static struct story_entry entry = {#title, title, NULL};                                   \
        story_enter(&entry);                                                                       \
    }                                                                                              \
    static void title(struct story *c)

struct story_entry {
    const char *title;
    void (*tell)(struct story *c);
    struct story_entry *next;
};
void story_enter(struct story_entry *entry);

/* ---- words -------------------------------------------------------------------------------------------------------------------- */

#define n1 ((nodes)1)
#define n2 ((nodes)1 << 1)
#define n3 ((nodes)1 << 2)
#define n4 ((nodes)1 << 3)
#define n5 ((nodes)1 << 4)
#define n6 ((nodes)1 << 5)
#define n7 ((nodes)1 << 6)
#define n8 ((nodes)1 << 7)
#define n9 ((nodes)1 << 8)
#define everyone (~(nodes)0)
#define nobody ((nodes)0)

static inline nodes n(unsigned number) /* 1 … 63 */
{
    return (nodes)1 << (number - 1);
}

static inline nodes from_to(unsigned first, unsigned last)
{
    return (n(last) - 1 + n(last)) & ~(n(first) - 1);
}

static inline nodes except(nodes who)
{
    return ~who;
}

static inline span seconds(double s)
{
    return (span)(s * 1e6 + 0.5);
}

static inline span ms(double m)
{
    return (span)(m * 1e3 + 0.5);
}

#define NONE HEARSAY_NONE
#define ALIVE HEARSAY_ALIVE
#define SUSPECT HEARSAY_SUSPECT
#define LEAVING HEARSAY_LEAVING
#define LEFT HEARSAY_LEFT
#define DEAD HEARSAY_FAILED

/* ---- the cluster --------------------------------------------------------------------------------------------------------------- */

typedef void amend_options(struct story *c, struct hearsay_options *options, unsigned number);

/* Nodes n1 … of the LAN profile, met through n1 and converged. amend may change each node's options before it starts. */
void start(struct story *c, unsigned count);
void start_with(struct story *c, unsigned count, amend_options *amend);
/* The same, but nobody knows anybody. May be called again for more nodes. */
void start_apart(struct story *c, unsigned count);
void start_apart_with(struct story *c, unsigned count, amend_options *amend);
/* Changes the options with which nodes start from now on. */
void amend_later_starts(struct story *c, amend_options *amend);

/* who calls on each of `through`; expect_joined_within waits for the outcome. */
void join(struct story *c, nodes who, nodes through);
void leave(struct story *c, nodes who);
void force_leave(struct story *c, nodes by, nodes who);
void forget_for_good(struct story *c, nodes by, nodes who); /* force-leave with prune */
void crash(struct story *c, nodes who);      /* kill -9: the machine refuses */
void switch_off(struct story *c, nodes who); /* the machine is gone: silence */
void restart(struct story *c, nodes who);
void restart_at_new_address(struct story *c, nodes who);
/* The crashed `who` starts where the crashed `victim` used to be. */
void restart_at_address_of(struct story *c, nodes who, nodes victim);
/* Starts the crashed `who` under the name of `owner`. */
void restart_as(struct story *c, nodes who, nodes owner);
void freeze(struct story *c, nodes who);
void thaw(struct story *c, nodes who);
void starve(struct story *c, nodes who, span run, span every);
void feed(struct story *c, nodes who);
void send_event(struct story *c, nodes who, const char *name, const char *payload);
/* who asks everybody; acks are wanted. Nodes answer queries whose name begins with "answer" with the payload, reversed. */
void ask(struct story *c, nodes who, const char *name, const char *payload);
/* The same with all there is to a question. */
void ask_with(struct story *c, nodes who, struct hearsay_question question);
void ask_keys(struct story *c, nodes who, enum hearsay_key_wish wish, const struct hearsay_key *key);
void broadcast_message(struct story *c, nodes who, const char *text);
void set_tag(struct story *c, nodes who, const char *key, const char *value);
void remember(struct story *c, nodes who, nodes whom);

/* ---- the network ---------------------------------------------------------------------------------------------------------------- */

void cut(struct story *c, nodes some, nodes others);
void cut_one_way(struct story *c, nodes from, nodes to);
/* Each of the two groups hears only its own members. */
void partition(struct story *c, nodes one, nodes other);
void mend(struct story *c);
void latency(struct story *c, span least, span jitter);
void lose(struct story *c, double probability);
void duplicate(struct story *c, double probability);
void reorder(struct story *c, double probability, span by);
/* Each node hears (almost) nothing for about `length`, about every `every`. */
void burst(struct story *c, span length, span every, double loss);

/* ---- time and claims -------------------------------------------------------------------------------------------------------------- */

void advance(struct story *c, span time);
span time_of(const struct story *c); /* since the story began */

span expect_sees_within(struct story *c, span time, nodes who, nodes whom, enum hearsay_status status);
void expect_sees(struct story *c, nodes who, nodes whom, enum hearsay_status status);
void expect_never_sees_for(struct story *c, span time, nodes who, nodes whom, enum hearsay_status status);
/* Nobody running is ever shown as failed by anybody running, as far as the two were connected and neither is in `but`. */
void expect_nobody_buried_for(struct story *c, span time, nodes but);
/* All running nodes show exactly each other as alive, at their addresses. */
span expect_converged_within(struct story *c, span time);
/* The same for a part of the cluster that shall know itself only. */
span expect_agree_within(struct story *c, span time, nodes who);
/* At least one attempt of the last join of each succeeds; or every attempt fails. */
span expect_joined_within(struct story *c, span time, nodes who);
span expect_join_fails_within(struct story *c, span time, nodes who);
/* who was told of a user event or message of that name (exactly `times`, at this moment). */
span expect_heard_within(struct story *c, span time, nodes who, const char *name);
void expect_heard_times(struct story *c, nodes who, const char *name, unsigned times);
/* who was notified of such an event about `about` (nobody = about whomever); since the start of who's last life. */
span expect_told_within(struct story *c, span time, nodes who, enum hearsay_event_type type, nodes about);
void expect_never_told(struct story *c, nodes who, enum hearsay_event_type type, nodes about);
span expect_tag_within(struct story *c, span time, nodes who, nodes whom, const char *key, const char *value);
/* The last answer that `who` had from `whom`. */
void expect_answer(struct story *c, nodes who, nodes whom, const char *payload);
/* The last HEARSAY_QUERY_DONE or HEARSAY_CONFLICT_RESOLVED of `who`: its numbers; type is HEARSAY_EVENT_COUNT when there was none. */
struct hearsay_event last_end(struct story *c, nodes who);
/* Anything else: the story computes it, the text says what was wanted. */
void expect(struct story *c, bool is_so, const char *claim, ...) __attribute__((format(printf, 3, 4)));

/* ---- looking closer ----------------------------------------------------------------------------------------------------------------- */

struct world *story_world(struct story *c);
struct host *host_of(struct story *c, nodes who); /* exactly one */
const struct hearsay_counters *counters_of(struct story *c, nodes who);
struct hearsay_stats stats_of(struct story *c, nodes who);
/* How often `who` was notified of such events about `about` (nobody = about whomever), all of them together. */
unsigned times_told(struct story *c, nodes who, enum hearsay_event_type type, nodes about);
/* How often one of `who` itself (not by another's word) came to the verdict that one of `whom` is dead. */
unsigned times_declared_dead(struct story *c, nodes who, nodes whom);
/* The cause of the last such event of `who`; accuser is not kept. */
struct hearsay_cause last_cause(struct story *c, nodes who, enum hearsay_event_type type, nodes about);
uint64_t story_seed(const struct story *c);

/* --seed N, --seeds A..B, --story TITLE, --list, --trace, --digest. Without a seed, a few. */
int story_main(int argc, char **argv);


#endif
