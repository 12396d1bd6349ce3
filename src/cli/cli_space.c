/* cli_space.c: settings of namespaces. `set` changes what it names and keeps the rest: it reads
 * what the namespace sets, changes that, and writes it back whole. */
#include "cli_room.h"

#include <stdio.h>
#include <stdlib.h>

static const struct cli_column space_columns[] = {
    {"NAMESPACE", "namespace", false},
    {"REPLICAS", "replicas", true},
    {"CONSISTENCY", "consistency", false},
    {"CONFLICT", "conflict", false},
    {"TTL", "ttl", false},
};

int cli_space_path(const char *name, char path[CLI_URL_MAX])
{
    struct writer out = writer_over(path, CLI_URL_MAX - 1);

    write_slice(&out, slice_text("/v1/namespaces/"));
    cli_escape(&out, slice_text(name), false);
    if (!name[0] || out.is_full)
        return cli_fail(CLI_USAGE, NULL, "\"%s\" is no namespace", name);
    path[out.size] = 0;
    return CLI_DONE;
}

/* Shows one namespace, or all of them, as a table. */
static int space_show(struct cli *cli, const char *path, bool is_list)
{
    struct cli_reply reply;
    json_t *json = NULL, *rows;
    int code = cli_get_json(cli, path, &json, &reply);

    if (code == CLI_DONE && cli->is_json) {
        code = cli_put_body(&reply);
    } else if (code == CLI_DONE) {
        rows = is_list ? json_incref(json_object_get(json, "namespaces")) : json_pack("[O]", json);
        code = cli_table(rows, space_columns, sizeof(space_columns) / sizeof(space_columns[0]));
        json_decref(rows);
    }
    json_decref(json);
    cli_reply_close(&reply);
    return code;
}

int cli_space_list(struct cli *cli)
{
    return space_show(cli, "/v1/namespaces", true);
}

int cli_space_show(struct cli *cli)
{
    char path[CLI_URL_MAX];
    int code = cli_space_path(cli->arguments[0], path);

    return code == CLI_DONE ? space_show(cli, path, false) : code;
}

int cli_space_del(struct cli *cli)
{
    char path[CLI_URL_MAX];
    struct cli_request request = {.method = "DELETE", .path = path};
    int code = cli_space_path(cli->arguments[0], path);

    return code == CLI_DONE ? cli_change(cli, &request, "back to the defaults") : code;
}

json_t *cli_space_own(const json_t *shown)
{
    json_t *own = json_object(), *name;
    size_t at;

    json_array_foreach(json_object_get(shown, "set"), at, name)
    {
        json_t *value = json_object_get(shown, json_string_value(name));

        /* a life that is set and has no end is shown as null */
        if (json_is_null(value))
            json_object_set_new(own, json_string_value(name), json_string("none"));
        else
            json_object_set(own, json_string_value(name), value);
    }
    return own;
}

/* NAME=VALUE; the value "default" gives the setting up. */
static bool space_change(json_t *own, const char *word)
{
    const char *mark = strchr(word, '=');
    char name[40];
    unsigned long number;

    if (!mark || mark == word || (size_t)(mark - word) >= sizeof(name) || !mark[1])
        return false;
    memcpy(name, word, (size_t)(mark - word));
    name[mark - word] = 0;
    if (strcmp(mark + 1, "default") == 0)
        json_object_del(own, name);
    else if (cli_number(mark + 1, 1000000000, &number))
        json_object_set_new(own, name, json_integer((json_int_t)number));
    else
        json_object_set_new(own, name, json_string(mark + 1));
    return true;
}

/* Reads the settings as they are. CLI_DONE also when there are none. */
static int space_read(struct cli *cli, const char *path, json_t **own)
{
    struct cli_request request = {.method = "GET", .path = path};
    struct cli_reply reply;
    int code = cli_ask(cli, &request, &reply);
    json_t *shown = NULL;

    if (code == CLI_DONE && reply.status >= 400 && reply.status != 404)
        code = cli_problem(cli, &reply);
    if (code == CLI_DONE && reply.status == 200)
        shown = json_loadb((const char *)reply.body.data, reply.body.size, 0, NULL);
    *own = code == CLI_DONE ? cli_space_own(shown) : NULL;
    json_decref(shown);
    cli_reply_close(&reply);
    return code;
}

int cli_space_set(struct cli *cli)
{
    char path[CLI_URL_MAX];
    struct cli_request request = {.method = "PUT", .path = path, .type = "application/json"};
    json_t *own = NULL;
    char *text;
    int code = cli_space_path(cli->arguments[0], path);

    if (code == CLI_DONE)
        code = space_read(cli, path, &own);
    for (unsigned i = 1; code == CLI_DONE && i < cli->argument_count; i++)
        if (!space_change(own, cli->arguments[i]))
            code = cli_fail(CLI_USAGE, cli->command->example, "\"%s\" is no NAME=VALUE",
                            cli->arguments[i]);
    text = own ? json_dumps(own, JSON_COMPACT) : NULL;
    if (code == CLI_DONE && text) {
        request.body = slice_text(text);
        code = cli_change(cli, &request, "set");
    }
    free(text);
    json_decref(own);
    return code;
}
