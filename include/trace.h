/* trace.h: trace points of the core: a code and three integers, made into words by the sink. The
 * codes stand in proto/trace.def. One branch when off. */
#ifndef GOSSAMER_TRACE_H
#define GOSSAMER_TRACE_H

#include <stdint.h>

enum trace_code {
#define TRACE(NAME, level, text) TRACE_##NAME,
#include "trace.def"
#undef TRACE
    TRACE_COUNT
};

/* Severity of a trace point, as in log.level. */
enum trace_level { LEVEL_ERROR, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG, LEVEL_TRACE };

struct trace_sink {
    /* NULL: off. Called with the code and the integers its text names as {a}, {b}, {c}. */
    void (*emit)(void *context, enum trace_code code, uint64_t a, uint64_t b, uint64_t c);
    void *context;
};

/* trace_point hands one event to the sink, if there is one. */
static inline void trace_point(const struct trace_sink *sink, enum trace_code code, uint64_t a,
                               uint64_t b, uint64_t c)
{
    if (sink && sink->emit)
        sink->emit(sink->context, code, a, b, c);
}

/* trace_text gives the format of a code ("member {a:x} is dead"), trace_name its name,
 * trace_level_of its severity. Integers are shown as decimal, {a:x} as 16 hex digits. */
const char *trace_text(enum trace_code code);
const char *trace_name(enum trace_code code);
enum trace_level trace_level_of(enum trace_code code);

#endif
