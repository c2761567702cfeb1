/* SPDX-License-Identifier: MIT
 *
 * Messages of DNS as bytes: the examples of RFC 1035, names that loop or are too long, compression that keeps the case, records that are
 * written wholly or not at all, and the options of OPT.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "dns/message.h"

#include <stdio.h>

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_true(dns_name_parse(&name, text));
    return name;
}

static void assert_name(const struct dns_name *name, const char *text)
{
    char got[300];
    dns_name_text(name, got, sizeof got);
    assert_string_equal(got, text);
}

static void names_are_labels_of_at_most_63_bytes_and_255_in_all(void **state)
{
    (void)state;
    struct dns_name name;
    char label[65], text[400] = "";
    memset(label, 'a', 64);
    label[64] = '\0';
    assert_false(dns_name_parse(&name, label));
    label[63] = '\0';
    assert_true(dns_name_parse(&name, label));
    assert_false(dns_name_parse(&name, "a..b"));
    assert_false(dns_name_parse(&name, ""));
    assert_true(dns_name_parse(&name, "."));
    assert_int_equal(name.size, 1);
    assert_name(&name, ".");
    for (int i = 0; i < 127; i++) {
        strcat(text, "a.");
    }
    assert_true(dns_name_parse(&name, text));
    assert_int_equal(name.size, 255);
    strcat(text, "a");
    assert_false(dns_name_parse(&name, text));
    assert_int_equal(name.size, 255); /* what did not fit changed nothing */
    struct dns_name a = name_of("web"), more = name_of("service.hearsay");
    assert_true(dns_name_add_all(&a, &more));
    assert_name(&a, "web.service.hearsay.");
    assert_false(dns_name_add_all(&name, &a));
    assert_true(dns_name_add(&more, bytes_of("a.b\\\x01", 5)));
    assert_name(&more, "service.hearsay.a\\046b\\092\\001.");
}

static void names_are_equal_whatever_the_case_of_their_letters(void **state)
{
    (void)state;
    size_t rest;
    struct dns_name a = name_of("WeB.service.Hearsay."), b = name_of("web.SERVICE.hearsay"), zone = name_of("hearsay."),
                    other = name_of("xhearsay");
    assert_true(dns_name_equal(&a, &b));
    assert_false(dns_name_equal(&a, &zone));
    assert_true(dns_name_is_below(&a, &zone, &rest));
    assert_int_equal(rest, 12);
    assert_true(dns_name_is_below(&zone, &zone, &rest));
    assert_int_equal(rest, 0);
    assert_false(dns_name_is_below(&other, &zone, &rest));
    assert_false(dns_name_is_below(&zone, &a, &rest));
    struct dns_name at = name_of("w@"), grave = name_of("w`"); /* these differ by 32, and are no letters */
    assert_false(dns_name_equal(&at, &grave));
    assert_true(dns_label_equal(bytes_of("AB", 2), bytes_of("ab", 2)));
}

/* RFC 1035, 4.1.4: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA and the root. */
static void the_example_of_the_rfc_is_written_and_read(void **state)
{
    (void)state;
    uint8_t room[512];
    struct dns_writer w;
    struct dns_reader r;
    struct dns_header header;
    struct dns_question q = {.type = DNS_A, .class = DNS_IN};
    const char *const texts[] = {"F.ISI.ARPA.", "FOO.F.ISI.ARPA.", "ARPA.", "."};
    dns_write(&w, room, sizeof room, 77, DNS_RD);
    for (int i = 0; i < 4; i++) {
        q.name = name_of(texts[i]);
        assert_true(dns_put_question(&w, &q));
    }
    struct hearsay_bytes message = dns_finish(&w);
    assert_int_equal(message.size, 12 + (12 + 4) + (6 + 4) + (2 + 4) + (1 + 4));
    assert_memory_equal(message.data + 28, "\3FOO\xc0\x0c", 6);
    assert_memory_equal(message.data + 38, "\xc0\x12", 2);
    assert_true(dns_read(&r, message, &header));
    assert_int_equal(header.id, 77);
    assert_int_equal(header.flags, DNS_RD);
    assert_int_equal(header.counts[DNS_QUESTION], 4);
    for (int i = 0; i < 4; i++) {
        assert_true(dns_read_question(&r, &q));
        assert_name(&q.name, texts[i]);
    }
    assert_int_equal(reader_left(&r.left), 0);
    assert_false(dns_read_question(&r, &q));
}

