/* SPDX-License-Identifier: MIT
 *
 * Profiles and checks of options, all from the one table in options.h. Profiles: memberlist config.go (DefaultLANConfig, DefaultWANConfig,
 * DefaultLocalConfig).
 */
#include <hearsay/options.h>
#include <hearsay/store.h>

#include "wire/serf_message.h"

static const struct hearsay_number numbers[] = {
#define NUMBER(field, lan, least, most, unit, sentence) {#field, unit, sentence, lan, least, most},
    HEARSAY_NUMBERS(NUMBER)
#undef NUMBER
};

static const size_t offsets[] = {
#define OFFSET(field, lan, least, most, unit, sentence) offsetof(struct hearsay_options, field),
    HEARSAY_NUMBERS(OFFSET)
#undef OFFSET
};

#define NUMBER_COUNT (sizeof numbers / sizeof numbers[0])

static uint32_t *field_of(struct hearsay_options *o, size_t index)
{
    return (uint32_t *)(void *)((char *)o + offsets[index]);
}

static uint32_t value_of(const struct hearsay_options *o, size_t index)
{
    uint32_t value;
    memcpy(&value, (const char *)o + offsets[index], sizeof value);
    return value;
}

size_t hearsay_number_count(void)
{
    return NUMBER_COUNT;
}

const struct hearsay_number *hearsay_number_at(size_t index)
{
    return index < NUMBER_COUNT ? &numbers[index] : NULL;
}

static size_t find_number(const char *name)
{
    size_t i = 0;
    while (i < NUMBER_COUNT && !bytes_equal(bytes_of_string(numbers[i].name), bytes_of_string(name))) {
        i++;
    }
    return i;
}

hearsay_err hearsay_options_set(struct hearsay_options *options, const char *name, uint64_t value)
{
    size_t i = find_number(name);
    if (i == NUMBER_COUNT || value < numbers[i].least || value > numbers[i].most) {
        return HEARSAY_ERR_OPTION;
    }
    *field_of(options, i) = (uint32_t)value;
    return HEARSAY_OK;
}

uint32_t hearsay_options_get(const struct hearsay_options *options, const char *name)
{
    size_t i = find_number(name);
    return i == NUMBER_COUNT ? 0 : value_of(options, i);
}

void hearsay_options_lan(struct hearsay_options *options)
{
    *options = (struct hearsay_options){.size = sizeof *options, .personality = HEARSAY_SERF, .delegate_versions = {2, 5, 5}};
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        *field_of(options, i) = numbers[i].lan_default;
    }
}

void hearsay_options_wan(struct hearsay_options *o)
{
    hearsay_options_lan(o);
    o->stream_timeout_ms = 30000;
    o->suspicion_mult = 6;
    o->push_pull_interval_ms = 60000;
    o->probe_interval_ms = 5000;
    o->probe_timeout_ms = 3000;
    o->gossip_interval_ms = 500;
    o->gossip_nodes = 4;
    o->gossip_to_the_dead_ms = 60000;
}

void hearsay_options_local(struct hearsay_options *o)
{
    hearsay_options_lan(o);
    o->stream_timeout_ms = 1000;
    o->indirect_checks = 1;
    o->retransmit_mult = 2;
    o->suspicion_mult = 3;
    o->push_pull_interval_ms = 15000;
    o->probe_timeout_ms = 200;
    o->gossip_interval_ms = 100;
    o->store_interval_ms = 100;
    o->gossip_to_the_dead_ms = 15000;
}

void hearsay_options_memberlist(struct hearsay_options *o)
{
    o->personality = HEARSAY_MEMBERLIST;
    memset(o->delegate_versions, 0, sizeof o->delegate_versions);
    o->eager = 0;
    o->attended_time = 0;
    o->healing = 0;
    o->announce_abilities = 0;
    o->coordinates = 0;
}

void hearsay_options_cassandra(struct hearsay_options *o)
{
    o->store = 1;
    o->store_mode = HEARSAY_PUSH_PULL;
    o->store_fanout = 1;
    o->store_interval_ms = 1000;
    o->store_cassandra = 1;
}

static hearsay_err check_name_and_address(const struct hearsay_options *o, const char **what)
{
    size_t name = bytes_of_string(o->name).size;
    *what = "name";
    if (name == 0 || name > HEARSAY_NAME_MAX) {
        return HEARSAY_ERR_NAME;
    }
    *what = "advertise";
    if ((o->advertise.size != 4 && o->advertise.size != 16) || o->advertise.port == 0) {
        return HEARSAY_ERR_ADDRESS;
    }
    *what = "label";
    return bytes_of_string(o->label).size > HEARSAY_LABEL_MAX ? HEARSAY_ERR_TOO_LARGE : HEARSAY_OK;
}

static hearsay_err check_keys(const struct hearsay_options *o, const char **what)
{
    *what = "keys";
    if (o->key_count > HEARSAY_KEYS_MAX) {
        return HEARSAY_ERR_TOO_LARGE;
    }
    for (size_t i = 0; i < o->key_count; i++) {
        uint8_t size = o->keys[i].size;
        if (size != 16 && size != 24 && size != 32) {
            return HEARSAY_ERR_KEY;
        }
    }
    *what = "cipher";
    bool has_cipher = o->cipher.seal != NULL && o->cipher.open != NULL && o->cipher.nonce != NULL;
    return o->key_count > 0 && !has_cipher ? HEARSAY_ERR_NO_CIPHER : HEARSAY_OK;
}

static hearsay_err check_meta(const struct hearsay_options *o, const char **what)
{
    uint8_t bytes[HEARSAY_META_MAX];
    struct writer w = writer_of(bytes, sizeof bytes);
    *what = o->personality == HEARSAY_SERF ? "tags" : "meta";
    if (o->personality == HEARSAY_SERF) {
        serf_tags_encode(&w, o->tags, o->tag_count);
    }
    return w.is_full || o->meta.size > HEARSAY_META_MAX ? HEARSAY_ERR_TOO_LARGE : HEARSAY_OK;
}

hearsay_err hearsay_options_check(const struct hearsay_options *o, const char **what)
{
    *what = "size";
    if (o->size != sizeof *o) {
        return HEARSAY_ERR_OPTION;
    }
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        uint32_t value = value_of(o, i);
        if (value < numbers[i].least || value > numbers[i].most) {
            *what = numbers[i].name;
            return HEARSAY_ERR_OPTION;
        }
    }
    hearsay_err err = check_name_and_address(o, what);
    err = err != HEARSAY_OK ? err : check_keys(o, what);
    return err != HEARSAY_OK ? err : check_meta(o, what);
}
