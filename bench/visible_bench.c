/* SPDX-License-Identifier: MIT
 *
 * How long a put takes until half and until all of a cluster's agents show it (a watcher at each is told), and until the writer is
 * answered; median over several puts, each at another agent. In memory, with the default settings.
 */
#include "bench/agents.h"
#include "bench/clock.h"
#include "bench/median.h"
#include "bench/report.h"
#include "wire/msgpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PUTS_MAX 41

struct hearing {
    const char *key;
    uint64_t *heard_at; /* per agent, 0 = not yet */
    unsigned heard, count;
};

static void hear(void *context, unsigned agent, const char *event, const char *name)
{
    struct hearing *h = context;
    if (strcmp(event, "put") == 0 && strcmp(name, h->key) == 0 && h->heard_at[agent] == 0) {
        h->heard_at[agent] = clock_us();
        h->heard++;
    }
}

static bool all_heard(void *context)
{
    const struct hearing *h = context;
    return h->heard == h->count;
}

static bool put(struct rpc *rpc, const char *key)
{
    uint8_t room[256];
    struct writer w = writer_of(room, sizeof room);
    struct hearsay_bytes answer;
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Key");
    msgpack_put_text(&w, key);
    msgpack_put_text(&w, "Value");
    msgpack_put_text(&w, "sixty-four bytes are a usual size of a value in such measurements");
    return rpc_ask(rpc, "kv-put", writer_bytes(&w), &answer);
}

struct times {
    double answered[PUTS_MAX], half[PUTS_MAX], all[PUTS_MAX];
    unsigned missed;
};

static void put_and_watch(struct agents *a, struct rpc *writer, unsigned i, struct times *times)
{
    char key[16];
    snprintf(key, sizeof key, "key-%u", i);
    struct hearing h = {key, calloc(a->count, sizeof(uint64_t)), 0, a->count};
    agents_listen(a, clock_seconds(0.3), hear, NULL, &h); /* the one before ebbs away */
    uint64_t put_at = clock_us();
    if (!put(writer, key)) {
        fprintf(stderr, "bench visible: an agent refused a put\n");
        exit(1);
    }
    times->answered[i] = (double)(clock_us() - put_at) / 1e3;
    agents_listen(a, clock_seconds(10), hear, all_heard, &h);
    double *took = calloc(a->count, sizeof *took);
    for (unsigned k = 0; k < a->count; k++) {
        took[k] = h.heard_at[k] == 0 ? 10e3 : (double)(h.heard_at[k] - put_at) / 1e3;
    }
    median_sort(took, a->count);
    times->half[i] = took[a->count / 2 - 1];
    times->all[i] = took[a->count - 1];
    times->missed += a->count - h.heard;
    free(took);
    free(h.heard_at);
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("visible", argc, argv);
    unsigned count = flags.is_quick ? 10 : 50, puts = flags.is_quick ? 11 : PUTS_MAX;
    struct agents a = {.kind = AGENTS_HEARSAY, .count = count, .has_store = true};
    static struct times times;
    char what[64];
    report_progress("agents meet");
    agents_gather(&a);
    struct rpc *writers = calloc(puts, sizeof *writers);
    for (unsigned i = 0; i < puts; i++) {
        rpc_open(&writers[i], a.at[(i * 37) % count].address, 7373, clock_seconds(10));
    }
    for (unsigned i = 0; i < count; i++) {
        if (!rpc_watch(&a.at[i].rpc)) {
            fprintf(stderr, "bench visible: an agent has no store\n");
            return 1;
        }
    }
    report_progress("they learn who has a store");
    usleep(flags.is_quick ? 3000000 : 10000000);
    report_progress("puts");
    for (unsigned i = 0; i < puts; i++) {
        put_and_watch(&a, &writers[i], i, &times);
        rpc_close(&writers[i]);
    }
    free(writers);
    agents_stop(&a);
    report_value("the writer is answered", "ms", median(times.answered, puts));
    snprintf(what, sizeof what, "half of %u agents show a put", count);
    report_value(what, "ms", median(times.half, puts));
    snprintf(what, sizeof what, "all %u agents show a put", count);
    report_limit(what, "ms", median(times.all, puts), 100);
    report_value("the same, the slowest put", "ms", times.all[puts - 1]);
    report_limit("agents that never showed a put", "", times.missed, 0);
    return report_end();
}
