#include <string.h>
#include "xload.h"

static void opened(struct connection *c, char *bytes, u32 end) {
  bool empty = c->last == '/';
  c->scan = TEXT;
  if (empty && c->depth == 1) on_stanza(c, bytes + c->start, end - c->start);
  else if (!empty) c->depth++;
}

static void stream_closed(struct connection *c) {
  if (c->state != CLOSING) {
    io.io_errors++;
    send_text(c, "</stream:stream>");
  }
  connection_close(c);
}

static void closed(struct connection *c, char *bytes, u32 end) {
  c->scan = TEXT;
  c->depth--;
  if (c->depth == 1) on_stanza(c, bytes + c->start, end - c->start);
  else if (c->depth <= 0) stream_closed(c);
}

static u32 scan_start_tag(struct connection *c, char *bytes, u32 at, u32 length) {
  while (at < length) {
    char here = bytes[at++];
    if (here == '>') {
      opened(c, bytes, at);
      return at;
    }
    if (here == '"' || here == '\'') {
      c->quote = here;
      c->scan = QUOTED;
      return at;
    }
    c->last = here;
  }
  return at;
}

static u32 scan_markup(struct connection *c, char here, u32 at) {
  c->last = here;
  if (here == '!') die("a markup declaration came");
  c->scan = here == '/' ? END_TAG : here == '?' ? DECLARATION : START_TAG;
  return at + 1;
}

// Skips to `wanted`; returns the offset behind it, or 0 if it is not there yet.
static u32 skip_to(const char *bytes, char wanted, u32 at, u32 length) {
  const char *found = memchr(bytes + at, wanted, length - at);
  return found ? found - bytes + 1 : 0;
}

static u32 scan_piece(struct connection *c, char *bytes, u32 at, u32 length) {
  if (c->scan == START_TAG) return scan_start_tag(c, bytes, at, length);
  if (c->scan == MARKUP) return scan_markup(c, bytes[at], at);
  u32 next = skip_to(bytes, c->scan == TEXT ? '<' : c->scan == QUOTED ? c->quote : '>', at, length);
  if (next == 0) return length;
  switch (c->scan) {
  case TEXT:
    if (c->depth <= 1) c->start = next - 1;
    c->scan = MARKUP;
    break;
  case QUOTED:
    c->last = '"';
    c->scan = START_TAG;
    break;
  case END_TAG: closed(c, bytes, next); break;
  default: c->scan = TEXT;
  }
  return next;
}

// Hands on every whole stanza; returns how many bytes are done with.
u32 scan(struct connection *c, char *bytes, u32 length) {
  u32 generation = c->generation;
  for (u32 at = c->position; at < length;) {
    at = scan_piece(c, bytes, at, length);
    if (c->generation != generation) return length;
  }
  return c->scan == TEXT && c->depth <= 1 ? length : c->start;
}

static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// The value of an attribute in the start tag of a stanza, and its length; -1 if it has none.
int attribute(const char *stanza, u32 length, const char *name, const char **value) {
  u32 name_length = strlen(name);
  const char *at = stanza + 1, *end = stanza + length;
  while (at < end && !is_space(*at) && *at != '>' && *at != '/') at++;
  for (;;) {
    while (at < end && is_space(*at)) at++;
    if (at >= end || *at == '>' || *at == '/') return -1;
    const char *found = at;
    while (at < end && *at != '=') at++;
    u32 found_length = at - found;
    if (at + 1 >= end) return -1;
    const char *from = at + 2, *to = memchr(from, at[1], end - from);
    if (!to) return -1;
    if (found_length == name_length && memcmp(found, name, name_length) == 0) {
      *value = from;
      return to - from;
    }
    at = to + 1;
  }
}

bool attribute_is(const char *stanza, u32 length, const char *name, const char *value) {
  const char *found;
  int found_length = attribute(stanza, length, name, &found);
  return found_length == (int)strlen(value) && memcmp(found, value, found_length) == 0;
}

bool contains(const char *stanza, u32 length, const char *text) {
  return memmem(stanza, length, text, strlen(text)) != NULL;
}

bool is_element(const char *stanza, u32 length, const char *name) {
  u32 end = strlen(name) + 1;
  if (length <= end || memcmp(stanza + 1, name, end - 1) != 0) return false;
  return is_space(stanza[end]) || stanza[end] == '>' || stanza[end] == '/';
}
