/* SPDX-License-Identifier: MIT
 *
 * See message.h.
 */
#include "dns/message.h"

#include "base/check.h"

#define POINTER 0xc0u
#define POINTER_MAX 0x3fffu /* what fourteen bits can say */
#define OPTION_COOKIE 10u

/* ---- reading ---- */

/* A pointer must lead to before everything of this name that was read so far: so the way ends. */
static bool read_name(struct hearsay_bytes message, struct reader *left, struct dns_name *name)
{
    struct reader at = *left;
    size_t first = (size_t)(at.at - message.data);
    bool has_jumped = false;
    dns_name_clear(name);
    for (;;) {
        uint8_t length = reader_u8(&at);
        if (at.is_bad) {
            return false;
        }
        if (length >= POINTER) {
            size_t target = (length & ~POINTER) << 8 | reader_u8(&at);
            if (at.is_bad || target >= first) {
                return false;
            }
            *left = has_jumped ? *left : at;
            has_jumped = true;
            first = target;
            at = reader_of(bytes_of(message.data + target, message.size - target));
        } else if (length == 0) {
            *left = has_jumped ? *left : at;
            return true;
        } else { /* two of the upper bits mean nothing: too long for a label */
            struct hearsay_bytes label = reader_take(&at, length);
            if (at.is_bad || !dns_name_add(name, label)) {
                return false;
            }
        }
    }
}

bool dns_read(struct dns_reader *r, struct hearsay_bytes message, struct dns_header *header)
{
    r->message = message;
    r->left = reader_of(message);
    header->id = reader_u16(&r->left);
    header->flags = reader_u16(&r->left);
    for (int i = 0; i < DNS_SECTIONS; i++) {
        header->counts[i] = reader_u16(&r->left);
    }
    return !r->left.is_bad;
}

bool dns_read_question(struct dns_reader *r, struct dns_question *question)
{
    if (!read_name(r->message, &r->left, &question->name)) {
        return false;
    }
    question->type = reader_u16(&r->left);
    question->class = reader_u16(&r->left);
    return !r->left.is_bad;
}

static bool read_address(struct dns_record *record, size_t size)
{
    if (record->data.size != size) {
        return false;
    }
    record->address.size = (uint8_t)size;
    memcpy(record->address.bytes, record->data.data, size);
    return true;
}

/* The data's inner fields; names in it may point to anywhere before. */
static bool read_data(struct dns_reader *r, struct dns_record *record)
{
    struct reader data = reader_of(record->data);
    switch (record->type) {
    case DNS_A:
        return read_address(record, 4);
    case DNS_AAAA:
        return read_address(record, 16);
    case DNS_SRV:
        record->priority = reader_u16(&data);
        record->weight = reader_u16(&data);
        record->port = reader_u16(&data);
        break;
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
        break;
    default:
        return true;
    }
    record->target = &r->target;
    return !data.is_bad && read_name(r->message, &data, &r->target) && reader_left(&data) == 0;
}

bool dns_read_record(struct dns_reader *r, struct dns_record *record)
{
    *record = (struct dns_record){.name = &r->owner};
    if (!read_name(r->message, &r->left, &r->owner)) {
        return false;
    }
    record->type = reader_u16(&r->left);
    record->class = reader_u16(&r->left);
    record->ttl = reader_u32(&r->left);
    record->data = reader_take(&r->left, reader_u16(&r->left));
    return !r->left.is_bad && read_data(r, record);
}

bool dns_next_string(struct hearsay_bytes data, size_t *position, struct hearsay_bytes *string)
{
    if (*position >= data.size || data.size - *position - 1 < data.data[*position]) {
        return false;
    }
    *string = bytes_of(data.data + *position + 1, data.data[*position]);
    *position += string->size + 1;
    return true;
}

bool dns_read_opt(const struct dns_record *record, struct dns_opt *opt)
{
    struct reader data = reader_of(record->data);
    *opt = (struct dns_opt){.udp_bytes = record->class, .version = (uint8_t)(record->ttl >> 16)};
    while (reader_left(&data) > 0) {
        uint16_t code = reader_u16(&data);
        struct hearsay_bytes value = reader_take(&data, reader_u16(&data));
        if (!data.is_bad && code == OPTION_COOKIE) {
            opt->cookie = value;
            data.is_bad = value.size != 8 && (value.size < 16 || value.size > 40);
        }
    }
    if (data.is_bad) {
        opt->cookie = bytes_of(NULL, 0);
    }
    return !data.is_bad;
}

/* ---- writing ---- */

void dns_write(struct dns_writer *w, void *data, size_t capacity, uint16_t id, uint16_t flags)
{
    CHECK(capacity >= DNS_HEADER && capacity <= UINT16_MAX);
    w->out = writer_of(data, capacity);
    w->out.size = DNS_HEADER;
    w->header = (struct dns_header){.id = id, .flags = flags};
    w->reserved = 0;
    w->suffix_count = 0;
}

void dns_reserve(struct dns_writer *w, size_t size)
{
    w->out.capacity += w->reserved;
    w->reserved = size < w->out.capacity - w->out.size ? size : w->out.capacity - w->out.size;
    w->out.capacity -= w->reserved;
}

