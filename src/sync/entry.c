/* SPDX-License-Identifier: MIT
 *
 * See entry.h.
 */
#include "sync/entry.h"

#define EXPIRY_SIZE 12

static size_t key_offset(const struct entry *e)
{
    return e->flags != 0 ? EXPIRY_SIZE : 0;
}

void entry_keys_init(struct entry_keys *keys, const uint8_t secret[16])
{
    struct siphash_key master = siphash_key_of(secret);
    struct digest a = siphash_of_four(&master, 1, 0, 0, 0), b = siphash_of_four(&master, 2, 0, 0, 0);
    struct digest c = siphash_of_four(&master, 3, 0, 0, 0);
    keys->place = (struct siphash_key){{a.lo, a.hi}};
    keys->value = (struct siphash_key){{b.lo, b.hi}};
    keys->digest = (struct siphash_key){{c.lo, c.hi}};
}

static uint64_t hash_value(const struct entry_keys *keys, const struct hearsay_entry *view)
{
    uint8_t head[11] = {view->is_tombstone ? ENTRY_TOMBSTONE : 0};
    struct siphash s;
    bytes_put_u64(head + 1, view->expires_hlc);
    bytes_put_u16(head + 9, (uint16_t)view->key.size);
    siphash_begin(&s, &keys->value, false);
    siphash_add(&s, head, sizeof head);
    siphash_add(&s, view->key.data, view->key.size);
    siphash_add(&s, view->value.data, view->value.size);
    return siphash_end(&s);
}

struct entry *entry_create(const struct hearsay_allocator *memory, const struct entry_keys *keys, uint64_t place,
                           const struct hearsay_entry *from)
{
    uint8_t flags = (uint8_t)((from->is_tombstone ? ENTRY_TOMBSTONE : 0) | (from->expires_hlc != 0 ? ENTRY_EXPIRES : 0));
    struct entry head = {.hlc = from->version.hlc,
                         .origin = from->version.origin,
                         .value_size = (uint32_t)from->value.size,
                         .key_size = (uint16_t)from->key.size,
                         .flags = flags};
    struct entry *e = memory_resize(memory, NULL, entry_size(&head));
    if (e == NULL) {
        return NULL;
    }
    head.digest = siphash_of_four(&keys->digest, place, head.hlc, head.origin, hash_value(keys, from));
    memcpy(e, &head, offsetof(struct entry, data));
    if (flags != 0) {
        bytes_put_u64(e->data, from->expires_hlc);
        bytes_put_u32(e->data + 8, 0);
    }
    bytes_copy(e->data + key_offset(e), from->key.data, from->key.size);
    bytes_copy(e->data + key_offset(e) + from->key.size, from->value.data, from->value.size);
    return e;
}

size_t entry_size(const struct entry *e)
{
    return offsetof(struct entry, data) + key_offset(e) + e->key_size + e->value_size;
}

struct hearsay_bytes entry_key(const struct entry *e)
{
    return bytes_of(e->data + key_offset(e), e->key_size);
}

struct hearsay_entry entry_view(const struct entry *e)
{
    struct hearsay_bytes key = entry_key(e);
    return (struct hearsay_entry){.key = key,
                                  .value = bytes_of(key.data + key.size, e->value_size),
                                  .version = {e->hlc, e->origin},
                                  .expires_hlc = entry_expires(e),
                                  .is_tombstone = !entry_is_live(e)};
}

uint64_t entry_expires(const struct entry *e)
{
    return e->flags != 0 ? bytes_get_u64(e->data) : 0;
}

uint64_t entry_moment(const struct entry *e)
{
    return entry_is_expired_form(e) ? bytes_get_u64(e->data) : e->hlc;
}

uint32_t entry_heap_place(const struct entry *e)
{
    return bytes_get_u32(e->data + 8);
}

void entry_set_heap_place(struct entry *e, uint32_t place)
{
    bytes_put_u32(e->data + 8, place);
}

struct entry *entry_create_expired(const struct hearsay_allocator *memory, const struct entry_keys *keys, uint64_t place,
                                   const struct entry *e)
{
    struct hearsay_entry view = entry_view(e);
    view.is_tombstone = true;
    view.value.size = 0;
    return entry_create(memory, keys, place, &view);
}

int entry_compare(const struct entry *a, const struct entry *b)
{
    int order = entry_compare_versions(a->hlc, a->origin, b->hlc, b->origin);
    if (order != 0) {
        return order;
    }
    if (entry_is_live(a) != entry_is_live(b)) {
        return entry_is_live(a) ? -1 : 1;
    }
    return digest_compare(a->digest, b->digest);
}

bool entry_is_conflict(const struct entry *a, const struct entry *b)
{
    return a->hlc == b->hlc && a->origin == b->origin && digest_compare(a->digest, b->digest) != 0 && entry_is_live(a) && entry_is_live(b);
}
