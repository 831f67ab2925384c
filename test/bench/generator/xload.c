#include "xload.h"
#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct options options = {
  .host = "127.0.0.1",
  .domain = "perf.test",
  .prefix = "u",
  .password = "pw",
  .mechanism = "SCRAM-SHA-1",
  .payload = "",
  .port = 5222,
  .users = 1000,
  .concurrency = 16,
  .sources = 1,
  .pairs = 1,
  .window = 1,
  .body = 100,
  .contacts = 500,
  .occupants = 200,
  .senders = 10,
  .per_recipient = 100,
  .batch = 20,
  .warm = 2,
  .seconds = 5,
  .settle = 3,
  .timeout = 60,
};
const struct scenario *scenario;
static const u64 tick_ns = 20 * 1000000ull;

u64 now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (u64)time.tv_sec * 1000000000ull + time.tv_nsec;
}

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fprintf(stderr, "\n");
  exit(2);
}

// ---- the command line: --name value for everything in the table

enum kind { WORD, NUMBER, REAL, FLAG };
static const struct setting {
  const char *name;
  enum kind kind;
  size_t offset;
} settings[] = {
#define SETTING(name, kind, field) { name, kind, offsetof(struct options, field) }
  SETTING("host", WORD, host),
  SETTING("port", NUMBER, port),
  SETTING("domain", WORD, domain),
  SETTING("prefix", WORD, prefix),
  SETTING("base", NUMBER, base),
  SETTING("password", WORD, password),
  SETTING("mechanism", WORD, mechanism),
  SETTING("key-cache", WORD, key_cache),
  SETTING("tls", FLAG, tls),
  SETTING("raw", FLAG, raw),
  SETTING("websocket", FLAG, websocket),
  SETTING("users", NUMBER, users),
  SETTING("concurrency", NUMBER, concurrency),
  SETTING("sources", NUMBER, sources),
  SETTING("pairs", NUMBER, pairs),
  SETTING("window", NUMBER, window),
  SETTING("body", NUMBER, body),
  SETTING("payload", WORD, payload),
  SETTING("rate", REAL, rate),
  SETTING("contacts", NUMBER, contacts),
  SETTING("occupants", NUMBER, occupants),
  SETTING("rooms", NUMBER, rooms),
  SETTING("senders", NUMBER, senders),
  SETTING("per-recipient", NUMBER, per_recipient),
  SETTING("batch", NUMBER, batch),
  SETTING("warm", REAL, warm),
  SETTING("seconds", REAL, seconds),
  SETTING("settle", REAL, settle),
  SETTING("timeout", REAL, timeout),
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static _Noreturn void usage(void) {
  fprintf(stderr, "xload SCENARIO [options]\nscenarios: messages logins idle offline presence rooms crowd "
                  "residents\noptions: --pid P[,P]");
  for (int i = 0; i < SETTINGS; i++) fprintf(stderr, " --%s%s", settings[i].name, settings[i].kind == FLAG ? "" : " X");
  fprintf(stderr, "\nAccounts are PREFIX<BASE>, PREFIX<BASE + 1>, ...\n");
  exit(1);
}

static void set(const struct setting *setting, char *value) {
  void *field = (char *)&options + setting->offset;
  switch (setting->kind) {
  case WORD: *(const char **)field = value; break;
  case NUMBER: *(int *)field = atoi(value); break;
  case REAL: *(double *)field = atof(value); break;
  case FLAG: *(bool *)field = true; break;
  }
}

static void set_pids(char *value) {
  for (char *pid = strtok(value, ","); pid && options.pid_count < 64; pid = strtok(NULL, ","))
    options.pids[options.pid_count++] = atoi(pid);
}

static void read_options(int argc, char **argv) {
  struct option known[SETTINGS + 2] = { { 0 } };
  for (int i = 0; i < SETTINGS; i++)
    known[i] = (struct option){ settings[i].name, settings[i].kind == FLAG ? no_argument : required_argument, NULL, i };
  known[SETTINGS] = (struct option){ "pid", required_argument, NULL, SETTINGS };
  int found;
  while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
    if (found == '?') usage();
    if (found == SETTINGS) set_pids(optarg);
    else set(&settings[found], optarg);
  }
  const struct scenario *all[] = { &messages, &logins, &idle, &offline, &presence, &rooms, &crowd, &residents };
  for (size_t i = 0; i < sizeof all / sizeof *all && optind < argc; i++)
    if (strcmp(all[i]->name, argv[optind]) == 0) scenario = all[i];
  if (!scenario || optind + 1 != argc || options.pairs < 1) usage();
}

// ---- the run

static void make_connections(void) {
  ramp_target = connection_count = scenario->connections();
  connections = calloc(connection_count, sizeof *connections);
  for (int i = 0; i < connection_count; i++)
    connections[i] = (struct connection){ .id = i, .user = options.base + i, .fd = -1 };
}

static u64 time_to_wait(u64 due) {
  u64 now = now_ns();
  return due <= now ? 0 : due - now > tick_ns ? tick_ns : due - now;
}

static void drive(void) {
  double longest = 4 * options.timeout + options.warm + options.seconds + options.settle;
  for (u64 began = now_ns(), due = began + tick_ns;;) {
    network_turn(time_to_wait(due));
    u64 now = now_ns();
    due = now + tick_ns;
    if (options.rate > 0 && is_traffic_on()) due = scenario->due(now);
    if (run_step()) return;
    if (now - began > longest * 1e9) die("the run took too long (phase %d)", phase);
  }
}

static int log_out(void) {
  int open = 0;
  for (int i = 0; i < connection_count; i++) {
    if (connections[i].state == READY) login_logout(&connections[i]);
    open += connections[i].state != FREE;
  }
  return open;
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  network_open();
  make_connections();
  scram_open();
  enter(RAMP);
  scenario->prepare();
  ramp();
  drive();
  scram_save();
  report();
  enter(OVER);
  u64 began = now_ns();
  while (!options.raw && log_out() > 0 && now_ns() - began < 5000000000ull) network_turn(tick_ns);
  return 0;
}
