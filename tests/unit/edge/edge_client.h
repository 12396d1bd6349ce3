/* edge_client.h: a client of one connection for the unit tests: it sends text, the test is the
 * core. */
#ifndef GOSSAMER_TESTS_EDGE_CLIENT_H
#define GOSSAMER_TESTS_EDGE_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include "bytes.h"
#include "edge.h"

struct client {
    struct metrics metrics;
    struct edge *edge;
    struct edge_conn *conn;
    struct op op; /* the newest one */
    uint32_t slot;
};

#define CLIENT_WALL_MS 1795257600000u

static inline void client_open(struct client *client, const char *token)
{
    struct edge_config config = {
        .version = "1.2.3", .value_max = 1000, .admin_token = token, .seed = 1};

    json_object_seed(1);
    *client = (struct client){.edge = NULL};
    config.name = label_make(slice_text("peer-1"));
    config.metrics[0] = &client->metrics;
    client->edge = edge_new(&config);
    edge_set_wall(client->edge, CLIENT_WALL_MS);
    client->conn = edge_conn_new(client->edge, true, 0);
}

static inline void client_close(struct client *client)
{
    edge_conn_delete(client->conn);
    edge_delete(client->edge);
}

/* Sends bytes; true when they completed a request for the core. */
static inline bool client_send(struct client *client, const char *text)
{
    assert_int_equal(edge_conn_receive(client->conn, 0, slice_text(text)), STATUS_OK);
    return edge_conn_next(client->conn, &client->op, &client->slot);
}

/* Sends "METHOD TARGET" with a Host and further fields. */
static inline bool client_ask(struct client *client, const char *line, const char *fields)
{
    char text[4096];

    snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", line, fields);
    return client_send(client, text);
}

static inline void client_reply(struct client *client, const struct result *result)
{
    edge_conn_reply(client->conn, client->slot, 0, result);
}

/* Takes the output so far as text; it lives until the next call. */
static inline const char *client_take(struct client *client)
{
    static char text[65536];
    struct slice output = edge_conn_output(client->conn);

    assert_true(output.size < sizeof text);
    if (output.size)
        memcpy(text, output.data, output.size);
    text[output.size] = 0;
    edge_conn_sent(client->conn, output.size);
    return text;
}

static inline void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        print_error("no \"%s\" in:\n%s\n", part, text);
    assert_non_null(strstr(text, part));
}

static inline void assert_lacks(const char *text, const char *part)
{
    assert_null(strstr(text, part));
}

static inline void assert_slice(struct slice slice, const char *text)
{
    assert_int_equal(slice.size, strlen(text));
    assert_memory_equal(slice.data, text, slice.size);
}

/* The JSON body of a reply; to be given back with json_decref. */
static inline json_t *client_json(const char *reply)
{
    const char *body = strstr(reply, "\r\n\r\n");
    json_t *json;

    assert_non_null(body);
    json = json_loads(body + 4, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(json);
    return json;
}

#endif
