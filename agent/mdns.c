/* SPDX-License-Identifier: MIT
 *
 * See mdns.h. The records are those of hashicorp/mdns, whose client wants all of them in the section of answers of one message. Our instance is
 * its own host: no other program speaks for that name.
 */
#include "agent/mdns.h"

#include <stdio.h>
#include <string.h>

#define TTL_S 120
#define RECORDS_MOST 64 /* looked at in one message */
#define AGENTS_MOST 32  /* told of in one message */

bool mdns_init(struct mdns *m, const char *cluster, const char *node, const struct hearsay_address *address)
{
    char label[DNS_LABEL_MAX + 2];
    size_t length = strlen(node);
    *m = (struct mdns){.address = *address};
    int size = snprintf(label, sizeof label, "_serf_%s", cluster);
    if (cluster[0] == '\0' || size > (int)DNS_LABEL_MAX) {
        return false;
    }
    dns_name_clear(&m->service);
    dns_name_clear(&m->instance);
    bool is_named = dns_name_add(&m->service, (struct hearsay_bytes){(const uint8_t *)label, (size_t)size})
                    && dns_name_add(&m->service, (struct hearsay_bytes){(const uint8_t *)"_tcp", 4})
                    && dns_name_add(&m->service, (struct hearsay_bytes){(const uint8_t *)"local", 5})
                    && dns_name_add(&m->instance, (struct hearsay_bytes){(const uint8_t *)node, length < DNS_LABEL_MAX ? length : DNS_LABEL_MAX})
                    && dns_name_add_all(&m->instance, &m->service);
    int text = snprintf(m->text + 1, sizeof m->text - 1, "Serf '%s' cluster", cluster);
    m->text[0] = (char)text;
    return is_named;
}

struct hearsay_bytes mdns_question(const struct mdns *m, uint8_t room[MDNS_BYTES])
{
    struct dns_writer w;
    struct dns_question question = {.name = m->service, .type = DNS_PTR, .class = DNS_IN};
    dns_write(&w, room, MDNS_BYTES, 0, 0);
    dns_put_question(&w, &question);
    return dns_finish(&w);
}

static bool put_answer(const struct mdns *m, struct dns_writer *w)
{
    struct dns_record pointer = {.name = &m->service, .target = &m->instance, .type = DNS_PTR, .class = DNS_IN, .ttl = TTL_S};
    struct dns_record service = {.name = &m->instance, .target = &m->instance, .type = DNS_SRV, .class = DNS_IN, .ttl = TTL_S, .priority = 10,
                                 .weight = 1, .port = m->address.port};
    struct dns_record address = {.name = &m->instance, .type = m->address.size == 4 ? DNS_A : DNS_AAAA, .class = DNS_IN, .ttl = TTL_S,
                                 .address = m->address};
    struct dns_record text = {.name = &m->instance, .type = DNS_TXT, .class = DNS_IN, .ttl = TTL_S,
                              .data = {(const uint8_t *)m->text, 1 + (size_t)(uint8_t)m->text[0]}};
    return dns_put_record(w, DNS_ANSWER, &pointer) && dns_put_record(w, DNS_ANSWER, &service) && dns_put_record(w, DNS_ANSWER, &address)
           && dns_put_record(w, DNS_ANSWER, &text);
}

struct hearsay_bytes mdns_answer(const struct mdns *m, struct hearsay_bytes asked, uint8_t room[MDNS_BYTES], bool *is_for_all)
{
    struct dns_reader r;
    struct dns_header header;
    struct dns_question question;
    struct dns_writer w;
    bool is_for_us = false;
    *is_for_all = true;
    if (!dns_read(&r, asked, &header) || (header.flags & (DNS_QR | DNS_OPCODE | DNS_CODE)) != 0) {
        return (struct hearsay_bytes){NULL, 0};
    }
    for (unsigned i = 0; i < header.counts[DNS_QUESTION] && i < RECORDS_MOST && dns_read_question(&r, &question); i++) {
        bool is_service = dns_name_equal(&question.name, &m->service) && (question.type == DNS_PTR || question.type == DNS_ANY);
        if (is_service || dns_name_equal(&question.name, &m->instance)) {
            is_for_us = true;
            *is_for_all &= (question.class & DNS_TOP_BIT) == 0;
        }
    }
    dns_write(&w, room, MDNS_BYTES, header.id, DNS_QR | DNS_AA);
    return is_for_us && put_answer(m, &w) ? dns_finish(&w) : (struct hearsay_bytes){NULL, 0};
}

/* ---- what others answer ---- */

struct agent_told {
    struct dns_name name, host;
    struct hearsay_address address;
    bool has_port;
};

struct told {
    struct agent_told agents[AGENTS_MOST];
    size_t count;
};

static struct agent_told *agent_named(const struct mdns *m, struct told *t, const struct dns_name *name)
{
    size_t rest;
    for (size_t i = 0; i < t->count; i++) {
        if (dns_name_equal(&t->agents[i].name, name)) {
            return &t->agents[i];
        }
    }
    if (t->count == AGENTS_MOST || dns_name_equal(name, &m->instance) || !dns_name_is_below(name, &m->service, &rest) || rest == 0) {
        return NULL;
    }
    t->agents[t->count] = (struct agent_told){.name = *name};
    return &t->agents[t->count++];
}

static void note(const struct mdns *m, struct told *t, const struct dns_record *record)
{
    if (record->type == DNS_SRV) {
        struct agent_told *agent = agent_named(m, t, record->name);
        if (agent != NULL) {
            agent->host = *record->target;
            agent->address.port = record->port;
            agent->has_port = record->port != 0;
        }
    }
    for (size_t i = 0; i < t->count && (record->type == DNS_A || record->type == DNS_AAAA); i++) {
        struct agent_told *agent = &t->agents[i];
        if (agent->has_port && agent->address.size == 0 && dns_name_equal(&agent->host, record->name)) {
            uint16_t port = agent->address.port;
            agent->address = record->address;
            agent->address.port = port;
        }
    }
}

static bool is_same_place(const struct hearsay_address *a, const struct hearsay_address *b)
{
    return a->size == b->size && a->port == b->port && memcmp(a->bytes, b->bytes, a->size) == 0;
}

size_t mdns_read(const struct mdns *m, struct hearsay_bytes told, struct hearsay_address *found, size_t most)
{
    struct dns_reader r;
    struct dns_header header;
    struct dns_question question;
    struct dns_record record;
    struct told t = {.count = 0};
    size_t count = 0;
    if (!dns_read(&r, told, &header) || (header.flags & DNS_QR) == 0) {
        return 0;
    }
    for (unsigned i = 0; i < header.counts[DNS_QUESTION]; i++) {
        if (i == RECORDS_MOST || !dns_read_question(&r, &question)) {
            return 0;
        }
    }
    for (unsigned passes = 0; passes < 2; passes++) { /* an address may stand before the service that has it */
        struct dns_reader again = r;
        unsigned records = header.counts[DNS_ANSWER] + header.counts[DNS_AUTHORITY] + header.counts[DNS_ADDITIONAL];
        for (unsigned i = 0; i < records && i < RECORDS_MOST && dns_read_record(&again, &record); i++) {
            note(m, &t, &record);
        }
    }
    for (size_t i = 0; i < t.count && count < most; i++) {
        if (t.agents[i].address.size > 0 && !is_same_place(&t.agents[i].address, &m->address)) {
            found[count++] = t.agents[i].address;
        }
    }
    return count;
}
