/* SPDX-License-Identifier: MIT
 *
 * See rpc.h.
 */
#include "bench/rpc.h"

#include "bench/clock.h"
#include "wire/msgpack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OBJECT_MAX (64u << 20)
#define ANSWER_MS 20000

static int connect_once(const char *address, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, address, &to.sin_addr);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool send_request(struct rpc *r, const char *command, struct hearsay_bytes body)
{
    uint8_t room[512];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Command");
    msgpack_put_text(&w, command);
    msgpack_put_text(&w, "Seq");
    msgpack_put_uint(&w, r->seq++);
    writer_put(&w, body.data, body.size);
    return send(r->fd, room, w.size, MSG_NOSIGNAL) == (ssize_t)w.size;
}

/* Reads once, waiting at most wait_ms. -1 closed, 0 nothing, 1 something. */
static int receive(struct rpc *r, int wait_ms)
{
    struct pollfd p = {.fd = r->fd, .events = POLLIN};
    if (poll(&p, 1, wait_ms) <= 0) {
        return 0;
    }
    if (r->capacity - r->size < 4096) {
        r->capacity = r->capacity == 0 ? 16384 : 2 * r->capacity;
        r->data = realloc(r->data, r->capacity);
        if (r->data == NULL) {
            abort();
        }
    }
    ssize_t got = recv(r->fd, r->data + r->size, r->capacity - r->size, 0);
    if (got <= 0) {
        return -1;
    }
    r->size += (size_t)got;
    return 1;
}

/* The next whole object among what has been received. */
static bool next_object(struct rpc *r, struct hearsay_bytes *object)
{
    if (r->used > 0) {
        memmove(r->data, r->data + r->used, r->size - r->used);
        r->size -= r->used;
        r->used = 0;
        r->scan = (struct scan){0};
    }
    if (r->size == 0 || scan_object(&r->scan, r->data, r->size, OBJECT_MAX) != SCAN_DONE) {
        return false;
    }
    r->used = r->scan.at;
    *object = bytes_of(r->data, r->used);
    return true;
}

static bool wait_object(struct rpc *r, struct hearsay_bytes *object)
{
    while (!next_object(r, object)) {
        if (receive(r, ANSWER_MS) <= 0) {
            return false;
        }
    }
    return true;
}

static bool wait_header(struct rpc *r)
{
    struct hearsay_bytes object;
    if (!wait_object(r, &object)) {
        return false;
    }
    struct reader in = reader_of(object);
    bool is_error = false;
    for (uint32_t left = msgpack_get_map(&in); left > 0 && !in.is_bad; left--) {
        if (msgpack_is(msgpack_get_raw(&in), "Error")) {
            is_error = msgpack_get_raw(&in).size > 0;
        } else {
            msgpack_skip(&in);
        }
    }
    return !in.is_bad && !is_error;
}

static bool handshake(struct rpc *r)
{
    uint8_t room[64];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Version");
    msgpack_put_uint(&w, 1);
    return send_request(r, "handshake", writer_bytes(&w)) && wait_header(r);
}

static bool open_with_pause(struct rpc *r, const char *address, uint16_t port, uint64_t deadline, unsigned pause_us)
{
    *r = (struct rpc){.fd = -1};
    while (clock_us() < deadline) {
        r->fd = connect_once(address, port);
        if (r->fd >= 0 && handshake(r)) {
            return true;
        }
        rpc_close(r);
        usleep(pause_us);
    }
    return false;
}

bool rpc_open(struct rpc *r, const char *address, uint16_t port, uint64_t deadline)
{
    return open_with_pause(r, address, port, deadline, 20000);
}

bool rpc_open_eagerly(struct rpc *r, const char *address, uint16_t port, uint64_t deadline)
{
    return open_with_pause(r, address, port, deadline, 20);
}

void rpc_close(struct rpc *r)
{
    if (r->fd >= 0) {
        close(r->fd);
    }
    free(r->data);
    *r = (struct rpc){.fd = -1};
}

