/* SPDX-License-Identifier: MIT
 *
 * Messages of DNS as bytes, both ways (RFC 1035; SRV: RFC 2782; OPT: RFC 6891), for the responder and for multicast DNS. Reading is strict
 * and bounded: pointers of compressed names lead backwards only, so no name loops. Writing compresses, keeps the case of every letter, and
 * writes a record wholly or not at all. What a message means is not known here.
 */
#ifndef HEARSAY_DNS_MESSAGE_H
#define HEARSAY_DNS_MESSAGE_H

#include "base/cursor.h"

#define DNS_HEADER 12u
#define DNS_NAME_MAX 255u /* on the wire, the root's byte included */
#define DNS_LABEL_MAX 63u
#define DNS_UDP_PLAIN 512u /* what a client without OPT takes */

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_OPT = 41,
    DNS_ANY = 255
};

enum { DNS_IN = 1, DNS_CLASS_ANY = 255, DNS_TOP_BIT = 0x8000 }; /* the top bit of a class is mDNS's: unicast wished, or cache flush */

enum dns_code {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
    DNS_BADVERS = 16 /* its upper bits stand in the OPT */
};

/* Of the header's flags; the opcode stands in DNS_OPCODE, the code in the lowest four bits. */
enum { DNS_QR = 0x8000, DNS_OPCODE = 0x7800, DNS_AA = 0x0400, DNS_TC = 0x0200, DNS_RD = 0x0100, DNS_CODE = 0x000f };

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

struct dns_header {
    uint16_t id, flags, counts[DNS_SECTIONS];
};

/* As on the wire but never compressed: labels behind their lengths, a 0 last. */
struct dns_name {
    uint8_t size;
    uint8_t bytes[DNS_NAME_MAX];
};

struct dns_question {
    struct dns_name name;
    uint16_t type, class;
};

/* Which fields count, the type says: address for A and AAAA, target for NS, CNAME, PTR and SRV, the numbers for SRV; data for the rest.
 * Reading sets data always. What is pointed to is the reader's (until the next record), or the caller's who writes. */
struct dns_record {
    const struct dns_name *name, *target;
    uint16_t type, class;
    uint32_t ttl;
    uint16_t priority, weight, port;
    struct hearsay_address address; /* without port */
    struct hearsay_bytes data;
};

/* ---- names ---- */

/* The root. */
void dns_name_clear(struct dns_name *name);
/* One more label behind those there are. False, and the name unchanged, when it is empty, too long, or the name would be. */
bool dns_name_add(struct dns_name *name, struct hearsay_bytes label);
/* All labels of another name behind those there are. */
bool dns_name_add_all(struct dns_name *name, const struct dns_name *more);
/* "web.service.hearsay." or without the last dot; no escapes. */
bool dns_name_parse(struct dns_name *name, const char *text);
/* For logs: dots between labels, whatever is not printable, and dots and backslashes within labels, as \DDD. */
void dns_name_text(const struct dns_name *name, char *text, size_t size);
/* Steps through the labels: *position begins at 0. False at the root. */
bool dns_name_next(const struct dns_name *name, size_t *position, struct hearsay_bytes *label);
/* ASCII letters of either case are the same. */
bool dns_label_equal(struct hearsay_bytes a, struct hearsay_bytes b);
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
/* Does the name end with all labels of zone? *rest is where zone begins in it. */
bool dns_name_is_below(const struct dns_name *name, const struct dns_name *zone, size_t *rest);

/* ---- reading ---- */

struct dns_reader {
    struct hearsay_bytes message;
    struct reader left;
    struct dns_name owner, target; /* of the record last read */
};

/* False when the message is too short to have a header. */
bool dns_read(struct dns_reader *r, struct hearsay_bytes message, struct dns_header *header);
bool dns_read_question(struct dns_reader *r, struct dns_question *question);
/* The header's counts say how many follow. Known types are decoded; a false means that the message is garbled. */
bool dns_read_record(struct dns_reader *r, struct dns_record *record);
/* The strings of a TXT: *position begins at 0. False at the end, or where a string is cut off. */
bool dns_next_string(struct hearsay_bytes data, size_t *position, struct hearsay_bytes *string);

/* What an OPT says. */
struct dns_opt {
    uint16_t udp_bytes; /* the largest message that its sender takes */
    uint8_t version;
    struct hearsay_bytes cookie; /* RFC 7873; 8 bytes of the client, 8 to 32 more of the server's; none: size 0 */
};
/* False when its options are garbled, or a cookie has no permitted size. */
bool dns_read_opt(const struct dns_record *record, struct dns_opt *opt);

/* ---- writing ---- */

#define DNS_SUFFIXES 48u

struct dns_writer {
    struct writer out;
    struct dns_header header;
    size_t reserved;                               /* bytes at the end for what must fit */
    uint16_t suffixes[DNS_SUFFIXES], suffix_count; /* where names stand that others may point to */
};

/* Begins a message of at most capacity bytes; counts are the writer's to fill. */
void dns_write(struct dns_writer *w, void *data, size_t capacity, uint16_t id, uint16_t flags);
/* So many bytes are kept for later; a new number replaces the old. */
void dns_reserve(struct dns_writer *w, size_t size);
/* Sections come in their order. False, and nothing written, when there is no room (a truncated message is the caller's to mark). */
bool dns_put_question(struct dns_writer *w, const struct dns_question *question);
bool dns_put_record(struct dns_writer *w, enum dns_section section, const struct dns_record *record);
#define DNS_OPT_BYTES 11u /* without cookie; a cookie takes 4 more, and itself */
bool dns_put_opt(struct dns_writer *w, uint16_t udp_bytes, enum dns_code code, struct hearsay_bytes cookie);
/* Writes the header: the message is whole. */
struct hearsay_bytes dns_finish(struct dns_writer *w);

#endif
