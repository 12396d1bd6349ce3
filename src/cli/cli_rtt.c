/* cli_rtt.c: round trips between peers. Each peer knows its own from its probes, so each is asked
 * through the address that it tells for HTTP. */
#include "cli_room.h"

#include <stdio.h>
#include <string.h>

/* What one peer knows; NULL when it does not answer. The caller owns it. */
static json_t *rtt_ask(const struct cli *cli, const char *http)
{
    struct cli asked = *cli;
    struct cli_reply reply;
    char address[128];
    json_t *json = NULL;

    snprintf(address, sizeof(address), "http://%s", http);
    asked.addresses = address;
    (void)cli_get_json(&asked, "/v1/rtt", &json, &reply);
    cli_reply_close(&reply);
    return json;
}

/* One row per pair, of all peers that are not known to be gone. */
static json_t *rtt_rows(const struct cli *cli, const json_t *members)
{
    json_t *rows = json_array(), *member, *row;
    size_t at, i;

    json_array_foreach((json_t *)(uintptr_t)members, at, member)
    {
        const char *http = json_string_value(json_object_get(member, "http"));
        const char *state = json_string_value(json_object_get(member, "state"));
        json_t *known;

        if (!http || !state || strcmp(state, "alive") != 0)
            continue;
        known = rtt_ask(cli, http);
        json_array_foreach(json_object_get(known, "to"), i, row)
        {
            json_object_set(row, "from", json_object_get(known, "peer"));
            json_array_append(rows, row);
        }
        json_decref(known);
    }
    return rows;
}

int cli_rtt(struct cli *cli)
{
    static const struct cli_column columns[] = {{"FROM", "from", false},
                                                {"TO", "peer", false},
                                                {"RTT MS", "rtt_ms", true},
                                                {"DEVIATION MS", "deviation_ms", true}};
    struct cli_reply reply;
    json_t *json = NULL, *rows;
    int code = cli_get_json(cli, "/v1/members", &json, &reply);

    cli_reply_close(&reply);
    if (code != CLI_DONE)
        return code;
    rows = rtt_rows(cli, json_object_get(json, "members"));
    if (cli->is_json)
        code =
            json_dumpf(rows, stdout, JSON_COMPACT) == 0 && putchar('\n') ? CLI_DONE : CLI_FAILURE;
    else
        code = cli_table(rows, columns, sizeof(columns) / sizeof(columns[0]));
    json_decref(rows);
    json_decref(json);
    return code;
}
