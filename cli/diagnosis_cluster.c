/* SPDX-License-Identifier: MIT
 *
 * What holds for the cluster as a whole: groups that see different members, clusters that have never met, mixes of versions and of
 * encryption, and who lags behind. See diagnosis.h.
 */
#include "cli/diagnosis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAG 32 /* Lamport ticks behind the others that are worth a word */

/* Observers that hold the same members up, as groups; the largest first. */
struct groups {
    uint32_t *of;     /* group of each look, CENSUS_NONE: no observer */
    uint32_t *sample; /* one look of each group */
    uint32_t *size;
    uint32_t *order;
    uint32_t *who; /* room for a list */
    uint32_t count;
};

static bool see_the_same(const struct census *c, uint32_t a, uint32_t b)
{
    for (uint32_t s = 0; s < c->subject_count; s++) {
        if (claim_is_up(census_claim(c, a, s)) != claim_is_up(census_claim(c, b, s))) {
            return false;
        }
    }
    return true;
}

static void groups_free(struct groups *g)
{
    free(g->of);
    free(g->sample);
    free(g->size);
    free(g->order);
    free(g->who);
}

static bool groups_init(struct groups *g, const struct census *c)
{
    size_t size = ((size_t)c->look_count + 1) * sizeof(uint32_t);
    *g = (struct groups){malloc(size), malloc(size), malloc(size), malloc(size), malloc(size), 0};
    if (g->of == NULL || g->sample == NULL || g->size == NULL || g->order == NULL || g->who == NULL) {
        groups_free(g);
        return false;
    }
    for (uint32_t i = 0; i < c->look_count; i++) {
        uint32_t group = 0;
        g->of[i] = CENSUS_NONE;
        if (!census_observes(c, i)) {
            continue;
        }
        while (group < g->count && !see_the_same(c, g->sample[group], i)) {
            group++;
        }
        if (group == g->count) {
            g->sample[group] = i;
            g->size[group] = 0;
            g->order[group] = group;
            g->count++;
        }
        g->size[group]++;
        g->of[i] = group;
    }
    for (uint32_t i = 1; i < g->count; i++) { /* few groups: by insertion */
        for (uint32_t j = i; j > 0 && g->size[g->order[j]] > g->size[g->order[j - 1]]; j--) {
            uint32_t swapped = g->order[j];
            g->order[j] = g->order[j - 1];
            g->order[j - 1] = swapped;
        }
    }
    return true;
}

static const char *group_list(const struct groups *g, const struct census *c, uint32_t group, char out[CENSUS_LIST])
{
    size_t count = 0;
    for (uint32_t i = 0; i < c->look_count; i++) {
        if (g->of[i] == group) {
            g->who[count++] = c->observations[i].subject;
        }
    }
    return census_list(c, g->who, count, out);
}

/* Neither side of the two groups holds anybody of the other up. Have they ever heard of each other? */
static bool are_apart(const struct groups *g, const struct census *c, uint32_t a, uint32_t b, bool *have_met)
{
    *have_met = false;
    for (uint32_t i = 0; i < c->look_count; i++) {
        if (g->of[i] != a && g->of[i] != b) {
            continue;
        }
        for (uint32_t j = 0; j < c->look_count; j++) {
            if (g->of[j] != (g->of[i] == a ? b : a)) {
                continue;
            }
            struct claim claim = census_claim(c, i, c->observations[j].subject);
            if (claim_is_up(claim)) {
                return false;
            }
            *have_met |= claim.status != HEARSAY_NONE;
        }
    }
    return true;
}

/* Who is up for one group and not for the other. */
static void show_difference(struct finding *one, const struct census *c, struct groups *g, uint32_t a, uint32_t b)
{
    char list[CENSUS_LIST], them[CENSUS_LIST];
    for (int side = 0; side < 2; side++) {
        uint32_t yes = side == 0 ? a : b, no = side == 0 ? b : a;
        size_t count = 0;
        uint32_t *who = malloc(((size_t)c->subject_count + 1) * sizeof *who);
        for (uint32_t s = 0; who != NULL && s < c->subject_count; s++) {
            if (claim_is_up(census_claim(c, g->sample[yes], s)) && !claim_is_up(census_claim(c, g->sample[no], s))) {
                who[count++] = s;
            }
        }
        if (count > 0) {
            group_list(g, c, yes, them);
            finding_show(one, "only {%s} hold up: %s", them, census_list(c, who, count, list));
        }
        free(who);
    }
}

static bool say_groups(const struct census *c, struct groups *g, struct findings *f)
{
    char text[4 * CENSUS_LIST] = "", list[CENSUS_LIST];
    size_t used = 0;
    for (uint32_t i = 0; i < g->count && i < 4; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s{%s}", i == 0 ? "" : " ", group_list(g, c, g->order[i], list));
    }
    bool have_met, is_split = are_apart(g, c, g->order[0], g->order[1], &have_met);
    struct finding *one =
        is_split && have_met
            ? findings_add(f, FINDING_PROBLEM, "split-brain",
                           "the halves do not hear each other: mend the network between them, then let one member of each join the other",
                           "split brain, %u views: %s", g->count, text)
        : is_split ? findings_add(f, FINDING_PROBLEM, "fragments", "if they should be one, join a member of each to the other",
                                  "%u separate clusters, or parts that have forgotten each other: %s", g->count, text)
                   : findings_add(f, FINDING_PROBLEM, "views", "right after a change this is normal; look again after a push/pull interval",
                                  "%u views: %s", g->count, text);
    for (uint32_t i = 1; i < g->count && i < 4; i++) {
        show_difference(one, c, g, g->order[0], g->order[i]);
    }
    return is_split;
}

