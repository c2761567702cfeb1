/* SPDX-License-Identifier: MIT
 *
 * What the doctor concludes, with the census made by hand: who says what of whom is a small picture, one row per observer, one letter per
 * subject (A alive, S suspect, F failed, L left, . never heard of), and the kinds of the findings are expected.
 */
#include "cli/diagnosis.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct census c;
static struct findings f;

static struct hearsay_address address_number(uint32_t number)
{
    struct hearsay_address a = {.bytes = {10, 0, 0, (uint8_t)(number + 1)}, .port = 7946, .size = 4};
    return a;
}

static enum hearsay_status status_of(char letter)
{
    return letter == 'A'   ? HEARSAY_ALIVE
           : letter == 'S' ? HEARSAY_SUSPECT
           : letter == 'F' ? HEARSAY_FAILED
           : letter == 'L' ? HEARSAY_LEFT
                           : HEARSAY_NONE;
}

/* Everybody answers us, except where the row is "-" (nobody there) or "~" (accepts, says nothing). */
static void picture(size_t count, const char *const rows[])
{
    census_init(&c);
    f = (struct findings){.count = 0};
    for (uint32_t i = 0; i < count; i++) {
        char name[8];
        struct place place;
        struct hearsay_address address = address_number(i);
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(census_subject(&c, name), i);
        assert_true(place_of(&address, &place));
        assert_true(census_add_look(&c, &place, NULL));
        c.subjects[i].look = i;
        c.observations[i].subject = i;
        c.looks[i].inspection = (struct inspection){.pings = 3};
        if (rows[i][0] == '-') {
            continue;
        }
        c.looks[i].inspection.has_connected = true;
        if (rows[i][0] == '~') {
            continue;
        }
        c.looks[i].inspection.status = HEARSAY_INSPECT_DONE;
        c.looks[i].inspection.acks = 3;
        c.looks[i].inspection.has_clock = true;
        c.looks[i].inspection.rtt_sum_us = 300;
        c.observations[i].is_seen = true;
        c.observations[i].facts = (struct hearsay_inspect_facts){.is_serf = true, .is_encrypted = true};
        c.observations[i].product.kind = PRODUCT_SERF;
        c.observations[i].claim_count = (uint32_t)count;
        c.observations[i].claims = calloc(count, sizeof(struct claim));
        for (uint32_t s = 0; s < count; s++) {
            struct hearsay_address where = address_number(s);
            c.observations[i].claims[s] =
                (struct claim){.incarnation = 1, .status = (uint8_t)status_of(rows[i][s]), .address = census_address(&c, &where)};
        }
    }
}

static void judge(void)
{
    bool is_split = diagnosis_of_cluster(&c, &f);
    diagnosis_of_reach(&c, &f);
    diagnosis_of_views(&c, is_split, &f);
    findings_sort(&f);
}

/* All kinds that were found, once each and in order of severity, as one line. */
static void expect_kinds(const char *kinds)
{
    char line[256] = "";
    for (size_t i = 0; i < f.count; i++) {
        if (strstr(line, f.at[i].kind) == NULL) {
            snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s", i == 0 ? "" : " ", f.at[i].kind);
        }
    }
    assert_string_equal(line, kinds);
    assert_false(f.is_short);
    findings_free(&f);
    census_free(&c);
}

#define PICTURE(...) picture(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), (const char *const[]){__VA_ARGS__})

static void a_cluster_that_agrees_is_healthy(void **state)
{
    (void)state;
    PICTURE("AAA", "AAA", "AAA");
    judge();
    assert_int_equal(findings_serious(&f), 0);
    expect_kinds("");
}

static void halves_that_hold_each_other_dead_are_a_split_brain(void **state)
{
    (void)state;
    PICTURE("AAFF", "AAFF", "FFAA", "FFAA");
    judge();
    assert_non_null(strstr(f.at[0].sentence, "2 views: {n0, n1} {n2, n3}"));
    expect_kinds("split-brain");
}

static void parts_that_do_not_know_each_other_are_fragments(void **state)
{
    (void)state;
    PICTURE("AA.", "AA.", "..A");
    judge();
    expect_kinds("fragments");
}

static void who_answers_us_but_is_dead_to_all_is_buried_alive(void **state)
{
    (void)state;
    PICTURE("AAF", "AAF", "AAA");
    judge();
    assert_string_equal(f.at[1].sentence, "n2 answers us, but 2 of 2 members hold it failed");
    expect_kinds("views buried-alive");
}

