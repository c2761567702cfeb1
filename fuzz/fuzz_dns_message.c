/* SPDX-License-Identifier: MIT
 *
 * DNS messages: any bytes are read without harm; what could be read is written again, compressed, and reads the same; it never grows beyond
 * what it is without compression, and a smaller room holds a whole beginning of it.
 */
#include "fuzz.h"

#include "dns/message.h"

#include <string.h>

#define RECORDS 64

static struct dns_record records[RECORDS];
static struct dns_name names[RECORDS][2];

/* Owners and targets are the reader's: kept apart. */
static void keep(unsigned i)
{
    names[i][0] = *records[i].name;
    records[i].name = &names[i][0];
    if (records[i].target != NULL) {
        names[i][1] = *records[i].target;
        records[i].target = &names[i][1];
    }
}

static void check_same(const struct dns_record *a, const struct dns_record *b)
{
    FUZZ_CHECK(a->type == b->type && a->class == b->class && a->ttl == b->ttl);
    FUZZ_CHECK(a->name->size == b->name->size && memcmp(a->name->bytes, b->name->bytes, a->name->size) == 0);
    FUZZ_CHECK((a->target == NULL) == (b->target == NULL));
    if (a->target != NULL) {
        FUZZ_CHECK(a->target->size == b->target->size && memcmp(a->target->bytes, b->target->bytes, a->target->size) == 0);
        FUZZ_CHECK(a->priority == b->priority && a->weight == b->weight && a->port == b->port);
    } else {
        FUZZ_CHECK(bytes_equal(a->data, b->data));
    }
}

static void check_record(const struct dns_record *record)
{
    struct hearsay_bytes string;
    struct dns_opt opt;
    char text[300];
    dns_name_text(record->name, text, sizeof text);
    FUZZ_CHECK(strlen(text) < sizeof text);
    if (record->type == DNS_TXT) {
        for (size_t position = 0; dns_next_string(record->data, &position, &string);) {
            FUZZ_CHECK(position <= record->data.size);
        }
    } else if (record->type == DNS_OPT && dns_read_opt(record, &opt)) {
        FUZZ_CHECK(opt.cookie.size == 0 || opt.cookie.size == 8 || (opt.cookie.size >= 16 && opt.cookie.size <= 40));
    }
}

/* All sections as one: this is about bytes, not about meaning. */
static struct hearsay_bytes rewrite(uint8_t *room, size_t capacity, const struct dns_question *question, unsigned count, unsigned *written)
{
    struct dns_writer w;
    dns_write(&w, room, capacity, 1, DNS_QR);
    bool is_whole = question == NULL || dns_put_question(&w, question);
    for (*written = 0; is_whole && *written < count; ++*written) {
        is_whole = dns_put_record(&w, DNS_ANSWER, &records[*written]);
        if (!is_whole) {
            break;
        }
    }
    return dns_finish(&w);
}

static void read_again(struct hearsay_bytes message, bool has_question, unsigned written)
{
    struct dns_reader r;
    struct dns_header header;
    struct dns_question question;
    struct dns_record record;
    FUZZ_CHECK(dns_read(&r, message, &header));
    FUZZ_CHECK(header.counts[DNS_ANSWER] == written);
    FUZZ_CHECK(!has_question || header.counts[DNS_QUESTION] == 0 || dns_read_question(&r, &question));
    for (unsigned i = 0; i < written; i++) {
        FUZZ_CHECK(dns_read_record(&r, &record));
        check_same(&record, &records[i]);
    }
    FUZZ_CHECK(reader_left(&r.left) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[65535];
    struct dns_reader r;
    struct dns_header header;
    struct dns_question question;
    unsigned count = 0, written;
    bool has_question = false;
    if (!dns_read(&r, bytes_of(data, size), &header)) {
        FUZZ_CHECK(size < DNS_HEADER);
        return 0;
    }
    for (unsigned i = 0; i < header.counts[DNS_QUESTION]; i++) {
        if (!dns_read_question(&r, &question)) {
            return 0;
        }
        has_question = true;
    }
    while (count < RECORDS && dns_read_record(&r, &records[count])) {
        keep(count);
        check_record(&records[count]);
        count++;
    }
    for (size_t capacity = DNS_HEADER; capacity < 4096; capacity = capacity * 2 + 5) {
        struct hearsay_bytes message = rewrite(room, capacity, has_question ? &question : NULL, count, &written);
        FUZZ_CHECK(message.size <= capacity);
        read_again(message, has_question, written);
    }
    struct hearsay_bytes message = rewrite(room, sizeof room, has_question ? &question : NULL, count, &written);
    FUZZ_CHECK(written == count || size > 16000);
    read_again(message, has_question, written);
    return 0;
}
