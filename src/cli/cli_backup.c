/* cli_backup.c: everything a cluster holds, or one namespace of it, into a file, page by page
 * through any peer. A page that cannot be read at a quorum is asked for again, through the next
 * address if there are several; if it stays so the backup fails and leaves no file behind. */
#include "cli_backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TRIES 10     /* of one page */
#define PAUSE_MS 250 /* before the second; it grows up to PAUSE_MAX_MS */
#define PAUSE_MAX_MS 4000
#define PAGE_TIMEOUT_MS 30000

/* --- one question, until it is answered */

static void pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&time, &time) != 0)
        continue;
}

/* What may be answered differently a moment later, or by another peer. */
static bool is_transient(int code, long status)
{
    return code == CLI_UNREACHABLE || (code == CLI_DONE && (status == 503 || status == 500));
}

/* The address of the n-th try: one of the list after the other. */
static void pick_address(const char *all, unsigned try, char one[300])
{
    unsigned count = 1;
    const char *at = all;

    for (const char *c = all; *c; c++)
        count += *c == ',';
    for (unsigned skip = try % count; skip > 0; skip--)
        at = strchr(at, ',') + 1;
    snprintf(one, 300, "%.*s", (int)strcspn(at, ","), at);
}

int cli_ask_patiently(const struct cli *cli, const struct cli_request *request,
                      struct cli_reply *reply)
{
    struct cli one = *cli;
    long pause = PAUSE_MS;
    char address[300];
    int code;

    one.addresses = address;
    if (one.timeout_ms < PAGE_TIMEOUT_MS + 5000)
        one.timeout_ms = PAGE_TIMEOUT_MS + 5000;
    for (unsigned try = 0;; try++) {
        pick_address(cli->addresses, try, address);
        code = cli_ask(&one, request, reply);
        if (try + 1 == TRIES || !is_transient(code, reply->status))
            break;
        cli_reply_close(reply);
        pause_ms(pause);
        pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
    }
    if (code == CLI_DONE && reply->status >= 400)
        code = cli_problem(&one, reply);
    return code;
}

/* --- showing */

const char *cli_backup_note(const struct archive_totals *totals, double started_s, char room[80])
{
    double took = cli_now_s() - started_s;

    snprintf(room, 80, "%llu rows, %.1f MB, %.1f MB/s", (unsigned long long)totals->rows,
             (double)totals->bytes / 1e6, took > 0 ? (double)totals->bytes / 1e6 / took : 0);
    return room;
}

/* --- the header */

/* What the archive says about itself. NULL: told already. */
static json_t *backup_header(const struct cli *cli, int *code)
{
    time_t now = time(NULL);
    struct cli_reply reply;
    struct tm utc;
    char date[32];
    json_t *self, *header = NULL;

    *code = cli_get_json(cli, "/v1/self", &self, &reply);
    cli_reply_close(&reply);
    if (*code != CLI_DONE)
        return NULL;
    (void)gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &utc);
    header = json_pack("{s:s, s:i, s:O?, s:O?, s:s, s:s?, s:s}", "program", "gossamer", "format",
                       ARCHIVE_VERSION, "cluster_id", json_object_get(self, "cluster_id"),
                       "version", json_object_get(self, "version"), "date", date, "namespace",
                       cli->options[OPTION_NS], "promise",
                       "every write acknowledged before the date is inside; a later one may be");
    json_decref(self);
    return header;
}

static int backup_begin(const struct cli *cli, struct archive *archive)
{
    int code = CLI_DONE;
    json_t *header = backup_header(cli, &code);
    char *text = header ? json_dumps(header, JSON_COMPACT) : NULL;

    if (code == CLI_DONE && !text)
        code = cli_fail(CLI_FAILURE, NULL, "out of memory");
    if (code == CLI_DONE && (!archive_create(archive, cli->arguments[0]) ||
                             !archive_put(archive, ARCHIVE_HEADER, slice_text(text))))
        code = cli_fail(CLI_FAILURE, NULL, "%s", archive->trouble);
    free(text);
    json_decref(header);
    return code;
}

/* --- the rows */

static void backup_path(const struct cli *cli, const char *next, char path[CLI_URL_MAX])
{
    struct writer out = writer_over(path, CLI_URL_MAX - 1);

    write_slice(&out, slice_text("/v1/backup?timeout=30s"));
    if (cli->options[OPTION_NS]) {
        write_slice(&out, slice_text("&ns="));
        cli_escape(&out, slice_text(cli->options[OPTION_NS]), false);
    }
    if (next[0]) {
        write_slice(&out, slice_text("&after="));
        cli_escape(&out, slice_text(next), false);
    }
    path[out.size] = 0;
}

