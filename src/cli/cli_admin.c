/* cli_admin.c: commands that change the peer, and the raw request. */
#include "cli_room.h"

#include <stdio.h>
#include <stdlib.h>

/* {"name":["a","b"]} */
static int admin_list(struct cli *cli, struct cli_request *request, const char *name, json_t *list)
{
    json_t *body = json_pack("{s:o}", name, list);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    int code = CLI_FAILURE;

    if (text) {
        request->body = slice_text(text);
        request->type = "application/json";
        code = cli_change(cli, request, "done");
    }
    free(text);
    json_decref(body);
    return code;
}

int cli_leave(struct cli *cli)
{
    struct cli_request request = {.method = "POST", .path = "/v1/cluster/leave"};

    return cli_change(cli, &request, "leaving: the peer hands its data over and then stops");
}

int cli_drain(struct cli *cli)
{
    struct cli_request request = {.method = "POST", .path = "/v1/self/drain"};

    return cli_change(cli, &request, "draining: other peers coordinate");
}

int cli_undrain(struct cli *cli)
{
    struct cli_request request = {.method = "DELETE", .path = "/v1/self/drain"};

    return cli_change(cli, &request, "done");
}

/* The whole id of a peer that was named by its name or the beginning of its id. */
static int admin_id(struct cli *cli, const char *name, char id[65])
{
    struct cli_reply reply;
    char path[CLI_URL_MAX];
    struct cli_request request = {.method = "GET", .path = path};
    json_t *body;
    int code;

    if (strlen(name) > 64 || strpbrk(name, "/?#% "))
        return cli_fail(CLI_USAGE, cli->command->example, "\"%s\" is no peer", name);
    (void)snprintf(path, sizeof(path), "/v1/members/%s", name);
    code = cli_ask(cli, &request, &reply);
    if (code == CLI_DONE && reply.status >= 400)
        code = cli_problem(cli, &reply);
    else if (code == CLI_DONE) {
        body = json_loadb((const char *)reply.body.data, reply.body.size, 0, NULL);
        (void)snprintf(id, 65, "%s", body ? json_string_value(json_object_get(body, "id")) : "");
        json_decref(body);
    }
    cli_reply_close(&reply);
    return code;
}

int cli_forget(struct cli *cli)
{
    char id[65] = "", path[CLI_URL_MAX];
    struct cli_request request = {.method = "DELETE", .path = path};
    int code = admin_id(cli, cli->arguments[0], id);

    if (code != CLI_DONE)
        return code;
    (void)snprintf(path, sizeof(path), "/v1/members/%s?confirm=%s", id, id);
    return cli_change(cli, &request, "forgotten: others are taking over its share");
}

int cli_join(struct cli *cli)
{
    struct cli_request request = {.method = "POST", .path = "/v1/cluster/join"};
    json_t *seeds = json_array();

    for (unsigned i = 0; i < cli->argument_count; i++)
        json_array_append_new(seeds, json_string(cli->arguments[i]));
    return admin_list(cli, &request, "seeds", seeds);
}

int cli_block(struct cli *cli)
{
    struct cli_request request = {.method = "PUT", .path = "/v1/self/block"};
    json_t *peers = json_array();
    const char *text = cli->arguments[0];

    while (*text) {
        size_t size = strcspn(text, ",");

        if (size)
            json_array_append_new(peers, json_stringn(text, size));
        text += size + (text[size] == ',');
    }
    return admin_list(cli, &request, "peers", peers);
}

int cli_unblock(struct cli *cli)
{
    struct cli_request request = {.method = "DELETE", .path = "/v1/self/block"};

    return cli_change(cli, &request, "done");
}

int cli_curl(struct cli *cli)
{
    const char *method = cli->options[OPTION_METHOD], *data = cli->options[OPTION_DATA];
    struct cli_request request = {.method = method ? method
                                            : data ? "POST"
                                                   : "GET",
                                  .path = cli->arguments[0]};
    struct cli_reply reply;
    int code;

    if (request.path[0] != '/' || strlen(request.path) > CLI_URL_MAX - 300)
        return cli_fail(CLI_USAGE, cli->command->example, "\"%s\" is no path", request.path);
    if (data) {
        request.body = slice_text(data);
        request.type = data[0] == '{' ? "application/json" : "text/plain; charset=utf-8";
    }
    code = cli_ask(cli, &request, &reply);
    if (code == CLI_DONE) {
        code = cli_put_body(&reply);
        if (reply.status >= 400)
            code = cli_exit_of_status(reply.status);
    }
    cli_reply_close(&reply);
    return code;
}
