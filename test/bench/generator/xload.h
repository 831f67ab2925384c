// xload: an XMPP load generator cheap enough not to be the bottleneck: one thread, epoll, OpenSSL.
#ifndef XLOAD_H
#define XLOAD_H
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef uint32_t u32;
typedef uint64_t u64;

// ---- xload.c: what is asked for
struct options {
  const char *host, *domain, *prefix, *password, *mechanism, *key_cache, *payload;
  int port, base, users, concurrency, sources;
  int pairs, window, body, contacts, occupants, rooms, senders, per_recipient, batch;
  double warm, seconds, settle, rate, timeout;
  bool tls, raw, websocket;
  int pids[64], pid_count;
};
extern struct options options;

u64 now_ns(void);
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- histogram.c: latencies in nanoseconds, in buckets of at most 1.6 %
void histogram_reset(void);
void histogram_add(u64 ns);
double histogram_quantile_us(double quantile);
double histogram_mean_us(void);
double histogram_max_us(void);

// ---- accounting.c: CPU and memory of the server, of the generator, of everything else
struct usage {
  u64 at_ns;
  double server_user, server_system, generator, machine_busy, machine_steal;
};
void usage_read(struct usage *usage);
long server_rss_kb(void);

// ---- connection.c: sockets, TLS, buffers
enum state { FREE, CONNECTING, HANDSHAKE, UPGRADE, PAIRING, FEATURES, SASL, FEATURES_BIND, BIND, SESSION, SYNC, READY, CLOSING };
enum scan { TEXT, MARKUP, START_TAG, QUOTED, END_TAG, DECLARATION };
struct connection {
  int fd, id, user;
  enum state state;
  u32 generation; // counts closings, so that a handler notices that its connection is another one
  bool wants_output, session_required, silent, finished;
  SSL *ssl;
  // scanning
  enum scan scan;
  int depth;
  char quote, last;
  char *kept;
  u32 kept_length, kept_capacity, position, start;
  // frames of a WebSocket: the header or control frame that is coming, and what is left of a frame with data
  unsigned char frame[127];
  bool frames_ended;
  u32 frame_length, frame_left;
  // output that the socket did not take
  char *output;
  u32 output_start, output_length, output_capacity;
  // login
  char *scram;
  char jid[96];
  u32 bare_length;
  u64 started_ns;
  // traffic
  char *template;
  u32 template_length, sequence_at;
  u64 *sent_ns; // a ring, by sequence
  u64 batch_ns;
  u32 sent, received, expected, outstanding;
};
extern struct connection *connections;
extern int connection_count;
extern struct io_counts { u64 connect_errors, io_errors; } io;
extern char tls_description[128];

void network_open(void);
void network_turn(u64 timeout_ns);
void connection_open(struct connection *c);
void connection_close(struct connection *c);
void send_bytes(struct connection *c, const char *element, u32 length);
void send_unframed(struct connection *c, const char *bytes, u32 length);
void send_text(struct connection *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *state_name(enum state state);

// ---- websocket.c: the frames around the elements (RFC 6455, RFC 7395)
void websocket_begin(struct connection *c);
bool websocket_accepted(const char *bytes, u32 length);
const char *websocket_frame(const char *element, u32 length, u32 *frame_length);
u32 websocket_unframe(struct connection *c, char *bytes, u32 length);

// ---- scanner.c: splits the byte stream into stanzas; nothing is copied
u32 scan(struct connection *c, char *bytes, u32 length);
int attribute(const char *stanza, u32 length, const char *name, const char **value);
bool attribute_is(const char *stanza, u32 length, const char *name, const char *value);
bool contains(const char *stanza, u32 length, const char *text);
bool is_element(const char *stanza, u32 length, const char *name);

// ---- scram.c: RFC 5802; keys are kept per user, so that PBKDF2 is not what is measured
void scram_open(void);
void scram_save(void);
void scram_start(struct connection *c);
void scram_challenge(struct connection *c, const char *stanza, u32 length);
void scram_success(struct connection *c, const char *stanza, u32 length);

// ---- login.c: from the connection to the first answer to a ping behind the presence
void login_begin(struct connection *c);
bool login_stanza(struct connection *c, char *stanza, u32 length);
void login_logout(struct connection *c);

// ---- run.c: phases, counts, and what all scenarios share
enum phase { RAMP, SETUP, SETTLE, WARM, MEASURE, DRAIN, FLUSH_RAMP, FLUSH, OVER };
struct scenario {
  const char *name;
  int (*connections)(void);
  void (*prepare)(void);
  bool (*setup)(void); // starts the set-up; false: none is needed
  bool (*setup_done)(void);
  void (*traffic)(void);
  void (*ready)(struct connection *c);
  void (*stanza)(struct connection *c, char *stanza, u32 length);
  void (*closed)(struct connection *c);
  bool (*step)(double in_phase); // replaces the common course of phases; true: the run is over
  void (*report)(void);
  u64 (*due)(u64 now); // open loop: sends what is due, returns when the next one is
};
extern const struct scenario *scenario;
extern const struct scenario messages, logins, idle, offline, presence, rooms, crowd, residents;
extern enum phase phase;
extern struct counts {
  u64 sent, received, expected, measured, changes, misordered, misaddressed, truncated, refused, overflow;
} counts;
extern struct usage before, after;
extern double ramp_seconds, measured_seconds;
extern int ready_count, ramp_target;

void enter(enum phase next);
double seconds_in_phase(void);
void ramp(void);
void ramp_ready(void);
bool ramp_is_done(double in_phase);
bool run_step(void);
void measure_begin(void);
void measure_end(void);
bool is_traffic_on(void);
bool is_refusal(const char *stanza, u32 length);
void on_ready(struct connection *c);
void on_stanza(struct connection *c, char *stanza, u32 length);
void on_closed(struct connection *c);
bool message_key(const char *stanza, u32 length, u32 *key, u32 *sequence);
bool is_addressed_to(const struct connection *c, const char *stanza, u32 length);
void message_template(struct connection *c, const char *to, const char *type, int key);
void message_number(struct connection *c, u32 sequence);
const char *filler(void);

// ---- muc.c: what all scenarios with rooms send and read
void room_join(struct connection *c, const char *room);
void room_leave(struct connection *c, const char *room);
void room_accept_configuration(struct connection *c, const char *room, const char *fields);
bool is_configuration_accepted(const char *stanza, u32 length);
bool is_own_presence(const char *stanza, u32 length);

// ---- report.c
void report(void);

#endif
