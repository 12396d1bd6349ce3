/* sync_fixture.h: a few peers with stores of their own and a queue between them. Nothing happens
 * inside an output: it is copied, queued and done in order by mesh_run. An object is a set of bits,
 * merging is union, so that "superset" can be checked. */
#ifndef SYNC_FIXTURE_H
#define SYNC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hash.h"
#include "prng.h"
#include "sync_private.h"
#include "wire.h"

#define MESH_PEERS 3
#define MESH_PARTITIONS 64
#define MESH_TIMEOUT INSTANT_S(5)
#define MESH_LAYOUT 77

struct mesh_row {
    uint8_t key[48]; /* short names only */
    size_t size;
    uint64_t bits;
};

struct mesh_store {
    struct mesh_row *rows; /* ascending */
    uint32_t count, capacity;
};

/* One output on its way: a message between peers, or work for a peer's own store. */
struct mesh_event {
    struct mesh_event *next;
    unsigned from;
    struct sync_output output;
    struct message message;
    uint8_t *bytes; /* owned: what the slices point to */
    size_t size;    /* of an encoded message */
};

struct mesh_peer {
    struct sync *sync;
    struct mesh_store store;
    uint64_t layout;
    uint32_t pulled[MESH_PEERS], given[MESH_PEERS], layouts, standings, ended, fetches, lists;
    uint64_t pulled_set[MESH_PEERS], given_set[MESH_PEERS];
    struct sync_output last; /* SYNC_ROUND_DONE */
    bool is_deaf;            /* what it is sent is lost */
    enum status list_status, merge_status;
    uint32_t leave_out; /* rows an AE_ITEMS leaves out at its end */
};

struct mesh {
    struct mesh_peer peers[MESH_PEERS];
    struct mesh_event *first, **last;
    struct prng prng;
    instant now;
    uint32_t sent, sent_bytes, merges_open, merges_max;
    /* Not NULL: sees every message before it is delivered. */
    void (*watch)(struct mesh *mesh, unsigned from, unsigned to, const struct message *message);
    void *watched;
};

struct mesh_ear {
    struct mesh *mesh;
    unsigned self;
};

static const uint8_t mesh_seed[HASH_SEED_SIZE] = "a seed of 16 by";
static struct mesh_ear mesh_ears[MESH_PEERS];

static inline struct hash16 mesh_print(const struct mesh_row *row)
{
    uint8_t room[STORE_KEY_SIZE_MAX + 8];

    memcpy(room, row->key, row->size);
    bytes_store_u64(room + row->size, row->bits);
    return hash_sip128(mesh_seed, room, row->size + 8);
}

static inline uint32_t mesh_partition(struct slice key)
{
    return (uint32_t)(bytes_load_u64(key.data) >> 58);
}

/* The slice of a message that says most. */
static inline struct slice *mesh_slice(struct message *message)
{
    switch ((unsigned)message->kind) {
    case MESSAGE_AE_ROOT:
        return &message->ae_root.root;
    case MESSAGE_AE_DIFF:
        return &message->ae_diff.nodes;
    case MESSAGE_AE_NODES:
        return &message->ae_nodes.nodes;
    case MESSAGE_AE_LEAF_GET:
        return message->ae_leaf_get.sums.size ? &message->ae_leaf_get.sums
                                              : &message->ae_leaf_get.prints;
    case MESSAGE_AE_LEAF:
        return message->ae_leaf.mask.size ? &message->ae_leaf.mask : &message->ae_leaf.keys;
    case MESSAGE_AE_FETCH:
        return &message->ae_fetch.keys;
    case MESSAGE_AE_ITEMS:
        return &message->ae_items.items;
    default:
        return &message->ae_done.partitions;
    }
}