static int backup_rows(const struct cli *cli, struct archive *archive)
{
    char next[CLI_NEXT_MAX] = "", note[80];
    double started = cli_now_s();
    bool is_last = false;
    struct cli_bar bar;
    int code = CLI_DONE;

    cli_bar_begin(&bar, "backup", 1);
    while (code == CLI_DONE && !is_last) {
        struct cli_request request = {.method = "POST"};
        char path[CLI_URL_MAX];
        struct cli_reply reply;
        unsigned long done = 0;

        backup_path(cli, next, path);
        request.path = path;
        code = cli_ask_patiently(cli, &request, &reply);
        if (code == CLI_DONE && reply.body.size > 0 &&
            !archive_put(archive, ARCHIVE_ROWS, slice_of(reply.body.data, reply.body.size)))
            code = cli_fail(CLI_FAILURE, NULL, "%s", archive->trouble);
        if (code == CLI_DONE && sscanf(reply.partitions, "%lu/%lu", &done, &bar.total) != 2)
            code = cli_fail(CLI_FAILURE, "is this address a Gossamer peer?",
                            "the answer is no page of a backup");
        if (code == CLI_DONE && reply.next[0] && strcmp(reply.next, next) == 0)
            code = cli_fail(CLI_FAILURE, NULL, "the backup does not get on behind %s", next);
        is_last = !reply.next[0];
        snprintf(next, sizeof(next), "%s", reply.next);
        bar.note = cli_backup_note(&archive->totals, started, note);
        cli_bar_show(&bar, done, code == CLI_DONE && is_last);
        cli_reply_close(&reply);
    }
    return code;
}

/* --- commands */

/* Reads the whole file; `header` (may be NULL) gets what it says about itself. */
int cli_archive_verify(const char *path, struct archive_totals *totals, json_t **header)
{
    struct archive *archive = calloc(1, sizeof(*archive));
    enum status status = STATUS_BAD;
    enum archive_kind kind;
    struct slice bytes;
    int code = CLI_DONE;

    if (!archive)
        return cli_fail(CLI_FAILURE, NULL, "out of memory");
    if (archive_open(archive, path))
        while ((status = archive_next(archive, &kind, &bytes)) == STATUS_OK)
            if (kind == ARCHIVE_HEADER && header && !*header)
                *header = json_loadb((const char *)bytes.data, bytes.size, 0, NULL);
    if (status != STATUS_END)
        code = cli_fail(CLI_FAILURE, "take another archive; this one was not used", "%s",
                        archive->trouble);
    *totals = archive->totals;
    archive_close(archive);
    free(archive);
    return code;
}

static int backup_verify(const struct cli *cli)
{
    struct archive_totals totals;
    json_t *header = NULL;
    char room[32], more[32];
    int code = cli_archive_verify(cli->arguments[0], &totals, &header);

    if (code == CLI_DONE)
        printf("%s is whole: %llu rows, %.1f MB, of cluster %s, taken %s\n", cli->arguments[0],
               (unsigned long long)totals.rows, (double)totals.bytes / 1e6,
               cli_text(header, "cluster_id", room), cli_text(header, "date", more));
    json_decref(header);
    return code;
}

int cli_backup(struct cli *cli)
{
    struct archive *archive;
    int code;

    if (cli->options[OPTION_VERIFY])
        return backup_verify(cli);
    archive = calloc(1, sizeof(*archive));
    if (!archive)
        return cli_fail(CLI_FAILURE, NULL, "out of memory");
    code = backup_begin(cli, archive);
    if (code == CLI_DONE)
        code = cli_settings_put(cli, archive);
    if (code == CLI_DONE)
        code = backup_rows(cli, archive);
    if (code == CLI_DONE && !archive_finish(archive))
        code = cli_fail(CLI_FAILURE, NULL, "%s", archive->trouble);
    if (code == CLI_DONE && cli->is_json)
        printf("{\"file\":\"%s\",\"rows\":%llu,\"bytes\":%llu,\"packed\":%llu}\n",
               cli->arguments[0], (unsigned long long)archive->totals.rows,
               (unsigned long long)archive->totals.bytes, (unsigned long long)archive->at);
    else if (code == CLI_DONE)
        printf("%s: %llu rows, %.1f MB, %.1f MB packed\n", cli->arguments[0],
               (unsigned long long)archive->totals.rows, (double)archive->totals.bytes / 1e6,
               (double)archive->at / 1e6);
    archive_close(archive);
    free(archive);
    return code;
}