static bool reads(const char *bytes, size_t size)
{
    uint8_t room[64] = {0};
    struct dns_reader r;
    struct dns_header header;
    struct dns_question q;
    memcpy(room + DNS_HEADER, bytes, size);
    return dns_read(&r, bytes_of(room, DNS_HEADER + size), &header) && dns_read_question(&r, &q);
}
#define READS(bytes) reads(bytes, sizeof bytes - 1)

static void pointers_lead_backwards_only(void **state)
{
    (void)state;
    assert_true(READS("\3web\0\0\1\0\1"));
    assert_false(READS("\xc0\x0c\0\1\0\1"));         /* to itself */
    assert_false(READS("\xc0\x0e\xc0\x0c\0\1\0\1")); /* a ring */
    assert_false(READS("\1a\xc0\x0c\0\1\0\1"));      /* round and round, growing */
    assert_false(READS("\xc0\x10\0\1\0\1\1a\0"));    /* forwards */
    assert_false(READS("\xff\xff\0\1\0\1"));         /* far away */
    assert_true(READS("\xc0\x00\0\1\0\1"));          /* into the header: zeros, the root */
    assert_false(READS("\x41"
                       "a\0\0\1\0\1")); /* a label of a kind that does not exist */
    assert_false(READS("\x80"
                       "a\0\0\1\0\1"));
    assert_false(READS("\077aaa")); /* cut off */
    assert_false(READS("\3web\0\0\1\0"));
    assert_false(READS("\3web"));
    assert_false(READS("\xc0"));
}

static struct dns_record address_record(const struct dns_name *name, uint8_t last)
{
    return (struct dns_record){.name = name, .type = DNS_A, .class = DNS_IN, .ttl = 5, .address = {.size = 4, .bytes = {127, 0, 0, last}}};
}

static void records_of_every_kind_survive_the_journey(void **state)
{
    (void)state;
    uint8_t room[512];
    struct dns_writer w;
    struct dns_reader r;
    struct dns_header header;
    struct dns_record got;
    struct dns_question q = {.name = name_of("WEB.service.hearsay."), .type = DNS_SRV, .class = DNS_IN};
    struct dns_name node = name_of("n1.node.hearsay.");
    struct dns_record srv = {.name = &q.name, .target = &node, .type = DNS_SRV, .class = DNS_IN, .priority = 1, .weight = 2, .port = 8080};
    struct dns_record ptr = {.name = &q.name, .target = &node, .type = DNS_PTR, .class = DNS_IN | DNS_TOP_BIT, .ttl = 120};
    struct dns_record txt = {.name = &node, .type = DNS_TXT, .class = DNS_IN, .data = bytes_of_string("\3a=b\1c")};
    struct dns_record a = address_record(&node, 1);
    dns_write(&w, room, sizeof room, 9, DNS_QR | DNS_AA | DNS_NXDOMAIN);
    assert_true(dns_put_question(&w, &q));
    assert_true(dns_put_record(&w, DNS_ANSWER, &srv));
    assert_true(dns_put_record(&w, DNS_ANSWER, &ptr));
    assert_true(dns_put_record(&w, DNS_AUTHORITY, &txt));
    size_t before = w.out.size;
    assert_true(dns_put_record(&w, DNS_ADDITIONAL, &a));
    assert_int_equal(w.out.size - before, 16); /* the owner is a pointer to SRV's target */
    assert_true(dns_read(&r, dns_finish(&w), &header));
    assert_int_equal(header.flags & DNS_CODE, DNS_NXDOMAIN);
    assert_true(dns_read_question(&r, &q));
    assert_name(&q.name, "WEB.service.hearsay.");
    assert_true(dns_read_record(&r, &got));
    assert_name(got.name, "WEB.service.hearsay.");
    assert_name(got.target, "n1.node.hearsay.");
    assert_int_equal(got.priority * 100000 + got.weight * 10000 + got.port, 128080);
    assert_true(dns_read_record(&r, &got));
    assert_int_equal(got.type, DNS_PTR);
    assert_int_equal(got.class, 0x8001);
    assert_int_equal(got.ttl, 120);
    assert_name(got.target, "n1.node.hearsay.");
    assert_true(dns_read_record(&r, &got));
    struct hearsay_bytes string;
    size_t position = 0;
    assert_true(dns_next_string(got.data, &position, &string));
    assert_true(bytes_equal(string, bytes_of_string("a=b")));
    assert_true(dns_next_string(got.data, &position, &string));
    assert_false(dns_next_string(got.data, &position, &string));
    assert_true(dns_read_record(&r, &got));
    assert_name(got.name, "n1.node.hearsay.");
    assert_int_equal(got.address.bytes[3], 1);
    assert_false(dns_read_record(&r, &got));
}

