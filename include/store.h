/* store.h: what a peer remembers. The core sees a store through five functions (`struct store`);
 * the memory engine behind them lives here, the RocksDB engine in `host`. Row keys and the
 * checksummed record around every value are made here and nowhere else (protocols.md 9). */
#ifndef GOSSAMER_STORE_H
#define GOSSAMER_STORE_H

#include "blob.h"
#include "front.h"
#include "hash.h"
#include "limits.h"
#include "status.h"
#include "types.h"

enum store_family {
    STORE_OBJ,    /* h5 | ns | class | row name -> object */
    STORE_ELEM,   /* reserved */
    STORE_IDX,    /* ns | class | key -> nothing: listing in byte order */
    STORE_HINT,   /* owner id8 | OBJ row key -> wall ms: which owner lacks what */
    STORE_DUE,    /* reserved */
    STORE_TRIE,   /* reserved */
    STORE_SYS,    /* name -> what the peer knows about itself and the cluster */
    STORE_STRONG, /* reserved */
    STORE_FAMILY_COUNT
};

#define STORE_KEY_SIZE_MAX (HASH_FRONT_SIZE + NS_SIZE_MAX + 1 + ROW_NAME_SIZE_MAX) /* bytes */

/* One row to put or delete, or one row found. */
struct store_row {
    enum store_family family;
    bool is_delete;
    bool may_use_reserve; /* a tombstone, a repair: written though the disk is nearly full */
    struct slice key;
    struct slice value; /* record: header and body; empty when deleted */
};

/* A row that stays in place until released: a block of the cache, or memory of the engine. */
struct store_pin {
    struct slice value; /* record */
    void *handle;       /* the engine's */
};

struct store_range {
    enum store_family family;
    struct slice from;  /* inclusive */
    struct slice until; /* exclusive; empty: to the end of the family */
    uint32_t rows_max;  /* at most SCAN_ROWS_MAX */
    uint32_t bytes_max; /* keys and values; at least one row is always given */
    /* For store_index_scan. is_joined: of idx, the object behind each index row is given instead;
     * a damaged index row as it is, a lost object with an empty value. is_paired: of obj, where the
     * index row of an object is lost, it is given behind the object, with an empty value. */
    bool is_joined, is_paired;
    uint8_t hash_seed[HASH_SEED_SIZE]; /* is_joined: the way from a key to its object, */
    struct front_cut cut;              /* with this */
    bool is_passing; /* what is read is not wanted again soon: caches stay as they are */
};

/* Called per row in key order; false ends the scan. The row lives for the call. */
typedef bool store_visit(void *context, const struct store_row *row);

/* The five functions of an engine. The core calls only `get` and `release`; drivers the rest. */
struct store {
    /* get never waits. OK: `pin` holds the record until release. MISSING: certainly absent. COLD:
     * ask by EFFECT_READ. CORRUPT: the engine itself found damage. IO: cannot be read now. */
    enum status (*get)(void *context, enum store_family family, struct slice key,
                       struct store_pin *pin);
    /* release ends a pin and clears it. */
    void (*release)(void *context, struct store_pin *pin);
    /* apply writes all rows or none, durably (as far as the engine promises). OK, NO_SPACE
     * (certainly nothing written), UNKNOWN_OUTCOME. */
    enum status (*apply)(void *context, const struct store_row *rows, uint32_t count);
    /* scan visits rows of a range. OK: `rows_max` or `bytes_max` was reached or the visitor ended
     * it; END: the range is exhausted; CORRUPT, IO. */
    enum status (*scan)(void *context, const struct store_range *range, store_visit *visit,
                        void *visit_context);
    /* checkpoint makes a consistent copy in a new directory. OK, UNSUPPORTED, IO. */
    enum status (*checkpoint)(void *context, const char *directory);
    void *context;
};

/* --- row keys (store_key.c) */

/* A row name says which row of a namespace: a key, or `key | 0 | path` for an element of the
 * collection at that key (decision 0009); keys hold no zero byte. */
/* store_name_key returns the key in a row name, the part before the first zero byte. */
struct slice store_name_key(struct slice name);
/* store_name_is_element tells whether a row name has a path. */
bool store_name_is_element(struct slice name);
/* store_name_is_sound tells whether a name from outside may become a row: at most
 * ROW_NAME_SIZE_MAX bytes, its key 1 to KEY_SIZE_MAX. */
bool store_name_is_sound(struct slice name);
/* store_key_obj writes h5 | ns | class | row name (front.h) into `into` (STORE_KEY_SIZE_MAX bytes)
 * and returns it. ns holds no byte below 8, so the key is unique and sorts by hash. */
struct slice store_key_obj(uint64_t hash_front, struct slice ns, struct slice key, uint8_t *into);
/* store_key_idx writes ns | 0 | key: of class 0. */
struct slice store_key_idx(struct slice ns, struct slice key, uint8_t *into);
/* store_key_split takes an OBJ row key apart; `key` is the row name. OK, BAD on anything
 * store_key_obj does not write of a sound name. */
enum status store_key_split(struct slice row_key, uint64_t *hash_front, struct slice *ns,
                            struct slice *key) MUST_USE;
/* store_key_listed returns the key of the index row that belongs to an OBJ row key, a slice of it;
 * empty: it has none (an element of a collection, no row key). */
