/* SPDX-License-Identifier: MIT
 *
 * See disk.h.
 */
#include "agent/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

char *disk_read(const char *path, size_t most, size_t *length, char *error, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        snprintf(error, size, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    struct text t = {0};
    char chunk[4096];
    ssize_t got;
    while ((got = read(fd, chunk, sizeof chunk)) > 0 && t.size <= most) {
        text_put(&t, chunk, (size_t)got);
    }
    int problem = errno;
    close(fd);
    memset(chunk, 0, sizeof chunk);
    if (got < 0 || t.size > most) {
        if (got < 0) {
            snprintf(error, size, "cannot read %s: %s", path, strerror(problem));
        } else {
            snprintf(error, size, "%s is longer than %zu bytes: that cannot be the right file", path, most);
        }
        text_deinit(&t);
        return NULL;
    }
    text_put(&t, "", 0);
    *length = t.size;
    return t.data;
}

static bool write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, data, length);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        data += put;
        length -= (size_t)put;
    }
    return true;
}

void disk_sync_folder(const char *path)
{
    char *copy = must(strdup(path));
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(copy);
}

bool disk_replace(const char *path, const void *data, size_t length, unsigned mode, bool is_durable, char *error, size_t size)
{
    struct text name = {0};
    text_printf(&name, "%s.new", path);
    int fd = open(name.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    bool is_done = fd >= 0 && fchmod(fd, mode) == 0 && write_all(fd, data, length);
    is_done = is_done && (!is_durable || fsync(fd) == 0) && rename(name.data, path) == 0;
    if (!is_done) {
        snprintf(error, size, "cannot write %s: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    if (is_done && is_durable) {
        disk_sync_folder(path);
    } else if (!is_done) {
        (void)unlink(name.data);
    }
    text_deinit(&name);
    return is_done;
}
