/* store_key.c: the layout of row keys. An OBJ row key begins with the front of the key hash, so
 * that a partition is one contiguous range of rows (front.h: what it is for classes of replicas):
 *
 *   obj   | h5: 5 bytes | ns: up to 64 bytes, each above 7 | class | row name |
 *   idx   | ns | class | key |
 *
 *   row name   key: up to 1024 bytes, none of them zero
 *              key | 0 | path: an element of the collection at this key, up to 2304 bytes of path
 *
 * The class, 0 to 7, ends the namespace, the first zero byte behind it the key: two different (ns,
 * key, path) never give one row key, and all elements of a key are one range of rows behind it.
 * Elements have no idx row: a listing shows keys. */
#include "store.h"

#include "bytes.h"
#include "ensure.h"
#include "front.h"

#define FRONT_SIZE HASH_FRONT_SIZE /* bytes of the key hash in a row key */
#define FRONT_BITS 64u             /* of the bounds of a range */

_Static_assert(CELL_DEPTH_MAX + PARTITION_BITS_MAX <= 8 * HASH_FRONT_SIZE,
               "a partition is a range of row keys");

struct slice store_name_key(struct slice name)
{
    const uint8_t *zero = name.size > 0 ? memchr(name.data, 0, name.size) : NULL;

    return zero == NULL ? name : slice_of(name.data, (size_t)(zero - name.data));
}

bool store_name_is_element(struct slice name)
{
    return store_name_key(name).size < name.size;
}

bool store_name_is_sound(struct slice name)
{
    size_t size = store_name_key(name).size;

    return name.size <= ROW_NAME_SIZE_MAX && size > 0 && size <= KEY_SIZE_MAX;
}

static struct slice store_key_write(struct writer *writer, struct slice ns, unsigned class,
                                    struct slice key)
{
    ensure(ns.size <= NS_SIZE_MAX && key.size <= ROW_NAME_SIZE_MAX);
    ensure(ns.size == 0 || memchr(ns.data, 0, ns.size) == NULL);
    write_slice(writer, ns);
    write_u8(writer, (uint8_t) class);
    write_slice(writer, key);
    ensure(!writer->is_full);
    return writer_done(writer);
}

struct slice store_key_obj(uint64_t hash_front, struct slice ns, struct slice key, uint8_t *into)
{
    struct writer writer = writer_over(into, STORE_KEY_SIZE_MAX);

    write_u8(&writer, (uint8_t)(hash_front >> 56));
    write_u32(&writer, (uint32_t)(hash_front >> 24));
    return store_key_write(&writer, ns, front_mark(hash_front), key);
}

struct slice store_key_idx(struct slice ns, struct slice key, uint8_t *into)
{
    struct writer writer = writer_over(into, STORE_KEY_SIZE_MAX);

    return store_key_write(&writer, ns, 0, key);
}

enum status store_key_split(struct slice row_key, uint64_t *hash_front, struct slice *ns,
                            struct slice *key)
{
    const uint8_t *rest;
    size_t rest_size, ns_size = 0;

    if (row_key.size <= FRONT_SIZE || row_key.size > STORE_KEY_SIZE_MAX)
        return STATUS_BAD;
    rest = row_key.data + FRONT_SIZE;
    rest_size = row_key.size - FRONT_SIZE;
    while (ns_size < rest_size && rest[ns_size] >= FRONT_CLASSES)
        ns_size++;
    *hash_front = 0;
    for (unsigned i = 0; i < FRONT_SIZE; i++)
        *hash_front |= (uint64_t)row_key.data[i] << (FRONT_BITS - 8 * (i + 1));
    if (ns_size == rest_size || ns_size > NS_SIZE_MAX || rest[ns_size] != front_mark(*hash_front))
        return STATUS_BAD;
    *ns = slice_of(rest, ns_size);
    *key = slice_of(rest + ns_size + 1, rest_size - ns_size - 1);
    return store_name_is_sound(*key) ? STATUS_OK : STATUS_BAD;
}

struct slice store_key_listed(struct slice row_key)
{
    struct slice ns, name;
    uint64_t front;

    if (store_key_split(row_key, &front, &ns, &name) != STATUS_OK || store_name_is_element(name))
        return SLICE_NONE;
    return slice_of(row_key.data + FRONT_SIZE, row_key.size - FRONT_SIZE);
}

bool store_key_partition(uint64_t cell_prefix, unsigned cell_depth, unsigned bits,
                         uint32_t partition, uint8_t bounds[16])
{
    const struct front_cut cut = {.bits = bits, .cell_depth = cell_depth};
    uint64_t cell =
        cell_depth == 0 ? 0 : cell_prefix >> (FRONT_BITS - cell_depth) << (FRONT_BITS - cell_depth);
    uint64_t first, last;

    ensure(cell_depth + bits <= 8 * FRONT_SIZE && bits <= PARTITION_BITS_MAX);
    front_range(&cut, partition, &first, &last);
    bytes_store_u64(bounds, cell | first);
    bytes_store_u64(bounds + 8, (cell | last) + 1);
    return (cell | last) != UINT64_MAX;
}
