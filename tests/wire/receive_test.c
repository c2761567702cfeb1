/* SPDX-License-Identifier: MIT
 *
 * Bytes that were sent to a real Serf agent named n1 (no key), and its reaction: our decoding decides the same. Two departures, both
 * without effect among real senders: bin is taken as text (newer codecs do), and structs as arrays are refused.
 */
#include "capture.h"
#include "shape.h"

#include "wire/message.h"
#include "wire/packet.h"
#include "wire/stream.h"

#include <stdlib.h>
#include <string.h>

enum decision { ANSWERS, ANOTHER_NAME, ASKS_FURTHER, REFUSED, UNDECODABLE };

static const struct expectation {
    const char *id;
    enum decision decision;
    enum envelope_fault fault; /* REFUSED */
} expectations[] = {
    {"recv-01", ANSWERS, 0},
    {"recv-02", ANOTHER_NAME, 0},
    {"recv-03", REFUSED, ENVELOPE_UNKNOWN_TYPE},
    {"recv-04", REFUSED, ENVELOPE_UNKNOWN_TYPE},
    {"recv-05", REFUSED, ENVELOPE_LZW},
    {"recv-06", REFUSED, ENVELOPE_CIPHER},
    {"recv-07", ANSWERS, 0},
    {"recv-08", ANSWERS, 0},
    {"recv-09", ANSWERS, 0}, /* Differs: bin8 as a name */
    {"recv-10", ANSWERS, 0},
    {"recv-11", UNDECODABLE, 0}, /* Differs: struct as array */
    {"recv-12", ANSWERS, 0},
    {"recv-13", ANSWERS, 0},
    {"recv-14", ANSWERS, 0},
    {"recv-15", ANOTHER_NAME, 0},
    {"recv-16", ASKS_FURTHER, 0},
    {"recv-17", ANSWERS, 0},
    {"recv-18", REFUSED, ENVELOPE_NESTED},
};

static const struct expectation *expectation_of(const char *id)
{
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        if (strcmp(expectations[i].id, id) == 0) {
            return &expectations[i];
        }
    }
    fail_msg("no expectation for %s", id);
    return NULL;
}

static enum decision decide(const struct message *m)
{
    if (m->type == MESSAGE_INDIRECT_PING) {
        return ASKS_FURTHER;
    }
    vector_expect(m->type == MESSAGE_PING, "a ping");
    return m->ping.node.size == 0 || bytes_equal(m->ping.node, bytes_of_string("n1")) ? ANSWERS : ANOTHER_NAME;
}

/* The ack that the agent sent to this ping, made by us. */
static void compare_answer(const struct message *m, struct hearsay_bytes reply)
{
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof out);
    message_encode(&w, &(struct message){.type = MESSAGE_ACK, .ack = {.sequence = m->ping.sequence}});
    vector_expect_bytes(writer_bytes(&w), reply, "answer");
}

static void compare_error(struct hearsay_bytes reply)
{
    struct message m;
    uint8_t out[256];
    struct writer w = writer_of(out, sizeof out);
    vector_expect(message_decode(reply, &m) && m.type == MESSAGE_ERROR && m.error.size > 0, "an error reply");
    message_encode(&w, &m);
    vector_expect_bytes(writer_bytes(&w), reply, "error encoded again");
}

static void check_stream(const json_t *vector, const struct expectation *wanted, struct hearsay_bytes sent)
{
    struct capture c;
    struct stream_reader s;
    struct message m;
    struct hearsay_bytes reply = vector_hex_of(vector, "reply_hex");
    capture_init(&c, vector, NULL, NULL);
    stream_reader_init(&s, &c.envelope, true);
    enum stream_status status = stream_reader_feed(&s, sent);
    if (wanted->decision == REFUSED) {
        vector_expect(status == STREAM_BAD && s.fault == wanted->fault, "refused with fault %d", s.fault);
        if (reply.size > 0) {
            compare_error(reply);
        }
    } else {
        vector_expect(status == STREAM_WHOLE && message_decode(s.body, &m), "readable");
        vector_expect(decide(&m) == wanted->decision, "decision");
        if (wanted->decision == ANSWERS) {
            compare_answer(&m, reply);
        } else {
            vector_expect(reply.size == 0, "no answer");
        }
    }
    stream_reader_deinit(&s);
}

static void check_datagram(const json_t *vector, const struct expectation *wanted, struct hearsay_bytes sent)
{
    struct capture c;
    struct packet packet;
    struct message m;
    struct buffer scratch[2];
    const char *reply = vector_text(vector, "reply");
    capture_init(&c, vector, NULL, NULL);
    buffer_init(&scratch[0], &memory_system);
    buffer_init(&scratch[1], &memory_system);
    enum envelope_fault fault = packet_open(&c.envelope, sent, scratch, &packet);
    if (wanted->decision == REFUSED) {
        vector_expect(fault == wanted->fault && packet.count == 0, "refused with fault %d", fault);
        vector_expect(strcmp(reply, "none") == 0, "no answer");
    } else {
        vector_expect(fault == ENVELOPE_OK && packet.count == 1, "opens");
        bool is_readable = message_decode(packet.parts[0], &m);
        vector_expect(is_readable == (wanted->decision != UNDECODABLE), "readable or not");
        if (is_readable) {
            vector_expect(decide(&m) == wanted->decision, "decision");
        }
        unsigned long number = strtoul(reply + strcspn(reply, "0123456789"), NULL, 10);
        if (wanted->decision == ANSWERS && strcmp(wanted->id, "recv-09") != 0) {
            vector_expect(strncmp(reply, "ackResp ", 8) == 0 && m.ping.sequence == number, "sequence");
        } else if (wanted->decision == ASKS_FURTHER) {
            vector_expect(strncmp(reply, "nackResp ", 9) == 0 && m.indirect_ping.sequence == number, "sequence");
            vector_expect(m.indirect_ping.nack && m.indirect_ping.target.size == 4, "nack wanted");
        }
    }
    buffer_deinit(&scratch[0]);
    buffer_deinit(&scratch[1]);
}

static void every_reaction(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    json_array_foreach(vector_load("receive-tests.json"), i, vector) {
        vector_begin(vector);
        const struct expectation *wanted = expectation_of(vector_text(vector, "id"));
        struct hearsay_bytes sent = vector_hex_of(vector, "send_hex");
        const char *via = vector_text(vector, "via");
        vector_expect(strcmp(via, "stream") == 0 || strcmp(via, "udp") == 0, "known way");
        if (strcmp(via, "stream") == 0) {
            check_stream(vector, wanted, sent);
        } else {
            check_datagram(vector, wanted, sent);
        }
    }
    vector_report("receive-tests");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_reaction)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
