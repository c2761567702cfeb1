/* SPDX-License-Identifier: MIT
 *
 * See config.h. Reading of JSON is in config_json.c.
 */
#include "agent/config.h"

#include <hearsay/options.h>
#include <stddef.h>
#include <unistd.h>

#define AT(field) offsetof(struct config, field)

const struct config_field config_fields[] = {
    {"node_name", "node", CONFIG_TEXT, AT(node_name), NULL, "NAME",
     "name of this node, unique in the cluster (default: host name)"},
    {"bind", "bind", CONFIG_TEXT, AT(bind), NULL, "ADDR", "address for gossip, UDP and TCP (default 0.0.0.0:7946)"},
    {"advertise", "advertise", CONFIG_TEXT, AT(advertise), NULL, "ADDR",
     "address that others are told (default: derived from --bind)"},
    {"interface", "iface", CONFIG_TEXT, AT(interface), NULL, "NAME",
     "bind to the first address of this network interface"},
    {"rpc_addr", "rpc-addr", CONFIG_TEXT, AT(rpc_addr), NULL, "ADDR", "address for RPC (default 127.0.0.1:7373)"},
    {"rpc_auth", "rpc-auth", CONFIG_SECRET, AT(rpc_auth), NULL, "TOKEN",
     "token that RPC clients must show; @FILE reads it from a file"},
    {"http_addr", "http-addr", CONFIG_TEXT, AT(http_addr), NULL, "ADDR",
     "serve HTTP here, e.g. 127.0.0.1:7380 (default: not at all)"},
    {"http_token", "http-token", CONFIG_SECRET, AT(http_token), NULL, "TOKEN",
     "token that HTTP clients must show; @FILE reads it from a file"},
    {"http_tls_cert", "http-tls-cert", CONFIG_TEXT, AT(http_tls_cert), NULL, "FILE", "certificate (PEM) for HTTPS"},
    {"http_tls_key", "http-tls-key", CONFIG_TEXT, AT(http_tls_key), NULL, "FILE", "its private key (PEM)"},
    {"http_metrics", "http-metrics", CONFIG_TEXT, AT(http_metrics), NULL, "NAMES",
     "names in /metrics: hearsay, serf, memberlist, or a list (default hearsay)"},
    {"dns_addr", "dns-addr", CONFIG_TEXT, AT(dns_addr), NULL, "ADDR",
     "answer DNS here, UDP and TCP, e.g. 127.0.0.1:8600 (default: not at all)"},
    {"dns_domain", "dns-domain", CONFIG_TEXT, AT(dns_domain), NULL, "NAME", "the domain it answers for (default hearsay.)"},
    {"dns_ttl", "dns-ttl", CONFIG_SPAN, AT(dns_ttl_ms), NULL, "SPAN", "how long answers may be kept (default 0: not at all)"},
    {"start_join", "join", CONFIG_WORDS, AT(start_join), NULL, "ADDR",
     "join through this member, or exit (repeatable)"},
    {"retry_join", "retry-join", CONFIG_WORDS, AT(retry_join), NULL, "ADDR",
     "the same, tried until it works (repeatable)"},
    {"retry_interval", "retry-interval", CONFIG_SPAN, AT(retry_interval_ms), NULL, "SPAN",
     "time between such tries (default 30s)"},
    {"retry_max_attempts", "retry-max", CONFIG_COUNT, AT(retry_max), NULL, "COUNT",
     "exit after so many tries (default 0: never)"},
    {"replay_on_join", "replay", CONFIG_SWITCH, AT(is_replaying), NULL, NULL,
     "deliver user events from before the joining"},
    {"encrypt_key", "encrypt", CONFIG_SECRET, AT(encrypt_key), NULL, "KEY",
     "base64 of 16, 24 or 32 bytes; @FILE reads it from a file"},
    {"keyring_file", "keyring-file", CONFIG_TEXT, AT(keyring_file), NULL, "FILE",
     "JSON array of keys, the first encrypts; instead of --encrypt"},
    {"label", "label", CONFIG_TEXT, AT(label), NULL, "TEXT",
     "label of the cluster; nodes with another one are ignored"},
    {"tags", "tag", CONFIG_TAGS, AT(tags), NULL, "KEY=VALUE", "a tag of this node (repeatable)"},
    {"role", "role", CONFIG_ROLE, AT(tags), NULL, "NAME", "the same as --tag role=NAME"},
    {"tags_file", "tags-file", CONFIG_TEXT, AT(tags_file), NULL, "FILE", "tags live in this file; instead of --tag"},
    {"profile", "profile", CONFIG_TEXT, AT(profile), NULL, "lan|wan|local", "timings (default lan)"},
    {NULL, "config-file", CONFIG_WORDS, AT(files), NULL, "FILE",
     "JSON configuration with Serf's key names (repeatable)"},
    {NULL, "config-dir", CONFIG_WORDS, AT(files), NULL, "FOLDER",
     "every *.json in it, in lexical order (repeatable)"},
    {"data_dir", "data-dir", CONFIG_TEXT, AT(data_dir), NULL, "FOLDER",
     "keeps the snapshot, the address book of members, and the store"},
    {"store", "store", CONFIG_SWITCH, AT(is_storing), NULL, NULL, "take part in the shared store of hearsay agents"},
    {"store_profile", "store-profile", CONFIG_TEXT, AT(store_profile), NULL, "default|cassandra", "how the store gossips (default default)"},
    {"store_secret", "store-secret", CONFIG_SECRET, AT(store_secret), NULL, "TEXT",
     "keys the store's hashes, the same everywhere; @FILE reads it from a file"},
    {"snapshot_path", "snapshot", CONFIG_TEXT, AT(snapshot_path), NULL, "FILE",
     "Serf's snapshot (default: in --data-dir, if given)"},
    {"rejoin_after_leave", "rejoin", CONFIG_SWITCH, AT(rejoins), NULL, NULL, "use the snapshot even after a leave"},
    {"enable_compression", NULL, CONFIG_SWITCH, AT(is_compressing), NULL, NULL, NULL},
    {NULL, "disable-compression", CONFIG_SWITCH_OFF, AT(is_compressing), NULL, NULL, "send uncompressed"},
    {"log_level", "log-level", CONFIG_TEXT, AT(log_level), NULL, "LEVEL",
     "trace, debug, info, warn or err (default info)"},
    {"enable_syslog", "syslog", CONFIG_SWITCH, AT(has_syslog), NULL, NULL, "log to the system's log, too"},
    {"syslog_facility", NULL, CONFIG_TEXT, AT(syslog_facility), NULL, NULL, NULL},
    {"statsd_addr", "statsd", CONFIG_TEXT, AT(statsd_addr), NULL, "HOST:PORT", "send figures to this statsd, over UDP"},
    {"statsite_addr", "statsite", CONFIG_TEXT, AT(statsite_addr), NULL, "HOST:PORT", "send figures to this statsite, over TCP"},
    {"validate_node_names", NULL, CONFIG_NUMBER_ON, 0, "plain_names", NULL, NULL},
    {"protocol", "protocol", CONFIG_COUNT, AT(protocol), NULL, "2..5", "Serf protocol to speak (default 5)"},
    {"protocol_personality", "protocol-personality", CONFIG_TEXT, AT(personality), NULL, "serf|memberlist",
     "whose cluster this is (default serf)"},
    {"event_handlers", "event-handler", CONFIG_WORDS, AT(event_handlers), NULL, "[EVENT=]SCRIPT",
     "run SCRIPT for events: member-join, user:NAME, … (repeatable)"},
    {"services", NULL, CONFIG_SERVICES, AT(services), NULL, NULL, NULL},
    {"handler_timeout", "handler-timeout", CONFIG_SPAN, AT(handler_timeout_ms), NULL, "SPAN",
     "longest run of a script (default 10m; 0: no limit)"},
    {"handler_limit", "handler-limit", CONFIG_COUNT, AT(handler_limit), NULL, "COUNT",
     "scripts that run at the same time (default 8)"},
    {"coalesce_period", "coalesce-period", CONFIG_SPAN, AT(coalesce_period_ms), NULL, "SPAN",
     "gather events so long before telling (default 3s; 0: never)"},
    {"coalesce_quiet", "coalesce-quiet", CONFIG_SPAN, AT(coalesce_quiet_ms), NULL, "SPAN",
     "or until nothing came for so long (default 1s)"},
    {"event_log", "event-log", CONFIG_TEXT, AT(event_log), NULL, "FILE",
     "append every event as a JSON line; - is stdout"},
    {"record", "record", CONFIG_TEXT, AT(record), NULL, "FILE",
     "record every input on a tape for hearsay sim replay"},
    {"leave_on_terminate", "leave-on-term", CONFIG_SWITCH, AT(leaves_on_term), NULL, NULL,
     "leave gracefully on SIGTERM too"},
    {"skip_leave_on_interrupt", NULL, CONFIG_SWITCH, AT(stays_on_int), NULL, NULL, NULL},
    {"numbers", "set", CONFIG_NUMBERS, 0, NULL, "NAME=NUMBER",
     "any number of the protocol (repeatable); `hearsay agent --set help`"},
    {"broadcast_timeout", "broadcast-timeout", CONFIG_NUMBER_SPAN, 0, "broadcast_timeout_ms", "SPAN",
     "longest wait when leaving (default 5s)"},
    {"reconnect_timeout", NULL, CONFIG_NUMBER_SPAN, 0, "reconnect_timeout_ms", NULL, NULL},
    {"tombstone_timeout", NULL, CONFIG_NUMBER_SPAN, 0, "tombstone_timeout_ms", NULL, NULL},
    {"recent_intent_timeout", NULL, CONFIG_NUMBER_SPAN, 0, "intent_timeout_ms", NULL, NULL},
    {"user_event_size_limit", NULL, CONFIG_NUMBER, 0, "event_bytes_max", NULL, NULL},
    {"query_size_limit", NULL, CONFIG_NUMBER, 0, "query_bytes_max", NULL, NULL},
    {"discover", "discover", CONFIG_TEXT, AT(discover), NULL, "NAME", "find the agents of this name by multicast DNS, and join them"},
    {"mdns", NULL, CONFIG_MDNS, 0, NULL, NULL, NULL},
    {"query_response_size_limit", NULL, CONFIG_NUMBER, 0, "response_bytes_max", NULL, NULL},
    {"reconnect_interval", NULL, CONFIG_NUMBER_SPAN, 0, "reconnect_interval_ms", NULL, NULL},
    {"disable_name_resolution", NULL, CONFIG_NUMBER_OFF, 0, "name_conflicts", NULL, NULL},
    {"msgpack_use_new_time_format", NULL, CONFIG_SWITCH, AT(has_new_times), NULL, NULL, NULL},
    {"disable_coordinates", NULL, CONFIG_NUMBER_OFF, 0, "coordinates", NULL, NULL},
    {NULL, "help", CONFIG_HELP, 0, NULL, NULL, "this text"},
};
const size_t config_field_count = sizeof config_fields / sizeof config_fields[0];

