/* SPDX-License-Identifier: MIT
 *
 * See store_rpc.h.
 */
#include "bench/store_rpc.h"

#include "wire/msgpack.h"

#include <stdio.h>
#include <stdlib.h>

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench: an agent does not answer, or refused: %s\n", what);
    exit(1);
}

struct hearsay_bytes store_rpc_ask(struct rpc *rpc, const char *command, struct hearsay_bytes body)
{
    struct hearsay_bytes answer;
    if (!rpc_ask(rpc, command, body, &answer)) {
        die(command);
    }
    return answer;
}

/* Moves to the value of a key in the map that comes next. */
static void find(struct reader *r, const char *key)
{
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        if (msgpack_is(msgpack_get_raw(r), key)) {
            return;
        }
        msgpack_skip(r);
    }
    die(key);
}

uint64_t store_rpc_counter(struct rpc *rpc, const char *name)
{
    struct reader r = reader_of(store_rpc_ask(rpc, "health", bytes_of(NULL, 0)));
    find(&r, "Counters");
    find(&r, name);
    return msgpack_get_uint(&r, UINT64_MAX);
}

uint64_t store_rpc_figure(struct rpc *rpc, const char *name)
{
    struct reader r = reader_of(store_rpc_ask(rpc, "kv-status", bytes_of(NULL, 0)));
    find(&r, "store");
    find(&r, name);
    return msgpack_get_uint(&r, UINT64_MAX);
}

void store_rpc_root(struct rpc *rpc, uint64_t entries, char out[40])
{
    struct reader r = reader_of(store_rpc_ask(rpc, "kv-status", bytes_of(NULL, 0)));
    find(&r, "store");
    struct reader count = r, text = r;
    find(&count, "root_entries");
    find(&text, "root");
    struct hearsay_bytes word = msgpack_get_uint(&count, UINT64_MAX) == entries ? msgpack_get_raw(&text) : bytes_of(NULL, 0);
    snprintf(out, 40, "%.*s", (int)word.size, (const char *)word.data);
}

void store_rpc_join(struct rpc *rpc, const char *address)
{
    uint8_t room[128];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Existing");
    msgpack_put_array(&w, 1);
    msgpack_put_text(&w, address);
    msgpack_put_text(&w, "Replay");
    msgpack_put_bool(&w, false);
    (void)store_rpc_ask(rpc, "join", writer_bytes(&w));
}
