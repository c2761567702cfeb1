/* SPDX-License-Identifier: MIT
 *
 * What the responder answers, on a zone made by hand: names, types, order, sizes, cookies, and what strangers get.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "dns/cookie.h"
#include "dns/responder.h"

#include <stdio.h>
#include <stdlib.h>

#define MANY 100
#define NOW_S 1559731985u

static struct dns_instance instances[MANY];
static char node_names[MANY][16];
static size_t instance_count;
static char asked_name[256], asked_tag[256];
static struct responder responder;
static uint8_t room[65535];

static void show_service(void *context, struct hearsay_bytes name, struct hearsay_bytes tag, dns_visit visit, void *user)
{
    (void)context;
    snprintf(asked_name, sizeof asked_name, "%.*s", (int)name.size, (const char *)name.data);
    snprintf(asked_tag, sizeof asked_tag, "%.*s", (int)tag.size, tag.size == 0 ? "" : (const char *)tag.data);
    for (size_t i = 0; strcmp(asked_name, "web") == 0 && i < instance_count && visit(user, &instances[i]); i++) {
    }
}

static enum dns_presence find_node(void *context, struct hearsay_bytes name, struct hearsay_address *address)
{
    (void)context;
    snprintf(asked_name, sizeof asked_name, "%.*s", (int)name.size, (const char *)name.data);
    *address = (struct hearsay_address){.size = 16, .bytes = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}}; /* IPv4 in 16 bytes */
    return strcmp(asked_name, "n1.example") == 0 ? DNS_THERE : strcmp(asked_name, "gone") == 0 ? DNS_GONE : DNS_UNKNOWN;
}

static int set_up(void **state)
{
    (void)state;
    const struct dns_zone zone = {.self = "n1", .service = show_service, .node = find_node};
    static const uint8_t secret[16] = {0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf, 0xcf};
    instance_count = 3;
    for (uint8_t i = 0; i < MANY; i++) {
        snprintf(node_names[i], sizeof node_names[i], "n%d", i + 1);
        instances[i] = (struct dns_instance){.node = node_names[i],
                                             .address = {.size = 4, .port = (uint16_t)(8000 + i), .bytes = {10, 0, 0, (uint8_t)(i + 1)}},
                                             .rtt = -1,
                                             .is_healthy = true};
    }
    return responder_init(&responder, &zone, "hearsay.", 0, secret) ? 0 : 1;
}

/* ---- asking ---- */

struct answer {
    struct dns_header header;
    struct dns_question question;
    struct dns_record records[3 * MANY];
    struct dns_name names[3 * MANY][2];
    size_t count, size;
    struct dns_opt opt;
    bool has_opt;
};
static struct answer got;
static struct responder_asker asker = {.is_local = true, .address = {.size = 4, .bytes = {127, 0, 0, 1}}};
static uint16_t edns; /* 0 = no OPT */
static struct hearsay_bytes cookie;
static size_t question_size;

static void read_answer(struct hearsay_bytes bytes)
{
    struct dns_reader r;
    got = (struct answer){.size = bytes.size};
    assert_true(dns_read(&r, bytes, &got.header));
    assert_true(got.header.counts[DNS_QUESTION] == 0 || dns_read_question(&r, &got.question));
    size_t all = got.header.counts[1] + got.header.counts[2] + got.header.counts[3];
    for (; got.count < all; got.count++) {
        struct dns_record *record = &got.records[got.count];
        assert_true(dns_read_record(&r, record));
        got.names[got.count][0] = *record->name;
        record->name = &got.names[got.count][0];
        if (record->target != NULL) {
            got.names[got.count][1] = *record->target;
            record->target = &got.names[got.count][1];
        }
        if (record->type == DNS_OPT) {
            got.has_opt = true;
            assert_true(dns_read_opt(record, &got.opt));
        }
    }
    assert_int_equal(reader_left(&r.left), 0);
}

