#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include "xload.h"

enum { READ_BUFFER = 1 << 18, LONGEST_STANZA = READ_BUFFER - 65536, MAX_EVENTS = 512 };
struct connection *connections;
int connection_count;
struct io_counts io;
char tls_description[128] = "";
static SSL_CTX *context;
static char read_buffer[READ_BUFFER];
static int epoll;

const char *state_name(enum state state) {
  static const char *const names[] = { "free", "connecting", "handshake", "upgrade", "pairing", "features", "sasl",
                                       "features before bind", "bind", "session", "sync", "ready", "closing" };
  return names[state];
}

void network_open(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  // Every login is a full handshake.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
}

// ---- output

static void want_output(struct connection *c, bool wanted) {
  if (c->wants_output == wanted) return;
  c->wants_output = wanted;
  struct epoll_event event = { .events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = c };
  epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

// Bytes written; 0 when it would block, -1 when the connection is broken.
static int write_some(struct connection *c, const char *bytes, u32 length) {
  if (!c->ssl) {
    ssize_t written = send(c->fd, bytes, length, MSG_NOSIGNAL);
    return written >= 0 ? (int)written : errno == EAGAIN ? 0 : -1;
  }
  ERR_clear_error();
  int written = SSL_write(c->ssl, bytes, length);
  if (written > 0) return written;
  int error = SSL_get_error(c->ssl, written);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void keep_output(struct connection *c, const char *bytes, u32 length) {
  if (c->output_start + c->output_length + length > c->output_capacity) {
    u32 capacity = (c->output_length + length) * 2 + 1024;
    char *grown = malloc(capacity);
    if (c->output_length) memcpy(grown, c->output + c->output_start, c->output_length);
    free(c->output);
    c->output = grown;
    c->output_start = 0;
    c->output_capacity = capacity;
  }
  memcpy(c->output + c->output_start + c->output_length, bytes, length);
  c->output_length += length;
  want_output(c, true);
}

void send_unframed(struct connection *c, const char *bytes, u32 length) {
  if (c->state == FREE) return;
  while (c->output_length == 0 && length > 0) {
    int written = write_some(c, bytes, length);
    if (written < 0) io.io_errors++;
    if (written < 0) return;
    if (written == 0) break;
    bytes += written;
    length -= written;
  }
  if (length > 0) keep_output(c, bytes, length);
}

// Sends one element, or a part of a stream that is not in frames.
void send_bytes(struct connection *c, const char *element, u32 length) {
  u32 bytes = length;
  const char *sent = options.websocket ? websocket_frame(element, length, &bytes) : element;
  send_unframed(c, sent, bytes);
}

void send_text(struct connection *c, const char *format, ...) {
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  send_bytes(c, text, length);
}

static void drop_output(struct connection *c) {
  free(c->output);
  c->output = NULL;
  c->output_start = c->output_length = c->output_capacity = 0;
}

static void flush_output(struct connection *c) {
  while (c->output_length > 0) {
    int written = write_some(c, c->output + c->output_start, c->output_length);
    if (written < 0) {
      io.io_errors++;
      connection_close(c);
      return;
    }
    if (written == 0) return;
    c->output_start += written;
    c->output_length -= written;
  }
  drop_output(c);
  want_output(c, false);
}

// ---- opening and closing

static void continue_handshake(struct connection *c) {
  ERR_clear_error();
  int result = SSL_do_handshake(c->ssl);
  if (result == 1) {
    if (!tls_description[0])
      snprintf(tls_description, sizeof tls_description, "%s %s", SSL_get_version(c->ssl), SSL_get_cipher_name(c->ssl));
    want_output(c, false);
    login_begin(c);
    return;
  }
  int error = SSL_get_error(c->ssl, result);
  if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ) want_output(c, error == SSL_ERROR_WANT_WRITE);
  else connection_close(c);
}

static void start_handshake(struct connection *c) {
  c->state = HANDSHAKE;
  c->ssl = SSL_new(context);
  SSL_set_fd(c->ssl, c->fd);
  SSL_set_tlsext_host_name(c->ssl, options.domain);
  static const unsigned char xmpp[] = "\x0bxmpp-client", http[] = "\x08http/1.1";
  if (options.websocket) SSL_set_alpn_protos(c->ssl, http, sizeof http - 1);
  else if (!options.raw) SSL_set_alpn_protos(c->ssl, xmpp, sizeof xmpp - 1);
  SSL_set_connect_state(c->ssl);
  SSL_set_read_ahead(c->ssl, 1);
  continue_handshake(c);
}

// One address has too few ports for what is left in TIME_WAIT by thousands of logins.
static void choose_source(struct connection *c) {
  if (options.sources <= 1) return;
  int yes = 1;
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  struct sockaddr_in source = { .sin_family = AF_INET };
  source.sin_addr.s_addr = htonl(0x7f000101 + c->id % options.sources);
  if (bind(c->fd, (struct sockaddr *)&source, sizeof source)) die("bind: %s", strerror(errno));
}

void connection_open(struct connection *c) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) die("socket: %s", strerror(errno));
  int yes = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  choose_source(c);
  c->started_ns = now_ns();
  c->state = CONNECTING;
  c->scan = TEXT;
  c->depth = 0;
  c->position = c->start = 0;
  c->finished = c->session_required = false;
  c->wants_output = true;
  struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(options.port) };
  inet_pton(AF_INET, options.host, &server.sin_addr);
  int result = connect(c->fd, (struct sockaddr *)&server, sizeof server);
  if (result && errno != EINPROGRESS) die("connect: %s", strerror(errno));
  struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };
  epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void count_loss(enum state was, int user) {
  if (was == CLOSING || was == READY) return;
  io.connect_errors++;
  if (io.connect_errors <= 5) fprintf(stderr, "user %d: lost while %s\n", user, state_name(was));
}