static void *place_of(struct config *config, const struct config_field *field)
{
    return (char *)config + field->offset;
}

static bool is_integer(enum config_kind kind)
{
    return kind == CONFIG_SWITCH || kind == CONFIG_COUNT || kind == CONFIG_SPAN;
}

static bool is_text(enum config_kind kind)
{
    return kind == CONFIG_TEXT || kind == CONFIG_SECRET;
}

void config_init(struct config *config)
{
    *config = (struct config){0};
    for (size_t i = 0; i < config_field_count; i++) {
        if (is_integer(config_fields[i].kind)) {
            *(int64_t *)place_of(config, &config_fields[i]) = -1;
        }
    }
}

static void replace(char **place, const char *value)
{
    if (*place != NULL) {
        explicit_bzero(*place, strlen(*place));
        free(*place);
    }
    *place = value == NULL ? NULL : must(strdup(value));
}

void config_deinit(struct config *config)
{
    for (size_t i = 0; i < config_field_count; i++) {
        if (is_text(config_fields[i].kind)) {
            replace(place_of(config, &config_fields[i]), NULL);
        }
    }
    lists_free_words(&config->event_handlers);
    lists_free_words(&config->services);
    lists_free_words(&config->start_join);
    lists_free_words(&config->retry_join);
    lists_free_words(&config->files);
    lists_free_tags(&config->tags);
    replace(&config->mdns.interface, NULL);
    free(config->numbers);
    *config = (struct config){0};
}

