// Messages to users who are not there; then they come, and everything must be there in order. Sender i writes to the
// recipients i, i + senders, ..., so that each recipient's order is defined. Each batch ends with a ping. Storing ends
// with a change of each sender's roster: a server that answers it when it is durable has stored what came before.
#include <stdio.h>
#include "xload.h"

static u32 synchronised, settled, flush_next, flush_active, flush_done;
static double flush_seconds, store_p50_us, store_p99_us;
static struct usage flush_before, flush_after;

static int offline_connections(void) { return options.senders + options.users; }

static void offline_prepare(void) {
  ramp_target = options.senders;
  for (int i = options.senders; i < connection_count; i++) connections[i].silent = true;
}

static void store(struct connection *c, u32 recipient, u32 sequence) {
  int user = options.base + options.senders + recipient;
  send_text(c, "<message to='%s%d@%s' type='chat' id='m%u-%010u'><body>%s</body></message>", options.prefix, user,
            options.domain, recipient, sequence, filler());
  counts.sent++;
  counts.expected++;
}

static void settle(struct connection *c) {
  send_text(c, "<iq type='set' id='settle'><query xmlns='jabber:iq:roster'><item jid='settled@%s'/></query></iq>",
            options.domain);
}

static void store_batch(struct connection *c) {
  u32 recipients = (options.users - c->id + options.senders - 1) / options.senders;
  u32 mine = recipients * options.per_recipient;
  if (c->sent >= mine) return settle(c);
  for (c->outstanding = 0; c->outstanding < (u32)options.batch && c->sent < mine; c->outstanding++, c->sent++)
    store(c, c->id + options.senders * (c->sent % recipients), c->sent / recipients);
  c->batch_ns = now_ns();
  send_text(c, "<iq type='get' id='batch' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>", options.domain);
}

static void flush_more(void) {
  while (flush_active < (u32)options.window && flush_next < (u32)options.users) {
    struct connection *c = &connections[options.senders + flush_next++];
    flush_active++;
    c->batch_ns = now_ns();
    send_text(c, "<presence/>");
  }
}

static void flushed(struct connection *c) {
  histogram_add(now_ns() - c->batch_ns);
  flush_active--;
  flush_done++;
  flush_more();
}

static void take_stored(struct connection *c, const char *stanza, u32 length) {
  u32 key, sequence;
  if (!message_key(stanza, length, &key, &sequence)) return;
  if (!is_addressed_to(c, stanza, length) || (int)key != c->id - options.senders) {
    counts.misaddressed++;
    return;
  }
  if (sequence != c->received) counts.misordered++;
  c->received++;
  counts.received++;
  if (c->received == (u32)options.per_recipient) flushed(c);
}

static void offline_stanza(struct connection *c, char *stanza, u32 length) {
  if (is_refusal(stanza, length)) return;
  if (stanza[1] == 'm') take_stored(c, stanza, length);
  else if (stanza[1] == 'i' && attribute_is(stanza, length, "id", "batch")) {
    synchronised += c->outstanding;
    histogram_add(now_ns() - c->batch_ns);
    store_batch(c);
  } else if (stanza[1] == 'i' && attribute_is(stanza, length, "id", "settle")) settled++;
}

static void begin_store(void) {
  measure_begin();
  for (int i = 0; i < options.senders; i++) store_batch(&connections[i]);
}

static void end_store(void) {
  measure_end();
  counts.measured = synchronised;
  store_p50_us = histogram_quantile_us(.5);
  store_p99_us = histogram_quantile_us(.99);
  enter(FLUSH_RAMP);
  ramp_target = connection_count;
  ramp();
}

static void begin_flush(void) {
  histogram_reset();
  enter(FLUSH);
  usage_read(&flush_before);
  flush_more();
}

static bool end_flush(double in_phase) {
  if (flush_done < (u32)options.users && in_phase <= options.timeout) return false;
  flush_seconds = in_phase;
  usage_read(&flush_after);
  return true;
}

static bool offline_step(double in_phase) {
  if (in_phase > options.timeout + 1) die("it took too long (phase %d)", phase);
  if (phase == RAMP && ready_count == ramp_target) enter(SETTLE);
  else if (phase == SETTLE && in_phase > 0.5) begin_store();
  else if (phase == MEASURE && settled == (u32)options.senders) end_store();
  else if (phase == FLUSH_RAMP && ready_count == ramp_target) begin_flush();
  else if (phase == FLUSH) return end_flush(in_phase);
  return false;
}

static void offline_report(void) {
  double user = flush_after.server_user - flush_before.server_user;
  double system = flush_after.server_system - flush_before.server_system;
  printf("\"storeP50Us\":%.1f,\"storeP99Us\":%.1f,", store_p50_us, store_p99_us);
  printf("\"flushSeconds\":%.3f,\"flushPerSecond\":%.1f,", flush_seconds, counts.received / flush_seconds);
  printf("\"flushServerCpuSeconds\":%.2f,", user + system);
}

const struct scenario offline = {
  .name = "offline",
  .connections = offline_connections,
  .prepare = offline_prepare,
  .stanza = offline_stanza,
  .step = offline_step,
  .report = offline_report,
};
