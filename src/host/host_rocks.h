/* host_rocks.h: the RocksDB engine behind `struct store`. It opens in two steps and says when rows
 * may be missing; a failed write ends it until it is reopened. */
#ifndef GOSSAMER_HOST_ROCKS_H
#define GOSSAMER_HOST_ROCKS_H

#include "host_file.h"
#include "store.h"

struct host_rocks_options {
    uint64_t cache_size;       /* bytes of the block cache; filled as needed */
    bool is_compressed;        /* zstd in the lower levels */
    bool may_refill;           /* false: a store that cannot be opened is refused, not set aside */
    uint32_t mark_interval_ms; /* the mark is replaced at most once in this time; 0: every commit */
};

struct host_rocks;

/* host_rocks_open opens or creates `directory`/db, where `directory` is the locked data directory.
 * `detail` (HOST_DETAIL_SIZE bytes) is a sentence for people after anything but OK, and after OK
 * when *is_recovering: rows may be missing until the peer has compared itself with others. OK;
 * CORRUPT: damaged and may not be refilled; BUSY: another process has it; NO_SPACE; PERMISSION;
 * UNSUPPORTED: written by a newer version; MEMORY: also out of file descriptors; IO. */
enum status host_rocks_open(struct host_rocks **rocks, const char *directory,
                            const struct host_rocks_options *options, bool *is_recovering,
                            char *detail) MUST_USE;
/* host_rocks_reopen closes the database and opens it again, in place: ports and pins stay valid.
 * Nobody else may be inside. Statuses as host_rocks_open; after anything but OK every read answers
 * IO and every write UNKNOWN_OUTCOME. */
enum status host_rocks_reopen(struct host_rocks *rocks, bool *is_recovering, char *detail) MUST_USE;
/* host_rocks_close writes the mark and frees everything. Every pin must be released before. */
void host_rocks_close(struct host_rocks *rocks);
/* host_rocks_settle notes whether the copies were compared with others, or must be: the next commit
 * puts into the mark whether an opening is in recovery. From any thread. */
void host_rocks_settle(struct host_rocks *rocks, bool is_sound);

/* host_rocks_ports fills the five functions for the loop: get never touches the disk (COLD). */
struct store host_rocks_ports(struct host_rocks *rocks);
/* host_rocks_ports_blocking is the same for threads that may wait: get reads the disk. apply is for
 * one thread only. */
struct store host_rocks_ports_blocking(struct host_rocks *rocks);

#endif
