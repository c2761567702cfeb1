/* SPDX-License-Identifier: MIT
 *
 * See tape.h. Outputs are only counted and digested; the count is written when the next record begins, so that the order of inputs
 * and takings is kept exactly. A disk that fails ends the recording, not the node.
 */
#include "tape.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAVE_INTERVAL_US 1000000

struct tape {
    FILE *file;
    uint64_t last, saved_at;
    uint64_t digest;
    uint64_t taken; /* outputs not yet written */
    bool is_empty;  /* the node said that there are no more */
    struct hearsay_cipher inner;
    struct hearsay_matcher matcher;
    struct hearsay_key key; /* the first of the options; size 0 = none */
};

static uint64_t fold(uint64_t digest, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        digest = (digest ^ bytes[i]) * 0x100000001b3u;
    }
    return digest;
}

static uint64_t fold_number(uint64_t digest, uint64_t number)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(number >> (8 * i));
    }
    return fold(digest, bytes, sizeof bytes);
}

static uint64_t fold_bytes(uint64_t digest, struct hearsay_bytes bytes)
{
    return fold(fold_number(digest, bytes.size), bytes.data, bytes.size);
}

static uint64_t fold_text(uint64_t digest, const char *text)
{
    return text == NULL ? fold_number(digest, UINT64_MAX) : fold(digest, text, strlen(text) + 1);
}

static uint64_t fold_address(uint64_t digest, const struct hearsay_address *address)
{
    digest = fold_number(digest, (uint64_t)address->port << 8 | address->size);
    return fold(digest, address->bytes, address->size);
}

static uint64_t fold_event(uint64_t digest, const struct hearsay_event *event)
{
    digest = fold_number(digest, event->type);
    digest = fold_text(digest, event->member.name);
    digest = fold_address(digest, &event->member.address);
    digest = fold_bytes(digest, event->member.meta);
    digest = fold_number(digest, (uint64_t)event->member.incarnation << 8 | event->member.status);
    digest = fold_number(digest, event->cause.reason);
    digest = fold_text(digest, event->cause.accuser);
    digest = fold_number(digest, event->cause.incarnation);
    digest = fold_address(digest, &event->other_address);
    digest = fold_text(digest, event->name);
    digest = fold_bytes(digest, event->payload);
    digest = fold_number(digest, event->ltime);
    digest = fold_number(digest, event->ticket);
    digest = fold_number(digest, (uint64_t)(event->contacted | event->is_last << 1 | event->coalesce << 2));
    digest = fold_text(digest, event->from);
    digest = fold_number(digest, event->change);
    digest = fold_number(fold_number(fold_number(digest, event->found), event->moved), event->bytes);
    digest = fold_number(digest, event->query);
    digest = fold_number(digest, (uint64_t)event->members << 32 | event->acks);
    digest = fold_number(digest, (uint64_t)event->answers << 32 | event->errors << 1 | event->is_ok);
    return fold_text(digest, event->text);
}

static uint64_t fold_persist(uint64_t digest, const struct hearsay_persist *persist)
{
    digest = fold_number(fold_number(digest, persist->batch), persist->hlc_mark);
    for (size_t i = 0; i < persist->count; i++) {
        digest = fold_bytes(fold_bytes(digest, persist->entries[i].key), persist->entries[i].value);
        digest = fold_number(fold_number(digest, persist->entries[i].version.hlc), persist->entries[i].is_tombstone);
    }
    for (size_t i = 0; i < persist->meeting_count; i++) {
        digest = fold_number(fold_number(digest, persist->meetings[i].member), persist->meetings[i].epoch);
    }
    return digest;
}

uint64_t tape_digest(uint64_t digest, const struct hearsay_output *output)
{
    digest = fold_number(digest, output->type);
    switch (output->type) {
    case HEARSAY_SEND_PACKET:
        return fold_bytes(fold_address(digest, &output->address), output->bytes);
    case HEARSAY_OPEN_STREAM:
        return fold_address(fold_number(digest, output->stream), &output->address);
    case HEARSAY_SEND_STREAM:
        return fold_bytes(fold_number(digest, output->stream), output->bytes);
    case HEARSAY_CLOSE_STREAM:
        return fold_number(digest, output->stream);
    case HEARSAY_NOTIFY:
        return fold_event(digest, &output->event);
    case HEARSAY_PERSIST:
        return fold_persist(digest, &output->persist);
    }
    return digest;
}

