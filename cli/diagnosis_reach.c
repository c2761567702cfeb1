/* SPDX-License-Identifier: MIT
 *
 * What one node answers, and what its silence means. See diagnosis.h.
 */
#include "cli/diagnosis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKEW_MS 500   /* wall clocks further apart than this are worth a finding; half a round trip is not known */
#define LOUD_US 20000 /* round trips beyond five times the median and this are slow */

/* How many observers believe it up. */
static unsigned believers(const struct census *c, uint32_t subject, unsigned *observers)
{
    unsigned up = 0;
    *observers = 0;
    for (uint32_t i = 0; i < c->look_count; i++) {
        if (census_observes(c, i) && c->observations[i].subject != subject) {
            ++*observers;
            up += claim_is_up(census_claim(c, i, subject));
        }
    }
    return up;
}

static bool any_seen(const struct census *c)
{
    for (uint32_t i = 0; i < c->look_count; i++) {
        if (c->observations[i].is_seen) {
            return true;
        }
    }
    return false;
}

/* Neither stream nor ping: dead, or cut off from here. Those whom everybody holds dead are no news. */
static void say_silent(const struct census *c, uint32_t number, struct findings *f)
{
    const struct observation *o = &c->observations[number];
    const struct inspection *i = &c->looks[number].inspection;
    unsigned observers = 0, up = o->subject == CENSUS_NONE ? 0 : believers(c, o->subject, &observers);
    if (o->subject == CENSUS_NONE) {
        finding_show(findings_add(f, FINDING_WARNING, "seed-silent", "check the address, and that a node runs there",
                                  "nobody answers at %s", o->address),
                     "stream: %s; %u pings without an answer", strerror(i->tcp_error), i->pings);
    } else if (up > 0) {
        finding_show(
            findings_add(f, FINDING_PROBLEM, "unreachable",
                         "is its process alive, and is there a path from here to it (routing, firewall)? If it is dead, the others "
                         "will notice within their detection time: look again",
                         "%s does not answer at %s, yet %u of %u members believe it up", census_name(c, number), o->address, up, observers),
            "stream: %s; %u pings without an answer", strerror(i->tcp_error), i->pings);
    }
}

static void say_half(const struct census *c, uint32_t number, struct findings *f)
{
    const struct observation *o = &c->observations[number];
    const struct inspection *i = &c->looks[number].inspection;
    if (!i->has_connected) {
        finding_show(findings_add(f, FINDING_PROBLEM, "tcp-blocked", "open TCP to this port as well: exchanges and joins need it",
                                  "%s answers pings but no stream: TCP to %s is blocked", census_name(c, number), o->address),
                     "stream: %s; %u of %u pings answered", strerror(i->tcp_error), i->acks, i->pings);
    } else if (i->acks == 0 && o->is_seen && !c->looks[number].is_other_name) {
        finding_show(
            findings_add(f, FINDING_PROBLEM, "udp-blocked",
                         "open UDP to this port: without it every probe falls back to streams and the node is suspected again and again",
                         "%s serves streams but answers no ping: UDP to %s is blocked", census_name(c, number), o->address),
            "exchange of %u members succeeded; 0 of %u pings answered", o->facts.members, i->pings);
    } else if (i->acks > 0 && i->acks < i->pings) {
        findings_add(f, FINDING_WARNING, "packet-loss", "look for an overloaded host or link on the path", "%u of %u pings to %s were lost",
                     i->pings - i->acks, i->pings, census_name(c, number));
    }
}

/* "n1 at 10.0.0.1:7946", or the address alone when we do not know who lives there. */
static void title(const struct census *c, uint32_t number, char out[CENSUS_LIST])
{
    const struct observation *o = &c->observations[number];
    bool is_known = o->subject != CENSUS_NONE;
    snprintf(out, CENSUS_LIST, "%s%s%s", is_known ? c->subjects[o->subject].name : "", is_known ? " at " : "", o->address);
}