/* {"serf": {"members": "100", "failed": "0", "left": "0", …}, …}: all that are neither failed nor left. */
int rpc_alive(struct rpc *r)
{
    struct hearsay_bytes object;
    if (!send_request(r, "stats", (struct hearsay_bytes){0}) || !wait_header(r) || !wait_object(r, &object)) {
        return -1;
    }
    struct reader in = reader_of(object);
    int alive = -1;
    for (uint32_t groups = msgpack_get_map(&in); groups > 0 && !in.is_bad; groups--) {
        if (!msgpack_is(msgpack_get_raw(&in), "serf")) {
            msgpack_skip(&in);
            continue;
        }
        for (uint32_t left = msgpack_get_map(&in); left > 0 && !in.is_bad; left--) {
            struct hearsay_bytes key = msgpack_get_raw(&in), value = msgpack_get_raw(&in);
            char text[16] = "";
            if (value.size < sizeof text) {
                memcpy(text, value.data, value.size);
            }
            int sign = msgpack_is(key, "members") ? 1 : msgpack_is(key, "failed") || msgpack_is(key, "left") ? -1 : 0;
            alive += sign * atoi(text) + (sign > 0);
        }
    }
    return in.is_bad ? -1 : alive;
}

/* {"Counters": {"packets_out": 17, …}, …} */
bool rpc_counters(struct rpc *r, const char *const *names, uint64_t *values, unsigned count)
{
    struct hearsay_bytes object;
    if (!send_request(r, "health", (struct hearsay_bytes){0}) || !wait_header(r) || !wait_object(r, &object)) {
        return false;
    }
    struct reader in = reader_of(object);
    unsigned found = 0;
    for (uint32_t groups = msgpack_get_map(&in); groups > 0 && !in.is_bad; groups--) {
        if (!msgpack_is(msgpack_get_raw(&in), "Counters")) {
            msgpack_skip(&in);
            continue;
        }
        for (uint32_t left = msgpack_get_map(&in); left > 0 && !in.is_bad; left--) {
            struct hearsay_bytes key = msgpack_get_raw(&in);
            uint64_t value = msgpack_get_uint(&in, UINT64_MAX);
            for (unsigned i = 0; i < count; i++) {
                if (msgpack_is(key, names[i])) {
                    values[i] = value;
                    found++;
                }
            }
        }
    }
    return !in.is_bad && found == count;
}

bool rpc_event(struct rpc *r, const char *name)
{
    uint8_t room[256];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 3);
    msgpack_put_text(&w, "Name");
    msgpack_put_text(&w, name);
    msgpack_put_text(&w, "Payload");
    msgpack_put_raw(&w, bytes_of_string("sixteen bytes..."));
    msgpack_put_text(&w, "Coalesce");
    msgpack_put_bool(&w, false);
    return send_request(r, "event", writer_bytes(&w)) && wait_header(r);
}

unsigned rpc_members(struct rpc *r)
{
    struct hearsay_bytes object;
    if (!send_request(r, "members", (struct hearsay_bytes){0}) || !wait_header(r) || !wait_object(r, &object)) {
        return 0;
    }
    struct reader in = reader_of(object);
    bool is_list = msgpack_get_map(&in) == 1 && msgpack_is(msgpack_get_raw(&in), "Members");
    unsigned count = msgpack_get_array(&in);
    return is_list && !in.is_bad ? count : 0;
}

bool rpc_query(struct rpc *r, const char *name, unsigned seconds)
{
    uint8_t room[256];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 4);
    msgpack_put_text(&w, "Name");
    msgpack_put_text(&w, name);
    msgpack_put_text(&w, "Payload");
    msgpack_put_raw(&w, bytes_of_string("?"));
    msgpack_put_text(&w, "RequestAck");
    msgpack_put_bool(&w, true);
    msgpack_put_text(&w, "Timeout");
    msgpack_put_uint(&w, (uint64_t)seconds * 1000000000u);
    return send_request(r, "query", writer_bytes(&w)) && wait_header(r);
}

