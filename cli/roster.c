/* SPDX-License-Identifier: MIT
 *
 * See roster.h. Columns and JSON are as `serf members` prints them.
 */
#include "cli/roster.h"

#include "cli/plain.h"
#include "wire/msgpack.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *address_of(struct hearsay_bytes ip, unsigned port)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char host[INET6_ADDRSTRLEN] = "?", *text = malloc(80);
    bool is_mapped = ip.size == 16 && memcmp(ip.data, mapped, 12) == 0;
    if (ip.size == 4 || is_mapped) {
        inet_ntop(AF_INET, ip.data + (is_mapped ? 12 : 0), host, sizeof host);
    } else if (ip.size == 16) {
        inet_ntop(AF_INET6, ip.data, host, sizeof host);
    }
    if (text != NULL) {
        snprintf(text, 80, ip.size == 16 && !is_mapped ? "[%s]:%u" : "%s:%u", host, port);
    }
    return text;
}

static void insert_tag(struct roster_member *m, char *key, char *value)
{
    size_t at = m->tag_count++;
    for (; at > 0 && strcmp(m->keys[at - 1], key) > 0; at--) {
        m->keys[at] = m->keys[at - 1];
        m->values[at] = m->values[at - 1];
    }
    m->keys[at] = key;
    m->values[at] = value;
}

static bool read_tags(struct roster_member *m, struct reader *r)
{
    uint32_t count = msgpack_get_map(r);
    if (count > reader_left(r) || m->keys != NULL) {
        return false;
    }
    m->keys = calloc(count + 1, sizeof *m->keys);
    m->values = calloc(count + 1, sizeof *m->values);
    for (uint32_t i = 0; i < count && m->keys != NULL && m->values != NULL; i++) {
        char *key = plain_copy(msgpack_get_raw(r)), *value = plain_copy(msgpack_get_raw(r));
        if (key == NULL || value == NULL) {
            free(key);
            free(value);
            return false;
        }
        insert_tag(m, key, value);
    }
    return m->keys != NULL && m->values != NULL;
}

static bool join_tags(struct roster_member *m)
{
    size_t size = 1;
    for (size_t i = 0; i < m->tag_count; i++) {
        size += strlen(m->keys[i]) + strlen(m->values[i]) + 2;
    }
    m->tags = calloc(1, size);
    for (size_t i = 0; i < m->tag_count && m->tags != NULL; i++) {
        size_t used = strlen(m->tags);
        snprintf(m->tags + used, size - used, "%s%s=%s", i == 0 ? "" : ",", m->keys[i], m->values[i]);
    }
    return m->tags != NULL;
}

static bool read_member(struct roster_member *m, struct reader *r)
{
    struct hearsay_bytes ip = {0};
    uint32_t count = msgpack_get_map(r);
    for (uint32_t i = 0; i < count && !r->is_bad; i++) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "Name")) {
            free(m->name);
            m->name = plain_copy(msgpack_get_raw(r));
        } else if (msgpack_is(key, "Addr")) {
            ip = msgpack_get_raw(r);
        } else if (msgpack_is(key, "Port")) {
            m->port = (unsigned)msgpack_get_uint(r, UINT16_MAX);
        } else if (msgpack_is(key, "Status")) {
            free(m->status);
            m->status = plain_copy(msgpack_get_raw(r));
        } else if (msgpack_is(key, "Tags")) {
            r->is_bad |= !read_tags(m, r);
        } else if (msgpack_is(key, "DelegateMin")) {
            m->protocol[0] = (uint8_t)msgpack_get_uint(r, UINT8_MAX);
        } else if (msgpack_is(key, "DelegateMax")) {
            m->protocol[1] = (uint8_t)msgpack_get_uint(r, UINT8_MAX);
        } else if (msgpack_is(key, "DelegateCur")) {
            m->protocol[2] = (uint8_t)msgpack_get_uint(r, UINT8_MAX);
        } else {
            msgpack_skip(r);
        }
    }
    m->address = address_of(ip, m->port);
    return !r->is_bad && m->name != NULL && m->status != NULL && m->address != NULL && join_tags(m);
}

bool roster_read(struct roster *roster, struct hearsay_bytes object)
{
    *roster = (struct roster){0};
    struct reader r = reader_of(object);
    if (msgpack_get_map(&r) != 1 || !msgpack_is(msgpack_get_raw(&r), "Members")) {
        return false;
    }
    uint32_t count = msgpack_get_array(&r);
    if (r.is_bad || count > reader_left(&r)) {
        return false;
    }
    roster->at = calloc(count + 1, sizeof *roster->at);
    for (uint32_t i = 0; i < count && roster->at != NULL; i++) {
        roster->count++;
        if (!read_member(&roster->at[i], &r)) {
            roster_free(roster);
            return false;
        }
    }
    return roster->at != NULL;
}

void roster_free(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++) {
        struct roster_member *m = &roster->at[i];
        for (size_t t = 0; t < m->tag_count; t++) {
            free(m->keys[t]);
            free(m->values[t]);
        }
        free(m->keys);
        free(m->values);
        free(m->name);
        free(m->address);
        free(m->status);
        free(m->tags);
    }
    free(roster->at);
    *roster = (struct roster){0};
}

static int widest(int width, const char *text)
{
    int length = (int)strlen(text);
    return length > width ? length : width;
}

void roster_print_text(const struct roster *roster, bool is_detailed)
{
    int name = 0, address = 0, status = 0, tags = 0;
    for (size_t i = 0; i < roster->count; i++) {
        const struct roster_member *m = &roster->at[i];
        plain_tame(m->name);
        plain_tame(m->status);
        plain_tame(m->tags);
        name = widest(name, m->name);
        address = widest(address, m->address);
        status = widest(status, m->status);
        tags = widest(tags, m->tags);
    }
    for (size_t i = 0; i < roster->count; i++) {
        const struct roster_member *m = &roster->at[i];
        printf("%-*s  %-*s  %-*s  ", name, m->name, address, m->address, status, m->status);
        if (is_detailed) {
            printf("%-*s  Protocol Version: %u  Available Protocol Range: [%u, %u]\n", tags, m->tags, m->protocol[2], m->protocol[0],
                   m->protocol[1]);
        } else {
            printf("%s\n", m->tags);
        }
    }
    if (roster->count == 0) {
        putchar('\n'); /* as serf does */
    }
}

void roster_print_json(const struct roster *roster)
{
    json_t *members = json_array();
    for (size_t i = 0; i < roster->count; i++) {
        const struct roster_member *m = &roster->at[i];
        json_t *tags = json_object();
        for (size_t t = 0; t < m->tag_count; t++) {
            json_object_set_new(tags, m->keys[t], json_string(m->values[t]));
        }
        json_array_append_new(members, json_pack("{s:s, s:s, s:i, s:o, s:s, s:{s:i, s:i, s:i}}", "name", m->name, "addr", m->address,
                                                 "port", (int)m->port, "tags", tags, "status", m->status, "protocol", "max",
                                                 m->protocol[1], "min", m->protocol[0], "version", m->protocol[2]));
    }
    json_t *root = json_pack("{s:o}", "members", members);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}
