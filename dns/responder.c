/* SPDX-License-Identifier: MIT
 *
 * See responder.h.
 */
#include "dns/responder.h"

#include "dns/choice.h"
#include "dns/cookie.h"

#define LABELS 16u
#define TYPE_IXFR 251u
#define TYPE_AXFR 252u
#define TEXT_MAX 256u

/* One question on its way to its answer. */
struct reply {
    struct responder *r;
    const struct responder_asker *asker;
    struct dns_header header;
    struct dns_question question;
    struct dns_opt opt;
    struct dns_writer out, head; /* head: as it was with the question only */
    uint8_t cookie[COOKIE_WHOLE];
    bool has_opt, has_cookie, is_proven; /* its address is its own */
    bool is_cut;                         /* something did not fit */
    enum dns_code code;
};

bool responder_init(struct responder *r, const struct dns_zone *zone, const char *domain, uint32_t ttl_s, const uint8_t secret[16])
{
    *r = (struct responder){.zone = *zone, .ttl_s = ttl_s, .secret = siphash_key_of(secret)};
    rng_init(&r->rng, siphash_of(&r->secret, bytes_of_string("order of answers")));
    return dns_name_parse(&r->domain, domain);
}

/* ---- records -------------------------------------------------------------------------------------------------------------------- */

static bool put(struct reply *reply, enum dns_section section, struct dns_record *record)
{
    record->class = DNS_IN;
    record->ttl = reply->r->ttl_s;
    return dns_put_record(&reply->out, section, record);
}

static bool put_address(struct reply *reply, enum dns_section section, const struct dns_name *name, const struct hearsay_address *address)
{
    struct dns_record record = {.name = name, .type = address->size == 4 ? DNS_A : DNS_AAAA, .address = *address};
    return put(reply, section, &record);
}

/* "NAME.node.hearsay."; false when the name of the node makes none. */
static bool node_name(const struct responder *r, const char *node, struct dns_name *name)
{
    for (const char *at = node; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~') {
            return false;
        }
    }
    return *node != '\0' && node[strlen(node) - 1] != '.' && dns_name_parse(name, node) && dns_name_add(name, bytes_of_string("node")) &&
           dns_name_add_all(name, &r->domain);
}

/* "7f000001.addr.hearsay." */
static bool address_name(const struct responder *r, const struct hearsay_address *address, struct dns_name *name)
{
    static const char digits[] = "0123456789abcdef";
    char hex[32];
    for (size_t i = 0; i < address->size; i++) {
        hex[2 * i] = digits[address->bytes[i] >> 4];
        hex[2 * i + 1] = digits[address->bytes[i] & 15];
    }
    dns_name_clear(name);
    return dns_name_add(name, bytes_of(hex, 2u * address->size)) && dns_name_add(name, bytes_of_string("addr")) &&
           dns_name_add_all(name, &r->domain);
}

static bool target_name(const struct responder *r, const struct dns_instance *instance, struct dns_name *name)
{
    return (!instance->is_elsewhere && node_name(r, instance->node, name)) || address_name(r, &instance->address, name);
}

/* This node is the zone's server; when its name makes none, the domain stands for it. */
static void server_name(const struct responder *r, struct dns_name *name)
{
    if (!node_name(r, r->zone.self, name)) {
        *name = r->domain;
    }
}

static bool put_soa(struct reply *reply, enum dns_section section)
{
    static const uint32_t numbers[] = {1, 3600, 600, 86400, 0}; /* serial, refresh, retry, expire; then how long a "no" lasts */
    const struct responder *r = reply->r;
    struct dns_name server, mailbox;
    uint8_t room[2 * DNS_NAME_MAX + sizeof numbers];
    struct writer data = writer_of(room, sizeof room);
    server_name(r, &server);
    dns_name_clear(&mailbox);
    (void)dns_name_add(&mailbox, bytes_of_string("hostmaster"));
    (void)dns_name_add_all(&mailbox, &r->domain);
    writer_put(&data, server.bytes, server.size);
    writer_put(&data, mailbox.bytes, mailbox.size);
    for (int i = 0; i < 5; i++) {
        writer_u32(&data, i == 4 ? r->ttl_s : numbers[i]);
    }
    struct dns_record record = {.name = &r->domain, .type = DNS_SOA, .data = writer_bytes(&data)};
    return put(reply, section, &record);
}

/* ---- answers -------------------------------------------------------------------------------------------------------------------- */

