/* cli_show.c: what the cluster looks like. With -o json the answer is shown as it came. */
#include "cli_room.h"

#include <stdio.h>
#include <time.h>

static const struct cli_column member_columns[] = {
    {"NAME", "name", false},  {"STATE", "state", false},     {"PLACE", "place", false},
    {"MESH", "mesh", false},  {"HTTP", "http", false},       {"HOST", "host", false},
    {"ZONE", "zone", false},  {"RTT MS", "rtt_ms", true},    {"HINTS", "hints", true},
    {"LAG S", "lag_s", true}, {"BLOCKED", "blocked", false},
};
#define COLUMNS(table) table, sizeof(table) / sizeof((table)[0])

/* Asks, and either shows the body (json) or leaves the parsed answer in `json`. */
static int show(struct cli *cli, const char *path, json_t **json)
{
    struct cli_reply reply;
    int code = cli_get_json(cli, path, json, &reply);

    if (code == CLI_DONE && cli->is_json) {
        code = cli_put_body(&reply);
        json_decref(*json);
        *json = NULL;
    }
    cli_reply_close(&reply);
    return code;
}

int cli_members(struct cli *cli)
{
    json_t *json;
    int code = show(cli, "/v1/members", &json);

    if (json)
        code = cli_table(json_object_get(json, "members"), COLUMNS(member_columns));
    json_decref(json);
    return code;
}

static void status_numbers(const json_t *json)
{
    const json_t *members = json_object_get(json, "members");
    const json_t *partitions = json_object_get(json, "partitions");
    const json_t *tombstones = json_object_get(json, "tombstones");
    const json_t *hints = json_object_get(json, "hints");
    const json_t *scrub = json_object_get(json, "scrub");
    char room[4][32];

    printf("%s\n\n", cli_text(json, "health", room[0]));
    printf("members     %s alive, %s suspect, %s dead, %s left\n",
           cli_text(members, "alive", room[0]), cli_text(members, "suspect", room[1]),
           cli_text(members, "dead", room[2]), cli_text(members, "left", room[3]));
    printf("partitions  %s, %s moving, %s with too few owners, %s unavailable\n",
           cli_text(partitions, "total", room[0]), cli_text(partitions, "moving", room[1]),
           cli_text(partitions, "under_replicated", room[2]),
           cli_text(partitions, "unavailable", room[3]));
    if (json_integer_value(json_object_get(tombstones, "count")) > 0)
        printf("tombstones  %s wait to be collected%s%s\n", cli_text(tombstones, "count", room[0]),
               json_is_string(json_object_get(tombstones, "waiting_for")) ? ", for " : "",
               json_is_string(json_object_get(tombstones, "waiting_for"))
                   ? cli_text(tombstones, "waiting_for", room[1])
                   : "");
    printf("replicas    %s; %s partitions differed when last compared, all compared within %s s\n",
           cli_text(json, "replicas", room[0]), cli_text(partitions, "differing", room[1]),
           cli_text(partitions, "compared_s", room[2]));
    printf("divergence  %s partitions, %s keys with several values\n",
           cli_text(partitions, "diverged", room[0]), cli_text(json, "siblings", room[1]));
    if (json_integer_value(json_object_get(hints, "pending")) > 0)
        printf(
            "hints       %s rows are kept for owners that lack them, most for %s, the oldest for "
            "%s s\n",
            cli_text(hints, "pending", room[0]), cli_text(hints, "waiting_for", room[1]),
            cli_text(hints, "lag_s", room[2]));
    if (scrub)
        printf("scrub       every row verified within %s s, %s damaged, %s replaced, %s wait\n",
               cli_text(scrub, "age_s", room[0]), cli_text(scrub, "corrupt", room[1]),
               cli_text(scrub, "repaired", room[2]), cli_text(scrub, "quarantined", room[3]));
}

/* Who is dead or given up: that peer's share is missing until somebody takes it over. */
static void status_away(const json_t *json)
{
    const json_t *forgetting = json_object_get(json, "forgetting");
    char room[2][32];
    json_t *name;
    size_t at;

    if (json_array_size(json_object_get(json, "away")) == 0)
        return;
    printf("away        ");
    json_array_foreach(json_object_get(json, "away"), at, name)
        printf("%s%s", at ? ", " : "", json_string_value(name));
    if (json_is_object(forgetting))
        printf("; %s waits for %s", cli_text(forgetting, "peer", room[0]),
               cli_text(forgetting, "waits_for", room[1]));
    printf(" (gossamer forget PEER)\n");
}

static void status_warnings(const json_t *json)
{
    size_t at;
    json_t *warning;

    json_array_foreach(json_object_get(json, "warnings"), at, warning)
    {
        char room[2][32];

        printf("\nwarning: %s\n   next: %s\n", cli_text(warning, "text", room[0]),
               cli_text(warning, "next", room[1]));
    }
}

