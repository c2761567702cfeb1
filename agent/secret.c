/* SPDX-License-Identifier: MIT
 *
 * See secret.h.
 */
#include "agent/secret.h"

#include "agent/disk.h"

#include <jansson.h>
#include <sys/stat.h>
#include <nettle/sha2.h>

#define SECRET_BYTES_MAX ((size_t)65536)

static const char *path_in(const char *value)
{
    return value[0] == '@' ? value + 1 : strncmp(value, "file:", 5) == 0 ? value + 5 : NULL;
}

bool secret_is_path(const char *value)
{
    return path_in(value) != NULL;
}

bool secret_resolve(char **value, const char *what, char *error, size_t size)
{
    if (*value == NULL || path_in(*value) == NULL) {
        return true;
    }
    char reason[400];
    size_t length;
    char *content = disk_read(path_in(*value), SECRET_BYTES_MAX, &length, reason, sizeof reason);
    if (content == NULL) {
        snprintf(error, size, "%s: %s", what, reason);
        return false;
    }
    char *start = content + strspn(content, " \t\r\n");
    size_t end = strlen(start);
    while (end > 0 && strchr(" \t\r\n", start[end - 1]) != NULL) {
        end--;
    }
    start[end] = '\0';
    if (end == 0) {
        snprintf(error, size, "%s: %s is empty", what, path_in(*value));
    } else {
        free(*value);
        *value = must(strdup(start));
    }
    explicit_bzero(content, length);
    free(content);
    return end > 0;
}

void secret_from_environment(char **value, const char *name)
{
    char *found = getenv(name);
    if (found == NULL) {
        return;
    }
    if (*value == NULL && found[0] != '\0') {
        *value = must(strdup(found));
    }
    explicit_bzero(found, strlen(found));
    unsetenv(name);
}

bool secret_parse_key(const char *base64, const char *what, struct hearsay_key *key, char *error, size_t size)
{
    uint8_t bytes[64];
    int count = text_base64_decode(base64, bytes, sizeof bytes);
    bool is_key = count == 16 || count == 24 || count == 32;
    if (count < 0) {
        snprintf(error, size, "%s is not base64; make one with `hearsay keygen`", what);
    } else if (!is_key) {
        snprintf(error, size, "%s has %d bytes, but a key has 16, 24 or 32; make one with `hearsay keygen`", what, count);
    } else {
        key->size = (uint8_t)count;
        memcpy(key->bytes, bytes, (size_t)count);
    }
    explicit_bzero(bytes, sizeof bytes);
    return is_key;
}

static bool read_keys(const char *path, const json_t *array, struct hearsay_key *keys, size_t *count, char *error, size_t size)
{
    if (!json_is_array(array) || json_array_size(array) == 0 || json_array_size(array) > HEARSAY_KEYS_MAX) {
        snprintf(error, size, "keyring %s: must be a JSON array of 1 to %d base64 keys", path, HEARSAY_KEYS_MAX);
        return false;
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        char what[300];
        const char *base64 = json_string_value(json_array_get(array, i));
        snprintf(what, sizeof what, "keyring %s: key %zu", path, i + 1);
        if (!secret_parse_key(base64 == NULL ? "?" : base64, what, &keys[i], error, size)) {
            return false;
        }
    }
    *count = json_array_size(array);
    return true;
}

bool secret_read_keyring(const char *path, struct hearsay_key keys[HEARSAY_KEYS_MAX], size_t *count, bool *is_open, char *error,
                         size_t size)
{
    size_t length;
    struct stat facts;
    json_error_t problem;
    char *content = disk_read(path, SECRET_BYTES_MAX, &length, error, size);
    if (content == NULL) {
        return false;
    }
    *is_open = stat(path, &facts) == 0 && (facts.st_mode & 077) != 0;
    json_t *array = json_loads(content, 0, &problem);
    bool is_read = false;
    if (array == NULL) {
        snprintf(error, size, "keyring %s:%d: not JSON; it must be an array of base64 keys", path, problem.line);
    } else {
        is_read = read_keys(path, array, keys, count, error, size);
        for (size_t i = 0; i < json_array_size(array); i++) {
            json_t *key = json_array_get(array, i);
            if (json_is_string(key)) {
                explicit_bzero((char *)json_string_value(key), json_string_length(key));
            }
        }
    }
    json_decref(array);
    explicit_bzero(content, length);
    free(content);
    return is_read;
}

bool secret_write_keyring(const char *path, const struct hearsay_key *keys, size_t count, char *error, size_t size)
{
    struct text json = {0};
    for (size_t i = 0; i < count; i++) {
        text_puts(&json, i == 0 ? "[\n  \"" : ",\n  \"");
        text_base64(&json, (struct hearsay_bytes){keys[i].bytes, keys[i].size});
        text_puts(&json, "\"");
    }
    text_puts(&json, count == 0 ? "[]\n" : "\n]\n");
    bool is_written = disk_replace(path, json.data, json.size, 0600, true, error, size);
    explicit_bzero(json.data, json.size);
    text_deinit(&json);
    return is_written;
}

bool secret_equal(const char *secret, struct hearsay_bytes given)
{
    size_t length = strlen(secret);
    unsigned difference = length != given.size;
    for (size_t i = 0; i < given.size; i++) {
        difference |= (unsigned)(given.data[i] ^ (uint8_t)secret[length == 0 ? 0 : i % length]);
    }
    return difference == 0;
}

void secret_digest(const char *secret, uint8_t digest[16])
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, strlen(secret), (const uint8_t *)secret);
    sha256_digest(&hash, 16, digest);
    explicit_bzero(&hash, sizeof hash);
}
