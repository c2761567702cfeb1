/* SPDX-License-Identifier: MIT
 *
 * The owner of the parts: start and stop, the node's outputs, the one timer. Before a tick everything that has arrived is read: after a
 * pause libuv would fire the timer first, and the node would give up on answers that lie in the socket.
 */
#include "driver.h"

#include "address.h"
#include "sockets.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define NEVER UINT64_MAX
#define DEFAULT_BIND "0.0.0.0:7946"

/* ---- the timer ---- */

static void settle(void *owner);

static void drain(struct hearsay_uv *uv)
{
    struct pollfd ready[2] = {{.fd = uv->packets.fd, .events = POLLIN}, {.fd = uv->connections.listener, .events = POLLIN}};
    if (poll(ready, 2, 0) > 0) {
        if (ready[0].revents != 0) {
            packets_drain(&uv->packets);
        }
        if (ready[1].revents != 0) {
            connections_accept(&uv->connections);
        }
    }
    connections_drain(&uv->connections);
}

static void on_timer(uv_timer_t *timer)
{
    struct hearsay_uv *uv = timer->data;
    uv->armed_for = NEVER;
    drain(uv);
    uint64_t now = door_now();
    if (!uv->door.is_stopping) {
        connections_expire(&uv->connections, now);
        joins_expire(&uv->joins, now);
    }
    if (!uv->door.is_stopping && hearsay_next_deadline(uv->door.node) <= now) {
        door_tick(&uv->door);
    }
    settle(uv);
}

static void arm(struct hearsay_uv *uv)
{
    if (uv->door.is_stopping) {
        return;
    }
    uint64_t deadline = hearsay_next_deadline(uv->door.node);
    deadline = uv->connections.deadline < deadline ? uv->connections.deadline : deadline;
    deadline = uv->joins.deadline < deadline ? uv->joins.deadline : deadline;
    if (deadline == uv->armed_for) {
        return;
    }
    uv->armed_for = deadline;
    if (deadline == NEVER) {
        uv_timer_stop(&uv->timer);
        return;
    }
    /* The loop counts the same clock, in milliseconds. At least one, so that a node that is late leaves time for others. */
    uint64_t due_ms = deadline / 1000 + (deadline % 1000 != 0), now_ms = uv_now(uv->door.loop);
    uv_timer_start(&uv->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 1, 0);
}

/* ---- outputs ---- */

static void tell(struct hearsay_uv *uv, const struct hearsay_event *original)
{
    const struct hearsay_event *event = event_copy_make(&uv->event_copy, original);
    if (event == NULL) {
        return;
    }
    if (uv->on_event != NULL) {
        uv->on_event(uv, event, uv->user);
    }
    if (event->type == HEARSAY_JOIN_RESULT && !uv->door.is_stopping) {
        joins_on_result(&uv->joins, event);
    } else if (event->type == HEARSAY_LEAVE_DONE && uv->on_left != NULL) {
        uv->on_left(uv->left_context);
    }
}

static void persist(struct hearsay_uv *uv, const struct hearsay_persist *batch)
{
    if (uv->on_persist != NULL) {
        uv->on_persist(uv, batch, uv->user);
    } else {
        door_persisted(&uv->door, batch->batch, false);
    }
}

static void carry_out(struct hearsay_uv *uv, const struct hearsay_output *output)
{
    switch (output->type) {
    case HEARSAY_SEND_PACKET: packets_send(&uv->packets, &output->address, output->bytes); break;
    case HEARSAY_OPEN_STREAM: connections_open(&uv->connections, output->stream, &output->address); break;
    case HEARSAY_SEND_STREAM: connections_send(&uv->connections, output->stream, output->bytes); break;
    case HEARSAY_CLOSE_STREAM: connections_close(&uv->connections, output->stream); break;
    case HEARSAY_NOTIFY: tell(uv, &output->event); break;
    case HEARSAY_PERSIST: persist(uv, &output->persist); break;
    }
}

static void settle(void *owner)
{
    struct hearsay_uv *uv = owner;
    struct hearsay_output output;
    if (uv->is_settling) {
        return; /* an output led to another input: the loop below comes to what it brought */
    }
    uv->is_settling = true;
    door_tell_clock(&uv->door);
    while (!uv->door.is_stopping) {
        bool is_there = hearsay_next_output(uv->door.node, &output);
        if (uv->door.tape != NULL) {
            tape_output(uv->door.tape, is_there ? &output : NULL);
        }
        if (!is_there) {
            break;
        }
        carry_out(uv, &output);
    }
    uv->is_settling = false;
    arm(uv);
}