/* ---- mixes ---------------------------------------------------------------------------------------------------------------------- */

static void compare_encryption(const struct census *c, struct findings *f)
{
    uint32_t plain = 0, sealed = 0;
    bool has_no_keys = false; /* a product that can do TLS only */
    for (uint32_t i = 0; i < c->look_count; i++) {
        has_no_keys |= c->observations[i].is_seen && c->observations[i].product.kind == PRODUCT_ALERTMANAGER;
        plain += c->observations[i].is_seen && !c->observations[i].facts.is_encrypted;
        sealed += c->observations[i].is_seen && c->observations[i].facts.is_encrypted;
    }
    if (plain > 0 && sealed == 0) {
        findings_add(f, FINDING_NOTE, "unencrypted",
                     has_no_keys ? "give it TLS (--cluster.tls-config), unless the network is yours alone"
                                 : "set a key (hearsay keygen), unless the network is yours alone",
                     "the cluster is not encrypted: whoever reaches a gossip port reads and lies");
    }
}

/* Versions as each member announces its own. */
static void compare_versions(const struct census *c, struct findings *f)
{
    struct claim first = {.status = HEARSAY_NONE};
    const char *whose = NULL;
    struct finding *one = NULL;
    for (uint32_t i = 0; i < c->look_count; i++) {
        if (!census_observes(c, i)) {
            continue;
        }
        struct claim own = census_claim(c, i, c->observations[i].subject);
        if (own.status == HEARSAY_NONE) {
            continue;
        }
        if (whose == NULL) {
            whose = census_name(c, i);
            first = own;
        } else if (memcmp(first.versions, own.versions, sizeof own.versions) != 0) {
            const uint8_t *a = first.versions, *b = own.versions;
            if (one == NULL) {
                one = findings_add(f, FINDING_WARNING, "versions", "finish the upgrade; mixed versions speak the oldest one",
                                   "protocol versions are mixed");
                finding_show(one, "%s: %u-%u/%u %u-%u/%u", whose, a[0], a[1], a[2], a[3], a[4], a[5]);
            }
            finding_show(one, "%s: %u-%u/%u %u-%u/%u", census_name(c, i), b[0], b[1], b[2], b[3], b[4], b[5]);
        }
    }
}

static void compare_clocks(const struct census *c, struct findings *f)
{
    uint64_t newest[3] = {0};
    static const char *const words[] = {"joins and leaves", "events", "queries"};
    for (uint32_t i = 0; i < c->look_count; i++) {
        const struct hearsay_inspect_facts *o = &c->observations[i].facts;
        const uint64_t times[] = {o->member_time, o->event_time, o->query_time};
        for (int k = 0; k < 3 && c->observations[i].is_seen; k++) {
            newest[k] = times[k] > newest[k] ? times[k] : newest[k];
        }
    }
    for (uint32_t i = 0; i < c->look_count; i++) {
        const struct hearsay_inspect_facts *o = &c->observations[i].facts;
        const uint64_t times[] = {o->member_time, o->event_time, o->query_time};
        for (int k = 0; k < 3 && c->observations[i].is_seen && o->is_serf; k++) {
            if (newest[k] - times[k] > LAG) {
                findings_add(f, FINDING_WARNING, "clock-lag", "it misses rumours: look for packet loss or a full queue on it",
                             "%s lags %llu ticks behind in %s", census_name(c, i), (unsigned long long)(newest[k] - times[k]), words[k]);
            }
        }
    }
}

/* Two members up at one address, as one observer tells it. */
static void compare_places(const struct census *c, struct findings *f)
{
    uint32_t *tenant = malloc(((size_t)c->address_count + 1) * sizeof *tenant);
    bool *is_told = calloc((size_t)c->address_count + 1, sizeof *is_told);
    for (uint32_t i = 0; tenant != NULL && is_told != NULL && i < c->look_count; i++) {
        const struct observation *o = &c->observations[i];
        memset(tenant, 0xff, ((size_t)c->address_count + 1) * sizeof *tenant);
        for (uint32_t s = 0; s < o->claim_count; s++) {
            uint32_t at = o->claims[s].address;
            if (!claim_is_up(o->claims[s])) {
                continue;
            }
            if (tenant[at] == CENSUS_NONE || is_told[at]) {
                tenant[at] = s;
                continue;
            }
            is_told[at] = true;
            finding_show(findings_add(f, FINDING_PROBLEM, "address-conflict",
                                      "one of them is gone, or advertises a wrong address: force-leave the dead name",
                                      "%s and %s are both said to live at the same address", c->subjects[tenant[at]].name,
                                      c->subjects[s].name),
                         "so says %s", census_name(c, i));
        }
    }
    free(tenant);
    free(is_told);
}

bool diagnosis_of_cluster(const struct census *c, struct findings *f)
{
    struct groups g;
    if (!groups_init(&g, c)) {
        f->is_short = true;
        return false;
    }
    bool is_split = g.count > 1 && say_groups(c, &g, f);
    groups_free(&g);
    if (c->is_cut) {
        findings_add(f, FINDING_NOTE, "cut", "look from other seeds as well", "more members are named than the %u that were looked at",
                     c->look_count);
    }
    compare_encryption(c, f);
    compare_versions(c, f);
    compare_clocks(c, f);
    compare_places(c, f);
    diagnosis_of_products(c, f);
    return is_split;
}