void connection_close(struct connection *c) {
  if (c->state == FREE) return;
  enum state was = c->state;
  c->generation++;
  if (c->ssl) {
    ERR_clear_error();
    if (was > HANDSHAKE) SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    c->ssl = NULL;
  }
  close(c->fd);
  c->fd = -1;
  c->state = FREE;
  free(c->kept);
  c->kept = NULL;
  c->kept_length = c->kept_capacity = 0;
  drop_output(c);
  free(c->scram);
  c->scram = NULL;
  count_loss(was, c->user);
  on_closed(c);
}

static void connected(struct connection *c) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error) die("connect: %s", strerror(error));
  want_output(c, false);
  if (options.tls) start_handshake(c);
  else login_begin(c);
}

// ---- input

// Bytes read; 0 when there are none, -1 when the connection is over.
static int read_some(struct connection *c, char *into, u32 length) {
  if (!c->ssl) {
    ssize_t got = recv(c->fd, into, length, 0);
    return got > 0 ? (int)got : got < 0 && errno == EAGAIN ? 0 : -1;
  }
  ERR_clear_error();
  int got = SSL_read(c->ssl, into, length);
  if (got > 0) return got;
  int error = SSL_get_error(c->ssl, got);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void keep_input(struct connection *c, const char *bytes, u32 length) {
  c->kept_length = c->position = length;
  c->start = 0;
  if (length == 0) {
    free(c->kept);
    c->kept = NULL;
    c->kept_capacity = 0;
    return;
  }
  if (length > c->kept_capacity) {
    c->kept_capacity = length * 2;
    c->kept = realloc(c->kept, c->kept_capacity);
  }
  memcpy(c->kept, bytes, length);
}

static void upgrade(struct connection *c, const char *bytes, u32 length) {
  bool accepted = websocket_accepted(bytes, length);
  keep_input(c, bytes, accepted ? 0 : length);
  if (accepted) login_begin(c);
}

static bool read_once(struct connection *c) {
  u32 have = c->kept_length, generation = c->generation;
  if (have > LONGEST_STANZA) die("a stanza is too long");
  if (have) memcpy(read_buffer, c->kept, have);
  int got = read_some(c, read_buffer + have, READ_BUFFER - have);
  if (got < 0) connection_close(c);
  if (got <= 0) return false;
  if (c->state == UPGRADE) {
    upgrade(c, read_buffer, have + got);
    return true;
  }
  if (options.websocket) got = websocket_unframe(c, read_buffer + have, got);
  u32 done = scan(c, read_buffer, have + got);
  if (c->generation == generation && c->frames_ended) connection_close(c);
  if (c->generation != generation) return false;
  keep_input(c, read_buffer + done, have + got - done);
  return true;
}

static void read_all(struct connection *c) {
  while (read_once(c) && c->ssl && SSL_has_pending(c->ssl)) continue;
}

static void handle(struct connection *c, u32 events) {
  u32 generation = c->generation;
  if (c->state == CONNECTING) {
    if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) connected(c);
    return;
  }
  if (c->state == HANDSHAKE) {
    continue_handshake(c);
    if (c->generation == generation && c->state > HANDSHAKE && SSL_has_pending(c->ssl)) read_all(c);
    return;
  }
  if (events & EPOLLOUT) flush_output(c);
  if (c->generation == generation && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_all(c);
}

void network_turn(u64 timeout_ns) {
  struct epoll_event events[MAX_EVENTS];
  struct timespec timeout = { timeout_ns / 1000000000, timeout_ns % 1000000000 };
  int count = epoll_pwait2(epoll, events, MAX_EVENTS, &timeout, NULL);
  if (count < 0 && errno != EINTR) die("epoll: %s", strerror(errno));
  for (int i = 0; i < count; i++) {
    struct connection *c = events[i].data.ptr;
    if (c->state != FREE) handle(c, events[i].events);
  }
}
