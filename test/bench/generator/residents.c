// What rooms cost in memory. All users enter one room; or, with --rooms, they make so many and leave them again, and as many
// before: what the first ones cost once, such as compiled code, is no cost of a room.
#include <stdio.h>
#include "xload.h"

static long before_kb, after_kb;
static int entered, made, next_occupant = 1;

static int resident_connections(void) { return options.occupants; }
static void resident_prepare(void) { ramp_target = connection_count; }

// The rooms of one connection are its number, and every so many after it.
static int room_of(const struct connection *c) { return options.rooms > 0 ? c->id + (int)c->sent * connection_count : 0; }

static const char *room_at(int number) {
  static char room[160];
  snprintf(room, sizeof room, "r%d@conference.%s", number, options.domain);
  return room;
}

// A room that stays when nobody is in it (XEP-0045 §10.1.3).
static const char persistent[] =
    "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"
    "<field var='muc#roomconfig_persistentroom'><value>1</value></field>";

static int all_rooms(void) { return 2 * options.rooms; }

static void make_next(struct connection *c) {
  if (room_of(c) < all_rooms()) room_join(c, room_at(room_of(c)));
}

static void begin(void) {
  before_kb = server_rss_kb();
  enter(SETUP);
  if (options.rooms == 0) room_join(&connections[0], room_at(0));
  else
    for (int i = 0; i < connection_count; i++) make_next(&connections[i]);
}

static bool is_done(void) { return options.rooms > 0 ? made >= all_rooms() : entered >= options.occupants; }

static bool resident_step(double in_phase) {
  if (phase == SETUP && in_phase > options.timeout) die("%d have entered, %d rooms are there", entered, made);
  if (ramp_is_done(in_phase)) enter(SETTLE);
  else if (phase == SETTLE && in_phase >= options.settle) begin();
  else if (phase == SETUP && is_done()) enter(WARM);
  else if (phase == WARM && in_phase >= options.settle) measure_begin();
  else if (phase == MEASURE && in_phase >= options.seconds) {
    after_kb = server_rss_kb();
    measure_end();
  }
  return phase == DRAIN;
}

static void enter_more(void) {
  if (next_occupant < options.occupants) room_join(&connections[next_occupant++], room_at(0));
}

static void has_made(struct connection *c) {
  if (options.rooms > 0) return room_leave(c, room_at(room_of(c)));
  for (int i = 0; i < options.concurrency; i++) enter_more();
}

static void take_own_presence(struct connection *c, const char *stanza, u32 length) {
  if (attribute_is(stanza, length, "type", "unavailable")) {
    if (++made == options.rooms) before_kb = server_rss_kb();
    c->sent++;
    return make_next(c);
  }
  entered++;
  if (options.rooms > 0 || c->id == 0) room_accept_configuration(c, room_at(room_of(c)), persistent);
  else enter_more();
}

static void resident_stanza(struct connection *c, char *stanza, u32 length) {
  if (is_refusal(stanza, length)) return;
  if (is_configuration_accepted(stanza, length)) has_made(c);
  else if (phase == SETUP && is_own_presence(stanza, length)) take_own_presence(c, stanza, length);
}

static void resident_report(void) {
  int count = options.rooms > 0 ? options.rooms : options.occupants;
  printf("\"connections\":%d,\"rssBeforeKb\":%ld,\"rssAfterKb\":%ld,", count, before_kb, after_kb);
}

static void resident_traffic(void) {}

const struct scenario residents = {
  .name = "residents",
  .connections = resident_connections,
  .prepare = resident_prepare,
  .traffic = resident_traffic,
  .stanza = resident_stanza,
  .step = resident_step,
  .report = resident_report,
};
