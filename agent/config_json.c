/* SPDX-License-Identifier: MIT
 *
 * Configuration files: JSON objects turned into the fields of config.h. An unknown key is refused with the file, the line and
 * the key that was probably meant, because a misspelt key that is silently ignored is found in the worst of moments.
 */
#include "agent/config.h"
#include "agent/definition.h"
#include "agent/disk.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <strings.h>
#include <sys/stat.h>

#define FILE_BYTES_MAX ((size_t)1 << 20)

struct place {
    const char *json, *name;
    char *error;
    size_t size;
};

/* The line of "key": in an object, at any depth; the text is known to be valid JSON. */
static unsigned line_of(const char *json, const char *key)
{
    unsigned line = 1;
    size_t length = strlen(key);
    for (const char *p = json; *p != '\0'; p++) {
        line += *p == '\n';
        if (*p != '"') {
            continue;
        }
        const char *start = p + 1;
        for (p++; *p != '"' && *p != '\0'; p++) {
            p += *p == '\\' && p[1] != '\0';
        }
        if (*p == '\0') {
            break;
        }
        const char *after = p + 1 + strspn(p + 1, " \t\r\n");
        if ((size_t)(p - start) == length && memcmp(start, key, length) == 0 && *after == ':') {
            return line;
        }
    }
    return line;
}

static bool refuse(const struct place *at, const char *key, const char *what)
{
    snprintf(at->error, at->size, "%s:%u: %s", at->name, line_of(at->json, key), what);
    return false;
}

static bool refuse_type(const struct place *at, const char *key, const char *type)
{
    struct text what = {0};
    text_printf(&what, "'%s' must be %s", key, type);
    refuse(at, key, what.data);
    text_deinit(&what);
    return false;
}

/* Hands a value to config_set as a flag would have it, and puts file and line before what it says. */
static bool set_text(struct config *config, const struct config_field *field, const char *key, const char *value,
                     const struct place *at)
{
    char what[400];
    return config_set(config, field, value, what, sizeof what) ? true : refuse(at, key, what);
}

static bool set_integer(struct config *config, const struct config_field *field, const char *key, const json_t *value,
                        const struct place *at)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(value));
    return set_text(config, field, key, digits, at);
}

static bool set_words(struct config *config, const struct config_field *field, const json_t *value, const struct place *at)
{
    size_t i;
    json_t *word;
    if (!json_is_array(value)) {
        return refuse_type(at, field->key, "an array of strings");
    }
    json_array_foreach((json_t *)value, i, word) {
        if (!json_is_string(word)) {
            return refuse_type(at, field->key, "an array of strings");
        }
        lists_add_word((struct words *)(void *)((char *)config + field->offset), json_string_value(word));
    }
    return true;
}

static bool set_services(struct config *config, const struct config_field *field, const json_t *value, const struct place *at)
{
    size_t i;
    json_t *object;
    if (!json_is_array(value)) {
        return refuse_type(at, field->key, "an array of objects");
    }
    json_array_foreach((json_t *)value, i, object) {
        struct definition definition;
        struct complaint complaint;
        bool is_fine = definition_read(&definition, object, &complaint);
        definition_free(&definition);
        if (!is_fine) {
            return refuse(at, complaint.key, complaint.text);
        }
        char *text = must(json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS));
        lists_add_word(&config->services, text);
        free(text);
    }
    return true;
}

static bool set_tags(struct config *config, const struct config_field *field, const json_t *value, const struct place *at)
{
    const char *key;
    json_t *tag;
    if (!json_is_object(value)) {
        return refuse_type(at, field->key, "an object of strings");
    }
    json_object_foreach((json_t *)value, key, tag) {
        if (!json_is_string(tag)) {
            return refuse_type(at, key, "a string");
        }
        lists_set_tag(&config->tags, key, json_string_value(tag));
    }
    return true;
}

static bool set_numbers(struct config *config, const struct config_field *field, const json_t *value, const struct place *at)
{
    const char *key;
    json_t *number;
    if (!json_is_object(value)) {
        return refuse_type(at, field->key, "an object of whole numbers");
    }
    json_object_foreach((json_t *)value, key, number) {
        if (!json_is_integer(number) && !json_is_boolean(number)) {
            return refuse_type(at, key, "a whole number");
        }
        json_int_t count = json_is_true(number) ? 1 : json_is_false(number) ? 0 : json_integer_value(number);
        struct text pair = {0};
        text_printf(&pair, "%s=%lld", key, (long long)count);
        bool is_set = set_text(config, field, key, pair.data, at);
        text_deinit(&pair);
        if (!is_set) {
            return false;
        }
    }
    return true;
}

/* Serf names the fields of this one as Go does; underscores do not matter to its decoder's tags. */
static bool set_mdns(struct config *config, const json_t *value, const struct place *at)
{
    const char *key;
    json_t *field;
    if (!json_is_object(value)) {
        return refuse_type(at, "mdns", "an object");
    }
    json_object_foreach((json_t *)value, key, field) {
        bool is_4 = strcasecmp(key, "disable_ipv4") == 0 || strcasecmp(key, "disableipv4") == 0;
        bool is_6 = strcasecmp(key, "disable_ipv6") == 0 || strcasecmp(key, "disableipv6") == 0;
        bool is_interface = strcasecmp(key, "iface") == 0 || strcasecmp(key, "interface") == 0;
        if (!is_4 && !is_6 && !is_interface) {
            return refuse(at, key, "unknown key in 'mdns': there are interface, disable_ipv4 and disable_ipv6");
        }
        if (is_interface ? !json_is_string(field) : !json_is_boolean(field)) {
            return refuse_type(at, key, is_interface ? "a string" : "true or false");
        }
        if (is_interface) {
            free(config->mdns.interface);
            config->mdns.interface = must(strdup(json_string_value(field)));
        } else if (is_4) {
            config->mdns.has_no_ipv4 = json_is_true(field);
        } else {
            config->mdns.has_no_ipv6 = json_is_true(field);
        }
    }
    return true;
}

