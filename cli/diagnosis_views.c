/* SPDX-License-Identifier: MIT
 *
 * What observers say of one member, and where they contradict each other or what we saw ourselves. See diagnosis.h.
 */
#include "cli/diagnosis.h"

#include <hearsay/hearsay.h>
#include <hearsay/hearsay_uv.h>
#include <stdlib.h>

#define RESTLESS 20 /* incarnations beyond this are worth a note */

/* Who says what of one subject; the subject's own word is left out. Numbers of subjects. */
struct poll {
    uint32_t *up, *suspect, *failed, *left, *unknown;
    uint32_t up_count, suspect_count, failed_count, left_count, unknown_count, observers;
    uint32_t *room;
};

static bool poll_init(struct poll *p, const struct census *c)
{
    p->room = calloc(5 * ((size_t)c->look_count + 1), sizeof *p->room);
    return p->room != NULL;
}

static void poll_take(struct poll *p, const struct census *c, uint32_t subject)
{
    uint32_t *room = p->room, step = c->look_count + 1;
    *p = (struct poll){room, room + step, room + 2 * step, room + 3 * step, room + 4 * step, .room = room};
    for (uint32_t i = 0; i < c->look_count; i++) {
        uint32_t observer = c->observations[i].subject;
        if (!census_observes(c, i) || observer == subject) {
            continue;
        }
        p->observers++;
        struct claim claim = census_claim(c, i, subject);
        switch ((enum hearsay_status)claim.status) {
        case HEARSAY_SUSPECT:
            p->suspect[p->suspect_count++] = observer;
            p->up[p->up_count++] = observer;
            break;
        case HEARSAY_ALIVE:
        case HEARSAY_LEAVING:
            p->up[p->up_count++] = observer;
            break;
        case HEARSAY_FAILED:
            p->failed[p->failed_count++] = observer;
            break;
        case HEARSAY_LEFT:
            p->left[p->left_count++] = observer;
            break;
        case HEARSAY_NONE:
            p->unknown[p->unknown_count++] = observer;
        }
    }
}

static void show_sides(struct finding *one, const struct census *c, const struct poll *p)
{
    char list[CENSUS_LIST];
    const struct {
        const char *word;
        const uint32_t *who;
        uint32_t count;
    } sides[] = {{"up", p->up, p->up_count},
                 {"failed", p->failed, p->failed_count},
                 {"left", p->left, p->left_count},
                 {"not known", p->unknown, p->unknown_count}};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        if (sides[i].count > 0) {
            finding_show(one, "%s at %s", sides[i].word, census_list(c, sides[i].who, sides[i].count, list));
        }
    }
}

static bool is_reached(const struct census *c, uint32_t subject)
{
    uint32_t look = c->subjects[subject].look;
    return look != CENSUS_NONE && c->observations[look].subject == subject &&
           (c->looks[look].inspection.acks > 0 || c->looks[look].inspection.has_connected);
}

/* Verdicts about one member that differ from each other or from what we saw. */
static void compare_verdicts(const struct census *c, const struct poll *p, uint32_t s, struct findings *f)
{
    const char *name = c->subjects[s].name;
    bool is_here = is_reached(c, s);
    if (is_here && p->failed_count > 0) {
        show_sides(findings_add(f, FINDING_PROBLEM, p->up_count > 0 ? "one-way" : "buried-alive",
                                p->up_count > 0
                                    ? "between those groups packets are lost, perhaps in one direction only: test UDP and TCP both ways"
                                    : "it lives, but cannot reach the others or they cannot reach it: check UDP and TCP both ways, "
                                      "then let it join again",
                                "%s answers us, but %u of %u members hold it failed%s", name, p->failed_count + p->unknown_count,
                                p->observers, p->unknown_count > 0 ? " or have forgotten it" : ""),
                   c, p);
    } else if (!is_here && p->up_count > 0 && p->failed_count > 0) {
        show_sides(
            findings_add(
                f, FINDING_PROBLEM, "still-believed",
                "the news has not reached all: if this outlasts a push/pull interval, those groups do not hear each other",
                "%s is dead to %u of %u members and up to the others", name, p->failed_count, p->observers),
            c, p);
    } else if (is_here && p->unknown_count > 0 && p->up_count > 0) {
        show_sides(findings_add(f, FINDING_WARNING, "unheard",
                                "right after a join this is normal; otherwise they never met it, or forgot it as dead: let them join each other",
                                "%u of %u members do not know %s, which is up", p->unknown_count, p->observers, name),
                   c, p);
    }
    if (is_here && p->left_count > 0) {
        show_sides(findings_add(f, FINDING_WARNING, "left-but-answers", "it said goodbye and still runs: stop it, or let it join again",
                                "%s answers us, but %u of %u members saw it leave", name, p->left_count, p->observers),
                   c, p);
    }
    if (p->suspect_count > 0) {
        char list[CENSUS_LIST];
        finding_show(findings_add(f, FINDING_WARNING, "suspected",
                                  "if it comes back again and again: its CPU, its UDP path, or that of its accusers",
                                  "%s is suspected right now by %u of %u members", name, p->suspect_count, p->observers),
                     "suspected by %s", census_list(c, p->suspect, p->suspect_count, list));
    }
}

