/* SPDX-License-Identifier: MIT
 *
 * Replay: a tape's inputs into a new node, and its outputs compared with those recorded. No socket, no clock, no loop. The tape's format
 * stands in tape.h.
 */
#include "tape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NONCES_AHEAD 64
#define MATCHES_AHEAD 64

struct replay {
    const uint8_t *data;
    size_t size, at, record_at;
    bool is_bad; /* a record ends too early, as in a tape of a process that was killed */
    bool is_malformed;
    uint64_t now;
    struct hearsay_node *node;
    struct hearsay_cipher cipher, inner;
    uint8_t nonces[NONCES_AHEAD][12];
    size_t nonce_first, nonce_count;
    uint8_t matches[MATCHES_AHEAD];
    struct hearsay_key key; /* the first of those given */
    size_t match_count, match_first;
    void (*on_output)(uint64_t now, const struct hearsay_output *output, void *user);
    void *user;
    struct hearsay_tape_result *result;
    char *error;
    size_t error_size;
};

/* ---- reading ---- */

static uint8_t read_byte(struct replay *r)
{
    if (r->at >= r->size) {
        r->is_bad = true;
        return 0;
    }
    return r->data[r->at++];
}

static uint64_t read_number(struct replay *r)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_byte(r);
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return number;
        }
    }
    r->is_bad = true;
    return 0;
}

static struct hearsay_bytes read_bytes(struct replay *r)
{
    uint64_t size = read_number(r);
    if (r->is_bad || size == 0 || size - 1 > r->size - r->at) {
        r->is_bad = r->is_bad || size != 0;
        return (struct hearsay_bytes){NULL, 0};
    }
    struct hearsay_bytes bytes = {r->data + r->at, (size_t)size - 1};
    r->at += bytes.size;
    return bytes;
}

static void read_raw(struct replay *r, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = read_byte(r);
    }
}

/* The caller frees. */
static char *read_text(struct replay *r)
{
    struct hearsay_bytes bytes = read_bytes(r);
    if (bytes.data == NULL) {
        return NULL;
    }
    char *text = strndup((const char *)bytes.data, bytes.size);
    if (text == NULL) {
        r->is_bad = true;
    }
    return text;
}

static void read_address(struct replay *r, struct hearsay_address *address)
{
    *address = (struct hearsay_address){.size = read_byte(r)};
    if (address->size > sizeof address->bytes) {
        r->is_bad = true;
        address->size = 0;
    }
    read_raw(r, address->bytes, address->size);
    address->port = (uint16_t)read_number(r);
}

struct tags {
    struct hearsay_tag *list;
    size_t count;
};

static struct tags read_tags(struct replay *r)
{
    uint64_t count = read_number(r);
    struct tags tags = {NULL, 0};
    if (r->is_bad || count > r->size - r->at || (tags.list = calloc(count + 1, sizeof *tags.list)) == NULL) {
        r->is_bad = true;
        return tags;
    }
    for (; tags.count < count && !r->is_bad; tags.count++) {
        tags.list[tags.count].key = read_text(r);
        tags.list[tags.count].value = read_text(r);
        r->is_bad |= tags.list[tags.count].key == NULL || tags.list[tags.count].value == NULL;
    }
    return tags;
}

static void free_tags(struct tags *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        free((char *)tags->list[i].key);
        free((char *)tags->list[i].value);
    }
    free(tags->list);
}

/* ---- the cipher: nonces come from the tape ---- */

static void keep_nonce(struct replay *r)
{
    uint8_t nonce[12];
    read_raw(r, nonce, sizeof nonce);
    if (r->nonce_count == NONCES_AHEAD) {
        r->is_malformed = true;
        return;
    }
    memcpy(r->nonces[(r->nonce_first + r->nonce_count++) % NONCES_AHEAD], nonce, sizeof nonce);
}

static void draw_nonce(void *context, uint8_t out[12])
{
    struct replay *r = context;
    memset(out, 0, 12);
    if (r->nonce_count == 0 && r->at < r->size && r->data[r->at] == TAPE_NONCE) {
        r->at++;
        keep_nonce(r);
    }
    if (r->nonce_count > 0) {
        memcpy(out, r->nonces[r->nonce_first], 12);
        r->nonce_first = (r->nonce_first + 1) % NONCES_AHEAD;
        r->nonce_count--;
    } /* else the lives have parted, and the digest will say so */
}