/* Queues a copy: messages travel encoded. */
static inline void mesh_queue(struct mesh *mesh, unsigned from, const struct sync_output *output)
{
    struct mesh_event *event = calloc(1, sizeof(*event));
    struct slice *slice = NULL;

    event->from = from;
    event->output = *output;
    if (output->kind == SYNC_SEND) {
        struct writer out;

        event->size = wire_stream_size(output->message);
        event->bytes = malloc(event->size + 1);
        out = writer_over(event->bytes, event->size);
        assert_int_equal(wire_stream_encode(&out, output->message), STATUS_OK);
        assert_int_equal(
            wire_stream_decode((unsigned)output->message->kind, writer_done(&out), &event->message),
            STATUS_OK);
        event->output.message = &event->message;
    } else if (output->kind == SYNC_LIST) {
        slice = &event->output.after;
    } else if (output->kind == SYNC_GIVE) {
        slice = &event->output.keys;
    } else if (output->kind == SYNC_MERGE) {
        slice = &event->output.items;
    }
    if (slice) {
        event->bytes = malloc(slice->size + 1);
        memcpy(event->bytes, slice->size ? slice->data : event->bytes, slice->size);
        slice->data = event->bytes;
    }
    *mesh->last = event;
    mesh->last = &event->next;
}

static inline void mesh_emit(void *context, const struct sync_output *output)
{
    struct mesh_ear *ear = context;
    struct mesh_peer *peer = &ear->mesh->peers[ear->self];
    uint32_t other = (uint32_t)output->peer - 1;

    assert_true(other < MESH_PEERS && other != ear->self);
    switch (output->kind) {
    case SYNC_PULLED:
        assert_false(peer->pulled_set[other] >> output->partition & 1);
        peer->pulled[other]++;
        peer->pulled_set[other] |= UINT64_C(1) << output->partition;
        break;
    case SYNC_GIVEN:
        peer->given[other]++;
        peer->given_set[other] |= UINT64_C(1) << output->partition;
        break;
    case SYNC_LAYOUT:
        peer->layouts++;
        break;
    case SYNC_STANDING:
        peer->standings++;
        break;
    case SYNC_ROUND_DONE:
        peer->ended++;
        peer->last = *output;
        break;
    case SYNC_MERGE:
        if (++ear->mesh->merges_open > ear->mesh->merges_max)
            ear->mesh->merges_max = ear->mesh->merges_open;
        mesh_queue(ear->mesh, ear->self, output);
        break;
    case SYNC_LIST:
        peer->lists++;
        mesh_queue(ear->mesh, ear->self, output);
        break;
    case SYNC_SEND:
    case SYNC_GIVE:
        mesh_queue(ear->mesh, ear->self, output);
        break;
    }
}

static inline bool mesh_all_shared(void *context, uint64_t peer, uint16_t partition)
{
    (void)context;
    (void)peer;
    (void)partition;
    return true;
}

static inline void mesh_open(struct mesh *mesh, uint64_t seed)
{
    memset(mesh, 0, sizeof(*mesh));
    mesh->last = &mesh->first;
    mesh->now = INSTANT_S(1);
    prng_init(&mesh->prng, seed);
    for (unsigned i = 0; i < MESH_PEERS; i++) {
        struct sync_config config = {.partitions = MESH_PARTITIONS,
                                     .rounds_max = SYNC_ROUNDS_MAX,
                                     .serves_max = 2,
                                     .round_timeout_us = MESH_TIMEOUT,
                                     .emit = mesh_emit,
                                     .is_shared = mesh_all_shared,
                                     .context = &mesh_ears[i]};

        mesh_ears[i] = (struct mesh_ear){mesh, i};
        memcpy(config.seed, mesh_seed, sizeof(config.seed));
        mesh->peers[i].sync = sync_new(&config);
        mesh->peers[i].layout = MESH_LAYOUT;
        assert_non_null(mesh->peers[i].sync);
    }
}

static inline void mesh_event_free(struct mesh_event *event)
{
    free(event->bytes);
    free(event);
}

