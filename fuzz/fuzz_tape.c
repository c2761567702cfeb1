/* SPDX-License-Identifier: MIT
 *
 * Tapes: a damaged one is lived through as far as it makes sense, or refused with one line; twice the same.
 */
#include "fuzz.h"

#include <hearsay/hearsay_uv.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hearsay_tape_result results[2];
    bool answers[2];
    char error[300], path[64];
    int fd = memfd_create("tape", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (int i = 0; i < 2; i++) {
        answers[i] = hearsay_tape_replay(path, NULL, NULL, NULL, &results[i], error, sizeof error);
        FUZZ_CHECK(answers[i] || (error[0] != '\0' && strchr(error, '\n') == NULL));
    }
    FUZZ_CHECK(answers[0] == answers[1] && memcmp(&results[0], &results[1], sizeof results[0]) == 0);
    close(fd);
    return 0;
}
