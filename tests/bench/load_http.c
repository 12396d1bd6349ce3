/* load_http.c: requests for Gossamer (/v1/kv) and for the JSON gateway of etcd 3.4 (/v3/kv), and
 * the little that has to be known of replies. Nothing here is measured; both kinds of request are
 * built and read by the same code paths. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define KEY_TEXT 24

static void load_key(char text[KEY_TEXT], uint32_t key)
{
    snprintf(text, KEY_TEXT, "key/%010u", key);
}

/* A value that depends on its key, printable, so that it is the same for every protocol. */
static void load_value(char *into, uint32_t key, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        into[i] = (char)('a' + (key + i * 7) % 26);
}

static size_t load_base64(char *into, const char *from, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;

    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t bits = (uint32_t)(uint8_t)from[i] << 16;

        bits |= left > 1 ? (uint32_t)(uint8_t)from[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint32_t)(uint8_t)from[i + 2] : 0;
        into[at++] = digits[bits >> 18];
        into[at++] = digits[bits >> 12 & 63];
        into[at++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        into[at++] = left > 2 ? digits[bits & 63] : '=';
    }
    into[at] = 0;
    return at;
}

static size_t load_request_etcd(char *into, const struct load_options *options, uint16_t port,
                                bool is_put, uint32_t key)
{
    static char value[LOAD_VALUE_MAX], coded[LOAD_VALUE_MAX * 4 / 3 + 8], body[LOAD_REQUEST_MAX];
    char text[KEY_TEXT], coded_key[KEY_TEXT * 2];
    int size;

    load_key(text, key);
    (void)load_base64(coded_key, text, strlen(text));
    load_value(value, key, options->size);
    (void)load_base64(coded, value, options->size);
    if (is_put)
        size = snprintf(body, sizeof body, "{\"key\":\"%s\",\"value\":\"%s\"}", coded_key, coded);
    else
        size = snprintf(body, sizeof body, "{\"key\":\"%s\"}", coded_key);
    size = snprintf(into, LOAD_REQUEST_MAX,
                    "POST /v3/kv/%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                    is_put ? "put" : "range", port, size, body);
    return (size_t)size;
}

size_t load_request(char *into, const struct load_options *options, uint16_t port, bool is_put,
                    uint32_t key)
{
    char text[KEY_TEXT];
    int size;

    if (options->protocol == LOAD_ETCD)
        return load_request_etcd(into, options, port, is_put, key);
    load_key(text, key);
    if (!is_put)
        return (size_t)snprintf(into, LOAD_REQUEST_MAX,
                                "GET /v1/kv/bench/%s%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
                                text, options->query, port);
    size = snprintf(into, LOAD_REQUEST_MAX,
                    "PUT /v1/kv/bench/%s%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                    "Content-Type: text/plain\r\nContent-Length: %u\r\n\r\n",
                    text, options->query, port, options->size);
    load_value(into + size, key, options->size);
    return (size_t)size + options->size;
}

/* The value of a field of the head, NULL if it is not there. */
static const char *load_field(const char *head, size_t size, const char *name)
{
    const char *line = memchr(head, '\n', size);
    size_t length = strlen(name);

    while (line && (size_t)(line + 1 - head) + length < size) {
        line++;
        if (strncasecmp(line, name, length) == 0)
            return line + length + strspn(line + length, " ");
        line = memchr(line, '\n', size - (size_t)(line - head));
    }
    return NULL;
}

bool load_reply_find(const char *input, size_t size, bool is_etcd_get, struct load_reply *reply)
{
    const char *end = memmem(input, size, "\r\n\r\n", 4), *field;
    size_t head, body = 0;

    memset(reply, 0, sizeof *reply);
    if (!end)
        return false;
    head = (size_t)(end - input) + 4;
    if (strncmp(input, "HTTP/1.1 ", 9) == 0)
        reply->status = (unsigned)strtoul(input + 9, NULL, 10);
    field = load_field(input, head, "connection:");
    reply->is_closing = field && strncasecmp(field, "close", 5) == 0;
    field = load_field(input, head, "content-length:");
    if (field) {
        body = strtoul(field, NULL, 10);
    } else if (load_field(input, head, "transfer-encoding:")) {
        end = memmem(input + head, size - head, "0\r\n\r\n", 5);
        if (!end)
            return false;
        body = (size_t)(end + 5 - input) - head;
    }
    reply->size = head + body;
    reply->is_miss = reply->status == 404;
    if (reply->size <= size && is_etcd_get)
        reply->is_miss = memmem(input + head, body, "\"kvs\"", 5) == NULL;
    return reply->size <= size;
}

size_t load_exchange(uint16_t port, const char *request, size_t request_size, char *into,
                     size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct load_reply reply;
    size_t at = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        send(fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    while (!load_reply_find(into, at, false, &reply)) {
        ssize_t got = at < size ? recv(fd, into + at, size - at, 0) : 0;

        if (got <= 0) {
            at = 0;
            break;
        }
        at += (size_t)got;
    }
    close(fd);
    return at;
}
