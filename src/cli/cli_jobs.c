/* cli_jobs.c: long work of the cluster: what moves, how far it is, how long it still takes. */
#include "cli_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BAR_WIDTH 24
#define WATCH_TERMINAL_S 1
#define WATCH_LINES_S 10

/* 12.3 MiB; "-" for what is not known. */
static const char *jobs_size(const json_t *value, char room[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double size = json_number_value(value);
    unsigned unit = 0;

    while (size >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        size /= 1024;
        unit++;
    }
    if (json_is_number(value))
        snprintf(room, 32, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
    else
        snprintf(room, 32, "-");
    return room;
}

static const char *jobs_time(const json_t *value, char room[32])
{
    long long s = json_integer_value(value);

    if (!json_is_integer(value))
        snprintf(room, 32, "-");
    else if (s < 120)
        snprintf(room, 32, "%lld s", s);
    else if (s < 7200)
        snprintf(room, 32, "%lld min", s / 60);
    else
        snprintf(room, 32, "%lld h", s / 3600);
    return room;
}

static int jobs_table(const json_t *jobs)
{
    static const struct cli_column columns[] = {
        {"JOB", "id", false},   {"STATE", "state", false}, {"OF", "of", false},
        {"DONE", "done", true}, {"TOTAL", "total", true},  {"RATE", "rate", true},
        {"LEFT", "left", true},
    };
    json_t *rows = json_array(), *job;
    size_t at;
    int code;

    json_array_foreach((json_t *)(uintptr_t)jobs, at, job)
    {
        char room[4][32], rate[40];

        snprintf(rate, sizeof(rate), "%s/s", jobs_size(json_object_get(job, "rate"), room[0]));
        json_array_append_new(
            rows,
            json_pack("{s:O,s:O,s:O,s:s,s:s,s:s,s:s}", "id", json_object_get(job, "id"), "state",
                      json_object_get(job, "state"), "of", json_object_get(job, "of"), "done",
                      jobs_size(json_object_get(job, "done"), room[1]), "total",
                      jobs_size(json_object_get(job, "total"), room[2]), "rate", rate, "left",
                      jobs_time(json_object_get(job, "eta_s"), room[3])));
    }
    code = cli_table(rows, columns, sizeof(columns) / sizeof(columns[0]));
    json_decref(rows);
    return code;
}

/* One line: a bar, what is done, rate and time left. */
static void jobs_bar(const json_t *job, bool is_terminal)
{
    static const char full[] = "########################", none[] = "                        ";
    const json_t *partitions = json_object_get(job, "partitions");
    long long done = json_integer_value(json_object_get(partitions, "done"));
    long long total = json_integer_value(json_object_get(partitions, "total"));
    int filled = total > 0 ? (int)(done * BAR_WIDTH / total) : 0;
    char room[5][32];

    fprintf(stderr, "%-24s [%.*s%.*s] %s / %s  %s/s  %s left  (%s)%s\n",
            cli_text(job, "id", room[0]), filled, full, BAR_WIDTH - filled, none,
            jobs_size(json_object_get(job, "done"), room[1]),
            jobs_size(json_object_get(job, "total"), room[2]),
            jobs_size(json_object_get(job, "rate"), room[3]),
            jobs_time(json_object_get(job, "eta_s"), room[4]),
            json_string_value(json_object_get(job, "state")), is_terminal ? "\033[K" : "");
}

/* Until nothing is left: on a terminal the lines are drawn over each second. */
static int jobs_watch(struct cli *cli)
{
    bool is_terminal = isatty(STDERR_FILENO);
    size_t lines = 0, at;

    for (;;) {
        struct cli_reply reply;
        json_t *json = NULL, *jobs, *job;
        int code = cli_get_json(cli, "/v1/jobs", &json, &reply);

        if (code == CLI_DONE && cli->is_json)
            (void)cli_put_body(&reply);
        jobs = json_object_get(json, "jobs");
        if (is_terminal && lines > 0)
            fprintf(stderr, "\033[%zuA\033[J", lines);
        lines = cli->is_json ? 0 : json_array_size(jobs);
        for (at = 0; at < lines && (job = json_array_get(jobs, at)) != NULL; at++)
            jobs_bar(job, is_terminal);
        at = json_array_size(jobs);
        json_decref(json);
        cli_reply_close(&reply);
        if (code != CLI_DONE || at == 0)
            return code;
        sleep(is_terminal ? WATCH_TERMINAL_S : WATCH_LINES_S);
    }
}

int cli_jobs(struct cli *cli)
{
    struct cli_reply reply;
    json_t *json = NULL;
    int code;

    if (cli->options[OPTION_WATCH])
        return jobs_watch(cli);
    code = cli_get_json(cli, "/v1/jobs", &json, &reply);
    if (code == CLI_DONE && cli->is_json)
        code = cli_put_body(&reply);
    else if (code == CLI_DONE)
        code = jobs_table(json_object_get(json, "jobs"));
    if (json_integer_value(json_object_get(json, "peers_silent")) > 0)
        fprintf(stderr, "%lld peers did not answer\n",
                (long long)json_integer_value(json_object_get(json, "peers_silent")));
    json_decref(json);
    cli_reply_close(&reply);
    return code;
}

int cli_weight(struct cli *cli)
{
    char path[CLI_URL_MAX], body[64], *end;
    struct cli_request request = {.method = "PUT", .path = path, .type = "application/json"};
    double weight = strtod(cli->arguments[1], &end);

    if (*end || end == cli->arguments[1] || weight < 0 || weight > 64)
        return cli_fail(CLI_USAGE, cli->command->example, "\"%s\" is no weight from 0 to 64",
                        cli->arguments[1]);
    if (strlen(cli->arguments[0]) > 64 || strpbrk(cli->arguments[0], "/?#% "))
        return cli_fail(CLI_USAGE, cli->command->example, "\"%s\" is no peer", cli->arguments[0]);
    (void)snprintf(path, sizeof(path), "/v1/members/%s/weight", cli->arguments[0]);
    (void)snprintf(body, sizeof(body), "{\"weight\":%.10g}", weight);
    request.body = slice_text(body);
    return cli_change(cli, &request, "weighing: data moves, see gossamer jobs");
}

int cli_ring_preview(struct cli *cli)
{
    static const struct cli_column columns[] = {{"FROM", "from", false},
                                                {"TO", "to", false},
                                                {"PARTITIONS", "partitions", true},
                                                {"BYTES", "bytes", true}};
    char path[CLI_URL_MAX] = "/v1/ring/preview?", size[32];
    struct writer out = writer_over((uint8_t *)path, sizeof(path) - 1);
    struct cli_reply reply;
    json_t *json = NULL;
    int code;

    out.size = strlen(path);
    for (unsigned i = 0; i < cli->argument_count; i++) {
        size_t name = strcspn(cli->arguments[i], "=");

        if (i > 0)
            write_u8(&out, '&');
        write_bytes(&out, cli->arguments[i], name);
        write_u8(&out, '=');
        cli_escape(&out, slice_text(cli->arguments[i] + name + (cli->arguments[i][name] != 0)),
                   false);
    }
    path[out.size] = 0;
    code = cli_get_json(cli, path, &json, &reply);
    if (code == CLI_DONE && cli->is_json) {
        code = cli_put_body(&reply);
    } else if (code == CLI_DONE) {
        code = cli_table(json_object_get(json, "moves"), columns,
                         sizeof(columns) / sizeof(columns[0]));
        printf("%s would move, %.1f %% of all copies\n",
               jobs_size(json_object_get(json, "bytes"), size),
               100 * json_number_value(json_object_get(json, "share")));
    }
    json_decref(json);
    cli_reply_close(&reply);
    return code;
}
