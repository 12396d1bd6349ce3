/* store_index.c: the index row of a key and the way from it to the object. The index sorts keys by
 * their bytes; its value is the front of the key's hash, so that value and index key together make
 * the object's row key. It is written once, when the key comes into being. */
#include "bytes.h"
#include "store.h"

struct blob *store_index_write(struct slice index_key, uint64_t hash_front)
{
    uint8_t front[8];

    bytes_store_u64(front, hash_front);
    return store_record_write(STORE_IDX, index_key, RECORD_INDEX, slice_of(front, sizeof(front)));
}

enum status store_index_follow(const struct store *store, const struct store_row *index_row,
                               uint8_t *room, struct store_row *object_row, struct store_pin *pin)
{
    struct writer key = writer_over(room, STORE_KEY_SIZE_MAX);
    struct slice front;
    enum status status = store_record_open(STORE_IDX, index_row->key, index_row->value, &front);

    if (status != STATUS_OK)
        return status;
    write_slice(&key, front);
    write_slice(&key, index_row->key);
    if (front.size != 8 || key.is_full)
        return STATUS_CORRUPT;
    status = store->get(store->context, STORE_OBJ, writer_done(&key), pin);
    *object_row =
        (struct store_row){.family = STORE_OBJ, .key = writer_done(&key), .value = pin->value};
    return status;
}
