/* host_log.h: lines on standard error, for people, for logfmt readers or as JSON. */
#ifndef GOSSAMER_HOST_LOG_H
#define GOSSAMER_HOST_LOG_H

#include <stdio.h>

#include "trace.h"
#include "types.h"

enum host_log_format { HOST_LOG_AUTO, HOST_LOG_HUMAN, HOST_LOG_LOGFMT, HOST_LOG_JSON };

#define HOST_LOG_RATE 10u      /* lines of one trace point in one second; the rest is counted */
#define HOST_LOG_TEXT_SIZE 512 /* bytes of a message, its zero included */

/* How often one trace point spoke. */
struct host_log_site {
    uint64_t second;
    uint32_t count;
};

struct host_log {
    FILE *out;              /* borrowed */
    enum trace_level level; /* the least severe shown */
    enum host_log_format format;
    bool is_coloured;
    bool is_journal;   /* <N> priorities before every line */
    struct label peer; /* empty until the name is known */
    struct host_log_site sites[TRACE_COUNT];
};

/* host_log_init fills `log` for a stream: AUTO becomes HUMAN on a terminal, else LOGFMT. */
void host_log_init(struct host_log *log, FILE *out, enum trace_level level,
                   enum host_log_format format);
/* host_log writes one line in the manner of printf, dated with the wall clock. */
void host_log(struct host_log *log, enum trace_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* host_log_trace writes a trace point of the core, at most HOST_LOG_RATE per second of each; what
 * was left out is told with the next one. `wall_ms` as in events. */
void host_log_trace(struct host_log *log, uint64_t wall_ms, enum trace_code code,
                    const uint64_t numbers[3]);
/* host_log_line writes one line as it stands, with everything given. */
void host_log_line(struct host_log *log, uint64_t wall_ms, enum trace_level level,
                   const char *message, uint32_t repeated);

#endif
