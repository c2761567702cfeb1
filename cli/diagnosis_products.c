/* SPDX-License-Identifier: MIT
 *
 * Which products share a cluster, whether the versions they demand fit together, and whether the state that each adds of its own (silences of
 * Alertmanager, keys of dskit) is the same everywhere. See diagnosis.h and product.h.
 */
#include "cli/diagnosis.h"
#include "cli/versions.h"

static bool differ(enum product_kind a, enum product_kind b)
{
    return !product_is(a, b) && !product_is(b, a);
}

static void compare_kinds(const struct census *c, struct findings *f)
{
    uint32_t first = CENSUS_NONE;
    for (uint32_t i = 0; i < c->look_count; i++) {
        enum product_kind kind = c->observations[i].product.kind;
        if (!c->observations[i].is_seen) {
            continue;
        }
        if (first == CENSUS_NONE) {
            first = i;
        } else if (differ(kind, c->observations[first].product.kind)) {
            enum product_kind other = c->observations[first].product.kind;
            struct finding *one = findings_add(f, FINDING_PROBLEM, "personality",
                                               "two products share this cluster: give each its own label, and let the strangers leave",
                                               "%s and %s are mixed", product_title(other), product_title(kind));
            finding_show(one, "%s is %s", census_name(c, first), product_title(other));
            finding_show(one, "%s is %s", census_name(c, i), product_title(kind));
            return;
        }
    }
}

static void compare_ranges(const struct census *c, struct findings *f)
{
    struct versions versions = {.count = 0};
    char clash[256];
    for (uint32_t i = 0; i < c->look_count; i++) {
        for (uint32_t s = 0; s < c->observations[i].claim_count; s++) {
            struct claim claim = census_claim(c, i, s);
            if (claim_is_up(claim)) {
                versions_take(&versions, c->subjects[s].name, claim.versions);
            }
        }
    }
    if (versions_clash(&versions, clash, sizeof clash)) {
        findings_add(f, FINDING_PROBLEM, "version-clash",
                     "upgrade the older, or keep them apart: exchanges and joins between the two are refused, whatever rumours say",
                     "versions clash: %s", clash);
    }
}

/* The product's own version, as its tags tell. */
static void compare_builds(const struct census *c, struct findings *f)
{
    for (uint32_t i = 0; i < c->look_count; i++) {
        const struct product *p = &c->observations[i].product;
        if (c->observations[i].is_seen && p->build_count > 1) {
            finding_show(findings_add(f, FINDING_WARNING, "builds", "finish the upgrade", "%zu versions of %s are mixed: %s",
                                      p->build_count, product_title(p->kind), p->builds),
                         "so says %s", census_name(c, i));
            return;
        }
    }
}

static void compare_states(const struct census *c, struct findings *f)
{
    uint32_t first = CENSUS_NONE;
    struct finding *one = NULL;
    char text[512];
    for (uint32_t i = 0; i < c->look_count; i++) {
        const struct product *p = &c->observations[i].product;
        if (!c->observations[i].is_seen || (p->kind != PRODUCT_ALERTMANAGER && p->kind != PRODUCT_DSKIT)) {
            continue;
        }
        if (first == CENSUS_NONE) {
            first = i;
            continue;
        }
        const struct product *other = &c->observations[first].product;
        if (p->kind != other->kind || p->digest == other->digest) {
            continue;
        }
        if (one == NULL) {
            one = findings_add(f, FINDING_WARNING, "state-differs",
                               "right after a change this is normal; if it outlasts a push/pull interval (1 min), exchanges between them fail: "
                               "look at their logs, and at TCP both ways",
                               "members agree on who is there, but not on %s", p->kind == PRODUCT_ALERTMANAGER ? "silences" : "which keys exist");
            product_describe(other, text, sizeof text);
            finding_show(one, "%s: %s", census_name(c, first), text);
        }
        product_describe(p, text, sizeof text);
        finding_show(one, "%s: %s", census_name(c, i), text);
    }
}

void diagnosis_of_products(const struct census *c, struct findings *f)
{
    compare_kinds(c, f);
    compare_ranges(c, f);
    compare_builds(c, f);
    compare_states(c, f);
}
