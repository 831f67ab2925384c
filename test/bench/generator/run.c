#include <stdio.h>
#include <string.h>
#include "xload.h"

enum { MOST_LOST_CONNECTIONS = 20 };
static const double settle_seconds = 0.5, drain_seconds = 10;
enum phase phase = RAMP;
struct counts counts;
struct usage before, after;
double ramp_seconds, measured_seconds;
int ready_count, ramp_target;
static u64 phase_began_ns;
static int in_flight, next_connection;

// ---- phases

void enter(enum phase next) {
  phase = next;
  phase_began_ns = now_ns();
}

double seconds_in_phase(void) { return (now_ns() - phase_began_ns) / 1e9; }

bool is_traffic_on(void) { return phase == WARM || phase == MEASURE; }

void ramp(void) {
  while (in_flight < options.concurrency && next_connection < ramp_target) {
    in_flight++;
    connection_open(&connections[next_connection++]);
  }
}

void ramp_ready(void) {
  ready_count++;
  in_flight--;
  ramp();
}

void measure_begin(void) {
  histogram_reset();
  counts.measured = counts.changes = 0;
  enter(MEASURE);
  usage_read(&before);
}

void measure_end(void) {
  usage_read(&after);
  measured_seconds = (after.at_ns - before.at_ns) / 1e9;
  enter(DRAIN);
}

// True at the moment when all are connected.
bool ramp_is_done(double in_phase) {
  if (phase != RAMP) return false;
  if (in_phase > options.timeout) die("only %d of %d connections are ready", ready_count, ramp_target);
  if (ready_count < ramp_target) return false;
  ramp_seconds = in_phase;
  fprintf(stderr, "%d connections in %.2f s %s\n", ramp_target, in_phase, tls_description);
  return true;
}

static void step_ramp(double in_phase) {
  if (ramp_is_done(in_phase)) enter(scenario->setup && scenario->setup() ? SETUP : SETTLE);
}

static void step_setup(double in_phase) {
  if (in_phase > options.timeout) die("the set-up took too long");
  if (scenario->setup_done()) enter(SETTLE);
}

static void step_settle(double in_phase) {
  if (in_phase < settle_seconds) return;
  enter(WARM);
  scenario->traffic();
}

// True: the run is over.
bool run_step(void) {
  double in_phase = seconds_in_phase();
  if (scenario->step) return scenario->step(in_phase);
  if (phase == RAMP) step_ramp(in_phase);
  else if (phase == SETUP) step_setup(in_phase);
  else if (phase == SETTLE) step_settle(in_phase);
  else if (phase == WARM && in_phase >= options.warm) measure_begin();
  else if (phase == MEASURE && in_phase >= options.seconds) measure_end();
  else if (phase == DRAIN) return counts.received == counts.expected || in_phase > drain_seconds;
  return false;
}

// Counts errors; the first is told.
bool is_refusal(const char *stanza, u32 length) {
  if (!attribute_is(stanza, length, "type", "error")) return false;
  if (counts.refused++ == 0) fprintf(stderr, "refused: %.*s\n", (int)length, stanza);
  return true;
}

// ---- what connections tell

void on_ready(struct connection *c) {
  if (scenario->ready) scenario->ready(c);
  else ramp_ready();
}

static void answer_ping(struct connection *c, const char *stanza, u32 length) {
  const char *id, *from;
  int id_length = attribute(stanza, length, "id", &id), from_length = attribute(stanza, length, "from", &from);
  if (id_length < 0) return;
  if (from_length < 0) send_text(c, "<iq type='result' id='%.*s'/>", id_length, id);
  else send_text(c, "<iq type='result' id='%.*s' to='%.*s'/>", id_length, id, from_length, from);
}

void on_stanza(struct connection *c, char *stanza, u32 length) {
  if (c->state == CLOSING) return;
  if (c->state != READY && login_stanza(c, stanza, length)) return;
  bool request = stanza[1] == 'i' && attribute_is(stanza, length, "type", "get");
  if (request) answer_ping(c, stanza, length);
  else scenario->stanza(c, stanza, length);
}

void on_closed(struct connection *c) {
  if (scenario->closed) return scenario->closed(c);
  if (phase == OVER || phase == DRAIN) return;
  io.io_errors++;
  if (io.io_errors > MOST_LOST_CONNECTIONS) die("too many connections were lost");
}

// ---- messages: <message id='m<key>-<10 digits>'>

enum { SEQUENCE_DIGITS = 10 };

const char *filler(void) {
  static char *text;
  static const char words[] = "the quick brown fox jumps over the lazy dog and then walks home again ";
  if (text) return text;
  text = malloc(options.body + 1);
  for (int i = 0; i < options.body; i++) text[i] = words[i % (sizeof words - 1)];
  text[options.body] = 0;
  return text;
}

void message_template(struct connection *c, const char *to, const char *type, int key) {
  int capacity = options.body + strlen(options.payload) + 700;
  c->template = malloc(capacity);
  c->sequence_at = snprintf(c->template, capacity, "<message to='%s' type='%s' id='m%d-", to, type, key);
  c->template_length = c->sequence_at + snprintf(c->template + c->sequence_at, capacity - c->sequence_at,
                                                 "%010d'><body>%s</body>%s</message>", 0, filler(), options.payload);
}

void message_number(struct connection *c, u32 sequence) {
  for (int i = SEQUENCE_DIGITS - 1; i >= 0; i--, sequence /= 10) c->template[c->sequence_at + i] = '0' + sequence % 10;
}

static const char *read_number(const char *at, const char *end, u32 *number) {
  for (*number = 0; at < end && *at >= '0' && *at <= '9'; at++) *number = *number * 10 + *at - '0';
  return at;
}

bool message_key(const char *stanza, u32 length, u32 *key, u32 *sequence) {
  const char *id;
  int id_length = attribute(stanza, length, "id", &id);
  if (id_length < 2 || id[0] != 'm') return false;
  const char *end = id + id_length, *dash = read_number(id + 1, end, key);
  if (end - dash != SEQUENCE_DIGITS + 1 || *dash != '-') return false;
  return read_number(dash + 1, end, sequence) == end;
}

bool is_addressed_to(const struct connection *c, const char *stanza, u32 length) {
  const char *to;
  int to_length = attribute(stanza, length, "to", &to);
  return to_length >= (int)c->bare_length && memcmp(to, c->jid, c->bare_length) == 0;
}
