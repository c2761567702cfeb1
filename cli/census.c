/* SPDX-License-Identifier: MIT
 *
 * See census.h. Looks go in waves: the seeds, then all whom the views so far name and whose place nobody looked at, and so on. A stranger's
 * answer cannot make it grow beyond CENSUS_LOOKS_MAX looks, nor beyond what was received.
 */
#include "cli/census.h"

#include "cli/clock.h"
#include "cli/plain.h"

#include <hearsay/hearsay_uv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more of size bytes. */
static bool grow(void *array, uint32_t count, uint32_t *capacity, size_t size)
{
    void *old;
    memcpy(&old, array, sizeof old);
    if (count < *capacity) {
        return true;
    }
    uint32_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *more = realloc(old, wanted * size);
    if (more == NULL) {
        return false;
    }
    memcpy(array, &more, sizeof more);
    *capacity = wanted;
    return true;
}

/* ---- who and where -------------------------------------------------------------------------------------------------------------- */

static struct hearsay_bytes subject_key(const void *owner, uint32_t number)
{
    return bytes_of_string(((const struct census *)owner)->subjects[number].key);
}

static struct hearsay_bytes address_bytes(const struct hearsay_address *a)
{
    return bytes_of(a, sizeof *a);
}

static struct hearsay_bytes address_key(const void *owner, uint32_t number)
{
    return address_bytes(&((const struct census *)owner)->addresses[number]);
}

uint32_t census_subject(struct census *c, const char *name)
{
    uint32_t number = table_find(&c->by_name, bytes_of_string(name));
    if (number != TABLE_NONE) {
        return number;
    }
    if (!grow(&c->subjects, c->subject_count, &c->subject_capacity, sizeof *c->subjects) || !table_reserve(&c->by_name)) {
        return CENSUS_NONE;
    }
    struct subject s = {.key = strdup(name), .name = plain_copy(bytes_of_string(name)), .look = CENSUS_NONE, .tenant = CENSUS_NONE};
    if (s.key == NULL || s.name == NULL) {
        free(s.key);
        free(s.name);
        return CENSUS_NONE;
    }
    plain_tame(s.name);
    c->subjects[c->subject_count] = s;
    table_insert(&c->by_name, c->subject_count);
    return c->subject_count++;
}

uint32_t census_address(struct census *c, const struct hearsay_address *address)
{
    struct hearsay_address key, normal = address_normal(address);
    memset(&key, 0, sizeof key); /* compared byte by byte, padding included */
    memcpy(key.bytes, normal.bytes, normal.size);
    key.port = normal.port;
    key.size = normal.size;
    uint32_t number = table_find(&c->by_address, address_bytes(&key));
    if (number != TABLE_NONE) {
        return number;
    }
    if (!grow(&c->addresses, c->address_count, &c->address_capacity, sizeof *c->addresses) || !table_reserve(&c->by_address)) {
        return CENSUS_NONE;
    }
    c->addresses[c->address_count] = key;
    table_insert(&c->by_address, c->address_count);
    return c->address_count++;
}

struct claim census_claim(const struct census *c, uint32_t look, uint32_t subject)
{
    const struct observation *o = &c->observations[look];
    return subject < o->claim_count ? o->claims[subject] : (struct claim){.status = HEARSAY_NONE};
}

const char *census_name(const struct census *c, uint32_t look)
{
    const struct observation *o = &c->observations[look];
    return o->subject == CENSUS_NONE ? o->address : c->subjects[o->subject].name;
}

const char *census_list(const struct census *c, const uint32_t *subjects, size_t count, char out[CENSUS_LIST])
{
    size_t used = 0, shown = 0;
    out[0] = 0;
    for (; shown < count && shown < 8; shown++) {
        const char *name = c->subjects[subjects[shown]].name;
        used += (size_t)snprintf(out + used, CENSUS_LIST - used, "%s%.100s", shown == 0 ? "" : ", ", name);
    }
    if (shown < count) {
        snprintf(out + used, CENSUS_LIST - used, " and %zu more", count - shown);
    }
    return out;
}

/* ---- looks ---------------------------------------------------------------------------------------------------------------------- */

