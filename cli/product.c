/* SPDX-License-Identifier: MIT
 *
 * See product.h. A stranger's bytes: every length is held against what is left, and what does not fit to the last byte is not that product.
 */
#include "cli/product.h"

#include "base/cursor.h"
#include "cli/line.h"
#include "cli/plain.h"

#include <hearsay/hearsay.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *word, *title;
    enum product_kind base;
} kinds[PRODUCT_KINDS] = {
    [PRODUCT_MEMBERLIST] = {"memberlist", "plain memberlist", PRODUCT_MEMBERLIST},
    [PRODUCT_SERF] = {"serf", "Serf", PRODUCT_SERF},
    [PRODUCT_ALERTMANAGER] = {"alertmanager", "Alertmanager", PRODUCT_MEMBERLIST},
    [PRODUCT_CONSUL] = {"consul", "Consul", PRODUCT_SERF},
    [PRODUCT_NOMAD] = {"nomad", "Nomad", PRODUCT_SERF},
    [PRODUCT_DSKIT] = {"dskit", "dskit, as in Loki, Mimir and Tempo", PRODUCT_MEMBERLIST},
};

const char *product_title(enum product_kind kind)
{
    return kinds[kind].title;
}

const char *product_word(enum product_kind kind)
{
    return kinds[kind].word;
}

enum product_kind product_of_word(const char *word)
{
    int kind = 0;
    while (kind < PRODUCT_KINDS && strcmp(kinds[kind].word, word) != 0) {
        kind++;
    }
    return (enum product_kind)kind;
}

bool product_is(enum product_kind kind, enum product_kind wanted)
{
    return kind == wanted || kinds[kind].base == wanted;
}

/* ---- protobuf ------------------------------------------------------------------------------------------------------------------- */

struct field {
    uint32_t number;
    uint64_t value;             /* of a varint */
    struct hearsay_bytes bytes; /* of what has a length */
};

static uint64_t take_varint(struct reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = reader_u8(r);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    r->is_bad = true;
    return 0;
}

static struct hearsay_bytes take_sized(struct reader *r)
{
    uint64_t size = take_varint(r);
    if (size > reader_left(r)) {
        r->is_bad = true;
        return (struct hearsay_bytes){NULL, 0};
    }
    return reader_take(r, (size_t)size);
}

/* False at the end, or when it is no protobuf (is_bad). */
static bool next_field(struct reader *r, struct field *f)
{
    if (reader_left(r) == 0) {
        return false;
    }
    uint64_t tag = take_varint(r);
    *f = (struct field){.number = tag >> 3 <= UINT32_MAX ? (uint32_t)(tag >> 3) : 0};
    switch (tag & 7) {
    case 0:
        f->value = take_varint(r);
        break;
    case 1:
        (void)reader_take(r, 8);
        break;
    case 2:
        f->bytes = take_sized(r);
        break;
    case 5:
        (void)reader_take(r, 4);
        break;
    default:
        r->is_bad = true;
    }
    r->is_bad |= f->number == 0;
    return !r->is_bad;
}

static void show(char *out, size_t size, struct hearsay_bytes text)
{
    plain_into(out, size, text);
    plain_tame(out);
}

/* ---- states --------------------------------------------------------------------------------------------------------------------- */

static void add_part(struct product *p, const struct product_part *part)
{
    if (p->part_count < PRODUCT_PARTS) {
        p->parts[p->part_count] = *part;
    }
    p->part_count++;
}

/* Silences and notifications follow each other, each with its length. */
static bool count_entries(struct hearsay_bytes data, size_t *entries, uint64_t *digest)
{
    struct reader r = reader_of(data);
    for (*entries = 0; reader_left(&r) > 0; ++*entries) {
        *digest += bytes_hash(take_sized(&r), 1);
    }
    return !r.is_bad;
}

