/* node_page.c: one peer's part of a listing: a page of its index under one layout. Rows of
 * partitions it does not own are passed over, for what a former owner still has may be older than
 * anybody's memory of it; and a page during which the layout changed is refused, or one peer might
 * stop counting a partition before the next one begins to. */
#include "node_impl.h"
#include "node_parts.h"

#define PAGE_BYTES_MAX (1u << 20) /* bytes of one peer's page */

/* Tells whether this peer is among the owners of a row. */
static bool page_owns(struct node *node, uint64_t front)
{
    struct place_owners owners;

    place_owners(node->place, place_partition(node->place, front), &owners);
    return place_owners_find(&owners, node->self) >= 0;
}

static void list_answer(struct node *node, uint64_t peer, uint64_t request, enum status status,
                        const struct node_read *read)
{
    struct slice items = read ? slice_of(read->rows.data, read->rows.size) : SLICE_NONE;
    bool is_last = read && read->is_last;

    if (peer == node->self) {
        struct quorum_answer answer = {
            .from = peer, .status = status, .items = items, .is_last = is_last};

        quorum_rows(node->quorum, node->now, request, &answer);
        return;
    }

    struct message rows = {.kind = MESSAGE_ROWS,
                           .rows = {.status = (uint8_t)status,
                                    .is_last = is_last,
                                    .layout = node->place ? place_layout(node->place) : 0,
                                    .items = items}};

    node_send_reply(node, peer, request, &rows);
}

/* The index row of a name of the listed namespace: what follows the front in a row key. */
static struct slice list_index(const struct node *node, const struct message_list *list,
                               struct slice name, uint8_t room[STORE_KEY_SIZE_MAX])
{
    struct slice key = store_key_obj(node_front(node, list->ns, name), list->ns, name, room);

    return slice_of(key.data + HASH_FRONT_SIZE, key.size - HASH_FRONT_SIZE);
}

/* Makes the half-open range of index rows behind `after` that begin with `prefix`. */
static void list_range(struct node *node, const struct message_list *list,
                       struct store_range *range, struct slice *until)
{
    uint8_t room[STORE_KEY_SIZE_MAX + 1];
    struct slice low = list_index(node, list, list->prefix, room);
    uint8_t *high = effects_alloc(node->fx, low.size);
    size_t size = low.size;

    memcpy(high, low.data, low.size);
    while (size > 0 && high[size - 1] == 0xff)
        size--;
    if (size > 0)
        high[size - 1]++;
    *until = slice_of(high, size);
    if (slice_compare(list->after, list->prefix) >= 0 && list->after.size) {
        low = list_index(node, list, list->after, room);
        room[HASH_FRONT_SIZE + low.size++] = 0; /* the smallest key behind it */
    }
    *range = (struct store_range){.family = STORE_IDX,
                                  .is_joined = true,
                                  .from = effects_copy(node->fx, low),
                                  .until = *until,
                                  .rows_max = SCAN_ROWS_MAX,
                                  .bytes_max = PAGE_BYTES_MAX};
}

static void list_scan(struct node *node, uint64_t peer, uint64_t request,
                      const struct message_list *list)
{
    struct store_range range;
    struct slice until;
    struct node_read *read;

    list_range(node, list, &range, &until);
    if (list->limit < range.rows_max)
        range.rows_max = list->limit + 1;
    read = node_read_start(node, READ_LIST, &range);
    if (!read) {
        list_answer(node, peer, request, STATUS_OVERLOAD, NULL);
        return;
    }
    read->peer = peer;
    read->request = request;
    read->limit = list->limit;
    read->layout = list->layout;
    read->until = blob_copy(until);
    buffer_init(&read->rows, 2 * PAGE_BYTES_MAX);
}

void node_list_asked(struct node *node, uint64_t peer, const struct frame *frame,
                     const struct message *message)
{
    const struct message_list *list = &message->list;
    enum status status = STATUS_OK;

    if (node->phase != NODE_OPEN || !node->is_founded)
        status = STATUS_NOT_READY;
    else if (list->layout != place_layout(node->place))
        status = STATUS_LAYOUT;
    else if (node->is_recovering)
        status = STATUS_RECOVERING;
    if (status == STATUS_LAYOUT)
        node_table_soon(node, peer);
    if (status == STATUS_OK)
        list_scan(node, peer, frame->request, list);
    else
        list_answer(node, peer, frame->request, status, NULL);
}

/* Packs one object row as (key length u16 | key | length u32 | head). False: the page is full, or
 * must not count (is_bad): who trusts it would take a damaged row for missing. */
static bool list_pack(struct node *node, struct node_read *read, const struct store_row *row)
{
    struct crdt_object *object = &node->object_a;
    struct slice body, ns, key;
    uint64_t front;
    size_t size;
    uint8_t *room;
    struct writer out;

    if (row->family == STORE_IDX)
        node_index_bad(node, row);
    else if (store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
             store_key_split(row->key, &front, &ns, &key) != STATUS_OK ||
             crdt_object_decode(body, object) != STATUS_OK)
        node_row_bad(node, row->key);
    read->is_bad = row->family == STORE_IDX || node_row_is_bad(node, row->key);
    if (read->is_bad)
        return false;
    if (!page_owns(node, front))
        return true;
    if (read->count >= read->limit)
        return false;
    crdt_object_strip(object);
    size = 6 + key.size + crdt_object_size(object);
    room = buffer_reserve(&read->rows, size);
    if (!room)
        return false;
    out = writer_over(room, size);
    write_u16(&out, (uint16_t)key.size);
    write_slice(&out, key);
    write_u32(&out, (uint32_t)crdt_object_size(object));
    if (crdt_object_encode(object, &out) != STATUS_OK)
        ensure_unreachable();
    read->rows.size += out.size;
    read->count++;
    return true;
}

void node_list_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    enum status status = event->loaded.status;
    const struct store_row *last = NULL;
    bool is_full = false;

    for (uint32_t i = 0; i < event->loaded.count && !is_full; i++) {
        last = &event->loaded.rows[i];
        is_full = !list_pack(node, read, last);
    }
    is_full |= read->rows.size >= PAGE_BYTES_MAX;
    if (status == STATUS_OK && last && !is_full) {
        uint8_t room[STORE_KEY_SIZE_MAX + 1];
        struct writer out = writer_over(room, sizeof(room));

        write_slice(&out, store_key_listed(last->key));
        write_u8(&out, 0);

        struct store_range range = {.family = STORE_IDX,
                                    .is_joined = true,
                                    .from = writer_done(&out),
                                    .until = blob_slice(read->until),
                                    .rows_max = SCAN_ROWS_MAX,
                                    .bytes_max = PAGE_BYTES_MAX};

        node_read_page(node, read, &range);
        return;
    }
    read->is_last = !is_full;
    if (read->is_bad)
        status = STATUS_CORRUPT;
    if (status == STATUS_END)
        status = STATUS_OK;
    if (read->layout != place_layout(node->place))
        status = STATUS_LAYOUT;
    list_answer(node, read->peer, read->request, status, read);
    node_read_end(node, read);
}
