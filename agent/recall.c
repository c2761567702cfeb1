/* SPDX-License-Identifier: MIT
 *
 * See recall.h. Our own pauses belong to every answer: whoever was away judges badly.
 */
#include "agent/recall.h"

#include "agent/eventlog.h"
#include "rpc/recall.h"
#include "wire/msgpack.h"

#define RECORDS_MOST 256

struct pieces {
    struct writer w;
    uint32_t count;
};

static void put_piece(void *context, const char *key, const char *text, uint64_t number)
{
    struct pieces *p = context;
    for (uint32_t i = 0; i < RECALL_EVIDENCE_COUNT; i++) {
        if (strcmp(recall_evidence[i], key) != 0) {
            continue;
        }
        msgpack_put_uint(&p->w, RECALL_EVIDENCE + i);
        if (text != NULL) {
            msgpack_put_raw(&p->w, bytes_of_string(text));
        } else {
            msgpack_put_uint(&p->w, number);
        }
        p->count++;
    }
}

static size_t put_record(const struct hearsay_record *record, struct hearsay_bytes asked, uint64_t age_ms, uint8_t *room, size_t size)
{
    uint8_t evidence[1024];
    struct pieces p = {.w = writer_of(evidence, sizeof evidence)};
    struct writer w = writer_of(room, size);
    bool is_other = !bytes_equal(bytes_of_string(record->name), asked);
    eventlog_visit_cause(&record->cause, put_piece, &p);
    msgpack_put_map(&w, 2 + is_other + p.count);
    msgpack_put_uint(&w, RECALL_AGE);
    msgpack_put_uint(&w, age_ms);
    msgpack_put_uint(&w, RECALL_EVENT);
    msgpack_put_text(&w, record->type == HEARSAY_EVENT_COUNT ? "note" : hearsay_event_text(record->type));
    if (is_other) {
        msgpack_put_uint(&w, RECALL_NAME);
        msgpack_put_raw(&w, bytes_of_string(record->name));
    }
    writer_put(&w, evidence, p.w.size);
    return w.is_full || p.w.is_full ? 0 : w.size;
}

static bool is_wanted(const struct service *service, const struct hearsay_record *record, struct hearsay_bytes name)
{
    return record->name != NULL && (bytes_equal(bytes_of_string(record->name), name) ||
                                    (record->cause.reason == HEARSAY_BECAUSE_PAUSED && strcmp(record->name, service->name) == 0));
}

size_t recall_answer(const struct service *service, struct hearsay_bytes name, uint8_t *out, size_t size)
{
    uint8_t *room = must(malloc(size)); /* records, oldest first; the oldest give way */
    size_t starts[RECORDS_MOST + 1] = {0}, count = 0;
    struct hearsay_record record;
    const size_t head = 8;
    uint64_t now = service->now_us(service->context);
    for (size_t position = 0; size > head && hearsay_next_record(service->node, &position, &record);) {
        uint8_t one[1536];
        size_t first = 0, length = !is_wanted(service, &record, name)
                                       ? 0
                                       : put_record(&record, name, now > record.at_us ? (now - record.at_us) / 1000 : 0, one, sizeof one);
        if (length == 0 || length > size - head) {
            continue;
        }
        while (starts[count] - starts[first] + length > size - head || count - first == RECORDS_MOST) {
            first++;
        }
        size_t dropped = starts[first];
        memmove(room, room + dropped, starts[count] - dropped);
        count -= first;
        for (size_t i = 0; i <= count; i++) {
            starts[i] = starts[i + first] - dropped;
        }
        memcpy(room + starts[count], one, length);
        starts[count + 1] = starts[count] + length;
        count++;
    }
    struct writer w = writer_of(out, size);
    msgpack_put_array(&w, (uint32_t)count + 1);
    msgpack_put_uint(&w, RECALL_VERSION);
    for (size_t i = count; i > 0; i--) {
        writer_put(&w, room + starts[i - 1], starts[i] - starts[i - 1]);
    }
    free(room);
    return w.size;
}
