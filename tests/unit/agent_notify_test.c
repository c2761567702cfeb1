/* SPDX-License-Identifier: MIT
 *
 * Telling systemd: datagrams on the socket that the environment names, and nothing without it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void states_arrive_as_datagrams(void **state)
{
    char folder[] = "/tmp/agent-notify-XXXXXX", got[64] = "";
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(place.sun_path, sizeof place.sun_path, "%s/s", folder);
    assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof place), 0);
    unsetenv("NOTIFY_SOCKET");
    notify_send("READY=1");
    assert_int_equal(recv(fd, got, sizeof got, 0), -1);
    setenv("NOTIFY_SOCKET", place.sun_path, 1);
    notify_send("READY=1");
    assert_int_equal(recv(fd, got, sizeof got, 0), 7);
    assert_string_equal(got, "READY=1");
    setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
    notify_send("READY=1");
    close(fd);
    unlink(place.sun_path);
    rmdir(folder);
    unsetenv("NOTIFY_SOCKET");
}

static void the_watchdog_is_for_this_process_only(void **state)
{
    char pid[16];
    (void)state;
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    assert_int_equal(notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(notify_watchdog_ms(), 15000);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_watchdog_ms(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_arrive_as_datagrams),
        cmocka_unit_test(the_watchdog_is_for_this_process_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
