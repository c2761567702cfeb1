/* SPDX-License-Identifier: MIT
 *
 * See keyring.h. Texts of errors are memberlist's and Serf's: tools show them to people.
 */
#include "serf/keyring.h"

#include "spread/outbox.h"
#include "wire/msgpack.h"
#include "wire/serf_inner.h"

void keyring_init(struct keyring *k, struct envelope *envelope)
{
    *k = (struct keyring){.envelope = envelope};
    envelope->sealed = &k->sealed[0];
}

static size_t find(const struct keyring *k, const struct hearsay_key *key)
{
    const struct envelope *e = k->envelope;
    size_t i = 0;
    while (i < e->key_count && !bytes_equal(bytes_of(e->keys[i].bytes, e->keys[i].size), bytes_of(key->bytes, key->size))) {
        i++;
    }
    return i;
}

hearsay_err keyring_install(struct keyring *k, const struct hearsay_key *key)
{
    struct envelope *e = k->envelope;
    if (key->size != 16 && key->size != 24 && key->size != 32) {
        return HEARSAY_ERR_KEY;
    }
    if (e->cipher.seal == NULL || e->cipher.open == NULL || e->cipher.nonce == NULL) {
        return HEARSAY_ERR_NO_CIPHER;
    }
    if (find(k, key) < e->key_count) {
        return HEARSAY_OK;
    }
    if (e->key_count == HEARSAY_KEYS_MAX) {
        return HEARSAY_ERR_TOO_LARGE;
    }
    k->sealed[e->key_count] = 0;
    e->keys[e->key_count++] = *key;
    return HEARSAY_OK;
}

hearsay_err keyring_use(struct keyring *k, const struct hearsay_key *key)
{
    struct envelope *e = k->envelope;
    size_t i = find(k, key);
    if (i == e->key_count) {
        return HEARSAY_ERR_UNKNOWN_KEY;
    }
    if (i > 0) {
        struct hearsay_key used = e->keys[i];
        uint64_t sealed = k->sealed[i];
        memmove(&e->keys[1], &e->keys[0], i * sizeof e->keys[0]);
        memmove(&k->sealed[1], &k->sealed[0], i * sizeof k->sealed[0]);
        e->keys[0] = used;
        k->sealed[0] = sealed;
        k->warned_at = 0;
        memory_wipe(&used, sizeof used);
    }
    return HEARSAY_OK;
}

hearsay_err keyring_remove(struct keyring *k, const struct hearsay_key *key)
{
    struct envelope *e = k->envelope;
    size_t i = find(k, key);
    if (i == e->key_count) {
        return HEARSAY_ERR_UNKNOWN_KEY;
    }
    if (i == 0) {
        return HEARSAY_ERR_PRIMARY_KEY;
    }
    e->key_count--;
    memmove(&e->keys[i], &e->keys[i + 1], (e->key_count - i) * sizeof e->keys[0]);
    memmove(&k->sealed[i], &k->sealed[i + 1], (e->key_count - i) * sizeof k->sealed[0]);
    memory_wipe(&e->keys[e->key_count], sizeof e->keys[0]);
    return HEARSAY_OK;
}

/* ---- queries of the cluster ---------------------------------------------------------------------------------------------------- */

enum wish { WISH_NONE, WISH_LIST, WISH_INSTALL, WISH_USE, WISH_REMOVE };

static enum wish wish_of(struct hearsay_bytes name)
{
    return msgpack_is(name, SERF_INNER_PREFIX "list-keys")     ? WISH_LIST
           : msgpack_is(name, SERF_INNER_PREFIX "install-key") ? WISH_INSTALL
           : msgpack_is(name, SERF_INNER_PREFIX "use-key")     ? WISH_USE
           : msgpack_is(name, SERF_INNER_PREFIX "remove-key")  ? WISH_REMOVE
                                                               : WISH_NONE;
}

static const char *text_of(hearsay_err err, enum wish wish)
{
    switch (err) {
    case HEARSAY_OK: return "";
    case HEARSAY_ERR_KEY: return "key size must be 16, 24 or 32 bytes";
    case HEARSAY_ERR_UNKNOWN_KEY: return wish == WISH_REMOVE ? "" : "Requested key is not in the keyring"; /* gone is gone */
    case HEARSAY_ERR_PRIMARY_KEY: return "Removing the primary key is not allowed";
    case HEARSAY_ERR_TOO_LARGE: return "The keyring is full";
    default: return hearsay_err_text(err);
    }
}

static void put_count(struct writer *w, size_t number)
{
    if (number > 9) {
        writer_u8(w, (uint8_t)('0' + number / 10));
    }
    writer_u8(w, (uint8_t)('0' + number % 10));
}

static void say_truncated(char *out, size_t capacity, size_t shown, size_t all)
{
    static const char before[] = "truncated key list response, showing first ";
    struct writer w = writer_of(out, capacity);
    writer_put(&w, before, sizeof before - 1);
    put_count(&w, shown);
    writer_put(&w, " of ", 4);
    put_count(&w, all);
    writer_put(&w, " keys", 6);
}

/* As many keys as fit. */
static void put_list(const struct keyring *k, size_t limit, struct writer *answer)
{
    const struct envelope *e = k->envelope;
    char said[96] = "";
    for (size_t count = e->key_count; count > 0; count--) {
        struct writer w = writer_of(answer->data, answer->capacity < limit ? answer->capacity : limit);
        if (count < e->key_count) {
            say_truncated(said, sizeof said, count, e->key_count);
        }
        serf_inner_put_keys(&w, true, said, e->keys, count);
        if (!w.is_full) {
            answer->size = w.size;
            return;
        }
    }
    answer->is_full = true;
}

bool keyring_answer(struct keyring *k, struct hearsay_bytes query_name, struct hearsay_bytes payload, size_t limit, struct writer *answer,
                    bool *is_changed)
{
    struct hearsay_key key = {.size = 0};
    struct hearsay_bytes bytes;
    enum wish wish = wish_of(query_name);
    *is_changed = false;
    if (wish == WISH_NONE) {
        return false;
    }
    if (k->envelope->key_count == 0) {
        serf_inner_put_keys(answer, false, wish == WISH_LIST ? "Keyring is empty (encryption not enabled)"
                                                             : "No keyring to modify (encryption not enabled)", NULL, 0);
        return true;
    }
    if (wish == WISH_LIST) {
        put_list(k, limit, answer);
        return true;
    }
    if (serf_inner_read_key_request(payload, &bytes) && bytes.size <= sizeof key.bytes) {
        key.size = (uint8_t)bytes.size;
        bytes_copy(key.bytes, bytes.data, bytes.size);
    }
    hearsay_err err = wish == WISH_INSTALL ? keyring_install(k, &key) : wish == WISH_USE ? keyring_use(k, &key) : keyring_remove(k, &key);
    memory_wipe(&key, sizeof key);
    const char *text = text_of(err, wish);
    *is_changed = err == HEARSAY_OK;
    serf_inner_put_keys(answer, text[0] == 0, text, NULL, 0);
    return true;
}

void keyring_look(struct keyring *k, struct turn *turn)
{
    uint64_t messages = k->sealed[0] * turn->population;
    if (messages < turn->options->key_messages_max || messages / 2 < k->warned_at) {
        return;
    }
    k->warned_at = messages;
    struct hearsay_event event = {.type = HEARSAY_KEY_WORN, .messages = messages, .members = turn->population};
    outbox_notify(turn->outbox, &event);
}
