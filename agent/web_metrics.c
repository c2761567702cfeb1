/* SPDX-License-Identifier: MIT
 *
 * Metrics in Prometheus' text format (version 0.0.4). hearsay's own names always say what they count; Serf's and memberlist's are given on
 * request, for dashboards that know them, where we count the same thing.
 */
#include "agent/dns.h"
#include "agent/web.h"

static bool wants(const char *names, const char *one)
{
    size_t length = strlen(one);
    for (const char *at = names; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, ",");
        if (size == length && strncmp(at, one, length) == 0) {
            return true;
        }
        at += size + (at[size] == ',');
    }
    return false;
}

static void head(struct text *out, const char *name, const char *kind, const char *help)
{
    text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void gauge(struct text *out, const char *name, const char *help, uint64_t value)
{
    head(out, name, "gauge", help);
    text_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void counter(struct text *out, const char *name, const char *help, uint64_t value)
{
    head(out, name, "counter", help);
    text_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void labelled(struct text *out, const char *name, const char *label, const char *value, uint64_t number)
{
    text_printf(out, "%s{%s=\"%s\"} %llu\n", name, label, value, (unsigned long long)number);
}

static void put_own(const struct service *service, const struct hearsay_stats *s, struct text *out)
{
    const struct hearsay_counters *c = hearsay_counters(service->node);
    head(out, "hearsay_info", "gauge", "version of this agent");
    text_printf(out, "hearsay_info{version=\"%s\"} 1\n", hearsay_version());
    head(out, "hearsay_members", "gauge", "members by status as this node sees them");
    labelled(out, "hearsay_members", "status", "alive", s->alive);
    labelled(out, "hearsay_members", "status", "suspect", s->suspect);
    labelled(out, "hearsay_members", "status", "failed", s->failed);
    labelled(out, "hearsay_members", "status", "left", s->left);
    gauge(out, "hearsay_health_score", "Lifeguard's score of this node itself; 0 is healthy", s->health_score);
    gauge(out, "hearsay_streams", "streams open now", s->streams);
    gauge(out, "hearsay_encrypted", "1 when packets are encrypted", s->is_encrypted);
    gauge(out, "hearsay_leaving", "1 while this node leaves", s->is_leaving);
    head(out, "hearsay_clock", "gauge", "Lamport clocks");
    labelled(out, "hearsay_clock", "of", "members", s->member_time);
    labelled(out, "hearsay_clock", "of", "events", s->event_time);
    labelled(out, "hearsay_clock", "of", "queries", s->query_time);
    head(out, "hearsay_queue", "gauge", "rumours waiting to be told");
    labelled(out, "hearsay_queue", "of", "members", s->member_queue);
    labelled(out, "hearsay_queue", "of", "intents", s->intent_queue);
    labelled(out, "hearsay_queue", "of", "events", s->event_queue);
    labelled(out, "hearsay_queue", "of", "queries", s->query_queue);
    counter(out, "hearsay_lines_dropped_total", "lines of log and event log that nobody read in time",
            service->lines_dropped(service->context));
#define PUT_ONE(field, sentence) counter(out, "hearsay_" #field "_total", sentence, c->field);
    HEARSAY_COUNTERS(PUT_ONE)
#undef PUT_ONE
}

static void put_dns(const struct dns *dns, struct text *out)
{
    const struct responder_counters *c = &dns->responder->counters;
    gauge(out, "hearsay_dns_connections", "DNS clients connected by TCP", dns->count);
    counter(out, "hearsay_dns_accepted_total", "DNS clients that connected by TCP", dns->accepted);
    counter(out, "hearsay_dns_evicted_total", "DNS connections ended because they were silent, or others needed the room", dns->evicted);
    counter(out, "hearsay_dns_unsent_total", "DNS answers by UDP that the system did not take", dns->unsent);
#define PUT_ONE(field, sentence) counter(out, "hearsay_dns_" #field "_total", sentence, c->field);
    RESPONDER_COUNTERS(PUT_ONE)
#undef PUT_ONE
}

static void put_memberlist(const struct service *service, const struct hearsay_stats *s, struct text *out)
{
    const struct hearsay_counters *c = hearsay_counters(service->node);
    gauge(out, "memberlist_health_score", "as memberlist's memberlist.health.score", s->health_score);
    gauge(out, "memberlist_queue_broadcasts", "as memberlist's memberlist.queue.broadcasts", s->member_queue);
    head(out, "memberlist_node_instances", "gauge", "members by state, as memberlist's memberlist.node.instances");
    labelled(out, "memberlist_node_instances", "node_state", "alive", s->alive);
    labelled(out, "memberlist_node_instances", "node_state", "suspect", s->suspect);
    labelled(out, "memberlist_node_instances", "node_state", "dead", s->failed);
    labelled(out, "memberlist_node_instances", "node_state", "left", s->left);
    counter(out, "memberlist_udp_sent", "bytes, as memberlist's memberlist.udp.sent", c->bytes_out);
    counter(out, "memberlist_udp_received", "bytes, as memberlist's memberlist.udp.received", c->bytes_in);
    counter(out, "memberlist_tcp_accept", "as memberlist's memberlist.tcp.accept", c->streams_in);
    counter(out, "memberlist_tcp_connect", "as memberlist's memberlist.tcp.connect", c->streams_out);
}

static void put_serf(const struct service *service, const struct hearsay_stats *s, struct text *out)
{
    const struct hearsay_counters *c = hearsay_counters(service->node);
    gauge(out, "serf_queue_Intent", "as Serf's serf.queue.Intent", s->intent_queue);
    gauge(out, "serf_queue_Event", "as Serf's serf.queue.Event", s->event_queue);
    gauge(out, "serf_queue_Query", "as Serf's serf.queue.Query", s->query_queue);
    counter(out, "serf_events", "as Serf's serf.events", c->events_in);
    counter(out, "serf_queries", "as Serf's serf.queries", c->queries_in);
}

void web_metrics(const struct service *service, const char *names, struct text *out)
{
    struct hearsay_stats stats;
    hearsay_get_stats(service->node, &stats);
    if (wants(names, "hearsay")) {
        put_own(service, &stats, out);
        if (service->dns != NULL && service->dns->responder != NULL) {
            put_dns(service->dns, out);
        }
    }
    if (wants(names, "memberlist")) {
        put_memberlist(service, &stats, out);
    }
    if (wants(names, "serf")) {
        put_serf(service, &stats, out);
    }
}
