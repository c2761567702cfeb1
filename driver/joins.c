/* SPDX-License-Identifier: MIT
 *
 * See joins.h. A join goes through its peers one after the other, so the order people gave is the order in which they are tried. Whoever
 * waits is told from the loop, never from inside hearsay_uv_join.
 */
#include "joins.h"

#include "address.h"
#include "srv.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEVER UINT64_MAX
#define ADDRESSES_PER_NAME 16
#define SERVICE "srv:" /* before the name of a service */

struct join {
    struct joins *owner;
    bool is_orphan;            /* stopped; only the request is still under way */
    struct join *next;
    uv_getaddrinfo_t request;
    struct srv *srv;           /* the other kind of question; made when it is first asked */
    bool is_resolving, is_asking_srv, replay;
    hearsay_uv_joined done;    /* NULL once told */
    void *user;
    uint32_t ticket;
    bool has_ticket;
    size_t contacted;
    uint64_t due;              /* when to go on: try again, or be over; NEVER = waiting for something else */
    bool is_over;
    char error[256];           /* what went wrong last */
    struct hearsay_target *targets;
    size_t target_count, target_capacity;
    size_t at, peer_count;     /* at: the peer being resolved */
    struct {
        char *text;            /* cut in two where the slash was */
        const char *name;      /* NULL = whoever answers */
        const char *place;
    } peers[];
};

static void release_memory(struct join *join)
{
    for (size_t i = 0; i < join->peer_count; i++) {
        free(join->peers[i].text);
    }
    free(join->targets);
    free(join->srv);
    free(join);
}

static void find_deadline(struct joins *j)
{
    j->deadline = NEVER;
    for (struct join *join = j->first; join != NULL; join = join->next) {
        j->deadline = join->due < j->deadline ? join->due : j->deadline;
    }
}

static void go_on_at(struct join *join, uint64_t due)
{
    join->due = due;
    find_deadline(join->owner);
}

/* A round is over. */
static void report(struct join *join)
{
    struct joins *j = join->owner;
    hearsay_uv_joined done = join->done;
    void *user = join->user;
    size_t contacted = join->contacted;
    char error[sizeof join->error];
    snprintf(error, sizeof error, "%s", join->error);
    join->done = NULL;
    if (contacted == 0 && j->retry_ms > 0) {
        go_on_at(join, door_now() + j->retry_ms * UINT64_C(1000));
    } else {
        struct join **at = &j->first;
        while (*at != join) {
            at = &(*at)->next;
        }
        *at = join->next;
        release_memory(join);
        find_deadline(j);
    }
    if (done != NULL) { /* last, as it may stop us */
        done(j->uv, contacted, contacted == 0 ? error : NULL, user);
    }
}

static void end_round(struct join *join)
{
    join->is_over = true;
    go_on_at(join, door_now());
}

static bool add_target(struct join *join, const struct hearsay_address *address, const char *name)
{
    if (join->target_count == join->target_capacity) {
        size_t capacity = join->target_capacity == 0 ? 4 : 2 * join->target_capacity;
        struct hearsay_target *targets = realloc(join->targets, capacity * sizeof *targets);
        if (targets == NULL) {
            snprintf(join->error, sizeof join->error, "out of memory");
            return false;
        }
        join->targets = targets;
        join->target_capacity = capacity;
    }
    join->targets[join->target_count++] = (struct hearsay_target){*address, name};
    return true;
}

static void ask_node(struct join *join)
{
    struct door *door = join->owner->door;
    hearsay_err err = HEARSAY_ERR_ADDRESS;
    if (join->target_count > 0) {
        err = door_join(door, join->targets, join->target_count, join->replay, &join->ticket);
    }
    if (err == HEARSAY_OK) {
        join->has_ticket = true;
        return;
    }
    if (join->target_count > 0) {
        snprintf(join->error, sizeof join->error, "cannot join: %s", hearsay_err_text(err));
    } else if (join->error[0] == '\0') {
        snprintf(join->error, sizeof join->error, "cannot join: no address was given");
    }
    end_round(join);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list);

