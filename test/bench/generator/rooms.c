// A room with many occupants: connection 0 makes it and speaks, all get what it says. Another message for each that all have.
#include <stdio.h>
#include "xload.h"

enum { RING = 1024 };
static u64 said_ns[RING];
static u32 missing[RING], next_message;
static int joined, next_occupant = 1;
static char room[160];

static int room_connections(void) { return options.occupants; }

static void room_prepare(void) {
  ramp_target = connection_count;
  snprintf(room, sizeof room, "bench@conference.%s", options.domain);
  message_template(&connections[0], room, "groupchat", 0);
}

static bool room_setup(void) {
  room_join(&connections[0], room);
  return true;
}

static void join_next(void) {
  if (next_occupant < options.occupants) room_join(&connections[next_occupant++], room);
}

static void has_joined(struct connection *c) {
  joined++;
  if (c->id == 0) room_accept_configuration(c, room, "");
  else join_next();
}

static bool room_setup_done(void) { return joined >= options.occupants; }

static void say(void) {
  struct connection *c = &connections[0];
  u32 slot = next_message % RING;
  said_ns[slot] = now_ns();
  missing[slot] = options.occupants;
  counts.sent++;
  counts.expected += options.occupants;
  message_number(c, next_message++);
  send_bytes(c, c->template, c->template_length);
}

static void room_traffic(void) {
  for (int i = 0; i < options.window; i++) say();
}

static void complete(u32 slot) {
  if (phase == MEASURE) {
    counts.changes++;
    histogram_add(now_ns() - said_ns[slot]);
  }
  if (is_traffic_on()) say();
}

static void take_message(struct connection *c, const char *stanza, u32 length) {
  u32 key, sequence;
  if (!message_key(stanza, length, &key, &sequence)) return;
  if (!is_addressed_to(c, stanza, length)) counts.misaddressed++;
  else if ((int)length < options.body) counts.truncated++;
  else {
    if (sequence != c->expected) counts.misordered++;
    c->expected = sequence + 1;
    counts.received++;
    if (phase == MEASURE) counts.measured++;
    if (--missing[sequence % RING] == 0) complete(sequence % RING);
  }
}

static void room_stanza(struct connection *c, char *stanza, u32 length) {
  if (is_refusal(stanza, length)) return;
  if (stanza[1] == 'm') take_message(c, stanza, length);
  else if (is_configuration_accepted(stanza, length))
    for (int i = 0; i < options.concurrency; i++) join_next();
  else if (phase == SETUP && is_own_presence(stanza, length)) has_joined(c);
}

const struct scenario rooms = {
  .name = "rooms",
  .connections = room_connections,
  .prepare = room_prepare,
  .setup = room_setup,
  .setup_done = room_setup_done,
  .traffic = room_traffic,
  .stanza = room_stanza,
};
