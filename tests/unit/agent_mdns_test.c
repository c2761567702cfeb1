/* SPDX-License-Identifier: MIT
 *
 * Messages of multicast DNS between agents that look for each other: question and answer, whom an answer tells of, what is not for us, and that no
 * bytes do harm.
 */
#include "agent/mdns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hearsay_address one = {.bytes = {10, 0, 0, 1}, .size = 4, .port = 7946}, two = {.bytes = {10, 0, 0, 2}, .size = 4, .port = 7000};

static struct mdns agent(const char *cluster, const char *node, const struct hearsay_address *address)
{
    struct mdns m;
    assert_true(mdns_init(&m, cluster, node, address));
    return m;
}

static void who_is_asked_tells_where_it_is(void **state)
{
    struct mdns asks = agent("prod", "n1", &one), answers = agent("prod", "n2", &two), other = agent("staging", "n3", &two);
    uint8_t question[MDNS_BYTES], answer[MDNS_BYTES];
    struct hearsay_address found[4];
    bool is_for_all;
    (void)state;
    struct hearsay_bytes asked = mdns_question(&asks, question);
    assert_int_equal(mdns_answer(&other, asked, answer, &is_for_all).size, 0);
    struct hearsay_bytes told = mdns_answer(&answers, asked, answer, &is_for_all);
    assert_true(told.size > 0 && is_for_all);
    assert_int_equal(mdns_read(&asks, told, found, 4), 1);
    assert_int_equal(found[0].port, 7000);
    assert_memory_equal(found[0].bytes, two.bytes, 4);
    assert_int_equal(mdns_read(&asks, told, found, 0), 0);
    assert_int_equal(mdns_read(&answers, told, found, 4), 0); /* itself */
    assert_int_equal(mdns_read(&other, told, found, 4), 0);   /* of another name */
    assert_int_equal(mdns_read(&asks, asked, found, 4), 0);   /* a question tells of nobody */
    assert_int_equal(mdns_answer(&answers, told, question, &is_for_all).size, 0); /* and an answer asks for nothing */
}

static void an_address_of_ipv6_goes_as_aaaa(void **state)
{
    static const struct hearsay_address six = {.bytes = {0xfd, 1, [15] = 9}, .size = 16, .port = 7946};
    struct mdns asks = agent("prod", "n1", &one), answers = agent("prod", "n6", &six);
    uint8_t question[MDNS_BYTES], answer[MDNS_BYTES];
    struct hearsay_address found[4];
    bool is_for_all;
    (void)state;
    struct hearsay_bytes told = mdns_answer(&answers, mdns_question(&asks, question), answer, &is_for_all);
    assert_int_equal(mdns_read(&asks, told, found, 4), 1);
    assert_int_equal(found[0].size, 16);
    assert_memory_equal(found[0].bytes, six.bytes, 16);
}

/* As hashicorp/mdns writes it: the instance's host is another name, and nothing is compressed. */
static void what_serf_answers_is_understood(void **state)
{
    struct mdns asks = agent("prod", "n1", &one);
    struct dns_name instance, host;
    struct dns_writer w;
    uint8_t bytes[MDNS_BYTES];
    struct hearsay_address found[4];
    (void)state;
    dns_name_parse(&instance, "s1._serf_prod._tcp.local.");
    dns_name_parse(&host, "machine.");
    struct dns_record address = {.name = &host, .type = DNS_A, .class = DNS_IN, .ttl = 10, .address = two};
    struct dns_record service = {.name = &instance, .target = &host, .type = DNS_SRV, .class = DNS_IN, .ttl = 10, .port = 7946};
    struct dns_record text = {.name = &instance, .type = DNS_TXT, .class = DNS_IN, .ttl = 10, .data = {(const uint8_t *)"\4Serf", 5}};
    dns_write(&w, bytes, sizeof bytes, 0, DNS_QR | DNS_AA);
    assert_true(dns_put_record(&w, DNS_ANSWER, &address) && dns_put_record(&w, DNS_ANSWER, &service) && dns_put_record(&w, DNS_ANSWER, &text));
    assert_int_equal(mdns_read(&asks, dns_finish(&w), found, 4), 1);
    assert_int_equal(found[0].port, 7946);
    assert_memory_equal(found[0].bytes, two.bytes, 4);
}

static void who_wants_it_alone_gets_it_alone(void **state)
{
    struct mdns m = agent("prod", "n2", &two);
    struct dns_writer w;
    uint8_t question[MDNS_BYTES], answer[MDNS_BYTES];
    bool is_for_all = true;
    (void)state;
    struct dns_question asked = {.name = m.service, .type = DNS_PTR, .class = DNS_IN | DNS_TOP_BIT};
    dns_write(&w, question, sizeof question, 7, 0);
    assert_true(dns_put_question(&w, &asked));
    assert_true(mdns_answer(&m, dns_finish(&w), answer, &is_for_all).size > 0);
    assert_false(is_for_all);
    assert_true(answer[0] == 0 && answer[1] == 7); /* the number of the question */
}

static void names_have_limits(void **state)
{
    char cluster[80], node[300];
    struct mdns m;
    (void)state;
    memset(cluster, 'c', sizeof cluster);
    memset(node, 'n', sizeof node);
    node[255] = 0;
    cluster[57] = 0;
    assert_true(mdns_init(&m, cluster, node, &one)); /* of a long node's name the beginning will do */
    cluster[57] = 'c';
    cluster[58] = 0;
    assert_false(mdns_init(&m, cluster, node, &one));
    assert_false(mdns_init(&m, "", node, &one));
}

static void damaged_messages_do_no_harm(void **state)
{
    struct mdns asks = agent("prod", "n1", &one), answers = agent("prod", "n2", &two);
    uint8_t question[MDNS_BYTES], answer[MDNS_BYTES], again[MDNS_BYTES];
    struct hearsay_address found[4];
    bool is_for_all;
    (void)state;
    struct hearsay_bytes told = mdns_answer(&answers, mdns_question(&asks, question), answer, &is_for_all);
    for (size_t size = 0; size <= told.size; size++) {
        uint8_t *exact = malloc(size + 1); /* so that the sanitizers see a byte too far */
        memcpy(exact, answer, size);
        assert_true(mdns_read(&asks, (struct hearsay_bytes){exact, size}, found, 4) <= 1);
        for (size_t i = 0; i < size; i++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                exact[i] ^= (uint8_t)(1u << bit);
                assert_true(mdns_read(&asks, (struct hearsay_bytes){exact, size}, found, 4) <= 4);
                (void)mdns_answer(&answers, (struct hearsay_bytes){exact, size}, again, &is_for_all);
                exact[i] ^= (uint8_t)(1u << bit);
            }
        }
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_asked_tells_where_it_is),  cmocka_unit_test(an_address_of_ipv6_goes_as_aaaa),
        cmocka_unit_test(what_serf_answers_is_understood), cmocka_unit_test(who_wants_it_alone_gets_it_alone),
        cmocka_unit_test(names_have_limits),               cmocka_unit_test(damaged_messages_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
