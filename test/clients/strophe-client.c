/* Drives libstrophe by the line protocol of client-process.ts. */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strophe.h>
#include <unistd.h>

static int running = 1;
static int online = 0;
static int untrusted = 0;

static void say(const char *event, ...)
{
    va_list words;
    const char *word;
    fputs(event, stdout);
    va_start(words, event);
    while ((word = va_arg(words, const char *)) != NULL)
        printf("\t%s", word);
    va_end(words);
    putchar('\n');
    fflush(stdout);
}

static const char *attribute(xmpp_stanza_t *stanza, const char *name, const char *otherwise)
{
    const char *value = xmpp_stanza_get_attribute(stanza, name);
    return value ? value : otherwise;
}

static char *child_text(xmpp_stanza_t *stanza, const char *name)
{
    xmpp_stanza_t *child = xmpp_stanza_get_child_by_name(stanza, name);
    char *text = child ? xmpp_stanza_get_text(child) : NULL;
    return text ? text : strdup("");
}

static int on_message(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *data)
{
    xmpp_stanza_t *delay = xmpp_stanza_get_child_by_name_and_ns(stanza, "delay", "urn:xmpp:delay");
    char *body = child_text(stanza, "body");
    (void)conn;
    (void)data;
    say("message", attribute(stanza, "from", ""), body, delay ? attribute(delay, "stamp", "") : "", NULL);
    free(body);
    return 1;
}

static int on_presence(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *data)
{
    char *show = child_text(stanza, "show");
    char *status = child_text(stanza, "status");
    (void)conn;
    (void)data;
    say("presence", attribute(stanza, "from", ""), attribute(stanza, "type", "available"), show, status, NULL);
    free(show);
    free(status);
    return 1;
}

/* libstrophe tells no handler why a login failed; its log shows what the server answered. */
static void on_log(void *data, xmpp_log_level_t level, const char *area, const char *text)
{
    const char *failure = strstr(text, "<failure");
    (void)data;
    if (failure && strstr(text, "RECV"))
        say("refused", strstr(failure, "<not-authorized") ? "not-authorized" : failure, NULL);
    if (level >= XMPP_LEVEL_WARN)
        fprintf(stderr, "%s: %s\n", area, text);
}

static int on_bad_certificate(const xmpp_tlscert_t *certificate, const char *reason)
{
    (void)certificate;
    untrusted = 1;
    say("untrusted", reason, NULL);
    return 0;
}

static void on_connection(xmpp_conn_t *conn, xmpp_conn_event_t event, int error, xmpp_stream_error_t *stream_error, void *data)
{
    (void)error;
    (void)stream_error;
    (void)data;
    if (event != XMPP_CONN_CONNECT) {
        if (!untrusted)
            say("closed", NULL);
        running = 0;
        return;
    }
    xmpp_handler_add(conn, on_message, NULL, "message", NULL, NULL);
    xmpp_handler_add(conn, on_presence, NULL, "presence", NULL, NULL);
    xmpp_stanza_t *presence = xmpp_presence_new(xmpp_conn_get_context(conn));
    xmpp_send(conn, presence);
    xmpp_stanza_release(presence);
    online = 1;
    say("online", xmpp_conn_get_bound_jid(conn), xmpp_conn_is_secured(conn) ? "secured" : "plain", NULL);
}

static void send_message(xmpp_conn_t *conn, const char *to, const char *body)
{
    xmpp_stanza_t *message = xmpp_message_new(xmpp_conn_get_context(conn), "chat", to, NULL);
    xmpp_message_set_body(message, body);
    xmpp_send(conn, message);
    xmpp_stanza_release(message);
}

static void obey(xmpp_conn_t *conn, char *line)
{
    const char *verb = strtok(line, "\t\n");
    const char *to = strtok(NULL, "\t\n");
    const char *body = strtok(NULL, "\n");
    if (verb && strcmp(verb, "message") == 0 && to && body)
        send_message(conn, to, body);
    else if (verb && strcmp(verb, "quit") == 0)
        xmpp_disconnect(conn);
}

/* stdin is read unbuffered, so that poll() and the lines read always agree. */
static void obey_input(xmpp_conn_t *conn)
{
    static char line[4096];
    static size_t length = 0;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;
    while (poll(&input, 1, 0) > 0) {
        if (read(STDIN_FILENO, &byte, 1) != 1) {
            running = 0;
            return;
        }
        if (length < sizeof line - 1)
            line[length++] = byte;
        if (byte == '\n') {
            line[length] = '\0';
            length = 0;
            obey(conn, line);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    xmpp_initialize();
    const xmpp_log_t log = {on_log, NULL};
    xmpp_ctx_t *context = xmpp_ctx_new(NULL, &log);
    xmpp_conn_t *conn = xmpp_conn_new(context);
    xmpp_conn_set_flags(conn, strcmp(argv[3], "direct") == 0 ? XMPP_CONN_FLAG_LEGACY_SSL : XMPP_CONN_FLAG_MANDATORY_TLS);
    xmpp_conn_set_jid(conn, argv[4]);
    xmpp_conn_set_pass(conn, argv[5]);
    xmpp_conn_set_cafile(conn, argv[6]);
    xmpp_conn_set_certfail_handler(conn, on_bad_certificate);
    if (xmpp_connect_client(conn, argv[1], (unsigned short)atoi(argv[2]), on_connection, NULL) != XMPP_EOK)
        return 1;
    while (running) {
        xmpp_run_once(context, 20);
        if (online)
            obey_input(conn);
    }
    xmpp_conn_release(conn);
    xmpp_ctx_free(context);
    xmpp_shutdown();
    return 0;
}