/* What was begun did not fit. */
static bool fits(struct dns_writer *w, size_t before, uint16_t suffix_count)
{
    if (w->out.is_full) {
        w->out.is_full = false;
        w->out.size = before;
        w->suffix_count = suffix_count;
        return false;
    }
    return true;
}

/* Is the name that stands at an offset of our own message, pointers and all, the same as these labels, letter for letter? */
static bool stands_at(const struct dns_writer *w, size_t offset, const uint8_t *labels)
{
    for (;;) {
        const uint8_t *at = w->out.data + offset;
        if (*at >= POINTER) {
            offset = (at[0] & ~POINTER) << 8 | at[1];
            continue;
        }
        /* names of one answer differ in their last letters, if at all */
        if (*at != *labels || at[*at] != labels[*at] || memcmp(at, labels, *at) != 0) {
            return false;
        }
        if (*at == 0) {
            return true;
        }
        offset += *at + 1u;
        labels += *labels + 1u;
    }
}

/* Later names may point to what is written next. */
static void remember(struct dns_writer *w)
{
    if (w->suffix_count < DNS_SUFFIXES && w->out.size <= POINTER_MAX) {
        w->suffixes[w->suffix_count++] = (uint16_t)w->out.size;
    }
}

static void put_name(struct dns_writer *w, const struct dns_name *name)
{
    uint16_t known = w->suffix_count;
    for (size_t position = 0; name->bytes[position] != 0; position += name->bytes[position] + 1u) {
        for (uint16_t i = 0; i < known; i++) {
            if (stands_at(w, w->suffixes[i], name->bytes + position)) {
                writer_u16(&w->out, (uint16_t)(POINTER << 8 | w->suffixes[i]));
                return;
            }
        }
        remember(w);
        writer_put(&w->out, name->bytes + position, name->bytes[position] + 1u);
    }
    writer_u8(&w->out, 0);
}

static void count(struct dns_writer *w, enum dns_section section)
{
    w->header.counts[section]++;
}

bool dns_put_question(struct dns_writer *w, const struct dns_question *question)
{
    size_t before = w->out.size;
    uint16_t suffixes = w->suffix_count;
    put_name(w, &question->name);
    writer_u16(&w->out, question->type);
    writer_u16(&w->out, question->class);
    if (!fits(w, before, suffixes)) {
        return false;
    }
    count(w, DNS_QUESTION);
    return true;
}

static void put_data(struct dns_writer *w, const struct dns_record *record)
{
    switch (record->type) {
    case DNS_A:
    case DNS_AAAA:
        writer_put(&w->out, record->address.bytes, record->type == DNS_A ? 4 : 16);
        break;
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
        put_name(w, record->target);
        break;
    case DNS_SRV: /* whose name is not to be compressed, says RFC 2782 */
        writer_u16(&w->out, record->priority);
        writer_u16(&w->out, record->weight);
        writer_u16(&w->out, record->port);
        if (w->suffix_count < DNS_SUFFIXES - 8) { /* some places are kept for what many names end with */
            remember(w);
        }
        writer_put(&w->out, record->target->bytes, record->target->size);
        break;
    default:
        writer_put(&w->out, record->data.data, record->data.size);
    }
}

bool dns_put_record(struct dns_writer *w, enum dns_section section, const struct dns_record *record)
{
    size_t before = w->out.size;
    uint16_t suffixes = w->suffix_count;
    put_name(w, record->name);
    writer_u16(&w->out, record->type);
    writer_u16(&w->out, record->class);
    writer_u32(&w->out, record->ttl);
    size_t length_at = w->out.size;
    writer_u16(&w->out, 0);
    put_data(w, record);
    if (!fits(w, before, suffixes)) {
        return false;
    }
    bytes_put_u16(w->out.data + length_at, (uint16_t)(w->out.size - length_at - 2));
    count(w, section);
    return true;
}

bool dns_put_opt(struct dns_writer *w, uint16_t udp_bytes, enum dns_code code, struct hearsay_bytes cookie)
{
    static const struct dns_name root = {.size = 1};
    uint8_t data[4 + 40];
    if (cookie.size > 0) {
        CHECK(cookie.size <= 40);
        bytes_put_u16(data, OPTION_COOKIE);
        bytes_put_u16(data + 2, (uint16_t)cookie.size);
        memcpy(data + 4, cookie.data, cookie.size);
    }
    struct dns_record record = {.name = &root,
                                .type = DNS_OPT,
                                .class = udp_bytes,
                                .ttl = (uint32_t)code >> 4 << 24,
                                .data = bytes_of(data, cookie.size == 0 ? 0 : 4 + cookie.size)};
    w->header.flags = (uint16_t)((w->header.flags & ~DNS_CODE) | (code & DNS_CODE));
    return dns_put_record(w, DNS_ADDITIONAL, &record);
}

struct hearsay_bytes dns_finish(struct dns_writer *w)
{
    struct writer head = writer_of(w->out.data, DNS_HEADER);
    writer_u16(&head, w->header.id);
    writer_u16(&head, w->header.flags);
    for (int i = 0; i < DNS_SECTIONS; i++) {
        writer_u16(&head, w->header.counts[i]);
    }
    return writer_bytes(&w->out);
}
