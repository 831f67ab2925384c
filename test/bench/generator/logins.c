// Logins: TCP, TLS, SASL, bind, presence, the answer to a ping; then the stream is closed. Connections that are logging
// out do not count as in flight.
#include <stdio.h>
#include "xload.h"

enum { LOGGING_OUT = 4096 };
static struct connection **free_connections;
static int free_count, in_flight;
static u32 next_user;

static int login_connections(void) { return options.concurrency + LOGGING_OUT; }

static void fill(void) {
  while (in_flight < options.concurrency && free_count > 0) {
    struct connection *c = free_connections[--free_count];
    in_flight++;
    c->user = options.base + next_user++ % options.users;
    connection_open(c);
  }
}

static void login_prepare(void) {
  free_connections = calloc(connection_count, sizeof *free_connections);
  for (int i = connection_count; i-- > 0;) free_connections[free_count++] = &connections[i];
  ramp_target = 0;
  fill();
}

static bool is_filling(void) { return phase == RAMP || phase == MEASURE; }

static void login_ready(struct connection *c) {
  if (phase == MEASURE) {
    counts.measured++;
    histogram_add(now_ns() - c->started_ns);
  }
  c->finished = true;
  in_flight--;
  login_logout(c);
  if (is_filling()) fill();
}

static void login_closed(struct connection *c) {
  if (!c->finished) in_flight--;
  free_connections[free_count++] = c;
  if (is_filling()) fill();
}

static void login_ignore(struct connection *c, char *stanza, u32 length) { (void)c, (void)stanza, (void)length; }

static bool login_step(double in_phase) {
  if (phase == RAMP && in_phase >= options.warm) measure_begin();
  else if (phase == MEASURE && in_phase >= options.seconds) measure_end();
  return phase == DRAIN && (in_flight == 0 || in_phase > options.timeout);
}

const struct scenario logins = {
  .name = "logins",
  .connections = login_connections,
  .prepare = login_prepare,
  .ready = login_ready,
  .stanza = login_ignore,
  .closed = login_closed,
  .step = login_step,
};