static void default_text(char **place, const char *value)
{
    if (*place == NULL) {
        replace(place, value);
    }
}

static void default_integer(int64_t *place, int64_t value)
{
    *place = *place < 0 ? value : *place;
}

void config_default(struct config *config)
{
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) == 0 && host[0] != '\0') {
        default_text(&config->node_name, host);
    }
    default_text(&config->bind, "0.0.0.0:7946");
    default_text(&config->rpc_addr, "127.0.0.1:7373");
    default_text(&config->http_metrics, "hearsay");
    default_text(&config->dns_domain, "hearsay.");
    default_text(&config->log_level, "INFO");
    default_text(&config->profile, "lan");
    default_text(&config->personality, "serf");
    default_text(&config->syslog_facility, "LOCAL0");
    default_integer(&config->has_syslog, 0);
    default_text(&config->store_profile, "default");
    default_integer(&config->retry_interval_ms, 30000);
    default_integer(&config->retry_max, 0);
    default_integer(&config->dns_ttl_ms, 0);
    default_integer(&config->handler_timeout_ms, 600000);
    default_integer(&config->handler_limit, 8);
    default_integer(&config->coalesce_period_ms, 3000);
    default_integer(&config->coalesce_quiet_ms, 1000);
    default_integer(&config->protocol, 5);
    default_integer(&config->is_compressing, 1);
    default_integer(&config->is_replaying, 0);
    default_integer(&config->leaves_on_term, 0);
    default_integer(&config->stays_on_int, 0);
    default_integer(&config->rejoins, 0);
}