static void ask(const char *name, uint16_t type)
{
    uint8_t bytes[512];
    struct dns_writer w;
    struct dns_question q = {.type = type, .class = DNS_IN};
    dns_write(&w, bytes, sizeof bytes, 4711, DNS_RD);
    assert_true(dns_name_parse(&q.name, name) && dns_put_question(&w, &q));
    assert_true(edns == 0 || dns_put_opt(&w, edns, DNS_NOERROR, cookie));
    struct hearsay_bytes question = dns_finish(&w);
    question_size = question.size;
    read_answer(responder_answer(&responder, question, &asker, NOW_S, room, sizeof room));
    assert_int_equal(got.header.id, 4711);
    assert_int_equal(got.header.flags & (DNS_QR | DNS_RD | DNS_OPCODE), DNS_QR | DNS_RD);
}

static int code(void)
{
    return got.header.flags & DNS_CODE;
}

static bool is_cut(void)
{
    return (got.header.flags & DNS_TC) != 0;
}

static void assert_name(const struct dns_name *name, const char *text)
{
    char text_got[300];
    dns_name_text(name, text_got, sizeof text_got);
    assert_string_equal(text_got, text);
}

static int has_address(uint8_t last)
{
    int times = 0;
    for (size_t i = 0; i < got.header.counts[DNS_ANSWER]; i++) {
        times += got.records[i].type == DNS_A && got.records[i].address.bytes[3] == last;
    }
    return times;
}

/* ---- claims ---- */

static void a_service_has_the_addresses_of_its_healthy_instances(void **state)
{
    (void)state;
    instances[1].is_healthy = false;
    ask("WeB.Service.hearsay.", DNS_A);
    assert_int_equal(code(), DNS_NOERROR);
    assert_true(got.header.flags & DNS_AA);
    assert_int_equal(got.header.counts[DNS_ANSWER], 2);
    assert_int_equal(has_address(1) + has_address(3), 2);
    assert_string_equal(asked_name, "web");
    assert_name(&got.question.name, "WeB.Service.hearsay."); /* letters keep their case */
    assert_name(got.records[0].name, "WeB.Service.hearsay.");
    assert_int_equal(got.records[0].ttl, 0);
    ask("web.service.hearsay.", DNS_AAAA);
    assert_int_equal(code(), DNS_NOERROR);
    assert_int_equal(got.header.counts[DNS_ANSWER], 0);
    assert_int_equal(got.records[0].type, DNS_SOA);
    instances[0].is_healthy = instances[2].is_healthy = false;
    ask("web.service.hearsay.", DNS_A);
    assert_int_equal(code(), DNS_NOERROR); /* there is such a service, with nobody healthy */
    assert_int_equal(got.header.counts[DNS_ANSWER], 0);
    ask("mail.service.hearsay.", DNS_A);
    assert_int_equal(code(), DNS_NXDOMAIN);
    assert_int_equal(got.header.counts[DNS_AUTHORITY], 1);
}

static void srv_names_node_and_port_and_brings_the_addresses(void **state)
{
    (void)state;
    instances[1].is_elsewhere = true;
    instances[2].address.port = 0;
    ask("_web._tcp.service.hearsay.", DNS_SRV);
    assert_int_equal(got.header.counts[DNS_ANSWER], 2); /* without a port there is no SRV */
    assert_int_equal(got.header.counts[DNS_ADDITIONAL], 2);
    for (int i = 0; i < 2; i++) {
        const struct dns_record *srv = &got.records[i], *a = &got.records[2 + i];
        bool is_first = srv->port == 8000;
        assert_name(srv->target, is_first ? "n1.node.hearsay." : "0a000002.addr.hearsay.");
        assert_true(dns_name_equal(srv->target, a->name));
        assert_int_equal(a->address.bytes[3], is_first ? 1 : 2);
    }
    ask("0A000002.addr.hearsay.", DNS_A);
    assert_int_equal(has_address(2), 1);
    ask("20010db8000000000000000000000001.addr.hearsay.", DNS_AAAA);
    assert_int_equal(got.records[0].address.bytes[0], 0x20);
    ask("0a00000x.addr.hearsay.", DNS_A);
    assert_int_equal(code(), DNS_NXDOMAIN);
}

