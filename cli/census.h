/* SPDX-License-Identifier: MIT
 *
 * What every member of a cluster believes about every other, gathered by looking at each. Begins with seeds and goes on to whomever their
 * views name, until nobody new is told. It only gathers; diagnosis.h says what it means.
 */
#ifndef HEARSAY_CLI_CENSUS_H
#define HEARSAY_CLI_CENSUS_H

#include "cli/look.h"
#include "cli/product.h"

#include "base/table.h"

#define CENSUS_NONE UINT32_MAX
#define CENSUS_LIST 1024      /* room for a list of names */
#define CENSUS_LOOKS_MAX 2000 /* each keeps a claim about everybody */

/* One observer's word about one subject. */
struct claim {
    uint32_t incarnation;
    uint32_t address; /* number in addresses */
    uint32_t tags;    /* hash of the meta */
    uint8_t versions[6];
    uint8_t status; /* enum hearsay_status; HEARSAY_NONE: never heard of */
};

/* Somebody who is talked about, or who answered. */
struct subject {
    char *key;     /* the name as it was told */
    char *name;    /* the same, safe to show */
    uint32_t look; /* the look at it, CENSUS_NONE: nobody looked, or somebody else lives there */
    uint32_t tenant; /* the look at its address that found somebody else there, or CENSUS_NONE */
    bool has_left; /* nobody believes it up, and somebody saw it leave */
};

/* A look that brought a view, or at least an answer. */
struct observation {
    char address[64];
    uint32_t subject; /* whose view it is; CENSUS_NONE: who it is could not be told */
    struct hearsay_inspect_facts facts;
    struct product product;
    struct claim *claims;
    uint32_t claim_count; /* subjects that were known when it was read; later ones it never named */
    bool is_seen;
};

struct census {
    struct look *looks;
    struct observation *observations; /* parallel to looks */
    uint32_t look_count, look_capacity;
    struct subject *subjects;
    uint32_t subject_count, subject_capacity;
    struct hearsay_address *addresses;
    uint32_t address_count, address_capacity;
    struct table by_name, by_address;
    uint64_t took_us;
    bool is_cut; /* more were named than CENSUS_LOOKS_MAX */
};

/* The steps of it, one by one: nobody yet; the number of a name or an address, entered if it is new (CENSUS_NONE: no memory); one more
 * look, with its observation still empty. */
void census_init(struct census *c);
uint32_t census_subject(struct census *c, const char *name);
uint32_t census_address(struct census *c, const struct hearsay_address *address);
bool census_add_look(struct census *c, const struct place *place, const char *name);

/* Looks at the seeds and then at everybody. False when memory is out; either way census_free. tell is called as looks end, on a
 * terminal's behalf; may be NULL. */
bool census_take(struct census *c, const struct place *seeds, size_t count, const struct look_rules *rules,
                 void (*tell)(uint32_t looked, uint32_t known));
void census_free(struct census *c);

/* What the look's node says of the subject; status HEARSAY_NONE if nothing. */
struct claim census_claim(const struct census *c, uint32_t look, uint32_t subject);
/* Alive, suspect or leaving: still part of the cluster. */
static inline bool claim_is_up(struct claim claim)
{
    return claim.status == HEARSAY_ALIVE || claim.status == HEARSAY_SUSPECT || claim.status == HEARSAY_LEAVING;
}
/* Does this look count as an observer: a view, and we know whose. */
static inline bool census_observes(const struct census *c, uint32_t look)
{
    return c->observations[look].is_seen && c->observations[look].subject != CENSUS_NONE;
}
/* Name of who was looked at, or its address when that is all we have. */
const char *census_name(const struct census *c, uint32_t look);
/* "a, b, c and 4 more" into out. */
const char *census_list(const struct census *c, const uint32_t *subjects, size_t count, char out[CENSUS_LIST]);

#endif
