/* SPDX-License-Identifier: MIT
 *
 * See inspection.h.
 */
#include "cli/inspection.h"

#include "base/bytes.h"
#include "cli/clock.h"
#include "cli/plain.h"
#include "cli/product.h"
#include "cli/versions.h"

#include <hearsay/hearsay.h>
#include <hearsay/hearsay_uv.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_NEAR_MS 20 /* closer than this is as good as equal */
#define NAME_BYTES (HEARSAY_NAME_MAX * 3 + 1) /* each byte may become U+FFFD */
#define TAG_BYTES (HEARSAY_META_MAX * 3 + 1)

void inspection_take_ack(struct inspection *i, uint64_t rtt_us, uint64_t clock_ms)
{
    if (clock_ms > 0 && (!i->has_clock || rtt_us < i->rtt_least_us)) {
        i->has_clock = true;
        i->clock_ahead_ms = (int64_t)clock_ms - (int64_t)(clock_unix_ms() - rtt_us / 2000);
    }
    i->rtt_least_us = i->acks == 0 || rtt_us < i->rtt_least_us ? rtt_us : i->rtt_least_us;
    i->rtt_most_us = rtt_us > i->rtt_most_us ? rtt_us : i->rtt_most_us;
    i->rtt_sum_us += rtt_us;
    i->acks++;
}

static bool is_seen(const struct inspection *i)
{
    return i->has_connected && i->status == HEARSAY_INSPECT_DONE;
}

/* The stream did not bring a view: why not, and what to try next? */
static void say_refusal(const struct inspection *i, char *out, size_t size)
{
    char text[300];
    if (!i->has_connected) {
        snprintf(out, size, "no stream: %s%s", strerror(i->tcp_error),
                 i->acks > 0 ? "; yet pings are answered, so a firewall lets UDP pass but not TCP" : "; is a node running there, on that port?");
        return;
    }
    switch (i->status) {
    case HEARSAY_INSPECT_REFUSED:
        plain_into(text, sizeof text, bytes_of_string(hearsay_inspect_text(i->look)));
        plain_tame(text);
        snprintf(out, size, "it refuses us: \"%s\"; %s", text,
                 i->has_key ? "its key differs from ours, or it has none" : "it wants encryption: give the cluster's key with --encrypt @FILE");
        break;
    case HEARSAY_INSPECT_CIPHER:
        snprintf(out, size, "it answers encrypted, and %s", i->has_key ? "our key does not open it: another key is in use"
                                                                       : "we have no key: give the cluster's key with --encrypt @FILE");
        break;
    case HEARSAY_INSPECT_PLAINTEXT:
        snprintf(out, size, "it answers in plain text although we came with a key: the node runs without encryption; leave --encrypt away");
        break;
    case HEARSAY_INSPECT_MORE:
        snprintf(out, size, "it accepted the stream but did not answer in time: %s", i->acks > 0 ? "overloaded, or serving too many exchanges"
                 : "overloaded, frozen, behind TLS (as Alertmanager with --cluster.tls-config), or not memberlist");
        break;
    default:
        if (i->bytes == 0) {
            snprintf(out, size, "it closed the stream without a word: %s, or it serves too many exchanges at once, or that is not the gossip port",
                     i->has_label ? "its label differs from ours" : "it wants a label (give it with --label)");
        } else {
            snprintf(out, size, "what it answers is not memberlist's protocol; is that the gossip port?");
        }
    }
}

/* Versions that do not overlap, as this view tells them. */
static bool say_clash(const struct inspection *i, char *out, size_t size)
{
    struct hearsay_member m;
    struct versions versions = {.count = 0};
    char clash[256];
    for (size_t position = 0; hearsay_inspect_next_member(i->look, &position, &m);) {
        if (m.status == HEARSAY_ALIVE || m.status == HEARSAY_SUSPECT) {
            versions_take(&versions, m.name, m.versions);
        }
    }
    bool is_clash = versions_clash(&versions, clash, sizeof clash);
    if (is_clash) {
        plain_tame(clash);
        snprintf(out, size, "versions clash: %s; exchanges and joins between such members are refused", clash);
    }
    return is_clash;
}

