/* SPDX-License-Identifier: MIT
 *
 * Keeps the store's part under our name true: what a former life left there is taken back, what others deleted is written again. And the
 * entries of a node that was reaped are deleted, by each holder of the store after a pause of its rank, so that mostly one of them does it.
 */
#include "agent/own.h"

#define TIDY_MS 200       /* after a change of the store */
#define BURY_STEP_MS 2000 /* between one node's turn to tidy up behind another and the next one's */

/* An entry under our name, as the store has it now. */
static void hold_against(struct registry *r, const struct hearsay_entry *entry, size_t prefix)
{
    char id[HEARSAY_SERVICE_ID_MAX + 1];
    size_t size = entry->key.size - prefix;
    if (size == 0 || size >= sizeof id || memchr(entry->key.data + prefix, '/', size) != NULL) {
        return; /* of another node, whose name begins as ours does */
    }
    memcpy(id, entry->key.data + prefix, size);
    id[size] = '\0';
    struct own *own = registry_find(r, id);
    bool is_ours = own != NULL && !entry->is_tombstone && entry->value.size == own->value_size &&
                   memcmp(entry->value.data, own->value, own->value_size) == 0;
    if (own == NULL && !entry->is_tombstone) {
        registry_withdraw(r, id);
    } else if (own != NULL && !is_ours && own->ticket == 0) {
        own->is_dirty = true;
    }
}

static void tidy(struct registry *r)
{
    struct text prefix = {0};
    struct hearsay_entry entry;
    enum hearsay_change change = HEARSAY_CHANGE_NONE;
    text_printf(&prefix, "%s%s/", HEARSAY_SERVICE_PREFIX, r->service->name);
    struct hearsay_bytes own = {(const uint8_t *)prefix.data, prefix.size};
    struct text key = {0}; /* withdrawing is an input: keys are not borrowed across it */
    while (r->has_listed && (change = hearsay_next_change(r->service->node, own, &r->number, &entry)) == HEARSAY_CHANGE_FOUND) {
        hold_against(r, &entry, prefix.size);
    }
    if (!r->has_listed || change == HEARSAY_CHANGE_TOO_OLD) {
        struct hearsay_store_stats stats;
        hearsay_get_store_stats(r->service->node, &stats);
        r->has_listed = true;
        r->number = stats.change;
        struct hearsay_bytes after = {NULL, 0};
        while (r->has_listed && hearsay_next_entry(r->service->node, own, &after, &entry)) {
            text_clear(&key);
            text_put(&key, after.data, after.size);
            hold_against(r, &entry, prefix.size);
            after = (struct hearsay_bytes){(const uint8_t *)key.data, key.size};
        }
    }
    text_deinit(&key);
    text_deinit(&prefix);
}

/* Everything that this node left behind; unless it came back. */
static void bury(struct registry *r, const char *name)
{
    struct hearsay_member member;
    struct text prefix = {0};
    struct hearsay_entry entry;
    bool is_back = hearsay_find_member(r->service->node, name, &member) && member.status != HEARSAY_FAILED && member.status != HEARSAY_LEFT;
    text_printf(&prefix, "%s%s/", HEARSAY_SERVICE_PREFIX, name);
    struct hearsay_bytes all = {(const uint8_t *)prefix.data, prefix.size}, after = {NULL, 0};
    struct text key = {0};
    while (!is_back && hearsay_next_entry(r->service->node, all, &after, &entry)) {
        text_clear(&key);
        text_put(&key, entry.key.data, entry.key.size);
        after = (struct hearsay_bytes){(const uint8_t *)key.data, key.size};
        if (memchr(after.data + prefix.size, '/', after.size - prefix.size) == NULL && registry_delete(r, after) == HEARSAY_OK) {
            r->service->flush(r->service->context);
        }
    }
    text_deinit(&key);
    text_deinit(&prefix);
}

void registry_run(struct registry *r)
{
    uint64_t now = uv_now(r->checks.loop);
    if (!registry_is_on(r)) {
        return;
    }
    if (r->buried.count > 0 && now >= r->bury_at_ms) {
        for (size_t i = 0; i < r->buried.count; i++) {
            bury(r, r->buried.at[i]);
        }
        lists_free_words(&r->buried);
    } else if (r->buried.count > 0) {
        r->want(r->context, r->bury_at_ms - now);
    }
    tidy(r);
    if (r->service->catalog != NULL) {
        (void)hearsay_services_update(r->service->catalog); /* so that the first who looks need not wait for all of it */
    }
    for (struct own *own = r->first; own != NULL; own = own->next) {
        if (own->is_dirty) {
            registry_publish(r, own);
        }
    }
}

/* Holders of the store whose names are before ours. */
static uint32_t rank(const struct registry *r)
{
    struct hearsay_member member;
    uint32_t before = 0;
    for (size_t position = 0; hearsay_next_member(r->service->node, &position, &member);) {
        bool is_up = member.status == HEARSAY_ALIVE || member.status == HEARSAY_SUSPECT;
        before += is_up && (member.abilities & HEARSAY_CAN_STORE) != 0 && strcmp(member.name, r->service->name) < 0;
    }
    return before;
}

void registry_event(struct registry *r, const struct hearsay_event *event)
{
    if (r->service == NULL) { /* not open yet */
        return;
    }
    if (event->type == HEARSAY_ENTRY_CHANGED) {
        r->want(r->context, TIDY_MS);
    } else if (event->type == HEARSAY_MEMBER_REAP) {
        lists_add_word(&r->buried, event->member.name);
        uint64_t wait = (uint64_t)rank(r) * BURY_STEP_MS;
        r->bury_at_ms = uv_now(r->checks.loop) + wait;
        r->want(r->context, wait);
    } else if (event->type == HEARSAY_PUT_DONE) {
        for (struct own *own = r->first; own != NULL; own = own->next) {
            if (own->ticket == event->ticket) {
                own->ticket = 0;
                own->is_dirty |= !event->is_ok;
                if (own->is_dirty) {
                    r->want(r->context, REGISTRY_RETRY_MS);
                }
            }
        }
    }
}