static void seal(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad, struct hearsay_bytes plain,
                 uint8_t *out)
{
    struct replay *r = context;
    r->inner.seal(r->inner.context, key, nonce, aad, plain, out);
}

static bool open_sealed(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad,
                        struct hearsay_bytes sealed, uint8_t *out)
{
    struct replay *r = context;
    return r->inner.open(r->inner.context, key, nonce, aad, sealed, out);
}

/* ---- the matcher: its answers come from the tape too ---- */

static void keep_match(struct replay *r)
{
    uint8_t is_found = read_byte(r);
    if (r->match_count == MATCHES_AHEAD) {
        r->is_malformed = true;
        return;
    }
    r->matches[(r->match_first + r->match_count++) % MATCHES_AHEAD] = is_found;
}

static bool match(void *context, struct hearsay_bytes expression, struct hearsay_bytes text)
{
    struct replay *r = context;
    (void)expression;
    (void)text;
    if (r->match_count == 0 && r->at < r->size && r->data[r->at] == TAPE_MATCH) {
        r->at++;
        keep_match(r);
    }
    if (r->match_count == 0) {
        return false; /* there was no matcher, or the lives have parted */
    }
    bool is_found = r->matches[r->match_first] != 0;
    r->match_first = (r->match_first + 1) % MATCHES_AHEAD;
    r->match_count--;
    return is_found;
}

/* ---- records ---- */

static void read_numbers(struct replay *r, struct hearsay_options *options)
{
    uint64_t count = read_number(r);
    for (uint64_t i = 0; i < count && !r->is_bad; i++) {
        char *name = read_text(r);
        uint64_t value = read_number(r);
        if (name != NULL && hearsay_options_set(options, name, value) != HEARSAY_OK) {
            r->is_malformed = true; /* made by another version, which had other numbers */
        }
        free(name);
    }
}

static void create_node(struct replay *r, const struct hearsay_options *given)
{
    struct hearsay_options options;
    hearsay_options_lan(&options);
    if (given != NULL) {
        memcpy(options.keys, given->keys, sizeof options.keys);
        memcpy(options.store_secret, given->store_secret, sizeof options.store_secret);
        options.key_count = given->key_count;
        r->key = given->key_count == 0 ? r->key : given->keys[0];
        options.allocator = given->allocator;
    }
    options.cipher = r->cipher;
    options.matcher = (struct hearsay_matcher){.context = r, .match = match};
    options.seed = read_number(r);
    char *name = read_text(r);
    options.name = name;
    read_address(r, &options.advertise);
    options.meta = read_bytes(r);
    char *label = read_text(r);
    options.label = label;
    options.personality = (enum hearsay_personality)read_number(r);
    for (size_t i = 0; i < 3; i++) {
        options.delegate_versions[i] = (uint8_t)read_number(r);
    }
    options.clock = read_number(r);
    options.event_clock = read_number(r);
    options.query_clock = read_number(r);
    options.store_hlc_mark = read_number(r);
    options.store_purge_hlc = read_number(r);
    uint64_t keys = read_number(r);
    struct tags tags = read_tags(r);
    options.tags = tags.list;
    options.tag_count = tags.count;
    read_numbers(r, &options);
    if (keys != options.key_count) {
        snprintf(r->error, r->error_size, "the tape was made with %u keys, but %u are given; give the same ones in the same order",
                 (unsigned)keys, (unsigned)options.key_count);
    } else if (!r->is_bad && !r->is_malformed && r->node == NULL) {
        r->node = hearsay_create(&options, r->now, NULL);
    }
    free_tags(&tags);
    free(label);
    free(name);
}

static void replay_join(struct replay *r)
{
    bool replay = read_number(r) != 0;
    uint64_t count = read_number(r);
    if (r->is_bad || count > r->size - r->at) {
        r->is_bad = true;
        return;
    }
    struct hearsay_target *targets = calloc(count + 1, sizeof *targets);
    char **names = calloc(count + 1, sizeof *names);
    for (size_t i = 0; targets != NULL && names != NULL && i < count; i++) {
        read_address(r, &targets[i].address);
        names[i] = read_text(r);
        targets[i].name = names[i];
    }
    uint32_t ticket;
    if (targets != NULL && names != NULL && !r->is_bad) {
        (void)!hearsay_join(r->node, r->now, targets, count, replay, &ticket);
    }
    for (size_t i = 0; names != NULL && i < count; i++) {
        free(names[i]);
    }
    free(names);
    free(targets);
}

