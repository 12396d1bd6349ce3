/* cli_keys.c: the cluster's keys: which there are, who has them, and the steps of a rotation. */
#include "cli_room.h"

#include <stdio.h>
#include <string.h>

static const struct cli_column member_columns[] = {{"MEMBER", "name", false},
                                                   {"STATE", "state", false}};

/* Sends a step, or asks, and shows the keys and who has acknowledged them. CLI_PARTIAL: not all. */
static int keys_ask(struct cli *cli, const char *method, const char *path)
{
    struct cli_request request = {.method = method, .path = path};
    struct cli_reply reply;
    json_t *json = NULL, *key;
    int code = cli_ask(cli, &request, &reply);
    bool is_complete;
    size_t at;
    char room[32];

    if (code == CLI_DONE && reply.status >= 400)
        code = cli_problem(cli, &reply);
    else if (code == CLI_DONE)
        json = json_loadb((const char *)reply.body.data, reply.body.size, 0, NULL);
    is_complete = json_is_true(json_object_get(json, "complete"));
    if (code == CLI_DONE && cli->is_json) {
        code = cli_put_body(&reply);
    } else if (code == CLI_DONE) {
        json_array_foreach(json_object_get(json, "keys"), at, key)
            printf("key %s%s\n", cli_text(key, "id", room),
                   json_is_true(json_object_get(key, "primary")) ? "  primary" : "");
        code = cli_table(json_object_get(json, "members"), member_columns,
                         sizeof(member_columns) / sizeof(member_columns[0]));
    }
    if (code == CLI_DONE && !is_complete) {
        fprintf(stderr, "not every member has acknowledged these keys: gossamer keys list\n");
        code = CLI_PARTIAL;
    }
    json_decref(json);
    cli_reply_close(&reply);
    return code;
}

static int keys_step(struct cli *cli, const char *method, const char *end)
{
    char path[CLI_URL_MAX];
    const char *id = cli->arguments[0];

    if (strlen(id) != 4 || strspn(id, "0123456789abcdef") != 4)
        return cli_fail(CLI_USAGE, cli->command->example, "\"%s\" is no id of a key", id);
    (void)snprintf(path, sizeof(path), "/v1/cluster/keys/%s%s%s", id, end,
                   cli->options[OPTION_FORCE] ? "?force=true" : "");
    return keys_ask(cli, method, path);
}

int cli_keys_list(struct cli *cli)
{
    return keys_ask(cli, "GET", "/v1/cluster/keys");
}

int cli_keys_add(struct cli *cli)
{
    return keys_ask(cli, "POST", "/v1/cluster/keys");
}

int cli_keys_use(struct cli *cli)
{
    return keys_step(cli, "PUT", "/use");
}

int cli_keys_remove(struct cli *cli)
{
    return keys_step(cli, "DELETE", "");
}
