/* host_storage.h: the loop's one door to what the peer remembers: RocksDB with its committer and
 * its reading threads, or the memory engine without threads. Everything here is for the loop's
 * thread. */
#ifndef GOSSAMER_HOST_STORAGE_H
#define GOSSAMER_HOST_STORAGE_H

#include "event.h"
#include "host_file.h"
#include "host_lane.h"

struct host_storage_config {
    bool is_memory;            /* storage.engine: memory; only memory_max counts then */
    uint64_t memory_max;       /* bytes of keys and values */
    const char *directory;     /* the locked data directory; copied */
    uint64_t cache_size;       /* bytes; storage.cache */
    uint64_t min_free;         /* bytes; storage.min_free */
    uint32_t commit_ops;       /* requests per group commit */
    uint32_t commit_bytes;     /* bytes per group commit */
    uint32_t mark_interval_ms; /* 1000 */
    bool is_compressed;        /* storage.compression: zstd */
    bool may_refill;           /* storage.refill */
    host_wake *wake;           /* from any thread: completions wait, call host_storage_poll */
    void *wake_context;
};

struct host_storage;

/* host_storage_open opens the engine and starts its threads. *is_recovering: rows may be missing
 * (EVENT_OPENED carries it). `detail` (HOST_DETAIL_SIZE bytes) is a sentence for people after
 * anything but OK, and when recovering. OK; CORRUPT (exit 65); BUSY (75); PERMISSION (77);
 * NO_SPACE; UNSUPPORTED; MEMORY; IO. */
enum status host_storage_open(struct host_storage **storage,
                              const struct host_storage_config *config, bool *is_recovering,
                              char *detail) MUST_USE;
/* host_storage_close writes what is queued, joins the threads and frees everything. Completions not
 * polled are lost; pins must be released before. */
void host_storage_close(struct host_storage *storage);
/* host_storage_reopen ends a store whose commit failed and opens it again in place, on the loop's
 * thread. Ports and pins stay valid. Tickets still open are answered by the next polls: writes with
 * UNKNOWN_OUTCOME unless they were done. Call it after the new boot record is on disk. Statuses as
 * host_storage_open; after anything but OK reads answer IO and writes UNKNOWN_OUTCOME. */
enum status host_storage_reopen(struct host_storage *storage, bool *is_recovering,
                                char *detail) MUST_USE;
/* host_storage_ports gives the node its store: get and release. */
struct store host_storage_ports(struct host_storage *storage);

/* host_storage_write and _read take over EFFECT_WRITE and EFFECT_READ: rows and bounds are copied.
 * Exactly one completion each. Threads begin after host_storage_flush. */
void host_storage_write(struct host_storage *storage, uint64_t write, const struct store_row *rows,
                        uint32_t count);
void host_storage_read(struct host_storage *storage, uint64_t read, bool is_point,
                       const struct store_range *range);
/* host_storage_flush hands the turn's work to the threads: call it once after the effects of a
 * turn. True: completions wait already and no wake will come for them (memory engine); poll again
 * before sleeping. */
bool host_storage_flush(struct host_storage *storage) MUST_USE;
/* Called per completion with EVENT_STORED or EVENT_LOADED, in which now and wall_ms are zero. What
 * it points at lives for the call. */
typedef void host_storage_visit(void *context, struct event *event);
/* host_storage_poll visits the completions that wait, at most `max`, and returns how many it was.
 * Stopping at `max` loses nothing, but the next poll must come without a wake. The visitor may
 * call host_storage_write and _read. */
uint32_t host_storage_poll(struct host_storage *storage, uint32_t max, host_storage_visit *visit,
                           void *context);
/* host_storage_settle notes whether the copies have been compared with other owners, or must be: an
 * opening after the next commit or close is healthy, or in recovery. */
void host_storage_settle(struct host_storage *storage, bool is_sound);

#endif