static void replay_query(struct replay *r)
{
    struct hearsay_question q = {.name = NULL};
    uint32_t ticket;
    char *name = read_text(r);
    q.name = name;
    q.payload = read_bytes(r);
    q.wants_acks = read_number(r) != 0;
    q.relay_factor = (uint8_t)read_number(r);
    q.timeout_us = read_number(r);
    struct tags tags = read_tags(r);
    q.tags = tags.list;
    q.tag_count = tags.count;
    q.node_count = read_number(r);
    r->is_bad |= q.node_count > r->size - r->at;
    char **nodes = r->is_bad ? NULL : calloc(q.node_count + 1, sizeof *nodes);
    for (size_t i = 0; nodes != NULL && i < q.node_count; i++) {
        nodes[i] = read_text(r);
        r->is_bad |= nodes[i] == NULL;
    }
    q.nodes = (const char *const *)nodes;
    if (!r->is_bad && nodes != NULL) {
        (void)!hearsay_query(r->node, r->now, &q, &ticket);
    }
    for (size_t i = 0; nodes != NULL && i < q.node_count; i++) {
        free(nodes[i]);
    }
    free(nodes);
    free_tags(&tags);
    free(name);
}

static void replay_keys(struct replay *r)
{
    struct hearsay_key key = {.size = 0};
    enum hearsay_key_wish wish = (enum hearsay_key_wish)read_number(r);
    uint8_t relay_factor = (uint8_t)read_number(r);
    struct hearsay_bytes sealed = read_bytes(r);
    size_t extra = r->key.size == 0 ? 0 : 12 + 16;
    uint32_t ticket;
    if (wish > HEARSAY_KEYS_REMOVE || (wish != HEARSAY_KEYS_LIST && (sealed.size < extra || sealed.size - extra > sizeof key.bytes))) {
        r->is_malformed = !r->is_bad;
        return;
    }
    if (wish != HEARSAY_KEYS_LIST) {
        key.size = (uint8_t)(sealed.size - extra);
        if (extra == 0) {
            memcpy(key.bytes, sealed.data == NULL ? key.bytes : sealed.data, key.size);
        } else if (!r->inner.open(r->inner.context, (struct hearsay_bytes){r->key.bytes, r->key.size}, sealed.data, (struct hearsay_bytes){NULL, 0},
                                  (struct hearsay_bytes){sealed.data + 12, sealed.size - 12}, key.bytes)) {
            snprintf(r->error, r->error_size, "the tape was made with another first key; give the same one");
            return;
        }
    }
    if (!r->is_bad) {
        (void)!hearsay_query_keys(r->node, r->now, wish, wish == HEARSAY_KEYS_LIST ? NULL : &key, relay_factor, &ticket);
    }
    explicit_bzero(&key, sizeof key);
}

/* The wishes; their answers were told to the user then and concern nobody now. */
static bool replay_wish(struct replay *r, enum tape_kind kind)
{
    char *name = NULL;
    struct hearsay_bytes bytes = {NULL, 0};
    struct hearsay_address address;
    struct tags tags = {NULL, 0};
    bool flag = false;
    uint64_t number;
    if (kind == TAPE_FORCE_LEAVE || kind == TAPE_EVENT || kind == TAPE_REMEMBER) {
        name = read_text(r);
    }
    switch (kind) {
    case TAPE_JOIN:
        replay_join(r);
        break;
    case TAPE_LEAVE:
        (void)!hearsay_leave(r->node, r->now);
        break;
    case TAPE_FORCE_LEAVE:
        flag = read_number(r) != 0;
        (void)!hearsay_force_leave(r->node, r->now, name, flag);
        break;
    case TAPE_EVENT:
        bytes = read_bytes(r);
        flag = read_number(r) != 0;
        (void)!hearsay_send_event(r->node, r->now, name, bytes.data, bytes.size, flag);
        break;
    case TAPE_BROADCAST:
        bytes = read_bytes(r);
        (void)!hearsay_broadcast(r->node, r->now, bytes.data, bytes.size);
        break;
    case TAPE_TAGS:
        tags = read_tags(r);
        if (!r->is_bad) {
            (void)!hearsay_set_tags(r->node, r->now, tags.list, tags.count);
        }
        break;
    case TAPE_META:
        (void)!hearsay_set_meta(r->node, r->now, read_bytes(r));
        break;
    case TAPE_REMEMBER:
        read_address(r, &address);
        (void)!hearsay_remember(r->node, r->now, name, &address);
        break;
    case TAPE_QUERY: replay_query(r); break;
    case TAPE_KEYS: replay_keys(r); break;
    case TAPE_KEPT:
        number = read_number(r);
        name = read_text(r);
        (void)!hearsay_keyring_kept(r->node, r->now, number, name);
        break;
    case TAPE_RESPOND:
        number = read_number(r);
        bytes = read_bytes(r);
        (void)!hearsay_respond(r->node, r->now, number, bytes.data, bytes.size);
        break;
    default: return false;
    }
    free_tags(&tags);
    free(name);
    return true;
}

