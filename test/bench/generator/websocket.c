// RFC 6455 as a client, and RFC 7395 in it: a message of the WebSocket is one element, which declares its namespace.
#include <stdio.h>
#include <string.h>
#include "xload.h"

enum { TEXT_FRAME = 1, CLOSE_FRAME = 8, PING_FRAME, PONG_FRAME, FINAL = 0x80, MASKED = 0x80, OPCODE = 0x0f, SIZE = 0x7f };
enum { LONGEST_HEADER = 8, LONGEST_FRAME = 1 << 16, TWO_BYTES_MORE = 126, EIGHT_BYTES_MORE = 127 };
static const char client_namespace[] = " xmlns='jabber:client'";
// One mask serves for all frames: the server has to take it off all the same.
static const unsigned char mask[4] = { 0x5a, 0xc3, 0x17, 0x9e };

void websocket_begin(struct connection *c) {
  c->state = UPGRADE;
  c->frame_length = 0;
  c->frame_left = 0;
  c->frames_ended = false;
  char request[512];
  int length = snprintf(request, sizeof request,
                        "GET /xmpp-websocket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Protocol: xmpp\r\n\r\n",
                        options.domain);
  send_unframed(c, request, length);
}

// Whether the answer to the request is complete. Ends the program if it is a refusal.
bool websocket_accepted(const char *bytes, u32 length) {
  if (!memmem(bytes, length, "\r\n\r\n", 4)) return false;
  if (length < 12 || memcmp(bytes, "HTTP/1.1 101", 12) != 0) die("no WebSocket: %.*s", (int)length, bytes);
  return true;
}

// ---- output

// The length of "<" and the name, if it is a stanza.
static u32 start_of_stanza(const char *element, u32 length) {
  static const char *const names[] = { "message", "presence", "iq" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (is_element(element, length, names[i])) return strlen(names[i]) + 1;
  return 0;
}

// Makes a frame of an element. It is there until the next call.
const char *websocket_frame(const char *element, u32 length, u32 *frame_length) {
  static unsigned char frame[LONGEST_FRAME];
  u32 start = start_of_stanza(element, length), added = start ? sizeof client_namespace - 1 : 0, size = length + added;
  if (size > LONGEST_FRAME - LONGEST_HEADER) die("an element is too long for a frame");
  unsigned char *payload = frame + LONGEST_HEADER;
  memcpy(payload, element, start);
  memcpy(payload + start, client_namespace, added);
  memcpy(payload + start + added, element + start, length - start);
  for (u32 i = 0; i < size; i++) payload[i] ^= mask[i & 3];
  bool is_short = size < TWO_BYTES_MORE;
  unsigned char *header = payload - sizeof mask - (is_short ? 2 : 4);
  header[0] = FINAL | TEXT_FRAME;
  header[1] = MASKED | (is_short ? size : TWO_BYTES_MORE);
  if (!is_short) {
    header[2] = size >> 8;
    header[3] = size & 0xff;
  }
  memcpy(payload - sizeof mask, mask, sizeof mask);
  *frame_length = payload + size - header;
  return (const char *)header;
}

// ---- input

static bool is_control(const unsigned char *frame) { return (frame[0] & OPCODE) >= CLOSE_FRAME; }

// Bytes of the header of a frame, or of a whole control frame.
static u32 wanted(const unsigned char *frame, u32 have) {
  if (have < 2) return 2;
  u32 size = frame[1] & SIZE;
  if (is_control(frame)) return 2 + size;
  return size == EIGHT_BYTES_MORE ? 10 : size == TWO_BYTES_MORE ? 4 : 2;
}

static void answer_ping(struct connection *c) {
  static const unsigned char no_mask[4];
  u32 size = c->frame[1];
  char pong[2 + sizeof no_mask + sizeof c->frame] = { (char)(FINAL | PONG_FRAME), (char)(MASKED | size) };
  memcpy(pong + 2 + sizeof no_mask, c->frame + 2, size);
  send_unframed(c, pong, 2 + sizeof no_mask + size);
}

static void begin_frame(struct connection *c) {
  const unsigned char *frame = c->frame;
  u32 size = frame[1] & SIZE, bytes = c->frame_length;
  c->frame_length = 0;
  if ((frame[0] & OPCODE) == PING_FRAME) answer_ping(c);
  if ((frame[0] & OPCODE) == CLOSE_FRAME) c->frames_ended = true;
  if (is_control(frame)) return;
  if (bytes > 2) size = 0;
  for (u32 i = 2; i < bytes; i++) size = size << 8 | frame[i];
  c->frame_left = size;
}

// Takes the frames away around what has come, in place. Returns how many bytes are left.
u32 websocket_unframe(struct connection *c, char *bytes, u32 length) {
  u32 kept = 0;
  for (u32 at = 0; at < length && !c->frames_ended;) {
    if (c->frame_left == 0) {
      c->frame[c->frame_length++] = bytes[at++];
      if (c->frame_length == wanted(c->frame, c->frame_length)) begin_frame(c);
      continue;
    }
    u32 part = c->frame_left < length - at ? c->frame_left : length - at;
    memmove(bytes + kept, bytes + at, part);
    kept += part;
    at += part;
    c->frame_left -= part;
  }
  return kept;
}
