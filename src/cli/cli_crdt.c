/* cli_crdt.c: keys of CRDT types: counters, sets, maps, flags, registers, sketches. A command makes
 * one update as JSON; what a key holds is shown as plain text, or as the body of the API. */
#include "cli_room.h"

#include <stdio.h>
#include <stdlib.h>

/* /v1/crdt/NS/KEY, a query behind it. */
static int crdt_path(const struct cli *cli, const char *query, char path[CLI_URL_MAX])
{
    struct writer out = writer_over(path, CLI_URL_MAX - 1);
    struct slice ns, key;
    const char *consistency = cli->options[OPTION_CONSISTENCY];

    if (!cli_split_key(cli->arguments[0], &ns, &key))
        return cli_fail(CLI_USAGE, cli->command->example, "\"%s\" is no NS/KEY", cli->arguments[0]);
    write_slice(&out, slice_text("/v1/crdt/"));
    cli_escape(&out, ns, false);
    write_u8(&out, '/');
    cli_escape(&out, key, true);
    if (query)
        write_slice(&out, slice_text(query));
    if (consistency) {
        write_slice(&out, slice_text(query ? "&consistency=" : "?consistency="));
        cli_escape(&out, slice_text(consistency), false);
    }
    if (out.is_full)
        return cli_fail(CLI_USAGE, NULL, "the key is too long");
    path[out.size] = 0;
    return CLI_DONE;
}

/* --- showing */

static void crdt_show_line(const json_t *value)
{
    char *text;

    if (json_is_string(value)) {
        printf("%s\n", json_string_value(value));
        return;
    }
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    printf("%s\n", text ? text : "");
    free(text);
}

/* A list is shown a line each, a map as FIELD<tab>VALUE. */
static void crdt_show(const json_t *value)
{
    const char *field;
    json_t *item;
    size_t i;

    if (json_is_array(value)) {
        json_array_foreach(value, i, item) crdt_show_line(item);
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, field, item)
        {
            printf("%s\t", field);
            crdt_show_line(item);
        }
    } else {
        crdt_show_line(value);
    }
}

/* Page by page; `next` lives in the page before. */
static int crdt_pages(struct cli *cli)
{
    char query[6000] = "", path[CLI_URL_MAX];
    int code = CLI_DONE;
    bool goes_on = true;

    while (code == CLI_DONE && goes_on) {
        struct cli_reply reply = {0};
        json_t *page = NULL;
        const char *next;

        code = crdt_path(cli, query[0] ? query : NULL, path);
        if (code == CLI_DONE)
            code = cli_get_json(cli, path, &page, &reply);
        if (code == CLI_DONE && cli->is_json)
            code = cli_put_body(&reply);
        else if (code == CLI_DONE)
            crdt_show(json_object_get(page, "value"));
        next = json_string_value(json_object_get(page, "next"));
        goes_on = next != NULL && !cli->is_json;
        if (goes_on)
            snprintf(query, sizeof(query), "?next=%s", next); /* base64url */
        json_decref(page);
        cli_reply_close(&reply);
    }
    return code;
}

int cli_crdt_get(struct cli *cli)
{
    return crdt_pages(cli);
}

/* --- changing */

/* Sends one update and gives `update` back. */
static int crdt_update(struct cli *cli, json_t *update)
{
    char *text = json_dumps(update, JSON_COMPACT), path[CLI_URL_MAX];
    struct cli_request request = {
        .method = "POST", .type = "application/json", .context = cli->options[OPTION_CONTEXT]};
    struct cli_reply reply = {0};
    int code = crdt_path(cli, cli->is_json ? "?return=body" : NULL, path);

    json_decref(update);
    if (code == CLI_DONE && !text)
        code = cli_fail(CLI_USAGE, NULL, "an argument is no UTF-8");
    if (code == CLI_DONE) {
        request.path = path;
        request.body = slice_text(text);
        code = cli_ask(cli, &request, &reply);
    }
    if (code == CLI_DONE && reply.status >= 400)
        code = cli_problem(cli, &reply);
    else if (code == CLI_DONE && cli->is_json)
        code = cli_put_body(&reply);
    else if (code == CLI_DONE)
        fprintf(stderr, "updated %s (%s)\n", cli->arguments[0], reply.route);
    cli_reply_close(&reply);
    free(text);
    return code;
}

/* The arguments from `first` on, as a list. */
static json_t *crdt_list(const struct cli *cli, unsigned first)
{
    json_t *list = json_array();

    for (unsigned i = first; i < cli->argument_count; i++)
        json_array_append_new(list, json_string(cli->arguments[i]));
    return list;
}

int cli_crdt_incr(struct cli *cli)
{
    const char *text = cli->argument_count > 1 ? cli->arguments[1] : "1";
    bool is_negative = text[0] == '-';
    unsigned long number;

    if (!cli_number(text + is_negative, INT64_MAX, &number))
        return cli_fail(CLI_USAGE, cli->command->example, "\"%s\" is no whole number", text);
    return crdt_update(cli, json_pack("{s:{s:I}}", "counter", "add",
                                      is_negative ? -(json_int_t)number : (json_int_t)number));
}

int cli_crdt_sadd(struct cli *cli)
{
    return crdt_update(cli, json_pack("{s:{s:o}}", "set", "add", crdt_list(cli, 1)));
}

int cli_crdt_srem(struct cli *cli)
{
    return crdt_update(cli, json_pack("{s:{s:o}}", "set", "remove", crdt_list(cli, 1)));
}

int cli_crdt_hset(struct cli *cli)
{
    return crdt_update(cli, json_pack("{s:{s:{s:{s:{s:s}}}}}", "map", "update", cli->arguments[1],
                                      "register", "set", cli->arguments[2]));
}

int cli_crdt_hdel(struct cli *cli)
{
    return crdt_update(cli, json_pack("{s:{s:o}}", "map", "remove", crdt_list(cli, 1)));
}

int cli_crdt_flag(struct cli *cli)
{
    bool is_true = strcmp(cli->arguments[1], "true") == 0;

    if (!is_true && strcmp(cli->arguments[1], "false") != 0)
        return cli_fail(CLI_USAGE, cli->command->example, "a flag is true or false");
    return crdt_update(cli, json_pack("{s:b}", "flag", is_true));
}

int cli_crdt_set(struct cli *cli)
{
    return crdt_update(cli, json_pack("{s:{s:s}}", "register", "set", cli->arguments[1]));
}

int cli_crdt_observe(struct cli *cli)
{
    return crdt_update(cli, json_pack("{s:{s:o}}", "hll", "add", crdt_list(cli, 1)));
}

int cli_crdt_del(struct cli *cli)
{
    struct cli_request request = {.method = "DELETE", .context = cli->options[OPTION_CONTEXT]};
    struct cli_reply reply = {0};
    char path[CLI_URL_MAX];
    int code = crdt_path(cli, NULL, path);

    if (code == CLI_DONE) {
        request.path = path;
        code = cli_ask(cli, &request, &reply);
    }
    if (code == CLI_DONE && reply.status >= 400)
        code = cli_problem(cli, &reply);
    else if (code == CLI_DONE)
        fprintf(stderr, "deleted %s (%s)\n", cli->arguments[0], reply.route);
    cli_reply_close(&reply);
    return code;
}
