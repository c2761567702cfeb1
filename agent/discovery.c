/* SPDX-License-Identifier: MIT
 *
 * See discovery.h. Questions go out from a port of our own, since several programs may share 5353, and what is sent to one of them alone may reach
 * another; so answers come back to who asked, as Serf's responder sends them anyway. What reaches us from elsewhere than a network of ours is not
 * answered more than a hundred times a second: an answer is longer than its question.
 */
#include "agent/discovery.h"

#include "agent/log.h"

#include <net/if.h>
#include <netinet/in.h>

#define PORT 5353
#define GROUP_FOUR "224.0.0.251"
#define GROUP_SIX "ff02::fb"
#define QUESTION_EVERY_MS 60000
#define QUIET_MS 100 /* so long nobody else was found: now join */
#define ANSWERS_PER_SECOND 100

static void on_time(uv_timer_t *timer);
static void free_unused(struct discovery *d);

static uint64_t now_ms(const struct discovery *d)
{
    return uv_now(d->timer.loop);
}

static void arm(struct discovery *d)
{
    uint64_t at = d->join_ms != 0 && d->join_ms < d->next_question_ms ? d->join_ms : d->next_question_ms, now = now_ms(d);
    uv_timer_start(&d->timer, on_time, at > now ? at - now : 0, 0);
}

/* ---- whom to join ---- */

static bool is_same_place(const struct hearsay_address *a, const struct hearsay_address *b)
{
    return a->size == b->size && a->port == b->port && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static bool is_known(const struct discovery *d, const struct hearsay_address *address)
{
    struct hearsay_member member;
    for (size_t i = 0; i < d->count; i++) {
        if (is_same_place(&d->found[i], address)) {
            return true;
        }
    }
    for (size_t position = 0; hearsay_next_member(d->service->node, &position, &member);) {
        if (member.status == HEARSAY_ALIVE && is_same_place(&member.address, address)) {
            return true;
        }
    }
    return false;
}

static void on_joined(void *user, size_t contacted, const char *error)
{
    struct discovery *d = user;
    if (contacted > 0) {
        log_put(LOG_INFO, "agent.mdns: Joined %zu hosts", contacted);
    } else {
        log_put(LOG_WARN, "agent.mdns: Failed to join: %s", error == NULL ? "nobody answered" : error);
    }
    d->is_joining = false;
    free_unused(d); /* closed meanwhile? */
}

static void join_found(struct discovery *d)
{
    const char *peers[DISCOVERY_FOUND_MAX];
    char texts[DISCOVERY_FOUND_MAX][56];
    for (size_t i = 0; i < d->count; i++) {
        text_place(&d->found[i], texts[i]);
        peers[i] = texts[i];
    }
    size_t count = d->count;
    d->count = 0;
    d->join_ms = 0;
    d->is_joining = true;
    d->service->join(d->service->context, peers, count, d->is_replaying, on_joined, d);
}

static void hear_answer(struct discovery *d, struct hearsay_bytes message)
{
    struct hearsay_address found[8];
    size_t count = mdns_read(&d->mdns, message, found, 8);
    for (size_t i = 0; i < count && d->count < DISCOVERY_FOUND_MAX; i++) {
        if (!is_known(d, &found[i])) {
            d->found[d->count++] = found[i];
            d->join_ms = now_ms(d) + QUIET_MS;
        }
    }
    if (d->join_ms != 0) {
        arm(d);
    }
}

/* ---- asking and answering ---- */

static void group_of(bool is_six, struct sockaddr_storage *out)
{
    if (is_six) {
        uv_ip6_addr(GROUP_SIX, PORT, (struct sockaddr_in6 *)out);
    } else {
        uv_ip4_addr(GROUP_FOUR, PORT, (struct sockaddr_in *)out);
    }
}

static void send_to(uv_udp_t *socket, struct hearsay_bytes message, const struct sockaddr *to)
{
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)message.data, (unsigned)message.size);
    int sent = uv_udp_try_send(socket, &buffer, 1, to); /* what does not go out is lost, as any packet may be */
    if (sent < 0) {
        log_put(LOG_DEBUG, "agent.mdns: cannot send: %s", uv_strerror(sent));
    }
}

