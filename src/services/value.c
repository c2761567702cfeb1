/* SPDX-License-Identifier: MIT
 *
 * One service as bytes: key and value of its entry in the store. The value is a msgpack map whose unknown keys are skipped, so that it may
 * grow. It knows neither the store nor who is alive; what is malformed is refused as a whole, for its owner will write it again.
 */
#include "base/cursor.h"
#include "wire/msgpack.h"
#include <hearsay/services.h>

#define LABEL_MAX 63
#define META_VALUE_MAX 255
#define OUTPUT_MAX 512

/* ---- what is allowed --------------------------------------------------------------------------------------------------------- */

static bool is_label(struct hearsay_bytes b)
{
    for (size_t i = 0; i < b.size; i++) {
        uint8_t c = b.data[i];
        bool is_hyphen = c == '-' && i > 0 && i + 1 < b.size;
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !is_hyphen) {
            return false;
        }
    }
    return b.size > 0 && b.size <= LABEL_MAX;
}

static bool is_id(struct hearsay_bytes b)
{
    for (size_t i = 0; i < b.size; i++) {
        if (b.data[i] <= ' ' || b.data[i] > '~' || b.data[i] == '/') {
            return false;
        }
    }
    return b.size > 0 && b.size <= HEARSAY_SERVICE_ID_MAX;
}

static bool is_clean(struct hearsay_bytes b, size_t most)
{
    for (size_t i = 0; i < b.size; i++) {
        if (b.data[i] < ' ' || b.data[i] == 0x7f) {
            return false;
        }
    }
    return b.size <= most;
}

static bool is_tag(struct hearsay_bytes b)
{
    return b.size > 0 && is_clean(b, LABEL_MAX);
}

