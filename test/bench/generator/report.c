#include <stdio.h>
#include "xload.h"

static void report_cpu(void) {
  double user = after.server_user - before.server_user;
  double system = after.server_system - before.server_system;
  double generator = after.generator - before.generator;
  double busy = after.machine_busy - before.machine_busy;
  printf("\"serverUserSeconds\":%.2f,\"serverSystemSeconds\":%.2f,", user, system);
  printf("\"generatorCpuSeconds\":%.3f,", generator);
  printf("\"otherCpuSeconds\":%.2f,", busy - user - system - generator);
  printf("\"stealSeconds\":%.2f,", after.machine_steal - before.machine_steal);
}

static void report_latency(void) {
  printf("\"p50Us\":%.1f,\"p90Us\":%.1f,", histogram_quantile_us(.5), histogram_quantile_us(.9));
  printf("\"p99Us\":%.1f,\"p999Us\":%.1f,", histogram_quantile_us(.99), histogram_quantile_us(.999));
  printf("\"maxUs\":%.1f,\"meanUs\":%.1f,", histogram_max_us(), histogram_mean_us());
}

static void report_faults(void) {
  long lost = (long)(counts.expected - counts.received);
  printf("\"lost\":%ld,\"misordered\":%lu,\"misaddressed\":%lu,", lost, counts.misordered, counts.misaddressed);
  printf("\"truncated\":%lu,\"refused\":%lu,\"overflow\":%lu,", counts.truncated, counts.refused, counts.overflow);
  printf("\"connectErrors\":%lu,\"ioErrors\":%lu", io.connect_errors, io.io_errors);
}

// One line of JSON.
void report(void) {
  printf("{\"scenario\":\"%s\",\"tls\":\"%s\",", scenario->name, tls_description);
  printf("\"seconds\":%.3f,\"operations\":%lu,", measured_seconds, counts.measured);
  printf("\"changes\":%lu,\"rampSeconds\":%.2f,", counts.changes, ramp_seconds);
  report_latency();
  report_cpu();
  if (scenario->report) scenario->report();
  report_faults();
  printf("}\n");
  fflush(stdout);
}