static void who_is_dead_to_some_only_is_lost_one_way(void **state)
{
    (void)state;
    PICTURE("AAAF", "AAAA", "AAAA", "AAAA");
    judge();
    assert_string_equal(f.at[1].sentence, "n3 answers us, but 1 of 3 members hold it failed");
    expect_kinds("views one-way");
}

static void the_dead_whom_some_still_believe_are_told(void **state)
{
    (void)state;
    PICTURE("AAF", "AAA", "-");
    judge();
    expect_kinds("views unreachable still-believed");
}

static void the_dead_whom_all_know_dead_are_no_finding(void **state)
{
    (void)state;
    PICTURE("AAF", "AAF", "-");
    judge();
    expect_kinds("");
}

static void suspects_newcomers_and_leavers_are_warnings(void **state)
{
    (void)state;
    PICTURE("ASA", "AAA", "AAA");
    judge();
    expect_kinds("suspected");
    PICTURE("AA.", "AAA", "AAA");
    judge();
    expect_kinds("views unheard");
    PICTURE("AAL", "AAA", "AAA");
    judge();
    expect_kinds("views left-but-answers");
}

static void silence_behind_an_open_port_is_a_frozen_node(void **state)
{
    (void)state;
    PICTURE("AAA", "AAA", "~");
    judge();
    expect_kinds("frozen");
}

static void one_name_at_two_addresses_is_a_conflict_of_names(void **state)
{
    (void)state;
    PICTURE("AAA", "AAA", "AAA");
    struct hearsay_address elsewhere = address_number(77);
    c.observations[1].claims[2].address = census_address(&c, &elsewhere);
    judge();
    expect_kinds("name-conflict");
}

static void two_names_at_one_address_are_a_conflict_of_addresses(void **state)
{
    (void)state;
    PICTURE("AAA", "AAA", "AAA");
    c.observations[0].claims[2].address = c.observations[0].claims[1].address;
    c.observations[1].claims[2].address = c.observations[1].claims[1].address;
    c.observations[2].claims[2].address = c.observations[2].claims[1].address;
    judge();
    expect_kinds("address-conflict");
}

static void different_tags_in_one_incarnation_cannot_be(void **state)
{
    (void)state;
    PICTURE("AAA", "AAA", "AAA");
    c.observations[1].claims[2].tags = 7;
    judge();
    expect_kinds("tags-differ");
    PICTURE("AAA", "AAA", "AAA");
    c.observations[1].claims[2].tags = 7;
    c.observations[1].claims[2].incarnation = 2; /* an update on its way */
    judge();
    expect_kinds("");
}

static void who_is_slow_or_lags_or_denies_much_is_named(void **state)
{
    (void)state;
    PICTURE("AAA", "AAA", "AAA");
    c.looks[1].inspection.rtt_sum_us = 300000;
    c.observations[2].facts.event_time = 5;
    c.observations[0].facts.event_time = 500;
    c.observations[1].facts.event_time = 500;
    for (int i = 0; i < 3; i++) {
        c.observations[i].claims[0].incarnation = 90;
    }
    judge();
    expect_kinds("clock-lag slow restless");
}

static void clocks_are_held_against_the_middle_of_them(void **state)
{
    (void)state;
    PICTURE("AAA", "AAA", "AAA");
    c.looks[0].inspection.clock_ahead_ms = 400; /* within what is no matter */
    c.looks[1].inspection.clock_ahead_ms = -7000;
    judge();
    assert_non_null(strstr(f.at[0].sentence, "the clock of n1 is 7.0 s behind the others'"));
    expect_kinds("clock-skew");
    PICTURE("AAA", "AAA", "AAA"); /* ours is wrong */
    for (int i = 0; i < 3; i++) {
        c.looks[i].inspection.clock_ahead_ms = 3600000 + i;
    }
    judge();
    assert_non_null(strstr(f.at[0].sentence, "own clock is 3600.0 s behind"));
    assert_int_equal(findings_serious(&f), 0);
    expect_kinds("own-clock");
    PICTURE("AAA", "AAA", "AAA");
    c.looks[0].inspection.has_clock = c.looks[2].inspection.has_clock = false;
    judge();
    assert_non_null(strstr(f.at[0].sentence, "the clocks of 2 members cannot be told"));
    expect_kinds("clocks-unknown");
}

