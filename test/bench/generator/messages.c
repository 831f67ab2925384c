// One to one: the even connection of a pair sends, the odd one receives. Closed loop: a message for every delivery, one
// write each. Open loop (--rate): at fixed times, whatever comes back.
#include <stdio.h>
#include "xload.h"

enum { MOST_OVERDUE = 256, OUTSTANDING_OPEN = 1 << 18 };
static u32 ring_size;
static u64 next_ns;
static u32 turn;

static int message_connections(void) { return 2 * options.pairs; }

static void message_prepare(void) {
  u32 wanted = options.rate > 0 ? (u32)(OUTSTANDING_OPEN / options.pairs) : (u32)options.window;
  for (ring_size = 16; ring_size < wanted;) ring_size *= 2;
  for (int pair = 0; pair < options.pairs; pair++) {
    struct connection *sender = &connections[2 * pair];
    char to[160];
    snprintf(to, sizeof to, "%s%d@%s", options.prefix, options.base + 2 * pair + 1, options.domain);
    message_template(sender, to, "chat", pair);
    sender->sent_ns = calloc(ring_size, sizeof *sender->sent_ns);
  }
}

static void send_message(struct connection *c, u64 at_ns) {
  message_number(c, c->sent);
  c->sent_ns[c->sent & (ring_size - 1)] = at_ns;
  c->sent++;
  c->outstanding++;
  counts.sent++;
  counts.expected++;
  send_bytes(c, c->template, c->template_length);
}

static void message_traffic(void) {
  next_ns = now_ns();
  if (options.rate > 0) return;
  for (int i = 0; i < options.window; i++)
    for (int pair = 0; pair < options.pairs; pair++) send_message(&connections[2 * pair], now_ns());
}

static u64 message_due(u64 now) {
  for (int i = 0; i < MOST_OVERDUE && next_ns <= now; i++) {
    struct connection *sender = &connections[2 * (turn++ % options.pairs)];
    if (sender->outstanding >= ring_size) counts.overflow++;
    else send_message(sender, next_ns);
    next_ns += (u64)(1e9 / options.rate);
  }
  return next_ns;
}

static bool is_right(struct connection *c, const char *stanza, u32 length, u32 key) {
  if (is_refusal(stanza, length)) return false;
  if ((int)key != c->id / 2 || !(c->id & 1)) counts.misaddressed++;
  else if (!options.raw && !is_addressed_to(c, stanza, length)) counts.misaddressed++;
  else if ((int)length < options.body) counts.truncated++;
  else return true;
  return false;
}

static void message_stanza(struct connection *c, char *stanza, u32 length) {
  u64 now = now_ns();
  u32 key, sequence;
  if (stanza[1] != 'm' || !message_key(stanza, length, &key, &sequence)) return;
  if (!is_right(c, stanza, length, key)) return;
  if (sequence != c->expected) counts.misordered++;
  c->expected = sequence + 1;
  struct connection *sender = &connections[c->id - 1];
  sender->outstanding--;
  counts.received++;
  if (phase == MEASURE) {
    counts.measured++;
    histogram_add(now - sender->sent_ns[sequence & (ring_size - 1)]);
  }
  if (options.rate <= 0 && is_traffic_on()) send_message(sender, now_ns());
}

const struct scenario messages = {
  .name = "messages",
  .connections = message_connections,
  .prepare = message_prepare,
  .traffic = message_traffic,
  .stanza = message_stanza,
  .due = message_due,
};