static void replay_load(struct replay *r)
{
    struct hearsay_entry entry = {.key = read_bytes(r)};
    entry.value = read_bytes(r);
    entry.version.hlc = read_number(r);
    entry.version.origin = read_number(r);
    entry.expires_hlc = read_number(r);
    entry.is_tombstone = read_number(r) != 0;
    (void)!hearsay_store_load(r->node, &entry);
}

static void replay_meeting(struct replay *r)
{
    struct hearsay_meeting meeting = {.member = read_number(r)};
    meeting.epoch = (uint32_t)read_number(r);
    meeting.seen_ms = read_number(r);
    (void)!hearsay_store_load_meeting(r->node, r->now, &meeting);
}

/* What concerns the store. */
static bool replay_store(struct replay *r, enum tape_kind kind)
{
    struct hearsay_bytes key, value;
    uint64_t number;
    uint32_t fanout;
    char *name;
    switch (kind) {
    case TAPE_CLOCK:
        hearsay_set_wall_clock(r->node, r->now, read_number(r));
        break;
    case TAPE_LOAD:
        replay_load(r);
        break;
    case TAPE_MEETING:
        replay_meeting(r);
        break;
    case TAPE_PERSISTED:
        number = read_number(r);
        hearsay_persisted(r->node, r->now, number, read_number(r) != 0);
        break;
    case TAPE_PUT:
        key = read_bytes(r);
        value = read_bytes(r);
        number = read_number(r);
        (void)!hearsay_put(r->node, r->now, key, value, number, (uint32_t)read_number(r), NULL);
        break;
    case TAPE_DELETE:
        key = read_bytes(r);
        (void)!hearsay_delete(r->node, r->now, key, (uint32_t)read_number(r), NULL);
        break;
    case TAPE_REPAIR:
        name = read_text(r);
        (void)!hearsay_repair(r->node, r->now, name, NULL);
        free(name);
        break;
    case TAPE_JUDGE:
        number = read_number(r);
        (void)hearsay_judge_event(r->node, r->now, number, read_number(r) != 0);
        break;
    case TAPE_LARGE_EVENT:
        name = read_text(r);
        value = read_bytes(r);
        (void)!hearsay_send_large_event(r->node, r->now, name == NULL ? "" : name, value.data, value.size);
        free(name);
        break;
    case TAPE_TUNE:
        number = read_number(r);
        fanout = (uint32_t)read_number(r);
        (void)!hearsay_store_tune(r->node, r->now, (enum hearsay_store_mode)number, fanout, (uint32_t)read_number(r));
        break;
    default:
        return false;
    }
    return true;
}

static bool replay_input(struct replay *r, enum tape_kind kind)
{
    struct hearsay_address from;
    struct hearsay_bytes bytes;
    uint32_t stream;
    switch (kind) {
    case TAPE_PACKET:
        read_address(r, &from);
        bytes = read_bytes(r);
        hearsay_receive_packet(r->node, r->now, &from, bytes.data, bytes.size);
        break;
    case TAPE_ACCEPTED:
        read_address(r, &from);
        hearsay_stream_accepted(r->node, r->now, &from);
        break;
    case TAPE_CONNECTED:
        hearsay_stream_connected(r->node, r->now, (uint32_t)read_number(r));
        break;
    case TAPE_STREAM:
        stream = (uint32_t)read_number(r);
        bytes = read_bytes(r);
        hearsay_receive_stream(r->node, r->now, stream, bytes.data, bytes.size);
        break;
    case TAPE_CLOSED:
        stream = (uint32_t)read_number(r);
        hearsay_stream_closed(r->node, r->now, stream, (enum hearsay_close)read_number(r));
        break;
    case TAPE_TICK:
        hearsay_tick(r->node, r->now);
        break;
    default:
        return replay_wish(r, kind) || replay_store(r, kind);
    }
    return true;
}

