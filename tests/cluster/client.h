/* client.h: a small HTTP client for tests: one request at a time on a kept connection. */
#ifndef GOSSAMER_CLUSTER_CLIENT_H
#define GOSSAMER_CLUSTER_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_CONTEXT_MAX 2800 /* bytes of a Gossamer-Context, its zero included */
#define CLIENT_ETAG_MAX 32
#define CLIENT_SESSION_MAX 1100 /* bytes of a Gossamer-Session, its zero included */
#define CLIENT_REPLY_MAX (3u << 20)

struct client {
    uint16_t port;
    int fd;              /* -1: none */
    unsigned timeout_ms; /* of each read and write on the connection; 0: 15 s */
};

struct client_request {
    const char *method, *path;
    const char *fields; /* further header lines, each with its CRLF; NULL: none */
    const void *body;   /* NULL: no body at all */
    size_t body_size;
};

struct client_reply {
    unsigned status; /* 0: no answer came */
    bool is_unsent;  /* no connection was to be had: nothing was asked */
    bool has_failed; /* the route names a peer that did not answer: it may have done it as well */
    char context[CLIENT_CONTEXT_MAX];
    char session[CLIENT_SESSION_MAX];
    char location[128];
    char etag[CLIENT_ETAG_MAX]; /* without its quotes; "": none came */
    char *body;                 /* owned by the thread's static buffer: valid until its next call */
    size_t body_size;
};

/* client_at makes a client of 127.0.0.1:port; it connects when first used. */
struct client client_at(uint16_t port);
/* client_close closes the connection. */
void client_close(struct client *client);
/* client_ask sends one request and waits for its answer, at most 15 s or timeout_ms. A connection
 * that was kept and turns out to be closed is opened again once for methods that may be repeated:
 * GET only. */
struct client_reply client_ask(struct client *client, const struct client_request *request);
/* client_get and client_put are the usual two; client_put sends `context` unless it is NULL. */
struct client_reply client_get(struct client *client, const char *path);
struct client_reply client_put(struct client *client, const char *path, const char *value,
                               const char *context);
/* client_json asks for JSON; NULL when the answer is none or not 200. The caller owns it. */
json_t *client_json(struct client *client, const char *path);
/* client_metric returns one row of /metrics, `name` with its labels, -1 when it is not there. */
int64_t client_metric(struct client *client, const char *name);

#endif
