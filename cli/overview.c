/* SPDX-License-Identifier: MIT
 *
 * See overview.h. Names and tags are strangers' bytes and come out tamed; what comes twice or is missing makes the answer nonsense.
 */
#include "cli/overview.h"

#include "cli/plain.h"
#include "wire/msgpack.h"

#include <stdlib.h>
#include <string.h>

const char *const overview_orders[OVERVIEW_ORDERS + 1] = {"status", "name", "rtt", "since", "event", NULL};

struct field {
    const char *key;
    char **text;       /* one of these three */
    uint64_t *number;
    bool *flag;
};

static void read_text(struct reader *r, char **text)
{
    free(*text);
    *text = plain_copy(msgpack_get_raw(r));
    r->is_bad |= *text == NULL;
    if (*text != NULL) {
        plain_tame(*text);
    }
}

static void read_map(struct reader *r, const struct field *fields, size_t count)
{
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        size_t i = 0;
        while (i < count && !msgpack_is(key, fields[i].key)) {
            i++;
        }
        if (i == count) {
            msgpack_skip(r);
        } else if (fields[i].text != NULL) {
            read_text(r, fields[i].text);
        } else if (fields[i].number != NULL) {
            *fields[i].number = msgpack_get_uint(r, UINT64_MAX);
        } else {
            *fields[i].flag = msgpack_get_bool(r);
        }
    }
}

#define COUNT(fields) (sizeof(fields) / sizeof(fields)[0])

static void read_node(struct reader *r, struct overview *o)
{
    const struct field fields[] = {{"Name", &o->name, NULL, NULL},
                                   {"Version", &o->version, NULL, NULL},
                                   {"Now", NULL, &o->now_ms, NULL},
                                   {"Health", NULL, &o->health, NULL},
                                   {"PacketsIn", NULL, &o->packets_in, NULL},
                                   {"PacketsOut", NULL, &o->packets_out, NULL},
                                   {"BytesIn", NULL, &o->bytes_in, NULL},
                                   {"BytesOut", NULL, &o->bytes_out, NULL},
                                   {"Probes", NULL, &o->probes, NULL},
                                   {"ProbesFailed", NULL, &o->probes_failed, NULL},
                                   {"Waiting", NULL, &o->waiting, NULL},
                                   {"Entries", NULL, &o->entries, NULL},
                                   {"StoreBytes", NULL, &o->store_bytes, NULL},
                                   {"Store", NULL, NULL, &o->has_store}};
    read_map(r, fields, COUNT(fields));
}

static void read_members(struct reader *r, struct overview *o)
{
    uint32_t count = msgpack_get_array(r);
    if (r->is_bad || count > reader_left(r) || o->members != NULL || (o->members = calloc(count + 1, sizeof *o->members)) == NULL) {
        r->is_bad = true;
        return;
    }
    for (uint32_t i = 0; i < count && !r->is_bad; i++) {
        struct overview_member *m = &o->members[o->count++];
        const struct field fields[] = {{"Name", &m->name, NULL, NULL},       {"Address", &m->address, NULL, NULL},
                                       {"Status", &m->status, NULL, NULL},   {"Tags", &m->tags, NULL, NULL},
                                       {"Since", NULL, &m->since_ms, NULL},  {"RoundTrip", NULL, &m->rtt_us, NULL},
                                       {"Self", NULL, NULL, &m->is_self}};
        read_map(r, fields, COUNT(fields));
        r->is_bad |= m->name == NULL || m->address == NULL || m->status == NULL || m->tags == NULL;
    }
}

/* Oldest first, so that the last one about a member stays. */
static void read_records(struct reader *r, struct overview *o)
{
    for (uint32_t n = msgpack_get_array(r); n > 0 && !r->is_bad; n--) {
        struct overview_member last = {.name = NULL};
        const struct field fields[] = {{"Name", &last.name, NULL, NULL},
                                       {"Event", &last.event, NULL, NULL},
                                       {"Reason", &last.reason, NULL, NULL},
                                       {"Accuser", &last.accuser, NULL, NULL},
                                       {"Ago", NULL, &last.ago_ms, NULL}};
        read_map(r, fields, COUNT(fields));
        size_t i = 0;
        while (i < o->count && (last.name == NULL || strcmp(o->members[i].name, last.name) != 0)) {
            i++;
        }
        if (i < o->count && !r->is_bad) {
            struct overview_member *m = &o->members[i], old = *m;
            m->event = last.event;
            m->reason = last.reason;
            m->accuser = last.accuser;
            m->ago_ms = last.ago_ms;
            last.event = old.event;
            last.reason = old.reason;
            last.accuser = old.accuser;
        }
        free(last.name);
        free(last.event);
        free(last.reason);
        free(last.accuser);
    }
}

bool overview_read(struct overview *o, struct hearsay_bytes object)
{
    *o = (struct overview){.name = NULL};
    struct reader r = reader_of(object);
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Node")) {
            read_node(&r, o);
        } else if (msgpack_is(key, "Members")) {
            read_members(&r, o);
        } else if (msgpack_is(key, "Records")) {
            read_records(&r, o);
        } else {
            msgpack_skip(&r);
        }
    }
    if (r.is_bad || o->name == NULL || o->version == NULL) {
        overview_free(o);
        return false;
    }
    return true;
}

void overview_free(struct overview *o)
{
    for (size_t i = 0; i < o->count; i++) {
        char *texts[] = {o->members[i].name,  o->members[i].address, o->members[i].status, o->members[i].tags,
                         o->members[i].event, o->members[i].reason,  o->members[i].accuser};
        for (size_t k = 0; k < COUNT(texts); k++) {
            free(texts[k]);
        }
    }
    free(o->members);
    free(o->name);
    free(o->version);
    *o = (struct overview){.name = NULL};
}

/* Trouble first. */
static int rank(const char *status)
{
    static const char *const order[] = {"failed", "suspect", "leaving", "alive", "left"};
    int i = 0;
    while (i < 5 && strcmp(status, order[i]) != 0) {
        i++;
    }
    return i;
}

static int by_number(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_name(const void *a, const void *b)
{
    const struct overview_member *x = a, *y = b;
    return strverscmp(x->name, y->name);
}

static int by_status(const void *a, const void *b)
{
    const struct overview_member *x = a, *y = b;
    int order = rank(x->status) - rank(y->status);
    return order != 0 ? order : by_name(a, b);
}

static int by_rtt(const void *a, const void *b)
{
    const struct overview_member *x = a, *y = b;
    int order = by_number(y->rtt_us, x->rtt_us);
    return order != 0 ? order : by_name(a, b);
}

static int by_since(const void *a, const void *b)
{
    const struct overview_member *x = a, *y = b;
    int order = by_number(x->since_ms, y->since_ms);
    return order != 0 ? order : by_name(a, b);
}

static int by_event(const void *a, const void *b)
{
    const struct overview_member *x = a, *y = b;
    int order = by_number(x->event == NULL ? UINT64_MAX : x->ago_ms, y->event == NULL ? UINT64_MAX : y->ago_ms);
    return order != 0 ? order : by_name(a, b);
}

void overview_sort(struct overview *o, enum overview_order order)
{
    static int (*const compare[])(const void *, const void *) = {by_status, by_name, by_rtt, by_since, by_event};
    qsort(o->members, o->count, sizeof *o->members, compare[order]);
}

bool overview_matches(const struct overview_member *m, const char *filter)
{
    return strcasestr(m->name, filter) != NULL || strcasestr(m->address, filter) != NULL || strcasestr(m->status, filter) != NULL ||
           strcasestr(m->tags, filter) != NULL;
}
