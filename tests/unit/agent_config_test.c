/* SPDX-License-Identifier: MIT
 *
 * The agent's configuration: files, folders and flags merged in order, and errors that name file, line and the likely key.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/flags.h"
#include "agent/secret.h"
#include "agent/setup.h"

#include <sys/stat.h>
#include <unistd.h>

static char error[512];

static void parse(struct config *config, const char *json)
{
    if (!config_parse(config, json, "x.json", error, sizeof error)) {
        fail_msg("%s", error);
    }
}

static void refuses(const char *json, const char *expected)
{
    struct config config;
    config_init(&config);
    assert_false(config_parse(&config, json, "x.json", error, sizeof error));
    assert_string_equal(error, expected);
    config_deinit(&config);
}

static const struct config_number *number_of(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->number_count; i++) {
        if (strcmp(config->numbers[i].name, name) == 0) {
            return &config->numbers[i];
        }
    }
    return NULL;
}

static void later_files_win_lists_grow_and_tags_are_merged(void **state)
{
    struct config config;
    (void)state;
    config_init(&config);
    parse(&config, "{\"node_name\":\"a\",\"bind\":\"10.0.0.1\",\"tags\":{\"role\":\"web\",\"dc\":\"east\"},"
                   "\"start_join\":[\"n1\"],\"retry_interval\":\"1m30s\",\"leave_on_terminate\":true}");
    parse(&config, "{\"node_name\":\"b\",\"tags\":{\"dc\":\"west\"},\"start_join\":[\"n2\"],\"retry_max_attempts\":3,"
                   "\"numbers\":{\"probe_interval_ms\":250,\"eager\":false},\"tombstone_timeout\":\"2h\"}");
    assert_string_equal(config.node_name, "b");
    assert_string_equal(config.bind, "10.0.0.1");
    assert_int_equal(config.tags.count, 2);
    assert_string_equal(config.tags.at[0].key, "dc");
    assert_string_equal(config.tags.at[0].value, "west");
    assert_string_equal(config.tags.at[1].value, "web");
    assert_int_equal(config.start_join.count, 2);
    assert_string_equal(config.start_join.at[1], "n2");
    assert_int_equal(config.retry_interval_ms, 90000);
    assert_int_equal(config.retry_max, 3);
    assert_int_equal(config.leaves_on_term, 1);
    assert_int_equal(config.rejoins, -1);
    assert_int_equal(number_of(&config, "probe_interval_ms")->value, 250);
    assert_int_equal(number_of(&config, "eager")->value, 0);
    assert_int_equal(number_of(&config, "tombstone_timeout_ms")->value, 7200000);
    config_deinit(&config);
}

static void unknown_keys_are_refused_with_file_line_and_likely_key(void **state)
{
    (void)state;
    refuses("{\n \"bind\": \"127.0.0.1\",\n \"node_nam\": \"x\"\n}", "x.json:3: unknown key 'node_nam'; did you mean 'node_name'?");
    refuses("{\n \"tags\": {\"a\":\"zzzzzzzzzz\"},\n\n \"zzzzzzzzzz\": 1}", "x.json:4: unknown key 'zzzzzzzzzz'");
    refuses("{\"numbers\":\n{\"probe_intervall_ms\":1}}",
            "x.json:2: there is no number called 'probe_intervall_ms'; did you mean 'probe_interval_ms'?");
}

static void wrong_types_and_values_are_refused(void **state)
{
    (void)state;
    refuses("{\n\"bind\": 7}", "x.json:2: 'bind' must be a string");
    refuses("{\"tags\": [\"a\"]}", "x.json:1: 'tags' must be an object of strings");
    refuses("{\"tags\": {\"a\":\n1}}", "x.json:1: 'a' must be a string");
    refuses("{\"start_join\": \"n1\"}", "x.json:1: 'start_join' must be an array of strings");
    refuses("{\"leave_on_terminate\": \"yes\"}", "x.json:1: 'leave_on_terminate' must be true or false");
    refuses("{\"retry_interval\": \"30 seconds\"}", "x.json:1: retry-interval: '30 seconds' is no time span such as 30s or 1m30s");
    refuses("{\"numbers\":{\"indirect_checks\":256}}", "x.json:1: indirect_checks must be from 0 to 255 (members), not 256");
    refuses("[]", "x.json:1: a configuration file must be a JSON object");
    struct config config;
    config_init(&config);
    assert_false(config_parse(&config, "{\n\"bind\": \"a\",\n", "x.json", error, sizeof error));
    assert_ptr_equal(strstr(error, "x.json:3: "), error);
    assert_false(config_parse(&config, "{\"bind\":\"a\",\"bind\":\"b\"}", "x.json", error, sizeof error));
    assert_non_null(strstr(error, "duplicate"));
    config_deinit(&config);
}

static void discovery_by_multicast_is_configured(void **state)
{
    struct config config, both;
    (void)state;
    config_init(&config);
    parse(&config, "{\"discover\":\"x\",\"reconnect_interval\":\"1s\",\"mdns\":{\"interface\":\"eth0\",\"DisableIPv6\":true}}");
    assert_string_equal(config.discover, "x");
    assert_string_equal(config.mdns.interface, "eth0");
    assert_true(config.mdns.has_no_ipv6 && !config.mdns.has_no_ipv4);
    assert_int_equal(config.number_count, 1);
    assert_string_equal(config.numbers[0].name, "reconnect_interval_ms");
    assert_int_equal(config.numbers[0].value, 1000);
    assert_false(config_parse(&config, "{\n\"mdns\":{\"ttl\":3}}", "x.json", error, sizeof error));
    assert_non_null(strstr(error, "there are interface, disable_ipv4 and disable_ipv6"));
    assert_false(config_parse(&config, "{\"mdns\":{\"disable_ipv4\":1}}", "x.json", error, sizeof error));
    assert_false(config_parse(&config, "{\"mdns\":[]}", "x.json", error, sizeof error));
    config_init(&both);
    config_merge(&both, &config);
    assert_string_equal(both.mdns.interface, "eth0");
    assert_true(both.mdns.has_no_ipv6);
    config_deinit(&both);
    config_deinit(&config);
}

static void spans_are_go_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"30s", 30000}, {"1m30s", 90000}, {"250ms", 250}, {"1.5h", 5400000}, {"0", 0}, {"1500us", 2}};
    static const char *const bad[] = {"", "30", "s", "-1s", "1x", "1s2", "1..s", "1e3s", "inf", "99999999h"};
    int64_t ms;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(config_parse_span(good[i].text, &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(config_parse_span(bad[i], &ms));
    }
}

static enum flags_result flags(struct config *config, const char *const *words, char **copy)
{
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        copy[argc] = must(strdup(words[argc]));
    }
    copy[argc] = NULL;
    config_init(config);
    return flags_parse(config, argc, copy, error, sizeof error);
}

static void free_words(char **copy)
{
    for (; *copy != NULL; copy++) {
        free(*copy);
    }
}

static void both_spellings_of_flags_are_taken(void **state)
{
    struct config config;
    char *copy[16];
    const char *const words[] = {"agent", "--node", "n1", "-bind=127.0.0.1:0", "--tag=a=b=c", "-tag", "d=", "-rejoin",
                                 "-join", "x", "--join=y", "--replay=false", "--set", "gossip_nodes=5", NULL};
    (void)state;
    assert_int_equal(flags(&config, words, copy), FLAGS_OK);
    assert_string_equal(config.node_name, "n1");
    assert_string_equal(config.bind, "127.0.0.1:0");
    assert_string_equal(config.tags.at[0].value, "b=c");
    assert_string_equal(config.tags.at[1].value, "");
    assert_int_equal(config.rejoins, 1);
    assert_int_equal(config.is_replaying, 0);
    assert_int_equal(config.start_join.count, 2);
    assert_int_equal(number_of(&config, "gossip_nodes")->value, 5);
    config_deinit(&config);
    free_words(copy);
}

static void flags_refuse(const char *expected, const char *a, const char *b)
{
    struct config config;
    char *copy[16];
    const char *const words[] = {"agent", a, b, NULL};
    assert_int_equal(flags(&config, words, copy), FLAGS_WRONG);
    assert_string_equal(error, expected);
    config_deinit(&config);
    free_words(copy);
}

static void wrong_flags_are_named(void **state)
{
    (void)state;
    flags_refuse("unknown flag --nod; did you mean --node?", "--nod", "x");
    flags_refuse("unknown flag --retry-inter; did you mean --retry-interval?", "-retry-inter=3s", NULL);
    flags_refuse("unknown flag --bogus-thing", "--bogus-thing", NULL);
    flags_refuse("flag --tag needs a value", "--tag", NULL);
    flags_refuse("--tag must be KEY=VALUE, not 'role'", "--tag", "role");
    flags_refuse("unexpected argument 'extra': the agent takes flags only", "extra", "--rejoin");
    flags_refuse("rejoin: 'maybe' is no switch (true or false)", "--rejoin=maybe", NULL);
    flags_refuse("there is no number called 'gossip_node'; did you mean 'gossip_nodes'?", "--set", "gossip_node=1");
    flags_refuse("retry-max: '-1' is no whole number", "--retry-max", "-1");
}

static void secrets_vanish_from_argv_but_names_of_files_stay(void **state)
{
    struct config config;
    char *copy[16];
    const char *const words[] = {"agent", "--encrypt", "T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=", "-rpc-auth=hush", NULL};
    const char *const names[] = {"agent", "--encrypt=@/etc/key", "--rpc-auth", "file:/etc/token", NULL};
    (void)state;
    assert_int_equal(flags(&config, words, copy), FLAGS_OK);
    assert_string_equal(config.encrypt_key, words[2]);
    assert_string_equal(config.rpc_auth, "hush");
    for (size_t i = 0; i < strlen(words[2]); i++) {
        assert_int_equal(copy[2][i], 0);
    }
    assert_string_equal(copy[3], "-rpc-auth=");
    config_deinit(&config);
    free_words(copy);
    assert_int_equal(flags(&config, names, copy), FLAGS_OK);
    assert_string_equal(copy[1], names[1]);
    assert_string_equal(copy[3], names[3]);
    config_deinit(&config);
    free_words(copy);
}

static void write_file(const char *folder, const char *name, const char *content, mode_t mode)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void remove_files(const char *folder, const char *const *names)
{
    char path[200];
    for (; *names != NULL; names++) {
        snprintf(path, sizeof path, "%s/%s", folder, *names);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void folders_are_read_in_lexical_order_and_flags_win(void **state)
{
    char folder[] = "/tmp/agent-config-XXXXXX";
    char *copy[16];
    struct config given, config;
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_file(folder, "20-b.json", "{\"bind\":\"2\",\"label\":\"two\",\"profile\":\"wan\"}", 0600);
    write_file(folder, "10-a.json", "{\"bind\":\"1\",\"advertise\":\"one\"}", 0600);
    write_file(folder, "30-c.txt", "no json at all", 0600);
    const char *const words[] = {"agent", "--profile", "local", "--config-dir", folder, "--data-dir", "/d", NULL};
    assert_int_equal(flags(&given, words, copy), FLAGS_OK);
    assert_true(setup_gather(&given, &config, error, sizeof error));
    assert_string_equal(config.bind, "2");
    assert_string_equal(config.advertise, "one");
    assert_string_equal(config.label, "two");
    assert_string_equal(config.profile, "local");
    assert_string_equal(config.snapshot_path, "/d/snapshot");
    assert_int_equal(config.retry_interval_ms, 30000);
    assert_string_equal(config.rpc_addr, "127.0.0.1:7373");
    config_deinit(&config);
    config_deinit(&given);
    free_words(copy);
    remove_files(folder, (const char *const[]){"10-a.json", "20-b.json", "30-c.txt", NULL});
}

static void keys_and_tokens_come_from_files(void **state)
{
    char folder[] = "/tmp/agent-config-XXXXXX", path[200];
    struct hearsay_key keys[HEARSAY_KEYS_MAX];
    size_t count;
    bool is_open;
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_file(folder, "token", "  hush \n", 0600);
    write_file(folder, "ring", "[\"AAECAwQFBgcICQoLDA0ODw==\",\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\"]", 0644);
    write_file(folder, "bad", "[\"AAECAwQFBgcICQoLDA0ODw==\",\"AAEC\"]", 0600);
    write_file(folder, "empty", "\n", 0600);
    snprintf(path, sizeof path, "@%s/token", folder);
    char *value = must(strdup(path));
    assert_true(secret_resolve(&value, "--rpc-auth", error, sizeof error));
    assert_string_equal(value, "hush");
    free(value);
    snprintf(path, sizeof path, "file:%s/empty", folder);
    value = must(strdup(path));
    assert_false(secret_resolve(&value, "--rpc-auth", error, sizeof error));
    free(value);
    snprintf(path, sizeof path, "%s/ring", folder);
    assert_true(secret_read_keyring(path, keys, &count, &is_open, error, sizeof error));
    assert_int_equal(count, 2);
    assert_int_equal(keys[0].size, 16);
    assert_int_equal(keys[1].size, 24);
    assert_int_equal(keys[1].bytes[23], 23);
    assert_true(is_open);
    snprintf(path, sizeof path, "%s/bad", folder);
    assert_false(secret_read_keyring(path, keys, &count, &is_open, error, sizeof error));
    assert_non_null(strstr(error, "key 2 has 3 bytes, but a key has 16, 24 or 32"));
    assert_null(strstr(error, "AAEC"));
    remove_files(folder, (const char *const[]){"token", "ring", "bad", "empty", NULL});
}

static void a_keyring_damaged_anywhere_is_read_or_refused(void **state)
{
    static const char ring[] = "[\"AAECAwQFBgcICQoLDA0ODw==\",\n\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\"]";
    static const char damage[] = {'\0', '\x01', '"', '[', ']', ',', 'A', '=', '\\', '\xff', '{', '9'};
    char folder[] = "/tmp/agent-keyring-XXXXXX", path[100], content[sizeof ring];
    struct hearsay_key keys[HEARSAY_KEYS_MAX];
    bool is_open;
    unsigned refused = 0;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/ring", folder);
    for (size_t at = 0; at < sizeof ring - 1; at++) {
        for (size_t i = 0; i <= sizeof damage; i++) { /* the last one: the file ends there */
            size_t size = i == sizeof damage ? at : sizeof ring - 1, count = 0;
            memcpy(content, ring, sizeof ring);
            content[at] = i == sizeof damage ? content[at] : damage[i];
            FILE *file = fopen(path, "w");
            assert_non_null(file);
            assert_int_equal(fwrite(content, 1, size, file), size);
            assert_int_equal(fclose(file), 0);
            error[0] = '\0';
            if (secret_read_keyring(path, keys, &count, &is_open, error, sizeof error)) {
                assert_in_range(count, 1, 2);
                assert_true(keys[0].size == 16 || keys[0].size == 24 || keys[0].size == 32);
            } else {
                assert_non_null(strstr(error, path));
                assert_null(strstr(error, "AAEC")); /* an error is no place for keys */
                refused++;
            }
        }
    }
    assert_true(refused > 300);
    remove_files(folder, (const char *const[]){"ring", NULL});
}

