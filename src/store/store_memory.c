/* store_memory.c: the engine of the simulator, of tests and of cache-only peers. Every family is a
 * skip list in key order (Pugh, "Skip lists: a probabilistic alternative to balanced trees",
 * 1990), for scans. OBJ rows are also in a hash table, because a local GET is a point read:
 *
 *   head --------------------> c ------------------------> (level 1)
 *   head ------> a ----------> c ------> d --------------> (level 0)
 *   buckets  [ ] [a -> d] [ ] [c]
 *
 * The row key of OBJ begins with 8 bytes of a keyed hash, shared by all elements of a collection;
 * the rest of the key is stirred into them. Only somebody who knows the cluster's hash seed knows
 * where it begins, and could make rows collide.
 *
 * A batch is applied row by row with a log of how to go back: all or nothing, exact even when a
 * batch names one key twice. Values are blobs; a pinned row is a reference, so a reader keeps what
 * it has while the row is replaced. */
#include "store.h"

#include <stdlib.h>

#include "bytes.h"
#include "ensure.h"
#include "prng.h"

#define LEVELS_MAX 16     /* 4^16 rows: more than fit any memory */
#define BUCKETS_MIN 1024u /* a small start: the simulator has thousands of engines */
#define FRONT_SIZE 8u     /* bytes of hash at the front of an OBJ row key */

struct store_memory_row {
    struct store_memory_row *in_bucket; /* next row of the hash bucket (OBJ only) */
    struct blob *value;                 /* owned reference; NULL: an empty value */
    uint32_t key_size;                  /* bytes */
    uint32_t height;                    /* levels of the skip list it is on, 1 to LEVELS_MAX */
    struct store_memory_row *next[];    /* `height` links, then the key */
};

struct store_memory {
    struct store_memory_row *heads[STORE_FAMILY_COUNT][LEVELS_MAX];
    struct store_memory_row **buckets; /* owned, mask + 1 of them */
    uint32_t mask;
    uint64_t objects;          /* rows in the hash table */
    uint64_t rows;             /* in all families */
    uint64_t bytes, bytes_max; /* of keys and values */
    struct prng prng;          /* draws heights; the seed is a constant, heights are no secret */
};

/* How to take back one applied row: `is_new`: unlink it; `is_delete`: link it again; else swap the
 * old value back in. */
struct store_memory_undo {
    struct store_memory_row *row;
    struct blob *old; /* owned reference */
    enum store_family family;
    bool is_new, is_delete;
};

static struct slice store_memory_key(const struct store_memory_row *row)
{
    return slice_of(row->next + row->height, row->key_size);
}

static uint64_t store_memory_size(const struct store_memory_row *row)
{
    return row->key_size + blob_slice(row->value).size;
}

/* --- the hash table over OBJ */

static struct store_memory_row **store_memory_bucket(const struct store_memory *memory,
                                                     struct slice key)
{
    uint64_t hash = 0;

    /* Rows of one peer share leading bits (its partitions), so they are spread by a multiplication
     * with an odd constant (2^64 divided by the golden ratio). */
    for (size_t at = 0; at < key.size; at += FRONT_SIZE) {
        uint8_t part[FRONT_SIZE] = {0};

        memcpy(part, key.data + at, key.size - at < FRONT_SIZE ? key.size - at : FRONT_SIZE);
        hash = (hash ^ hash >> 29 ^ bytes_load_u64(part)) * 0x9e3779b97f4a7c15u;
    }
    return &memory->buckets[hash >> 32 & memory->mask];
}

static struct store_memory_row *store_memory_find_hashed(const struct store_memory *memory,
                                                         struct slice key)
{
    struct store_memory_row *row = *store_memory_bucket(memory, key);

    while (row != NULL && !slice_equal(store_memory_key(row), key))
        row = row->in_bucket;
    return row;
}

/* A table that cannot grow gets slower, not wrong. */
static void store_memory_grow(struct store_memory *memory)
{
    uint32_t old_mask = memory->mask;
    struct store_memory_row **old = memory->buckets, **new;

    if (memory->objects <= old_mask || old_mask >= UINT32_MAX / 4)
        return;
    new = calloc(((size_t)old_mask + 1) * 2, sizeof *new);
    if (new == NULL)
        return;
    memory->buckets = new;
    memory->mask = old_mask * 2 + 1;
    for (uint32_t i = 0; i <= old_mask; i++) {
        for (struct store_memory_row *row = old[i], *next; row != NULL; row = next) {
            struct store_memory_row **bucket = store_memory_bucket(memory, store_memory_key(row));

            next = row->in_bucket;
            row->in_bucket = *bucket;
            *bucket = row;
        }
    }
    free(old);
}

static void store_memory_hash(struct store_memory *memory, struct store_memory_row *row)
{
    struct store_memory_row **bucket;

    memory->objects++;
    store_memory_grow(memory);
    bucket = store_memory_bucket(memory, store_memory_key(row));
    row->in_bucket = *bucket;
    *bucket = row;
}

