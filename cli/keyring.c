/* SPDX-License-Identifier: MIT
 *
 * See keyring.h.
 */
#include "cli/keyring.h"

#include "base/memory.h"
#include "cli/command.h"
#include "cli/plain.h"
#include "wire/msgpack.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct keyring_pair *)a)->name, ((const struct keyring_pair *)b)->name);
}

/* A map of names to numbers or to texts. */
static bool read_pairs(struct reader *r, struct keyring_pair **pairs, size_t *count, bool is_text)
{
    uint32_t left = msgpack_get_map(r);
    if (*pairs != NULL || left > reader_left(r)) {
        return false;
    }
    *pairs = calloc(left + 1, sizeof **pairs);
    for (; *pairs != NULL && left > 0 && !r->is_bad; left--) {
        struct keyring_pair *pair = &(*pairs)[(*count)++];
        pair->name = plain_copy(msgpack_get_raw(r));
        pair->text = is_text ? plain_copy(msgpack_get_raw(r)) : NULL;
        pair->count = is_text ? 0 : (uint32_t)msgpack_get_uint(r, UINT32_MAX);
        if (pair->name == NULL || (is_text && pair->text == NULL)) {
            return false;
        }
    }
    if (*pairs != NULL && !r->is_bad) {
        qsort(*pairs, *count, sizeof **pairs, by_name);
    }
    return *pairs != NULL;
}

static bool read_answer(struct hearsay_bytes object, struct keyring *k)
{
    struct reader r = reader_of(object);
    bool is_fine = true;
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad && is_fine; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Keys")) {
            is_fine = read_pairs(&r, &k->keys, &k->key_count, false);
        } else if (msgpack_is(key, "Messages")) {
            is_fine = read_pairs(&r, &k->messages, &k->message_count, true);
        } else if (msgpack_is(key, "NumErr")) {
            k->failures = (uint32_t)msgpack_get_uint(&r, UINT32_MAX);
        } else if (msgpack_is(key, "NumNodes")) {
            k->members = (uint32_t)msgpack_get_uint(&r, UINT32_MAX);
        } else if (msgpack_is(key, "NumResp")) {
            k->answers = (uint32_t)msgpack_get_uint(&r, UINT32_MAX);
        } else {
            msgpack_skip(&r);
        }
    }
    return is_fine && !r.is_bad;
}

bool keyring_ask(struct client *client, const char *command, const char *key, struct keyring *k)
{
    uint8_t room[512];
    struct hearsay_bytes object;
    uint64_t seq;
    struct writer w = writer_of(room, sizeof room);
    *k = (struct keyring){0};
    if (key != NULL) {
        msgpack_put_map(&w, 1);
        msgpack_put_text(&w, "Key");
        msgpack_put_str(&w, bytes_of_string(key));
        if (w.is_full) {
            command_fail("that is no key: a key is 16, 24 or 32 bytes in base64");
            return false;
        }
    }
    client->wait_ms = 120000; /* the agent waits for every member */
    bool is_sent = client_send(client, command, writer_bytes(&w));
    memory_wipe(room, sizeof room);
    if (!is_sent || !client_header(client, &seq, k->error, sizeof k->error, false)) {
        return false;
    }
    plain_tame(k->error);
    if (strcmp(k->error, "Authentication required") == 0) { /* nothing follows */
        command_fail("%s; give the agent's token with --rpc-auth @FILE", k->error);
        return false;
    }
    if (!client_next(client, &object, false)) {
        return false;
    }
    if (!read_answer(object, k)) {
        command_fail("the agent's answer makes no sense");
        keyring_free(k);
        return false;
    }
    return true;
}

static void free_pairs(struct keyring_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(pairs[i].name);
        free(pairs[i].text);
    }
    free(pairs);
}

void keyring_free(struct keyring *k)
{
    free_pairs(k->keys, k->key_count);
    free_pairs(k->messages, k->message_count);
    *k = (struct keyring){0};
}

uint32_t keyring_count(const struct keyring *k, const char *key)
{
    for (size_t i = 0; i < k->key_count; i++) {
        if (strcmp(k->keys[i].name, key) == 0) {
            return k->keys[i].count;
        }
    }
    return 0;
}
