/* SPDX-License-Identifier: MIT
 *
 * See kv_write.h.
 */
#include "agent/kv_write.h"

#include "base/check.h"
#include "wire/msgpack.h"

static void put(struct text *out, const struct writer *w)
{
    CHECK(!w->is_full);
    text_put(out, w->data, w->size);
}

static void number(struct writer *w, const char *key, uint64_t value)
{
    msgpack_put_text(w, key);
    msgpack_put_uint(w, value);
}

static void word(struct writer *w, const char *key, const char *value)
{
    msgpack_put_text(w, key);
    msgpack_put_str(w, bytes_of_string(value));
}

static void flag(struct writer *w, const char *key, bool value)
{
    msgpack_put_text(w, key);
    msgpack_put_bool(w, value);
}

/* ---- entries ---- */

static uint64_t ttl_left_ms(const struct hearsay_entry *entry, uint64_t unix_ms)
{
    uint64_t end_ms = entry->expires_hlc >> 16;
    return entry->expires_hlc == 0 ? 0 : end_ms > unix_ms ? end_ms - unix_ms : 1;
}

/* event NULL: without the two fields of a change. */
static void write_entry(struct text *out, const struct hearsay_entry *entry, uint64_t unix_ms, bool has_value, const char *event,
                        uint64_t change)
{
    uint8_t room[HEARSAY_KEY_MAX + 256];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 5 + has_value + (event == NULL ? 0 : 2));
    if (event != NULL) {
        word(&w, "Event", event);
        number(&w, "Change", change);
    }
    msgpack_put_text(&w, "Key");
    msgpack_put_bin(&w, entry->key);
    number(&w, "Size", entry->value.size);
    number(&w, "Hlc", entry->version.hlc);
    number(&w, "Origin", entry->version.origin);
    number(&w, "TTL", ttl_left_ms(entry, unix_ms));
    if (has_value) { /* the value goes around the small room */
        const struct hearsay_bytes value = entry->value.data == NULL ? bytes_of("", 0) : entry->value;
        uint8_t head[8];
        struct writer h = writer_of(head, sizeof head);
        msgpack_put_text(&w, "Value");
        writer_u8(&h, 0xc6); /* bin 32 */
        writer_u32(&h, (uint32_t)value.size);
        writer_put(&w, h.data, h.size);
        put(out, &w);
        text_put(out, value.data, value.size);
        return;
    }
    put(out, &w);
}

void kv_write_entry(struct text *out, const struct hearsay_entry *entry, uint64_t unix_ms, bool has_value)
{
    write_entry(out, entry, unix_ms, has_value, NULL, 0);
}

void kv_write_change(struct text *out, const struct hearsay_entry *entry, uint64_t unix_ms, uint64_t change)
{
    write_entry(out, entry, unix_ms, !entry->is_tombstone, entry->is_tombstone ? "delete" : "put", change);
}

void kv_write_mark(struct text *out, const char *event, uint64_t change)
{
    uint8_t room[64];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 2);
    word(&w, "Event", event);
    number(&w, "Change", change);
    put(out, &w);
}

void kv_write_done(struct text *out, const struct hearsay_event *event)
{
    uint8_t room[64];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 3);
    number(&w, "Copies", event->copies);
    number(&w, "Hlc", event->hlc);
    number(&w, "Origin", event->origin);
    put(out, &w);
}

void kv_write_repaired(struct text *out, const struct hearsay_event *event)
{
    uint8_t room[HEARSAY_NAME_MAX + 128];
    struct writer w = writer_of(room, sizeof room);
    bool has_name = event->member.name != NULL;
    msgpack_put_map(&w, 3 + has_name);
    if (has_name) {
        word(&w, "member", event->member.name);
    }
    number(&w, "found", event->found);
    number(&w, "moved", event->moved);
    number(&w, "bytes", event->bytes);
    put(out, &w);
}

/* ---- the state ---- */

