/* status.c: the texts of proto/status.def. */
#include "status.h"

const char *status_text(enum status status)
{
    switch (status) {
#define STATUS(NAME, code, text)                                                                   \
    case STATUS_##NAME:                                                                            \
        return text;
#include "status.def"
#undef STATUS
    }
    return "unknown status";
}

enum status status_from_wire(unsigned code)
{
    switch (code) {
#define STATUS(NAME, number, text)                                                                 \
    case number:                                                                                   \
        return STATUS_##NAME;
#include "status.def"
#undef STATUS
    default:
        return STATUS_BAD;
    }
}
