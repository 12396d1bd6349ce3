/* cli_restore.c: the rows of an archive into a cluster, of whatever size and however placed. The
 * whole file is checked before the first row is sent. Rows are merged there, so a restore that was
 * interrupted is simply begun again, and doing it twice changes nothing. */
#include "cli_backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "rows.h"

/* Sends one page and counts its rows. */
static int restore_send(const struct cli *cli, const char *path, struct slice rows,
                        struct archive_totals *done)
{
    struct cli_request request = {
        .method = "POST", .path = path, .body = rows, .type = "application/vnd.gossamer.rows"};
    struct reader in = reader_over(rows);
    struct cli_reply reply;
    struct row row;
    int code;

    if (rows.size == 0)
        return CLI_DONE;
    code = cli_ask_patiently(cli, &request, &reply);
    while (code == CLI_DONE && row_read(&in, &row) == STATUS_OK)
        done->rows++;
    done->bytes += code == CLI_DONE ? rows.size : 0;
    cli_reply_close(&reply);
    return code;
}

/* Keeps the rows of one namespace; all of them without one. */
static struct slice restore_choose(struct slice rows, struct slice ns, struct buffer *room)
{
    struct reader in = reader_over(rows);
    struct row row;

    if (ns.size == 0)
        return rows;
    buffer_clear(room, SIZE_MAX);
    while (row_read(&in, &row) == STATUS_OK) {
        struct writer out;
        uint8_t *place;

        if (!slice_equal(row.ns, ns))
            continue;
        place = buffer_reserve(room, row_size(&row));
        if (!place)
            break; /* as large as a block: cannot be */
        out = writer_over(place, row_size(&row));
        row_write(&out, &row);
        room->size += out.size;
    }
    return slice_of(room->data, room->size);
}

/* With --replace one number for all pages: a page sent twice then makes the same of it. */
static int restore_path(const struct cli *cli, char path[80])
{
    uint64_t number = 0;

    snprintf(path, 80, "/v1/restore?timeout=30s");
    if (!cli->options[OPTION_REPLACE])
        return CLI_DONE;
    while (number == 0)
        if (getrandom(&number, sizeof(number), 0) != sizeof(number))
            return cli_fail(CLI_FAILURE, NULL, "the system gives no random bytes");
    snprintf(path, 80, "/v1/restore?timeout=30s&replace=%016llx", (unsigned long long)number);
    return CLI_DONE;
}

static int restore_rows(const struct cli *cli, struct archive *archive, unsigned long total,
                        struct archive_totals *done)
{
    struct slice ns = cli->options[OPTION_NS] ? slice_text(cli->options[OPTION_NS]) : SLICE_NONE;
    enum status status = STATUS_OK;
    char path[80];
    double started = cli_now_s();
    struct buffer chosen;
    struct cli_bar bar;
    int code = CLI_DONE;
    char note[80];

    code = restore_path(cli, path);
    buffer_init(&chosen, ARCHIVE_BLOCK_MAX);
    cli_bar_begin(&bar, "restore", total);
    while (code == CLI_DONE && status == STATUS_OK) {
        enum archive_kind kind;
        struct slice rows;

        status = archive_next(archive, &kind, &rows);
        if (status == STATUS_BAD)
            code = cli_fail(CLI_FAILURE, NULL, "%s; it was whole a moment ago", archive->trouble);
        if (status == STATUS_OK && kind == ARCHIVE_SETTINGS)
            code = cli_settings_set(cli, rows);
        if (status == STATUS_OK && kind == ARCHIVE_ROWS)
            code = restore_send(cli, path, restore_choose(rows, ns, &chosen), done);
        bar.note = cli_backup_note(done, started, note);
        cli_bar_show(&bar, archive->totals.rows, status == STATUS_END);
    }
    buffer_close(&chosen);
    return code;
}

int cli_restore(struct cli *cli)
{
    struct archive *archive = calloc(1, sizeof(*archive));
    struct archive_totals totals, done = {0};
    int code;

    if (!archive)
        return cli_fail(CLI_FAILURE, NULL, "out of memory");
    code = cli_archive_verify(cli->arguments[0], &totals, NULL);
    if (code == CLI_DONE && !archive_open(archive, cli->arguments[0]))
        code = cli_fail(CLI_FAILURE, NULL, "%s", archive->trouble);
    if (code == CLI_DONE)
        code = restore_rows(cli, archive, totals.rows, &done);
    if (code != CLI_DONE && done.rows > 0)
        fprintf(stderr, "note: %llu rows are restored; begin again, what is there stays\n",
                (unsigned long long)done.rows);
    if (code == CLI_DONE && cli->is_json)
        printf("{\"file\":\"%s\",\"rows\":%llu,\"bytes\":%llu}\n", cli->arguments[0],
               (unsigned long long)done.rows, (unsigned long long)done.bytes);
    else if (code == CLI_DONE)
        printf("restored %llu rows, %.1f MB\n", (unsigned long long)done.rows,
               (double)done.bytes / 1e6);
    archive_close(archive);
    free(archive);
    return code;
}
