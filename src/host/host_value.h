/* host_value.h: from the text of a setting to a checked value, and back. */
#ifndef GOSSAMER_HOST_VALUE_H
#define GOSSAMER_HOST_VALUE_H

#include "types.h"

enum host_kind {
    KIND_NAME,
    KIND_LABEL,
    KIND_TEXT,
    KIND_PATH,
    KIND_BOOL,
    KIND_COUNT,
    KIND_POWER,
    KIND_SIZE,
    KIND_RATE,
    KIND_DURATION,
    KIND_WEIGHT,
    KIND_CHOICE,
    KIND_LIST,
    KIND_ADDRESSES,
    KIND_ANY,
};

#define SETTING_RESTART 1u
#define SETTING_BORN 2u
#define SETTING_INERT 4u

/* One row of proto/config.def. */
struct host_setting {
    const char *key;
    enum host_kind kind;
    const char *initial; /* the default as text */
    uint64_t low, high;
    unsigned flags;
    const char *choices;
    const char *help;
};

#define HOST_WHY_SIZE 256 /* bytes of a reason for people, its zero included */

/* host_value_parse checks one text (of a list: one element) against its setting. *number is set
 * for kinds that are numbers, choices (the index) and bools. False: `why` (HOST_WHY_SIZE bytes)
 * says what was expected. */
bool host_value_parse(const struct host_setting *setting, const char *text, uint64_t *number,
                      char *why);
/* host_value_is_list tells whether a kind holds several texts. */
bool host_value_is_list(enum host_kind kind);

/* Where to listen: an address, or a path when the text began with "unix:". */
struct host_endpoint {
    struct address address;
    char path[108]; /* as long as the system's own bound; "": not a Unix socket */
};

/* host_endpoint_parse reads ip:port, [ip6]:port, localhost:port, :port (every address) and
 * unix:/path. False: `why` says what is wrong. */
bool host_endpoint_parse(const char *text, struct host_endpoint *endpoint, char *why);

#endif