void inspection_finding(const struct inspection *i, char *out, size_t size)
{
    out[0] = 0;
    if (!is_seen(i)) {
        say_refusal(i, out, size);
        return;
    }
    if (i->acks == 0) {
        snprintf(out, size, "streams work but no ping is answered: UDP to this port is blocked, and others will suspect this node");
    } else if (i->acks < i->pings) {
        snprintf(out, size, "%u of %u pings were lost", i->pings - i->acks, i->pings);
    } else if (!say_clash(i, out, size) && i->expected != NULL) {
        struct product product;
        product_read(&product, i->look);
        if (!product_is(product.kind, product_of_word(i->expected))) {
            snprintf(out, size, "this is %s, not %s", product_title(product.kind), product_title(product_of_word(i->expected)));
        }
    }
}

static void tags_text(const struct hearsay_member *m, bool is_serf, char *out, size_t size)
{
    struct hearsay_bytes key, value;
    size_t used = 0;
    out[0] = 0;
    if (!is_serf) {
        if (m->meta.size > 0) {
            snprintf(out, size, "meta of %zu bytes", m->meta.size);
        }
        return;
    }
    for (size_t position = 0; used < size && hearsay_next_tag(m, &position, &key, &value);) {
        char key_text[TAG_BYTES], value_text[TAG_BYTES];
        plain_into(key_text, sizeof key_text, key);
        plain_into(value_text, sizeof value_text, value);
        int length = snprintf(out + used, size - used, "%s%s=%s", used == 0 ? "" : ",", key_text, value_text);
        used += length < 0 ? 0 : (size_t)length;
    }
    plain_tame(out);
}

static void name_text(const struct hearsay_member *m, char out[NAME_BYTES])
{
    plain_into(out, NAME_BYTES, bytes_of_string(m->name));
    plain_tame(out);
}

static void print_members(const struct inspection *i, bool is_serf)
{
    struct hearsay_member m;
    int name = 4, address = 7;
    char place[64], who[NAME_BYTES], tags[2 * TAG_BYTES];
    for (size_t position = 0; hearsay_inspect_next_member(i->look, &position, &m);) {
        hearsay_address_text(&m.address, place, sizeof place);
        name_text(&m, who);
        name = (int)strlen(who) > name ? (int)strlen(who) : name;
        address = (int)strlen(place) > address ? (int)strlen(place) : address;
    }
    printf("\n%-*s  %-*s  %-8s  %11s  %-11s  %s\n", name, "NAME", address, "ADDRESS", "STATUS", "INCARNATION", "VERSIONS", "TAGS");
    for (size_t position = 0; hearsay_inspect_next_member(i->look, &position, &m);) {
        char versions[40];
        hearsay_address_text(&m.address, place, sizeof place);
        snprintf(versions, sizeof versions, "%u-%u/%u %u-%u/%u", m.versions[0], m.versions[1], m.versions[2], m.versions[3], m.versions[4],
                 m.versions[5]);
        tags_text(&m, is_serf, tags, sizeof tags);
        name_text(&m, who);
        printf("%-*s  %-*s  %-8s  %11u  %-11s  %s\n", name, who, address, place, hearsay_status_text(m.status), m.incarnation, versions,
               tags);
    }
}