static bool parse_count(const char *text, int64_t *out)
{
    int64_t value = 0;
    if (text[0] == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || value > INT64_MAX / 20) {
            return false;
        }
        value = value * 10 + (*text - '0');
    }
    *out = value;
    return true;
}

bool config_parse_span(const char *text, int64_t *ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}};
    double sum = 0;
    if (strcmp(text, "0") == 0) {
        *ms = 0;
        return true;
    }
    do {
        char *end;
        if ((text[0] < '0' || text[0] > '9') && text[0] != '.') {
            return false;
        }
        size_t digits = strspn(text, "0123456789.");
        double value = strtod(text, &end);
        if (end != text + digits) {
            return false;
        }
        size_t letters = strspn(end, "numsh"), unit = 0;
        while (unit < 6 && (strlen(units[unit].unit) != letters || strncmp(units[unit].unit, end, letters) != 0)) {
            unit++;
        }
        if (unit == 6) {
            return false;
        }
        sum += value * units[unit].ms;
        text = end + letters;
    } while (*text != '\0');
    if (sum > 1e12) {
        return false;
    }
    *ms = (int64_t)(sum + 0.5);
    return true;
}

static void add_number(struct config *config, const char *name, uint64_t value)
{
    for (size_t i = 0; i < config->number_count; i++) {
        if (strcmp(config->numbers[i].name, name) == 0) {
            config->numbers[i].value = value;
            return;
        }
    }
    config->numbers = must(realloc(config->numbers, (config->number_count + 1) * sizeof *config->numbers));
    config->numbers[config->number_count++] = (struct config_number){name, value};
}

static const struct hearsay_number *number_named(const char *name, size_t length, const char **nearest)
{
    char word[64];
    uint32_t best = UINT32_MAX;
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    *nearest = NULL;
    for (size_t i = 0; i < hearsay_number_count(); i++) {
        const struct hearsay_number *number = hearsay_number_at(i);
        if (strlen(number->name) == length && strncmp(number->name, name, length) == 0) {
            return number;
        }
        if (text_is_nearer(word, number->name, &best)) {
            *nearest = number->name;
        }
    }
    return NULL;
}

