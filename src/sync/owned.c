/* SPDX-License-Identifier: MIT
 *
 * See owned.h.
 */
#include "sync/owned.h"

#define PREFIX "_service/"
#define REFUTE_EVERY_MS 1000 /* so that a liar cannot make us write without end */

static bool is_owned(struct hearsay_bytes key)
{
    size_t size = sizeof PREFIX - 1;
    return key.size >= size && memcmp(key.data, PREFIX, size) == 0;
}

/* The node in the key; none when the key has no id. */
static struct hearsay_bytes owner_of(struct hearsay_bytes key)
{
    const uint8_t *name = key.data + sizeof PREFIX - 1, *end = key.data + key.size;
    while (end > name && end[-1] != '/') {
        end--;
    }
    bool is_whole = end - name > 1 && end < key.data + key.size;
    return is_whole ? bytes_of(name, (size_t)(end - name) - 1) : bytes_of(NULL, 0);
}

static uint64_t origin_of(const struct sync *s, struct hearsay_bytes name)
{
    return siphash_of(&s->store.keys.value, name);
}

/* Can it speak for itself? */
static bool is_there(const struct members *m, struct hearsay_bytes name)
{
    uint32_t slot = members_find(m, name);
    return slot != MEMBERS_NONE && members_at(m, slot)->state <= MESSAGE_STATE_SUSPECT && members_at(m, slot)->place != MEMBERS_NONE;
}

static bool is_allowed(const struct sync *s, const struct members *m, const struct hearsay_entry *entry, uint64_t writer)
{
    struct hearsay_bytes owner = owner_of(entry->key);
    return owner.size > 0 && (writer == origin_of(s, owner) || (entry->is_tombstone && !is_there(m, owner)));
}

bool owned_may_write(const struct sync *s, const struct members *m, const struct hearsay_entry *entry)
{
    return !is_owned(entry->key) || is_allowed(s, m, entry, s->origin);
}

/* What we last said of it, or that there is no such thing. */
static void refute(struct sync *s, struct turn *turn, const struct hearsay_entry *claim)
{
    if (turn->now < s->refute_at || !hlc_witness(&s->hlc, turn->host_now, claim->version.hlc)) {
        return;
    }
    s->refute_at = turn->now + turn_ms(REFUTE_EVERY_MS);
    const struct entry *ours = store_find(&s->store, entry_place(&s->store.keys, claim->key), claim->key);
    struct hearsay_entry again = {.key = claim->key, .is_tombstone = true};
    if (ours != NULL) {
        again = entry_view(ours);
    }
    (void)sync_put(s, turn, &again, 0, 1, NULL); /* when that cannot be, the claim comes again */
}

bool owned_may_take(struct sync *s, const struct members *m, struct turn *turn, const struct hearsay_entry *entry)
{
    if (!is_owned(entry->key) || is_allowed(s, m, entry, entry->version.origin)) {
        return true;
    }
    turn->counters->drop_entry_foreign++;
    if (origin_of(s, owner_of(entry->key)) == s->origin) {
        refute(s, turn, entry);
    }
    return false;
}
