/* SPDX-License-Identifier: MIT
 *
 * See client.h.
 */
#include "cli/client.h"

#include "cli/command.h"
#include "cli/place.h"
#include "cli/plain.h"
#include "wire/msgpack.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SECRET_ROOM 4224
#define CLIENT_WAIT_MS 10000
#define CLIENT_OBJECT_MAX (64u << 20)
#define CORK_BYTES ((size_t)64 << 10)

static const char *address_of(void)
{
    if (command_rpc_addr != NULL) {
        return command_rpc_addr;
    }
    const char *own = getenv("HEARSAY_RPC_ADDR"), *serf = getenv("SERF_RPC_ADDR");
    return own != NULL ? own : serf != NULL ? serf : "127.0.0.1:7373";
}

static const char *token_of(void)
{
    if (command_rpc_auth != NULL) {
        return command_rpc_auth;
    }
    const char *own = getenv("HEARSAY_RPC_AUTH");
    return own != NULL ? own : getenv("SERF_RPC_AUTH");
}

static int connect_to(const char *address)
{
    struct places places;
    int fd = -1, why = 0;
    if (!place_resolve(address, "7373", &places)) {
        return -1;
    }
    for (size_t i = 0; i < places.count && fd < 0; i++) {
        fd = place_connect(&places.at[i], CLIENT_WAIT_MS, &why);
    }
    if (fd < 0) {
        command_fail("no agent answers at %s (%s); start one with `hearsay agent`, or say where it is with --rpc-addr", address, strerror(why));
        return -1;
    }
    struct timeval patience = {.tv_sec = CLIENT_WAIT_MS / 1000};
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); /* a request is two small writes, and nobody should wait for the second */
    return fd;
}

static bool handshake(struct client *c)
{
    uint8_t room[SECRET_ROOM];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Version");
    msgpack_put_uint(&w, 1);
    if (!client_ask(c, "handshake", writer_bytes(&w))) {
        return false;
    }
    const char *token = token_of();
    if (token == NULL || token[0] == 0) {
        return true;
    }
    w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "AuthKey");
    msgpack_put_str(&w, bytes_of_string(token));
    return client_ask(c, "auth", writer_bytes(&w));
}

bool client_open(struct client *c)
{
    *c = (struct client){.fd = connect_to(address_of()), .wait_ms = CLIENT_WAIT_MS};
    if (c->fd < 0) {
        return false;
    }
    if (!handshake(c)) {
        client_close(c);
        return false;
    }
    return true;
}

void client_close(struct client *c)
{
    if (c->fd >= 0) {
        close(c->fd);
    }
    free(c->data);
    free(c->waiting);
    *c = (struct client){.fd = -1};
}

static bool send_all(struct client *c, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(c->fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            command_fail(sent < 0 && errno == EAGAIN ? "the agent does not read what we ask" : "the agent closed the connection");
            return false;
        }
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

void client_cork(struct client *c)
{
    c->is_corked = true;
}

static bool flush(struct client *c)
{
    size_t size = c->waiting_size;
    c->waiting_size = 0;
    return size == 0 || send_all(c, c->waiting, size);
}

/* Sends, or keeps for later. */
static bool put(struct client *c, const uint8_t *data, size_t size)
{
    if (!c->is_corked || size >= CORK_BYTES) {
        return flush(c) && send_all(c, data, size);
    }
    if (c->waiting == NULL && (c->waiting = malloc(CORK_BYTES)) == NULL) {
        command_fail("out of memory");
        return false;
    }
    if (c->waiting_size + size > CORK_BYTES && !flush(c)) {
        return false;
    }
    bytes_copy(c->waiting + c->waiting_size, data, size);
    c->waiting_size += size;
    return true;
}

bool client_send(struct client *c, const char *command, struct hearsay_bytes body)
{
    uint8_t room[128];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Command");
    msgpack_put_text(&w, command);
    msgpack_put_text(&w, "Seq");
    msgpack_put_uint(&w, ++c->seq);
    return put(c, w.data, w.size) && put(c, body.data, body.size);
}

static bool receive_more(struct client *c, bool is_quiet)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    if (!flush(c)) {
        return false;
    }
    int ready = poll(&p, 1, c->wait_ms);
    if (ready < 0 && errno == EINTR) {
        return true;
    }
    if (ready == 0) {
        command_fail("no answer from the agent within %d s", c->wait_ms / 1000);
        return false;
    }
    if (c->capacity - c->size < 4096) {
        size_t capacity = c->capacity < 8192 ? 16384 : c->capacity * 2;
        uint8_t *data = realloc(c->data, capacity);
        if (data == NULL) {
            command_fail("out of memory");
            return false;
        }
        c->data = data;
        c->capacity = capacity;
    }
    ssize_t got = recv(c->fd, c->data + c->size, c->capacity - c->size, 0);
    if (got < 0 && errno == EINTR) {
        return true;
    }
    if (got <= 0) {
        if (!is_quiet) {
            command_fail("the agent closed the connection without an answer%s", c->closed_hint == NULL ? "" : c->closed_hint);
        }
        return false;
    }
    c->size += (size_t)got;
    return true;
}

bool client_next(struct client *c, struct hearsay_bytes *object, bool is_quiet)
{
    if (c->used > 0) { /* what was handed out last time is over */
        memmove(c->data, c->data + c->used, c->size - c->used);
        c->size -= c->used;
        c->used = 0;
        c->scan = (struct scan){0};
    }
    for (;;) {
        switch (scan_object(&c->scan, c->data, c->size, CLIENT_OBJECT_MAX)) {
        case SCAN_DONE:
            *object = bytes_of(c->data, c->scan.at);
            c->used = c->scan.at;
            return true;
        case SCAN_BAD:
            command_fail("the answer makes no sense: is that an RPC address?");
            return false;
        case SCAN_MORE:
            if (!receive_more(c, is_quiet)) {
                return false;
            }
        }
    }
}

bool client_header(struct client *c, uint64_t *seq, char *error, size_t size, bool is_quiet)
{
    struct hearsay_bytes object;
    if (!client_next(c, &object, is_quiet)) {
        return false;
    }
    struct reader r = reader_of(object);
    uint32_t count = msgpack_get_map(&r);
    error[0] = 0;
    *seq = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Error")) {
            struct hearsay_bytes text = msgpack_get_raw(&r);
            plain_into(error, size, text);
        } else if (msgpack_is(key, "Seq")) {
            *seq = msgpack_get_uint(&r, UINT64_MAX);
        } else {
            msgpack_skip(&r);
        }
    }
    if (r.is_bad) {
        command_fail("the answer makes no sense: is that an RPC address?");
    }
    return !r.is_bad;
}

bool client_ask(struct client *c, const char *command, struct hearsay_bytes body)
{
    char error[1024];
    uint64_t seq;
    if (!client_send(c, command, body) || !client_header(c, &seq, error, sizeof error, false)) {
        return false;
    }
    if (error[0] != 0) {
        bool needs_token = strcmp(error, "Authentication required") == 0 || strcmp(error, "Invalid authentication token") == 0;
        plain_tame(error);
        command_fail("%s%s", error, needs_token ? "; give the agent's token with --rpc-auth @FILE" : "");
        return false;
    }
    return true;
}