static void say_refused(const struct census *c, uint32_t number, struct findings *f)
{
    const struct inspection *i = &c->looks[number].inspection;
    const char *at = c->observations[number].address;
    char who[CENSUS_LIST];
    bool is_mix = any_seen(c);
    char why[512];
    inspection_finding(i, why, sizeof why);
    struct finding *one;
    title(c, number, who);
    switch (i->status) {
    case HEARSAY_INSPECT_MORE:
        one = i->acks == 0 ? findings_add(f, FINDING_PROBLEM, "frozen",
                                          "is the process stopped, swapping or out of CPU? Look at it with top, dmesg and its log",
                                          "%s accepts connections but says nothing, and answers no ping: frozen or overloaded", who)
                           : findings_add(f, FINDING_WARNING, "busy", "look at its load: it serves too many exchanges, or is slow",
                                          "%s answers pings but did not answer an exchange in time", who);
        break;
    case HEARSAY_INSPECT_REFUSED:
    case HEARSAY_INSPECT_CIPHER:
        one = findings_add(f, FINDING_PROBLEM, "key",
                           is_mix ? "compare the keyrings: hearsay keys list, or the node's configuration"
                                  : "give the key of the cluster with --encrypt @FILE",
                           "%s does not share %s", who, i->has_key ? "our key" : "our lack of a key: it wants encryption");
        break;
    case HEARSAY_INSPECT_PLAINTEXT:
        one = findings_add(f, FINDING_PROBLEM, "plaintext", "give this node the cluster's key",
                           "%s runs without encryption although the cluster has a key", who);
        break;
    default:
        one = i->bytes == 0
                  ? findings_add(f, FINDING_PROBLEM, "label", "compare the labels (--label), and check that this is the gossip port",
                                 "%s closes without a word: another label, not the gossip port, or no place for one more exchange", who)
                  : findings_add(f, FINDING_PROBLEM, "not-memberlist", "is that the gossip port?",
                                 "what answers at %s is not memberlist's protocol", at);
    }
    finding_show(one, "%s", why);
}

/* The address answers, but not for that name. */
static void say_reused(const struct census *c, uint32_t subject, uint32_t number, struct findings *f)
{
    const struct observation *o = &c->observations[number];
    bool is_known = o->subject != CENSUS_NONE && o->subject != subject;
    unsigned observers, up = believers(c, subject, &observers);
    struct finding *one =
        findings_add(f, up > 0 ? FINDING_PROBLEM : FINDING_NOTE, "address-reused",
                     up > 0 ? "the address was given to another node: the old name must leave (hearsay force-leave NAME)"
                            : "nothing, if the old node is gone for good",
                     "%s is said to live at %s, but %s answers there", c->subjects[subject].name, o->address,
                     is_known ? c->subjects[o->subject].name : "somebody else");
    finding_show(one, "%u of %u members believe %s up; whoever is there answers, but not for that name", up, observers,
                 c->subjects[subject].name);
}

/* Whose pings were met with silence while others were answered; or whose address another one answers at. */
static void find_reused(const struct census *c, struct findings *f)
{
    for (uint32_t s = 0; s < c->subject_count; s++) {
        uint32_t number = c->subjects[s].tenant;
        for (uint32_t i = 0; i < c->look_count && number == CENSUS_NONE; i++) {
            bool is_it = c->looks[i].is_other_name && c->looks[i].name != NULL && strcmp(c->looks[i].name, c->subjects[s].key) == 0;
            number = is_it ? i : number;
        }
        if (number != CENSUS_NONE && !c->subjects[s].has_left) {
            say_reused(c, s, number, f);
        }
    }
}