static void store_memory_unhash(struct store_memory *memory, struct store_memory_row *row)
{
    struct store_memory_row **link = store_memory_bucket(memory, store_memory_key(row));

    while (*link != row) {
        ensure(*link != NULL);
        link = &(*link)->in_bucket;
    }
    *link = row->in_bucket;
    memory->objects--;
}

/* --- the skip list */

/* Fills `links[level]` with the link that passes over `key` on each level, and returns the first
 * row whose key is not below it. */
static struct store_memory_row *store_memory_seek(struct store_memory *memory,
                                                  enum store_family family, struct slice key,
                                                  struct store_memory_row **links[LEVELS_MAX])
{
    struct store_memory_row **tower = memory->heads[family];

    for (unsigned level = LEVELS_MAX; level-- > 0;) {
        while (tower[level] != NULL && slice_compare(store_memory_key(tower[level]), key) < 0)
            tower = tower[level]->next;
        links[level] = &tower[level];
    }
    return *links[0];
}

static struct store_memory_row *store_memory_find(struct store_memory *memory,
                                                  enum store_family family, struct slice key)
{
    SCRATCH struct store_memory_row **links[LEVELS_MAX];
    struct store_memory_row *row;

    if (family == STORE_OBJ)
        return store_memory_find_hashed(memory, key);
    row = store_memory_seek(memory, family, key, links);
    return row != NULL && slice_equal(store_memory_key(row), key) ? row : NULL;
}

static void store_memory_link(struct store_memory *memory, enum store_family family,
                              struct store_memory_row *row)
{
    struct store_memory_row **links[LEVELS_MAX];

    store_memory_seek(memory, family, store_memory_key(row), links);
    for (uint32_t level = 0; level < row->height; level++) {
        row->next[level] = *links[level];
        *links[level] = row;
    }
    if (family == STORE_OBJ)
        store_memory_hash(memory, row);
    memory->rows++;
    memory->bytes += store_memory_size(row);
}

static void store_memory_unlink(struct store_memory *memory, enum store_family family,
                                struct store_memory_row *row)
{
    struct store_memory_row **links[LEVELS_MAX];

    ensure(store_memory_seek(memory, family, store_memory_key(row), links) == row);
    for (uint32_t level = 0; level < row->height; level++)
        *links[level] = row->next[level];
    if (family == STORE_OBJ)
        store_memory_unhash(memory, row);
    memory->rows--;
    memory->bytes -= store_memory_size(row);
}

static struct store_memory_row *store_memory_row_new(struct store_memory *memory, struct slice key,
                                                     struct blob *value)
{
    uint64_t bits = prng_next(&memory->prng);
    uint32_t height = 1;
    struct store_memory_row *row;

    for (; height < LEVELS_MAX && (bits & 3) == 0; bits >>= 2)
        height++;
    row = calloc(1, sizeof *row + height * sizeof row->next[0] + key.size);
    if (row == NULL)
        return NULL;
    row->height = height;
    row->key_size = (uint32_t)key.size;
    row->value = value;
    if (key.size > 0)
        memcpy(row->next + height, key.data, key.size);
    return row;
}

static void store_memory_row_free(struct store_memory_row *row)
{
    blob_drop(&row->value);
    free(row);
}

/* --- batches */

static void store_memory_swap(struct store_memory *memory, struct store_memory_row *row,
                              struct blob *value)
{
    memory->bytes -= blob_slice(row->value).size;
    row->value = value;
    memory->bytes += blob_slice(value).size;
}

/* Applies one put and fills `undo`; false when memory is out: nothing is changed then. */
static bool store_memory_put(struct store_memory *memory, const struct store_row *row,
                             struct store_memory_undo *undo)
{
    struct store_memory_row *found = store_memory_find(memory, row->family, row->key);
    struct blob *value = row->value.size > 0 ? blob_copy(row->value) : NULL;

    if (value == NULL && row->value.size > 0)
        return false;
    if (found != NULL) {
        undo->row = found;
        undo->old = found->value;
        store_memory_swap(memory, found, value);
        return true;
    }
    undo->row = store_memory_row_new(memory, row->key, value);
    if (undo->row == NULL) {
        blob_drop(&value);
        return false;
    }
    undo->is_new = true;
    store_memory_link(memory, row->family, undo->row);
    return true;
}

static void store_memory_remove(struct store_memory *memory, const struct store_row *row,
                                struct store_memory_undo *undo)
{
    struct store_memory_row *found = store_memory_find(memory, row->family, row->key);

    if (found == NULL)
        return;
    undo->row = found;
    undo->is_delete = true;
    store_memory_unlink(memory, row->family, found);
}

