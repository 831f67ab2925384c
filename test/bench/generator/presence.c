// One user (connection 0) with many contacts: the next change of presence when all have the last one.
#include <stdio.h>
#include <string.h>
#include "xload.h"

enum { RING = 1024 };
static u64 changed_ns[RING];
static u32 missing[RING], next_change;
static int subscriptions_missing, next_contact = 1;

static int presence_connections(void) { return 1 + options.contacts; }
static void presence_prepare(void) { ramp_target = connection_count; }

// Only who has asked for the roster is told of subscriptions (RFC 6121 §2.2).
static bool presence_setup(void) {
  subscriptions_missing = options.contacts;
  send_text(&connections[0], "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>");
  return true;
}

static void subscribe_next(const struct connection *hub) {
  if (next_contact > options.contacts) return;
  struct connection *contact = &connections[next_contact++];
  send_text(contact, "<presence to='%.*s' type='subscribe'/>", (int)hub->bare_length, hub->jid);
}

// A few at a time: servers bound how many requests may wait for one user.
static void subscribe_first(const struct connection *hub) {
  for (int i = 0; i < options.concurrency; i++) subscribe_next(hub);
}

static void subscribed(const struct connection *hub) {
  subscriptions_missing--;
  subscribe_next(hub);
}

static bool presence_setup_done(void) { return subscriptions_missing <= 0; }

static void change(void) {
  u32 slot = next_change % RING;
  changed_ns[slot] = now_ns();
  missing[slot] = options.contacts;
  counts.sent++;
  counts.expected += options.contacts;
  const char *show = next_change & 1 ? "away" : "dnd";
  send_text(&connections[0], "<presence><show>%s</show><status>p-%010u back in a while</status></presence>", show,
            next_change++);
}

static void presence_traffic(void) {
  for (int i = 0; i < options.window; i++) change();
}

static void approve(struct connection *c, const char *from, int length) {
  send_text(c, "<presence to='%.*s' type='subscribed'/>", length, from);
  if (c->id == 0) send_text(c, "<presence to='%.*s' type='subscribe'/>", length, from);
}

static void complete(u32 slot) {
  if (phase == MEASURE) {
    counts.changes++;
    histogram_add(now_ns() - changed_ns[slot]);
  }
  if (is_traffic_on()) change();
}

static void take_change(struct connection *c, const char *stanza, u32 length) {
  const char *status = memmem(stanza, length, "<status>p-", 10);
  if (!status || c->id == 0) return;
  if (!is_addressed_to(c, stanza, length)) {
    counts.misaddressed++;
    return;
  }
  u32 slot = strtoul(status + 10, NULL, 10) % RING;
  if (missing[slot] == 0) {
    counts.misordered++;
    return;
  }
  counts.received++;
  if (phase == MEASURE) counts.measured++;
  if (--missing[slot] == 0) complete(slot);
}

static void presence_stanza(struct connection *c, char *stanza, u32 length) {
  if (c->id == 0 && attribute_is(stanza, length, "id", "roster")) subscribe_first(c);
  if (stanza[1] != 'p') return;
  const char *from;
  int from_length = attribute(stanza, length, "from", &from);
  if (is_refusal(stanza, length)) return;
  if (attribute_is(stanza, length, "type", "subscribe")) approve(c, from, from_length);
  else if (!attribute_is(stanza, length, "type", "subscribed")) take_change(c, stanza, length);
  else if (c->id == 0) subscribed(c);
}

const struct scenario presence = {
  .name = "presence",
  .connections = presence_connections,
  .prepare = presence_prepare,
  .setup = presence_setup,
  .setup_done = presence_setup_done,
  .traffic = presence_traffic,
  .stanza = presence_stanza,
};