static bool read_alertmanager(struct product *p, struct hearsay_bytes state)
{
    struct reader r = reader_of(state);
    struct field outer, inner;
    bool is_known = false;
    while (next_field(&r, &outer)) {
        struct reader body = reader_of(outer.bytes);
        struct hearsay_bytes key = {NULL, 0}, data = {NULL, 0};
        struct product_part part = {.size = 0};
        uint64_t digest = 0;
        if (outer.number != 1) {
            return false;
        }
        while (next_field(&body, &inner)) {
            key = inner.number == 1 ? inner.bytes : key;
            data = inner.number == 2 ? inner.bytes : data;
        }
        bool is_silences = bytes_equal(key, bytes_of_string("sil"));
        is_known |= is_silences || bytes_equal(key, bytes_of_string("nfl"));
        if (body.is_bad || key.size == 0 || !count_entries(data, &part.entries, &digest)) {
            return false;
        }
        show(part.name, sizeof part.name, key);
        part.size = data.size;
        p->digest += is_silences ? digest : 0; /* notifications are forgotten by each at its own time */
        add_part(p, &part);
    }
    return !r.is_bad && is_known;
}

static bool read_dskit(struct product *p, struct hearsay_bytes state)
{
    struct reader r = reader_of(state);
    while (reader_left(&r) > 0) {
        struct reader body = reader_of(reader_take(&r, reader_u32(&r)));
        struct hearsay_bytes key = {NULL, 0}, codec = {NULL, 0};
        struct product_part part = {.size = 0};
        struct field f;
        while (next_field(&body, &f)) {
            key = f.number == 1 ? f.bytes : key;
            codec = f.number == 3 ? f.bytes : codec;
            part.size = f.number == 2 ? f.bytes.size : part.size;
            part.is_deleted |= f.number == 4 && f.value != 0;
        }
        if (body.is_bad || key.size == 0 || codec.size == 0) {
            return false;
        }
        show(part.name, sizeof part.name, key);
        show(part.codec, sizeof part.codec, codec);
        p->digest += part.is_deleted ? 0 : bytes_hash(key, 1);
        add_part(p, &part);
    }
    return !r.is_bad && p->part_count > 0;
}

/* ---- tags ----------------------------------------------------------------------------------------------------------------------- */

struct tags {
    char role[40], place[100], build[40]; /* place: datacenter or region */
};

static void read_tags(const struct hearsay_member *m, struct tags *t)
{
    struct hearsay_bytes key, value;
    *t = (struct tags){.role = ""};
    for (size_t position = 0; hearsay_next_tag(m, &position, &key, &value);) {
        const struct {
            const char *key;
            char *out;
            size_t size;
        } places[] = {{"role", t->role, sizeof t->role}, {"dc", t->place, sizeof t->place}, {"build", t->build, sizeof t->build}};
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            if (bytes_equal(key, bytes_of_string(places[i].key))) {
                show(places[i].out, places[i].size, value);
            }
        }
    }
    t->build[strcspn(t->build, ":")] = 0; /* what follows names a commit */
}

static void add_word(char *list, size_t size, const char *word, size_t *count)
{
    char wanted[202], all[404];
    snprintf(wanted, sizeof wanted, ", %s,", word);
    snprintf(all, sizeof all, ", %s,", list);
    if (word[0] == 0 || strstr(all, wanted) != NULL || strlen(list) + strlen(word) + 3 > size) {
        return;
    }
    snprintf(list + strlen(list), size - strlen(list), "%s%s", list[0] == 0 ? "" : ", ", word);
    ++*count;
}

static bool ends_with(const char *name, const char *place)
{
    size_t length = strlen(name), tail = strlen(place);
    return length > tail && name[length - tail - 1] == '.' && strcmp(name + length - tail, place) == 0;
}

