/* cli_kv.c: one key: get, put, delete; and lists of keys. */
#include "cli_room.h"

#include <stdio.h>

/* Appends ?name=value, or &name=value behind another one, if the option was given. */
static void kv_param(struct writer *out, const char *name, const char *value, bool *is_first)
{
    if (!value)
        return;
    write_u8(out, *is_first ? '?' : '&');
    write_slice(out, slice_text(name));
    write_u8(out, '=');
    cli_escape(out, slice_text(value), false);
    *is_first = false;
}

/* /v1/kv/NS/KEY, with what was asked for. */
static int kv_path(const struct cli *cli, char path[CLI_URL_MAX])
{
    struct writer out = writer_over(path, CLI_URL_MAX - 1);
    struct slice ns, key;
    bool is_first = true;

    if (!cli_split_key(cli->arguments[0], &ns, &key))
        return cli_fail(CLI_USAGE, cli->command->example, "\"%s\" is no NS/KEY", cli->arguments[0]);
    write_slice(&out, slice_text("/v1/kv/"));
    cli_escape(&out, ns, false);
    write_u8(&out, '/');
    cli_escape(&out, key, true);
    kv_param(&out, "consistency", cli->options[OPTION_CONSISTENCY], &is_first);
    kv_param(&out, "ttl", cli->options[OPTION_TTL], &is_first);
    if (out.is_full)
        return cli_fail(CLI_USAGE, NULL, "the key is too long");
    path[out.size] = 0;
    return CLI_DONE;
}

/* Sends and tells problems; what a good answer means is the caller's. */
static int kv_ask(const struct cli *cli, struct cli_request *request, struct cli_reply *reply)
{
    char path[CLI_URL_MAX];
    int code = kv_path(cli, path);

    memset(reply, 0, sizeof(*reply));
    if (code != CLI_DONE)
        return code;
    request->path = path;
    request->context = cli->options[OPTION_CONTEXT];
    code = cli_ask(cli, request, reply);
    request->path = NULL;
    if (code == CLI_DONE && reply->status >= 400)
        code = cli_problem(cli, reply);
    return code;
}

int cli_kv_get(struct cli *cli)
{
    struct cli_request request = {.method = "GET"};
    struct cli_reply reply;
    int code = kv_ask(cli, &request, &reply);

    if (code == CLI_DONE && reply.body.size &&
        fwrite(reply.body.data, 1, reply.body.size, stdout) != reply.body.size)
        code = cli_fail(CLI_FAILURE, NULL, "cannot write the value");
    if (code == CLI_DONE && reply.siblings[0])
        fprintf(stderr,
                "note: %s concurrent values; this is the newest. All of them: "
                "gossamer curl '/v1/kv/%s?siblings=all'\n",
                reply.siblings, cli->arguments[0]);
    cli_reply_close(&reply);
    return code;
}

static int kv_written(const struct cli *cli, struct cli_request *request, const char *done)
{
    struct cli_reply reply;
    int code = kv_ask(cli, request, &reply);

    if (code == CLI_DONE && cli->is_json && reply.body.size)
        code = cli_put_body(&reply);
    else if (code == CLI_DONE)
        fprintf(stderr, "%s %s (%s)\n", reply.status == 201 ? "created" : done, cli->arguments[0],
                reply.route);
    cli_reply_close(&reply);
    return code;
}

int cli_kv_put(struct cli *cli)
{
    const char *value = cli->argument_count > 1 ? cli->arguments[1] : "-";
    struct cli_request request = {.method = "PUT", .type = "application/octet-stream"};
    struct buffer file;
    int code;

    buffer_init(&file, CLI_BODY_MAX);
    if (strcmp(value, "-") != 0 && value[0] != '@') {
        request.body = slice_text(value);
        request.type = "text/plain; charset=utf-8";
    } else if (cli_read_file(value[0] == '@' ? value + 1 : "-", &file)) {
        request.body = slice_of(file.data, file.size);
    } else {
        buffer_close(&file);
        return CLI_FAILURE;
    }
    code = kv_written(cli, &request, "replaced");
    buffer_close(&file);
    return code;
}

int cli_kv_del(struct cli *cli)
{
    struct cli_request request = {.method = "DELETE"};

    return kv_written(cli, &request, "deleted");
}

/* --- lists */

static int ls_path(const struct cli *cli, unsigned long limit, const char *next,
                   char path[CLI_URL_MAX])
{
    struct writer out = writer_over(path, CLI_URL_MAX - 1);
    struct slice ns = slice_text(cli->arguments[0]), prefix;
    char number[40];

    write_slice(&out, slice_text("/v1/kv/"));
    if (!cli_split_key(cli->arguments[0], &ns, &prefix)) {
        ns.size = strcspn(cli->arguments[0], "/");
        prefix = SLICE_NONE;
    }
    cli_escape(&out, ns, false);
    snprintf(number, sizeof(number), "?limit=%lu", limit < 1000 ? limit : 1000);
    write_slice(&out, slice_text(number));
    if (prefix.size) {
        write_slice(&out, slice_text("&prefix="));
        cli_escape(&out, prefix, false);
    }
    if (next) {
        write_slice(&out, slice_text("&next="));
        cli_escape(&out, slice_text(next), false);
    }
    if (cli->options[OPTION_CONSISTENCY]) {
        write_slice(&out, slice_text("&consistency="));
        cli_escape(&out, slice_text(cli->options[OPTION_CONSISTENCY]), false);
    }
    if (out.is_full)
        return cli_fail(CLI_USAGE, NULL, "the prefix is too long");
    path[out.size] = 0;
    return CLI_DONE;
}

/* Asks page by page; every page is parsed into one array, or shown as it came. */
static int ls_pages(struct cli *cli, unsigned long limit, json_t *items)
{
    char path[CLI_URL_MAX], next[4096];
    bool has_next = false;
    int code;

    do {
        unsigned long left = limit - json_array_size(items);
        struct cli_reply reply = {0};
        json_t *page = NULL;
        const char *text;

        code = ls_path(cli, left, has_next ? next : NULL, path);
        if (code == CLI_DONE)
            code = cli_get_json(cli, path, &page, &reply);
        if (code == CLI_DONE && cli->is_json)
            code = cli_put_body(&reply);
        json_array_extend(items, json_object_get(page, "items"));
        text = json_string_value(json_object_get(page, "next"));
        has_next = text != NULL && json_array_size(items) < limit;
        snprintf(next, sizeof(next), "%s", text ? text : "");
        json_decref(page);
        cli_reply_close(&reply);
    } while (code == CLI_DONE && has_next && !cli->is_json);
    if (code == CLI_DONE && next[0] && !cli->is_json)
        fprintf(stderr, "note: more keys follow; see --limit\n");
    return code;
}

int cli_kv_ls(struct cli *cli)
{
    static const struct cli_column columns[] = {
        {"KEY", "key", false},
        {"SIZE", "size", true},
        {"MODIFIED", "modified", false},
        {"SIBLINGS", "siblings", true},
    };
    unsigned long limit = 100000;
    json_t *items;
    int code;

    if (cli->options[OPTION_LIMIT] &&
        (!cli_number(cli->options[OPTION_LIMIT], 10000000, &limit) || limit == 0))
        return cli_fail(CLI_USAGE, "such as --limit 100", "\"%s\" is no number",
                        cli->options[OPTION_LIMIT]);
    items = json_array();
    code = ls_pages(cli, limit, items);
    if (code == CLI_DONE && !cli->is_json)
        code = cli_table(items, columns, 4);
    json_decref(items);
    return code;
}