/* Names of nodes may be anything; those that make no name in DNS are told by address. */
static void nodes_without_a_dns_name_are_named_by_address(void **state)
{
    (void)state;
    static const char *const names[] = {
        "a b", "a..b", "a.", ".", "", "n\xc3\xa9", "0123456789012345678901234567890123456789012345678901234567890123"};
    instance_count = 1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        instances[0].node = names[i];
        ask("web.service.hearsay.", DNS_SRV);
        assert_int_equal(got.header.counts[DNS_ANSWER], 1);
        assert_name(got.records[0].target, "0a000001.addr.hearsay.");
    }
    instances[0].node = "rack7.Node_1";
    ask("web.service.hearsay.", DNS_SRV);
    assert_name(got.records[0].target, "rack7.Node_1.node.hearsay.");
}

static void a_place_is_said_only_once(void **state)
{
    (void)state;
    instances[1].address = instances[2].address = instances[0].address;
    instances[1].node = instances[2].node = instances[0].node;
    ask("web.service.hearsay.", DNS_A);
    assert_int_equal(got.header.counts[DNS_ANSWER], 1);
    instances[2].address.port = 9;
    ask("web.service.hearsay.", DNS_SRV);
    assert_int_equal(got.header.counts[DNS_ANSWER], 2);
    assert_int_equal(got.header.counts[DNS_ADDITIONAL], 1);
}

