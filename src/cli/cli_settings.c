/* cli_settings.c: settings of namespaces in an archive. A backup takes them before the rows, and a
 * restore sets them before the rows: a namespace gets its replicas while it is empty, and values
 * without a life of their own get it where they are written, not where they are restored. What a
 * cluster has set for itself stays, as data newer than the archive does; --replace takes the
 * archive's.
 *
 *   SETTINGS block: [{"namespace": NAME, "settings": {what it sets}}, ...] */
#include "cli_backup.h"

#include <stdio.h>
#include <stdlib.h>

#define SPACE_DEFAULT "_default"

/* The list of the cluster, an array. NULL: told already. */
static json_t *settings_list(const struct cli *cli, int *code)
{
    struct cli_reply reply;
    json_t *json = NULL, *list;

    *code = cli_get_json(cli, "/v1/namespaces", &json, &reply);
    list = json_incref(json_object_get(json, "namespaces"));
    json_decref(json);
    cli_reply_close(&reply);
    if (*code == CLI_DONE && !json_is_array(list))
        *code = cli_fail(CLI_FAILURE, "is this address a Gossamer peer?",
                         "the answer is no list of namespaces");
    return list;
}

static bool settings_are_of(const json_t *space, const char *ns)
{
    const char *name = json_string_value(json_object_get(space, "namespace"));

    return name && (!ns || strcmp(name, ns) == 0);
}

/* Adds what a namespace sets, if it sets anything. */
static void settings_keep(json_t *kept, const json_t *space)
{
    json_t *own = cli_space_own(space);

    if (json_object_size(own) > 0)
        json_array_append_new(kept,
                              json_pack("{s:O, s:O}", "namespace",
                                        json_object_get(space, "namespace"), "settings", own));
    json_decref(own);
}

int cli_settings_put(const struct cli *cli, struct archive *archive)
{
    json_t *kept = json_array(), *list, *space;
    char *text = NULL;
    size_t at;
    int code;

    list = settings_list(cli, &code);
    json_array_foreach(list, at, space)
    {
        if (settings_are_of(space, cli->options[OPTION_NS]))
            settings_keep(kept, space);
    }
    if (code == CLI_DONE && json_array_size(kept) > 0)
        text = json_dumps(kept, JSON_COMPACT);
    if (text && !archive_put(archive, ARCHIVE_SETTINGS, slice_text(text)))
        code = cli_fail(CLI_FAILURE, NULL, "%s", archive->trouble);
    free(text);
    json_decref(kept);
    json_decref(list);
    return code;
}

/* --- setting them */

static int settings_send(const struct cli *cli, const char *name, json_t *own, long *status)
{
    char path[CLI_URL_MAX], *text = json_dumps(own, JSON_COMPACT);
    struct cli_request request = {.method = "PUT", .path = path, .type = "application/json"};
    struct cli_reply reply;
    int code = text ? cli_space_path(name, path) : CLI_FAILURE;

    *status = 0;
    if (code == CLI_DONE) {
        request.body = slice_text(text);
        code = cli_ask(cli, &request, &reply);
        *status = reply.status;
        if (code == CLI_DONE && *status >= 400 && *status != 409)
            code = cli_problem(cli, &reply);
        cli_reply_close(&reply);
    }
    free(text);
    return code;
}

/* One namespace. Replicas are its own; there may be keys already, and then they are what they are.
 * The number of a whole cluster is fixed where that was founded. */
static int settings_set(const struct cli *cli, const json_t *space)
{
    const char *name = json_string_value(json_object_get(space, "namespace"));
    json_t *own = json_deep_copy(json_object_get(space, "settings"));
    long status = 0;
    int code = CLI_DONE;

    if (!name || !json_is_object(own)) {
        json_decref(own);
        return cli_fail(CLI_FAILURE, NULL, "the archive's settings are none");
    }
    if (strcmp(name, SPACE_DEFAULT) == 0)
        json_object_del(own, "replicas");
    code = settings_send(cli, name, own, &status);
    if (code == CLI_DONE && status == 409) {
        fprintf(stderr, "note: there are keys in %s, so its replicas stay what they are\n", name);
        json_object_del(own, "replicas");
        code = settings_send(cli, name, own, &status);
    }
    if (code == CLI_DONE && status == 409)
        code = cli_fail(CLI_FAILURE, "gossamer namespaces list", "%s cannot have settings", name);
    json_decref(own);
    return code;
}

/* Tells whether the cluster's own settings of this name stay; says so if they are others. */
static bool settings_stay(const struct cli *cli, const json_t *list, const json_t *wanted)
{
    const char *name = json_string_value(json_object_get(wanted, "namespace"));
    bool stay = false, are_equal = false;
    const json_t *space;
    size_t at;

    json_array_foreach(list, at, space)
    {
        json_t *own = cli_space_own(space);

        if (settings_are_of(space, name)) {
            stay = json_object_size(own) > 0 && !cli->options[OPTION_REPLACE];
            are_equal = json_equal(own, json_object_get(wanted, "settings"));
        }
        json_decref(own);
    }
    if (stay && !are_equal)
        fprintf(stderr,
                "note: the settings of %s stay as they are (--replace takes the archive's)\n",
                name);
    return stay || are_equal;
}

int cli_settings_set(const struct cli *cli, struct slice text)
{
    json_t *wanted = json_loadb((const char *)text.data, text.size, 0, NULL), *list, *space;
    size_t at;
    int code;

    list = settings_list(cli, &code);
    json_array_foreach(wanted, at, space)
    {
        if (code == CLI_DONE && settings_are_of(space, cli->options[OPTION_NS]) &&
            !settings_stay(cli, list, space))
            code = settings_set(cli, space);
    }
    json_decref(wanted);
    json_decref(list);
    return code;
}