struct tape *tape_open(const char *path)
{
    struct tape *tape = calloc(1, sizeof *tape);
    if (tape == NULL) {
        return NULL;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    tape->file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (tape->file == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        free(tape);
        return NULL;
    }
    tape->digest = TAPE_DIGEST_START;
    fputs(TAPE_MAGIC, tape->file);
    fputc(TAPE_VERSION, tape->file);
    return tape;
}

/* Writes down what was taken from the node since the last record. */
static void write_taken(struct tape *tape)
{
    if (tape->taken == 0 && !tape->is_empty) {
        return;
    }
    putc(TAPE_TAKEN, tape->file);
    tape_number(tape, tape->taken);
    tape_number(tape, tape->is_empty);
    for (unsigned shift = 0; shift < 64; shift += 8) {
        putc((int)(tape->digest >> shift & 0xff), tape->file);
    }
    tape->taken = 0;
    tape->is_empty = false;
}

void tape_close(struct tape *tape)
{
    if (tape != NULL) {
        write_taken(tape);
        fclose(tape->file);
        explicit_bzero(&tape->key, sizeof tape->key);
        free(tape);
    }
}

static void seal(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad, struct hearsay_bytes plain,
                 uint8_t *out)
{
    struct tape *tape = context;
    tape->inner.seal(tape->inner.context, key, nonce, aad, plain, out);
}

static bool open_sealed(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad,
                        struct hearsay_bytes sealed, uint8_t *out)
{
    struct tape *tape = context;
    return tape->inner.open(tape->inner.context, key, nonce, aad, sealed, out);
}

static void draw_nonce(void *context, uint8_t out[12])
{
    struct tape *tape = context;
    tape->inner.nonce(tape->inner.context, out);
    write_taken(tape);
    putc(TAPE_NONCE, tape->file);
    fwrite(out, 1, 12, tape->file);
}

void tape_listen(struct tape *tape, struct hearsay_cipher *cipher)
{
    tape->inner = *cipher;
    *cipher = (struct hearsay_cipher){.context = tape, .seal = seal, .open = open_sealed, .nonce = draw_nonce};
}

static bool match(void *context, struct hearsay_bytes expression, struct hearsay_bytes text)
{
    struct tape *tape = context;
    bool is_found = tape->matcher.match(tape->matcher.context, expression, text);
    write_taken(tape);
    putc(TAPE_MATCH, tape->file);
    putc(is_found, tape->file);
    return is_found;
}

void tape_watch(struct tape *tape, struct hearsay_matcher *matcher)
{
    if (matcher->match != NULL) {
        tape->matcher = *matcher;
        *matcher = (struct hearsay_matcher){.context = tape, .match = match};
    }
}

void tape_options(struct tape *tape, uint64_t now, const struct hearsay_options *options)
{
    tape_record(tape, TAPE_OPTIONS, now);
    tape_number(tape, options->seed);
    tape_text(tape, options->name);
    tape_address(tape, &options->advertise);
    tape_bytes(tape, options->meta.data, options->meta.size);
    tape_text(tape, options->label);
    tape_number(tape, options->personality);
    for (size_t i = 0; i < 3; i++) {
        tape_number(tape, options->delegate_versions[i]);
    }
    tape_number(tape, options->clock);
    tape_number(tape, options->event_clock);
    tape_number(tape, options->query_clock);
    tape_number(tape, options->store_hlc_mark);
    tape_number(tape, options->store_purge_hlc);
    tape_number(tape, options->key_count);
    tape->key = options->key_count == 0 ? (struct hearsay_key){.size = 0} : options->keys[0];
    tape_tags(tape, options->tags, options->tag_count);
    tape_number(tape, hearsay_number_count());
    for (size_t i = 0; i < hearsay_number_count(); i++) {
        const char *name = hearsay_number_at(i)->name;
        tape_text(tape, name);
        tape_number(tape, hearsay_options_get(options, name));
    }
}

void tape_record(struct tape *tape, enum tape_kind kind, uint64_t now)
{
    write_taken(tape);
    putc((int)kind, tape->file);
    tape_number(tape, now > tape->last ? now - tape->last : 0);
    tape->last = now > tape->last ? now : tape->last;
}

void tape_number(struct tape *tape, uint64_t number)
{
    for (; number > 0x7f; number >>= 7) {
        putc((int)(number & 0x7f) | 0x80, tape->file);
    }
    putc((int)number, tape->file);
}

void tape_bytes(struct tape *tape, const void *data, size_t size)
{
    tape_number(tape, data == NULL ? 0 : size + 1);
    if (data != NULL && size > 0) {
        fwrite(data, 1, size, tape->file);
    }
}

void tape_text(struct tape *tape, const char *text)
{
    tape_bytes(tape, text, text == NULL ? 0 : strlen(text));
}

void tape_key(struct tape *tape, const struct hearsay_key *key)
{
    uint8_t sealed[12 + sizeof key->bytes + 16];
    if (key == NULL || tape->key.size == 0) {
        tape_bytes(tape, key == NULL ? NULL : key->bytes, key == NULL ? 0 : key->size);
        return;
    }
    tape->inner.nonce(tape->inner.context, sealed);
    tape->inner.seal(tape->inner.context, (struct hearsay_bytes){tape->key.bytes, tape->key.size}, sealed, (struct hearsay_bytes){NULL, 0},
                     (struct hearsay_bytes){key->bytes, key->size}, sealed + 12);
    tape_bytes(tape, sealed, 12 + (size_t)key->size + 16);
}

void tape_address(struct tape *tape, const struct hearsay_address *address)
{
    putc(address->size, tape->file);
    fwrite(address->bytes, 1, address->size, tape->file);
    tape_number(tape, address->port);
}

void tape_tags(struct tape *tape, const struct hearsay_tag *tags, size_t count)
{
    tape_number(tape, count);
    for (size_t i = 0; i < count; i++) {
        tape_text(tape, tags[i].key);
        tape_text(tape, tags[i].value);
    }
}

void tape_output(struct tape *tape, const struct hearsay_output *output)
{
    if (output == NULL) {
        tape->is_empty = true;
        return;
    }
    if (tape->is_empty) {
        write_taken(tape);
    }
    tape->digest = tape_digest(tape->digest, output);
    tape->taken++;
}

void tape_save(struct tape *tape, uint64_t now)
{
    if (now - tape->saved_at >= SAVE_INTERVAL_US) {
        fflush(tape->file);
        tape->saved_at = now;
    }
}