int cli_status(struct cli *cli)
{
    json_t *json, *members;
    int code = show(cli, "/v1/cluster", &json);

    if (!json)
        return code;
    status_numbers(json);
    status_away(json);
    status_warnings(json);
    json_decref(json);
    putchar('\n');
    code = show(cli, "/v1/members", &members);
    if (members)
        code = cli_table(json_object_get(members, "members"), COLUMNS(member_columns));
    json_decref(members);
    return code;
}

int cli_health(struct cli *cli)
{
    struct cli_request request = {.method = "GET", .path = "/readyz?verbose=true"};
    struct cli_reply reply;
    struct cli quiet = *cli;
    double until = cli_now_s();
    long wait_ms = 0;
    int code;

    if (cli->options[OPTION_WAIT] && !cli_duration_ms(cli->options[OPTION_WAIT], &wait_ms))
        return cli_fail(CLI_USAGE, "such as 30s", "\"%s\" is no duration",
                        cli->options[OPTION_WAIT]);
    until += (double)wait_ms / 1000;
    for (;;) {
        bool is_over = cli_now_s() >= until;

        code = cli_ask(&quiet, &request, &reply);
        if (code == CLI_DONE && (reply.status == 200 || is_over))
            (void)cli_put_body(&reply);
        code = code == CLI_DONE && reply.status == 200 ? CLI_DONE : CLI_FAILURE;
        cli_reply_close(&reply);
        if (code == CLI_DONE || is_over)
            return code;
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    }
}

int cli_version(struct cli *cli)
{
    struct cli_request request = {.method = "GET", .path = "/version"};
    struct cli_reply reply;
    int code;

    if (!cli->is_json)
        printf("gossamer %s\n", GOSSAMER_VERSION);
    fflush(stdout);
    code = cli_ask(cli, &request, &reply);
    if (code == CLI_DONE)
        code = reply.status < 400 ? cli_put_body(&reply) : cli_problem(cli, &reply);
    cli_reply_close(&reply);
    return cli->is_json ? code : CLI_DONE; /* our own version was shown in any case */
}

/* --- lookups */

static int lookup_path(const struct cli *cli, const char *route, char path[CLI_URL_MAX])
{
    struct writer out = writer_over(path, CLI_URL_MAX - 1);
    struct slice ns, key;

    if (!cli_split_key(cli->arguments[0], &ns, &key))
        return cli_fail(CLI_USAGE, cli->command->example, "\"%s\" is no NS/KEY", cli->arguments[0]);
    write_slice(&out, slice_text(route));
    write_slice(&out, slice_text("?ns="));
    cli_escape(&out, ns, false);
    write_slice(&out, slice_text("&key="));
    cli_escape(&out, key, false);
    if (cli->options[OPTION_VERIFY])
        write_slice(&out, slice_text("&verify=true"));
    if (out.is_full)
        return cli_fail(CLI_USAGE, NULL, "the key is too long");
    path[out.size] = 0;
    return CLI_DONE;
}

int cli_ring_lookup(struct cli *cli)
{
    static const struct cli_column columns[] = {
        {"RANK", "rank", true},      {"PEER", "peer", false},     {"STATE", "state", false},
        {"BASE", "base", false},     {"TARGET", "target", false}, {"ETAG", "etag", false},
        {"ANSWER", "answer", false}, {"HINTS", "hints", true},
    };
    unsigned count = cli->options[OPTION_VERIFY] ? 7 : 5;
    char path[CLI_URL_MAX], room[32];
    int code = lookup_path(cli, "/v1/ring/lookup", path);
    json_t *json = NULL;

    if (code == CLI_DONE)
        code = show(cli, path, &json);
    if (!json)
        return code;
    printf("partition %s", cli_text(json, "partition", room));
    printf(", ring version %s\n", cli_text(json, "ring_version", room));
    code = cli_table(json_object_get(json, "owners"), columns, count);
    if (cli->options[OPTION_VERIFY])
        printf("owners agree: %s\n", cli_text(json, "agree", room));
    json_decref(json);
    return code;
}

int cli_overlay_lookup(struct cli *cli)
{
    static const struct cli_column columns[] = {
        {"ADDRESS", "address", false},   {"PREFIX BITS", "prefix_bits", true},
        {"RTT MS", "rtt_ms", true},      {"CONTACTS", "contacts", true},
        {"ANSWERED", "answered", false}, {"ID", "id", false},
    };
    char path[CLI_URL_MAX];
    int code = lookup_path(cli, "/v1/overlay/lookup", path);
    json_t *json = NULL;

    if (code == CLI_DONE)
        code = show(cli, path, &json);
    if (json)
        code = cli_table(json_object_get(json, "steps"), COLUMNS(columns));
    json_decref(json);
    return code;
}
