/* SPDX-License-Identifier: MIT
 *
 * See service.h.
 */
#include "agent/service.h"

#include "agent/asking.h"
#include "agent/catalog.h"
#include "agent/keys.h"
#include "agent/kv.h"
#include "agent/records.h"
#include "agent/requests.h"
#include "wire/msgpack.h"

#include <hearsay/services.h>

static void tell_everybody(struct service *service, enum hearsay_event_type type, const char *name, const struct text *body)
{
    for (struct session *s = service->sessions, *next; s != NULL; s = next) {
        next = s->next; /* waking may end it */
        records_put_event(s, type, name, body);
    }
}

void service_flush_events(struct service *service)
{
    if (service->member_count == 0) {
        return;
    }
    uint8_t room[64];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Event");
    msgpack_put_text(&w, hearsay_event_text(service->member_type));
    msgpack_put_text(&w, "Members");
    msgpack_put_array(&w, service->member_count);
    struct text body = {0};
    text_put(&body, room, w.size);
    text_put(&body, service->members.data, service->members.size);
    service->member_count = 0;
    text_shrink(&service->members);
    tell_everybody(service, service->member_type, NULL, &body);
    text_deinit(&body);
}

static void tell_user_event(struct service *service, const struct hearsay_event *event)
{
    size_t size = event->payload.size + strlen(event->name) + 128;
    uint8_t *room = must(malloc(size));
    struct writer w = writer_of(room, size);
    msgpack_put_map(&w, 5);
    msgpack_put_text(&w, "Coalesce");
    msgpack_put_bool(&w, event->coalesce);
    msgpack_put_text(&w, "Event");
    msgpack_put_text(&w, "user");
    msgpack_put_text(&w, "LTime");
    msgpack_put_uint(&w, event->ltime);
    msgpack_put_text(&w, "Name");
    msgpack_put_str(&w, bytes_of_string(event->name));
    msgpack_put_text(&w, "Payload");
    msgpack_put_bin(&w, event->payload.size == 0 ? (struct hearsay_bytes){NULL, 0} : event->payload);
    struct text body = {0};
    text_put(&body, room, w.size);
    free(room);
    tell_everybody(service, HEARSAY_USER_EVENT, event->name, &body);
    text_deinit(&body);
}

static void tell_query(struct service *service, const struct hearsay_event *event)
{
    for (struct session *s = service->sessions, *next; s != NULL; s = next) {
        next = s->next;
        records_put_query(s, event);
    }
}

static bool is_told(enum hearsay_event_type type)
{
    return type == HEARSAY_MEMBER_JOIN || type == HEARSAY_MEMBER_FAILED || type == HEARSAY_MEMBER_LEAVE
           || type == HEARSAY_MEMBER_UPDATE || type == HEARSAY_MEMBER_REAP;
}

void service_event(struct service *service, const struct hearsay_event *event)
{
    if (event->type == HEARSAY_KEY_RESULT || event->type == HEARSAY_QUERY_DONE) {
        keys_event(service, event);
    }
    if (event->type == HEARSAY_QUERY_ACK || event->type == HEARSAY_QUERY_RESPONSE || event->type == HEARSAY_QUERY_DONE) {
        asking_event(service, event);
        return;
    }
    if (event->type == HEARSAY_PUT_DONE || event->type == HEARSAY_REPAIR_DONE) {
        kv_event(service, event);
        return;
    }
    if (event->type == HEARSAY_ENTRY_CHANGED) {
        if (kv_is_watched(service) || catalog_is_watched(service)) {
            service->want_watchers(service->context);
        }
        return;
    }
    if (!records_any(service)) {
        return;
    }
    if (event->type == HEARSAY_USER_EVENT) {
        service_flush_events(service);
        tell_user_event(service, event);
    } else if (event->type == HEARSAY_QUERY) {
        service_flush_events(service);
        tell_query(service, event);
    } else if (is_told(event->type)) {
        if (service->member_type != event->type) {
            service_flush_events(service);
        }
        service->member_type = event->type;
        service->member_count++;
        views_put_member(&service->members, &event->member);
    }
}

void service_left(struct service *service)
{
    for (struct session *s = service->sessions, *next; s != NULL; s = next) {
        next = s->next;
        if (s->is_busy && s->is_leaving) {
            s->is_leaving = false;
            session_reply(s, s->busy_seq, "");
            session_ready(s);
        }
    }
}

void service_deinit(struct service *service)
{
    kv_forget_all(service);
    hearsay_services_destroy(service->catalog);
    service->catalog = NULL;
    text_deinit(&service->members);
    asking_deinit(service);
    keys_deinit(service);
}
