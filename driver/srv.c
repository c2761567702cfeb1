/* SPDX-License-Identifier: MIT
 *
 * See srv.h. Built without c-ares' header (meson -Dsrv=disabled) it can only say so.
 */
#include "srv.h"

#include "address.h"

#include <stdio.h>
#include <string.h>

#ifdef HEARSAY_HAS_ARES
#include <ares.h>
#include <arpa/nameser.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/select.h>

#define LIBRARY "libcares.so.2"
#define WAIT_MS 3000
#define TRIES 2

static struct ares {
    void *library;
    int (*init)(int);
    int (*open)(ares_channel *, struct ares_options *, int);
    void (*close)(ares_channel);
    void (*query)(ares_channel, const char *, int, int, ares_callback, void *);
    int (*fds)(ares_channel, fd_set *, fd_set *);
    struct timeval *(*timeout)(ares_channel, struct timeval *, struct timeval *);
    void (*process)(ares_channel, fd_set *, fd_set *);
    int (*parse)(const unsigned char *, int, struct ares_srv_reply **);
    void (*free)(void *);
    const char *(*text)(int);
} ares;
static uv_once_t once = UV_ONCE_INIT;

static bool find(const char *name, void *function)
{
    void *symbol = dlsym(ares.library, name);
    memcpy(function, &symbol, sizeof symbol); /* POSIX lets data pointers be functions; C does not say so */
    return symbol != NULL;
}

static void load(void)
{
    ares.library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    bool is_whole = ares.library != NULL && find("ares_library_init", &ares.init) && find("ares_init_options", &ares.open) &&
                    find("ares_destroy", &ares.close) && find("ares_query", &ares.query) && find("ares_fds", &ares.fds) &&
                    find("ares_timeout", &ares.timeout) && find("ares_process", &ares.process) &&
                    find("ares_parse_srv_reply", &ares.parse) && find("ares_free_data", &ares.free) && find("ares_strerror", &ares.text);
    if (!is_whole || ares.init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        ares.library = NULL;
    }
}

static void add_host(struct srv *srv, const char *host, uint16_t port)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int err = getaddrinfo(host, NULL, &hints, &list);
    if (err != 0) {
        snprintf(srv->error, sizeof srv->error, "cannot resolve \"%.100s\": %s", host, gai_strerror(err));
        return;
    }
    for (const struct addrinfo *i = list; i != NULL && srv->count < SRV_ADDRESSES; i = i->ai_next) {
        struct hearsay_address *address = &srv->found[srv->count];
        address_from_system(i->ai_addr, address);
        address->port = port;
        srv->count += address->size > 0;
    }
    freeaddrinfo(list);
}

/* One priority after the other; within one, all are asked anyway, so weights do not matter. */
static void on_reply(void *context, int status, int timeouts, unsigned char *reply, int size)
{
    struct srv *srv = context;
    struct ares_srv_reply *all = NULL;
    (void)timeouts;
    if (status == ARES_SUCCESS) {
        status = ares.parse(reply, size, &all);
    }
    if (status != ARES_SUCCESS) {
        snprintf(srv->error, sizeof srv->error, "%s", ares.text(status));
        return;
    }
    for (int64_t done = -1, next; all != NULL && done <= UINT16_MAX; done = next) {
        next = UINT16_MAX + 1;
        for (const struct ares_srv_reply *i = all; i != NULL; i = i->next) {
            next = i->priority > done && i->priority < next ? i->priority : next;
        }
        for (const struct ares_srv_reply *i = all; i != NULL; i = i->next) {
            if (i->priority == next && i->host[0] != '\0') {
                add_host(srv, i->host, i->port);
            }
        }
    }
    ares.free(all);
}

static void ask(uv_work_t *work)
{
    struct srv *srv = (struct srv *)((char *)work - offsetof(struct srv, work));
    struct ares_options options = {.timeout = WAIT_MS, .tries = TRIES};
    ares_channel channel;
    uv_once(&once, load);
    if (ares.library == NULL) {
        snprintf(srv->error, sizeof srv->error, "SRV records need " LIBRARY " (Debian: libc-ares2), which is not installed");
        return;
    }
    int status = ares.open(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (status != ARES_SUCCESS) {
        snprintf(srv->error, sizeof srv->error, "%s", ares.text(status));
        return;
    }
    ares.query(channel, srv->name, ns_c_in, ns_t_srv, on_reply, srv);
    for (;;) {
        fd_set in, out;
        struct timeval room, *wait;
        FD_ZERO(&in);
        FD_ZERO(&out);
        int most = ares.fds(channel, &in, &out);
        if (most == 0) {
            break;
        }
        wait = ares.timeout(channel, NULL, &room);
        select(most, &in, &out, NULL, wait);
        ares.process(channel, &in, &out);
    }
    ares.close(channel);
}
#else
static void ask(uv_work_t *work)
{
    struct srv *srv = (struct srv *)((char *)work - offsetof(struct srv, work));
    snprintf(srv->error, sizeof srv->error, "SRV records are not built in: build with libc-ares-dev");
}
#endif

int srv_ask(uv_loop_t *loop, struct srv *srv, const char *name, uv_after_work_cb done)
{
    srv->count = 0;
    srv->error[0] = '\0';
    if (snprintf(srv->name, sizeof srv->name, "%s", name) >= (int)sizeof srv->name) {
        return UV_ENAMETOOLONG;
    }
    return uv_queue_work(loop, &srv->work, ask, done);
}