static void base64_is_strict(void **state)
{
    uint8_t out[8];
    static const char *const bad[] = {"A", "AA", "AAA", "A===", "AA=A", "AA==AAAA", "AA*=", "AAAA\nAAAA", "AAAAAAAAAAAAAAAA"};
    (void)state;
    assert_int_equal(text_base64_decode("", out, 8), 0);
    assert_int_equal(text_base64_decode("/+8=", out, 8), 2);
    assert_int_equal(out[0], 0xff);
    assert_int_equal(out[1], 0xef);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(text_base64_decode(bad[i], out, 8), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_files_win_lists_grow_and_tags_are_merged),
        cmocka_unit_test(unknown_keys_are_refused_with_file_line_and_likely_key),
        cmocka_unit_test(wrong_types_and_values_are_refused),
        cmocka_unit_test(discovery_by_multicast_is_configured),
        cmocka_unit_test(spans_are_go_durations),
        cmocka_unit_test(both_spellings_of_flags_are_taken),
        cmocka_unit_test(wrong_flags_are_named),
        cmocka_unit_test(secrets_vanish_from_argv_but_names_of_files_stay),
        cmocka_unit_test(folders_are_read_in_lexical_order_and_flags_win),
        cmocka_unit_test(keys_and_tokens_come_from_files),
        cmocka_unit_test(a_keyring_damaged_anywhere_is_read_or_refused),
        cmocka_unit_test(base64_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
