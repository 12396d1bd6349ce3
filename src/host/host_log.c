#include "host_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host_clock.h"

#define DATE_SIZE 32

static const char *const host_level_names[] = {"error", "warn", "info", "debug", "trace"};
static const char *const host_level_colours[] = {"\033[31m", "\033[33m", "\033[32m", "\033[36m",
                                                 "\033[2m"};
static const int host_level_priorities[] = {3, 4, 6, 7, 7}; /* of syslog */

void host_log_init(struct host_log *log, FILE *out, enum trace_level level,
                   enum host_log_format format)
{
    bool is_terminal = isatty(fileno(out)) == 1;

    *log = (struct host_log){.out = out, .level = level, .format = format};
    if (format == HOST_LOG_AUTO)
        log->format = is_terminal ? HOST_LOG_HUMAN : HOST_LOG_LOGFMT;
    log->is_coloured = is_terminal && log->format == HOST_LOG_HUMAN && getenv("NO_COLOR") == NULL;
    log->is_journal = !is_terminal && getenv("JOURNAL_STREAM") != NULL;
}

/* Text between quotes: both formats escape alike; control characters never reach a terminal. */
static void host_log_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != 0; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ' || *text == 0x7f)
            fprintf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void host_log_date(uint64_t wall_ms, const char *format, char date[DATE_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    size_t size;

    gmtime_r(&seconds, &parts);
    size = format[0] == 'T' ? strftime(date, DATE_SIZE, "%H:%M:%S", &parts)
                            : strftime(date, DATE_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(date + size, DATE_SIZE - size, ".%03u%s", (unsigned)(wall_ms % 1000),
             format[0] == 'T' ? "" : "Z");
}

static void host_log_human(struct host_log *log, uint64_t wall_ms, enum trace_level level,
                           const char *message)
{
    char date[DATE_SIZE];

    host_log_date(wall_ms, "T", date);
    fprintf(log->out, "%s %s%-5s%s ", date, log->is_coloured ? host_level_colours[level] : "",
            host_level_names[level], log->is_coloured ? "\033[0m" : "");
    for (; *message != 0; message++)
        fputc((unsigned char)*message < ' ' ? '?' : *message, log->out);
}

static void host_log_logfmt(struct host_log *log, uint64_t wall_ms, enum trace_level level,
                            const char *message)
{
    char date[DATE_SIZE];

    host_log_date(wall_ms, "D", date);
    fprintf(log->out, "ts=%s level=%s msg=", date, host_level_names[level]);
    host_log_quoted(log->out, message);
    if (log->peer.size != 0)
        fprintf(log->out, " peer=%s", log->peer.text);
}

static void host_log_json(struct host_log *log, uint64_t wall_ms, enum trace_level level,
                          const char *message)
{
    char date[DATE_SIZE];

    host_log_date(wall_ms, "D", date);
    fprintf(log->out, "{\"ts\":\"%s\",\"level\":\"%s\",\"msg\":", date, host_level_names[level]);
    host_log_quoted(log->out, message);
    if (log->peer.size != 0)
        fprintf(log->out, ",\"peer\":\"%s\"", log->peer.text);
}

void host_log_line(struct host_log *log, uint64_t wall_ms, enum trace_level level,
                   const char *message, uint32_t repeated)
{
    bool is_json = log->format == HOST_LOG_JSON;

    if (log->is_journal)
        fprintf(log->out, "<%d>", host_level_priorities[level]);
    if (is_json)
        host_log_json(log, wall_ms, level, message);
    else if (log->format == HOST_LOG_HUMAN)
        host_log_human(log, wall_ms, level, message);
    else
        host_log_logfmt(log, wall_ms, level, message);
    if (repeated != 0)
        fprintf(log->out, is_json ? ",\"repeated\":%" PRIu32 : " repeated=%" PRIu32, repeated);
    fputs(is_json ? "}\n" : "\n", log->out);
    fflush(log->out);
}

void host_log(struct host_log *log, enum trace_level level, const char *format, ...)
{
    char message[HOST_LOG_TEXT_SIZE];
    va_list arguments;

    if (level > log->level)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    host_log_line(log, host_clock_wall_ms(), level, message, 0);
}

/* Fills {a}, {b} and {c} (decimal) and {a:x} (16 hex digits) in the text of a trace point. */
static void host_log_fill(const char *text, const uint64_t numbers[3], char *into, size_t room)
{
    size_t used = 0;

    while (*text != 0 && used + 24 < room) {
        if (text[0] == '{' && text[1] >= 'a' && text[1] <= 'c') {
            bool is_hex = text[2] == ':';
            uint64_t number = numbers[text[1] - 'a'];

            used += (size_t)snprintf(into + used, room - used, is_hex ? "%016" PRIx64 : "%" PRIu64,
                                     number);
            text += is_hex ? 5 : 3;
        } else {
            into[used++] = *text++;
        }
    }
    into[used] = 0;
}

void host_log_trace(struct host_log *log, uint64_t wall_ms, enum trace_code code,
                    const uint64_t numbers[3])
{
    struct host_log_site *site = &log->sites[code];
    enum trace_level level = trace_level_of(code);
    char message[HOST_LOG_TEXT_SIZE];
    uint32_t repeated = 0;

    if (level > log->level)
        return;
    if (site->second != wall_ms / 1000) {
        repeated = site->count > HOST_LOG_RATE ? site->count - HOST_LOG_RATE : 0;
        *site = (struct host_log_site){.second = wall_ms / 1000};
    }
    if (++site->count > HOST_LOG_RATE)
        return;
    host_log_fill(trace_text(code), numbers, message, sizeof message);
    host_log_line(log, wall_ms, level, message, repeated);
}
