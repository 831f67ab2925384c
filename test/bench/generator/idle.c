// Connections that are bound and available and say nothing: what they cost.
#include <stdio.h>
#include "xload.h"

static long before_kb, after_kb;

static int idle_connections(void) { return options.users; }

static void idle_prepare(void) {
  before_kb = server_rss_kb();
  ramp_target = connection_count;
}

static void idle_ignore(struct connection *c, char *stanza, u32 length) { (void)c, (void)stanza, (void)length; }

static bool idle_step(double in_phase) {
  if (ramp_is_done(in_phase)) enter(SETTLE);
  else if (phase == SETTLE && in_phase >= options.settle) measure_begin();
  else if (phase == MEASURE && in_phase >= options.seconds) {
    after_kb = server_rss_kb();
    measure_end();
  }
  return phase == DRAIN;
}

static void idle_report(void) {
  printf("\"connections\":%d,\"rssBeforeKb\":%ld,\"rssAfterKb\":%ld,", ready_count, before_kb, after_kb);
}

const struct scenario idle = {
  .name = "idle",
  .connections = idle_connections,
  .prepare = idle_prepare,
  .stanza = idle_ignore,
  .step = idle_step,
  .report = idle_report,
};