static void ask_all(struct discovery *d)
{
    uint8_t room[MDNS_BYTES];
    struct hearsay_bytes question = mdns_question(&d->mdns, room);
    for (size_t i = 0; i < DISCOVERY_SOCKETS; i++) {
        struct sockaddr_storage group;
        if (d->sockets[i].is_open) {
            group_of(d->sockets[i].is_six, &group);
            send_to(&d->sockets[i].asking, question, (const struct sockaddr *)&group);
        }
    }
}

static bool may_answer(struct discovery *d)
{
    uint64_t now = now_ms(d);
    if (now - d->second_ms >= 1000) {
        d->second_ms = now;
        d->answers = 0;
    }
    return d->answers++ < ANSWERS_PER_SECOND;
}

static uint16_t port_of(const struct sockaddr *from)
{
    return ntohs(from->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)(const void *)from)->sin6_port
                                             : ((const struct sockaddr_in *)(const void *)from)->sin_port);
}

static void hear(struct discovery *d, uv_udp_t *socket, struct hearsay_bytes message, const struct sockaddr *from)
{
    uint8_t room[MDNS_BYTES];
    bool is_for_all;
    struct hearsay_bytes answer = mdns_answer(&d->mdns, message, room, &is_for_all);
    if (answer.size == 0) {
        hear_answer(d, message);
    } else if (may_answer(d)) {
        struct sockaddr_storage group;
        group_of(from->sa_family == AF_INET6, &group);
        bool is_full = port_of(from) == PORT; /* a querier that hears everybody; others hear only what is sent to them */
        send_to(socket, answer, is_full && is_for_all ? (const struct sockaddr *)&group : from);
    }
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct discovery *d = handle->data;
    (void)suggested;
    *buffer = uv_buf_init((char *)d->room, sizeof d->room);
}

static void on_packet(uv_udp_t *socket, ssize_t size, const uv_buf_t *buffer, const struct sockaddr *from, unsigned flags)
{
    struct discovery *d = socket->data;
    if (size > 0 && from != NULL && (flags & UV_UDP_PARTIAL) == 0) {
        hear(d, socket, (struct hearsay_bytes){(const uint8_t *)buffer->base, (size_t)size}, from);
    }
}

static void on_time(uv_timer_t *timer)
{
    struct discovery *d = timer->data;
    uint64_t now = now_ms(d);
    if (d->join_ms != 0 && now >= d->join_ms && !d->is_joining) {
        join_found(d);
    } else if (d->join_ms != 0 && now >= d->join_ms) {
        d->join_ms = now + QUIET_MS; /* one after the other */
    }
    if (now >= d->next_question_ms) {
        d->next_question_ms = now + QUESTION_EVERY_MS;
        ask_all(d);
    }
    arm(d);
}

/* ---- sockets ---- */

/* The groups of all our networks, or of one. Answers how many there are. */
static unsigned enter_groups(struct discovery_socket *s, const char *interface)
{
    uv_interface_address_t *all;
    int count;
    unsigned entered = 0;
    if (uv_interface_addresses(&all, &count) != 0) {
        return 0;
    }
    for (int i = 0; i < count; i++) {
        char text[64];
        bool is_six = all[i].address.address4.sin_family == AF_INET6;
        if (is_six != s->is_six || (interface != NULL && strcmp(all[i].name, interface) != 0)) {
            continue;
        }
        if (is_six) { /* libuv finds the interface by the scope */
            snprintf(text, sizeof text, "::%%%s", all[i].name);
        } else {
            uv_ip4_name(&all[i].address.address4, text, sizeof text);
        }
        int problem = uv_udp_set_membership(&s->hearing, is_six ? GROUP_SIX : GROUP_FOUR, text, UV_JOIN_GROUP);
        entered += problem == 0 || problem == UV_EADDRINUSE;
        if (interface != NULL && problem == 0) {
            uv_udp_set_multicast_interface(&s->asking, text);
            uv_udp_set_multicast_interface(&s->hearing, text);
        }
    }
    uv_free_interface_addresses(all, count);
    return entered;
}

