/* node_hint_keep.c: hints outlive the process as rows of their own, `hint | owner id8 | OBJ row
 * key`
 * -> when the write was missed. They are written behind, up to 256 at a time, and wait for nobody:
 * a crash loses those of the last tick, and comparing finds what they stood for. */
#include "hint/node_hint.h"
#include "node_parts.h"

#define KEEP_ROWS 256u            /* of one batch */
#define KEEP_BYTES_MAX (1u << 20) /* of one page that is read at the start */

static struct slice keep_key(uint64_t owner, struct slice row_key, uint8_t room[STORE_KEY_SIZE_MAX])
{
    struct writer out = writer_over(room, STORE_KEY_SIZE_MAX);

    write_u64(&out, owner);
    write_slice(&out, row_key);
    return writer_done(&out);
}

/* The row of a hint is to go; without room for that the hint is given once more after a start. */
void node_hint_gone(struct node *node, uint64_t owner, struct slice row_key)
{
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice key = keep_key(owner, row_key, room);
    uint8_t size[2] = {(uint8_t)(key.size >> 8), (uint8_t)key.size};

    if (buffer_reserve(&node->hints->gone, key.size + sizeof(size))) {
        (void)buffer_append(&node->hints->gone, size, sizeof(size));
        (void)buffer_append(&node->hints->gone, key.data, key.size);
    }
}

static void keep_row(struct node *node, const struct hint *hint, struct store_row *row)
{
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    uint8_t body[8];
    struct blob *record;

    bytes_store_u64(body, hint->made_ms);
    row->family = STORE_HINT;
    row->key = effects_copy(node->fx, keep_key(hint->owner->id8, hint_key(hint), room));
    record = store_record_write(STORE_HINT, row->key, slice_of(body, sizeof(body)));
    ensure(record != NULL);
    effects_hold_blob(node->fx, record);
    row->value = blob_slice(record);
}

/* Writes what came and went since the last tick. A hint may go and come again in that time: rows
 * are deleted first. */
void node_hint_save(struct node *node)
{
    struct node_hints *hints = node->hints;
    struct reader in = reader_over(slice_of(hints->gone.data, hints->gone.size));
    struct store_row *rows;
    struct hint *hint = NULL;
    uint32_t count = 0;

    /* One place among the writes is left for others. */
    if (node->is_read_only || pool_used(&node->writes) + 1 >= node->writes.capacity)
        return;
    rows = effects_alloc(node->fx, KEEP_ROWS * sizeof(*rows));
    while (count < KEEP_ROWS && reader_left(&in) > 0)
        rows[count++] =
            (struct store_row){.family = STORE_HINT,
                               .is_delete = true,
                               .key = effects_copy(node->fx, read_slice(&in, read_u16(&in)))};
    buffer_consume(&hints->gone, in.at);
    while (count < KEEP_ROWS && (hint = hint_unsaved(hints->books)))
        keep_row(node, hint, &rows[count++]);
    node_write_rows(node, rows, count);
}

/* Writes were lost: everything is written again. */
void node_hints_unsave(struct node *node)
{
    if (node->hints)
        hints_unsave(node->hints->books);
}

/* --- the start */

void node_hint_load(struct node *node)
{
    uint8_t room[STORE_KEY_SIZE_MAX + 1];
    struct writer from = writer_over(room, sizeof(room));
    struct store_range range = {
        .family = STORE_HINT, .rows_max = SCAN_ROWS_MAX, .bytes_max = KEEP_BYTES_MAX};

    if (node->hints->is_loading)
        return;
    if (node->hints->after) {
        write_slice(&from, blob_slice(node->hints->after));
        write_u8(&from, 0);
        range.from = writer_done(&from);
    }
    node->hints->is_loading = node_read_start(node, READ_HINT, &range) != NULL;
}

static void keep_loaded_row(struct node *node, const struct store_row *row)
{
    struct hint_row hint = {.is_saved = true};
    struct slice body, ns, name;
    uint64_t front;

    if (row->key.size <= 8 ||
        store_record_open(STORE_HINT, row->key, row->value, &body) != STATUS_OK || body.size != 8)
        return; /* damaged: comparing finds what it stood for */
    hint.owner = bytes_load_u64(row->key.data);
    hint.key = slice_of(row->key.data + 8, row->key.size - 8);
    hint.made_ms = bytes_load_u64(body.data);
    if (store_key_split(hint.key, &front, &ns, &name) != STATUS_OK)
        return;
    hint.partition = place_partition(node->place, front);
    node_hint_add(node, &hint);
}

void node_hint_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    enum status status = event->loaded.status;
    struct node_hints *hints = node->hints;

    node_read_end(node, read);
    for (uint32_t i = 0; i < event->loaded.count; i++)
        keep_loaded_row(node, &event->loaded.rows[i]);
    hints->is_loading = false;
    blob_drop(&hints->after);
    if (status == STATUS_OK && event->loaded.count > 0) {
        hints->after = blob_copy(event->loaded.rows[event->loaded.count - 1].key);
        node_hint_load(node);
        return;
    }
    hints->is_loaded = true; /* what cannot be read is left to anti-entropy */
}
