/* What a round costs between two peers of a million keys each: bytes of frames and messages, all of
 * them in both directions, objects of 100-byte values included. */
#include "sync_fixture.h"

#define COST_ROWS 1000000u
#define COST_PARTITIONS (1u << 14)
#define COST_OBJECT 140 /* bytes: a value of 100, its dot and what is around it */

struct cost_peer {
    struct sync *sync;
    uint8_t *states; /* of each row; 0: not there */
    uint32_t pulled, given;
    struct sync_output last;
};

static struct {
    uint64_t *fronts; /* of all rows, ascending */
    struct cost_peer peers[2];
    struct mesh_event *first, **last;
    uint32_t messages;
    size_t bytes;
} cost;

static struct slice cost_key(uint32_t row, uint8_t *room)
{
    char name[16];
    int size = snprintf(name, sizeof(name), "key-%07u", row);

    return store_key_obj(cost.fronts[row], slice_text("test"), slice_of(name, (size_t)size), room);
}

static struct hash16 cost_print(uint32_t row, uint8_t state)
{
    uint8_t room[STORE_KEY_SIZE_MAX + 1];
    struct slice key = cost_key(row, room);

    room[key.size] = state;
    return hash_sip128(mesh_seed, room, key.size + 1);
}

static void cost_set(struct cost_peer *peer, uint32_t row, uint8_t state)
{
    struct hash16 before = {{0}}, after = {{0}};

    if (peer->states[row])
        before = cost_print(row, peer->states[row]);
    if (state)
        after = cost_print(row, state);
    peer->states[row] = state;
    sync_change(peer->sync, (uint32_t)(cost.fronts[row] >> 50), &before, &after);
}

/* The first row whose front is not below `front`. */
static uint32_t cost_place(uint64_t front)
{
    uint32_t low = 0, high = COST_ROWS;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (cost.fronts[middle] < front)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void cost_emit(void *context, const struct sync_output *output)
{
    struct cost_peer *peer = context;
    struct mesh mesh = {.last = cost.last};

    switch (output->kind) {
    case SYNC_PULLED:
        peer->pulled++;
        break;
    case SYNC_GIVEN:
        peer->given++;
        break;
    case SYNC_ROUND_DONE:
        peer->last = *output;
        break;
    case SYNC_LAYOUT:
    case SYNC_STANDING:
        fail();
        break;
    case SYNC_SEND:
    case SYNC_LIST:
    case SYNC_GIVE:
    case SYNC_MERGE:
        mesh_queue(&mesh, (unsigned)(peer - cost.peers), output);
        cost.last = mesh.last;
        break;
    }
}

static void cost_list(struct cost_peer *peer, const struct sync_output *ask)
{
    static struct sync_row rows[256];
    static uint8_t keys[256][STORE_KEY_SIZE_MAX];
    uint32_t count = 0;

    assert_int_equal(ask->after.size, 0);
    for (uint32_t i = cost_place((uint64_t)ask->partition << 50);
         i < COST_ROWS && cost.fronts[i] >> 50 == ask->partition; i++) {
        if (!peer->states[i])
            continue;
        assert_true(count < 256);
        rows[count].key = cost_key(i, keys[count]);
        rows[count++].fingerprint = cost_print(i, peer->states[i]);
    }
    sync_listed(peer->sync, 1, ask->token, &(struct sync_page){STATUS_OK, rows, count, true});
}

static void cost_give(struct cost_peer *peer, const struct sync_output *ask)
{
    static uint8_t room[SYNC_FETCH_MAX * 256];
    struct writer out = writer_over(room, sizeof(room));
    struct reader in = reader_over(ask->keys);
    struct message message = {.kind = MESSAGE_AE_ITEMS,
                              .ae_items = {.round = ask->round, .question = ask->token}};
    struct sync_output send = {.kind = SYNC_SEND, .peer = ask->peer, .message = &message};
    struct sync_item item;

    while (sync_pack_next(&in, SYNC_KEYS, &item)) {
        uint8_t object[COST_OBJECT] = {
            peer->states[cost_place(bytes_load_u64(item.key.data) >> 24 << 24)]};

        write_u16(&out, (uint16_t)item.key.size);
        write_slice(&out, item.key);
        write_u32(&out, sizeof(object));
        write_bytes(&out, object, sizeof(object));
    }
    message.ae_items.items = writer_done(&out);
    cost_emit(peer, &send);
}

static void cost_merge(struct cost_peer *peer, const struct sync_output *merge)
{
    struct reader in = reader_over(merge->items);
    struct sync_item item;

    while (sync_pack_next(&in, SYNC_OBJECTS, &item))
        cost_set(peer, cost_place(bytes_load_u64(item.key.data) >> 24 << 24), item.object.data[0]);
    sync_merged(peer->sync, 1, merge->token, STATUS_OK);
}

/* One round of peer 0 with peer 1, to its end. */
static void cost_round(void)
{
    cost.messages = 0;
    cost.bytes = 0;
    cost.peers[0].pulled = cost.peers[1].given = 0;
    assert_int_equal(sync_pull(cost.peers[0].sync, 1, 2, MESH_LAYOUT * UINT64_C(0x1000000000001)),
                     STATUS_OK);
    while (cost.first) {
        struct mesh_event *event = cost.first;
        struct cost_peer *peer = &cost.peers[event->from];

        if (event->output.kind == SYNC_SEND) {
            cost.messages++;
            cost.bytes += event->size + (event->size / FRAME_CHUNK_MAX + 1) * FRAME_HEADER_MIN;
            sync_receive(cost.peers[event->output.peer - 1].sync, 1, event->from + 1,
                         MESH_LAYOUT * UINT64_C(0x1000000000001), &event->message);
        } else if (event->output.kind == SYNC_LIST) {
            cost_list(peer, &event->output);
        } else if (event->output.kind == SYNC_GIVE) {
            cost_give(peer, &event->output);
        } else {
            cost_merge(peer, &event->output);
        }
        cost.first = event->next;
        if (!cost.first)
            cost.last = &cost.first;
        mesh_event_free(event);
    }
    assert_int_equal(cost.peers[0].last.status, STATUS_OK);
    assert_int_equal(cost.peers[0].pulled, COST_PARTITIONS);
    assert_int_equal(cost.peers[1].given, COST_PARTITIONS);
}

static int cost_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static int cost_open(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 1);
    cost.last = &cost.first;
    cost.fronts = malloc(COST_ROWS * sizeof(*cost.fronts));
    for (uint32_t i = 0; i < COST_ROWS; i++)
        cost.fronts[i] = hash_sip64(mesh_seed, &i, sizeof(i)) >> 24 << 24;
    qsort(cost.fronts, COST_ROWS, sizeof(*cost.fronts), cost_order);
    for (unsigned i = 0; i < 2; i++) {
        struct sync_config config = {.partitions = COST_PARTITIONS,
                                     .rounds_max = SYNC_ROUNDS_MAX,
                                     .serves_max = 2,
                                     .round_timeout_us = MESH_TIMEOUT,
                                     .emit = cost_emit,
                                     .is_shared = mesh_all_shared,
                                     .context = &cost.peers[i]};

        cost.peers[i].sync = sync_new(&config);
        cost.peers[i].states = calloc(COST_ROWS, 1);
        for (uint32_t row = 0; row < COST_ROWS; row++)
            cost_set(&cost.peers[i], row, 1);
    }
    return 0;
}

