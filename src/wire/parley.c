/* SPDX-License-Identifier: MIT
 *
 * See parley.h. A message is walked over once and refused as a whole when anything in it is wrong; sections of unknown type are
 * skipped, of known type they must be exactly as long as they say.
 */
#include "wire/parley.h"

#include "wire/message.h"

#define LAG_NONE 0xffffu /* no wall clock, no purge line */
#define LAG_MAX 0xfffeu

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static uint64_t get_varint(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = reader_u8(r);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (shift == 63 && byte > 1) {
            break;
        }
        if (byte < 0x80) {
            return v;
        }
    }
    r->is_bad = true;
    return 0;
}

static uint32_t get_varint_up_to(struct reader *r, uint64_t most)
{
    uint64_t v = get_varint(r);
    r->is_bad = r->is_bad || v > most;
    return (uint32_t)v;
}

static uint64_t minutes_of(uint64_t hlc)
{
    return (hlc >> 16) / 60000;
}

static bool get_head(struct reader *r, struct parley_head *head, uint8_t *version)
{
    uint8_t type = reader_u8(r), both = reader_u8(r);
    head->hlc = reader_u64(r);
    uint16_t wall_lag = reader_u16(r), lag = reader_u16(r);
    uint64_t minute = minutes_of(head->hlc), ms = head->hlc >> 16;
    head->wall_ms = wall_lag == LAG_NONE || wall_lag > ms ? 0 : ms - wall_lag;
    head->kind = (enum parley_kind)(both & 0x0f);
    head->purge_minute = lag == LAG_NONE || lag > minute || minute - lag > UINT32_MAX ? 0 : (uint32_t)(minute - lag);
    if (version != NULL) {
        *version = both >> 4;
    }
    return !r->is_bad && type == MESSAGE_PARLEY && both >> 4 == PARLEY_VERSION && head->kind >= PARLEY_PUSH && head->kind < PARLEY_KINDS;
}

bool parley_next_section(struct reader *sections, enum parley_section_type *type, struct reader *body)
{
    if (reader_left(sections) == 0) {
        return false;
    }
    *type = (enum parley_section_type)reader_u8(sections);
    *body = reader_of(reader_take(sections, get_varint_up_to(sections, PARLEY_MESSAGE_MAX)));
    return !sections->is_bad;
}

bool parley_next_entry(struct reader *body, struct parley_entry *e)
{
    if (reader_left(body) == 0) {
        return false;
    }
    *e = (struct parley_entry){.flags = reader_u8(body)};
    uint32_t key_size = get_varint_up_to(body, PARLEY_KEY_MAX);
    e->value_size = get_varint_up_to(body, PARLEY_VALUE_MAX);
    e->hlc = reader_u64(body);
    e->origin = reader_u64(body);
    e->expires_hlc = (e->flags & PARLEY_ENTRY_EXPIRES) != 0 ? reader_u64(body) : 0;
    e->key = reader_take(body, key_size);
    e->value = reader_take(body, (e->flags & PARLEY_ENTRY_OFFER) != 0 ? 0 : e->value_size);
    bool is_odd = key_size == 0 || e->flags > 15 || ((e->flags & PARLEY_ENTRY_TOMBSTONE) != 0 && e->value_size > 0) ||
                  ((e->flags & PARLEY_ENTRY_EXPIRES) != 0 && e->expires_hlc == 0);
    body->is_bad = body->is_bad || is_odd;
    return !body->is_bad;
}

/* The index after `next`, by the difference that is written; 2^bits of them there are. */
static uint32_t get_index(struct reader *body, uint32_t next, unsigned bits)
{
    uint64_t index = next + (uint64_t)get_varint_up_to(body, UINT32_MAX);
    body->is_bad = body->is_bad || index >> bits != 0;
    return (uint32_t)index;
}

/* The index to count from is kept as one more than the last; the last of all cannot be followed. */
bool parley_next_nodes(struct reader *body, uint8_t level, struct parley_nodes *group)
{
    if (reader_left(body) == 0) {
        return false;
    }
    bool is_first = group->bitmap == 0;
    group->parent = get_index(body, is_first ? 0 : group->parent + 1, level - 4u);
    group->bitmap = reader_u16(body);
    body->is_bad = body->is_bad || group->bitmap == 0;
    for (unsigned i = 0; i < 16; i++) {
        group->digests[i] = (group->bitmap >> i & 1) != 0 ? reader_u32(body) : 0;
    }
    return !body->is_bad;
}

bool parley_next_prints(struct reader *body, uint8_t level, struct parley_prints *group)
{
    if (reader_left(body) == 0) {
        return false;
    }
    bool is_first = group->prints.end == NULL;
    group->index = get_index(body, is_first ? 0 : group->index + 1, level);
    group->prints = reader_of(reader_take(body, 4 * (size_t)get_varint_up_to(body, PARLEY_MESSAGE_MAX / 4)));
    return !body->is_bad;
}

