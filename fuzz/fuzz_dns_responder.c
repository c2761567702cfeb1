/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a question to the responder. The first byte chooses who asks. What is sent back can be read, answers the same id, and is
 * never larger than the question when a stranger asks by UDP; nothing answers an answer.
 */
#include "fuzz.h"

#include "dns/responder.h"

#include <string.h>

static const uint8_t secret[16] = "0123456789abcdef";
static char node[] = "n1";

static void show_service(void *context, struct hearsay_bytes name, struct hearsay_bytes tag, dns_visit visit, void *user)
{
    (void)context;
    for (uint8_t i = 0; i < 200; i++) {
        struct dns_instance instance = {.node = node,
                                        .address = {.size = i % 5 == 4 ? 16 : 4, .port = i % 7, .bytes = {10, 0, 0, i}},
                                        .rtt = i - 10.0,
                                        .is_healthy = i % 3 != 0,
                                        .is_elsewhere = i % 2 != 0};
        FUZZ_CHECK(name.size <= DNS_LABEL_MAX && tag.size <= DNS_NAME_MAX);
        if (!visit(user, &instance)) {
            return;
        }
    }
}

static enum dns_presence find_node(void *context, struct hearsay_bytes name, struct hearsay_address *address)
{
    (void)context;
    *address = (struct hearsay_address){.size = name.size % 2 == 0 ? 4 : 16};
    return name.size % 3 == 0 ? DNS_UNKNOWN : name.size % 3 == 1 ? DNS_THERE : DNS_GONE;
}

static void read_all(struct hearsay_bytes answer)
{
    struct dns_reader r;
    struct dns_header header;
    struct dns_question question;
    struct dns_record record;
    FUZZ_CHECK(dns_read(&r, answer, &header));
    FUZZ_CHECK(header.counts[DNS_QUESTION] == 0 || dns_read_question(&r, &question));
    for (unsigned i = 0; i < (unsigned)header.counts[1] + header.counts[2] + header.counts[3]; i++) {
        FUZZ_CHECK(dns_read_record(&r, &record));
    }
    FUZZ_CHECK(reader_left(&r.left) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct responder responder;
    static uint8_t room[65535];
    const struct dns_zone zone = {.self = node, .service = show_service, .node = find_node};
    if (size == 0) {
        return 0;
    }
    FUZZ_CHECK(responder_init(&responder, &zone, "hearsay", 0, secret));
    struct responder_asker asker = {.address = {.size = 4, .bytes = {192, 0, 2, 1}}, .is_stream = data[0] & 1, .is_local = data[0] & 2};
    struct hearsay_bytes question = bytes_of(data + 1, size - 1);
    struct hearsay_bytes answer = responder_answer(&responder, question, &asker, 1559731985, room, sizeof room);
    bool is_answer = question.size >= DNS_HEADER && (question.data[2] & 0x80) != 0;
    FUZZ_CHECK((answer.size == 0) == (question.size < DNS_HEADER || is_answer));
    if (answer.size > 0) {
        FUZZ_CHECK(memcmp(answer.data, question.data, 2) == 0);
        FUZZ_CHECK(asker.is_stream || asker.is_local || answer.size <= question.size);
        read_all(answer);
    }
    return 0;
}