struct slice store_key_listed(struct slice row_key);
/* store_key_partition gives the half-open range of OBJ row keys of a partition, as front.h cuts
 * them: for class 0 `bits` bits of the key hash behind `cell_depth` bits equal those of
 * `cell_prefix` (left-aligned) and `partition`. The bounds are 8 bytes each, the first in
 * bounds[0..7], the one behind the last in bounds[8..15]; returns false where the range runs to the
 * end of the family (the second bound is then zero and to be replaced by an empty slice). */
bool store_key_partition(uint64_t cell_prefix, unsigned cell_depth, unsigned bits,
                         uint32_t partition, uint8_t bounds[16]);

/* --- records (store_record.c): check u32 | body. check = SipHash-2-4 of family, row key and body,
 * truncated to 32 bits; so a right row under a wrong key is found too. What a body is its family
 * says, how it is spelled the format of the whole store. */

#define STORE_RECORD_HEADER 4 /* bytes */
#define STORE_FORMAT 3        /* of all rows of a store; another one is refused */

/* store_record_write puts a record around `body` into a new blob. NULL when no memory is left. */
struct blob *store_record_write(enum store_family family, struct slice row_key, struct slice body);
/* store_record_open verifies a record and returns its body, a slice into it. OK, CORRUPT. */
enum status store_record_open(enum store_family family, struct slice row_key, struct slice record,
                              struct slice *body) MUST_USE;

/* --- index rows (store_index.c). An index row has no value: the hash of its key leads to the
 * object, whose checksum covers that same key, so that every listing verifies what it reads. */

/* store_index_is_sound tells whether an index row may have this key. */
bool store_index_is_sound(struct slice index_key, const struct front_cut *cut);
/* store_index_scan is the engine's scan with what `is_joined` and `is_paired` ask for; it may wait
 * as the engine's get does. Rows that were dropped since the scan began are passed over. OK, END,
 * CORRUPT (of the engine), COLD and IO as scan and get. */
enum status store_index_scan(const struct store *store, const struct store_range *range,
                             store_visit *visit, void *visit_context) MUST_USE;

/* --- rows queued but not yet committed (store_pending.c). A merge sees what is queued, a client
 * sees only what is committed. Entries are keyed by OBJ row key; a newer one replaces an older
 * and each remembers the write ticket that carries it. */

struct store_pending;
/* store_pending_new makes an empty table of at most `capacity` rows; `seed` keys its hash. NULL:
 * no memory. */
struct store_pending *store_pending_new(uint32_t capacity, const uint8_t seed[HASH_SEED_SIZE]);
void store_pending_delete(struct store_pending *pending);
/* store_pending_put notes that `record` (a reference is taken) is on its way under `write`; an
 * empty one is the deletion of the row. OK, FULL, MEMORY. */
enum status store_pending_put(struct store_pending *pending, struct slice row_key,
                              struct blob *record, uint64_t write) MUST_USE;
/* store_pending_get returns the newest queued record of a key, or NULL. */
struct blob *store_pending_get(const struct store_pending *pending, struct slice row_key);
/* store_pending_end drops the entry if it is still the one of `write`: it is committed now (or
 * failed). */
void store_pending_end(struct store_pending *pending, struct slice row_key, uint64_t write);
/* store_pending_count counts the entries. */
uint32_t store_pending_count(const struct store_pending *pending);

/* --- records committed last (store_recent.c), in front of an engine. Only what was reported
 * durable is put in, so a client may see it; whoever reopens the store clears it. */

struct store_recent;
/* store_recent_new makes an empty table of `slots` (a power of two); `seed` keys its hash. NULL: no
 * memory. */
struct store_recent *store_recent_new(uint32_t slots, const uint8_t seed[HASH_SEED_SIZE]);
void store_recent_delete(struct store_recent *recent);
/* store_recent_put notes that `record` is what the engine holds of `row_key` now (references are
 * taken). A large record is not kept, nor an empty one (the row is deleted), and an older one of
 * the key is forgotten. */
void store_recent_put(struct store_recent *recent, struct blob *row_key, struct blob *record);
/* store_recent_get returns the record of a key, or NULL when it is not among the recent ones. */
struct blob *store_recent_get(const struct store_recent *recent, struct slice row_key);
/* store_recent_forget drops what is kept of a key: the row is gone. */
void store_recent_forget(struct store_recent *recent, struct slice row_key);
/* store_recent_drop forgets one key: what the engine holds is to be seen. */
void store_recent_drop(struct store_recent *recent, struct slice row_key);
/* store_recent_clear forgets everything. */
void store_recent_clear(struct store_recent *recent);

/* --- the memory engine (store_memory.c): an ordered map, bounded in bytes. No durability: what it
 * promises ends with the process. */

struct store_memory;
/* store_memory_new makes an empty engine of at most `bytes_max` bytes of keys and values. */
struct store_memory *store_memory_new(uint64_t bytes_max);
void store_memory_delete(struct store_memory *memory);
/* store_memory_ports fills the five functions. `get` never answers COLD. apply answers NO_SPACE
 * above the bound. */
struct store store_memory_ports(struct store_memory *memory);
/* store_memory_rows and _bytes tell what it holds. */
uint64_t store_memory_rows(const struct store_memory *memory);
uint64_t store_memory_bytes(const struct store_memory *memory);

#endif
