/* host_rocks.c: five functions over RocksDB. Every batch carries the seal row, which counts batches
 * and is synced with them; what it says at the next opening is compared with the file `mark`. */
#include "host_rocks_impl.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "bytes.h"
#include "host_rocks_error.h"

enum status host_rocks_take_error(char *error)
{
    enum status status = host_rocks_error(error);

    rocksdb_free(error);
    return status;
}

/* --- reading */

enum status host_rocks_get_by(struct host_rocks *rocks, rocksdb_readoptions_t *options,
                              const struct store_row *row, struct store_pin *pin)
{
    char *error = NULL;
    rocksdb_pinnableslice_t *found;
    enum status status;

    if (rocks->db == NULL)
        return STATUS_IO;
    found = rocksdb_get_pinned_cf(rocks->db, options, rocks->families[row->family],
                                  (const char *)row->key.data, row->key.size, &error);
    if (error != NULL) {
        status = host_rocks_take_error(error);
        if (status == STATUS_CORRUPT)
            atomic_store(&rocks->is_damaged, true);
        return status == STATUS_COLD || status == STATUS_CORRUPT ? status : STATUS_IO;
    }
    if (found == NULL)
        return STATUS_MISSING;
    pin->handle = found;
    pin->value.data = (const uint8_t *)rocksdb_pinnableslice_value(found, &pin->value.size);
    return STATUS_OK;
}

static enum status host_rocks_get_cached(void *context, enum store_family family, struct slice key,
                                         struct store_pin *pin)
{
    struct host_rocks *rocks = context;
    struct store_row row = {.family = family, .key = key};

    return host_rocks_get_by(rocks, rocks->settings.read_cached, &row, pin);
}

static enum status host_rocks_get_blocking(void *context, enum store_family family,
                                           struct slice key, struct store_pin *pin)
{
    struct host_rocks *rocks = context;
    struct store_row row = {.family = family, .key = key};

    return host_rocks_get_by(rocks, rocks->settings.read_blocking, &row, pin);
}

void host_rocks_release(void *context, struct store_pin *pin)
{
    (void)context;
    if (pin->handle != NULL)
        rocksdb_pinnableslice_destroy(pin->handle);
    *pin = (struct store_pin){.handle = NULL};
}

static enum status host_rocks_walk(struct host_rocks *rocks, rocksdb_iterator_t *at,
                                   const struct store_range *range, store_visit *visit,
                                   void *visit_context)
{
    uint64_t bytes = 0;

    for (uint32_t rows = 0;; rows++, rocksdb_iter_next(at)) {
        struct store_row row = {.family = range->family};
        char *error = NULL;
        uint64_t size;

        if (!rocksdb_iter_valid(at)) {
            rocksdb_iter_get_error(at, &error);
            if (error == NULL)
                return STATUS_END;
            if (host_rocks_take_error(error) != STATUS_CORRUPT)
                return STATUS_IO;
            atomic_store(&rocks->is_damaged, true);
            return STATUS_CORRUPT;
        }
        row.key.data = (const uint8_t *)rocksdb_iter_key(at, &row.key.size);
        row.value.data = (const uint8_t *)rocksdb_iter_value(at, &row.value.size);
        size = row.key.size + row.value.size;
        if (rows == range->rows_max || (rows > 0 && bytes + size > range->bytes_max))
            return STATUS_OK;
        bytes += size;
        if (!visit(visit_context, &row))
            return STATUS_OK;
    }
}

