/* SPDX-License-Identifier: MIT
 *
 * See dns.h: the zone, as node and catalog know it.
 */
#include "agent/dns.h"

struct showing {
    const struct dns *dns;
    dns_visit visit;
    void *user;
};

static bool is_same_host(const struct hearsay_address *a, const struct hearsay_address *b)
{
    struct hearsay_address x = address_normal(a), y = address_normal(b);
    return x.size == y.size && memcmp(x.bytes, y.bytes, x.size) == 0;
}

static bool on_service(void *context, const struct hearsay_service *service)
{
    struct showing *showing = context;
    struct hearsay_member member;
    bool is_at_node =
        hearsay_find_member(showing->dns->service->node, service->node, &member) && is_same_host(&member.address, &service->address);
    struct dns_instance instance = {.node = service->node,
                                    .address = service->address,
                                    .rtt = service->rtt,
                                    .is_healthy = service->is_healthy,
                                    .is_elsewhere = !is_at_node};
    return showing->visit(showing->user, &instance);
}

static void show_service(void *context, struct hearsay_bytes name, struct hearsay_bytes tag, dns_visit visit, void *user)
{
    struct dns *dns = context;
    struct showing showing = {dns, visit, user};
    struct hearsay_services_query query = {.name = name, .tag = tag, .turn = dns->turn++};
    if (dns->service->catalog != NULL) {
        hearsay_services_find(dns->service->catalog, dns->service->now_us(dns->service->context), &query, on_service, &showing);
    }
}

/* ---- names of nodes ---- */

static void forget_capitals(struct dns_capitals *capitals)
{
    for (size_t i = 0; i < capitals->count; i++) {
        free(capitals->names[i]);
    }
    free(capitals->names);
    *capitals = (struct dns_capitals){0};
}

static bool has_capitals(const char *name)
{
    while (*name != '\0' && (*name < 'A' || *name > 'Z')) {
        name++;
    }
    return *name != '\0';
}

static void gather_capitals(struct dns_capitals *capitals, const struct hearsay_node *node)
{
    struct hearsay_member member;
    size_t room = 0;
    forget_capitals(capitals);
    for (size_t position = 0; hearsay_next_member(node, &position, &member);) {
        if (!has_capitals(member.name)) {
            continue;
        }
        if (capitals->count == room) {
            room = room * 2 + 16;
            capitals->names = must(realloc(capitals->names, room * sizeof *capitals->names));
        }
        capitals->names[capitals->count++] = must(strdup(member.name));
    }
    capitals->is_known = true;
}

/* As it was asked, then in small letters, then any spelling. */
static bool find_member(struct dns *dns, const char *name, struct hearsay_member *member)
{
    const struct hearsay_node *node = dns->service->node;
    char small[256];
    if (hearsay_find_member(node, name, member)) {
        return true;
    }
    for (size_t i = 0; i <= strlen(name); i++) {
        small[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + ('a' - 'A')) : name[i];
    }
    if (hearsay_find_member(node, small, member)) {
        return true;
    }
    if (!dns->capitals.is_known) {
        gather_capitals(&dns->capitals, node);
    }
    for (size_t i = 0; i < dns->capitals.count; i++) {
        const char *other = dns->capitals.names[i];
        if (dns_label_equal(bytes_of_string(other), bytes_of_string(name)) && hearsay_find_member(node, other, member)) {
            return true;
        }
    }
    return false;
}

static enum dns_presence find_node(void *context, struct hearsay_bytes name, struct hearsay_address *address)
{
    struct hearsay_member member;
    char text[256];
    if (name.size >= sizeof text || memchr(name.data, 0, name.size) != NULL) {
        return DNS_UNKNOWN;
    }
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    if (!find_member(context, text, &member)) {
        return DNS_UNKNOWN;
    }
    *address = member.address;
    return member.status == HEARSAY_ALIVE || member.status == HEARSAY_SUSPECT ? DNS_THERE : DNS_GONE;
}

struct dns_zone dns_zone_of(struct dns *dns)
{
    return (struct dns_zone){.context = dns, .self = dns->service->name, .service = show_service, .node = find_node};
}

void dns_event(struct dns *dns, const struct hearsay_event *event)
{
    if (event->type == HEARSAY_MEMBER_JOIN || event->type == HEARSAY_MEMBER_REAP) {
        dns->capitals.is_known = false;
    }
}

void dns_zone_deinit(struct dns *dns)
{
    forget_capitals(&dns->capitals);
}