/* Answers whether the answer will come later. */
static bool ask_name_server(struct join *join, const char *host)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    join->request.data = join;
    int err = uv_getaddrinfo(join->owner->door->loop, &join->request, on_resolved, host, NULL, &hints);
    if (err != 0) {
        snprintf(join->error, sizeof join->error, "cannot resolve \"%.150s\": %s", host, uv_strerror(err));
        return false;
    }
    join->is_resolving = true;
    door_hold(join->owner->door);
    return true;
}

static void on_srv(uv_work_t *work, int status);

static bool ask_for_service(struct join *join, const char *service)
{
    join->srv = join->srv == NULL ? malloc(sizeof *join->srv) : join->srv;
    int err = join->srv == NULL ? UV_ENOMEM : srv_ask(join->owner->door->loop, join->srv, service, on_srv);
    if (err != 0) {
        snprintf(join->error, sizeof join->error, "cannot resolve \"" SERVICE "%.150s\": %s", service, uv_strerror(err));
        return false;
    }
    join->srv->work.data = join;
    join->is_resolving = join->is_asking_srv = true;
    door_hold(join->owner->door);
    return true;
}

/* Resolves from the peer `at` on, then asks the node. */
static void resolve(struct join *join)
{
    for (; join->at < join->peer_count; join->at++) {
        const char *place = join->peers[join->at].place;
        struct hearsay_address address;
        char host[ADDRESS_HOST_MAX];
        uint16_t port;
        if (strncmp(place, SERVICE, sizeof SERVICE - 1) == 0) {
            if (ask_for_service(join, place + sizeof SERVICE - 1)) {
                return;
            }
        } else if (hearsay_address_parse(place, ADDRESS_DEFAULT_PORT, &address)) {
            add_target(join, &address, join->peers[join->at].name);
        } else if (!address_split(place, ADDRESS_DEFAULT_PORT, host, &port) || host[0] == '\0') {
            snprintf(join->error, sizeof join->error,
                     "\"%.150s\" is no address; write host, host:port, [v6]:port, name/host:port or " SERVICE "_hearsay._tcp.domain", place);
        } else if (ask_name_server(join, host)) {
            return;
        }
    }
    ask_node(join);
}

static void take_addresses(struct join *join, const struct addrinfo *list)
{
    char host[ADDRESS_HOST_MAX];
    uint16_t port = ADDRESS_DEFAULT_PORT;
    (void)address_split(join->peers[join->at].place, ADDRESS_DEFAULT_PORT, host, &port);
    for (size_t taken = 0; list != NULL && taken < ADDRESSES_PER_NAME; list = list->ai_next) {
        struct hearsay_address address;
        address_from_system(list->ai_addr, &address);
        address.port = port;
        if (address.size > 0 && add_target(join, &address, join->peers[join->at].name)) {
            taken++;
        }
    }
}

/* An answer has come: is anybody still waiting for it? */
static bool is_wanted(struct join *join)
{
    struct door *door = join->owner->door;
    join->is_resolving = join->is_asking_srv = false;
    if (join->is_orphan) {
        release_memory(join);
        door_release(door);
        return false;
    }
    return true;
}

static void resolve_next(struct join *join)
{
    struct door *door = join->owner->door;
    join->at++;
    resolve(join);
    door->settle(door->owner);
    door_release(door);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct join *join = request->data;
    if (is_wanted(join)) {
        if (status == 0) {
            take_addresses(join, list);
        } else {
            snprintf(join->error, sizeof join->error, "cannot resolve \"%.150s\": %s", join->peers[join->at].place, uv_strerror(status));
        }
        resolve_next(join);
    }
    uv_freeaddrinfo(list);
}