static void store_memory_rollback(struct store_memory *memory, struct store_memory_undo *undo,
                                  uint32_t count)
{
    while (count-- > 0) {
        struct store_memory_undo *step = &undo[count];

        if (step->row == NULL)
            continue;
        if (step->is_new) {
            store_memory_unlink(memory, step->family, step->row);
            store_memory_row_free(step->row);
        } else if (step->is_delete) {
            store_memory_link(memory, step->family, step->row);
        } else {
            struct blob *new = step->row->value;

            store_memory_swap(memory, step->row, step->old);
            blob_drop(&new);
        }
    }
}

/* Rows deleted in a batch are freed only here: a later row of the batch may fail. */
static void store_memory_settle(struct store_memory_undo *undo, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (undo[i].row == NULL || undo[i].is_new)
            continue;
        blob_drop(&undo[i].old);
        if (undo[i].is_delete)
            store_memory_row_free(undo[i].row);
    }
}

static enum status store_memory_apply(void *context, const struct store_row *rows, uint32_t count)
{
    struct store_memory *memory = context;
    struct store_memory_undo *undo = calloc(count > 0 ? count : 1, sizeof *undo);
    uint64_t bytes_before = memory->bytes;
    uint32_t done = 0;
    bool is_ok = undo != NULL;

    for (; is_ok && done < count; done++) {
        ensure(rows[done].family < STORE_FAMILY_COUNT);
        undo[done].family = rows[done].family;
        if (rows[done].is_delete)
            store_memory_remove(memory, &rows[done], &undo[done]);
        else
            is_ok = store_memory_put(memory, &rows[done], &undo[done]);
    }
    /* A batch that frees bytes passes above the bound too: that is how one gets below it. */
    if (memory->bytes > memory->bytes_max && memory->bytes > bytes_before)
        is_ok = false;
    if (is_ok)
        store_memory_settle(undo, done);
    else if (undo != NULL)
        store_memory_rollback(memory, undo, done);
    free(undo);
    return is_ok ? STATUS_OK : STATUS_NO_SPACE;
}

/* --- the other four of five */

static enum status store_memory_get(void *context, enum store_family family, struct slice key,
                                    struct store_pin *pin)
{
    struct store_memory_row *row = store_memory_find(context, family, key);

    if (row == NULL)
        return STATUS_MISSING;
    pin->handle = blob_take(row->value);
    pin->value = blob_slice(row->value);
    return STATUS_OK;
}

static void store_memory_release(void *context, struct store_pin *pin)
{
    struct blob *blob = pin->handle;

    (void)context;
    blob_drop(&blob);
    *pin = (struct store_pin){.handle = NULL};
}

static enum status store_memory_scan(void *context, const struct store_range *range,
                                     store_visit *visit, void *visit_context)
{
    struct store_memory_row **links[LEVELS_MAX];
    struct store_memory_row *row = store_memory_seek(context, range->family, range->from, links);
    uint64_t bytes = 0;

    for (uint32_t rows = 0;; rows++, row = row->next[0]) {
        struct store_row found = {.family = range->family};
        uint64_t size;

        if (row == NULL)
            return STATUS_END;
        found.key = store_memory_key(row);
        if (range->until.size > 0 && slice_compare(found.key, range->until) >= 0)
            return STATUS_END;
        found.value = blob_slice(row->value);
        size = found.key.size + found.value.size;
        if (rows == range->rows_max || (rows > 0 && bytes + size > range->bytes_max))
            return STATUS_OK;
        bytes += size;
        if (!visit(visit_context, &found))
            return STATUS_OK;
    }
}

static enum status store_memory_checkpoint(void *context, const char *directory)
{
    (void)context;
    (void)directory;
    return STATUS_UNSUPPORTED;
}

struct store_memory *store_memory_new(uint64_t bytes_max)
{
    struct store_memory *memory = calloc(1, sizeof *memory);

    if (memory == NULL)
        return NULL;
    memory->mask = BUCKETS_MIN - 1;
    memory->bytes_max = bytes_max;
    prng_init(&memory->prng, 1);
    memory->buckets = calloc(BUCKETS_MIN, sizeof(struct store_memory_row *));
    if (memory->buckets == NULL) {
        free(memory);
        return NULL;
    }
    return memory;
}

void store_memory_delete(struct store_memory *memory)
{
    if (memory == NULL)
        return;
    for (unsigned family = 0; family < STORE_FAMILY_COUNT; family++) {
        struct store_memory_row *row = memory->heads[family][0];

        while (row != NULL) {
            struct store_memory_row *next = row->next[0];

            store_memory_row_free(row);
            row = next;
        }
    }
    free(memory->buckets);
    free(memory);
}

struct store store_memory_ports(struct store_memory *memory)
{
    return (struct store){
        .get = store_memory_get,
        .release = store_memory_release,
        .apply = store_memory_apply,
        .scan = store_memory_scan,
        .checkpoint = store_memory_checkpoint,
        .context = memory,
    };
}

uint64_t store_memory_rows(const struct store_memory *memory)
{
    return memory->rows;
}

uint64_t store_memory_bytes(const struct store_memory *memory)
{
    return memory->bytes;
}