static void a_record_that_does_not_fit_leaves_no_trace(void **state)
{
    (void)state;
    uint8_t room[64];
    struct dns_writer w;
    struct dns_reader r;
    struct dns_header header;
    struct dns_record got;
    struct dns_name n1 = name_of("n1.node.hearsay."), n2 = name_of("n2.node.hearsay.");
    struct dns_record first = address_record(&n1, 1), second = address_record(&n2, 2);
    dns_write(&w, room, sizeof room, 9, DNS_QR);
    dns_reserve(&w, DNS_OPT_BYTES);
    assert_true(dns_put_record(&w, DNS_ANSWER, &first)); /* 12 + 31 + 11 of 64: 10 left */
    assert_false(dns_put_record(&w, DNS_ANSWER, &second));
    dns_reserve(&w, 0);
    assert_true(dns_put_opt(&w, 1232, DNS_BADVERS, bytes_of(NULL, 0)));
    struct hearsay_bytes message = dns_finish(&w);
    assert_int_equal(message.size, 54);
    assert_true(dns_read(&r, message, &header));
    assert_int_equal(header.counts[DNS_ANSWER], 1);
    assert_int_equal(header.flags & DNS_CODE, 0);
    assert_true(dns_read_record(&r, &got));
    assert_true(dns_read_record(&r, &got));
    assert_int_equal(got.type, DNS_OPT);
    assert_int_equal(got.class, 1232);
    assert_int_equal(got.ttl >> 24, 1); /* BADVERS is 16 */
}

static void options_of_an_opt_are_found_and_garbled_ones_refused(void **state)
{
    (void)state;
    struct dns_name root = name_of(".");
    struct dns_record record = {.name = &root, .type = DNS_OPT, .class = 4096};
    struct dns_opt opt;
    record.data = bytes_of("\0\3\0\1x\0\x0a\0\10clientid", 17); /* NSID, then COOKIE */
    assert_true(dns_read_opt(&record, &opt));
    assert_int_equal(opt.udp_bytes, 4096);
    assert_true(bytes_equal(opt.cookie, bytes_of_string("clientid")));
    record.data = bytes_of("\0\x0a\0\7clientid", 12);
    assert_false(dns_read_opt(&record, &opt));
    record.data = bytes_of("\0\x0a\0\11clientid", 12);
    assert_false(dns_read_opt(&record, &opt));
    record.data = bytes_of(NULL, 0);
    assert_true(dns_read_opt(&record, &opt));
    assert_int_equal(opt.cookie.size, 0);
}

static void data_of_the_wrong_size_garbles_the_message(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        const char *data;
        uint8_t size;
        bool is_fine;
    } cases[] = {
        {DNS_A, "1234", 4, true},   {DNS_A, "123", 3, false},      {DNS_AAAA, "1234", 4, false},      {DNS_PTR, "\1a", 3, true},
        {DNS_PTR, "\1a", 2, false}, {DNS_PTR, "\1a\0x", 4, false}, {DNS_SRV, "\0\0\0\0\0", 5, false}, {DNS_SRV, "\0\0\0\0\0\0\0", 7, true},
        {DNS_SOA, "x", 1, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t room[64] = {0};
        struct dns_reader r;
        struct dns_header header;
        struct dns_record record;
        room[DNS_HEADER + 2] = cases[i].type;
        room[DNS_HEADER + 10] = cases[i].size;
        memcpy(room + DNS_HEADER + 11, cases[i].data, cases[i].size);
        assert_true(dns_read(&r, bytes_of(room, DNS_HEADER + 11u + cases[i].size), &header));
        assert_int_equal(dns_read_record(&r, &record), cases[i].is_fine);
    }
    struct dns_reader r;
    struct dns_header header;
    assert_false(dns_read(&r, bytes_of("12345678901", 11), &header));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_labels_of_at_most_63_bytes_and_255_in_all),
        cmocka_unit_test(names_are_equal_whatever_the_case_of_their_letters),
        cmocka_unit_test(the_example_of_the_rfc_is_written_and_read),
        cmocka_unit_test(pointers_lead_backwards_only),
        cmocka_unit_test(records_of_every_kind_survive_the_journey),
        cmocka_unit_test(a_record_that_does_not_fit_leaves_no_trace),
        cmocka_unit_test(options_of_an_opt_are_found_and_garbled_ones_refused),
        cmocka_unit_test(data_of_the_wrong_size_garbles_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