const char *hearsay_service_problem(const struct hearsay_service_definition *d)
{
    if (!is_label(bytes_of_string(d->name))) {
        return "the name of a service must be a DNS label: 1 to 63 of a-z, 0-9 and '-', which stands neither first nor last";
    }
    if (d->id != NULL && !is_id(bytes_of_string(d->id))) {
        return "the id of a service must have 1 to 127 visible ASCII characters, and no '/'";
    }
    if (d->address.size != 0 && d->address.size != 4 && d->address.size != 16) {
        return "the address of a service must be IPv4 or IPv6";
    }
    if (d->tag_count > HEARSAY_SERVICE_TAGS_MAX || d->meta_count > HEARSAY_SERVICE_TAGS_MAX) {
        return "a service has at most 64 tags and 64 fields of meta";
    }
    for (size_t i = 0; i < d->tag_count; i++) {
        if (!is_tag(bytes_of_string(d->tags[i]))) {
            return "a tag must have 1 to 63 bytes and no control characters";
        }
    }
    for (size_t i = 0; i < d->meta_count; i++) {
        if (!is_tag(bytes_of_string(d->meta[i].key)) || !is_clean(bytes_of_string(d->meta[i].value), META_VALUE_MAX)) {
            return "a field of meta must have a key of 1 to 63 bytes and a value of at most 255, without control characters";
        }
    }
    return (unsigned)d->state < HEARSAY_SERVICE_STATE_COUNT ? NULL : "the state of the service is unknown";
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------ */

size_t hearsay_service_key(const char *node, const char *id, uint8_t key[HEARSAY_KEY_MAX])
{
    struct writer w = writer_of(key, HEARSAY_KEY_MAX);
    struct hearsay_bytes name = bytes_of_string(node);
    if (name.size == 0 || name.size > HEARSAY_NAME_MAX || !is_id(bytes_of_string(id))) {
        return 0;
    }
    writer_put(&w, HEARSAY_SERVICE_PREFIX, sizeof HEARSAY_SERVICE_PREFIX - 1);
    writer_put(&w, name.data, name.size);
    writer_u8(&w, '/');
    writer_put(&w, id, strlen(id));
    return w.size;
}

size_t hearsay_service_value(const struct hearsay_service_definition *d, uint8_t value[HEARSAY_SERVICE_VALUE_MAX])
{
    struct writer w = writer_of(value, HEARSAY_SERVICE_VALUE_MAX);
    if (hearsay_service_problem(d) != NULL) {
        return 0;
    }
    msgpack_put_map(&w, 7);
    msgpack_put_text(&w, "name");
    msgpack_put_text(&w, d->name);
    msgpack_put_text(&w, "address");
    msgpack_put_raw(&w, bytes_of(d->address.bytes, d->address.size));
    msgpack_put_text(&w, "port");
    msgpack_put_uint(&w, d->address.port);
    msgpack_put_text(&w, "tags");
    msgpack_put_array(&w, (uint32_t)d->tag_count);
    for (size_t i = 0; i < d->tag_count; i++) {
        msgpack_put_text(&w, d->tags[i]);
    }
    msgpack_put_text(&w, "meta");
    msgpack_put_map(&w, (uint32_t)d->meta_count);
    for (size_t i = 0; i < d->meta_count; i++) {
        msgpack_put_text(&w, d->meta[i].key);
        msgpack_put_text(&w, d->meta[i].value);
    }
    msgpack_put_text(&w, "state");
    msgpack_put_uint(&w, d->state);
    msgpack_put_text(&w, "output");
    msgpack_put_raw(&w, bytes_of(d->output.data, d->output.size < OUTPUT_MAX ? d->output.size : OUTPUT_MAX));
    return w.is_full ? 0 : w.size;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

/* The bytes of a list of strings, which r leaves behind. */
static struct hearsay_bytes read_list(struct reader *r, bool is_map)
{
    const uint8_t *begin = r->at;
    uint32_t count = is_map ? msgpack_get_map(r) : msgpack_get_array(r);
    r->is_bad |= count > HEARSAY_SERVICE_TAGS_MAX;
    for (uint32_t i = 0; i < count && !r->is_bad; i++) {
        r->is_bad |= !is_tag(msgpack_get_raw(r));
        if (is_map) {
            r->is_bad |= !is_clean(msgpack_get_raw(r), META_VALUE_MAX);
        }
    }
    return r->is_bad ? bytes_of(NULL, 0) : bytes_of(begin, (size_t)(r->at - begin));
}

static void read_field(struct reader *r, struct hearsay_bytes key, struct hearsay_service *s)
{
    if (msgpack_is(key, "name")) {
        s->name = msgpack_get_raw(r);
    } else if (msgpack_is(key, "address")) {
        msgpack_get_address(r, &s->address);
    } else if (msgpack_is(key, "port")) {
        s->address.port = (uint16_t)msgpack_get_uint(r, UINT16_MAX);
    } else if (msgpack_is(key, "tags")) {
        s->tags = read_list(r, false);
    } else if (msgpack_is(key, "meta")) {
        s->meta = read_list(r, true);
    } else if (msgpack_is(key, "state")) {
        s->state = (enum hearsay_service_state)msgpack_get_uint(r, HEARSAY_SERVICE_STATE_COUNT - 1);
    } else if (msgpack_is(key, "output")) {
        s->output = msgpack_get_raw(r);
    } else {
        msgpack_skip(r);
    }
}

bool hearsay_service_decode(struct hearsay_bytes value, struct hearsay_service *service)
{
    struct reader r = reader_of(value);
    *service = (struct hearsay_service){.rtt = -1};
    if (value.size > HEARSAY_SERVICE_VALUE_MAX) {
        return false;
    }
    for (uint32_t left = msgpack_get_map(&r); left > 0 && !r.is_bad; left--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        read_field(&r, key, service);
    }
    return !r.is_bad && reader_left(&r) == 0 && is_label(service->name) && service->output.size <= OUTPUT_MAX;
}

/* ---- looking closer ------------------------------------------------------------------------------------------------------------ */

/* The item at *position of a list that was checked; strings: how many there are in one. */
static bool next_item(struct hearsay_bytes list, size_t *position, struct hearsay_bytes *item, struct hearsay_bytes *value)
{
    struct reader r = reader_of(list);
    if (list.size == 0) {
        return false;
    }
    size_t count = value == NULL ? msgpack_get_array(&r) : msgpack_get_map(&r);
    if (*position >= count) {
        return false;
    }
    for (size_t i = 0; i <= *position; i++) {
        *item = msgpack_get_raw(&r);
        if (value != NULL) {
            *value = msgpack_get_raw(&r);
        }
    }
    ++*position;
    return !r.is_bad;
}

bool hearsay_service_next_tag(const struct hearsay_service *service, size_t *position, struct hearsay_bytes *tag)
{
    return next_item(service->tags, position, tag, NULL);
}

bool hearsay_service_next_meta(const struct hearsay_service *service, size_t *position, struct hearsay_bytes *key,
                               struct hearsay_bytes *value)
{
    return next_item(service->meta, position, key, value);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool is_same_word(struct hearsay_bytes a, struct hearsay_bytes b)
{
    size_t i = 0;
    while (a.size == b.size && i < a.size && lower(a.data[i]) == lower(b.data[i])) {
        i++;
    }
    return a.size == b.size && i == a.size;
}

bool hearsay_service_has_tag(const struct hearsay_service *service, struct hearsay_bytes tag)
{
    struct reader r = reader_of(service->tags);
    for (uint32_t left = service->tags.size == 0 ? 0 : msgpack_get_array(&r); left > 0 && !r.is_bad; left--) {
        if (is_same_word(msgpack_get_raw(&r), tag)) {
            return true;
        }
    }
    return false;
}

const char *hearsay_service_state_text(enum hearsay_service_state state)
{
    static const char *const words[HEARSAY_SERVICE_STATE_COUNT] = {"passing", "warning", "critical", "maintenance"};
    return (unsigned)state < HEARSAY_SERVICE_STATE_COUNT ? words[state] : "unknown";
}