static int cost_close(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        sync_delete(cost.peers[i].sync);
        free(cost.peers[i].states);
    }
    free(cost.fronts);
    return 0;
}

/* Makes `rows` rows differ, pulls, and makes both equal again. */
static void cost_of(uint32_t rows, uint64_t seed)
{
    struct prng prng;

    prng_init(&prng, seed);
    for (uint32_t i = 0; i < rows;) {
        uint32_t row = (uint32_t)prng_below(&prng, COST_ROWS);

        if (cost.peers[1].states[row] != 1 || cost.peers[0].states[row] != 1)
            continue;
        if (i++ % 2)
            cost_set(&cost.peers[1], row, 2); /* newer there */
        else
            cost_set(&cost.peers[0], row, 0); /* missing here */
    }
    cost_round();
    assert_int_equal(cost.peers[0].last.rows, rows);
    for (uint32_t row = 0; row < COST_ROWS; row++) {
        assert_int_equal(cost.peers[0].states[row], cost.peers[1].states[row]);
        if (cost.peers[0].states[row] != 1) {
            cost_set(&cost.peers[0], row, 1);
            cost_set(&cost.peers[1], row, 1);
        }
    }
    print_message("%u differences: %u messages, %zu bytes\n", rows, cost.messages, cost.bytes);
}

static void test_nothing(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 2; round++) {
        cost_of(0, 1);
        assert_int_equal(cost.messages, 3);
        assert_true(cost.bytes <= 100);
        cost.peers[0].sync->number = 0xFFFFFFFE; /* as long as it gets */
    }
}

static void test_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        cost_of(1, seed);
        assert_true(cost.messages <= 8);
        assert_true(cost.bytes <= 2000);
    }
}

static void test_a_hundred(void **state)
{
    (void)state;
    cost_of(100, 1);
    assert_true(cost.bytes <= 80000);
}

static void test_a_thousand(void **state)
{
    (void)state;
    cost_of(1000, 1);
    assert_true(cost.bytes <= 500000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_a_hundred),
        cmocka_unit_test(test_a_thousand),
    };

    return cmocka_run_group_tests(tests, cost_open, cost_close);
}