bool parley_next_number(struct reader *body, uint64_t *number)
{
    if (reader_left(body) < 8) {
        return false;
    }
    *number = reader_u64(body);
    return true;
}

static bool check_nodes(struct reader body)
{
    struct parley_nodes group = {0};
    uint8_t level = reader_u8(&body);
    if (body.is_bad || level < 4 || level > PARLEY_LEVEL_MAX) {
        return false;
    }
    while (parley_next_nodes(&body, level, &group)) {
    }
    return !body.is_bad;
}

static bool check_prints(struct reader body)
{
    struct parley_prints group = {0};
    uint8_t level = reader_u8(&body);
    if (body.is_bad || level > PARLEY_LEVEL_MAX) {
        return false;
    }
    while (parley_next_prints(&body, level, &group)) {
    }
    return !body.is_bad;
}

static bool check_entries(struct reader body)
{
    struct parley_entry entry;
    while (parley_next_entry(&body, &entry)) {
    }
    return !body.is_bad;
}

static bool is_done(const struct reader *r)
{
    return !r->is_bad && r->at == r->end;
}

static bool get_beacon(struct reader r, struct parley_message *out)
{
    out->has_beacon = true;
    out->beacon.epoch = reader_u32(&r);
    out->beacon.count = get_varint(&r);
    out->beacon.digest = reader_u64(&r);
    return is_done(&r);
}

static bool get_session(struct reader r, struct parley_message *out)
{
    out->has_session = true;
    out->session.sequence = reader_u32(&r);
    out->session.epoch = reader_u32(&r);
    out->session.salt = reader_u32(&r);
    out->session.part = reader_u16(&r);
    uint8_t last = reader_u8(&r);
    out->session.is_last = last == 1;
    return is_done(&r) && last <= 1;
}

static bool get_range(struct reader r, struct parley_message *out)
{
    out->has_range = true;
    out->range.first = reader_u64(&r);
    out->range.last = reader_u64(&r);
    out->range.bytes = reader_u32(&r);
    return is_done(&r) && out->range.first <= out->range.last;
}

static bool get_status(struct reader r, struct parley_message *out)
{
    uint8_t status = reader_u8(&r);
    out->has_status = true;
    out->status = (enum parley_status)status;
    out->retry_ms = reader_u32(&r);
    return is_done(&r) && status >= PARLEY_BUSY && status <= PARLEY_YIELD;
}

static bool check_section(enum parley_section_type type, struct reader body, struct parley_message *out)
{
    size_t size = reader_left(&body);
    switch (type) {
    case PARLEY_BEACON:
        return get_beacon(body, out);
    case PARLEY_SESSION:
        return get_session(body, out);
    case PARLEY_RANGE:
        return get_range(body, out);
    case PARLEY_STATUS:
        return get_status(body, out);
    case PARLEY_IDS:
    case PARLEY_WANTED:
    case PARLEY_WANTED_KEYS:
    case PARLEY_ITEMS:
        return size % 8 == 0;
    case PARLEY_OFFERS:
        return size % 16 == 0;
    case PARLEY_EQUAL:
        return size % 12 == 0;
    case PARLEY_NAME:
        return size > 0 && size <= HEARSAY_NAME_MAX;
    case PARLEY_BODY:
        return size >= 9;
    case PARLEY_ENTRIES:
        return check_entries(body);
    case PARLEY_NODES:
        return check_nodes(body);
    case PARLEY_PRINTS:
    case PARLEY_WANTED_PRINTS:
        return check_prints(body);
    }
    return true; /* of a later version */
}

