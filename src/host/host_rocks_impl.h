/* host_rocks_impl.h: what the two halves of the engine share: host_rocks.c reads and writes,
 * host_rocks_open.c opens and closes. */
#ifndef GOSSAMER_HOST_ROCKS_IMPL_H
#define GOSSAMER_HOST_ROCKS_IMPL_H

#include <stdatomic.h>

#include "host_mark.h"
#include "host_rocks.h"
#include "host_rocks_options.h"

#define FAMILY_DEFAULT STORE_FAMILY_COUNT /* the library's own; it holds the seal row alone */
#define FAMILIES (STORE_FAMILY_COUNT + 1)
#define SEAL_KEY "seal"
#define SEAL_SIZE 9u /* bytes: number of the batch u64 | STORE_FORMAT u8 */

struct host_rocks {
    uint32_t magic;
    rocksdb_t *db;                                      /* owned; NULL after a failed reopening */
    rocksdb_column_family_handle_t *families[FAMILIES]; /* owned with db */
    struct host_rocks_settings settings;
    struct host_rocks_options options;
    char directory[HOST_PATH_SIZE]; /* the data directory */
    char database[HOST_PATH_SIZE];  /* its db */
    struct host_mark mark;          /* as of the last commit */
    uint64_t mark_written_ms;       /* monotonic time of the last replacement */
    atomic_bool is_recovering;      /* goes into the mark */
    atomic_bool is_mark_due; /* what goes into the mark has changed: the next commit writes it */
    atomic_bool is_damaged;  /* the library refused what it read: reopening copies the rest */
    atomic_bool is_failed;   /* a write failed: nothing is written until reopened */
};

/* host_rocks_take_error classifies an error text of the library and frees it. */
enum status host_rocks_take_error(char *error);
/* host_rocks_get_by reads row->key of row->family into a pin. OK, MISSING, COLD, CORRUPT, IO. */
enum status host_rocks_get_by(struct host_rocks *rocks, rocksdb_readoptions_t *options,
                              const struct store_row *row, struct store_pin *pin) MUST_USE;
/* host_rocks_release is the engine's release. */
void host_rocks_release(void *context, struct store_pin *pin);
/* host_rocks_families names the column families. */
extern const char *const host_rocks_families[FAMILIES];
/* host_rocks_salvage copies what can be read of the store at `aside` into the one that is open and
 * new. `detail` says what became of it. OK, also when nothing could be copied; IO: writing failed.
 */
enum status host_rocks_salvage(struct host_rocks *rocks, const char *aside, char *detail) MUST_USE;
/* host_rocks_mark replaces the mark if its time has come, or in any case when `is_now`. */
void host_rocks_mark(struct host_rocks *rocks, bool is_now);

#endif