/* ---- start ---- */

static bool resolve_bind(const char *bind, struct hearsay_address *address, char *error, size_t size)
{
    char host[ADDRESS_HOST_MAX];
    uint16_t port;
    if (hearsay_address_parse(bind, ADDRESS_DEFAULT_PORT, address)) {
        return true;
    }
    if (!address_split(bind, ADDRESS_DEFAULT_PORT, host, &port)) {
        snprintf(error, size, "bind address \"%s\" is malformed; write host, host:port or [v6]:port", bind);
        return false;
    }
    if (host[0] == '\0') { /* ":7946" */
        *address = (struct hearsay_address){.size = 4, .port = port};
        return true;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int err = getaddrinfo(host, NULL, &hints, &list);
    if (err != 0) {
        snprintf(error, size, "bind address \"%s\" cannot be resolved: %s; write an address of this machine", bind, gai_strerror(err));
        return false;
    }
    address_from_system(list->ai_addr, address);
    freeaddrinfo(list);
    address->port = port;
    return true;
}

static bool find_bind(const struct hearsay_uv_options *options, struct hearsay_address *address, char *error, size_t size)
{
    if (!resolve_bind(options->bind == NULL ? DEFAULT_BIND : options->bind, address, error, size)) {
        return false;
    }
    if (options->interface != NULL && !sockets_interface_address(options->interface, address)) {
        snprintf(error, size, "interface \"%s\" does not exist or has no address; look at `ip address`", options->interface);
        return false;
    }
    return true;
}

static void choose_advertise(struct hearsay_uv *uv, struct hearsay_options *node)
{
    uint16_t port = node->advertise.port;
    if (node->advertise.size == 0) {
        sockets_advertise(&uv->bound, &node->advertise);
    }
    node->advertise.port = port == 0 ? uv->bound.port : port;
    uv->advertised = node->advertise;
}

static void explain_option(const struct hearsay_options *node, const char *what, hearsay_err err, char *error, size_t size)
{
    for (size_t i = 0; i < hearsay_number_count(); i++) {
        const struct hearsay_number *number = hearsay_number_at(i);
        if (strcmp(number->name, what) == 0) {
            snprintf(error, size, "option %s is %u; choose %u to %u %s", what, hearsay_options_get(node, what), number->least,
                     number->most, number->unit);
            return;
        }
    }
    snprintf(error, size, "option %s does not fit: %s", what, hearsay_err_text(err));
}

static bool create_node(struct hearsay_uv *uv, struct hearsay_options *node, char *error, size_t size)
{
    const char *what = NULL;
    uint64_t now = door_now();
    hearsay_err err;
    choose_advertise(uv, node);
    while (node->seed == 0) {
        if (getrandom(&node->seed, sizeof node->seed, 0) < 0 && errno != EINTR) {
            node->seed = now ^ (uint64_t)(uintptr_t)uv;
        }
    }
    if (node->cipher.seal == NULL && hearsay_cipher_nettle(&uv->cipher)) {
        node->cipher = uv->cipher;
    }
    if (uv->door.tape != NULL) {
        tape_watch(uv->door.tape, &node->matcher);
    }
    if (uv->door.tape != NULL && node->cipher.seal != NULL) {
        tape_listen(uv->door.tape, &node->cipher);
    }
    err = hearsay_options_check(node, &what);
    if (err != HEARSAY_OK) {
        explain_option(node, what == NULL ? "?" : what, err, error, size);
        return false;
    }
    if (uv->door.tape != NULL) {
        tape_options(uv->door.tape, now, node);
    }
    uv->door.node = hearsay_create(node, now, &err);
    if (uv->door.node == NULL) {
        snprintf(error, size, "cannot create node \"%s\": %s", node->name, hearsay_err_text(err));
        return false;
    }
    return true;
}

static void release(struct hearsay_uv *uv)
{
    hearsay_destroy(uv->door.node);
    tape_close(uv->door.tape);
    hearsay_cipher_nettle_free(&uv->cipher);
    event_copy_deinit(&uv->event_copy);
    free(uv);
}

static void on_released(void *owner)
{
    struct hearsay_uv *uv = owner;
    void (*on_stopped)(void *user) = uv->on_stopped;
    void *user = uv->stopped_user;
    release(uv);
    if (on_stopped != NULL) {
        on_stopped(user);
    }
}

/* The sockets come last, since taking them over is hard to undo. */
static bool open_parts(struct hearsay_uv *uv, const struct hearsay_options *node, struct sockets *sockets, char *error, size_t size)
{
    joins_init(&uv->joins, &uv->door, uv, 0);
    if (!packets_start(&uv->packets, &uv->door, sockets->udp, address_family(&uv->bound))) {
        snprintf(error, size, "the loop does not take the UDP socket");
        return false;
    }
    if (!connections_start(&uv->connections, &uv->door, sockets->tcp, &uv->bound, node->streams_max, node->stream_timeout_ms)) {
        packets_stop(&uv->packets);
        sockets->udp = -1;
        snprintf(error, size, "the loop does not take the TCP socket");
        return false;
    }
    uv_timer_init(uv->door.loop, &uv->timer);
    uv->timer.data = uv;
    door_hold(&uv->door);
    return true;
}

void hearsay_uv_options(struct hearsay_uv_options *options)
{
    *options = (struct hearsay_uv_options){.bind = NULL};
    hearsay_options_lan(&options->node);
}

static bool open_tape(struct hearsay_uv *uv, const char *path, char *error, size_t size)
{
    if (path == NULL) {
        return true;
    }
    uv->door.tape = tape_open(path);
    if (uv->door.tape == NULL) {
        snprintf(error, size, "cannot write tape \"%s\": %s; choose a file that can be written", path, strerror(errno));
    }
    return uv->door.tape != NULL;
}

struct hearsay_uv *hearsay_uv_start(uv_loop_t *loop, const struct hearsay_uv_options *options, char *error, size_t size)
{
    struct hearsay_options node = options->node;
    struct hearsay_address bind;
    struct sockets sockets;
    char ignored[8];
    if (error == NULL || size == 0) {
        error = ignored;
        size = sizeof ignored;
    }
    if (!find_bind(options, &bind, error, size) || !sockets_open(&sockets, &bind, error, size)) {
        return NULL;
    }
    struct hearsay_uv *uv = malloc(sizeof *uv); /* the buffer's pages stay untouched until used */
    if (uv == NULL) {
        snprintf(error, size, "out of memory");
        sockets_close(&sockets);
        return NULL;
    }
    memset(uv, 0, offsetof(struct hearsay_uv, buffer));
    uv->door = (struct door){.loop = loop, .owner = uv, .settle = settle, .released = on_released, .buffer = uv->buffer};
    uv->bound = sockets.bound;
    uv->on_event = options->on_event;
    uv->on_persist = options->on_persist;
    uv->user = options->user;
    uv->armed_for = NEVER;
    if (!open_tape(uv, options->tape, error, size) || !create_node(uv, &node, error, size) ||
        !open_parts(uv, &node, &sockets, error, size)) {
        sockets_close(&sockets);
        if (uv->door.holds == 0) {
            release(uv);
        } else {
            uv->door.is_stopping = true; /* a handle is still closing: its end releases the memory */
        }
        return NULL;
    }
    uv->joins.retry_ms = options->retry_join_ms;
    uv->armed_for = 0; /* the first outputs come from the loop, when the caller knows what we answered */
    uv_timer_start(&uv->timer, on_timer, 0, 0);
    return uv;
}

/* ---- stop ---- */

static void on_timer_released(uv_handle_t *handle)
{
    struct hearsay_uv *uv = handle->data;
    door_release(&uv->door);
}

void hearsay_uv_stop(struct hearsay_uv *uv, void (*on_stopped)(void *user), void *user)
{
    if (uv->door.is_stopping) {
        return;
    }
    uv->door.is_stopping = true;
    uv->on_stopped = on_stopped;
    uv->stopped_user = user;
    packets_stop(&uv->packets);
    connections_stop(&uv->connections);
    uv_close((uv_handle_t *)&uv->timer, on_timer_released);
    joins_stop(&uv->joins);
}

/* ---- small questions ---- */

struct hearsay_node *hearsay_uv_node(struct hearsay_uv *uv)
{
    return uv->door.node;
}

uint64_t hearsay_uv_now(struct hearsay_uv *uv)
{
    (void)uv;
    return door_now();
}

void hearsay_uv_flush(struct hearsay_uv *uv)
{
    settle(uv);
}

void hearsay_uv_counters(const struct hearsay_uv *uv, struct hearsay_uv_counters *counters)
{
    counters->packets_unsent = uv->packets.unsent;
    counters->streams_unaccepted = uv->connections.unaccepted;
}

void *hearsay_uv_user(struct hearsay_uv *uv)
{
    return uv->user;
}

void hearsay_uv_bound(const struct hearsay_uv *uv, struct hearsay_address *bound, struct hearsay_address *advertised)
{
    if (bound != NULL) {
        *bound = uv->bound;
    }
    if (advertised != NULL) {
        *advertised = uv->advertised;
    }
}
