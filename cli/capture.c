/* SPDX-License-Identifier: MIT
 *
 * See capture.h. The format of files: draft-ietf-opsawg-pcap; link types: tcpdump.org/linktypes.html.
 */
#include "cli/capture.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

#define MAGIC_US 0xa1b2c3d4u
#define MAGIC_NS 0xa1b23c4du
#define HEADER 24
#define RECORD 16
#define RECORD_MOST (1u << 20)

enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW = 101, LINK_COOKED = 113, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_COOKED2 = 276 };

static uint32_t swapped(uint32_t v)
{
    return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
}

/* Numbers of the file, in its own byte order. */
static uint32_t get(const uint8_t *p, bool is_big)
{
    uint32_t v = bytes_get_u32(p);
    return is_big ? v : swapped(v);
}

bool capture_is_pcap(struct hearsay_bytes file)
{
    if (file.size < 4) {
        return false;
    }
    uint32_t big = bytes_get_u32(file.data), little = swapped(big);
    return big == MAGIC_US || big == MAGIC_NS || little == MAGIC_US || little == MAGIC_NS;
}

static void take_udp(struct hearsay_bytes in, const uint8_t *from, const uint8_t *to, uint8_t size, struct capture_datagram *d,
                     capture_show show, void *context, struct capture_skipped *skipped)
{
    if (in.size < 8 || bytes_get_u16(in.data + 4) < 8 || bytes_get_u16(in.data + 4) > in.size) {
        skipped->cut++;
        return;
    }
    d->from = (struct hearsay_address){.port = bytes_get_u16(in.data), .size = size};
    d->to = (struct hearsay_address){.port = bytes_get_u16(in.data + 2), .size = size};
    memcpy(d->from.bytes, from, size);
    memcpy(d->to.bytes, to, size);
    d->payload = bytes_of(in.data + 8, bytes_get_u16(in.data + 4) - 8u);
    show(context, d);
}

static void take_ip(struct hearsay_bytes in, struct capture_datagram *d, capture_show show, void *context, struct capture_skipped *skipped)
{
    uint8_t version = in.size > 0 ? in.data[0] >> 4 : 0, protocol;
    size_t header = version == 4 ? (in.data[0] & 15) * 4u : 40;
    if ((version != 4 && version != 6) || in.size < header || header < 20) {
        skipped->others++;
        return;
    }
    protocol = in.data[version == 4 ? 9 : 6];
    if (version == 4 && (bytes_get_u16(in.data + 6) & 0x3fff) != 0) {
        skipped->fragments++;
    } else if (protocol == 6) {
        skipped->tcp++;
    } else if (protocol != 17) {
        skipped->others++;
    } else {
        const uint8_t *addresses = in.data + (version == 4 ? 12 : 8);
        uint8_t size = version == 4 ? 4 : 16;
        take_udp(bytes_of(in.data + header, in.size - header), addresses, addresses + size, size, d, show, context, skipped);
    }
}

/* Bytes before the IP packet; SIZE_MAX when the packet carries none. */
static size_t link_bytes(uint32_t link, struct hearsay_bytes in)
{
    size_t at = link == LINK_ETHERNET ? 12 : link == LINK_COOKED ? 14 : 0;
    switch (link) {
    case LINK_NULL:
        return 4;
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        return 0;
    case LINK_COOKED2:
        return 20;
    default:
        while (in.size >= at + 2 && (bytes_get_u16(in.data + at) == 0x8100 || bytes_get_u16(in.data + at) == 0x88a8)) {
            at += 4; /* VLAN tags */
        }
        return in.size >= at + 2 && (bytes_get_u16(in.data + at) == 0x0800 || bytes_get_u16(in.data + at) == 0x86dd) ? at + 2 : SIZE_MAX;
    }
}

bool capture_read_pcap(struct hearsay_bytes file, capture_show show, void *context, struct capture_skipped *skipped, char *error, size_t size)
{
    uint32_t magic = bytes_get_u32(file.data);
    bool is_big = magic == MAGIC_US || magic == MAGIC_NS, is_ns = magic == MAGIC_NS || swapped(magic) == MAGIC_NS;
    *skipped = (struct capture_skipped){0};
    if (file.size < HEADER) {
        snprintf(error, size, "the capture ends within its header, at offset %zu", file.size);
        return false;
    }
    uint32_t link = get(file.data + 20, is_big) & 0xffff;
    if (link != LINK_NULL && link != LINK_ETHERNET && link != LINK_RAW && link != LINK_COOKED && link != LINK_IPV4 && link != LINK_IPV6 &&
        link != LINK_COOKED2) {
        snprintf(error, size, "captures of link type %u are not understood; capture on an Ethernet interface, on lo or on any", link);
        return false;
    }
    for (size_t at = HEADER; at < file.size;) {
        uint32_t length = file.size - at < RECORD ? 0 : get(file.data + at + 8, is_big);
        if (file.size - at < RECORD || length > RECORD_MOST || length > file.size - at - RECORD) {
            snprintf(error, size, "the capture is cut short or damaged at offset %zu", at);
            return false;
        }
        const uint8_t *head = file.data + at;
        uint32_t fraction = get(head + 4, is_big);
        struct hearsay_bytes in = bytes_of(head + RECORD, length);
        struct capture_datagram d = {.at_us = (uint64_t)get(head, is_big) * 1000000 + (is_ns ? fraction / 1000 : fraction)};
        size_t before = link_bytes(link, in);
        if (before > in.size) {
            skipped->others++;
        } else {
            take_ip(bytes_of(in.data + before, in.size - before), &d, show, context, skipped);
        }
        at += RECORD + length;
    }
    return true;
}

/* ---- hex ------------------------------------------------------------------------------------------------------------------------- */

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One line into room, which has space for half of it; -1 when it is no hex. */
static long read_line(struct hearsay_bytes line, uint8_t *room)
{
    long count = 0;
    int high = -1;
    for (size_t i = 0; i < line.size; i++) {
        int d = digit(line.data[i]);
        if (d < 0 && (line.data[i] == ' ' || line.data[i] == ':' || line.data[i] == '\t' || line.data[i] == '\r') && high < 0) {
            continue;
        }
        if (d < 0) {
            return -1;
        }
        if (high < 0) {
            high = d;
        } else {
            room[count++] = (uint8_t)(high * 16 + d);
            high = -1;
        }
    }
    return high < 0 ? count : -1;
}

bool capture_read_hex(struct hearsay_bytes file, capture_show show, void *context, char *error, size_t size)
{
    uint8_t *room = malloc(file.size / 2 + 1);
    size_t number = 1;
    for (size_t at = 0; room != NULL && at < file.size; number++) {
        const uint8_t *end = memchr(file.data + at, '\n', file.size - at);
        size_t length = end == NULL ? file.size - at : (size_t)(end - file.data) - at;
        struct hearsay_bytes line = bytes_of(file.data + at, length);
        long count = length > 0 && line.data[0] == '#' ? 0 : read_line(line, room);
        if (count < 0) {
            snprintf(error, size, "line %zu is no hex: two digits a byte, blanks and colons between them are fine", number);
            free(room);
            return false;
        }
        if (count > 0) {
            show(context, &(struct capture_datagram){.payload = {room, (size_t)count}});
        }
        at += length + 1;
    }
    free(room);
    return true;
}
