// What rooms cost in memory. All users enter one room; or, with --rooms, they make so many and leave them again.
#include <stdio.h>
#include <string.h>
#include "xload.h"

static long before_kb, after_kb;
static int entered, made, next_occupant = 1;

static int resident_connections(void) { return options.occupants; }
static void resident_prepare(void) { ramp_target = connection_count; }

static void join(struct connection *c, int number) {
  send_text(c,
            "<presence to='r%d@conference.%s/%s%d'><x xmlns='http://jabber.org/protocol/muc'>"
            "<history maxstanzas='0'/></x></presence>",
            number, options.domain, options.prefix, c->user);
}

// The rooms of one connection are its number, and every so many after it.
static int room_of(const struct connection *c) { return options.rooms > 0 ? c->id + (int)c->sent * connection_count : 0; }

// A room that stays when nobody is in it (XEP-0045 §10.1.3).
static void accept_configuration(struct connection *c) {
  send_text(c,
            "<iq type='set' id='make' to='r%d@conference.%s'><query xmlns='http://jabber.org/protocol/muc#owner'>"
            "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
            "<value>http://jabber.org/protocol/muc#roomconfig</value></field>"
            "<field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query></iq>",
            room_of(c), options.domain);
}

static void leave(struct connection *c) {
  send_text(c, "<presence type='unavailable' to='r%d@conference.%s/%s%d'/>", room_of(c), options.domain, options.prefix,
            c->user);
}

static void make_next(struct connection *c) {
  if (room_of(c) < options.rooms) join(c, room_of(c));
}

static void begin(void) {
  before_kb = server_rss_kb();
  enter(SETUP);
  if (options.rooms == 0) join(&connections[0], 0);
  else
    for (int i = 0; i < connection_count; i++) make_next(&connections[i]);
}

static bool is_done(void) { return options.rooms > 0 ? made >= options.rooms : entered >= options.occupants; }

static bool resident_step(double in_phase) {
  if (phase == RAMP && in_phase > options.timeout) die("only %d of %d connections are ready", ready_count, ramp_target);
  if (phase == SETUP && in_phase > options.timeout) die("%d have entered, %d rooms are there", entered, made);
  if (phase == RAMP && ready_count == ramp_target) {
    ramp_seconds = in_phase;
    enter(SETTLE);
  } else if (phase == SETTLE && in_phase >= options.settle) begin();
  else if (phase == SETUP && is_done()) enter(WARM);
  else if (phase == WARM && in_phase >= options.settle) measure_begin();
  else if (phase == MEASURE && in_phase >= options.seconds) {
    after_kb = server_rss_kb();
    measure_end();
  }
  return phase == DRAIN;
}

static void enter_more(void) {
  if (next_occupant < options.occupants) join(&connections[next_occupant++], 0);
}

static void has_made(struct connection *c) {
  if (options.rooms > 0) return leave(c);
  for (int i = 0; i < options.concurrency; i++) enter_more();
}

static void take_own_presence(struct connection *c, const char *stanza, u32 length) {
  if (attribute_is(stanza, length, "type", "unavailable")) {
    made++;
    c->sent++;
    return make_next(c);
  }
  entered++;
  if (options.rooms > 0 || c->id == 0) accept_configuration(c);
  else enter_more();
}

static void resident_stanza(struct connection *c, char *stanza, u32 length) {
  if (is_refusal(stanza, length)) return;
  bool own = contains(stanza, length, "code='110'") || contains(stanza, length, "code=\"110\"");
  if (stanza[1] == 'i' && attribute_is(stanza, length, "id", "make")) has_made(c);
  else if (stanza[1] == 'p' && phase == SETUP && own) take_own_presence(c, stanza, length);
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