static void half_a_path_is_named_by_the_half_that_fails(void **state)
{
    (void)state;
    PICTURE("AAA", "AAA", "AAA");
    c.looks[1].inspection.acks = 0;
    c.looks[2].inspection.acks = 2;
    judge();
    expect_kinds("udp-blocked packet-loss");
    PICTURE("AA", "AA");
    c.looks[1].inspection.has_connected = false;
    c.observations[1].is_seen = false;
    judge();
    expect_kinds("tcp-blocked");
}

static void a_reused_address_matters_while_the_old_name_is_believed(void **state)
{
    (void)state;
    PICTURE("AAA", "AAA", "AAA");
    c.looks[2].name = "n2";
    c.looks[2].is_other_name = true;
    c.looks[2].inspection.acks = 0;
    judge();
    assert_int_equal(f.at[0].severity, FINDING_PROBLEM);
    expect_kinds("address-reused");
    PICTURE("AAF", "AAF", "AAF");
    c.looks[2].name = "n2";
    c.looks[2].is_other_name = true;
    c.looks[2].inspection.acks = 0;
    c.observations[2].subject = CENSUS_NONE;
    judge();
    assert_int_equal(findings_serious(&f), 0);
    expect_kinds("address-reused");
}

static void mixes_of_products_and_lack_of_keys_are_told(void **state)
{
    (void)state;
    PICTURE("AA", "AA");
    c.observations[1].product.kind = PRODUCT_ALERTMANAGER;
    judge();
    expect_kinds("personality");
    PICTURE("AA", "AA"); /* a Consul is a Serf */
    c.observations[1].product.kind = PRODUCT_CONSUL;
    judge();
    expect_kinds("");
    PICTURE("AA", "AA");
    memcpy(c.observations[0].claims[1].versions, (const uint8_t[]){1, 5, 2, 2, 5, 5}, 6);
    judge();
    expect_kinds("version-clash");
    PICTURE("AA", "AA", "AA");
    for (int i = 0; i < 3; i++) {
        c.observations[i].product.kind = PRODUCT_ALERTMANAGER;
        c.observations[i].product.digest = i == 2;
    }
    judge();
    expect_kinds("state-differs");
    PICTURE("AA", "AA");
    c.observations[0].facts.is_encrypted = c.observations[1].facts.is_encrypted = false;
    judge();
    assert_int_equal(findings_serious(&f), 0);
    expect_kinds("unencrypted");
}

static void long_lists_are_cut(void **state)
{
    (void)state;
    char list[CENSUS_LIST];
    uint32_t all[12];
    census_init(&c);
    for (uint32_t i = 0; i < 12; i++) {
        char name[300];
        memset(name, 'x', sizeof name);
        snprintf(name + 250, sizeof name - 250, "%u", i);
        all[i] = census_subject(&c, name);
    }
    assert_non_null(strstr(census_list(&c, all, 12, list), " and 4 more"));
    census_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cluster_that_agrees_is_healthy),
        cmocka_unit_test(halves_that_hold_each_other_dead_are_a_split_brain),
        cmocka_unit_test(parts_that_do_not_know_each_other_are_fragments),
        cmocka_unit_test(who_answers_us_but_is_dead_to_all_is_buried_alive),
        cmocka_unit_test(who_is_dead_to_some_only_is_lost_one_way),
        cmocka_unit_test(the_dead_whom_some_still_believe_are_told),
        cmocka_unit_test(the_dead_whom_all_know_dead_are_no_finding),
        cmocka_unit_test(suspects_newcomers_and_leavers_are_warnings),
        cmocka_unit_test(silence_behind_an_open_port_is_a_frozen_node),
        cmocka_unit_test(one_name_at_two_addresses_is_a_conflict_of_names),
        cmocka_unit_test(two_names_at_one_address_are_a_conflict_of_addresses),
        cmocka_unit_test(different_tags_in_one_incarnation_cannot_be),
        cmocka_unit_test(who_is_slow_or_lags_or_denies_much_is_named),
        cmocka_unit_test(half_a_path_is_named_by_the_half_that_fails),
        cmocka_unit_test(a_reused_address_matters_while_the_old_name_is_believed),
        cmocka_unit_test(clocks_are_held_against_the_middle_of_them),
        cmocka_unit_test(mixes_of_products_and_lack_of_keys_are_told),
        cmocka_unit_test(long_lists_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
