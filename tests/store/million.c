/* million.c: fills a stopped peer's store with N keys of 100-byte values, as fast as it takes them,
 * and says what a key costs on disk beside its name and value: computed from the rows, and measured
 * from the files. For `tests/store/million.sh`; not part of `make check`. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bytes.h"
#include "crdt.h"
#include "ensure.h"
#include "host_rocks.h"
#include "store.h"

#define BATCH 1000u
#define VALUE 100u
#define ENGINE 11u /* bytes RocksDB adds to a row: sequence number and type 8, lengths about 3 */

struct loaded {
    uint64_t rows, names, stored; /* rows; bytes of key names; of all keys and values */
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The rows of key `number`: the object as a coordinator writes it, and its index row. */
static void make(uint64_t number, struct store_row rows[2], struct blob *blobs[3],
                 struct loaded *loaded)
{
    static struct crdt_object object;
    uint8_t room[STORE_KEY_SIZE_MAX], body[VALUE], bytes[512];
    struct crdt_value value = {.kind = CRDT_VALUE, .body_size = VALUE};
    struct writer out = writer_over(bytes, sizeof bytes);
    uint64_t stamp = (1790000000000u + number) << 16 | (number % 4 < 3 ? 0 : 2 * (number % 100));
    char name[32];

    (void)snprintf(name, sizeof name, "user/%010llu", (unsigned long long)number);
    for (unsigned i = 0; i < VALUE; i++)
        body[i] = (uint8_t)(mix(number * VALUE + i) & 0xff);
    value.body = slice_of(body, sizeof body);
    crdt_object_clear(&object);
    ensure(crdt_object_write(&object, NULL, mix(7) >> 16, stamp, &value) == STATUS_OK);
    ensure(crdt_object_encode(&object, &out) == STATUS_OK);
    blobs[0] = blob_copy(store_key_obj(mix(number + 1), slice_text("app"), slice_text(name), room));
    blobs[1] = store_record_write(STORE_OBJ, blob_slice(blobs[0]), writer_done(&out));
    blobs[2] = blob_copy(store_key_idx(slice_text("app"), slice_text(name), room));
    for (unsigned i = 0; i < 3; i++)
        ensure(blobs[i] != NULL);
    rows[0] = (struct store_row){
        .family = STORE_OBJ, .key = blob_slice(blobs[0]), .value = blob_slice(blobs[1])};
    rows[1] = (struct store_row){.family = STORE_IDX, .key = blob_slice(blobs[2])};
    loaded->rows += 2;
    loaded->stored += rows[0].key.size + rows[0].value.size + rows[1].key.size + 2 * ENGINE;
    loaded->names += strlen(name);
}

static void load(const struct store *store, uint64_t keys, struct loaded *loaded)
{
    static struct store_row rows[2 * BATCH];
    static struct blob *blobs[3 * BATCH];

    for (uint64_t first = 0; first < keys; first += BATCH) {
        uint32_t count = 0;

        for (uint64_t i = first; i < first + BATCH && i < keys; i++, count++)
            make(i, rows + (size_t)2 * count, blobs + (size_t)3 * count, loaded);
        ensure(store->apply(store->context, rows, 2 * count) == STATUS_OK);
        for (uint32_t i = 0; i < 3 * count; i++)
            blob_drop(&blobs[i]);
    }
}

static uint64_t tables(const char *directory)
{
    char path[HOST_PATH_SIZE];
    struct dirent *entry;
    uint64_t size = 0;
    struct stat info;
    DIR *entries;

    (void)snprintf(path, sizeof path, "%s/db", directory);
    entries = opendir(path);
    ensure(entries != NULL);
    while ((entry = readdir(entries)) != NULL) {
        (void)snprintf(path, sizeof path, "%s/db/%.60s", directory, entry->d_name);
        if (strstr(entry->d_name, ".sst") != NULL && stat(path, &info) == 0)
            size += (uint64_t)info.st_size;
    }
    closedir(entries);
    return size;
}

static struct host_rocks *open_in(const char *directory)
{
    static const struct host_rocks_options options = {.cache_size = 64u << 20};
    char detail[HOST_DETAIL_SIZE];
    struct host_rocks *rocks;
    bool is_recovering;

    if (host_rocks_open(&rocks, directory, &options, &is_recovering, detail) == STATUS_OK)
        return rocks;
    (void)fprintf(stderr, "%s\n", detail);
    exit(1);
}

int main(int count, char **arguments)
{
    uint64_t keys = count == 3 ? strtoull(arguments[2], NULL, 10) : 0, size;
    struct loaded loaded = {0};
    struct host_rocks *rocks;
    struct store store;

    if (keys == 0) {
        (void)fprintf(stderr, "usage: million DATA-DIRECTORY KEYS\n");
        return 2;
    }
    rocks = open_in(arguments[1]);
    store = host_rocks_ports_blocking(rocks);
    load(&store, keys, &loaded);
    host_rocks_close(rocks);
    host_rocks_close(open_in(arguments[1])); /* the log becomes tables */
    size = tables(arguments[1]);
    printf("%llu keys, %llu rows, no compression\n", (unsigned long long)keys,
           (unsigned long long)loaded.rows);
    printf("computed: %.1f bytes per key beside name and value\n",
           (double)(loaded.stored - loaded.names - keys * VALUE) / (double)keys);
    printf("measured: %.1f (tables %.1f MiB; names share prefixes, filters and index count)\n",
           ((double)size - (double)loaded.names - (double)(keys * VALUE)) / (double)keys,
           (double)size / 1048576);
    return 0;
}
