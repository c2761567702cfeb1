/* SPDX-License-Identifier: MIT
 *
 * See connections.h. Straight on the sockets through uv_poll, so that everything readable can be read before the node's tick.
 *
 * Closing: a close with unread bytes would reset the connection and could destroy our last words on their way (an error reply to
 * somebody who is still sending). So an accepted stream is first shut down, and closed when the other side has finished or
 * its time is up. id 0 marks a stream that the node does not know any more.
 */
#include "connections.h"

#include "address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCEPTS_AT_ONCE 1024
#define READS_AT_ONCE 64             /* of up to 64 KiB each: then others get their turn */
#define QUEUE_MAX (64u << 20)        /* more than the largest exchange */
#define GOODBYE_US 1000000           /* how long the other side may take to close after us */
#define ACCEPT_PAUSE_US 100000       /* after running out of descriptors */
#define NEVER UINT64_MAX

struct connection {
    uv_poll_t poll;
    struct connections *owner;
    int fd;                          /* -1 once closed */
    int watched;                     /* events the loop looks for */
    uint32_t id;
    bool is_inbound, is_connecting, is_shut, at_end;
    uint8_t *queue;                  /* not yet taken by the system */
    size_t queue_from, queue_size, queue_capacity;
    uint64_t linger_until;           /* NEVER while nothing limits it here */
    int broken;                      /* 0, or the error that writing met; reading tells when all is over */
    struct connection *next, *previous, *in_bucket;
};

/* ---- the set of connections ---- */

static struct connection *find(struct connections *s, uint32_t id)
{
    struct connection *c = s->buckets[id & (CONNECTIONS_BUCKETS - 1)];
    while (c != NULL && c->id != id) {
        c = c->in_bucket;
    }
    return id == 0 ? NULL : c;
}

static void forget_id(struct connection *c)
{
    if (c->id == 0) {
        return;
    }
    struct connection **at = &c->owner->buckets[c->id & (CONNECTIONS_BUCKETS - 1)];
    while (*at != c) {
        at = &(*at)->in_bucket;
    }
    *at = c->in_bucket;
    c->id = 0;
}

static void learn_id(struct connection *c, uint32_t id)
{
    struct connection **bucket = &c->owner->buckets[id & (CONNECTIONS_BUCKETS - 1)];
    c->id = id;
    c->in_bucket = *bucket;
    *bucket = c;
}

static void on_released(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    struct door *door = c->owner->door;
    free(c->queue);
    free(c);
    door_release(door);
}

static void find_deadline(struct connections *s)
{
    s->deadline = s->accept_again_at;
    for (struct connection *c = s->first; c != NULL; c = c->next) {
        s->deadline = c->linger_until < s->deadline ? c->linger_until : s->deadline;
    }
}

/* Leaves next as it is, so that whoever walks the list can go on. */
static void drop(struct connection *c)
{
    struct connections *s = c->owner;
    if (c->fd < 0) {
        return;
    }
    forget_id(c);
    *(c->previous == NULL ? &s->first : &c->previous->next) = c->next;
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    s->count--;
    if (c->linger_until == s->deadline && s->deadline != NEVER) {
        find_deadline(s);
    }
    uv_close((uv_handle_t *)&c->poll, on_released);
    close(c->fd);
    c->fd = -1;
}

/* NULL when the loop or memory refuses; then fd is closed. */
static struct connection *add(struct connections *s, int fd)
{
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL || uv_poll_init(s->door->loop, &c->poll, fd) != 0) {
        free(c);
        close(fd);
        return NULL;
    }
    door_hold(s->door);
    c->poll.data = c;
    c->owner = s;
    c->fd = fd;
    c->linger_until = NEVER;
    c->next = s->first;
    if (s->first != NULL) {
        s->first->previous = c;
    }
    s->first = c;
    s->count++;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return c;
}

static void linger(struct connection *c, uint64_t span_us)
{
    struct connections *s = c->owner;
    c->linger_until = door_now() + span_us;
    if (c->linger_until < s->deadline) {
        s->deadline = c->linger_until;
    }
}

/* ---- what happens on one connection ---- */

static void on_ready(uv_poll_t *poll, int status, int events);

static void watch(struct connection *c)
{
    if (c->fd < 0) {
        return;
    }
    int wanted = c->at_end ? 0 : UV_READABLE;
    if (c->is_connecting || c->queue_size > 0) {
        wanted |= UV_WRITABLE;
    }
    if (wanted != c->watched) {
        c->watched = wanted;
        uv_poll_start(&c->poll, wanted, on_ready);
    }
}

/* The connection is over, or never was. */
static void fail(struct connection *c, int error)
{
    uint32_t id = c->id;
    struct door *door = c->owner->door;
    drop(c);
    if (id != 0) {
        door_closed(door, id, error == ECONNREFUSED ? HEARSAY_CLOSE_REFUSED : HEARSAY_CLOSE_RESET);
    }
}

