/* SPDX-License-Identifier: MIT
 *
 * Seeds of DNS: questions, answers of every kind, and what attackers send: pointers to themselves, forwards, and in rings. See seeds.h.
 */
#include "seeds.h"

#include "base/bytes.h"
#include "dns/message.h"

static void question(const char *name, uint16_t type, bool has_opt, struct hearsay_bytes cookie)
{
    uint8_t room[512];
    struct dns_writer w;
    struct dns_question q = {.type = type, .class = DNS_IN};
    dns_write(&w, room, sizeof room, 0x1234, DNS_RD);
    if (!dns_name_parse(&q.name, name) || !dns_put_question(&w, &q) || (has_opt && !dns_put_opt(&w, 1232, DNS_NOERROR, cookie))) {
        seed_stop(name, "does not fit");
    }
    struct hearsay_bytes bytes = dns_finish(&w);
    seed("dns_message", -1, bytes);
    for (int asker = 0; asker < 3; asker++) {
        seed("dns_responder", asker, bytes);
    }
}

static void answer(void)
{
    uint8_t room[512];
    struct dns_writer w;
    struct dns_question q = {.type = DNS_SRV, .class = DNS_IN};
    struct dns_name node;
    (void)dns_name_parse(&q.name, "web.service.hearsay.");
    (void)dns_name_parse(&node, "n1.node.hearsay.");
    struct dns_record srv = {.name = &q.name, .target = &node, .type = DNS_SRV, .class = DNS_IN, .priority = 1, .weight = 1, .port = 80};
    struct dns_record a = {.name = &node, .type = DNS_A, .class = DNS_IN, .address = {.size = 4, .bytes = {127, 0, 0, 1}}};
    struct dns_record aaaa = {.name = &node, .type = DNS_AAAA, .class = DNS_IN, .address = {.size = 16, .bytes = {0xfe, 0x80}}};
    struct dns_record ptr = {.name = &node, .target = &q.name, .type = DNS_PTR, .class = DNS_IN | DNS_TOP_BIT, .ttl = 120};
    struct dns_record txt = {.name = &q.name, .type = DNS_TXT, .class = DNS_IN, .data = bytes_of_string("\004a=b!\001x")};
    dns_write(&w, room, sizeof room, 7, DNS_QR | DNS_AA);
    bool is_whole = dns_put_question(&w, &q) && dns_put_record(&w, DNS_ANSWER, &srv) && dns_put_record(&w, DNS_ANSWER, &ptr) &&
                    dns_put_record(&w, DNS_AUTHORITY, &txt) && dns_put_record(&w, DNS_ADDITIONAL, &a) &&
                    dns_put_record(&w, DNS_ADDITIONAL, &aaaa) && dns_put_opt(&w, 4096, DNS_BADVERS, bytes_of_string("12345678"));
    if (!is_whole) {
        seed_stop("answer", "does not fit");
    }
    seed("dns_message", -1, dns_finish(&w));
}

static void attacks(void)
{
    static const char *const names[] = {"\xc0\x0c",
                                        "\xc0\x0e\xc0\x0c",
                                        "\001a\xc0\x0c",
                                        "\xc0\x00",
                                        "\xff\xff",
                                        "\x41"
                                        "a",
                                        "\077aaa"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint8_t room[64] = {0, 1, 0, 0, 0, 1};
        size_t size = strlen(names[i]);
        memcpy(room + DNS_HEADER, names[i], size);
        memcpy(room + DNS_HEADER + size, "\0\1\0\1", 4);
        seed("dns_message", -1, bytes_of(room, DNS_HEADER + size + 4));
        seed("dns_responder", 0, bytes_of(room, DNS_HEADER + size + 4));
    }
}

void seeds_dns(void)
{
    question("web.service.hearsay.", DNS_A, false, bytes_of(NULL, 0));
    question("_web._tcp.service.hearsay.", DNS_SRV, true, bytes_of(NULL, 0));
    question("v2.WeB.service.hearsay.", DNS_AAAA, true, bytes_of_string("clientid"));
    question("n1.node.hearsay.", DNS_ANY, true, bytes_of_string("clientid0123456789abcdef"));
    question("hearsay.", DNS_SOA, true, bytes_of_string("short"));
    question(".", DNS_NS, false, bytes_of(NULL, 0));
    answer();
    attacks();
}
