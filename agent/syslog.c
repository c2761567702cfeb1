/* SPDX-License-Identifier: MIT
 *
 * See syslog.h. A monitor of the log that sends each line as a datagram (RFC 3164, as the C library does); syslog(3) itself would wait when the
 * system's logger does not read. What it does not take is dropped.
 */
#include "agent/syslog.h"

#include <errno.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char *const facilities[24] = {"KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON", "AUTHPRIV", "FTP",
                                           NULL, NULL, NULL, NULL, "LOCAL0", "LOCAL1", "LOCAL2", "LOCAL3", "LOCAL4", "LOCAL5", "LOCAL6", "LOCAL7"};

static struct {
    struct log_monitor monitor;
    int fd;
    int facility;
} state = {.fd = -1};

/* "[WARN] " in a line of ours to syslog's severity. */
static int severity_of(const char *line)
{
    const char *mark = strchr(line, '[');
    return mark == NULL                          ? 6
           : strncmp(mark, "[ERR]", 5) == 0      ? 3
           : strncmp(mark, "[WARN]", 6) == 0     ? 4
           : strncmp(mark, "[INFO]", 6) == 0     ? 6
                                                 : 7;
}

static bool connect_now(void)
{
    const char *path = getenv("HEARSAY_SYSLOG_SOCKET"); /* for tests, and for chroots */
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    path = path == NULL ? "/dev/log" : path;
    if (strlen(path) >= sizeof to.sun_path) {
        return false;
    }
    strcpy(to.sun_path, path);
    state.fd = state.fd >= 0 ? state.fd : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return state.fd >= 0 && connect(state.fd, (struct sockaddr *)&to, sizeof to) == 0;
}

static void on_line(struct log_monitor *monitor, const char *line)
{
    char out[1200], date[32];
    struct tm parts;
    time_t now = time(NULL);
    const char *text = strstr(line, "] ");
    (void)monitor;
    localtime_r(&now, &parts);
    strftime(date, sizeof date, "%b %e %H:%M:%S", &parts);
    int size = snprintf(out, sizeof out, "<%d>%s hearsay[%d]: %s", state.facility * 8 + severity_of(line), date, (int)getpid(),
                        text == NULL ? line : text + 2);
    size_t length = (size_t)size < sizeof out ? (size_t)size : sizeof out - 1;
    if (send(state.fd, out, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && (errno == ECONNREFUSED || errno == ENOTCONN) && connect_now()) {
        (void)!send(state.fd, out, length, MSG_DONTWAIT | MSG_NOSIGNAL); /* the logger was started anew */
    }
}

bool syslog_open(const char *facility, char *error, size_t size)
{
    int i = 0;
    while (i < 24 && (facilities[i] == NULL || strcasecmp(facilities[i], facility) != 0)) {
        i++;
    }
    if (i == 24) {
        snprintf(error, size, "unknown syslog facility '%s': it must be LOCAL0 to LOCAL7, DAEMON, USER or another of syslog(3)", facility);
        return false;
    }
    state.facility = i;
    if (!connect_now()) {
        snprintf(error, size, "cannot reach the system's log at /dev/log: %s", strerror(errno));
        return false;
    }
    state.monitor = (struct log_monitor){.least = log_get_level(), .on_line = on_line};
    log_attach(&state.monitor);
    return true;
}

void syslog_set_level(enum log_level level)
{
    state.monitor.least = level;
}

void syslog_close(void)
{
    if (state.fd >= 0) {
        log_detach(&state.monitor);
        close(state.fd);
        state.fd = -1;
    }
}