bool rpc_key(struct rpc *r, const char *command, const char *key)
{
    uint8_t room[256];
    struct hearsay_bytes object;
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Key");
    msgpack_put_text(&w, key);
    return send_request(r, command, writer_bytes(&w)) && wait_header(r) && wait_object(r, &object);
}

bool rpc_ask(struct rpc *r, const char *command, struct hearsay_bytes body, struct hearsay_bytes *answer)
{
    return send_request(r, command, body) && wait_header(r) && wait_object(r, answer);
}

bool rpc_stream(struct rpc *r, const char *type)
{
    uint8_t room[128];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Type");
    msgpack_put_text(&w, type);
    return send_request(r, "stream", writer_bytes(&w)) && wait_header(r);
}

bool rpc_watch(struct rpc *r)
{
    static const uint8_t everything[] = {0x80}; /* a map without fields */
    return send_request(r, "kv-watch", bytes_of(everything, 1)) && wait_header(r);
}

bool rpc_watch_service(struct rpc *r, const char *service)
{
    uint8_t room[128];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Name");
    msgpack_put_text(&w, service);
    return send_request(r, "service-watch", writer_bytes(&w)) && wait_header(r);
}

static void copy_text(char *out, size_t size, struct hearsay_bytes from)
{
    size_t used = from.size < size ? from.size : size - 1;
    memcpy(out, from.data == NULL ? (const uint8_t *)"" : from.data, used);
    out[used] = 0;
}

static void read_members(struct reader *in, const char *event, rpc_seen *seen, void *context)
{
    for (uint32_t members = msgpack_get_array(in); members > 0 && !in->is_bad; members--) {
        char name[128] = "";
        for (uint32_t fields = msgpack_get_map(in); fields > 0 && !in->is_bad; fields--) {
            if (msgpack_is(msgpack_get_raw(in), "Name")) {
                copy_text(name, sizeof name, msgpack_get_raw(in));
            } else {
                msgpack_skip(in);
            }
        }
        seen(context, event, name);
    }
}

/* What stands behind "output": in the JSON; no escapes are expected. */
static void copy_output(char *out, size_t size, struct hearsay_bytes json)
{
    static const char label[] = "\"output\":\"";
    const uint8_t *at = memmem(json.data, json.size, label, sizeof label - 1);
    if (at != NULL) {
        at += sizeof label - 1;
        const uint8_t *end = memchr(at, '"', (size_t)(json.data + json.size - at));
        copy_text(out, size, bytes_of(at, end == NULL ? 0 : (size_t)(end - at)));
    }
}

/* A record is {"Event": …, "Name": …} or {"Event": …, "Members": […]}; the headers between records have no Event. */
static void read_record(struct hearsay_bytes object, rpc_seen *seen, void *context)
{
    char event[32] = "", name[128] = "";
    struct reader in = reader_of(object), members = {0};
    for (uint32_t fields = msgpack_get_map(&in); fields > 0 && !in.is_bad; fields--) {
        struct hearsay_bytes key = msgpack_get_raw(&in);
        if (msgpack_is(key, "Event") || msgpack_is(key, "Type")) {
            copy_text(event, sizeof event, msgpack_get_raw(&in));
        } else if (msgpack_is(key, "Name") || msgpack_is(key, "From") || msgpack_is(key, "Key")) {
            copy_text(name, sizeof name, msgpack_get_raw(&in));
        } else if (msgpack_is(key, "Services")) {
            copy_text(event, sizeof event, bytes_of_string("services"));
            copy_output(name, sizeof name, msgpack_get_raw(&in));
        } else {
            if (msgpack_is(key, "Members")) {
                members = in;
            }
            msgpack_skip(&in);
        }
    }
    if (members.at != NULL) {
        read_members(&members, event, seen, context);
    } else if (event[0] != 0) {
        seen(context, event, name);
    }
}

bool rpc_read(struct rpc *r, rpc_seen *seen, void *context)
{
    struct hearsay_bytes object;
    int got;
    do {
        got = receive(r, 0);
        while (next_object(r, &object)) {
            read_record(object, seen, context);
        }
    } while (got > 0);
    return got == 0;
}
