#include "host_rocks_error.h"

#include <stddef.h>
#include <string.h>

/* A row matches when the text begins with `prefix` and holds `inside`. The first match counts. The
 * wording is that of the packaged 7.8.3; host_rocks_test.c and tests/store hold it to that. */
struct host_rocks_error_row {
    const char *prefix, *inside;
    enum status status;
};

static const struct host_rocks_error_row host_rocks_errors[] = {
    {"Result incomplete", "", STATUS_COLD},
    {"NotFound", "", STATUS_MISSING},
    {"IO error: No space left", "", STATUS_NO_SPACE},
    {"IO error", "No space left on device", STATUS_NO_SPACE},
    {"IO error", "lock hold by current process", STATUS_BUSY},
    {"IO error: While lock file", "Resource temporarily unavailable", STATUS_BUSY},
    {"IO error", "Permission denied", STATUS_PERMISSION},
    {"IO error", "Read-only file system", STATUS_PERMISSION},
    {"IO error", "Too many open files", STATUS_MEMORY},
    {"IO error", "Cannot allocate memory", STATUS_MEMORY},
    {"IO error: No such file or directory", "", STATUS_CORRUPT},
    {"IO error", "No such file or directory", STATUS_CORRUPT},
    {"IO error", "exists but is not a directory", STATUS_CORRUPT},
    {"IO error", "", STATUS_IO},
    {"Corruption", "Permission denied", STATUS_PERMISSION},
    {"Corruption", "Too many open files", STATUS_MEMORY},
    {"Corruption", "", STATUS_CORRUPT},
    {"Invalid argument: Column families not opened", "", STATUS_UNSUPPORTED},
    {"Invalid argument: Column family not found", "", STATUS_CORRUPT},
    {"Invalid argument", "does not exist (create_if_missing is false)", STATUS_CORRUPT},
    {"Not implemented", "", STATUS_UNSUPPORTED},
};

enum status host_rocks_error(const char *text)
{
    for (size_t i = 0; i < sizeof host_rocks_errors / sizeof host_rocks_errors[0]; i++) {
        const struct host_rocks_error_row *row = &host_rocks_errors[i];

        if (strncmp(text, row->prefix, strlen(row->prefix)) == 0 &&
            strstr(text, row->inside) != NULL)
            return row->status;
    }
    return STATUS_IO;
}
