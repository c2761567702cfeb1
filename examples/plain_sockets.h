/* SPDX-License-Identifier: MIT
 *
 * For epoll.c: sockets as every program has them, over IPv4. Nothing here knows what hearsay does with them.
 */
#include <arpa/inet.h>
#include <hearsay/types.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static int poller, udp, tcp;
static int descriptors[1024]; /* of the stream with this number modulo 1024 */
static uint8_t buffer[65536];

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct hearsay_address address_of(const char *ip)
{
    struct hearsay_address address = {.size = 4, .port = 7946};
    (void)inet_pton(AF_INET, ip, address.bytes);
    return address;
}

static struct sockaddr_in to_system(const struct hearsay_address *address) /* 4 bytes, or mapped into the 16 of IPv6 */
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    memcpy(&in.sin_addr, address->bytes + (address->size == 16 ? 12 : 0), 4);
    return in;
}

static void send_packet(const struct hearsay_address *address, struct hearsay_bytes bytes)
{
    struct sockaddr_in in = to_system(address);
    sendto(udp, bytes.data, bytes.size, 0, (struct sockaddr *)&in, sizeof in);
}

/* How many bytes a connection or a datagram put into buffer; from the listening socket a new descriptor; -1 = nothing. */
static ssize_t receive(int fd, struct hearsay_address *from)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t length = sizeof in;
    ssize_t got = fd == tcp ? accept(fd, (struct sockaddr *)&in, &length)
                            : recvfrom(fd, buffer, sizeof buffer, MSG_DONTWAIT, (struct sockaddr *)&in, &length);
    *from = (struct hearsay_address){.size = 4, .port = ntohs(in.sin_port)};
    memcpy(from->bytes, &in.sin_addr, 4);
    return got;
}

static int find_stream(uint32_t stream)
{
    return descriptors[stream % 1024];
}

static void watch(int fd, uint32_t events, uint32_t stream)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)stream << 32 | (uint32_t)fd};
    descriptors[stream % 1024] = fd;
    if (stream == 0 && fd != udp && fd != tcp) {
        close(fd); /* refused */
    } else if (epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event) != 0) {
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

static int open_socket(int type, int (*use)(int fd, const struct sockaddr *, socklen_t), const struct hearsay_address *address)
{
    struct sockaddr_in in = to_system(address);
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){type == SOCK_STREAM}, sizeof(int)); /* to be started again at once */
    (void)use(fd, (struct sockaddr *)&in, sizeof in); /* bind or connect; what went wrong shows in the first use */
    return fd;
}

static void open_sockets(const struct hearsay_address *address)
{
    setlinebuf(stdout);
    poller = epoll_create1(0);
    watch(udp = open_socket(SOCK_DGRAM, bind, address), EPOLLIN, 0);
    watch(tcp = open_socket(SOCK_STREAM, bind, address), EPOLLIN, 0);
    listen(tcp, 128);
}

/* The next input, or false when none comes before that instant. */
static bool wait_until(uint64_t instant, struct epoll_event *event)
{
    uint64_t t = now(), wait_ms = instant <= t ? 0 : instant - t > 1000000 ? 1000 : (instant - t + 999) / 1000;
    return epoll_wait(poller, event, 1, (int)wait_ms) == 1;
}
