/* SPDX-License-Identifier: MIT
 *
 * See filters.h. A filter that cannot be read, or whose expression the matcher refuses, means nobody.
 */
#include "serf/filters.h"

#include "wire/msgpack.h"
#include "wire/serf_message.h"

#define FILTER_BYTES_MAX 4096

static bool is_named(struct reader names, struct hearsay_bytes name)
{
    bool is_there = false;
    for (uint32_t n = msgpack_get_array(&names); n > 0 && !names.is_bad; n--) {
        is_there |= bytes_equal(msgpack_get_raw(&names), name);
    }
    return is_there;
}

/* A tag that is not there reads as "". */
static struct hearsay_bytes tag_of(struct hearsay_bytes meta, struct hearsay_bytes key)
{
    struct reader r;
    uint32_t count;
    if (meta.size == 0) {
        return bytes_of("", 0);
    }
    if (!serf_tags_begin(meta, &r, &count)) { /* before protocol 3 the whole meta was the role */
        return msgpack_is(key, "role") ? meta : bytes_of("", 0);
    }
    for (; count > 0; count--) {
        bool is_it = bytes_equal(msgpack_get_raw(&r), key);
        struct hearsay_bytes value = msgpack_get_raw(&r);
        if (is_it) {
            return value;
        }
    }
    return bytes_of("", 0);
}

bool filters_match(const struct hearsay_matcher *matcher, struct hearsay_bytes filters, struct hearsay_bytes name, struct hearsay_bytes meta)
{
    struct reader r = serf_filters_begin(filters);
    struct serf_filter filter;
    while (serf_next_filter(&r, &filter)) {
        bool is_meant = false;
        if (filter.type == SERF_FILTER_NAMES) {
            is_meant = is_named(filter.names, name);
        } else if (filter.type == SERF_FILTER_TAG && matcher->match != NULL) {
            is_meant = matcher->match(matcher->context, filter.expression, tag_of(meta, filter.tag));
        }
        if (!is_meant) {
            return false;
        }
    }
    return !r.is_bad;
}

/* Each filter is a raw of its own, so it is written beside first. */
static void put_filter(struct writer *w, const struct writer *filter)
{
    msgpack_put_raw(w, writer_bytes(filter));
    w->is_full |= filter->is_full;
}

void filters_write(struct writer *w, const struct hearsay_question *question)
{
    uint8_t room[FILTER_BYTES_MAX];
    if (question->node_count == 0 && question->tag_count == 0) {
        return;
    }
    msgpack_put_array(w, (uint32_t)((question->node_count > 0) + question->tag_count));
    if (question->node_count > 0) {
        struct writer names = writer_of(room, sizeof room);
        writer_u8(&names, SERF_FILTER_NAMES);
        msgpack_put_array(&names, (uint32_t)question->node_count);
        for (size_t i = 0; i < question->node_count; i++) {
            msgpack_put_text(&names, question->nodes[i]);
        }
        put_filter(w, &names);
    }
    for (size_t i = 0; i < question->tag_count; i++) {
        struct writer tag = writer_of(room, sizeof room);
        writer_u8(&tag, SERF_FILTER_TAG);
        msgpack_put_map(&tag, 2);
        msgpack_put_text(&tag, "Expr");
        msgpack_put_text(&tag, question->tags[i].value);
        msgpack_put_text(&tag, "Tag");
        msgpack_put_text(&tag, question->tags[i].key);
        put_filter(w, &tag);
    }
}
