/* SPDX-License-Identifier: MIT
 *
 * Stories of keys and labels: who has the wrong one sees nobody, and is counted.
 */
#include "lib/story.h"

#include <stdlib.h>
#include <string.h>

static void key(struct hearsay_key *key, uint8_t size, uint8_t byte)
{
    key->size = size;
    memset(key->bytes, byte, sizeof key->bytes);
}

static void all_have_one_key(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)number;
    options->cipher = cipher_toy(&story_world(c)->nonces);
    options->key_count = 1;
    key(&options->keys[0], 32, 7);
}

static void n4_has_another_key(struct story *c, struct hearsay_options *options, unsigned number)
{
    all_have_one_key(c, options, number);
    key(&options->keys[0], 32, number == 4 ? 8 : 7);
}

static void n4_has_no_key(struct story *c, struct hearsay_options *options, unsigned number)
{
    all_have_one_key(c, options, number);
    options->key_count = number == 4 ? 0 : 1;
}

static void hears_nothing(struct hearsay_bytes bytes, const char *word)
{
    size_t size = strlen(word);
    for (size_t i = 0; i + size <= bytes.size; i++) {
        if (memcmp(bytes.data + i, word, size) == 0) {
            abort();
        }
    }
}

static void listen(void *context, struct host *from, struct host *to, struct hearsay_bytes bytes)
{
    (void)context;
    (void)from;
    (void)to;
    hears_nothing(bytes, "secret");
}

STORY(an_encrypted_cluster_works_and_tells_nothing_to_listeners)
{
    story_world(c)->options.on_packet = listen;
    start_with(c, 8, all_have_one_key);
    send_event(c, n1, "secret", "secret");
    expect_heard_within(c, seconds(1), everyone, "secret");
    crash(c, n3);
    expect_sees_within(c, seconds(40), except(n3), n3, DEAD);
    expect(c, stats_of(c, n1).is_encrypted, "n1 says that it encrypts");
}

STORY(the_wrong_key_sees_nobody_and_is_counted)
{
    start_apart_with(c, 4, n4_has_another_key);
    join(c, from_to(2, 4), n1);
    expect_join_fails_within(c, seconds(30), n4);
    expect_agree_within(c, seconds(5), from_to(1, 3));
    expect_agree_within(c, 0, n4);
    expect(c, counters_of(c, n1)->drop_cipher > 0, "n1 counts what no key opens");
}

STORY(plaintext_is_refused_where_a_key_is_set)
{
    start_apart_with(c, 4, n4_has_no_key);
    join(c, from_to(2, 4), n1);
    expect_join_fails_within(c, seconds(30), n4);
    expect_agree_within(c, seconds(5), from_to(1, 3));
    expect_agree_within(c, 0, n4);
    expect(c, counters_of(c, n1)->drop_plaintext > 0, "n1 counts plaintext");
}

STORY(keys_are_changed_under_way)
{
    struct hearsay_key fresh;
    key(&fresh, 16, 99);
    start_with(c, 5, all_have_one_key);
    for (unsigned i = 1; i <= 5; i++) {
        expect(c, hearsay_key_install(host_of(c, n(i))->node, &fresh) == HEARSAY_OK, "n%u takes the key", i);
        advance(c, seconds(1));
    }
    for (unsigned i = 1; i <= 5; i++) {
        expect(c, hearsay_key_use(host_of(c, n(i))->node, &fresh) == HEARSAY_OK, "n%u uses the key", i);
        advance(c, seconds(1));
    }
    struct hearsay_key old;
    key(&old, 32, 7);
    for (unsigned i = 1; i <= 5; i++) {
        expect(c, hearsay_key_remove(host_of(c, n(i))->node, &old) == HEARSAY_OK, "n%u drops the old key", i);
        advance(c, seconds(1));
    }
    expect_never_sees_for(c, seconds(40), everyone, everyone, SUSPECT);
    expect(c, counters_of(c, n1)->drop_cipher == 0, "nothing was lost on the way");
}

/* Asks for all keyrings and waits for the outcome. */
static struct hearsay_event rotate(struct story *c, nodes who, enum hearsay_key_wish wish, const struct hearsay_key *key)
{
    ask_keys(c, who, wish, key);
    advance(c, seconds(7));
    struct hearsay_event end = last_end(c, who);
    expect(c, end.type == HEARSAY_QUERY_DONE, "it is over");
    return end;
}

