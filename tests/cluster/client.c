#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static _Thread_local char client_input[CLIENT_REPLY_MAX + 1];

struct client client_at(uint16_t port)
{
    return (struct client){.port = port, .fd = -1};
}

void client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

static bool client_connect(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(client->port)};
    struct timeval limit = {15, 0};
    int on = 1;

    if (client->timeout_ms)
        limit = (struct timeval){client->timeout_ms / 1000, client->timeout_ms % 1000 * 1000};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) == 0)
        return true;
    client_close(client);
    return false;
}

static bool client_send(const struct client *client, const void *bytes, size_t size)
{
    size_t at = 0;

    while (at < size) {
        ssize_t sent = send(client->fd, (const char *)bytes + at, size - at, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        at += (size_t)sent;
    }
    return true;
}

static bool client_send_request(const struct client *client, const struct client_request *request)
{
    char head[8192], length[64] = "";
    int size;

    if (request->body)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", request->body_size);
    size = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n%s%s\r\n",
                    request->method, request->path, client->port, length,
                    request->fields ? request->fields : "");
    /* Ignore a failure of the body: a refusal may have been sent before all of it was read. */
    if (size >= (int)sizeof head || !client_send(client, head, (size_t)size))
        return false;
    if (request->body)
        (void)client_send(client, request->body, request->body_size);
    return true;
}

/* Copies the value of a field of the head; false if it is not there. */
static bool client_field(const char *head, const char *name, char *into, size_t size)
{
    size_t length = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        line += length + 1;
        line += strspn(line, " ");
        snprintf(into, size, "%.*s", (int)strcspn(line, "\r"), line);
        return true;
    }
    return false;
}

/* Reads until the head and `length` bytes of body are there. */
static struct client_reply client_receive(struct client *client, bool is_head)
{
    struct client_reply reply = {0};
    char text[64], route[1024], *end = NULL;
    size_t at = 0, need = SIZE_MAX;

    while (at < need) {
        ssize_t got = at < CLIENT_REPLY_MAX
                          ? recv(client->fd, client_input + at, CLIENT_REPLY_MAX - at, 0)
                          : 0;

        if (got <= 0)
            return (struct client_reply){0};
        at += (size_t)got;
        client_input[at] = 0;
        end = end ? end : strstr(client_input, "\r\n\r\n");
        if (!end || need != SIZE_MAX)
            continue;
        end[2] = 0;
        reply.body = end + 4;
        reply.status = (unsigned)strtoul(client_input + strcspn(client_input, " "), NULL, 10);
        if (!is_head && client_field(client_input, "Content-Length", text, sizeof text))
            reply.body_size = strtoul(text, NULL, 10);
        need = (size_t)(reply.body - client_input) + reply.body_size;
    }
    (void)client_field(client_input, "Gossamer-Context", reply.context, sizeof reply.context);
    (void)client_field(client_input, "Gossamer-Session", reply.session, sizeof reply.session);
    (void)client_field(client_input, "Location", reply.location, sizeof reply.location);
    if (client_field(client_input, "ETag", text, sizeof text) && text[0] == '"')
        snprintf(reply.etag, sizeof reply.etag, "%.*s", (int)strcspn(text + 1, "\""), text + 1);
    reply.has_failed = client_field(client_input, "Gossamer-Route", route, sizeof route) &&
                       strstr(route, ";failed");
    if (client_field(client_input, "Connection", text, sizeof text) &&
        strcasecmp(text, "close") == 0)
        client_close(client);
    return reply;
}

struct client_reply client_ask(struct client *client, const struct client_request *request)
{
    struct client_reply reply = {0};
    bool is_get = strcmp(request->method, "GET") == 0;

    for (unsigned tries = 0; tries < 2 && reply.status == 0; tries++) {
        bool was_open = client->fd >= 0;

        if (!was_open && !client_connect(client)) {
            reply.is_unsent = tries == 0;
            break;
        }
        if (client_send_request(client, request))
            reply = client_receive(client, strcmp(request->method, "HEAD") == 0);
        if (reply.status == 0)
            client_close(client);
        if (!was_open || !is_get)
            break;
    }
    return reply;
}

struct client_reply client_get(struct client *client, const char *path)
{
    return client_ask(client, &(struct client_request){.method = "GET", .path = path});
}

struct client_reply client_put(struct client *client, const char *path, const char *value,
                               const char *context)
{
    char fields[CLIENT_CONTEXT_MAX + 64] = "";

    if (context)
        snprintf(fields, sizeof fields, "Gossamer-Context: %s\r\n", context);
    return client_ask(client, &(struct client_request){"PUT", path, fields, value, strlen(value)});
}

json_t *client_json(struct client *client, const char *path)
{
    struct client_reply reply = client_get(client, path);

    return reply.status == 200 ? json_loadb(reply.body, reply.body_size, 0, NULL) : NULL;
}

int64_t client_metric(struct client *client, const char *name)
{
    struct client_reply reply = client_get(client, "/metrics");
    size_t length = strlen(name);
    const char *line = reply.status == 200 ? reply.body : NULL;

    while (line) {
        if (strncmp(line, name, length) == 0 && line[length] == ' ')
            return strtoll(line + length, NULL, 10);
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return -1;
}
