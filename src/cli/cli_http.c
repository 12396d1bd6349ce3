/* cli_http.c: one request to one peer. */
#include "cli_room.h"

#include <curl/curl.h>
#include <stdio.h>
#include <strings.h>

bool cli_peer_parse(struct slice text, struct cli_peer *peer)
{
    static const char unix_[] = "unix:", http[] = "http://", https[] = "https://";
    const char *at = (const char *)text.data;
    int size = (int)text.size;

    memset(peer, 0, sizeof(*peer));
    if (slice_has_prefix(text, slice_text(unix_))) {
        if (text.size <= sizeof(unix_) || text.size >= sizeof(peer->socket))
            return false;
        memcpy(peer->socket, text.data + sizeof(unix_) - 1, text.size - sizeof(unix_) + 1);
        snprintf(peer->base, sizeof(peer->base), "http://localhost");
        return true;
    }
    while (size > 0 && at[size - 1] == '/')
        size--;
    if (size == 0 || size > 200 || memchr(at, ' ', (size_t)size) || memchr(at, '@', (size_t)size))
        return false;
    snprintf(peer->base, sizeof(peer->base), "%s%.*s",
             slice_has_prefix(text, slice_text(http)) || slice_has_prefix(text, slice_text(https))
                 ? ""
                 : http,
             size, at);
    return true;
}

unsigned cli_peers_parse(const char *text, struct cli_peer peers[CLI_ADDRESSES_MAX])
{
    unsigned count = 0;

    while (*text) {
        size_t size = strcspn(text, ",");

        if (count == CLI_ADDRESSES_MAX || !cli_peer_parse(slice_of(text, size), &peers[count])) {
            (void)cli_fail(CLI_USAGE,
                           "such as http://127.0.0.1:7480 or unix:/run/gossamer/api.sock",
                           "\"%s\" is no address", text);
            return 0;
        }
        count++;
        text += size + (text[size] == ',');
    }
    return count;
}

void cli_escape(struct writer *out, struct slice text, bool is_path)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
                        (is_path && c == '/');

        if (is_plain) {
            write_u8(out, c);
        } else {
            write_u8(out, '%');
            write_u8(out, (uint8_t)digits[c >> 4]);
            write_u8(out, (uint8_t)digits[c & 15]);
        }
    }
}

static size_t http_body(char *data, size_t one, size_t size, void *context)
{
    struct cli_reply *reply = context;

    (void)one;
    return buffer_append(&reply->body, data, size) ? size : 0;
}

static void http_keep(char *room, size_t room_size, const char *line, size_t size)
{
    while (size > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        size--;
    }
    while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == '\n' || line[size - 1] == ' '))
        size--;
    snprintf(room, room_size, "%.*s", (int)size, line);
}

static size_t http_head(char *line, size_t one, size_t size, void *context)
{
    struct cli_reply *reply = context;
    const struct {
        const char *name;
        char *room;
        size_t size;
    } fields[] = {{"Gossamer-Context:", reply->context, sizeof(reply->context)},
                  {"Gossamer-Siblings:", reply->siblings, sizeof(reply->siblings)},
                  {"Gossamer-Route:", reply->route, sizeof(reply->route)},
                  {"Gossamer-Next:", reply->next, sizeof(reply->next)},
                  {"Gossamer-Partitions:", reply->partitions, sizeof(reply->partitions)}};

    (void)one;
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        size_t name = strlen(fields[i].name);

        if (size > name && strncasecmp(line, fields[i].name, name) == 0)
            http_keep(fields[i].room, fields[i].size, line + name, size - name);
    }
    return size;
}

static struct curl_slist *http_fields(const struct cli *cli, const struct cli_request *request)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    char line[4400];

    if (cli->token) {
        snprintf(line, sizeof(line), "Authorization: Bearer %s", cli->token);
        list = curl_slist_append(list, line);
    }
    if (request->context) {
        snprintf(line, sizeof(line), "Gossamer-Context: %s", request->context);
        list = curl_slist_append(list, line);
    }
    snprintf(line, sizeof(line), "Content-Type:%s%s", request->type ? " " : "",
             request->type ? request->type : "");
    return curl_slist_append(list, line);
}

static void http_set(CURL *curl, const struct cli *cli, const struct cli_request *request,
                     const struct cli_peer *peer)
{
    if (peer->socket[0])
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, peer->socket);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, cli->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "gossamer/" GOSSAMER_VERSION);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body.data || strcmp(request->method, "PUT") == 0 ||
        strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         request->body.data ? request->body.data : (const uint8_t *)"");
    }
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
}

int cli_ask(const struct cli *cli, const struct cli_request *request, struct cli_reply *reply)
{
    struct cli_peer peers[CLI_ADDRESSES_MAX];
    struct curl_slist *fields;
    char url[CLI_URL_MAX];
    CURLcode outcome;
    CURL *curl;

    memset(reply, 0, sizeof(*reply));
    buffer_init(&reply->body, CLI_BODY_MAX);
    if (cli_peers_parse(cli->addresses, peers) == 0)
        return CLI_USAGE;
    curl = curl_easy_init();
    if (!curl)
        return cli_fail(CLI_FAILURE, NULL, "out of memory");
    snprintf(url, sizeof(url), "%s%s", peers[0].base, request->path);
    fields = http_fields(cli, request);
    http_set(curl, cli, request, &peers[0]);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, http_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, http_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply);
    outcome = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_slist_free_all(fields);
    curl_easy_cleanup(curl);
    if (outcome == CURLE_OK)
        return CLI_DONE;
    return cli_fail(CLI_UNREACHABLE,
                    "is it running? cluster-scripts/status, or systemctl status gossamerd; "
                    "--addr and GOSSAMER_ADDR say where",
                    "cannot reach gossamerd at %s: %s",
                    peers[0].socket[0] ? peers[0].socket : peers[0].base,
                    curl_easy_strerror(outcome));
}

void cli_reply_close(struct cli_reply *reply)
{
    buffer_close(&reply->body);
}

int cli_get_json(const struct cli *cli, const char *path, json_t **json, struct cli_reply *reply)
{
    struct cli_request request = {.method = "GET", .path = path};
    int code = cli_ask(cli, &request, reply);

    *json = NULL;
    if (code == CLI_DONE && reply->status >= 400)
        code = cli_problem(cli, reply);
    if (code != CLI_DONE)
        return code;
    *json = json_loadb((const char *)reply->body.data, reply->body.size, 0, NULL);
    if (!*json)
        return cli_fail(CLI_FAILURE, "is this address a Gossamer peer?", "the answer is no JSON");
    return CLI_DONE;
}