static void take_outputs(struct replay *r)
{
    uint64_t count = read_number(r);
    bool was_last = read_number(r) != 0;
    uint64_t digest = 0;
    struct hearsay_output output;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        digest |= (uint64_t)read_byte(r) << shift;
    }
    bool is_same = !r->is_bad;
    for (uint64_t i = 0; i < count + was_last && is_same; i++) {
        bool is_there = hearsay_next_output(r->node, &output);
        is_same = is_there == (i < count);
        if (is_there) {
            r->result->digest = tape_digest(r->result->digest, &output);
            r->result->outputs++;
            if (r->on_output != NULL) {
                r->on_output(r->now, &output, r->user);
            }
        }
    }
    if (!r->is_bad && (!is_same || digest != r->result->digest) && r->result->diverged_at == 0) {
        r->result->diverged_at = r->result->inputs;
        r->result->diverged_at_us = r->now;
        r->result->diverged_at_byte = r->record_at;
    }
}

static void replay_all(struct replay *r, const struct hearsay_options *options)
{
    while (r->at < r->size && !r->is_bad && !r->is_malformed && r->error[0] == '\0' && r->result->diverged_at == 0) {
        r->record_at = r->at;
        enum tape_kind kind = (enum tape_kind)read_byte(r);
        if (kind == TAPE_NONCE) {
            keep_nonce(r);
            continue;
        }
        if (kind == TAPE_MATCH) {
            keep_match(r);
            continue;
        }
        if (kind != TAPE_TAKEN) {
            r->now += read_number(r);
        }
        if (kind == TAPE_OPTIONS && r->node == NULL) {
            create_node(r, options);
            continue;
        }
        if (r->node == NULL) {
            r->is_malformed = true;
        } else if (kind == TAPE_TAKEN) {
            take_outputs(r);
        } else {
            r->result->inputs++;
            r->is_malformed = !replay_input(r, kind);
        }
    }
    r->result->cut_at_byte = r->is_bad ? r->record_at : 0;
}

static const uint8_t *map_file(const char *path, size_t *size)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *data = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &stat) == 0) {
        *size = (size_t)stat.st_size;
        data = mmap(NULL, *size == 0 ? 1 : *size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    int why = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = why;
    return data == MAP_FAILED ? NULL : data;
}

bool hearsay_tape_replay(const char *path, const struct hearsay_options *options,
                         void (*on_output)(uint64_t now, const struct hearsay_output *output, void *user), void *user,
                         struct hearsay_tape_result *result, char *error, size_t size)
{
    static const char magic[] = TAPE_MAGIC;
    char ignored[8];
    struct replay r = {.on_output = on_output,
                       .user = user,
                       .result = result,
                       .error = error == NULL || size == 0 ? ignored : error,
                       .error_size = error == NULL || size == 0 ? sizeof ignored : size};
    *result = (struct hearsay_tape_result){.digest = TAPE_DIGEST_START};
    r.error[0] = '\0';
    r.data = map_file(path, &r.size);
    if (r.data == NULL) {
        snprintf(r.error, r.error_size, "cannot read tape \"%s\": %s", path, strerror(errno));
        return false;
    }
    if (r.size <= sizeof magic - 1 || memcmp(r.data, magic, sizeof magic - 1) != 0 || r.data[sizeof magic - 1] != TAPE_VERSION) {
        snprintf(r.error, r.error_size, "\"%s\" is no hearsay tape of version %d", path, TAPE_VERSION);
    } else if (hearsay_cipher_nettle(&r.inner)) {
        r.cipher = (struct hearsay_cipher){.context = &r, .seal = seal, .open = open_sealed, .nonce = draw_nonce};
        r.at = sizeof magic;
        replay_all(&r, options);
        if (r.error[0] == '\0' && (r.is_malformed || r.node == NULL)) {
            snprintf(r.error, r.error_size, "tape \"%s\" is malformed at byte %zu", path, r.record_at);
        }
        hearsay_destroy(r.node);
        explicit_bzero(&r.key, sizeof r.key);
        hearsay_cipher_nettle_free(&r.inner);
    } else {
        snprintf(r.error, r.error_size, "out of memory");
    }
    munmap((void *)(uintptr_t)r.data, r.size == 0 ? 1 : r.size);
    return r.error[0] == '\0';
}
