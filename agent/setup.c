/* SPDX-License-Identifier: MIT
 *
 * See setup.h.
 */
#include "agent/setup.h"

#include "agent/disk.h"
#include "agent/expression.h"
#include "agent/secret.h"

#include <jansson.h>
#include <unistd.h>

#define PLAIN_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

bool setup_gather(const struct config *flags, struct config *config, char *error, size_t size)
{
    config_init(config);
    for (size_t i = 0; i < flags->files.count; i++) {
        if (!config_read(config, flags->files.at[i], error, size)) {
            return false;
        }
    }
    config_merge(config, flags);
    config_default(config);
    if (config->data_dir != NULL && config->snapshot_path == NULL) {
        struct text path = {0};
        text_printf(&path, "%s/snapshot", config->data_dir);
        config->snapshot_path = path.data;
    }
    return true;
}

bool setup_resolve(struct config *config, char *error, size_t size)
{
    secret_from_environment(&config->encrypt_key, "HEARSAY_ENCRYPT");
    secret_from_environment(&config->rpc_auth, "HEARSAY_RPC_AUTH");
    if (config->rpc_auth != NULL && config->rpc_auth[0] == '\0') {
        snprintf(error, size, "the RPC token is empty; leave --rpc-auth out for RPC without a token");
        return false;
    }
    secret_from_environment(&config->http_token, "HEARSAY_HTTP_TOKEN");
    return secret_resolve(&config->store_secret, "--store-secret", error, size)
           && secret_resolve(&config->http_token, "--http-token", error, size)
           && secret_resolve(&config->encrypt_key, "--encrypt", error, size)
           && secret_resolve(&config->rpc_auth, "--rpc-auth", error, size);
}

bool setup_tags(const struct config *config, struct taglist *tags, char *error, size_t size)
{
    if (config->tags_file == NULL) {
        lists_copy_tags(tags, &config->tags);
        return true;
    }
    if (config->tags.count > 0) {
        snprintf(error, size, "tags cannot be configured while a tags file is used: put them into %s", config->tags_file);
        return false;
    }
    if (access(config->tags_file, F_OK) != 0) {
        return true; /* it will be written when tags change */
    }
    size_t length;
    json_error_t problem;
    char *content = disk_read(config->tags_file, 65536, &length, error, size);
    if (content == NULL) {
        return false;
    }
    json_t *object = json_loads(content, 0, &problem), *value;
    const char *key;
    bool is_fine = json_is_object(object);
    json_object_foreach(object, key, value) {
        if (!json_is_string(value)) {
            is_fine = false;
            break;
        }
        lists_set_tag(tags, key, json_string_value(value));
    }
    if (!is_fine) {
        snprintf(error, size, "tags file %s must be a JSON object of strings", config->tags_file);
    }
    json_decref(object);
    free(content);
    return is_fine;
}

static bool set_profile(const struct config *config, struct hearsay_options *options, char *error, size_t size)
{
    bool is_wan = strcmp(config->profile, "wan") == 0, is_local = strcmp(config->profile, "local") == 0;
    if (!is_wan && !is_local && strcmp(config->profile, "lan") != 0) {
        snprintf(error, size, "unknown profile '%s': it must be lan, wan or local", config->profile);
        return false;
    }
    (is_wan ? hearsay_options_wan : is_local ? hearsay_options_local : hearsay_options_lan)(options);
    bool is_plain = strcmp(config->personality, "memberlist") == 0;
    if (!is_plain && strcmp(config->personality, "serf") != 0) {
        snprintf(error, size, "unknown personality '%s': it must be serf or memberlist", config->personality);
        return false;
    }
    if (is_plain) {
        hearsay_options_memberlist(options);
    } else if (config->protocol < 2 || config->protocol > 5) {
        snprintf(error, size, "protocol %lld is not spoken here: it must be from 2 to 5", (long long)config->protocol);
        return false;
    } else {
        options->delegate_versions[2] = (uint8_t)config->protocol;
    }
    return true;
}

static bool set_store_profile(const struct config *config, struct hearsay_options *options, char *error, size_t size)
{
    bool is_cassandra = strcmp(config->store_profile, "cassandra") == 0;
    if (!is_cassandra && strcmp(config->store_profile, "default") != 0) {
        snprintf(error, size, "unknown store profile '%s': it must be default or cassandra", config->store_profile);
        return false;
    }
    if (is_cassandra) {
        hearsay_options_cassandra(options);
    }
    return true;
}

