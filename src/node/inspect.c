/* SPDX-License-Identifier: MIT
 *
 * See inspect.h. The request is a push/pull with nobody in it, which every memberlist answers with all it knows. The answer is kept as
 * it came; a member is read out of it when asked for. It knows nothing of the node's own parts, only of the wire.
 */
#include "node/inspection.h"

#include "base/cursor.h"
#include "base/table.h"
#include "wire/message.h"
#include "wire/packet.h"
#include "wire/serf_message.h"

static bool keys_are_good(const struct hearsay_inspect_options *options)
{
    const struct hearsay_cipher *c = &options->cipher;
    if (options->key_count > HEARSAY_KEYS_MAX ||
        (options->key_count > 0 && (c->seal == NULL || c->open == NULL || c->nonce == NULL))) {
        return false;
    }
    for (size_t i = 0; i < options->key_count; i++) {
        uint8_t size = options->keys[i].size;
        if (size != 16 && size != 24 && size != 32) {
            return false;
        }
    }
    return true;
}

struct hearsay_inspection *hearsay_inspect_create(const struct hearsay_inspect_options *options)
{
    struct hearsay_allocator memory = options->allocator.resize == NULL ? memory_system : options->allocator;
    struct hearsay_bytes label = bytes_of_string(options->label);
    if (!keys_are_good(options) || label.size > HEARSAY_LABEL_MAX) {
        return NULL;
    }
    struct hearsay_inspection *s = memory_zeros(&memory, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->memory = memory;
    s->envelope = (struct envelope){
        .memory = &s->memory,
        .cipher = options->cipher,
        .label_size = (uint8_t)label.size,
        .key_count = options->key_count,
        .verify_outgoing = true, /* verify_incoming stays off: a plain answer is read to tell what it says */
        .encryption_version = 1,
    };
    bytes_copy(s->envelope.label, label.data, label.size);
    memcpy(s->envelope.keys, options->keys, options->key_count * sizeof options->keys[0]);
    stream_reader_init(&s->reader, &s->envelope, false);
    buffer_init(&s->out, &s->memory);
    buffer_init(&s->scratch[0], &s->memory);
    buffer_init(&s->scratch[1], &s->memory);
    buffer_init(&s->names, &s->memory);
    return s;
}

void hearsay_inspect_destroy(struct hearsay_inspection *s)
{
    if (s == NULL) {
        return;
    }
    struct hearsay_allocator memory = s->memory;
    stream_reader_deinit(&s->reader);
    buffer_deinit(&s->out);
    buffer_deinit(&s->scratch[0]);
    buffer_deinit(&s->scratch[1]);
    buffer_deinit(&s->names);
    memory_free(&memory, s->entries);
    memory_wipe(s->envelope.keys, sizeof s->envelope.keys);
    memory_free(&memory, s);
}

struct hearsay_bytes hearsay_inspect_request(struct hearsay_inspection *s)
{
    uint8_t message[64];
    struct writer w = writer_of(message, sizeof message);
    message_encode_push_pull_header(&w, &(struct message_push_pull_header){.is_join = false});
    buffer_clear(&s->out);
    (void)stream_seal(&s->envelope, true, writer_bytes(&w), &s->out);
    return buffer_bytes(&s->out);
}

/* ---- the answer ---------------------------------------------------------------------------------------------------- */

static struct hearsay_bytes name_of(const void *owner, uint32_t number)
{
    const struct hearsay_inspection *s = owner;
    return bytes_of_string((const char *)s->names.data + s->entries[number].name);
}

static uint8_t status_of(enum message_state state)
{
    static const uint8_t statuses[] = {HEARSAY_ALIVE, HEARSAY_SUSPECT, HEARSAY_FAILED, HEARSAY_LEFT};
    return statuses[state];
}

/* What no node can be called is nobody. */
static bool is_name(struct hearsay_bytes name)
{
    return name.size > 0 && name.size <= HEARSAY_NAME_MAX && memchr(name.data, 0, name.size) == NULL;
}

static bool read_entries(struct hearsay_inspection *s, struct reader *r, uint32_t count)
{
    if (count > 0) {
        s->entries = memory_resize(&s->memory, NULL, count * sizeof *s->entries);
        if (s->entries == NULL) {
            return false;
        }
    }
    for (; count > 0; count--) {
        struct message_alive m;
        enum message_state state;
        uint32_t offset = (uint32_t)(r->at - s->reader.body.data), name = (uint32_t)s->names.size;
        if (!message_decode_push_pull_entry(r, &m, &state)) {
            return false;
        }
        if (!is_name(m.node)) {
            continue;
        }
        if (!buffer_append(&s->names, m.node.data, m.node.size) || !buffer_append(&s->names, "", 1)) {
            return false;
        }
        s->entries[s->facts.members++] = (struct told){offset, name, status_of(state), 0};
    }
    return true;
}

/* Serf's own knowledge on top: who left (a dead member may have been told to leave), who is about to, and since which time. */
static bool apply_serf(struct hearsay_inspection *s, struct serf_state *state)
{
    struct table by_name;
    struct hearsay_bytes name;
    uint64_t ltime;
    uint32_t i = 0;
    table_init(&by_name, &s->memory, 0, name_of, s);
    for (; i < s->facts.members && table_reserve(&by_name); i++) {
        if (table_find(&by_name, name_of(s, i)) == TABLE_NONE) {
            table_insert(&by_name, i);
        }
    }
    bool is_good = i == s->facts.members;
    while (is_good && serf_state_next_left(state, &name)) {
        uint32_t number = table_find(&by_name, name);
        if (number != TABLE_NONE) {
            uint8_t *status = &s->entries[number].status;
            *status = *status == HEARSAY_ALIVE || *status == HEARSAY_SUSPECT ? HEARSAY_LEAVING : HEARSAY_LEFT;
        }
    }
    while (is_good && serf_state_next_status(state, &name, &ltime)) {
        uint32_t number = table_find(&by_name, name);
        if (number != TABLE_NONE) {
            s->entries[number].ltime = ltime;
        }
    }
    table_deinit(&by_name);
    return is_good;
}

static enum hearsay_inspect_status read_view(struct hearsay_inspection *s, struct hearsay_bytes body)
{
    struct reader r = reader_of(bytes_of(body.data + 1, body.size - 1));
    struct message_push_pull_header header;
    struct serf_state state;
    if (!message_decode_push_pull_header(&r, &header) || !read_entries(s, &r, header.nodes)) {
        return HEARSAY_INSPECT_BAD;
    }
    s->facts.has_user_state = header.user_state_size > 0;
    s->user_state = reader_take(&r, header.user_state_size);
    if (serf_state_decode(s->user_state, &state)) {
        s->facts.is_serf = true;
        s->facts.member_time = state.ltime;
        s->facts.event_time = state.event_ltime;
        s->facts.query_time = state.query_ltime;
        if (!apply_serf(s, &state)) {
            return HEARSAY_INSPECT_BAD;
        }
    }
    return HEARSAY_INSPECT_DONE;
}

static enum hearsay_inspect_status read_refusal(struct hearsay_inspection *s, struct hearsay_bytes body)
{
    struct message m;
    if (!message_decode(body, &m)) {
        return HEARSAY_INSPECT_BAD;
    }
    for (size_t i = 0; i < m.error.size && i < sizeof s->text - 1; i++) { /* a stranger's words, meant for a terminal */
        uint8_t c = m.error.data[i];
        s->text[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    return HEARSAY_INSPECT_REFUSED;
}

static enum hearsay_inspect_status read_answer(struct hearsay_inspection *s)
{
    struct hearsay_bytes body = s->reader.body;
    enum hearsay_inspect_status status = HEARSAY_INSPECT_BAD;
    s->facts.is_encrypted = s->reader.was_encrypted;
    s->facts.is_compressed = s->reader.was_compressed;
    if (body.data[0] == MESSAGE_PUSH_PULL) {
        status = read_view(s, body);
    } else if (body.data[0] == MESSAGE_ERROR) {
        status = read_refusal(s, body);
    }
    bool is_plain = s->envelope.key_count > 0 && !s->reader.was_encrypted;
    return status != HEARSAY_INSPECT_BAD && is_plain ? HEARSAY_INSPECT_PLAINTEXT : status;
}

enum hearsay_inspect_status hearsay_inspect_feed(struct hearsay_inspection *s, const void *data, size_t size)
{
    if (s->status != HEARSAY_INSPECT_MORE) {
        return s->status;
    }
    if (size == 0) {
        s->status = HEARSAY_INSPECT_BAD;
        return s->status;
    }
    switch (stream_reader_feed(&s->reader, bytes_of(data, size))) {
    case STREAM_MORE:
        break;
    case STREAM_WHOLE:
        s->status = read_answer(s);
        break;
    case STREAM_FRAMES:
        s->status = HEARSAY_INSPECT_BAD;
        break;
    case STREAM_BAD:
        s->facts.is_encrypted = s->reader.was_encrypted;
        s->status = s->reader.fault == ENVELOPE_CIPHER ? HEARSAY_INSPECT_CIPHER : HEARSAY_INSPECT_BAD;
    }
    if (s->status == HEARSAY_INSPECT_BAD) {
        s->facts.members = 0;
        s->user_state = (struct hearsay_bytes){NULL, 0};
    }
    return s->status;
}

const char *hearsay_inspect_text(const struct hearsay_inspection *s)
{
    return s->text;
}

void hearsay_inspect_get_facts(const struct hearsay_inspection *s, struct hearsay_inspect_facts *facts)
{
    *facts = s->facts;
}

struct hearsay_bytes hearsay_inspect_user_state(const struct hearsay_inspection *s)
{
    return s->user_state;
}

bool hearsay_inspect_next_member(const struct hearsay_inspection *s, size_t *position, struct hearsay_member *member)
{
    struct message_alive m;
    enum message_state state;
    if (*position >= s->facts.members) {
        return false;
    }
    const struct told *entry = &s->entries[(*position)++];
    struct hearsay_bytes body = s->reader.body;
    struct reader r = reader_of(bytes_of(body.data + entry->offset, body.size - entry->offset));
    if (!message_decode_push_pull_entry(&r, &m, &state)) {
        return false;
    }
    *member = (struct hearsay_member){
        .name = (const char *)s->names.data + entry->name,
        .address = m.address,
        .meta = m.meta,
        .status = (enum hearsay_status)entry->status,
        .incarnation = m.incarnation,
        .status_ltime = entry->ltime,
    };
    bytes_copy(member->versions, m.versions.data, m.versions.size < 6 ? m.versions.size : 6);
    return true;
}

/* ---- pings --------------------------------------------------------------------------------------------------------- */

struct hearsay_bytes hearsay_inspect_ping(struct hearsay_inspection *s, const char *name, uint32_t sequence)
{
    uint8_t message[512];
    struct writer w = writer_of(message, sizeof message);
    message_encode(&w, &(struct message){.type = MESSAGE_PING, .ping = {.node = bytes_of_string(name),
                                                                         .sequence = sequence,
                                                                         .abilities = HEARSAY_WIRE_VERSION | HEARSAY_ASKS_CLOCK}});
    struct hearsay_bytes part = writer_bytes(&w);
    buffer_clear(&s->out);
    if (!w.is_full) {
        (void)packet_seal(&s->envelope, &part, 1, false, s->scratch, &s->out);
    }
    return buffer_bytes(&s->out);
}

bool hearsay_inspect_is_ack(struct hearsay_inspection *s, const void *data, size_t size, uint32_t sequence, uint32_t *abilities)
{
    struct packet packet;
    struct message m;
    if (packet_open(&s->envelope, bytes_of(data, size), s->scratch, &packet) != ENVELOPE_OK) {
        return false;
    }
    for (unsigned i = 0; i < packet.count; i++) {
        if (message_decode(packet.parts[i], &m) && m.type == MESSAGE_ACK && m.ack.sequence == sequence) {
            if (abilities != NULL) {
                *abilities = m.ack.abilities;
            }
            s->clock_ms = m.ack.clock_ms;
            return true;
        }
    }
    return false;
}

uint64_t hearsay_inspect_clock_ms(const struct hearsay_inspection *s)
{
    return s->clock_ms;
}