static bool set_number(struct config *config, const char *name, size_t length, int64_t value, char *error, size_t size)
{
    const char *nearest;
    const struct hearsay_number *number = number_named(name, length, &nearest);
    if (number == NULL) {
        snprintf(error, size, "there is no number called '%.*s'%s%s%s", (int)length, name,
                 nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
        return false;
    }
    if (value < (int64_t)number->least || value > (int64_t)number->most) {
        snprintf(error, size, "%s must be from %u to %u (%s), not %lld", number->name, number->least, number->most,
                 number->unit, (long long)value);
        return false;
    }
    add_number(config, number->name, (uint64_t)value);
    return true;
}

/* NAME=VALUE of a flag. */
static bool set_pair(struct config *config, const struct config_field *field, const char *value, char *error, size_t size)
{
    const char *equals = strchr(value, '=');
    int64_t count;
    if (equals == NULL || equals == value) {
        snprintf(error, size, "--%s must be %s, not '%s'", field->flag, field->argument, value);
        return false;
    }
    if (field->kind == CONFIG_TAGS) {
        struct hearsay_bytes key = {(const uint8_t *)value, (size_t)(equals - value)};
        lists_set_tag_bytes(&config->tags, key, (struct hearsay_bytes){(const uint8_t *)equals + 1, strlen(equals + 1)});
        return true;
    }
    if (!parse_count(equals + 1, &count)) {
        snprintf(error, size, "--%s %s: '%s' is no whole number", field->flag, value, equals + 1);
        return false;
    }
    return set_number(config, value, (size_t)(equals - value), count, error, size);
}

static bool set_switch(int64_t *place, bool is_inverted, const char *value)
{
    bool is_on = value == NULL || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
    if (!is_on && strcmp(value, "false") != 0 && strcmp(value, "0") != 0) {
        return false;
    }
    *place = is_on != is_inverted;
    return true;
}

bool config_set(struct config *config, const struct config_field *field, const char *value, char *error, size_t size)
{
    void *place = place_of(config, field);
    int64_t number = 0;
    bool is_fine = true;
    switch (field->kind) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        replace(place, value);
        return true;
    case CONFIG_SWITCH:
    case CONFIG_SWITCH_OFF:
        is_fine = set_switch(place, field->kind == CONFIG_SWITCH_OFF, value);
        break;
    case CONFIG_COUNT:
        is_fine = parse_count(value, place);
        break;
    case CONFIG_SPAN:
        is_fine = config_parse_span(value, place);
        break;
    case CONFIG_WORDS:
    case CONFIG_SERVICES:
        lists_add_word(place, value);
        return true;
    case CONFIG_TAGS:
    case CONFIG_NUMBERS:
        return set_pair(config, field, value, error, size);
    case CONFIG_ROLE:
        lists_set_tag(&config->tags, "role", value);
        return true;
    case CONFIG_NUMBER:
    case CONFIG_NUMBER_SPAN:
        is_fine = field->kind == CONFIG_NUMBER ? parse_count(value, &number) : config_parse_span(value, &number);
        if (is_fine) {
            return set_number(config, field->number, strlen(field->number), number, error, size);
        }
        break;
    case CONFIG_NUMBER_ON:
    case CONFIG_NUMBER_OFF:
        is_fine = set_switch(&number, field->kind == CONFIG_NUMBER_OFF, value);
        if (is_fine) {
            return set_number(config, field->number, strlen(field->number), number, error, size);
        }
        break;
    case CONFIG_MDNS: /* files only: config_json.c */
    case CONFIG_HELP:
        return true;
    }
    if (!is_fine) {
        bool is_span = field->kind == CONFIG_SPAN || field->kind == CONFIG_NUMBER_SPAN;
        bool is_count = field->kind == CONFIG_COUNT || field->kind == CONFIG_NUMBER;
        snprintf(error, size, "%s: '%s' is no %s", field->flag != NULL ? field->flag : field->key, value,
                 is_span ? "time span such as 30s or 1m30s" : is_count ? "whole number" : "switch (true or false)");
    }
    return is_fine;
}

static void merge_words(struct words *into, const struct words *from)
{
    for (size_t i = 0; i < from->count; i++) {
        lists_add_word(into, from->at[i]);
    }
}

void config_merge(struct config *into, const struct config *from)
{
    for (size_t i = 0; i < config_field_count; i++) {
        const struct config_field *field = &config_fields[i];
        const char *source = (const char *)from + field->offset;
        if (is_text(field->kind) && *(char *const *)(const void *)source != NULL) {
            replace(place_of(into, field), *(char *const *)(const void *)source);
        } else if (is_integer(field->kind) && *(const int64_t *)(const void *)source >= 0) {
            *(int64_t *)place_of(into, field) = *(const int64_t *)(const void *)source;
        } else if ((field->kind == CONFIG_WORDS || field->kind == CONFIG_SERVICES) && field->key != NULL) {
            merge_words(place_of(into, field), (const struct words *)(const void *)source);
        }
    }
    if (from->mdns.interface != NULL) {
        replace(&into->mdns.interface, from->mdns.interface);
    }
    into->mdns.has_no_ipv4 |= from->mdns.has_no_ipv4;
    into->mdns.has_no_ipv6 |= from->mdns.has_no_ipv6;
    lists_copy_tags(&into->tags, &from->tags);
    for (size_t i = 0; i < from->number_count; i++) {
        add_number(into, from->numbers[i].name, from->numbers[i].value);
    }
}