/* When the node is done with the stream and everything is handed over: close, gently if the other side may still be sending. */
static void finish(struct connection *c)
{
    if (c->fd < 0 || c->id != 0 || c->queue_size > 0) {
        return;
    }
    if (!c->is_inbound || c->at_end || c->broken != 0) {
        drop(c);
    } else if (!c->is_shut) {
        c->is_shut = true;
        shutdown(c->fd, SHUT_WR);
        linger(c, GOODBYE_US);
    }
}

/* How much the system took. An error does not end the stream yet: the other side's last words may still be unread. */
static size_t write_some(struct connection *c, const uint8_t *data, size_t size)
{
    if (c->broken != 0) {
        return size;
    }
    ssize_t taken = send(c->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken >= 0) {
        return (size_t)taken;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        c->broken = errno;
        return size;
    }
    return 0;
}

static void write_queue(struct connection *c)
{
    size_t taken = 1;
    while (c->queue_size > 0 && taken > 0) {
        taken = write_some(c, c->queue + c->queue_from, c->queue_size);
        c->queue_from += taken;
        c->queue_size -= taken;
    }
    if (c->queue_size == 0) {
        free(c->queue);
        c->queue = NULL;
        c->queue_from = c->queue_capacity = 0;
    }
}

static void on_end(struct connection *c)
{
    uint32_t id = c->id;
    c->at_end = true;
    if (c->broken != 0) {
        fail(c, c->broken);
    } else if (id != 0) {
        forget_id(c);
        if (c->queue_size > 0) { /* it has only finished sending, perhaps */
            linger(c, c->owner->linger_us);
        }
        door_closed(c->owner->door, id, HEARSAY_CLOSE_END);
    }
}

static void read_all(struct connection *c)
{
    struct door *door = c->owner->door;
    for (int i = 0; i < READS_AT_ONCE && c->fd >= 0 && !c->at_end; i++) {
        ssize_t size = recv(c->fd, door->buffer, DOOR_BUFFER_SIZE, MSG_DONTWAIT);
        if (size > 0) {
            if (c->id != 0) {
                door_stream(door, c->id, door->buffer, (size_t)size);
            }
        } else if (size == 0) {
            on_end(c);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != EINTR) {
            fail(c, errno);
        }
    }
}

static void on_connect(struct connection *c)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    if (error != 0) {
        fail(c, error);
        return;
    }
    c->is_connecting = false;
    if (c->id != 0) {
        door_connected(c->owner->door, c->id);
    }
}

static void serve(struct connection *c, bool is_writable)
{
    if (c->fd >= 0 && c->is_connecting) {
        if (!is_writable) {
            return;
        }
        on_connect(c);
    }
    if (c->fd >= 0 && is_writable) {
        write_queue(c);
    }
    if (c->fd >= 0) {
        read_all(c);
    }
    finish(c);
    watch(c);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct connection *c = poll->data;
    if (status < 0) { /* libuv stopped polling, the error is in the socket: reading or writing tells which */
        c->watched = 0;
    }
    serve(c, status < 0 || (events & UV_WRITABLE) != 0);
}

/* ---- the listening socket ---- */

static void on_listener_released(uv_handle_t *handle)
{
    struct connections *s = handle->data;
    door_release(s->door);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct connections *s = poll->data;
    connections_accept(s);
    if (status < 0 && !s->door->is_stopping) {
        uv_poll_start(poll, UV_READABLE, on_connection);
    }
}

bool connections_start(struct connections *s, struct door *door, int listener, const struct hearsay_address *bound, uint32_t streams_max,
                   uint32_t linger_ms)
{
    *s = (struct connections){.door = door, .listener = listener, .family = address_family(bound), .from = *bound,
                          .count_max = 2 * streams_max, .linger_us = linger_ms * UINT64_C(1000), .accept_again_at = NEVER,
                          .deadline = NEVER};
    s->from.port = 0;
    if (uv_poll_init(door->loop, &s->poll, listener) != 0) {
        return false;
    }
    s->poll.data = s;
    door_hold(door);
    uv_poll_start(&s->poll, UV_READABLE, on_connection);
    return true;
}

void connections_stop(struct connections *s)
{
    while (s->first != NULL) {
        drop(s->first);
    }
    uv_close((uv_handle_t *)&s->poll, on_listener_released);
    close(s->listener);
    s->listener = -1;
}

/* Waiting connections would wake us again and again while there is no descriptor for them. */
static void pause_accepting(struct connections *s)
{
    s->unaccepted++;
    uv_poll_stop(&s->poll);
    s->accept_again_at = door_now() + ACCEPT_PAUSE_US;
    if (s->accept_again_at < s->deadline) {
        s->deadline = s->accept_again_at;
    }
}

