/* SPDX-License-Identifier: MIT
 *
 * See recall.h. Times are ages, so no two clocks are compared: a record is placed by the asker's clock at the moment its answer came.
 */
#include "cli/recall.h"

#include "cli/clock.h"
#include "cli/plain.h"
#include "cli/question.h"
#include "rpc/recall.h"
#include "wire/msgpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBSERVERS_MOST 100000

static void take_text(struct reader *r, char *out, size_t size)
{
    plain_into(out, size, msgpack_get_raw(r));
    plain_tame(out);
}

static bool add_observer(struct recall *recall, struct hearsay_bytes from)
{
    bool is_full = recall->observer_count >= OBSERVERS_MOST;
    void *more = is_full ? NULL : realloc(recall->observers, (recall->observer_count + 1) * sizeof *recall->observers);
    if (more == NULL) {
        return false;
    }
    recall->observers = more;
    plain_into(recall->observers[recall->observer_count], sizeof *recall->observers, from);
    plain_tame(recall->observers[recall->observer_count++]);
    return true;
}

static void read_evidence(struct reader *r, uint64_t number, struct story_record *s)
{
    const char *name = number < RECALL_EVIDENCE_COUNT ? recall_evidence[number] : "";
    struct story_place place = story_place(s, name, strlen(name));
    if (place.text != NULL) {
        take_text(r, place.text, place.size);
    } else if (place.number != NULL) {
        *place.number = msgpack_get_uint(r, UINT64_MAX);
    } else {
        msgpack_skip(r);
    }
}

static bool read_record(struct reader *r, struct recall_record *one, const char *name, uint64_t now_ms)
{
    struct story_record *s = &one->record;
    snprintf(s->name, sizeof s->name, "%s", name);
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        uint64_t field = msgpack_get_uint(r, UINT64_MAX);
        if (field == RECALL_AGE) {
            uint64_t age = msgpack_get_uint(r, UINT64_MAX);
            s->at_ms = age < now_ms ? now_ms - age : 0;
        } else if (field == RECALL_EVENT) {
            take_text(r, s->event, sizeof s->event);
        } else if (field == RECALL_NAME) {
            take_text(r, s->name, sizeof s->name);
        } else {
            read_evidence(r, field - RECALL_EVIDENCE, s);
        }
    }
    return !r->is_bad;
}

struct asking {
    struct recall *recall;
    const char *name;
};

/* What makes no sense in an answer is left out; it may come from anybody. */
static void on_answer(void *context, struct hearsay_bytes from, struct hearsay_bytes payload)
{
    struct asking *asking = context;
    struct recall *recall = asking->recall;
    struct reader r = reader_of(payload);
    uint32_t count = msgpack_get_array(&r);
    if (count == 0 || msgpack_get_uint(&r, UINT64_MAX) != RECALL_VERSION || r.is_bad || !add_observer(recall, from)) {
        return;
    }
    for (; count > 1; count--) {
        if (recall->count == recall->capacity) {
            size_t capacity = recall->capacity == 0 ? 64 : recall->capacity * 2;
            void *more = realloc(recall->at, capacity * sizeof *recall->at);
            if (more == NULL) {
                return;
            }
            recall->at = more;
            recall->capacity = capacity;
        }
        struct recall_record *one = &recall->at[recall->count];
        *one = (struct recall_record){.record.at_ms = 0};
        snprintf(one->observer, sizeof one->observer, "%s", recall->observers[recall->observer_count - 1]);
        if (!read_record(&r, one, asking->name, clock_unix_ms())) {
            return;
        }
        recall->count++;
    }
}

static void on_ack(void *context, struct hearsay_bytes from)
{
    (void)context;
    (void)from;
}

static int by_time(const void *left, const void *right)
{
    const struct recall_record *a = left, *b = right;
    if (a->record.at_ms != b->record.at_ms) {
        return a->record.at_ms < b->record.at_ms ? -1 : 1;
    }
    return strcmp(a->observer, b->observer);
}

bool recall_ask(struct recall *recall, struct client *client, const char *name, int64_t timeout_ms)
{
    struct asking asking = {recall, name};
    struct question question = {.name = RECALL_QUERY,
                                .payload = bytes_of_string(name),
                                .timeout_ms = timeout_ms,
                                .on_ack = on_ack,
                                .on_answer = on_answer,
                                .context = &asking};
    *recall = (struct recall){.count = 0};
    if (!question_send(client, &question) || !question_wait(client, &question)) {
        return false;
    }
    recall->now_ms = clock_unix_ms();
    if (recall->count > 0) {
        qsort(recall->at, recall->count, sizeof recall->at[0], by_time);
    }
    return true;
}

void recall_free(struct recall *recall)
{
    free(recall->at);
    free(recall->observers);
}