static void tags_and_underscores_choose(void **state)
{
    (void)state;
    static const struct {
        const char *name, *service, *tag;
        int code;
    } cases[] = {{"web.service.hearsay.", "web", "", DNS_NOERROR},
                 {"v2.web.service.hearsay.", "web", "v2", DNS_NOERROR},
                 {"V1.2.WEB.service.hearsay.", "web", "V1.2", DNS_NOERROR},
                 {"_web._TCP.service.hearsay.", "web", "", DNS_NOERROR},
                 {"_web._udp.service.hearsay.", "web", "", DNS_NOERROR},
                 {"_Web._v2.service.hearsay.", "web", "v2", DNS_NOERROR},
                 {"service.hearsay.", "", "", DNS_NOERROR},
                 {"node.hearsay.", "", "", DNS_NOERROR},
                 {"_tcp.service.hearsay.", "", "", DNS_NOERROR},
                 {"web._tcp.service.hearsay.", "", "", DNS_NXDOMAIN},
                 {"a._web._tcp.service.hearsay.", "", "", DNS_NXDOMAIN},
                 {"_._tcp.service.hearsay.", "", "", DNS_NXDOMAIN},
                 {"_web.service.hearsay.", "", "", DNS_NXDOMAIN},
                 {"other.hearsay.", "", "", DNS_NXDOMAIN},
                 {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.service.hearsay.", "", "", DNS_NXDOMAIN}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        asked_name[0] = asked_tag[0] = '\0';
        ask(cases[i].name, DNS_A);
        assert_int_equal(code(), cases[i].code);
        assert_string_equal(asked_name, cases[i].service);
        assert_string_equal(asked_tag, cases[i].tag);
    }
}

static void nodes_have_addresses_while_they_are_there(void **state)
{
    (void)state;
    ask("n1.example.node.hearsay.", DNS_A);
    assert_int_equal(got.header.counts[DNS_ANSWER], 1);
    assert_int_equal(got.records[0].address.size, 4);
    assert_int_equal(got.records[0].address.bytes[0], 10);
    ask("n1.example.node.hearsay.", DNS_ANY);
    assert_int_equal(got.header.counts[DNS_ANSWER], 1);
    ask("gone.node.hearsay.", DNS_A);
    assert_int_equal(code(), DNS_NOERROR);
    assert_int_equal(got.header.counts[DNS_ANSWER], 0);
    ask("nobody.node.hearsay.", DNS_A);
    assert_int_equal(code(), DNS_NXDOMAIN);
}

static void the_domain_itself_has_soa_and_ns(void **state)
{
    (void)state;
    ask("hearsay.", DNS_SOA);
    assert_int_equal(got.header.counts[DNS_ANSWER], 1);
    ask("hearsay.", DNS_NS);
    assert_name(got.records[0].target, "n1.node.hearsay.");
    ask("hearsay.", DNS_A);
    assert_int_equal(code(), DNS_NOERROR);
    assert_int_equal(got.header.counts[DNS_ANSWER], 0);
    ask("hearsay.", 252); /* a transfer */
    assert_int_equal(code(), DNS_REFUSED);
    ask("example.com.", DNS_A);
    assert_int_equal(code(), DNS_REFUSED);
    assert_false(got.header.flags & DNS_AA);
    assert_int_equal(got.header.counts[DNS_AUTHORITY], 0);
    ask(".", DNS_NS);
    assert_int_equal(code(), DNS_REFUSED);
    assert_int_equal(responder.counters.refused, 3);
}

/* Who is near comes first; those equally near take turns. */
static void order_is_near_before_far_and_else_by_chance(void **state)
{
    (void)state;
    unsigned first[9] = {0};
    instance_count = 8;
    for (unsigned i = 0; i < 8; i++) {
        instances[i].rtt = i < 4 ? 0.010 + 0.001 * i : i < 6 ? 0.1 : -1;
    }
    for (unsigned round = 0; round < 400; round++) {
        ask("web.service.hearsay.", DNS_A);
        assert_int_equal(got.header.counts[DNS_ANSWER], 8);
        for (unsigned i = 0; i < 8; i++) {
            unsigned number = got.records[i].address.bytes[3];
            assert_true(i < 4 ? number <= 4 : i < 6 ? number == 5 || number == 6 : number >= 7);
        }
        first[got.records[0].address.bytes[3]]++;
    }
    for (unsigned i = 1; i <= 4; i++) {
        assert_in_range(first[i], 50, 150);
    }
}

static void what_is_too_large_is_cut_and_says_so(void **state)
{
    (void)state;
    instance_count = MANY;
    ask("web.service.hearsay.", DNS_A);
    assert_true(is_cut());
    assert_true(got.size <= DNS_UDP_PLAIN && got.size > DNS_UDP_PLAIN - 16);
    assert_true(got.header.counts[DNS_ANSWER] == (512 - 37) / 16);
    edns = 1232;
    ask("web.service.hearsay.", DNS_A);
    assert_true(is_cut() && got.has_opt);
    assert_int_equal(got.header.counts[DNS_ANSWER], (1232 - 37 - 11) / 16);
    edns = 4096;
    ask("web.service.hearsay.", DNS_A);
    assert_false(is_cut());
    assert_int_equal(got.header.counts[DNS_ANSWER], MANY);
    ask("web.service.hearsay.", DNS_SRV);
    assert_false(is_cut()); /* all are named; some addresses had no room */
    assert_int_equal(got.header.counts[DNS_ANSWER], MANY);
    assert_true(got.header.counts[DNS_ADDITIONAL] < MANY && got.size <= 4096);
    asker.is_stream = true;
    ask("web.service.hearsay.", DNS_SRV);
    assert_int_equal(got.header.counts[DNS_ADDITIONAL], MANY + 1);
    asker.is_stream = false;
    edns = 0;
    assert_int_equal(responder.counters.truncated, 2);
}

static void strangers_get_no_more_than_they_send(void **state)
{
    (void)state;
    uint8_t kept[COOKIE_WHOLE];
    instance_count = 5;
    asker.is_local = false;
    ask("web.service.hearsay.", DNS_A);
    assert_true(is_cut());
    assert_int_equal(got.header.counts[DNS_ANSWER], 0);
    assert_true(got.size <= question_size);
    assert_true(got.header.flags & DNS_AA);
    assert_int_equal(responder.counters.unproven, 1);
    edns = 1232;
    cookie = bytes_of_string("clientid");
    ask("web.service.hearsay.", DNS_A);
    assert_true(is_cut() && got.size <= question_size && got.opt.cookie.size == 0);
    ask("mail.service.hearsay.", DNS_A);
    assert_true(code() == DNS_NXDOMAIN && got.size <= question_size);
    asker.is_stream = true; /* whom TCP reached is where he says */
    ask("web.service.hearsay.", DNS_A);
    assert_int_equal(got.header.counts[DNS_ANSWER], 5);
    assert_int_equal(got.opt.cookie.size, COOKIE_WHOLE);
    memcpy(kept, got.opt.cookie.data, COOKIE_WHOLE);
    asker.is_stream = false;
    cookie = bytes_of(kept, COOKIE_WHOLE);
    ask("web.service.hearsay.", DNS_A);
    assert_false(is_cut());
    assert_int_equal(got.header.counts[DNS_ANSWER], 5);
    asker.address.bytes[0] = 126; /* stolen */
    ask("web.service.hearsay.", DNS_A);
    assert_true(is_cut() && got.size <= question_size);
    asker.address.bytes[0] = 127;
    asker.is_local = true;
    edns = 0;
    cookie = bytes_of(NULL, 0);
}

/* RFC 9018, appendix A.1, and what it says of time. */
static void cookies_are_those_of_the_rfc(void **state)
{
    (void)state;
    static const uint8_t client[8] = {0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57};
    static const uint8_t expected[24] = {0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57, 0x01, 0x00, 0x00, 0x00,
                                         0x5c, 0xf7, 0x9f, 0x11, 0x1f, 0x81, 0x30, 0xc3, 0xee, 0xe2, 0x94, 0x80};
    const struct hearsay_address address = {.size = 4, .bytes = {198, 51, 100, 100}};
    uint8_t made[COOKIE_WHOLE];
    cookie_make(&responder.secret, client, &address, NOW_S, made);
    assert_memory_equal(made, expected, sizeof expected);
    struct hearsay_bytes bytes = bytes_of(made, sizeof made);
    assert_true(cookie_is_valid(&responder.secret, bytes, &address, NOW_S + 3600));
    assert_false(cookie_is_valid(&responder.secret, bytes, &address, NOW_S + 3601));
    assert_true(cookie_is_valid(&responder.secret, bytes, &address, NOW_S - 300));
    assert_false(cookie_is_valid(&responder.secret, bytes, &address, NOW_S - 301));
    assert_false(cookie_is_valid(&responder.secret, bytes_of(made, 16), &address, NOW_S));
    for (unsigned i = 0; i < sizeof made; i++) {
        made[i] ^= 1;
        assert_false(cookie_is_valid(&responder.secret, bytes, &address, NOW_S));
        made[i] ^= 1;
    }
}

static struct hearsay_bytes send_raw(const char *bytes, size_t size)
{
    return responder_answer(&responder, bytes_of(bytes, size), &asker, NOW_S, room, sizeof room);
}
#define RAW(bytes) send_raw(bytes, sizeof bytes - 1)
#define NAME "\3web\7service\7hearsay\0"
#define OPT "\0\0\x29\4\xd0\0\0\0\0\0\0"

static void garbage_is_answered_by_a_header_or_not_at_all(void **state)
{
    (void)state;
    assert_int_equal(RAW("short").size, 0);
    assert_int_equal(RAW("\0\1\x80\0\0\1\0\0\0\0\0\0" NAME "\0\1\0\1").size, 0); /* an answer */
    assert_int_equal(responder.counters.dropped, 2);
    static const struct {
        const char *bytes;
        size_t size;
        int code;
    } cases[] = {
#define CASE(bytes, code) {bytes, sizeof bytes - 1, code}
        CASE("\0\1\0\0\0\0\0\0\0\0\0\0", DNS_FORMERR),                                 /* no question */
        CASE("\0\1\0\0\0\2\0\0\0\0\0\0" NAME "\0\1\0\1" NAME "\0\1\0\1", DNS_FORMERR), /* two */
        CASE("\0\1\0\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", DNS_FORMERR),                 /* a loop */
        CASE("\0\1\0\0\0\1\0\0\0\0\0\0" NAME "\0\1\0\1x", DNS_FORMERR),                /* something behind */
        CASE("\0\1\0\0\0\1\0\0\0\0\0\1" NAME "\0\1\0\1", DNS_FORMERR),                 /* something missing */
        CASE("\0\1\0\0\0\1\0\0\0\0\0\2" NAME "\0\1\0\1" OPT OPT, DNS_FORMERR),         /* two OPT */
        CASE("\0\1\x28\0\0\1\0\0\0\0\0\0" NAME "\0\1\0\1", DNS_NOTIMP),                /* an update */
        CASE("\0\1\x10\0\0\0\0\0\0\0\0\0", DNS_NOTIMP),                                /* status */
        CASE("\5\1\0\0\0\1\0\0\0\0\0\0\xc0\0\0\1\0\1", DNS_REFUSED),                   /* a pointer into the header */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int is_stranger = 0; is_stranger < 2; is_stranger++) {
            asker.is_local = is_stranger == 0;
            struct hearsay_bytes answer = send_raw(cases[i].bytes, cases[i].size);
            read_answer(answer);
            bool has_grown = (i == 8) && is_stranger == 1; /* written out it would be larger than what came */
            assert_int_equal(code(), has_grown ? DNS_FORMERR : cases[i].code);
            assert_true(is_stranger == 0 || answer.size <= cases[i].size);
        }
    }
    asker.is_local = true;
    read_answer(RAW("\0\1\0\0\0\1\0\0\0\0\0\1" NAME "\0\1\0\1"
                    "\0\0\x29\4\xd0\0\1\0\0\0\0")); /* EDNS of version 1 */
    assert_int_equal(code(), 0);
    assert_true(got.has_opt);
    assert_int_equal(got.records[0].ttl >> 24, 1);
    assert_int_equal(got.header.counts[DNS_ANSWER], 0);
    read_answer(RAW("\0\1\0\0\0\1\0\0\0\0\0\0" NAME "\0\1\0\3")); /* class CHAOS */
    assert_int_equal(code(), DNS_REFUSED);
}

