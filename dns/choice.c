/* SPDX-License-Identifier: MIT
 *
 * See choice.h.
 */
#include "dns/choice.h"

#define NEAR_S 0.0005 /* nearer than this is equally near */

struct choosing {
    struct responder *r;
    struct choice_set seen;
    uint16_t type;
    size_t most;
    bool is_known;
};

bool choice_add(struct choice_set *set, const struct dns_instance *chosen, size_t number, bool is_port)
{
    const struct hearsay_address *a = &chosen[number].address;
    uint64_t hash = bytes_hash(bytes_of(a->bytes, a->size), is_port ? a->port : 0);
    for (size_t i = hash % CHOICE_SLOTS;; i = (i + 1) % CHOICE_SLOTS) { /* never more than half full */
        if (set->slots[i] == 0) {
            set->slots[i] = (uint16_t)(number + 1);
            return true;
        }
        const struct hearsay_address *b = &chosen[set->slots[i] - 1].address;
        if (a->size == b->size && bytes_same(a->bytes, b->bytes, a->size) && (!is_port || a->port == b->port)) {
            return false;
        }
    }
}

static bool is_wanted(uint16_t type, const struct hearsay_address *address)
{
    switch (type) {
    case DNS_A:
        return address->size == 4;
    case DNS_AAAA:
        return address->size == 16;
    case DNS_SRV:
        return address->port != 0;
    default:
        return true;
    }
}

static bool on_instance(void *user, const struct dns_instance *instance)
{
    struct choosing *c = user;
    struct responder *r = c->r;
    c->is_known = true;
    if (!instance->is_healthy) {
        return true;
    }
    struct dns_instance *next = &r->chosen[r->chosen_count];
    *next = *instance;
    next->address = address_normal(&instance->address);
    if (next->address.size > 0 && is_wanted(c->type, &next->address) &&
        choice_add(&c->seen, r->chosen, r->chosen_count, c->type == DNS_SRV)) {
        r->chosen_count++;
    }
    return r->chosen_count < c->most;
}

static bool is_as_near(const struct dns_instance *first, const struct dns_instance *other)
{
    double nearest = first->rtt > NEAR_S ? first->rtt : NEAR_S;
    return first->rtt < 0 ? other->rtt < 0 : other->rtt >= 0 && other->rtt <= 2 * nearest;
}

static void shuffle(struct rng *rng, struct dns_instance *at, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)rng_below(rng, i);
        struct dns_instance kept = at[i - 1];
        at[i - 1] = at[other];
        at[other] = kept;
    }
}

bool choice_make(struct responder *r, struct hearsay_bytes name, struct hearsay_bytes tag, uint16_t type, size_t most)
{
    struct choosing c = {.r = r, .type = type, .most = most < RESPONDER_INSTANCES ? most : RESPONDER_INSTANCES};
    r->chosen_count = 0;
    r->zone.service(r->zone.context, name, tag, on_instance, &c);
    for (size_t first = 0, end; first < r->chosen_count; first = end) {
        for (end = first + 1; end < r->chosen_count && is_as_near(&r->chosen[first], &r->chosen[end]); end++) {
        }
        shuffle(&r->rng, &r->chosen[first], end - first);
    }
    return c.is_known;
}
