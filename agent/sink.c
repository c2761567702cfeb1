/* SPDX-License-Identifier: MIT
 *
 * See sink.h. A descriptor that was handed in (stdout) is shared with other processes, so it is not made non-blocking: poll is
 * asked first, and a pipe that is writable takes at least PIPE_BUF bytes.
 */
#include "agent/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void sink_init(struct sink *sink, int fd)
{
    struct stat facts;
    *sink = (struct sink){.fd = fd};
    sink->is_socket = fd >= 0 && fstat(fd, &facts) == 0 && S_ISSOCK(facts.st_mode);
}

bool sink_open(struct sink *sink, const char *path, char *error, size_t size)
{
    struct stat facts;
    bool is_pipe = stat(path, &facts) == 0 && S_ISFIFO(facts.st_mode);
    /* Reading and writing: opening a pipe to write only would wait for, or insist on, a reader. */
    int fd = open(path, (is_pipe ? O_RDWR : O_WRONLY | O_CREAT) | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0) {
        snprintf(error, size, "cannot open %s: %s", path, strerror(errno));
        return false;
    }
    sink_init(sink, fd);
    return true;
}

void sink_deinit(struct sink *sink)
{
    if (sink->fd > STDERR_FILENO) {
        close(sink->fd);
    }
    text_deinit(&sink->rest);
    sink->fd = -1;
}

/* What the descriptor takes right now; -1 when it is broken. */
static ssize_t write_some(const struct sink *sink, const char *data, size_t size)
{
    struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
    ssize_t put;
    if (sink->is_socket) {
        put = send(sink->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else if (poll(&ready, 1, 0) != 1 || (ready.revents & (POLLOUT | POLLERR)) == 0) {
        return 0;
    } else {
        put = write(sink->fd, data, size < PIPE_BUF ? size : PIPE_BUF);
    }
    if (put < 0 && (errno == EAGAIN || errno == EINTR || errno == EWOULDBLOCK)) {
        return 0;
    }
    return put;
}

/* The number of bytes written. A broken descriptor (nobody reads the pipe any more, disk full) counts as taking nothing. */
static size_t write_most(const struct sink *sink, const char *data, size_t size)
{
    size_t done = 0;
    ssize_t put = 1;
    while (done < size && put > 0) {
        put = write_some(sink, data + done, size - done);
        done += put > 0 ? (size_t)put : 0;
    }
    return done;
}

bool sink_retry(struct sink *sink)
{
    if (sink->fd < 0 || sink->rest.size == 0) {
        return false;
    }
    size_t done = write_most(sink, sink->rest.data, sink->rest.size);
    if (done == sink->rest.size) {
        text_shrink(&sink->rest);
        return false;
    }
    memmove(sink->rest.data, sink->rest.data + done, sink->rest.size - done + 1);
    sink->rest.size -= done;
    return true;
}

bool sink_put(struct sink *sink, const char *line, size_t size)
{
    if (sink->fd < 0) {
        return false;
    }
    if (sink_retry(sink)) {
        sink->dropped++;
        return true;
    }
    size_t done = write_most(sink, line, size);
    if (done == size) {
        return false;
    }
    if (done == 0) {
        sink->dropped++;
        return false;
    }
    text_put(&sink->rest, line + done, size - done); /* a line begun must be finished */
    return true;
}