static void on_srv(uv_work_t *work, int status)
{
    struct join *join = work->data;
    const struct srv *srv = join->srv;
    if (!is_wanted(join)) {
        return;
    }
    for (size_t i = 0; status == 0 && i < srv->count; i++) {
        add_target(join, &srv->found[i], join->peers[join->at].name);
    }
    if (status != 0 || srv->count == 0) {
        snprintf(join->error, sizeof join->error, "cannot resolve \"%.80s\": %.150s", join->peers[join->at].place,
                 status != 0 ? uv_strerror(status) : srv->error[0] != '\0' ? srv->error : "it names no host");
    }
    resolve_next(join);
}

void joins_init(struct joins *j, struct door *door, struct hearsay_uv *uv, uint32_t retry_ms)
{
    *j = (struct joins){.door = door, .uv = uv, .retry_ms = retry_ms, .deadline = NEVER};
}

void joins_stop(struct joins *j)
{
    while (j->first != NULL) {
        struct join *join = j->first;
        hearsay_uv_joined done = join->done;
        void *user = join->user;
        size_t contacted = join->contacted;
        j->first = join->next;
        if (join->is_resolving) {
            join->is_orphan = true;
            uv_cancel(join->is_asking_srv ? (uv_req_t *)&join->srv->work : (uv_req_t *)&join->request);
        } else {
            release_memory(join);
        }
        if (done != NULL) {
            done(j->uv, contacted, contacted > 0 ? NULL : "cannot join: the node was stopped", user);
        }
    }
    j->deadline = NEVER;
}

static bool copy_peer(struct join *join, const char *peer)
{
    char *text = strdup(peer);
    if (text == NULL) {
        return false;
    }
    char *slash = strchr(text, '/');
    join->peers[join->peer_count].text = text;
    join->peers[join->peer_count].name = slash == NULL || slash == text ? NULL : text;
    join->peers[join->peer_count].place = slash == NULL ? text : slash + 1;
    if (slash != NULL) {
        *slash = '\0';
    }
    join->peer_count++;
    return true;
}

void joins_begin(struct joins *j, const char *const *peers, size_t count, bool replay, hearsay_uv_joined done, void *user)
{
    struct join *join = calloc(1, sizeof *join + count * sizeof join->peers[0]);
    for (size_t i = 0; join != NULL && i < count; i++) {
        if (!copy_peer(join, peers[i])) {
            release_memory(join);
            join = NULL;
        }
    }
    if (join == NULL) {
        if (done != NULL) {
            done(j->uv, 0, "cannot join: out of memory", user);
        }
        return;
    }
    join->owner = j;
    join->replay = replay;
    join->done = done;
    join->user = user;
    join->due = NEVER;
    join->next = j->first;
    j->first = join;
    resolve(join);
    j->door->settle(j->door->owner);
}

void joins_on_result(struct joins *j, const struct hearsay_event *event)
{
    struct join *join = j->first;
    while (join != NULL && !(join->has_ticket && join->ticket == event->ticket)) {
        join = join->next;
    }
    if (join == NULL) {
        return; /* the user's own hearsay_join */
    }
    if (event->contacted) {
        join->contacted++;
    } else {
        char place[ADDRESS_TEXT_MAX];
        hearsay_address_text(&event->other_address, place, sizeof place);
        snprintf(join->error, sizeof join->error, "cannot join through %s: %s", place, event->text == NULL ? "no answer" : event->text);
    }
    if (event->is_last) {
        join->has_ticket = false;
        end_round(join);
    }
}

static void start_round(struct join *join)
{
    join->due = NEVER;
    join->at = join->target_count = join->contacted = 0;
    join->error[0] = '\0';
    find_deadline(join->owner);
    resolve(join);
}

void joins_expire(struct joins *j, uint64_t now)
{
    struct join *join = j->first;
    while (join != NULL && !j->door->is_stopping) {
        if (join->due > now) {
            join = join->next;
            continue;
        }
        if (join->is_over) {
            join->is_over = false;
            report(join);
        } else {
            start_round(join);
        }
        join = j->first; /* callbacks may have changed the list */
    }
}