static inline void mesh_close(struct mesh *mesh)
{
    while (mesh->first) {
        struct mesh_event *event = mesh->first;

        mesh->first = event->next;
        mesh_event_free(event);
    }
    for (unsigned i = 0; i < MESH_PEERS; i++) {
        sync_delete(mesh->peers[i].sync);
        free(mesh->peers[i].store.rows);
    }
}

/* --- stores */

static inline uint32_t store_place(const struct mesh_store *store, struct slice key)
{
    uint32_t low = 0, high = store->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (slice_compare(slice_of(store->rows[middle].key, store->rows[middle].size), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static inline struct mesh_row *store_find(const struct mesh_store *store, struct slice key)
{
    uint32_t at = store_place(store, key);

    if (at == store->count ||
        !slice_equal(slice_of(store->rows[at].key, store->rows[at].size), key))
        return NULL;
    return &store->rows[at];
}

/* Merges `bits` into a row of a peer and reports the change as the committer does. */
static inline void mesh_put(struct mesh_peer *peer, struct slice key, uint64_t bits)
{
    struct mesh_store *store = &peer->store;
    struct mesh_row *row = store_find(store, key);
    struct hash16 before = {{0}}, after;

    if (row) {
        before = mesh_print(row);
    } else {
        uint32_t at = store_place(store, key);

        if (store->count == store->capacity) {
            store->capacity = store->capacity * 2 + 64;
            store->rows = realloc(store->rows, store->capacity * sizeof(*store->rows));
        }
        memmove(store->rows + at + 1, store->rows + at, (store->count - at) * sizeof(*row));
        store->count++;
        row = &store->rows[at];
        memset(row, 0, sizeof(*row));
        row->size = key.size;
        memcpy(row->key, key.data, key.size);
    }
    row->bits |= bits;
    after = mesh_print(row);
    sync_change(peer->sync, mesh_partition(key), &before, &after);
}

/* A row key in `partition` numbered `number`. */
static inline struct slice mesh_key(uint32_t partition, uint32_t number, uint8_t *room)
{
    char name[32];
    int size = snprintf(name, sizeof(name), "key-%u", number);
    uint64_t front =
        (uint64_t)partition << 58 | (hash_sip64(mesh_seed, &number, sizeof(number)) >> 6);

    return store_key_obj(front, slice_text("test"), slice_of(name, (size_t)size), room);
}

static inline void mesh_put_number(struct mesh_peer *peer, uint32_t partition, uint32_t number,
                                   uint64_t bits)
{
    uint8_t room[STORE_KEY_SIZE_MAX];

    mesh_put(peer, mesh_key(partition, number, room), bits);
}

static inline bool store_covers(const struct mesh_store *big, const struct mesh_store *small)
{
    for (uint32_t i = 0; i < small->count; i++) {
        struct mesh_row *row = store_find(big, slice_of(small->rows[i].key, small->rows[i].size));

        if (!row || (row->bits & small->rows[i].bits) != small->rows[i].bits)
            return false;
    }
    return true;
}

/* --- what the node does */

static inline void mesh_list(struct mesh *mesh, struct mesh_peer *peer,
                             const struct sync_output *ask)
{
    static struct sync_row rows[SCAN_ROWS_MAX];
    uint32_t count = 0, at = 0;

    if (ask->after.size)
        at = store_place(&peer->store, ask->after);
    while (at < peer->store.count && count < SCAN_ROWS_MAX) {
        struct mesh_row *row = &peer->store.rows[at++];
        struct slice key = slice_of(row->key, row->size);

        if (mesh_partition(key) != ask->partition ||
            (ask->after.size && slice_compare(key, ask->after) <= 0))
            continue;
        rows[count].key = key;
        rows[count++].fingerprint = mesh_print(row);
    }
    while (at < peer->store.count &&
           mesh_partition(slice_of(peer->store.rows[at].key, 8)) != ask->partition)
        at++;
    struct sync_page page = {peer->list_status, rows, count, at == peer->store.count};

    sync_listed(peer->sync, mesh->now, ask->token, &page);
}

static inline void mesh_give(struct mesh *mesh, unsigned self, const struct sync_output *ask)
{
    struct mesh_peer *peer = &mesh->peers[self];
    struct reader in = reader_over(ask->keys);
    struct sync_item item;
    struct buffer items;
    struct message message = {.kind = MESSAGE_AE_ITEMS,
                              .ae_items = {.round = ask->round, .question = ask->token}};
    struct sync_output send = {.kind = SYNC_SEND, .peer = ask->peer, .message = &message};
    uint32_t count = 0, given = 0;

    peer->fetches++;
    buffer_init(&items, 1u << 20);
    for (struct reader count_in = in; sync_pack_next(&count_in, SYNC_KEYS, &item);)
        count++;
    while (sync_pack_next(&in, SYNC_KEYS, &item)) {
        struct mesh_row *row = store_find(&peer->store, item.key);
        uint8_t room[STORE_KEY_SIZE_MAX + 32];
        struct writer out = writer_over(room, sizeof(room));

        assert_non_null(row);
        write_u16(&out, (uint16_t)item.key.size);
        write_slice(&out, item.key);
        if (given++ + peer->leave_out < count) {
            write_u32(&out, 8);
            write_u64(&out, row->bits);
        } else {
            write_u32(&out, 0); /* named only */
        }
        assert_true(buffer_append(&items, room, out.size));
    }
    message.ae_items.items = slice_of(items.data, items.size);
    mesh_queue(mesh, self, &send);
    buffer_close(&items);
}

static inline void mesh_merge(struct mesh *mesh, struct mesh_peer *peer,
                              const struct sync_output *merge)
{
    struct reader in = reader_over(merge->items);
    struct sync_item item;

    while (peer->merge_status == STATUS_OK && sync_pack_next(&in, SYNC_OBJECTS, &item))
        if (item.object.size)
            mesh_put(peer, item.key, bytes_load_u64(item.object.data));
    mesh->merges_open--;
    sync_merged(peer->sync, mesh->now, merge->token, peer->merge_status);
}

static inline void mesh_deliver(struct mesh *mesh, unsigned from, unsigned to,
                                const struct message *message)
{
    if (mesh->watch)
        mesh->watch(mesh, from, to, message);
    mesh->sent++;
    if (!mesh->peers[to].is_deaf)
        sync_receive(mesh->peers[to].sync, mesh->now, from + 1, mesh->peers[to].layout, message);
}

/* Does the oldest thing queued; false when nothing is. */
static inline bool mesh_step(struct mesh *mesh)
{
    struct mesh_event *event = mesh->first;

    if (!event)
        return false;
    mesh->first = event->next;
    if (!mesh->first)
        mesh->last = &mesh->first;
    mesh->sent_bytes += (uint32_t)event->size + (event->size ? FRAME_HEADER_MIN : 0);
    if (event->output.kind == SYNC_SEND)
        mesh_deliver(mesh, event->from, (unsigned)event->output.peer - 1, &event->message);
    else if (event->output.kind == SYNC_LIST)
        mesh_list(mesh, &mesh->peers[event->from], &event->output);
    else if (event->output.kind == SYNC_GIVE)
        mesh_give(mesh, event->from, &event->output);
    else
        mesh_merge(mesh, &mesh->peers[event->from], &event->output);
    mesh_event_free(event);
    return true;
}

static inline void mesh_run(struct mesh *mesh)
{
    while (mesh_step(mesh))
        continue;
}

static inline void mesh_pull(struct mesh *mesh, unsigned asker, unsigned answerer)
{
    struct mesh_peer *peer = &mesh->peers[asker];

    peer->pulled[answerer] = 0;
    peer->pulled_set[answerer] = 0;
    assert_int_equal(sync_pull(peer->sync, mesh->now, answerer + 1, peer->layout), STATUS_OK);
}

#endif
