/* store_index.c: the index row of a key and the way from it to the object. The index sorts keys by
 * their bytes; the hash of its key leads to the object. It is written once, when the key comes into
 * being, and has no value.
 *
 * Both rows come and go in one batch. A scan sees the store as it was when it began, a get as it is
 * now; so where a scan meets one row and a get not the other, the first one is looked up as well:
 *
 *   gone, too:   both were dropped since            passed over
 *   still there: the other one is lost              given with an empty value: damage
 */
#include "bytes.h"
#include "store.h"

struct index_scan {
    const struct store *store;
    const struct store_range *range;
    store_visit *visit;
    void *context;
    uint64_t bytes;     /* given */
    uint32_t rows;      /* given */
    enum status status; /* why the scan ends early, or OK */
};

static enum status index_look(const struct store *store, const struct store_row *row)
{
    struct store_pin pin = {.handle = NULL};
    enum status status = store->get(store->context, row->family, row->key, &pin);

    if (status == STATUS_OK)
        store->release(store->context, &pin);
    return status;
}

/* `gone` was not found, its pair `other` was seen by a scan. OK: it is lost; MISSING: it was
 * dropped; COLD, IO, CORRUPT. */
static enum status index_is_lost(const struct store *store, const struct store_row *gone,
                                 const struct store_row *other)
{
    enum status status = index_look(store, other);

    if (status != STATUS_OK)
        return status;
    status = index_look(store, gone);
    if (status == STATUS_OK)
        return STATUS_MISSING; /* both are back: it was dropped, and is another one now */
    return status == STATUS_MISSING ? STATUS_OK : status;
}

static bool index_give(struct index_scan *scan, const struct store_row *row)
{
    scan->rows++;
    scan->bytes += row->key.size + row->value.size;
    return scan->visit(scan->context, row) && scan->bytes < scan->range->bytes_max;
}

/* Takes the key of an index row, ns | class | key, apart. False: nothing writes such a row. */
static bool index_split(struct slice key, const struct front_cut *cut, struct slice *ns,
                        struct slice *name)
{
    size_t size = 0;

    while (size < key.size && key.data[size] >= FRONT_CLASSES)
        size++;
    if (size == key.size || size > NS_SIZE_MAX || (key.data[size] > 0 && !front_has_classes(cut)))
        return false;
    *ns = slice_of(key.data, size);
    *name = slice_of(key.data + size + 1, key.size - size - 1);
    return store_name_is_sound(*name) && !store_name_is_element(*name);
}

bool store_index_is_sound(struct slice index_key, const struct front_cut *cut)
{
    struct slice ns, name;

    return index_split(index_key, cut, &ns, &name);
}

/* Gives the object behind an index row. */
static bool index_join(void *context, const struct store_row *row)
{
    struct index_scan *scan = context;
    const struct store *store = scan->store;
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct store_row object = {.family = STORE_OBJ};
    struct store_pin pin = {.handle = NULL};
    struct slice ns, name;
    struct hash16 hash;
    uint64_t front;
    bool goes_on;

    if (row->value.size > 0 || !index_split(row->key, &scan->range->cut, &ns, &name))
        return index_give(scan, row);
    hash = hash_key(scan->range->hash_seed, ns, name);
    front = front_of(&scan->range->cut, hash_key_front(&hash), row->key.data[ns.size]);
    object.key = store_key_obj(front, ns, name, room);
    scan->status = store->get(store->context, STORE_OBJ, object.key, &pin);
    if (scan->status == STATUS_MISSING)
        scan->status = index_is_lost(store, &object, row);
    if (scan->status != STATUS_OK) {
        goes_on = scan->status == STATUS_MISSING;
        scan->status = goes_on ? STATUS_OK : scan->status;
        return goes_on;
    }
    object.value = pin.value;
    goes_on = index_give(scan, &object);
    if (pin.handle != NULL)
        store->release(store->context, &pin);
    return goes_on;
}

/* Gives an object, and its index row where that is lost. */
static bool index_pair(void *context, const struct store_row *row)
{
    struct index_scan *scan = context;
    struct store_row index = {.family = STORE_IDX};
    enum status status;

    if (!index_give(scan, row))
        return false;
    index.key = store_key_listed(row->key);
    if (index.key.size == 0)
        return true;
    status = index_look(scan->store, &index);
    if (status == STATUS_MISSING)
        status = index_is_lost(scan->store, &index, row);
    else if (status == STATUS_OK)
        return true;
    if (status == STATUS_OK)
        return index_give(scan, &index);
    scan->status = status == STATUS_MISSING ? STATUS_OK : status;
    return status == STATUS_MISSING;
}

enum status store_index_scan(const struct store *store, const struct store_range *range,
                             store_visit *visit, void *visit_context)
{
    struct index_scan scan = {store, range, visit, visit_context, 0, 0, STATUS_OK};
    enum status status;

    if (!range->is_joined && !range->is_paired)
        return store->scan(store->context, range, visit, visit_context);
    do /* a page of nothing but dropped rows would pass for the last one */
        status =
            store->scan(store->context, range, range->is_joined ? index_join : index_pair, &scan);
    while (status == STATUS_OK && scan.status == STATUS_OK && scan.rows == 0);
    return scan.status == STATUS_OK ? status : scan.status;
}
