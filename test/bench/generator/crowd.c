// A crowd that enters one room at the same time and leaves it by a lost link at the same time, beside chat at a fixed rate.
// Even and odd connections of pairs chat; the one behind them makes the room and stays in it; the others are the guests.
#include <stdio.h>
#include <string.h>
#include "xload.h"

enum stage { ALONE, JOINING, INSIDE, LEAVING, RETURNING };
enum { ROUNDS = 3 };
// The latency of chat counts in the second in which the crowd comes or goes, or until it has.
static const double window_seconds = 1, calm_seconds = 1, drain_seconds = 10;
static enum stage stage;
static u64 stage_began_ns, done_ns;
static u32 seen, wanted;
static int completed_rounds, returning, back, next_back;
static bool room_made;
static char room[160];
static double alone_p99_us, join_p99_us[ROUNDS], leave_p99_us[ROUNDS], join_seconds[ROUNDS], leave_seconds[ROUNDS];

static int crowd_connections(void) { return 2 * options.pairs + options.occupants; }
static struct connection *host(void) { return &connections[2 * options.pairs]; }
static bool is_guest(const struct connection *c) { return c->id > host()->id; }
static u32 guests(void) { return options.occupants - 1; }

static void crowd_prepare(void) {
  messages.prepare();
  ramp_target = connection_count;
  snprintf(room, sizeof room, "bench@conference.%s", options.domain);
}

// ---- stages

static void begin(enum stage next, u32 sightings) {
  stage = next;
  stage_began_ns = now_ns();
  done_ns = 0;
  seen = 0;
  wanted = sightings;
  histogram_reset();
}

static double seconds_in_stage(void) { return (now_ns() - stage_began_ns) / 1e9; }

static void all_join(void) {
  // Each guest sees everybody, and the host sees each guest.
  begin(JOINING, guests() * options.occupants + guests());
  for (int i = host()->id + 1; i < connection_count; i++) room_join(&connections[i], room);
}

static void all_leave(void) {
  begin(LEAVING, guests());
  for (int i = host()->id + 1; i < connection_count; i++) connection_close(&connections[i]);
}

static void return_more(void) {
  while (returning < options.concurrency && next_back < connection_count) {
    returning++;
    connection_open(&connections[next_back++]);
  }
}

static void all_return(void) {
  begin(RETURNING, 0);
  back = 0;
  next_back = host()->id + 1;
  return_more();
}

static bool is_over(void) {
  if (seconds_in_stage() > options.timeout) die("%u of %u presences came (stage %d)", seen, wanted, stage);
  return done_ns > 0 && seconds_in_stage() >= window_seconds;
}

static void record(double *p99_us, double *seconds) {
  p99_us[completed_rounds] = histogram_quantile_us(.99);
  seconds[completed_rounds] = (done_ns - stage_began_ns) / 1e9;
}

static void measure_step(void) {
  switch (stage) {
  case ALONE:
    if (seconds_in_stage() < options.seconds) return;
    alone_p99_us = histogram_quantile_us(.99);
    return all_join();
  case JOINING:
    if (!is_over()) return;
    record(join_p99_us, join_seconds);
    return begin(INSIDE, 0);
  case INSIDE:
    if (seconds_in_stage() >= calm_seconds) all_leave();
    return;
  case LEAVING:
    if (!is_over()) return;
    record(leave_p99_us, leave_seconds);
    return all_return();
  case RETURNING:
    if (back < (int)guests() || seconds_in_stage() < calm_seconds) return;
    if (++completed_rounds == ROUNDS) measure_end();
    else all_join();
  }
}

static bool crowd_step(double in_phase) {
  if (ramp_is_done(in_phase)) {
    enter(SETUP);
    room_join(host(), room);
  } else if (phase == SETUP && room_made) {
    enter(WARM);
    messages.traffic();
  } else if (phase == WARM && in_phase >= options.warm) {
    measure_begin();
    begin(ALONE, 0);
  } else if (phase == MEASURE) {
    measure_step();
    return false;
  }
  return phase == DRAIN && (counts.received == counts.expected || in_phase > drain_seconds);
}

// ---- what comes

static void crowd_ready(struct connection *c) {
  (void)c;
  if (phase == RAMP) return ramp_ready();
  returning--;
  back++;
  return_more();
}

static bool is_from_room(const char *stanza, u32 length) {
  const char *from;
  int from_length = attribute(stanza, length, "from", &from);
  return from_length >= (int)strlen(room) && memcmp(from, room, strlen(room)) == 0;
}

static void see(void) {
  if (++seen == wanted) done_ns = now_ns();
}

static void crowd_stanza(struct connection *c, char *stanza, u32 length) {
  if (c->id < host()->id) return messages.stanza(c, stanza, length);
  if (is_refusal(stanza, length)) return;
  if (is_configuration_accepted(stanza, length)) room_made = true;
  if (stanza[1] != 'p' || !is_from_room(stanza, length)) return;
  bool leaves = attribute_is(stanza, length, "type", "unavailable");
  if (phase == SETUP) room_accept_configuration(c, room, "");
  else if (stage == JOINING && !leaves) see();
  else if (stage == LEAVING && leaves && !is_guest(c)) see();
}

static void crowd_closed(struct connection *c) {
  if (phase == MEASURE && stage == LEAVING && is_guest(c)) return;
  if (phase != OVER && phase != DRAIN) io.io_errors++;
}

static u64 crowd_due(u64 now) { return messages.due(now); }

static double middle(double *values) {
  for (int i = 1; i < ROUNDS; i++)
    for (int j = i; j > 0 && values[j - 1] > values[j]; j--) {
      double other = values[j];
      values[j] = values[j - 1];
      values[j - 1] = other;
    }
  return values[ROUNDS / 2];
}

static void crowd_report(void) {
  printf("\"aloneP99Us\":%.1f,", alone_p99_us);
  printf("\"joinP99Us\":%.1f,\"joinSeconds\":%.4f,", middle(join_p99_us), middle(join_seconds));
  printf("\"leaveP99Us\":%.1f,\"leaveSeconds\":%.4f,", middle(leave_p99_us), middle(leave_seconds));
}

const struct scenario crowd = {
  .name = "crowd",
  .connections = crowd_connections,
  .prepare = crowd_prepare,
  .ready = crowd_ready,
  .stanza = crowd_stanza,
  .closed = crowd_closed,
  .step = crowd_step,
  .report = crowd_report,
  .due = crowd_due,
};