static int by_size(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static uint64_t mean_us(const struct inspection *i)
{
    return i->rtt_sum_us / i->acks;
}

static void say_slow(const struct census *c, struct findings *f)
{
    uint64_t *all = malloc((c->look_count + 1) * sizeof *all);
    size_t count = 0;
    for (uint32_t i = 0; all != NULL && i < c->look_count; i++) {
        if (c->looks[i].inspection.acks > 0) {
            all[count++] = mean_us(&c->looks[i].inspection);
        }
    }
    if (count >= 3) {
        qsort(all, count, sizeof all[0], by_size);
        uint64_t median = all[count / 2];
        for (uint32_t i = 0; i < c->look_count; i++) {
            const struct inspection *it = &c->looks[i].inspection;
            if (it->acks > 0 && mean_us(it) > LOUD_US + 5 * median) {
                finding_show(
                    findings_add(f, FINDING_WARNING, "slow", "look at its CPU and its link; slow members raise and receive suspicions",
                                 "%s answers slowly", census_name(c, i)),
                    "%.1f ms a round trip; half of the members need less than %.1f ms", (double)mean_us(it) / 1000, (double)median / 1000);
            }
        }
    }
    free(all);
}

static int by_value(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Wall clocks, held against the middle of them all: ours may be the one that is wrong. Only hearsay nodes tell theirs. */
static void say_clocks(const struct census *c, struct findings *f)
{
    int64_t *all = malloc((c->look_count + 1) * sizeof *all);
    uint32_t count = 0, mute = 0;
    for (uint32_t i = 0; all != NULL && i < c->look_count; i++) {
        const struct inspection *it = &c->looks[i].inspection;
        if (it->has_clock) {
            all[count++] = it->clock_ahead_ms;
        } else {
            mute += it->acks > 0;
        }
    }
    if (count > 0) {
        qsort(all, count, sizeof all[0], by_value);
        int64_t middle = all[count / 2];
        for (uint32_t i = 0; i < c->look_count; i++) {
            const struct inspection *it = &c->looks[i].inspection;
            int64_t ahead = it->clock_ahead_ms - middle;
            if (it->has_clock && llabs(ahead) > SKEW_MS + (int64_t)(it->rtt_least_us / 1000)) {
                finding_show(findings_add(f, FINDING_WARNING, "clock-skew",
                                          "let NTP set it right: logs of the two cannot be compared, and the shared store refuses clocks that "
                                          "are far ahead",
                                          "the clock of %s is %.1f s %s the others'", census_name(c, i), (double)llabs(ahead) / 1000,
                                          ahead < 0 ? "behind" : "ahead of"),
                             "it is %.3f s %s this computer's; %u told theirs", (double)llabs(it->clock_ahead_ms) / 1000,
                             it->clock_ahead_ms < 0 ? "behind" : "ahead of", count);
            }
        }
        if (llabs(middle) > SKEW_MS) {
            findings_add(f, FINDING_NOTE, "own-clock", "let NTP set it right", "this computer's own clock is %.1f s %s the cluster's",
                         (double)llabs(middle) / 1000, middle > 0 ? "behind" : "ahead of");
        }
    }
    if (mute > 0) {
        findings_add(f, FINDING_NOTE, "clocks-unknown", "nothing to do; compare them by hand if in doubt",
                     "the clock%s of %u member%s cannot be told from outside: only hearsay nodes say what theirs shows", mute == 1 ? "" : "s",
                     mute, mute == 1 ? "" : "s");
    }
    free(all);
}

void diagnosis_of_reach(const struct census *c, struct findings *f)
{
    for (uint32_t i = 0; i < c->look_count; i++) {
        const struct inspection *it = &c->looks[i].inspection;
        if (!it->has_connected && it->acks == 0 && !c->looks[i].is_other_name) {
            say_silent(c, i, f);
        } else if (it->has_connected && !c->observations[i].is_seen) {
            say_refused(c, i, f);
        } else {
            say_half(c, i, f);
        }
    }
    find_reused(c, f);
    say_slow(c, f);
    say_clocks(c, f);
}
