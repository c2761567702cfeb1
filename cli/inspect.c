/* SPDX-License-Identifier: MIT
 *
 * hearsay inspect: looks at any memberlist or Serf node from outside. One exchange that carries no members, so our name never enters the
 * cluster, and a few pings. inspection.c prints what was seen.
 */
#include "cli/base64.h"
#include "cli/command.h"
#include "cli/inspection.h"
#include "cli/place.h"

#include <errno.h>
#include <hearsay/hearsay_uv.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PINGS 5
#define TIMEOUT_MS 5000
#define PING_WAIT_MS 500

static const char *format = "text", *label, *personality;
static char *encrypt;
static const char *timeout_text;
static int timeout_ms = TIMEOUT_MS;

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static bool wait_for(int fd, short events, uint64_t deadline)
{
    for (;;) {
        uint64_t now = now_us();
        struct pollfd p = {.fd = fd, .events = events};
        int ready = poll(&p, 1, now >= deadline ? 0 : (int)((deadline - now) / 1000 + 1));
        if (ready >= 0 || errno != EINTR) {
            return ready > 0;
        }
    }
}

/* ---- the exchange -------------------------------------------------------------------------------------------------------------- */

static void exchange(struct inspection *i, const struct place *place)
{
    uint64_t deadline = now_us() + (uint64_t)timeout_ms * 1000;
    int fd = place_connect(place, timeout_ms, &i->tcp_error);
    if (fd < 0) {
        return;
    }
    struct hearsay_bytes request = hearsay_inspect_request(i->look);
    uint8_t room[16384];
    i->status = HEARSAY_INSPECT_MORE;
    i->has_connected = true;
    if (send(fd, request.data, request.size, MSG_NOSIGNAL) != (ssize_t)request.size) {
        i->tcp_error = errno;
    }
    while (i->status == HEARSAY_INSPECT_MORE && wait_for(fd, POLLIN, deadline)) {
        ssize_t got = recv(fd, room, sizeof room, 0);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        i->bytes += got > 0 ? (size_t)got : 0;
        i->status = hearsay_inspect_feed(i->look, room, got > 0 ? (size_t)got : 0);
    }
    i->has_timed_out = i->status == HEARSAY_INSPECT_MORE;
    close(fd);
}

/* ---- pings ----------------------------------------------------------------------------------------------------------------------- */

static void ping_once(struct inspection *i, int fd, uint32_t sequence)
{
    uint8_t room[65536];
    struct hearsay_bytes ping = hearsay_inspect_ping(i->look, NULL, sequence);
    uint64_t sent_at = now_us(), deadline = sent_at + PING_WAIT_MS * 1000;
    i->pings++;
    if (send(fd, ping.data, ping.size, 0) < 0) {
        return;
    }
    while (wait_for(fd, POLLIN, deadline)) {
        ssize_t got = recv(fd, room, sizeof room, 0);
        if (got < 0) {
            return; /* the port is closed, says the other host */
        }
        if (hearsay_inspect_is_ack(i->look, room, (size_t)got, sequence, &i->abilities)) {
            inspection_take_rtt(i, now_us() - sent_at);
            return;
        }
    }
}

static void ping(struct inspection *i, const struct place *place)
{
    int fd = socket(place->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&place->address, place->size) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    for (uint32_t sequence = 1; sequence <= PINGS; sequence++) {
        ping_once(i, fd, sequence);
    }
    close(fd);
}

/* ---- the command ------------------------------------------------------------------------------------------------------------------ */

static bool read_options(struct hearsay_inspect_options *options)
{
    *options = (struct hearsay_inspect_options){.label = label};
    if (timeout_text != NULL) {
        char *end;
        long value = strtol(timeout_text, &end, 10);
        if (*end != 0 || value <= 0 || value > 3600000) {
            return command_misused("--timeout %s: give it in milliseconds, 1 to 3600000", timeout_text);
        }
        timeout_ms = (int)value;
    }
    if (personality != NULL && strcmp(personality, "serf") != 0 && strcmp(personality, "memberlist") != 0) {
        return command_misused("--personality %s: there is serf and memberlist", personality);
    }
    if (label != NULL && strlen(label) > HEARSAY_LABEL_MAX) {
        command_fail("--label has %zu bytes; at most %d are possible", strlen(label), HEARSAY_LABEL_MAX);
        return false;
    }
    if (encrypt == NULL) {
        return true;
    }
    int size = base64_decode(encrypt, options->keys[0].bytes, sizeof options->keys[0].bytes);
    if (size != 16 && size != 24 && size != 32) {
        command_fail("--encrypt: not 16, 24 or 32 bytes in base64; `hearsay keygen` makes such keys");
        return false;
    }
    options->keys[0].size = (uint8_t)size;
    options->key_count = 1;
    if (!hearsay_cipher_nettle(&options->cipher)) {
        command_fail("out of memory");
        return false;
    }
    return true;
}

static int run(int count, char **arguments)
{
    (void)count;
    struct hearsay_inspect_options options;
    struct inspection inspection = {.address = arguments[0], .has_key = encrypt != NULL, .has_label = label != NULL,
                                    .expected = personality};
    struct places places;
    size_t at = 0;
    bool is_json;
    if (!command_format(format, &is_json) || !read_options(&options) || !place_resolve(arguments[0], "7946", &places)) {
        return EXIT_FAILED;
    }
    inspection.look = hearsay_inspect_create(&options);
    if (inspection.look == NULL) {
        return command_fail("out of memory");
    }
    exchange(&inspection, &places.at[0]);
    while (!inspection.has_connected && at + 1 < places.count) {
        exchange(&inspection, &places.at[++at]);
    }
    ping(&inspection, &places.at[inspection.has_connected ? at : 0]);
    bool is_seen = inspection.status == HEARSAY_INSPECT_DONE && inspection.has_connected;
    if (is_json) {
        inspection_print_json(&inspection);
    } else {
        inspection_print_text(&inspection);
    }
    hearsay_inspect_destroy(inspection.look);
    if (options.key_count > 0) {
        hearsay_cipher_nettle_free(&options.cipher);
    }
    return is_seen ? EXIT_DONE : EXIT_FAILED;
}

static const struct flag flags[] = {
    {"encrypt", FLAG_SECRET, &encrypt, "KEY|@FILE", "key of the cluster, in base64"},
    {"label", FLAG_TEXT, &label, "LABEL", "label of the cluster"},
    {"personality", FLAG_TEXT, &personality, "serf|memberlist", "what it should be; says so when it is not"},
    {"timeout", FLAG_TEXT, &timeout_text, "MS", "longest wait for the exchange (default 5000)"},
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    {.name = NULL},
};

const struct command command_inspect = {
    .name = "inspect",
    .summary = "look at any memberlist or Serf node from outside",
    .usage = "inspect [flags] HOST[:PORT]",
    .text = "  Asks a node for its view of the cluster, pings it, and explains what it refuses. Costs it one exchange; we join nothing.\n\n"
            "    hearsay inspect --encrypt @cluster.key 10.0.0.1:7946\n",
    .flags = flags,
    .least = 1,
    .most = 1,
    .flags_anywhere = true,
    .run = run,
};
