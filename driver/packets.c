/* SPDX-License-Identifier: MIT
 *
 * See packets.h. Straight on the socket through uv_poll: uv_udp would allocate a request per datagram sent and stop after 32
 * received, so that a timer could fire with the answer still unread.
 */
#include "packets.h"

#include "address.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_released(uv_handle_t *handle)
{
    struct packets *p = handle->data;
    door_release(p->door);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct packets *p = poll->data;
    (void)events;
    packets_drain(p);
    if (status < 0 && !p->door->is_stopping) { /* libuv stops polling after an error of the socket; reading has cleared it */
        uv_poll_start(poll, UV_READABLE, on_readable);
    }
}

bool packets_start(struct packets *p, struct door *door, int fd, int family)
{
    *p = (struct packets){.door = door, .fd = fd, .family = family};
    if (uv_poll_init(door->loop, &p->poll, fd) != 0) {
        return false;
    }
    p->poll.data = p;
    door_hold(door);
    uv_poll_start(&p->poll, UV_READABLE, on_readable);
    return true;
}

void packets_stop(struct packets *p)
{
    uv_close((uv_handle_t *)&p->poll, on_released);
    close(p->fd);
    p->fd = -1;
}

void packets_drain(struct packets *p)
{
    for (int i = 0; i < PACKETS_AT_ONCE && !p->door->is_stopping; i++) {
        struct sockaddr_storage from;
        socklen_t from_size = sizeof from;
        ssize_t size = recvfrom(p->fd, p->door->buffer, DOOR_BUFFER_SIZE, MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return;
        }
        if (size >= 0) { /* other errors are about datagrams we sent earlier */
            struct hearsay_address address;
            address_from_system((const struct sockaddr *)&from, &address);
            door_packet(p->door, &address, p->door->buffer, (size_t)size);
        }
    }
}

void packets_send(struct packets *p, const struct hearsay_address *to, struct hearsay_bytes bytes)
{
    struct sockaddr_storage system;
    socklen_t system_size = address_to_system(to, p->family, &system);
    if (system_size == 0 || sendto(p->fd, bytes.data, bytes.size, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&system,
                                   system_size) < 0) {
        p->unsent++;
    }
}