void inspection_print_text(const struct inspection *i)
{
    struct hearsay_inspect_facts f;
    struct product product;
    char finding[512], state[4096];
    inspection_finding(i, finding, sizeof finding);
    printf("%s", i->address);
    if (is_seen(i)) {
        hearsay_inspect_get_facts(i->look, &f);
        product_read(&product, i->look);
        product_describe(&product, state, sizeof state);
        printf(": %s, %s, %s, %u member%s\n", product_title(product.kind), f.is_encrypted ? "encrypted" : "NOT ENCRYPTED",
               f.is_compressed ? "compressed" : "not compressed", f.members, f.members == 1 ? "" : "s");
        if (state[0] != 0) {
            puts(state);
        }
        if (f.is_serf) {
            printf("clocks: members %llu, events %llu, queries %llu\n", (unsigned long long)f.member_time, (unsigned long long)f.event_time,
                   (unsigned long long)f.query_time);
        }
    } else {
        printf(": no view\n");
    }
    printf("pings: %u of %u answered", i->acks, i->pings);
    if (i->acks > 0) {
        printf(", round trip %.3f / %.3f / %.3f ms (least / mean / most)%s", (double)i->rtt_least_us / 1000,
               (double)i->rtt_sum_us / i->acks / 1000, (double)i->rtt_most_us / 1000, i->abilities != 0 ? ", by a hearsay node" : "");
    }
    if (i->has_clock && llabs(i->clock_ahead_ms) <= CLOCK_NEAR_MS) {
        printf(", its clock agrees with ours");
    } else if (i->has_clock) {
        printf(", its clock %.3f s %s ours", fabs((double)i->clock_ahead_ms) / 1000, i->clock_ahead_ms < 0 ? "behind" : "ahead of");
    }
    putchar('\n');
    if (is_seen(i)) {
        print_members(i, f.is_serf);
    }
    if (finding[0] != 0) {
        printf("\n%s\n", finding);
    }
}

static json_t *member_json(const struct hearsay_member *m, bool is_serf)
{
    char place[64], who[NAME_BYTES], key_text[TAG_BYTES], value_text[TAG_BYTES];
    struct hearsay_bytes key, value;
    plain_into(who, sizeof who, bytes_of_string(m->name)); /* JSON is UTF-8; control bytes are escaped there */
    hearsay_address_text(&m->address, place, sizeof place);
    json_t *tags = json_object(), *versions = json_array();
    for (size_t position = 0; is_serf && hearsay_next_tag(m, &position, &key, &value);) {
        plain_into(key_text, sizeof key_text, key);
        plain_into(value_text, sizeof value_text, value);
        json_object_set_new(tags, key_text, json_string(value_text));
    }
    for (int v = 0; v < 6; v++) {
        json_array_append_new(versions, json_integer(m->versions[v]));
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:o, s:o}", "name", who, "addr", place, "status", hearsay_status_text(m->status), "incarnation",
                     (json_int_t)m->incarnation, "versions", versions, "tags", tags);
}

void inspection_print_json(const struct inspection *i)
{
    char finding[512];
    inspection_finding(i, finding, sizeof finding);
    json_t *root = json_pack("{s:s, s:b, s:s}", "address", i->address, "seen", is_seen(i), "finding", finding);
    json_t *pings = json_pack("{s:i, s:i}", "sent", (int)i->pings, "answered", (int)i->acks);
    if (i->acks > 0) {
        json_object_set_new(pings, "rtt_us", json_pack("{s:I, s:I, s:I}", "least", (json_int_t)i->rtt_least_us, "mean",
                                                       (json_int_t)(i->rtt_sum_us / i->acks), "most", (json_int_t)i->rtt_most_us));
    }
    json_object_set_new(root, "pings", pings);
    json_object_set_new(root, "hearsay", json_boolean(i->abilities != 0));
    if (i->has_clock) {
        json_object_set_new(root, "clock_ahead_ms", json_integer(i->clock_ahead_ms));
    }
    if (is_seen(i)) {
        struct hearsay_inspect_facts f;
        struct hearsay_member m;
        json_t *members = json_array();
        hearsay_inspect_get_facts(i->look, &f);
        for (size_t position = 0; hearsay_inspect_next_member(i->look, &position, &m);) {
            json_array_append_new(members, member_json(&m, f.is_serf));
        }
        struct product product;
        product_read(&product, i->look);
        json_object_set_new(root, "personality", json_string(product_word(product.kind)));
        json_object_set_new(root, "state", product_json(&product));
        json_object_set_new(root, "encrypted", json_boolean(f.is_encrypted));
        json_object_set_new(root, "compressed", json_boolean(f.is_compressed));
        json_object_set_new(root, "clocks", json_pack("{s:I, s:I, s:I}", "members", (json_int_t)f.member_time, "events",
                                                      (json_int_t)f.event_time, "queries", (json_int_t)f.query_time));
        json_object_set_new(root, "members", members);
    }
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}