bool census_add_look(struct census *c, const struct place *place, const char *name)
{
    uint32_t capacity = c->look_capacity;
    if (c->look_count == CENSUS_LOOKS_MAX) {
        c->is_cut = true;
        return true;
    }
    if (!grow(&c->looks, c->look_count, &c->look_capacity, sizeof *c->looks) ||
        !grow(&c->observations, c->look_count, &capacity, sizeof *c->observations)) {
        return false;
    }
    struct hearsay_address address;
    struct observation *o = &c->observations[c->look_count];
    *o = (struct observation){.subject = CENSUS_NONE};
    place_address(place, &address);
    hearsay_address_text(&address, o->address, sizeof o->address);
    c->looks[c->look_count++] = (struct look){.place = *place, .name = name};
    return census_address(c, &address) != CENSUS_NONE;
}

/* Takes the view out of the look. */
static bool read_view(struct census *c, uint32_t number)
{
    struct observation *o = &c->observations[number];
    struct hearsay_inspection *view = c->looks[number].inspection.look;
    struct hearsay_member m;
    o->is_seen = c->looks[number].inspection.has_connected && c->looks[number].inspection.status == HEARSAY_INSPECT_DONE;
    hearsay_inspect_get_facts(view, &o->facts);
    if (!o->is_seen) {
        return true;
    }
    for (size_t position = 0; hearsay_inspect_next_member(view, &position, &m);) {
        if (census_subject(c, m.name) == CENSUS_NONE) {
            return false;
        }
    }
    o->claims = calloc(c->subject_count + 1, sizeof *o->claims);
    if (o->claims == NULL) {
        return false;
    }
    o->claim_count = c->subject_count;
    for (size_t position = 0; hearsay_inspect_next_member(view, &position, &m);) {
        struct claim claim = {.incarnation = m.incarnation,
                              .address = census_address(c, &m.address),
                              .status = (uint8_t)m.status,
                              .tags = (uint32_t)bytes_hash(m.meta, 1)};
        if (claim.address == CENSUS_NONE) {
            return false;
        }
        memcpy(claim.versions, m.versions, sizeof claim.versions);
        o->claims[census_subject(c, m.name)] = claim;
    }
    product_read(&o->product, view);
    hearsay_inspect_destroy(view); /* its bytes are no longer needed */
    c->looks[number].inspection.look = NULL;
    return true;
}

/* Whose view is this? Whoever acknowledged pings for its name; else whom the view itself places, up, at the address we spoke to. */
static void identify(struct census *c, uint32_t number)
{
    const struct look *l = &c->looks[number];
    struct observation *o = &c->observations[number];
    struct hearsay_address address;
    place_address(&l->place, &address);
    uint32_t here = census_address(c, &address), found = CENSUS_NONE, count = 0;
    for (uint32_t s = 0; s < o->claim_count; s++) {
        bool is_silent = l->is_other_name && strcmp(c->subjects[s].key, l->name) == 0; /* whoever answers there, it is not that one */
        if (claim_is_up(o->claims[s]) && o->claims[s].address == here && !is_silent) {
            found = s;
            count++;
        }
    }
    if (l->name != NULL && l->inspection.acks > 0) {
        found = census_subject(c, l->name);
        count = 1;
    }
    if (count != 1) {
        return;
    }
    o->subject = found;
    if (c->subjects[found].look == CENSUS_NONE) {
        c->subjects[found].look = number;
    }
}

/* The address that most observers give for it, those who believe it up first; CENSUS_NONE if it need not be looked at. */
static uint32_t address_to_try(const struct census *c, uint32_t subject, bool *has_left)
{
    uint32_t up = CENSUS_NONE, down = CENSUS_NONE;
    *has_left = false;
    for (uint32_t i = 0; i < c->look_count; i++) {
        struct claim claim = census_claim(c, i, subject);
        if (claim_is_up(claim)) {
            up = claim.address;
        } else if (claim.status == HEARSAY_FAILED) {
            down = claim.address;
        }
        *has_left |= claim.status == HEARSAY_LEFT;
    }
    *has_left &= up == CENSUS_NONE;
    return up != CENSUS_NONE ? up : *has_left ? CENSUS_NONE : down;
}