static enum status host_rocks_scan(void *context, const struct store_range *range,
                                   store_visit *visit, void *visit_context)
{
    struct host_rocks *rocks = context;
    rocksdb_readoptions_t *options;
    rocksdb_iterator_t *at;
    enum status status;

    if (rocks->db == NULL)
        return STATUS_IO;
    options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_verify_checksums(options, 1);
    if (range->is_passing)
        rocksdb_readoptions_set_fill_cache(options, 0);
    if (range->until.size > 0)
        rocksdb_readoptions_set_iterate_upper_bound(options, (const char *)range->until.data,
                                                    range->until.size);
    at = rocksdb_create_iterator_cf(rocks->db, options, rocks->families[range->family]);
    rocksdb_iter_seek(at, (const char *)range->from.data, range->from.size);
    status = host_rocks_walk(rocks, at, range, visit, visit_context);
    rocksdb_iter_destroy(at);
    rocksdb_readoptions_destroy(options);
    return status;
}

/* --- writing */

static rocksdb_writebatch_t *host_rocks_batch(struct host_rocks *rocks,
                                              const struct store_row *rows, uint32_t count)
{
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    uint8_t seal[SEAL_SIZE];

    for (uint32_t i = 0; i < count; i++) {
        rocksdb_column_family_handle_t *family = rocks->families[rows[i].family];
        const char *key = (const char *)rows[i].key.data;

        if (rows[i].is_delete)
            rocksdb_writebatch_delete_cf(batch, family, key, rows[i].key.size);
        else
            rocksdb_writebatch_put_cf(batch, family, key, rows[i].key.size,
                                      (const char *)rows[i].value.data, rows[i].value.size);
    }
    bytes_store_u64(seal, rocks->mark.commit + 1);
    seal[SEAL_SIZE - 1] = STORE_FORMAT;
    rocksdb_writebatch_put_cf(batch, rocks->families[FAMILY_DEFAULT], SEAL_KEY, sizeof SEAL_KEY - 1,
                              (const char *)seal, sizeof seal);
    return batch;
}

static enum status host_rocks_apply(void *context, const struct store_row *rows, uint32_t count)
{
    struct host_rocks *rocks = context;
    rocksdb_writebatch_t *batch;
    char *error = NULL;

    if (rocks->db == NULL || atomic_load(&rocks->is_failed))
        return STATUS_UNKNOWN_OUTCOME;
    batch = host_rocks_batch(rocks, rows, count);
    rocksdb_write(rocks->db, rocks->settings.write, batch, &error);
    rocksdb_writebatch_destroy(batch);
    if (error != NULL) {
        /* Measured: a batch whose sync failed was there after reopening. So nobody knows. */
        if (host_rocks_take_error(error) == STATUS_CORRUPT) /* a compaction met a hole */
            atomic_store(&rocks->is_damaged, true);
        atomic_store(&rocks->is_failed, true);
        return STATUS_UNKNOWN_OUTCOME;
    }
    rocks->mark.commit++;
    host_rocks_mark(rocks, false);
    return STATUS_OK;
}

static enum status host_rocks_checkpoint(void *context, const char *directory)
{
    struct host_rocks *rocks = context;
    rocksdb_checkpoint_t *checkpoint;
    char *error = NULL;

    if (rocks->db == NULL)
        return STATUS_IO;
    checkpoint = rocksdb_checkpoint_object_create(rocks->db, &error);
    if (error == NULL) {
        rocksdb_checkpoint_create(checkpoint, directory, 0, &error);
        rocksdb_checkpoint_object_destroy(checkpoint);
    }
    if (error == NULL)
        return chmod(directory, S_IRWXU) == 0 ? STATUS_OK : STATUS_IO;
    rocksdb_free(error);
    return STATUS_IO;
}

/* --- ports */

struct store host_rocks_ports(struct host_rocks *rocks)
{
    return (struct store){
        .get = host_rocks_get_cached,
        .release = host_rocks_release,
        .apply = host_rocks_apply,
        .scan = host_rocks_scan,
        .checkpoint = host_rocks_checkpoint,
        .context = rocks,
    };
}

struct store host_rocks_ports_blocking(struct host_rocks *rocks)
{
    struct store store = host_rocks_ports(rocks);

    store.get = host_rocks_get_blocking;
    return store;
}