static bool set_field(struct config *config, const struct config_field *field, const json_t *value, const struct place *at)
{
    switch (field->kind) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
    case CONFIG_ROLE:
    case CONFIG_SPAN:
    case CONFIG_NUMBER_SPAN:
        return !json_is_string(value) ? refuse_type(at, field->key, "a string")
                                      : set_text(config, field, field->key, json_string_value(value), at);
    case CONFIG_SWITCH:
    case CONFIG_NUMBER_ON:
    case CONFIG_NUMBER_OFF:
        return !json_is_boolean(value) ? refuse_type(at, field->key, "true or false")
                                       : set_text(config, field, field->key, json_is_true(value) ? "true" : "false", at);
    case CONFIG_COUNT:
    case CONFIG_NUMBER:
        return !json_is_integer(value) ? refuse_type(at, field->key, "a whole number")
                                       : set_integer(config, field, field->key, value, at);
    case CONFIG_WORDS:
        return set_words(config, field, value, at);
    case CONFIG_SERVICES:
        return set_services(config, field, value, at);
    case CONFIG_TAGS:
        return set_tags(config, field, value, at);
    case CONFIG_NUMBERS:
        return set_numbers(config, field, value, at);
    case CONFIG_MDNS:
        return set_mdns(config, value, at);
    default:
        return set_text(config, field, field->key, NULL, at);
    }
}

static bool refuse_key(const struct place *at, const char *key)
{
    const char *nearest = NULL;
    uint32_t best = UINT32_MAX;
    for (size_t i = 0; i < config_field_count; i++) {
        if (config_fields[i].key != NULL && text_is_nearer(key, config_fields[i].key, &best)) {
            nearest = config_fields[i].key;
        }
    }
    struct text what = {0};
    text_printf(&what, "unknown key '%s'", key);
    if (nearest != NULL) {
        text_printf(&what, "; did you mean '%s'?", nearest);
    }
    refuse(at, key, what.data);
    text_deinit(&what);
    return false;
}

static bool set_object(struct config *config, const json_t *object, const struct place *at)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        size_t i = 0;
        while (i < config_field_count && (config_fields[i].key == NULL || strcasecmp(config_fields[i].key, key) != 0)) {
            i++; /* Serf's decoder takes any case, too */
        }
        if (i == config_field_count) {
            return refuse_key(at, key);
        }
        if (!set_field(config, &config_fields[i], value, at)) {
            return false;
        }
    }
    return true;
}

/* What a file says may stand in an error: it must not break the line or speak to the terminal. */
static void keep_in_line(char *error)
{
    for (; *error != 0; error++) {
        if ((unsigned char)*error < ' ' || *error == 0x7f) {
            *error = '?';
        }
    }
}

static bool parse(struct config *config, const char *json, const char *name, char *error, size_t size)
{
    json_error_t problem;
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &problem);
    if (object == NULL) {
        snprintf(error, size, "%s:%d: %s", name, problem.line, problem.text);
        return false;
    }
    bool is_set = false;
    if (!json_is_object(object)) {
        snprintf(error, size, "%s:1: a configuration file must be a JSON object", name);
    } else {
        struct place at = {json, name, error, size};
        is_set = set_object(config, object, &at);
    }
    json_decref(object);
    return is_set;
}

bool config_parse(struct config *config, const char *json, const char *name, char *error, size_t size)
{
    bool is_set = parse(config, json, name, error, size);
    if (!is_set) {
        keep_in_line(error);
    }
    return is_set;
}

static bool read_file(struct config *config, const char *path, char *error, size_t size)
{
    size_t length;
    char *json = disk_read(path, FILE_BYTES_MAX, &length, error, size);
    if (json == NULL) {
        return false;
    }
    bool is_set = strlen(json) == length && config_parse(config, json, path, error, size);
    if (strlen(json) != length) {
        snprintf(error, size, "%s: contains a NUL byte, that cannot be JSON", path);
    }
    explicit_bzero(json, length);
    free(json);
    return is_set;
}

static int is_json_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool read_folder(struct config *config, const char *path, char *error, size_t size)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_json_file, by_bytes);
    if (count < 0) {
        snprintf(error, size, "cannot read folder %s: %s", path, strerror(errno));
        return false;
    }
    bool is_set = true;
    for (int i = 0; i < count; i++) {
        struct text file = {0};
        text_printf(&file, "%s/%s", path, entries[i]->d_name);
        is_set = is_set && read_file(config, file.data, error, size);
        text_deinit(&file);
        free(entries[i]);
    }
    free(entries);
    return is_set;
}

bool config_read(struct config *config, const char *path, char *error, size_t size)
{
    struct stat facts;
    bool is_folder = stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
    return is_folder ? read_folder(config, path, error, size) : read_file(config, path, error, size);
}
