/* SPDX-License-Identifier: MIT
 *
 * See check_net.h. Of an HTTP answer the first 4 KiB are read, which is enough for the status and a glimpse of the body.
 */
#include "agent/check_net.h"

#include <hearsay/hearsay_uv.h>
#include <netdb.h>

struct check_net {
    uv_tcp_t socket;
    uv_timer_t clock;
    uv_connect_t connecting;
    uv_write_t writing;
    uv_getaddrinfo_t asking;
    struct check_net_place place;
    enum check_kind kind;
    check_net_end on_end;
    void *user;
    uint64_t limit_ms;
    unsigned open; /* handles, and the question for a name */
    bool is_asking;
    size_t size;
    char request[CHECK_NET_HOST_MAX + 1300];
    char answer[4096];
};

/* ---- targets -------------------------------------------------------------------------------------------------------------------- */

/* "host", "host:port", "[v6]:port"; port 0 = there was none. */
static bool split_place(const char *text, size_t size, struct check_net_place *place)
{
    const char *end = text + size, *host = text, *colon;
    size_t host_size;
    if (size > 0 && text[0] == '[') {
        const char *bracket = memchr(text, ']', size);
        if (bracket == NULL || (bracket + 1 < end && bracket[1] != ':')) {
            return false;
        }
        host = text + 1;
        host_size = (size_t)(bracket - host);
        colon = bracket + 1 < end ? bracket + 1 : NULL;
    } else {
        colon = memchr(text, ':', size);
        host_size = colon == NULL ? size : (size_t)(colon - text);
    }
    place->port = 0;
    if (colon != NULL) {
        unsigned long port = 0;
        for (const char *p = colon + 1; p < end; p++) {
            if (*p < '0' || *p > '9' || (port = port * 10 + (unsigned long)(*p - '0')) > 65535) {
                return false;
            }
        }
        place->port = (uint16_t)port;
    }
    if (host_size == 0 || host_size > CHECK_NET_HOST_MAX || (colon != NULL && place->port == 0)) {
        return false;
    }
    memcpy(place->host, host, host_size);
    place->host[host_size] = '\0';
    return true;
}

static bool is_clean(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f) {
            return false;
        }
    }
    return true;
}

bool check_net_target(enum check_kind kind, const char *target, struct check_net_place *place, char *error, size_t size)
{
    struct check_net_place own, *p = place == NULL ? &own : place;
    if (kind == CHECK_TCP) {
        if (is_clean(target) && split_place(target, strlen(target), p) && p->port != 0) {
            return true;
        }
        snprintf(error, size, "'tcp' must be HOST:PORT, such as 127.0.0.1:5432");
        return false;
    }
    if (strncmp(target, "https://", 8) == 0) {
        snprintf(error, size, "'http' cannot speak TLS: use a script, such as \"curl -fsS https://…\"");
        return false;
    }
    const char *host = strncmp(target, "http://", 7) == 0 ? target + 7 : NULL, *slash = host == NULL ? NULL : strchr(host, '/');
    if (host == NULL || !is_clean(target) || !split_place(host, slash == NULL ? strlen(host) : (size_t)(slash - host), p) ||
        (slash != NULL && strlen(slash) >= sizeof p->path)) {
        snprintf(error, size, "'http' must be http://HOST[:PORT][/PATH]");
        return false;
    }
    p->port = p->port == 0 ? 80 : p->port;
    snprintf(p->path, sizeof p->path, "%s", slash == NULL ? "/" : slash);
    return true;
}

/* ---- the end ----------------------------------------------------------------------------------------------------------------------- */

static void let_go(struct check_net *n)
{
    if (--n->open == 0) {
        free(n);
    }
}

static void on_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

static void close_all(struct check_net *n)
{
    if (!uv_is_closing((uv_handle_t *)&n->clock)) {
        uv_close((uv_handle_t *)&n->clock, on_closed);
        uv_close((uv_handle_t *)&n->socket, on_closed);
        if (n->is_asking) {
            uv_cancel((uv_req_t *)&n->asking);
        }
    }
}

void check_net_forget(struct check_net *n)
{
    n->on_end = NULL;
    close_all(n);
}

static void end(struct check_net *n, enum hearsay_service_state state, const char *format, const char *what)
{
    char line[4200];
    check_net_end on_end = n->on_end;
    snprintf(line, sizeof line, format, what);
    n->on_end = NULL;
    if (on_end != NULL) {
        on_end(n->user, state, (struct hearsay_bytes){(const uint8_t *)line, strlen(line)});
    }
    close_all(n);
}

static void on_clock(uv_timer_t *timer)
{
    end(timer->data, HEARSAY_SERVICE_CRITICAL, "%s", "no answer within the time limit");
}

/* ---- HTTP -----------------------------------------------------------------------------------------------------------------------------
 */