static void free_unused(struct discovery *d)
{
    if (!d->is_open && d->closing == 0 && !d->is_joining) {
        free(d);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct discovery *d = handle->data;
    d->closing--;
    free_unused(d);
}

static void close_handle(struct discovery *d, uv_handle_t *handle)
{
    d->closing++;
    uv_close(handle, on_closed);
}

static void close_socket(struct discovery *d, struct discovery_socket *s)
{
    close_handle(d, (uv_handle_t *)&s->hearing);
    close_handle(d, (uv_handle_t *)&s->asking);
    s->is_open = false;
}

/* 0 or libuv's error; then nothing is open, but handles may still be closing. */
static int open_socket(struct discovery *d, struct discovery_socket *s, uv_loop_t *loop, const char *interface)
{
    struct sockaddr_storage any = {0}, shared = {0};
    any.ss_family = s->is_six ? AF_INET6 : AF_INET;
    if (s->is_six) {
        uv_ip6_addr("::", PORT, (struct sockaddr_in6 *)&shared);
    } else {
        uv_ip4_addr("0.0.0.0", PORT, (struct sockaddr_in *)&shared);
    }
    uv_udp_init(loop, &s->hearing);
    uv_udp_init(loop, &s->asking);
    s->hearing.data = s->asking.data = d;
    unsigned flags = s->is_six ? UV_UDP_IPV6ONLY : 0;
    int problem = uv_udp_bind(&s->hearing, (const struct sockaddr *)&shared, UV_UDP_REUSEADDR | flags);
    problem = problem != 0 ? problem : uv_udp_bind(&s->asking, (const struct sockaddr *)&any, flags);
    problem = problem != 0 ? problem : enter_groups(s, interface) == 0 ? UV_ENODEV : 0;
    problem = problem != 0 ? problem : uv_udp_recv_start(&s->hearing, give_room, on_packet);
    problem = problem != 0 ? problem : uv_udp_recv_start(&s->asking, give_room, on_packet);
    s->is_open = true;
    if (problem != 0) {
        close_socket(d, s);
    }
    return problem;
}

void discovery_close(struct discovery *discovery)
{
    if (discovery == NULL || !discovery->is_open) {
        return;
    }
    discovery->is_open = false;
    for (size_t i = 0; i < DISCOVERY_SOCKETS; i++) {
        if (discovery->sockets[i].is_open) {
            close_socket(discovery, &discovery->sockets[i]);
        }
    }
    close_handle(discovery, (uv_handle_t *)&discovery->timer);
}

bool discovery_open(struct discovery **discovery, uv_loop_t *loop, struct service *service, const struct config *config,
                    const struct hearsay_address *advertised, char *error, size_t size)
{
    const struct config_mdns *how = &config->mdns;
    int problem = UV_EAFNOSUPPORT;
    unsigned open = 0;
    if (config->discover == NULL) {
        return true;
    }
    struct discovery *d = must(calloc(1, sizeof *d));
    if (!mdns_init(&d->mdns, config->discover, config->node_name, advertised)) {
        snprintf(error, size, "the name to --discover by must have 1 to 57 bytes, as '%s' has not", config->discover);
        free(d);
        return false;
    }
    d->service = service;
    d->is_replaying = config->is_replaying != 0;
    d->is_open = true;
    uv_timer_init(loop, &d->timer);
    d->timer.data = d;
    for (size_t i = 0; i < DISCOVERY_SOCKETS; i++) {
        d->sockets[i].is_six = i == 1;
        if (i == 0 ? how->has_no_ipv4 : how->has_no_ipv6) {
            continue;
        }
        int err = open_socket(d, &d->sockets[i], loop, how->interface != NULL ? how->interface : config->interface);
        open += err == 0;
        problem = err != 0 && i == 0 ? err : problem;
    }
    if (open == 0) {
        snprintf(error, size, "cannot discover '%s' by multicast DNS: %s; it needs port 5353/UDP and a network that can multicast", config->discover,
                 uv_strerror(problem));
        discovery_close(d);
        return false;
    }
    *discovery = d;
    d->next_question_ms = now_ms(d);
    arm(d);
    return true;
}