static const char *mode_word(uint32_t mode)
{
    return mode == HEARSAY_PUSH ? "push" : mode == HEARSAY_PULL ? "pull" : "push-pull";
}

static void write_store(struct writer *w, const struct service *service)
{
    struct hearsay_store_stats s;
    char root[33];
    hearsay_get_store_stats(service->node, &s);
    for (int i = 0; i < 16; i++) {
        snprintf(root + 2 * i, 3, "%02x", s.root[i]);
    }
    msgpack_put_map(w, 18);
    number(w, "entries", s.entries);
    number(w, "tombstones", s.tombstones);
    number(w, "bytes", s.bytes);
    number(w, "memory_bytes", s.memory);
    word(w, "root", root);
    number(w, "root_epoch", s.root_epoch);
    number(w, "root_entries", s.root_count);
    number(w, "unsettled", s.unsettled);
    number(w, "pending", s.pending);
    number(w, "change", s.change);
    number(w, "purged_until_ms", s.purge_hlc >> 16);
    msgpack_put_text(w, "clock_ahead_ms");
    msgpack_put_int(w, s.clock_ahead_ms);
    flag(w, "clock_astray", s.is_clock_astray);
    word(w, "mode", mode_word(service->store.mode));
    number(w, "fanout", service->store.fanout);
    number(w, "interval_ms", service->store.interval_ms);
    word(w, "kept_in", service->store.path == NULL ? "memory" : service->store.path);
    number(w, "waiting_for_disk_bytes", service->store.waiting == NULL ? 0 : service->store.waiting(service->context));
}

/* What this node knows of a member as a holder of the store; peer NULL: nothing. */
static void write_member(struct text *out, const struct hearsay_member *member, const struct hearsay_store_peer *peer, uint64_t unix_ms)
{
    static const struct hearsay_store_peer none = {.name = NULL};
    uint8_t room[HEARSAY_NAME_MAX + 512];
    struct writer w = writer_of(room, sizeof room);
    char place[56];
    const struct hearsay_store_peer *p = peer == NULL ? &none : peer;
    text_place(&member->address, place);
    msgpack_put_map(&w, 11);
    word(&w, "name", member->name);
    word(&w, "address", place);
    word(&w, "status", hearsay_status_text(member->status));
    word(&w, "store", peer != NULL ? "yes" : member->abilities == 0 ? "unknown" : "no");
    number(&w, "equal_epoch", p->equal_epoch);
    number(&w, "equal_s_ago", p->equal_epoch == 0 || unix_ms / 1000 < p->equal_epoch ? 0 : unix_ms / 1000 - p->equal_epoch);
    number(&w, "repairs", p->sessions);
    number(&w, "bytes_in", p->bytes_in);
    number(&w, "bytes_out", p->bytes_out);
    number(&w, "entries_in", p->entries_in);
    number(&w, "entries_out", p->entries_out);
    put(out, &w);
}

static bool find_peer(const struct hearsay_node *node, const char *name, struct hearsay_store_peer *peer)
{
    for (size_t position = 0; hearsay_next_store_peer(node, &position, peer);) {
        if (peer->name != NULL && strcmp(peer->name, name) == 0) {
            return true;
        }
    }
    return false;
}

void kv_write_status(struct text *out, const struct service *service)
{
    uint8_t room[4096];
    struct writer w = writer_of(room, sizeof room);
    struct hearsay_member member;
    struct hearsay_store_peer peer;
    struct text members = {0};
    uint32_t count = 0;
    uint64_t unix_ms = service->unix_ms(service->context);
    for (size_t position = 0; hearsay_next_member(service->node, &position, &member);) {
        if (!member.is_self) {
            write_member(&members, &member, find_peer(service->node, member.name, &peer) ? &peer : NULL, unix_ms);
            count++;
        }
    }
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "store");
    write_store(&w, service);
    msgpack_put_text(&w, "members");
    msgpack_put_array(&w, count);
    put(out, &w);
    text_put(out, members.data, members.size);
    text_deinit(&members);
}
