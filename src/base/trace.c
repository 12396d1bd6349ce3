/* trace.c: the words of proto/trace.def. */
#include "trace.h"
#include "ensure.h"

struct trace_words {
    const char *name, *text;
    enum trace_level level;
};

static const struct trace_words trace_table[TRACE_COUNT] = {
#define TRACE(NAME, severity, words) {.name = #NAME, .text = (words), .level = (severity)},
#include "trace.def"
#undef TRACE
};

static const struct trace_words *trace_at(enum trace_code code)
{
    ensure((unsigned)code < TRACE_COUNT);
    return &trace_table[code];
}

const char *trace_text(enum trace_code code)
{
    return trace_at(code)->text;
}

const char *trace_name(enum trace_code code)
{
    return trace_at(code)->name;
}

enum trace_level trace_level_of(enum trace_code code)
{
    return trace_at(code)->level;
}
