#include <stdio.h>
#include <string.h>
#include "xload.h"

static void open_stream(struct connection *c) {
  c->scan = TEXT;
  // The elements of a WebSocket stand for themselves, as those in a stream that is open.
  c->depth = options.websocket ? 1 : 0;
  if (options.websocket)
    return send_text(c, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='%s' version='1.0'/>", options.domain);
  send_text(c,
            "<?xml version='1.0'?><stream:stream to='%s' version='1.0' xmlns='jabber:client' "
            "xmlns:stream='http://etherx.jabber.org/streams'>",
            options.domain);
}

// The relay is told which two connections belong together; it speaks no XMPP.
static void pair(struct connection *c) {
  c->state = PAIRING;
  c->depth = 1;
  c->scan = TEXT;
  send_text(c, "R %d %c\n", c->id / 2, c->id & 1 ? 'r' : 's');
}

void login_begin(struct connection *c) {
  if (options.websocket && c->state != UPGRADE) return websocket_begin(c);
  if (options.raw) return pair(c);
  c->state = FEATURES;
  open_stream(c);
}

void login_logout(struct connection *c) {
  c->state = CLOSING;
  send_text(c, options.websocket ? "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>" : "</stream:stream>");
}

static void ready(struct connection *c) {
  c->state = READY;
  on_ready(c);
}

static void authenticate(struct connection *c, const char *stanza, u32 length) {
  char mechanism[80];
  snprintf(mechanism, sizeof mechanism, ">%s<", options.mechanism);
  if (!contains(stanza, length, mechanism)) die("%s is not offered: %.*s", options.mechanism, (int)length, stanza);
  c->state = SASL;
  scram_start(c);
}

static void continue_sasl(struct connection *c, const char *stanza, u32 length) {
  if (is_element(stanza, length, "challenge")) return scram_challenge(c, stanza, length);
  if (!is_element(stanza, length, "success")) die("user %d: %.*s", c->user, (int)length, stanza);
  scram_success(c, stanza, length);
  c->state = FEATURES_BIND;
  open_stream(c);
}

static void bind_resource(struct connection *c, const char *stanza, u32 length) {
  const char *session = memmem(stanza, length, "<session", 8);
  u32 rest = session ? stanza + length - session : 0;
  c->session_required = session && !contains(session, rest > 120 ? 120 : rest, "optional");
  c->state = BIND;
  send_text(c,
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            "<resource>r%d</resource></bind></iq>",
            c->id);
}

// The answer to the ping tells that the server has handled the presence.
static void synchronise(struct connection *c) {
  if (!c->silent) send_text(c, "<presence/>");
  c->state = SYNC;
  send_text(c, "<iq type='get' id='sync' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>", options.domain);
}

static void bound(struct connection *c, const char *stanza, u32 length) {
  const char *from = memmem(stanza, length, "<jid>", 5), *end = stanza + length;
  const char *to = from ? memmem(from, end - from, "</jid>", 6) : NULL;
  if (!to) die("binding failed: %.*s", (int)length, stanza);
  from += 5;
  snprintf(c->jid, sizeof c->jid, "%.*s", (int)(to - from), from);
  c->bare_length = strcspn(c->jid, "/");
  if (!c->session_required) return synchronise(c);
  c->state = SESSION;
  send_text(c, "<iq type='set' id='session'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
}

// Whether the stanza belonged to the login.
bool login_stanza(struct connection *c, char *stanza, u32 length) {
  bool features = is_element(stanza, length, "stream:features"), iq = is_element(stanza, length, "iq");
  if (is_element(stanza, length, "stream:error")) die("user %d: %.*s", c->user, (int)length, stanza);
  switch (c->state) {
  case PAIRING: ready(c); return true;
  case FEATURES: if (features) authenticate(c, stanza, length); return true;
  case SASL: continue_sasl(c, stanza, length); return true;
  case FEATURES_BIND: if (features) bind_resource(c, stanza, length); return true;
  case BIND: if (iq) bound(c, stanza, length); return true;
  case SESSION: if (iq) synchronise(c); return true;
  case SYNC:
    if (!iq || !attribute_is(stanza, length, "id", "sync")) return false;
    ready(c);
    return true;
  default: return false;
  }
}