static void welcome(struct connections *s, int fd, const struct sockaddr_storage *system)
{
    struct hearsay_address from;
    address_from_system((const struct sockaddr *)system, &from);
    struct connection *c = s->count < s->count_max ? add(s, fd) : NULL;
    if (c == NULL) {
        if (s->count >= s->count_max) {
            close(fd);
        }
        s->unaccepted++;
        return;
    }
    c->is_inbound = true;
    uint32_t id = door_accepted(s->door, &from);
    if (id == 0) {
        drop(c);
    } else {
        learn_id(c, id);
    }
    s->door->settle(s->door->owner);
    serve(c, false);
}

void connections_accept(struct connections *s)
{
    for (int i = 0; i < ACCEPTS_AT_ONCE && !s->door->is_stopping && s->accept_again_at == NEVER; i++) {
        struct sockaddr_storage from;
        socklen_t size = sizeof from;
        int fd = accept4(s->listener, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(s, fd, &from);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(s);
        } /* else: a connection that died while it waited */
    }
}

void connections_drain(struct connections *s)
{
    for (struct connection *c = s->first, *next; c != NULL && !s->door->is_stopping; c = next) {
        next = c->next;
        if (c->fd < 0) {
            continue;
        }
        struct pollfd ready = {.fd = c->fd};
        ready.events = (short)((c->watched & UV_READABLE ? POLLIN : 0) | (c->watched & UV_WRITABLE ? POLLOUT : 0));
        if (poll(&ready, 1, 0) > 0) {
            serve(c, (ready.revents & (POLLOUT | POLLERR | POLLHUP)) != 0);
        }
    }
}

void connections_expire(struct connections *s, uint64_t now)
{
    if (now < s->deadline) {
        return;
    }
    if (now >= s->accept_again_at) {
        s->accept_again_at = NEVER;
        uv_poll_start(&s->poll, UV_READABLE, on_connection);
    }
    for (struct connection *c = s->first, *next; c != NULL; c = next) {
        next = c->next;
        if (c->linger_until <= now) {
            drop(c);
        }
    }
    find_deadline(s);
}

/* ---- the node's outputs ---- */

/* From where we listen, so that the other side sees the address that others know us by. */
static void bind_like_listener(struct connections *s, int fd, int family)
{
    struct sockaddr_storage own;
    socklen_t size = address_is_any(&s->from) ? 0 : address_to_system(&s->from, family, &own);
    if (size > 0) {
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
        (void)bind(fd, (const struct sockaddr *)&own, size); /* unreachable from there: connect will say so */
    }
}

void connections_open(struct connections *s, uint32_t id, const struct hearsay_address *to)
{
    struct sockaddr_storage system;
    int family = address_family(to);
    socklen_t size = address_to_system(to, family, &system);
    int fd = size == 0 ? -1 : socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && family == s->family) {
        bind_like_listener(s, fd, family);
    }
    struct connection *c = fd < 0 ? NULL : add(s, fd);
    if (c == NULL) {
        door_closed(s->door, id, HEARSAY_CLOSE_RESET);
        return;
    }
    learn_id(c, id);
    c->is_connecting = true;
    if (connect(fd, (const struct sockaddr *)&system, size) != 0 && errno != EINPROGRESS) {
        fail(c, errno);
        return;
    }
    watch(c); /* also when it is connected at once: the loop says so in a moment */
}

static bool enqueue(struct connection *c, const uint8_t *data, size_t size)
{
    if (QUEUE_MAX - c->queue_size < size) {
        return false;
    }
    if (c->queue_from > 0) {
        memmove(c->queue, c->queue + c->queue_from, c->queue_size);
        c->queue_from = 0;
    }
    if (c->queue_capacity - c->queue_size < size) {
        uint8_t *queue = realloc(c->queue, c->queue_size + size);
        if (queue == NULL) {
            return false;
        }
        c->queue = queue;
        c->queue_capacity = c->queue_size + size;
    }
    memcpy(c->queue + c->queue_size, data, size);
    c->queue_size += size;
    return true;
}

void connections_send(struct connections *s, uint32_t id, struct hearsay_bytes bytes)
{
    struct connection *c = find(s, id);
    if (c == NULL) {
        return;
    }
    size_t done = 0;
    if (c->queue_size == 0 && !c->is_connecting) {
        done = write_some(c, bytes.data, bytes.size);
    }
    if (done < bytes.size && !enqueue(c, bytes.data + done, bytes.size - done)) {
        fail(c, ENOBUFS);
        return;
    }
    watch(c);
}

void connections_close(struct connections *s, uint32_t id)
{
    struct connection *c = find(s, id);
    if (c == NULL) {
        return;
    }
    if (c->is_connecting) {
        drop(c);
        return;
    }
    forget_id(c);
    if (c->queue_size > 0) {
        linger(c, s->linger_us);
    }
    finish(c);
    watch(c);
}