static void answer_apex(struct reply *reply)
{
    struct dns_name server;
    if (reply->question.type == DNS_SOA) {
        reply->is_cut = !put_soa(reply, DNS_ANSWER);
    } else if (reply->question.type == DNS_NS) {
        server_name(reply->r, &server);
        struct dns_record record = {.name = &reply->question.name, .target = &server, .type = DNS_NS};
        reply->is_cut = !put(reply, DNS_ANSWER, &record);
    }
}

static void answer_address(struct reply *reply, const struct hearsay_address *address)
{
    uint16_t type = reply->question.type;
    if (type == DNS_ANY || type == (address->size == 4 ? DNS_A : DNS_AAAA)) {
        reply->is_cut = !put_address(reply, DNS_ANSWER, &reply->question.name, address);
    }
}

static int hex_of(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static void answer_addr(struct reply *reply, struct hearsay_bytes label)
{
    struct hearsay_address address = {.size = (uint8_t)(label.size / 2)};
    bool is_fine = label.size == 8 || label.size == 32;
    for (size_t i = 0; is_fine && i < label.size; i++) {
        int digit = hex_of(label.data[i]);
        is_fine = digit >= 0;
        address.bytes[i / 2] = (uint8_t)(address.bytes[i / 2] << 4 | (digit & 15));
    }
    if (is_fine) {
        answer_address(reply, &address);
    } else {
        reply->code = DNS_NXDOMAIN;
    }
}

static void answer_node(struct reply *reply, struct hearsay_bytes name)
{
    struct hearsay_address address;
    enum dns_presence presence = reply->r->zone.node(reply->r->zone.context, name, &address);
    if (presence == DNS_THERE) {
        address = address_normal(&address);
        answer_address(reply, &address);
    } else if (presence == DNS_UNKNOWN) {
        reply->code = DNS_NXDOMAIN;
    }
}

/* The addresses of what was named in the answer, as far as there is room: nobody misses them who can ask again. */
static void add_addresses(struct reply *reply, size_t count)
{
    const struct responder *r = reply->r;
    struct choice_set seen = {{0}};
    struct dns_name target;
    for (size_t i = 0; i < count; i++) {
        if (choice_add(&seen, r->chosen, i, false) && target_name(r, &r->chosen[i], &target) &&
            !put_address(reply, DNS_ADDITIONAL, &target, &r->chosen[i].address)) {
            return;
        }
    }
}

static void answer_service(struct reply *reply, struct hearsay_bytes name, struct hearsay_bytes tag)
{
    struct responder *r = reply->r;
    struct dns_name target;
    uint16_t type = reply->question.type;
    bool is_srv = type == DNS_SRV;
    size_t put_count = 0,
           most = (reply->out.out.capacity - reply->out.out.size) / (is_srv ? 20 : 16) + 1; /* one more shows that it is cut */
    if (!choice_make(r, name, tag, type, most)) {
        reply->code = DNS_NXDOMAIN;
        return;
    }
    if (!is_srv && type != DNS_A && type != DNS_AAAA && type != DNS_ANY) {
        return;
    }
    for (; put_count < r->chosen_count; put_count++) {
        const struct dns_instance *instance = &r->chosen[put_count];
        bool has_room;
        if (is_srv) {
            struct dns_record record = {.name = &reply->question.name,
                                        .target = &target,
                                        .type = DNS_SRV,
                                        .priority = 1,
                                        .weight = 1,
                                        .port = instance->address.port};
            has_room = !target_name(r, instance, &target) || put(reply, DNS_ANSWER, &record);
        } else {
            has_room = put_address(reply, DNS_ANSWER, &reply->question.name, &instance->address);
        }
        if (!has_room) {
            reply->is_cut = true;
            return;
        }
    }
    if (is_srv) {
        add_addresses(reply, put_count);
    }
}

/* ---- names ---------------------------------------------------------------------------------------------------------------------- */

/* Labels with dots between: names of nodes and tags may have some. */
static struct hearsay_bytes joined(char text[TEXT_MAX], const struct hearsay_bytes *labels, size_t count)
{
    struct writer w = writer_of(text, TEXT_MAX);
    for (size_t i = 0; i < count; i++) {
        writer_put(&w, ".", i > 0);
        writer_put(&w, labels[i].data, labels[i].size);
    }
    return writer_bytes(&w);
}

static bool is_underscored(struct hearsay_bytes label)
{
    return label.data[0] == '_';
}

static struct hearsay_bytes behind_first(struct hearsay_bytes label)
{
    return bytes_of(label.data + 1, label.size - 1);
}

static struct hearsay_bytes lowered(char text[TEXT_MAX], struct hearsay_bytes label)
{
    for (size_t i = 0; i < label.size; i++) {
        char c = (char)label.data[i];
        text[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return bytes_of(text, label.size);
}

/* "_web._tcp", "_web._v2", or "v2.web". */
static void find_service(struct reply *reply, const struct hearsay_bytes *labels, size_t count)
{
    char name[TEXT_MAX], tag[TEXT_MAX];
    if (count == 0) {
        return; /* "service" itself: nothing, but something below */
    }
    struct hearsay_bytes last = labels[count - 1];
    if (!is_underscored(last)) {
        answer_service(reply, lowered(name, last), joined(tag, labels, count - 1));
        return;
    }
    bool is_protocol = dns_label_equal(last, bytes_of_string("_tcp")) || dns_label_equal(last, bytes_of_string("_udp"));
    if (count == 2 && is_underscored(labels[0]) && labels[0].size > 1 && last.size > 1) {
        answer_service(reply, lowered(name, behind_first(labels[0])), is_protocol ? bytes_of(NULL, 0) : behind_first(last));
    } else if (count != 1 || !is_protocol) {
        reply->code = DNS_NXDOMAIN;
    }
}

/* The labels before the domain decide. */
static void find(struct reply *reply, size_t rest)
{
    struct hearsay_bytes labels[LABELS];
    char text[TEXT_MAX];
    size_t count = 0;
    for (size_t position = 0; position < rest; count++) {
        if (count == LABELS) {
            reply->code = DNS_NXDOMAIN;
            return;
        }
        (void)dns_name_next(&reply->question.name, &position, &labels[count]);
    }
    if (count == 0) {
        answer_apex(reply);
    } else if (dns_label_equal(labels[count - 1], bytes_of_string("service"))) {
        find_service(reply, labels, count - 1);
    } else if (dns_label_equal(labels[count - 1], bytes_of_string("node"))) {
        if (count > 1) {
            answer_node(reply, joined(text, labels, count - 1));
        }
    } else if (dns_label_equal(labels[count - 1], bytes_of_string("addr")) && count <= 2) {
        if (count == 2) {
            answer_addr(reply, labels[0]);
        }
    } else {
        reply->code = DNS_NXDOMAIN;
    }
}

/* ---- messages ------------------------------------------------------------------------------------------------------------------- */

/* Question and OPT; false when it is garbled. */
static bool read_question(struct reply *reply, struct hearsay_bytes bytes)
{
    struct dns_reader reader;
    struct dns_record record;
    const uint16_t *counts = reply->header.counts;
    if (!dns_read(&reader, bytes, &reply->header) || counts[DNS_QUESTION] != 1 || !dns_read_question(&reader, &reply->question)) {
        return false;
    }
    for (unsigned i = 0, known = counts[DNS_ANSWER] + counts[DNS_AUTHORITY], all = known + counts[DNS_ADDITIONAL]; i < all; i++) {
        if (!dns_read_record(&reader, &record)) {
            return false;
        }
        if (record.type == DNS_OPT) {
            if (i < known || reply->has_opt || record.name->size != 1 || !dns_read_opt(&record, &reply->opt)) {
                return false;
            }
            reply->has_opt = true;
        }
    }
    return reader_left(&reader.left) == 0;
}

/* How many bytes the asker may get. */
static size_t limit_of(const struct reply *reply, size_t asked, size_t capacity)
{
    size_t limit = reply->has_opt && reply->opt.udp_bytes > DNS_UDP_PLAIN ? reply->opt.udp_bytes : DNS_UDP_PLAIN;
    size_t most = reply->asker->is_local ? RESPONDER_LOCAL_UDP_BYTES : RESPONDER_UDP_BYTES;
    limit = limit < most ? limit : most;
    limit = reply->asker->is_stream ? UINT16_MAX : reply->is_proven ? limit : asked < limit ? asked : limit;
    return limit < capacity ? limit : capacity;
}

static void begin(struct reply *reply, struct hearsay_bytes asked, uint32_t now_s, uint8_t *room, size_t capacity)
{
    struct responder *r = reply->r;
    struct hearsay_bytes cookie = reply->opt.cookie;
    reply->is_proven =
        reply->asker->is_local || reply->asker->is_stream || cookie_is_valid(&r->secret, cookie, &reply->asker->address, now_s);
    dns_write(&reply->out, room, limit_of(reply, asked.size, capacity), reply->header.id,
              (uint16_t)(DNS_QR | (reply->header.flags & (DNS_OPCODE | DNS_RD))));
    if (cookie.size > 0) {
        cookie_make(&r->secret, cookie.data, &reply->asker->address, now_s, reply->cookie);
    }
}

/* The question, and room for what must come last. */
static bool begin_answer(struct reply *reply)
{
    if (!dns_put_question(&reply->out, &reply->question)) {
        return false; /* it had grown from a pointer into the header */
    }
    size_t left = reply->out.out.capacity - reply->out.out.size;
    reply->has_cookie = reply->opt.cookie.size > 0 && left >= DNS_OPT_BYTES + 4 + COOKIE_WHOLE;
    dns_reserve(&reply->out, !reply->has_opt ? 0 : reply->has_cookie ? DNS_OPT_BYTES + 4 + COOKIE_WHOLE : DNS_OPT_BYTES);
    reply->head = reply->out;
    return true;
}

static void count(struct reply *reply)
{
    struct responder_counters *c = &reply->r->counters;
    bool has_records = reply->out.header.counts[DNS_ANSWER] > 0 && !reply->is_cut;
    switch (reply->code) {
    case DNS_NOERROR:
        *(reply->is_cut && !reply->is_proven ? &c->unproven : reply->is_cut ? &c->truncated : has_records ? &c->answered : &c->empty) += 1;
        break;
    case DNS_NXDOMAIN:
        c->nxdomain++;
        break;
    case DNS_REFUSED:
        c->refused++;
        break;
    case DNS_FORMERR:
        c->garbled++;
        break;
    default:
        c->unsupported++;
    }
}

static struct hearsay_bytes finish(struct reply *reply)
{
    if (reply->is_cut && !reply->is_proven) {
        uint16_t flags = reply->out.header.flags;
        reply->out = reply->head;
        reply->out.header.flags = flags;
    }
    reply->out.header.flags |= reply->is_cut ? DNS_TC : 0;
    reply->out.header.flags |= (uint16_t)reply->code & DNS_CODE;
    dns_reserve(&reply->out, 0);
    if (reply->has_opt) {
        (void)dns_put_opt(&reply->out, RESPONDER_UDP_BYTES, reply->code, bytes_of(reply->cookie, reply->has_cookie ? COOKIE_WHOLE : 0));
    }
    count(reply);
    return dns_finish(&reply->out);
}

static void decide(struct reply *reply)
{
    const struct dns_question *q = &reply->question;
    size_t rest;
    if (reply->opt.version != 0) {
        reply->code = DNS_BADVERS;
        return;
    }
    if ((q->class != DNS_IN && q->class != DNS_CLASS_ANY) || q->type == TYPE_AXFR || q->type == TYPE_IXFR || q->type == DNS_OPT ||
        !dns_name_is_below(&q->name, &reply->r->domain, &rest)) {
        reply->code = DNS_REFUSED;
        return;
    }
    reply->out.header.flags |= DNS_AA;
    find(reply, rest);
    if (!reply->is_cut && reply->out.header.counts[DNS_ANSWER] == 0) {
        (void)put_soa(reply, DNS_AUTHORITY); /* without it nobody remembers the "no": that is no harm */
    }
}

struct hearsay_bytes responder_answer(struct responder *r, struct hearsay_bytes question, const struct responder_asker *asker,
                                      uint32_t now_s, uint8_t *room, size_t capacity)
{
    struct reply reply = {.r = r, .asker = asker};
    *(asker->is_stream ? &r->counters.tcp : &r->counters.udp) += 1;
    bool is_readable = read_question(&reply, question);
    if (question.size < DNS_HEADER || (reply.header.flags & DNS_QR) != 0) {
        r->counters.dropped++;
        return bytes_of(NULL, 0);
    }
    bool is_question = (reply.header.flags & DNS_OPCODE) == 0;
    is_readable = is_readable && is_question;
    reply.has_opt = reply.has_opt && is_readable;
    begin(&reply, question, now_s, room, capacity);
    if (is_readable && begin_answer(&reply)) {
        decide(&reply);
    } else { /* the header alone */
        reply.code = is_question ? DNS_FORMERR : DNS_NOTIMP;
        reply.has_opt = false;
    }
    return finish(&reply);
}