/* One name, several addresses: a name conflict, or an address that changed and is not known everywhere. */
static void compare_addresses(const struct census *c, uint32_t s, struct findings *f)
{
    uint32_t first = CENSUS_NONE, other = CENSUS_NONE;
    uint32_t says_first = 0, says_other = 0;
    for (uint32_t i = 0; i < c->look_count; i++) {
        struct claim claim = census_claim(c, i, s);
        if (!c->observations[i].is_seen || !claim_is_up(claim)) {
            continue;
        }
        if (first == CENSUS_NONE) {
            first = claim.address;
            says_first = i;
        } else if (claim.address != first && other == CENSUS_NONE) {
            other = claim.address;
            says_other = i;
        }
    }
    if (other == CENSUS_NONE) {
        return;
    }
    char here[64], there[64];
    hearsay_address_text(&c->addresses[first], here, sizeof here);
    hearsay_address_text(&c->addresses[other], there, sizeof there);
    struct finding *one = findings_add(f, FINDING_PROBLEM, "name-conflict", "two nodes use this name: rename one, or stop it",
                                       "%s lives at %s for some and at %s for others", c->subjects[s].name, here, there);
    finding_show(one, "%s says %s", census_name(c, says_first), here);
    finding_show(one, "%s says %s", census_name(c, says_other), there);
}

static void compare_tags(const struct census *c, uint32_t s, struct findings *f)
{
    uint32_t newest = 0, first = CENSUS_NONE;
    for (uint32_t i = 0; i < c->look_count; i++) {
        struct claim claim = census_claim(c, i, s);
        newest = claim_is_up(claim) && claim.incarnation > newest ? claim.incarnation : newest;
    }
    if (newest > RESTLESS) {
        findings_add(f, FINDING_NOTE, "restless", "often suspected? Look at its load and its UDP path",
                     "%s is in its %uth incarnation: it has denied accusations or changed its tags that often", c->subjects[s].name,
                     newest);
    }
    for (uint32_t i = 0; i < c->look_count; i++) {
        struct claim claim = census_claim(c, i, s);
        if (!claim_is_up(claim) || claim.incarnation != newest) {
            continue;
        }
        if (first == CENSUS_NONE) {
            first = i;
        } else if (claim.tags != census_claim(c, first, s).tags) {
            finding_show(findings_add(f, FINDING_PROBLEM, "tags-differ", "two nodes use this name, or one of the observers is faulty",
                                      "%s has different tags in different views of the same incarnation", c->subjects[s].name),
                         "%s and %s contradict each other at incarnation %u", census_name(c, first), census_name(c, i), newest);
            return;
        }
    }
}

void diagnosis_of_views(const struct census *c, bool is_split, struct findings *f)
{
    struct poll p;
    if (!poll_init(&p, c)) {
        f->is_short = true;
        return;
    }
    for (uint32_t s = 0; s < c->subject_count; s++) {
        poll_take(&p, c, s);
        if (!is_split || c->subjects[s].look == CENSUS_NONE || !census_observes(c, c->subjects[s].look)) {
            compare_verdicts(c, &p, s, f);
        }
        compare_addresses(c, s, f);
        compare_tags(c, s, f);
    }
    free(p.room);
}
