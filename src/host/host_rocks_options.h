/* host_rocks_options.h: the library's settings, each with its reason (protocols.md 9.5). */
#ifndef GOSSAMER_HOST_ROCKS_OPTIONS_H
#define GOSSAMER_HOST_ROCKS_OPTIONS_H

#include <rocksdb/c.h>

#include "status.h"
#include "types.h"

/* The WAL recovery modes of the two-step open, as the library numbers them. */
enum host_rocks_mode { HOST_ROCKS_ABSOLUTE = 1, HOST_ROCKS_POINT_IN_TIME = 2 };

struct host_rocks_settings {
    rocksdb_cache_t *cache;   /* owned; blocks and blobs, outlives a reopening so that pins stay */
    rocksdb_options_t *plain; /* owned; the database and every family but obj */
    rocksdb_options_t *objects;           /* owned; obj: large values in blob files */
    rocksdb_readoptions_t *read_cached;   /* owned; never touches the disk */
    rocksdb_readoptions_t *read_blocking; /* owned */
    rocksdb_writeoptions_t *write;        /* owned; synced */
};

/* host_rocks_settings_init makes all of them. `cache_size` in bytes; `is_compressed` chooses zstd
 * for the lower levels. OK; UNSUPPORTED when the library refuses a setting. */
enum status host_rocks_settings_init(struct host_rocks_settings *settings, uint64_t cache_size,
                                     bool is_compressed) MUST_USE;
/* host_rocks_settings_close frees them. Every pin must be released before. */
void host_rocks_settings_close(struct host_rocks_settings *settings);
/* host_rocks_settings_mode chooses how the WAL is read at the next open and whether a missing
 * database is created. */
void host_rocks_settings_mode(struct host_rocks_settings *settings, enum host_rocks_mode mode,
                              bool is_new);

#endif
