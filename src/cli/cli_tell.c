/* cli_tell.c: results, tables, errors, progress: everything a person reads. */
#include "cli_room.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH 30 /* characters */

int cli_fail(int code, const char *hint, const char *format, ...)
{
    va_list arguments;

    fputs("error: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (hint)
        fprintf(stderr, "hint: %s\n", hint);
    return code;
}

int cli_exit_of_status(long status)
{
    switch (status) {
    case 404:
        return CLI_NOT_FOUND;
    case 409:
    case 412:
        return CLI_CONFLICT;
    case 401:
    case 403:
        return CLI_REFUSED;
    case 408:
    case 504:
        return CLI_UNREACHABLE;
    case 503:
        return CLI_UNAVAILABLE;
    default:
        return status < 400 ? CLI_DONE : CLI_FAILURE;
    }
}

int cli_problem(const struct cli *cli, const struct cli_reply *reply)
{
    json_t *problem = json_loadb((const char *)reply->body.data, reply->body.size, 0, NULL);
    const char *title = json_string_value(json_object_get(problem, "title"));
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *hint = json_string_value(json_object_get(problem, "hint"));
    int code = cli_exit_of_status(reply->status);

    if (cli->is_json)
        (void)cli_put_body(reply);
    if (title)
        (void)cli_fail(code, hint, "%s%s%s (%ld)", title, detail && detail[0] ? ": " : "",
                       detail ? detail : "", reply->status);
    else
        (void)cli_fail(code, NULL, "the peer answered with status %ld", reply->status);
    json_decref(problem);
    return code;
}

int cli_put_body(const struct cli_reply *reply)
{
    size_t size = reply->body.size;

    if (size && fwrite(reply->body.data, 1, size, stdout) != size)
        return cli_fail(CLI_FAILURE, NULL, "cannot write the result: %s", strerror(errno));
    if (size && reply->body.data[size - 1] != '\n')
        fputc('\n', stdout);
    return CLI_DONE;
}

int cli_change(const struct cli *cli, const struct cli_request *request, const char *done)
{
    struct cli_reply reply;
    int code = cli_ask(cli, request, &reply);

    if (code == CLI_DONE && reply.status >= 400)
        code = cli_problem(cli, &reply);
    else if (code == CLI_DONE && cli->is_json && reply.body.size)
        code = cli_put_body(&reply);
    else if (code == CLI_DONE)
        fprintf(stderr, "%s\n", done);
    cli_reply_close(&reply);
    return code;
}

const char *cli_text(const json_t *object, const char *name, char room[32])
{
    const json_t *value = json_object_get(object, name);

    if (json_is_string(value))
        return json_string_value(value)[0] ? json_string_value(value) : "-";
    if (json_is_integer(value))
        snprintf(room, 32, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(room, 32, "%.2f", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(room, 32, "%s", json_is_true(value) ? "yes" : "no");
    else
        snprintf(room, 32, "-");
    return room;
}

static void table_fill(struct libscols_table *table, const json_t *rows,
                       const struct cli_column *columns, unsigned count)
{
    size_t at;
    json_t *row;

    json_array_foreach((json_t *)(uintptr_t)rows, at, row)
    {
        struct libscols_line *line = scols_table_new_line(table, NULL);
        char room[32];

        for (unsigned i = 0; line && i < count; i++)
            scols_line_set_data(line, i, cli_text(row, columns[i].member, room));
    }
}

int cli_table(const json_t *rows, const struct cli_column *columns, unsigned count)
{
    struct libscols_table *table = scols_new_table();

    if (!table)
        return cli_fail(CLI_FAILURE, NULL, "out of memory");
    scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER); /* never cut: a pipe may follow */
    for (unsigned i = 0; i < count; i++)
        scols_table_new_column(table, columns[i].title, 0,
                               columns[i].is_number ? SCOLS_FL_RIGHT : 0);
    table_fill(table, rows, columns, count);
    scols_print_table(table);
    scols_unref_table(table);
    return CLI_DONE;
}

/* --- files and progress */

bool cli_read_file(const char *path, struct buffer *into)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    bool is_good = file != NULL;
    size_t got = 1;

    while (is_good && got > 0) {
        uint8_t *room =
            buffer_reserve(into, into->max - into->size < 65536 ? into->max - into->size : 65536);

        if (!room || into->size == into->max) {
            (void)cli_fail(CLI_FAILURE, NULL, "%s has more than %zu bytes", path, into->max);
            is_good = false;
            break;
        }
        got = fread(room, 1, into->max - into->size < 65536 ? into->max - into->size : 65536, file);
        into->size += got;
    }
    if (!file || ferror(file)) {
        (void)cli_fail(CLI_FAILURE, NULL, "cannot read %s: %s", path, strerror(errno));
        is_good = false;
    }
    if (file && file != stdin)
        fclose(file);
    return is_good;
}

double cli_now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void cli_bar_begin(struct cli_bar *bar, const char *what, unsigned long total)
{
    *bar = (struct cli_bar){.what = what, .total = total, .is_terminal = isatty(STDERR_FILENO)};
    bar->started_s = bar->shown_s = cli_now_s();
}

void cli_bar_show(struct cli_bar *bar, unsigned long done, bool is_end)
{
    static const char full[] = "##############################",
                      none[] = "                              ";
    double now = cli_now_s(), took = now - bar->started_s;
    double rate = took > 0 ? (double)done / took : 0;
    char text[40];
    int filled = bar->total ? (int)(done * BAR_WIDTH / bar->total) : BAR_WIDTH;

    if (!is_end && now - bar->shown_s < (bar->is_terminal ? 0.1 : 10))
        return;
    bar->shown_s = now;
    snprintf(text, sizeof(text), "%.0f/s", rate);
    if (bar->is_terminal)
        fprintf(stderr, "\r%s [%.*s%.*s] %lu/%lu  %s  %.0f s left  ", bar->what, filled, full,
                BAR_WIDTH - filled, none, done, bar->total, bar->note ? bar->note : text,
                rate > 0 ? (double)(bar->total - done) / rate : 0);
    else
        fprintf(stderr, "%s %lu/%lu  %s", bar->what, done, bar->total,
                bar->note ? bar->note : text);
    if (is_end || !bar->is_terminal)
        fputc('\n', stderr);
    fflush(stderr);
}
