/* SPDX-License-Identifier: MIT
 *
 * Keyring files and files with one secret: keys come out, or one line that says why not and never quotes the secret's own line break.
 */
#include "fuzz.h"

#include "agent/secret.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hearsay_key keys[HEARSAY_KEYS_MAX];
    size_t count = 0;
    bool is_open;
    char error[500] = "", path[64], *value;
    int fd = memfd_create("keyring", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (secret_read_keyring(path, keys, &count, &is_open, error, sizeof error)) {
        FUZZ_CHECK(count >= 1 && count <= HEARSAY_KEYS_MAX);
        for (size_t i = 0; i < count; i++) {
            FUZZ_CHECK(keys[i].size == 16 || keys[i].size == 24 || keys[i].size == 32);
        }
    } else {
        FUZZ_CHECK(error[0] != '\0' && strchr(error, '\n') == NULL);
    }
    error[0] = '\0';
    value = must(malloc(sizeof path + 1));
    snprintf(value, sizeof path + 1, "@%s", path);
    if (secret_resolve(&value, "key", error, sizeof error)) {
        FUZZ_CHECK(value[0] != '\0');
        (void)secret_parse_key(value, "key", &keys[0], error, sizeof error);
    } else {
        FUZZ_CHECK(error[0] != '\0' && strchr(error, '\n') == NULL);
    }
    free(value);
    close(fd);
    return 0;
}