static bool was_tried(const struct census *c, uint32_t address)
{
    struct hearsay_address tried;
    for (uint32_t i = 0; i < c->look_count; i++) {
        place_address(&c->looks[i].place, &tried);
        if (address_same_place(&tried, &c->addresses[address])) {
            return true;
        }
    }
    return false;
}

static bool is_up_somewhere(const struct census *c, uint32_t subject)
{
    for (uint32_t i = 0; i < c->look_count; i++) {
        if (claim_is_up(census_claim(c, i, subject))) {
            return true;
        }
    }
    return false;
}

/* The next wave: whoever is named and whose place nobody looked at; the living first, so that a look at a reused address asks for who is
 * there now. */
static bool plan(struct census *c)
{
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t s = 0; s < c->subject_count; s++) {
            uint32_t address = address_to_try(c, s, &c->subjects[s].has_left);
            struct place place;
            if (c->subjects[s].look != CENSUS_NONE || address == CENSUS_NONE || is_up_somewhere(c, s) != (pass == 0) ||
                was_tried(c, address) || !place_of(&c->addresses[address], &place)) {
                continue;
            }
            if (!census_add_look(c, &place, c->subjects[s].key)) {
                return false;
            }
        }
    }
    return true;
}

/* A look without an identity stands for the one subject that everybody places there; one with another identity has found its tenant. */
static void attach_silent(struct census *c)
{
    bool has_left;
    for (uint32_t s = 0; s < c->subject_count; s++) {
        uint32_t address = address_to_try(c, s, &has_left);
        for (uint32_t i = 0; i < c->look_count && c->subjects[s].look == CENSUS_NONE && address != CENSUS_NONE; i++) {
            struct hearsay_address tried;
            place_address(&c->looks[i].place, &tried);
            if (c->observations[i].subject == CENSUS_NONE && !c->looks[i].is_other_name &&
                address_same_place(&tried, &c->addresses[address])) {
                c->subjects[s].look = i;
                c->observations[i].subject = s;
            } else if (c->observations[i].subject != CENSUS_NONE && c->observations[i].subject != s &&
                       address_same_place(&tried, &c->addresses[address])) {
                c->subjects[s].tenant = i;
            }
        }
    }
}

static bool plan_seeds(struct census *c, const struct place *seeds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct hearsay_address address;
        place_address(&seeds[i], &address);
        uint32_t number = census_address(c, &address);
        if (number == CENSUS_NONE || (!was_tried(c, number) && !census_add_look(c, &seeds[i], NULL))) {
            return false;
        }
    }
    return true;
}

void census_init(struct census *c)
{
    *c = (struct census){.look_count = 0};
    table_init(&c->by_name, &memory_system, clock_now_us(), subject_key, c);
    table_init(&c->by_address, &memory_system, clock_now_us(), address_key, c);
}

bool census_take(struct census *c, const struct place *seeds, size_t count, const struct look_rules *rules,
                 void (*tell)(uint32_t looked, uint32_t known))
{
    uint64_t begun_at = clock_now_us();
    census_init(c);
    if (!plan_seeds(c, seeds, count)) {
        return false;
    }
    for (uint32_t done = 0; done < c->look_count;) {
        uint32_t end = c->look_count;
        if (tell != NULL) {
            tell(done, end);
        }
        if (!looks_run(c->looks + done, end - done, rules)) {
            return false;
        }
        for (uint32_t i = done; i < end; i++) {
            if (!read_view(c, i)) {
                return false;
            }
        }
        for (; done < end; done++) {
            identify(c, done);
        }
        if (!plan(c)) {
            return false;
        }
    }
    attach_silent(c);
    c->took_us = clock_now_us() - begun_at;
    return true;
}

void census_free(struct census *c)
{
    for (uint32_t i = 0; i < c->look_count; i++) {
        hearsay_inspect_destroy(c->looks[i].inspection.look);
        free(c->observations[i].claims);
    }
    for (uint32_t i = 0; i < c->subject_count; i++) {
        free(c->subjects[i].key);
        free(c->subjects[i].name);
    }
    free(c->looks);
    free(c->observations);
    free(c->subjects);
    free(c->addresses);
    table_deinit(&c->by_name);
    table_deinit(&c->by_address);
}
