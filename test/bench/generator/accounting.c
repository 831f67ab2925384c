#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "xload.h"

static void add_process(struct usage *usage, int pid, double hz) {
  char name[64], line[1024];
  snprintf(name, sizeof name, "/proc/%d/stat", pid);
  FILE *file = fopen(name, "r");
  if (!file) return;
  char *end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
  fclose(file);
  unsigned long user, system;
  const char *fields = "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu";
  if (!end || sscanf(end + 2, fields, &user, &system) != 2) return;
  usage->server_user += user / hz;
  usage->server_system += system / hz;
}

static void add_machine(struct usage *usage, double hz) {
  FILE *file = fopen("/proc/stat", "r");
  if (!file) return;
  double user, nice, system, idle, wait, irq, softirq, steal;
  const char *fields = "cpu %lf %lf %lf %lf %lf %lf %lf %lf";
  if (fscanf(file, fields, &user, &nice, &system, &idle, &wait, &irq, &softirq, &steal) == 8) {
    usage->machine_busy = (user + nice + system + irq + softirq) / hz;
    usage->machine_steal = steal / hz;
  }
  fclose(file);
}

static double seconds_of(struct timeval time) { return time.tv_sec + time.tv_usec / 1e6; }

void usage_read(struct usage *usage) {
  double hz = sysconf(_SC_CLK_TCK);
  memset(usage, 0, sizeof *usage);
  for (int i = 0; i < options.pid_count; i++) add_process(usage, options.pids[i], hz);
  struct rusage own;
  getrusage(RUSAGE_SELF, &own);
  usage->generator = seconds_of(own.ru_utime) + seconds_of(own.ru_stime);
  add_machine(usage, hz);
  usage->at_ns = now_ns();
}

long server_rss_kb(void) {
  long sum = 0, value;
  for (int i = 0; i < options.pid_count; i++) {
    char name[64], line[256];
    snprintf(name, sizeof name, "/proc/%d/status", options.pids[i]);
    FILE *file = fopen(name, "r");
    if (!file) continue;
    while (fgets(line, sizeof line, file))
      if (sscanf(line, "VmRSS: %ld", &value) == 1) sum += value;
    fclose(file);
  }
  return sum;
}
