/* SPDX-License-Identifier: MIT
 *
 * See dns.h: the address, UDP, and the responder's life. Connections are in dns_tcp.c.
 */
#include "agent/dns.h"

#include "agent/log.h"
#include "agent/places.h"

#include <arpa/inet.h>
#include <hearsay/hearsay_uv.h>
#include <netinet/in.h>

static struct hearsay_address address_of(const struct sockaddr *from)
{
    struct hearsay_address address = {0};
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)from;
        address = (struct hearsay_address){.size = 4, .port = ntohs(in->sin_port)};
        memcpy(address.bytes, &in->sin_addr, 4);
    } else if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)from;
        address = (struct hearsay_address){.size = 16, .port = ntohs(in->sin6_port)};
        memcpy(address.bytes, &in->sin6_addr, 16);
    }
    return address_normal(&address);
}

struct hearsay_bytes dns_answer(struct dns *dns, struct hearsay_bytes question, const struct sockaddr *from, bool is_stream)
{
    const struct service *service = dns->service;
    struct responder_asker asker = {.address = address_of(from), .is_stream = is_stream};
    asker.is_local = places_is_loopback(&asker.address);
    return responder_answer(dns->responder, question, &asker, (uint32_t)(service->unix_ms(service->context) / 1000),
                            dns->room + DNS_QUESTION_BYTES, UINT16_MAX);
}

/* ---- UDP ---- */

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct dns *dns = handle->data;
    (void)suggested;
    *buffer = uv_buf_init((char *)dns->room, DNS_QUESTION_BYTES);
}

static void on_packet(uv_udp_t *udp, ssize_t size, const uv_buf_t *buffer, const struct sockaddr *from, unsigned flags)
{
    struct dns *dns = udp->data;
    if (size <= 0 || from == NULL || (flags & UV_UDP_PARTIAL) != 0) {
        return;
    }
    struct hearsay_bytes answer = dns_answer(dns, bytes_of(buffer->base, (size_t)size), from, false);
    uv_buf_t out = uv_buf_init((char *)(uintptr_t)answer.data, (unsigned)answer.size);
    if (answer.size > 0 && uv_udp_try_send(udp, &out, 1, from) < 0) {
        dns->unsent++; /* lost, as any packet may be: the client asks again */
    }
}

/* ---- life ---- */

static bool read_address(const char *text, struct hearsay_address *address, char *error, size_t size)
{
    char full[80];
    const char *rest = strncmp(text, "localhost", 9) == 0 ? text + 9 : text;
    snprintf(full, sizeof full, "%s%s", *rest == ':' && rest[1] != ':' ? "127.0.0.1" : *rest == '\0' ? "127.0.0.1" : "", rest);
    if (!hearsay_address_parse(full, DNS_PORT, address)) {
        snprintf(error, size, "cannot serve DNS at '%s': it must be a numeric address, such as 127.0.0.1:%d", text, DNS_PORT);
        return false;
    }
    return true;
}

static void socket_address(const struct hearsay_address *address, struct sockaddr_storage *out)
{
    char text[56];
    struct hearsay_address host = *address;
    *out = (struct sockaddr_storage){0};
    text_ip(&host, text);
    if (address->size == 4) {
        (void)uv_ip4_addr(text, address->port, (struct sockaddr_in *)out);
    } else {
        (void)uv_ip6_addr(text, address->port, (struct sockaddr_in6 *)out);
    }
}

static int listen_on(struct dns *dns, uv_loop_t *loop)
{
    struct sockaddr_storage place;
    uv_udp_init(loop, &dns->udp);
    uv_tcp_init(loop, &dns->listener);
    uv_timer_init(loop, &dns->idle);
    uv_idle_init(loop, &dns->again);
    dns->udp.data = dns->listener.data = dns->idle.data = dns->again.data = dns;
    socket_address(&dns->bound, &place);
    int problem = uv_udp_bind(&dns->udp, (struct sockaddr *)&place, 0);
    problem = problem != 0 ? problem : uv_tcp_bind(&dns->listener, (struct sockaddr *)&place, 0);
    problem = problem != 0 ? problem : uv_listen((uv_stream_t *)&dns->listener, 128, dns_on_connection);
    return problem != 0 ? problem : uv_udp_recv_start(&dns->udp, give_room, on_packet);
}

static bool open_responder(struct dns *dns, const struct dns_settings *settings, char *error, size_t size)
{
    uint8_t secret[16];
    struct dns_zone zone = dns_zone_of(dns);
    dns->room = must(malloc(DNS_QUESTION_BYTES + UINT16_MAX));
    dns->responder = must(malloc(sizeof *dns->responder));
    if (uv_random(NULL, NULL, secret, sizeof secret, 0, NULL) != 0) {
        snprintf(error, size, "cannot serve DNS: the system has no random numbers");
        return false;
    }
    bool is_name = responder_init(dns->responder, &zone, settings->domain, (uint32_t)(settings->ttl_ms / 1000), secret);
    explicit_bzero(secret, sizeof secret);
    if (!is_name || dns->responder->domain.size == 1) {
        snprintf(error, size, "'%s' cannot be a DNS domain: it must have labels of 1 to 63 bytes, such as hearsay. or cluster.example.com.",
                 settings->domain);
        return false;
    }
    return true;
}

bool dns_open(struct dns *dns, uv_loop_t *loop, struct service *service, const struct dns_settings *settings, char *error, size_t size)
{
    char place[56];
    *dns = (struct dns){.service = service};
    if (settings->address == NULL) {
        return true;
    }
    if (!read_address(settings->address, &dns->bound, error, size)) {
        return false;
    }
    if (!open_responder(dns, settings, error, size)) {
        dns_deinit(dns);
        return false;
    }
    int problem = listen_on(dns, loop);
    text_place(&dns->bound, place);
    if (problem != 0) {
        snprintf(error, size, "cannot listen for DNS on %s: %s%s", place, uv_strerror(problem),
                 problem == UV_EADDRINUSE ? "; another server is there: choose another --dns-addr"
                 : problem == UV_EACCES   ? "; ports below 1024 need the right to: choose another, such as 8600"
                                          : "");
        return false; /* dns_close follows */
    }
    if (!places_is_loopback(&dns->bound)) {
        log_put(LOG_WARN, "agent: DNS at %s TELLS ANYBODY WHO REACHES IT about services and nodes; serve on loopback unless that is meant",
                place);
    }
    return true;
}

void dns_close(struct dns *dns)
{
    if (dns->responder == NULL || dns->udp.data == NULL || uv_is_closing((uv_handle_t *)&dns->udp)) {
        return;
    }
    uv_close((uv_handle_t *)&dns->udp, NULL);
    uv_close((uv_handle_t *)&dns->listener, NULL);
    uv_close((uv_handle_t *)&dns->idle, NULL);
    uv_close((uv_handle_t *)&dns->again, NULL);
    dns_end_connections(dns);
}

void dns_deinit(struct dns *dns)
{
    dns_zone_deinit(dns);
    if (dns->responder != NULL) {
        explicit_bzero(&dns->responder->secret, sizeof dns->responder->secret);
    }
    free(dns->responder);
    free(dns->room);
    dns->responder = NULL;
    dns->room = NULL;
}