STORY(keys_are_changed_by_query_and_all_say_so)
{
    struct hearsay_key old, fresh, unknown;
    key(&old, 32, 7);
    key(&fresh, 16, 99);
    key(&unknown, 16, 1);
    start_with(c, 12, all_have_one_key);
    struct hearsay_event end = rotate(c, n3, HEARSAY_KEYS_INSTALL, &fresh);
    expect(c, end.members == 12 && end.answers == 12 && end.errors == 0, "all install it: %u of %u, %u errors", end.answers, end.members, end.errors);
    end = rotate(c, n5, HEARSAY_KEYS_USE, &unknown);
    expect(c, end.answers == 12 && end.errors == 12, "nobody has that one: %u errors", end.errors);
    end = rotate(c, n5, HEARSAY_KEYS_USE, &fresh);
    expect(c, end.answers == 12 && end.errors == 0, "all use it: %u answers, %u errors", end.answers, end.errors);
    end = rotate(c, n1, HEARSAY_KEYS_REMOVE, &fresh);
    expect(c, end.errors == 12, "nobody removes the key in use: %u errors", end.errors);
    end = rotate(c, n1, HEARSAY_KEYS_REMOVE, &old);
    expect(c, end.answers == 12 && end.errors == 0, "all remove the old one");
    end = rotate(c, n1, HEARSAY_KEYS_LIST, NULL);
    expect(c, end.answers == 12, "all list");
    struct hearsay_key held;
    for (unsigned i = 1; i <= 12; i++) {
        bool is_fresh = hearsay_key_at(host_of(c, n(i))->node, 0, &held) && memcmp(held.bytes, fresh.bytes, 16) == 0;
        expect(c, is_fresh && !hearsay_key_at(host_of(c, n(i))->node, 1, &held), "n%u has the fresh key alone", i);
    }
    expect_told_within(c, seconds(0), everyone, HEARSAY_KEYRING_CHANGED, nobody);
    expect_never_sees_for(c, seconds(20), everyone, everyone, SUSPECT);
}

STORY(who_cannot_hear_is_missing_in_the_count)
{
    struct hearsay_key fresh;
    key(&fresh, 16, 99);
    start_with(c, 6, all_have_one_key);
    freeze(c, n4);
    ask_keys(c, n1, HEARSAY_KEYS_INSTALL, &fresh);
    advance(c, seconds(4));
    struct hearsay_event end = last_end(c, n1);
    expect(c, end.members == 6 && end.answers == 5, "5 of 6 answer: %u of %u", end.answers, end.members);
    expect_never_told(c, n1, HEARSAY_KEY_RESULT, n4);
}

STORY(without_a_key_nobody_takes_one)
{
    struct hearsay_key fresh;
    key(&fresh, 16, 99);
    start(c, 4);
    struct hearsay_event end = rotate(c, n1, HEARSAY_KEYS_INSTALL, &fresh);
    expect(c, end.answers == 4 && end.errors == 4, "all refuse: who sends keys in the clear gives them away");
    expect(c, !stats_of(c, n2).is_encrypted, "nobody has a key");
}

static void keys_wear_out_early(struct story *c, struct hearsay_options *options, unsigned number)
{
    all_have_one_key(c, options, number);
    options->key_messages_max = 2000;
}

STORY(a_worn_key_is_told_and_a_fresh_one_is_not)
{
    struct hearsay_key fresh;
    key(&fresh, 16, 99);
    start_with(c, 5, keys_wear_out_early);
    expect_never_told(c, everyone, HEARSAY_KEY_WORN, nobody);
    expect_told_within(c, seconds(600), everyone, HEARSAY_KEY_WORN, nobody);
    unsigned told = times_told(c, n1, HEARSAY_KEY_WORN, nobody);
    expect(c, told == 1, "once (%u)", told);
    expect(c, stats_of(c, n1).sealed >= 400, "n1 has sealed its share (%llu)", (unsigned long long)stats_of(c, n1).sealed);
    rotate(c, n1, HEARSAY_KEYS_INSTALL, &fresh);
    rotate(c, n1, HEARSAY_KEYS_USE, &fresh);
    expect(c, stats_of(c, n1).sealed < 100, "the count starts anew (%llu)", (unsigned long long)stats_of(c, n1).sealed);
    told = times_told(c, n1, HEARSAY_KEY_WORN, nobody);
    advance(c, seconds(30));
    expect(c, times_told(c, n1, HEARSAY_KEY_WORN, nobody) == told, "and nothing more is said");
}

static void n4_has_another_label(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    options->label = number == 4 ? "blue" : "green";
}

STORY(another_label_sees_nobody_and_is_counted)
{
    start_apart_with(c, 4, n4_has_another_label);
    join(c, from_to(2, 4), n1);
    expect_join_fails_within(c, seconds(60), n4);
    expect_agree_within(c, seconds(5), from_to(1, 3));
    expect_agree_within(c, 0, n4);
    expect(c, counters_of(c, n1)->drop_label > 0, "n1 counts the foreign label");
}

static void label_and_key(struct story *c, struct hearsay_options *options, unsigned number)
{
    all_have_one_key(c, options, number);
    options->label = "green";
    options->encryption_version = number % 2;
}

STORY(labels_and_both_envelopes_of_encryption_go_together)
{
    start_with(c, 6, label_and_key);
    send_event(c, n1, "hello", "");
    expect_heard_within(c, seconds(1), everyone, "hello");
    expect_never_sees_for(c, seconds(40), everyone, everyone, SUSPECT);
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