/* "HTTP/1.1 200 OK": what it says of the service. */
static void judge(struct check_net *n)
{
    unsigned status = 0;
    n->answer[n->size] = '\0';
    if (sscanf(n->answer, "HTTP/%*u.%*u %3u", &status) != 1 || status < 100) {
        end(n, HEARSAY_SERVICE_CRITICAL, "%s", "the answer is not HTTP");
        return;
    }
    bool is_fine = status >= 200 && status < 300;
    end(n, is_fine ? HEARSAY_SERVICE_PASSING : status == 429 ? HEARSAY_SERVICE_WARNING : HEARSAY_SERVICE_CRITICAL, "%s", n->answer);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct check_net *n = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(n->answer + n->size, (unsigned)(sizeof n->answer - 1 - n->size));
}

static void on_answer(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct check_net *n = stream->data;
    (void)buffer;
    if (n->on_end == NULL) {
        return;
    }
    n->size += size > 0 ? (size_t)size : 0;
    if (size < 0 || n->size == sizeof n->answer - 1) {
        if (size < 0 && size != UV_EOF && n->size == 0) {
            end(n, HEARSAY_SERVICE_CRITICAL, "no answer: %s", uv_strerror((int)size));
            return;
        }
        judge(n);
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct check_net *n = request->data;
    if (status != 0 && n->on_end != NULL) {
        end(n, HEARSAY_SERVICE_CRITICAL, "cannot ask: %s", uv_strerror(status));
    }
}

static void ask_http(struct check_net *n)
{
    bool is_v6 = strchr(n->place.host, ':') != NULL;
    int length = snprintf(n->request, sizeof n->request,
                          "GET %s HTTP/1.0\r\nHost: %s%s%s:%u\r\nUser-Agent: hearsay\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                          n->place.path, is_v6 ? "[" : "", n->place.host, is_v6 ? "]" : "", n->place.port);
    uv_buf_t buffer = uv_buf_init(n->request, (unsigned)length);
    n->writing.data = n;
    if (uv_write(&n->writing, (uv_stream_t *)&n->socket, &buffer, 1, on_written) != 0 ||
        uv_read_start((uv_stream_t *)&n->socket, give_room, on_answer) != 0) {
        end(n, HEARSAY_SERVICE_CRITICAL, "%s", "cannot ask");
    }
}

/* ---- connecting
 * -------------------------------------------------------------------------------------------------------------------------- */

static void on_connected(uv_connect_t *request, int status)
{
    struct check_net *n = request->data;
    if (n->on_end == NULL) {
        return; /* it was ended meanwhile */
    }
    if (status != 0) {
        end(n, HEARSAY_SERVICE_CRITICAL, "cannot connect: %s", uv_strerror(status));
    } else if (n->kind == CHECK_TCP) {
        end(n, HEARSAY_SERVICE_PASSING, "%s", "connected");
    } else {
        ask_http(n);
    }
}

static void connect_to(struct check_net *n, const struct sockaddr *address)
{
    n->connecting.data = n;
    int problem = uv_tcp_connect(&n->connecting, &n->socket, address, on_connected);
    if (problem != 0) {
        end(n, HEARSAY_SERVICE_CRITICAL, "cannot connect: %s", uv_strerror(problem));
    }
}

static void on_name(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct check_net *n = request->data;
    n->is_asking = false;
    if (n->on_end != NULL && status != 0) {
        end(n, HEARSAY_SERVICE_CRITICAL, "the name cannot be resolved: %s", uv_strerror(status));
    } else if (n->on_end != NULL) {
        connect_to(n, found->ai_addr);
    }
    uv_freeaddrinfo(found);
    let_go(n);
}

static void begin(struct check_net *n)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    char port[8];
    if (uv_ip4_addr(n->place.host, n->place.port, &v4) == 0) {
        connect_to(n, (const struct sockaddr *)&v4);
        return;
    }
    if (uv_ip6_addr(n->place.host, n->place.port, &v6) == 0) {
        connect_to(n, (const struct sockaddr *)&v6);
        return;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    snprintf(port, sizeof port, "%u", n->place.port);
    n->asking.data = n;
    int problem = uv_getaddrinfo(n->clock.loop, &n->asking, on_name, n->place.host, port, &hints);
    if (problem != 0) {
        end(n, HEARSAY_SERVICE_CRITICAL, "the name cannot be resolved: %s", uv_strerror(problem));
        return;
    }
    n->is_asking = true;
    n->open++;
}

/* In a turn of its own, so that the end never comes before check_net_start has answered. */
static void on_begin(uv_timer_t *timer)
{
    struct check_net *n = timer->data;
    uv_timer_start(timer, on_clock, n->limit_ms, 0);
    begin(n);
}

struct check_net *check_net_start(uv_loop_t *loop, const struct check_definition *check, check_net_end on_end, void *user)
{
    char error[200];
    struct check_net *n = must(calloc(1, sizeof *n));
    (void)check_net_target(check->kind, check->target, &n->place, error, sizeof error); /* it was looked at when it was defined */
    n->kind = check->kind;
    n->limit_ms = check->timeout_ms;
    n->on_end = on_end;
    n->user = user;
    n->open = 2;
    uv_tcp_init(loop, &n->socket);
    uv_timer_init(loop, &n->clock);
    n->socket.data = n->clock.data = n;
    uv_timer_start(&n->clock, on_begin, 0, 0);
    return n;
}
