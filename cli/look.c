/* SPDX-License-Identifier: MIT
 *
 * See look.h. Each look is two small conversations, a stream and pings, both driven by one poll loop.
 */
#include "cli/look.h"

#include "cli/base64.h"
#include "cli/clock.h"
#include "cli/command.h"

#include <errno.h>
#include <hearsay/hearsay_uv.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT_ONCE 128
#define TIMEOUT_MS 5000

char *look_encrypt;
const char *look_label, *look_timeout;

/* ---- flags ---------------------------------------------------------------------------------------------------------------------- */

static bool read_key(struct hearsay_inspect_options *options)
{
    int size = base64_decode(look_encrypt, options->keys[0].bytes, sizeof options->keys[0].bytes);
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

bool look_read_flags(struct hearsay_inspect_options *options, int *timeout_ms)
{
    *options = (struct hearsay_inspect_options){.label = look_label};
    *timeout_ms = TIMEOUT_MS;
    if (look_timeout != NULL) {
        char *end;
        long value = strtol(look_timeout, &end, 10);
        if (*end != 0 || value <= 0 || value > 3600000) {
            return command_misused("--timeout %s: give it in milliseconds, 1 to 3600000", look_timeout);
        }
        *timeout_ms = (int)value;
    }
    if (look_label != NULL && strlen(look_label) > HEARSAY_LABEL_MAX) {
        command_fail("--label has %zu bytes; at most %d are possible", strlen(look_label), HEARSAY_LABEL_MAX);
        return false;
    }
    return look_encrypt == NULL || read_key(options);
}

void look_forget(struct hearsay_inspect_options *options)
{
    if (options->key_count > 0) {
        hearsay_cipher_nettle_free(&options->cipher);
    }
}

/* ---- the exchange --------------------------------------------------------------------------------------------------------------- */

static void end(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static void open_stream(struct look *l)
{
    l->stream = socket(l->place.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->stream < 0 || (connect(l->stream, (const struct sockaddr *)&l->place.address, l->place.size) != 0 && errno != EINPROGRESS)) {
        l->inspection.tcp_error = errno;
        end(&l->stream);
    }
}

static void on_connected(struct look *l)
{
    struct inspection *i = &l->inspection;
    socklen_t size = sizeof i->tcp_error;
    getsockopt(l->stream, SOL_SOCKET, SO_ERROR, &i->tcp_error, &size);
    if (i->tcp_error != 0) {
        end(&l->stream);
        return;
    }
    struct hearsay_bytes request = hearsay_inspect_request(i->look);
    i->has_connected = true;
    if (send(l->stream, request.data, request.size, MSG_NOSIGNAL) != (ssize_t)request.size) { /* a few bytes into an empty buffer */
        i->tcp_error = errno;
        end(&l->stream);
    }
}

static void on_stream(struct look *l)
{
    struct inspection *i = &l->inspection;
    uint8_t room[65536];
    ssize_t got = recv(l->stream, room, sizeof room, 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    i->bytes += got > 0 ? (size_t)got : 0;
    i->status = hearsay_inspect_feed(i->look, room, got > 0 ? (size_t)got : 0);
    if (i->status != HEARSAY_INSPECT_MORE) {
        end(&l->stream);
    }
}

static void on_stream_late(struct look *l)
{
    l->inspection.has_timed_out = l->inspection.has_connected;
    l->inspection.tcp_error = l->inspection.has_connected ? 0 : ETIMEDOUT;
    end(&l->stream);
}

/* ---- pings ---------------------------------------------------------------------------------------------------------------------- */

static void next_ping(struct look *l, const struct look_rules *rules, uint64_t now)
{
    struct inspection *i = &l->inspection;
    /* Silence for that name: does somebody else live there? Only then is one more worth sending. */
    bool is_asking_anybody = i->pings == rules->pings && i->acks == 0 && l->name != NULL && l->sequence == i->pings;
    if (i->pings == rules->pings && !is_asking_anybody) {
        end(&l->datagrams);
        return;
    }
    i->pings += !is_asking_anybody;
    struct hearsay_bytes ping = hearsay_inspect_ping(i->look, is_asking_anybody ? NULL : l->name, ++l->sequence);
    l->pinged_at = now;
    l->ping_until = now + (uint64_t)rules->ping_wait_ms * 1000;
    (void)send(l->datagrams, ping.data, ping.size, 0); /* what cannot be sent is a ping without an answer */
}

static void open_datagrams(struct look *l, const struct look_rules *rules, uint64_t now)
{
    l->datagrams = socket(l->place.address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->datagrams < 0 || connect(l->datagrams, (const struct sockaddr *)&l->place.address, l->place.size) != 0) {
        end(&l->datagrams);
        return;
    }
    next_ping(l, rules, now);
}

static void on_datagram(struct look *l, const struct look_rules *rules, uint64_t now)
{
    struct inspection *i = &l->inspection;
    uint8_t room[65536];
    ssize_t got = recv(l->datagrams, room, sizeof room, 0);
    if (got < 0) {
        if (errno != EINTR && errno != EAGAIN) {
            next_ping(l, rules, now); /* the port is closed, says the other host */
        }
        return;
    }
    if (!hearsay_inspect_is_ack(i->look, room, (size_t)got, l->sequence, &i->abilities)) {
        return;
    }
    if (l->sequence > i->pings) {
        l->is_other_name = true;
        end(&l->datagrams);
        return;
    }
    inspection_take_ack(i, now - l->pinged_at, hearsay_inspect_clock_ms(i->look));
    next_ping(l, rules, now);
}

/* ---- all of them ---------------------------------------------------------------------------------------------------------------- */

static bool begin(struct look *l, const struct look_rules *rules)
{
    uint64_t now = clock_now_us();
    l->is_begun = true;
    l->stream = l->datagrams = -1;
    l->inspection.look = hearsay_inspect_create(rules->options);
    if (l->inspection.look == NULL) {
        return false;
    }
    l->inspection.has_key = rules->options->key_count > 0;
    l->inspection.has_label = rules->options->label != NULL && rules->options->label[0] != 0;
    l->stream_until = now + (uint64_t)rules->timeout_ms * 1000;
    open_stream(l);
    open_datagrams(l, rules, now);
    return true;
}

static bool is_running(const struct look *l)
{
    return l->is_begun && (l->stream >= 0 || l->datagrams >= 0);
}

static uint64_t due(const struct look *l)
{
    uint64_t stream = l->stream >= 0 ? l->stream_until : UINT64_MAX, ping = l->datagrams >= 0 ? l->ping_until : UINT64_MAX;
    return stream < ping ? stream : ping;
}

static void serve(struct look *l, const struct look_rules *rules, short on_stream_events, short on_datagram_events, uint64_t now)
{
    if (l->stream >= 0 && on_stream_events != 0) {
        if (!l->inspection.has_connected) {
            on_connected(l);
        } else {
            on_stream(l);
        }
    }
    if (l->datagrams >= 0 && on_datagram_events != 0) {
        on_datagram(l, rules, now);
    }
    if (l->stream >= 0 && now >= l->stream_until) {
        on_stream_late(l);
    }
    if (l->datagrams >= 0 && now >= l->ping_until) {
        next_ping(l, rules, now);
    }
}

/* One turn of the loop over the looks under way. */
static void turn(struct look **running, size_t count, const struct look_rules *rules)
{
    struct pollfd polls[2 * AT_ONCE];
    uint64_t now = clock_now_us(), nearest = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        struct look *l = running[i];
        polls[2 * i] = (struct pollfd){.fd = l->stream, .events = l->inspection.has_connected ? POLLIN : POLLOUT};
        polls[2 * i + 1] = (struct pollfd){.fd = l->datagrams, .events = POLLIN};
        nearest = due(l) < nearest ? due(l) : nearest;
    }
    if (poll(polls, 2 * count, now >= nearest ? 0 : (int)((nearest - now) / 1000 + 1)) < 0) {
        return; /* interrupted */
    }
    for (size_t i = 0; i < count; i++) {
        serve(running[i], rules, polls[2 * i].revents, polls[2 * i + 1].revents, clock_now_us());
    }
}

bool looks_run(struct look *looks, size_t count, const struct look_rules *rules)
{
    struct look *running[AT_ONCE];
    size_t begun = 0, open = 0;
    while (begun < count || open > 0) {
        for (; begun < count && open < AT_ONCE; begun++) {
            if (!begin(&looks[begun], rules)) {
                return false;
            }
            running[open++] = &looks[begun];
        }
        turn(running, open, rules);
        size_t kept = 0;
        for (size_t i = 0; i < open; i++) {
            running[kept] = running[i];
            kept += is_running(running[i]);
        }
        open = kept;
    }
    return true;
}