static void a_domain_may_have_several_labels(void **state)
{
    (void)state;
    struct dns_zone zone = responder.zone;
    assert_false(responder_init(&responder, &zone, "a..b", 0, (const uint8_t *)"0123456789abcdef"));
    assert_true(responder_init(&responder, &zone, "Cluster.example.com", 7, (const uint8_t *)"0123456789abcdef"));
    ask("web.service.cluster.EXAMPLE.com.", DNS_A);
    assert_int_equal(got.header.counts[DNS_ANSWER], 3);
    assert_int_equal(got.records[0].ttl, 7);
    ask("web.service.hearsay.", DNS_A);
    assert_int_equal(code(), DNS_REFUSED);
    ask("example.com.", DNS_A);
    assert_int_equal(code(), DNS_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_service_has_the_addresses_of_its_healthy_instances, set_up),
        cmocka_unit_test_setup(srv_names_node_and_port_and_brings_the_addresses, set_up),
        cmocka_unit_test_setup(nodes_without_a_dns_name_are_named_by_address, set_up),
        cmocka_unit_test_setup(a_place_is_said_only_once, set_up),
        cmocka_unit_test_setup(tags_and_underscores_choose, set_up),
        cmocka_unit_test_setup(nodes_have_addresses_while_they_are_there, set_up),
        cmocka_unit_test_setup(the_domain_itself_has_soa_and_ns, set_up),
        cmocka_unit_test_setup(order_is_near_before_far_and_else_by_chance, set_up),
        cmocka_unit_test_setup(what_is_too_large_is_cut_and_says_so, set_up),
        cmocka_unit_test_setup(strangers_get_no_more_than_they_send, set_up),
        cmocka_unit_test_setup(cookies_are_those_of_the_rfc, set_up),
        cmocka_unit_test_setup(garbage_is_answered_by_a_header_or_not_at_all, set_up),
        cmocka_unit_test_setup(a_domain_may_have_several_labels, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