/* Servers say role=consul, clients role=node, both with their datacenter; between datacenters only servers meet, as name.datacenter. */
static void read_serf(struct product *p, const struct hearsay_inspection *view)
{
    struct hearsay_member m;
    struct tags t;
    char places[200] = "";
    size_t consul = 0, clients = 0, nomad = 0, far = 0, place_count = 0;
    for (size_t position = 0; hearsay_inspect_next_member(view, &position, &m);) {
        read_tags(&m, &t);
        bool is_consul = strcmp(t.role, "consul") == 0 && t.place[0] != 0, is_client = strcmp(t.role, "node") == 0 && t.place[0] != 0;
        bool is_nomad = strcmp(t.role, "nomad") == 0;
        consul += is_consul;
        clients += is_client;
        nomad += is_nomad;
        far += is_consul && ends_with(m.name, t.place);
        if ((is_consul || is_client || is_nomad) && (m.status == HEARSAY_ALIVE || m.status == HEARSAY_SUSPECT)) {
            add_word(places, sizeof places, t.place, &place_count);
            add_word(p->builds, sizeof p->builds, t.build, &p->build_count);
        }
    }
    p->kind = consul > 0 ? PRODUCT_CONSUL : nomad > 0 ? PRODUCT_NOMAD : PRODUCT_SERF;
    if (p->kind == PRODUCT_SERF) {
        p->builds[0] = 0;
        p->build_count = 0;
        return;
    }
    struct line line = line_of(p->summary, sizeof p->summary);
    size_t servers = consul > 0 ? consul : nomad;
    line_say(&line, "%sdatacenter%s %s: %zu server%s", consul > 0 && clients == 0 && far == consul ? "between datacenters (WAN), " : "",
             place_count == 1 ? "" : "s", places, servers, servers == 1 ? "" : "s");
    if (clients > 0) {
        line_say(&line, ", %zu client%s", clients, clients == 1 ? "" : "s");
    }
    if (p->build_count > 0) {
        line_say(&line, ", version%s %s", p->build_count == 1 ? "" : "s", p->builds);
    }
}

void product_read(struct product *p, const struct hearsay_inspection *view)
{
    struct hearsay_inspect_facts facts;
    struct hearsay_bytes state = hearsay_inspect_user_state(view);
    *p = (struct product){.kind = PRODUCT_MEMBERLIST, .state_size = state.size};
    hearsay_inspect_get_facts(view, &facts);
    if (facts.is_serf) {
        read_serf(p, view);
    } else if (read_alertmanager(p, state)) {
        p->kind = PRODUCT_ALERTMANAGER;
    } else {
        *p = (struct product){.kind = PRODUCT_MEMBERLIST, .state_size = state.size};
        if (read_dskit(p, state)) {
            p->kind = PRODUCT_DSKIT;
        } else {
            *p = (struct product){.kind = PRODUCT_MEMBERLIST, .state_size = state.size};
        }
    }
}

/* ---- words ---------------------------------------------------------------------------------------------------------------------- */

static const char *meaning(const struct product_part *part)
{
    return strcmp(part->name, "sil") == 0 ? "silences" : strcmp(part->name, "nfl") == 0 ? "notifications" : "entries";
}

void product_describe(const struct product *p, char *out, size_t size)
{
    struct line line = line_of(out, size);
    line_say(&line, "%s", p->summary);
    if (product_is(p->kind, PRODUCT_SERF) || p->state_size == 0) {
        return;
    }
    line_say(&line, "state of %zu bytes", p->state_size);
    for (size_t i = 0; i < p->part_count && i < PRODUCT_PARTS; i++) {
        const struct product_part *part = &p->parts[i];
        line_say(&line, "%s ", i == 0 ? ":" : ",");
        if (p->kind == PRODUCT_ALERTMANAGER) {
            line_say(&line, "%zu %s (%zu bytes)", part->entries, meaning(part), part->size);
        } else {
            line_say(&line, "%s (%s, %s%zu bytes)", part->name, part->codec, part->is_deleted ? "deleted, " : "", part->size);
        }
    }
    if (p->part_count > PRODUCT_PARTS) {
        line_say(&line, " and %zu more", p->part_count - PRODUCT_PARTS);
    }
    if (p->kind == PRODUCT_MEMBERLIST) {
        line_say(&line, " in a form of the application's own");
    }
}

json_t *product_json(const struct product *p)
{
    json_t *parts = json_array();
    for (size_t i = 0; i < p->part_count && i < PRODUCT_PARTS; i++) {
        const struct product_part *part = &p->parts[i];
        json_t *one = json_pack("{s:s, s:I}", "name", part->name, "bytes", (json_int_t)part->size);
        if (p->kind == PRODUCT_ALERTMANAGER) {
            json_object_set_new(one, "entries", json_integer((json_int_t)part->entries));
        } else {
            json_object_set_new(one, "codec", json_string(part->codec));
            json_object_set_new(one, "deleted", json_boolean(part->is_deleted));
        }
        json_array_append_new(parts, one);
    }
    json_t *state = json_pack("{s:I, s:o}", "bytes", (json_int_t)p->state_size, "parts", parts);
    if (p->summary[0] != 0) {
        json_object_set_new(state, "summary", json_string(p->summary));
    }
    return state;
}