static bool set_keys(const struct config *config, struct hearsay_options *options, char *error, size_t size)
{
    bool is_open = false;
    if (config->keyring_file == NULL) {
        options->key_count = config->encrypt_key != NULL;
        return config->encrypt_key == NULL
               || secret_parse_key(config->encrypt_key, "the encryption key", &options->keys[0], error, size);
    }
    if (config->encrypt_key != NULL) {
        snprintf(error, size, "an encryption key cannot be given while a keyring is used: add it to %s", config->keyring_file);
        return false;
    }
    if (!secret_read_keyring(config->keyring_file, options->keys, &options->key_count, &is_open, error, size)) {
        return false;
    }
    if (is_open) {
        log_put(LOG_WARN, "agent: keyring %s can be read by others: chmod 600 it", config->keyring_file);
    }
    return true;
}

static bool set_numbers(const struct config *config, struct hearsay_options *options, char *error, size_t size)
{
    for (size_t i = 0; i < config->number_count; i++) {
        const struct config_number *number = &config->numbers[i];
        if (hearsay_options_set(options, number->name, number->value) != HEARSAY_OK) {
            snprintf(error, size, "%s cannot be %llu", number->name, (unsigned long long)number->value);
            return false;
        }
    }
    return true;
}

static bool set_advertise(const struct config *config, struct hearsay_options *options, char *error, size_t size)
{
    if (config->advertise == NULL || hearsay_address_parse(config->advertise, 0, &options->advertise)) {
        return true;
    }
    snprintf(error, size, "cannot advertise '%s': it must be a numeric address, such as 10.0.0.5 or 10.0.0.5:7946",
             config->advertise);
    return false;
}

/* The secret is not made from the encryption key, since that may be rotated, and then a restarted agent would have another one than the rest. */
static bool set_store(const struct config *config, struct hearsay_options *options, char *error, size_t size)
{
    if (config->is_storing >= 0) {
        options->store = config->is_storing != 0;
        options->judge_events = options->store; /* event handlers say yes or no, see audience.c */
    }
    if (config->store_secret == NULL) {
        return true;
    }
    if (strlen(config->store_secret) < 16) {
        snprintf(error, size, "the store secret has %zu characters, at least 16 are needed: make one with `hearsay keygen`",
                 strlen(config->store_secret));
        return false;
    }
    secret_digest(config->store_secret, options->store_secret);
    return true;
}

bool setup_options(const struct config *config, const struct taglist *tags, struct hearsay_uv_options *options, char *error,
                   size_t size)
{
    hearsay_uv_options(options);
    struct hearsay_options *node = &options->node;
    if (!set_profile(config, node, error, size) || !set_store_profile(config, node, error, size) || !set_keys(config, node, error, size)) {
        return false;
    }
    node->name = config->node_name;
    node->label = config->label;
    node->matcher.match = expression_match;
    node->tags = tags->at;
    node->tag_count = tags->count;
    node->compression = config->is_compressing != 0;
    node->replay_on_join = config->is_replaying != 0;
    node->keyring_durable = config->keyring_file != NULL;
    options->bind = config->bind;
    options->tape = config->record;
    options->interface = config->interface;
    if (!set_numbers(config, node, error, size) || !set_store(config, node, error, size) || !set_advertise(config, node, error, size)) {
        return false;
    }
    if (node->name == NULL || node->name[0] == '\0' || strlen(node->name) > HEARSAY_NAME_MAX) {
        snprintf(error, size, "the name of this node must have 1 to %d bytes: give one with --node", HEARSAY_NAME_MAX);
        return false;
    }
    if (node->plain_names != 0
        && (strlen(node->name) > 128 || node->name[strspn(node->name, PLAIN_LETTERS)] != '\0')) {
        snprintf(error, size, "the name '%s' may have letters, digits, dashes and dots only, at most 128 (validate_node_names)", node->name);
        return false;
    }
    if (tags->count > 0 && node->personality == HEARSAY_MEMBERLIST) {
        snprintf(error, size, "plain memberlist clusters have no tags: leave --tag and --tags-file out");
        return false;
    }
    return true;
}