bool parley_decode(struct hearsay_bytes in, struct parley_message *out, uint8_t *version)
{
    struct reader r = reader_of(in), body;
    enum parley_section_type type;
    *out = (struct parley_message){.retry_ms = 0};
    if (!get_head(&r, &out->head, version)) {
        return false;
    }
    out->sections = r;
    while (parley_next_section(&r, &type, &body)) {
        if (!check_section(type, body, out)) {
            return false;
        }
    }
    return !r.is_bad;
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

void parley_put_u64(struct writer *w, uint64_t v)
{
    uint8_t b[8];
    bytes_put_u64(b, v);
    writer_put(w, b, sizeof b);
}

static size_t varint_of(uint64_t v, uint8_t b[10])
{
    size_t size = 0;
    do {
        b[size++] = (uint8_t)(v | (v >= 0x80 ? 0x80 : 0));
        v >>= 7;
    } while (v > 0);
    return size;
}

void parley_put_varint(struct writer *w, uint64_t v)
{
    uint8_t b[10];
    writer_put(w, b, varint_of(v, b));
}

void parley_put_head(struct writer *w, const struct parley_head *head)
{
    uint64_t minute = minutes_of(head->hlc), ms = head->hlc >> 16;
    uint64_t behind = head->wall_ms < ms ? ms - head->wall_ms : 0;
    bool is_known = head->purge_minute > 0 && head->purge_minute <= minute && minute - head->purge_minute <= LAG_MAX;
    writer_u8(w, MESSAGE_PARLEY);
    writer_u8(w, (uint8_t)(PARLEY_VERSION << 4 | head->kind));
    parley_put_u64(w, head->hlc);
    writer_u16(w, (uint16_t)(head->wall_ms == 0 ? LAG_NONE : behind < LAG_MAX ? behind : LAG_MAX));
    writer_u16(w, (uint16_t)(is_known ? minute - head->purge_minute : LAG_NONE));
}

size_t parley_begin(struct writer *w, enum parley_section_type type)
{
    writer_u8(w, (uint8_t)type);
    writer_u8(w, 0); /* most sections are short: one byte of length; parley_end makes room for more */
    return w->size;
}

void parley_end(struct writer *w, size_t begun)
{
    uint8_t b[10];
    if (w->is_full) {
        return;
    }
    size_t size = w->size - begun, more = varint_of(size, b) - 1;
    if (w->capacity - w->size < more) {
        w->is_full = true;
        return;
    }
    if (more > 0) {
        memmove(w->data + begun + more, w->data + begun, size);
        w->size += more;
    }
    memcpy(w->data + begun - 1, b, more + 1);
}

void parley_take_back(struct writer *w, size_t size)
{
    w->size = size;
    w->is_full = false;
}

void parley_put_beacon(struct writer *w, const struct parley_beacon *beacon)
{
    size_t begun = parley_begin(w, PARLEY_BEACON);
    writer_u32(w, beacon->epoch);
    parley_put_varint(w, beacon->count);
    parley_put_u64(w, beacon->digest);
    parley_end(w, begun);
}

void parley_put_session(struct writer *w, const struct parley_session *session)
{
    size_t begun = parley_begin(w, PARLEY_SESSION);
    writer_u32(w, session->sequence);
    writer_u32(w, session->epoch);
    writer_u32(w, session->salt);
    writer_u16(w, session->part);
    writer_u8(w, session->is_last);
    parley_end(w, begun);
}

void parley_put_range(struct writer *w, const struct parley_range *range)
{
    size_t begun = parley_begin(w, PARLEY_RANGE);
    parley_put_u64(w, range->first);
    parley_put_u64(w, range->last);
    writer_u32(w, range->bytes);
    parley_end(w, begun);
}

void parley_put_status(struct writer *w, enum parley_status status, uint32_t retry_ms)
{
    size_t begun = parley_begin(w, PARLEY_STATUS);
    writer_u8(w, (uint8_t)status);
    writer_u32(w, retry_ms);
    parley_end(w, begun);
}

void parley_put_numbers(struct writer *w, enum parley_section_type type, const uint64_t *numbers, size_t count)
{
    size_t begun = parley_begin(w, type);
    for (size_t i = 0; i < count; i++) {
        parley_put_u64(w, numbers[i]);
    }
    parley_end(w, begun);
}

void parley_put_entry(struct writer *w, const struct parley_entry *e)
{
    bool is_offer = (e->flags & PARLEY_ENTRY_OFFER) != 0;
    writer_u8(w, e->flags);
    parley_put_varint(w, e->key.size);
    parley_put_varint(w, is_offer ? e->value_size : e->value.size);
    parley_put_u64(w, e->hlc);
    parley_put_u64(w, e->origin);
    if ((e->flags & PARLEY_ENTRY_EXPIRES) != 0) {
        parley_put_u64(w, e->expires_hlc);
    }
    writer_put(w, e->key.data, e->key.size);
    writer_put(w, e->value.data, is_offer ? 0 : e->value.size);
}

size_t parley_entry_bytes(const struct parley_entry *e)
{
    uint8_t b[10];
    bool is_offer = (e->flags & PARLEY_ENTRY_OFFER) != 0;
    return 17 + varint_of(e->key.size, b) + varint_of(is_offer ? e->value_size : e->value.size, b) +
           ((e->flags & PARLEY_ENTRY_EXPIRES) != 0 ? 8 : 0) + e->key.size + (is_offer ? 0 : e->value.size);
}

void parley_put_nodes(struct writer *w, uint32_t *next, const struct parley_nodes *group)
{
    parley_put_varint(w, group->parent - *next);
    writer_u16(w, group->bitmap);
    for (unsigned i = 0; i < 16; i++) {
        if ((group->bitmap >> i & 1) != 0) {
            writer_u32(w, group->digests[i]);
        }
    }
    *next = group->parent + 1;
}

void parley_put_prints(struct writer *w, uint32_t *next, uint32_t index, const uint32_t *prints, size_t count)
{
    parley_put_varint(w, index - *next);
    parley_put_varint(w, count);
    for (size_t i = 0; i < count; i++) {
        writer_u32(w, prints[i]);
    }
    *next = index + 1;
}
