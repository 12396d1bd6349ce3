/* sim_disk.c: a disk that keeps what was synced and, of the rest, a random prefix. Reads see what
 * is synced; a seed decides which of them are cold. */
#include <stdlib.h>

#include "sim.h"

static const struct store *disk_ports(const struct sim_disk *disk, struct store *ports)
{
    *ports = store_memory_ports(disk->synced);
    return ports;
}

static enum status disk_get(void *context, enum store_family family, struct slice key,
                            struct store_pin *pin)
{
    struct sim_node *peer = context;
    struct store memory;

    if (peer->sim->plan.cold && prng_chance(&peer->sim->rng, peer->sim->plan.cold, 1000))
        return STATUS_COLD;
    if (sim_rot_refuses(peer, family, key))
        return STATUS_CORRUPT;
    disk_ports(&peer->disk, &memory);
    return memory.get(memory.context, family, key, pin);
}

static void disk_release(void *context, struct store_pin *pin)
{
    struct sim_node *peer = context;
    struct store memory;

    disk_ports(&peer->disk, &memory);
    memory.release(memory.context, pin);
}

void sim_disk_open(struct sim_node *peer)
{
    peer->disk.synced = store_memory_new(1ull << 30);
    peer->disk.first = NULL;
    peer->disk.last = &peer->disk.first;
    peer->store = (struct store){.get = disk_get, .release = disk_release, .context = peer};
    ensure(peer->disk.synced != NULL);
}

static void disk_drop(struct sim_disk *disk)
{
    while (disk->first) {
        struct sim_batch *next = disk->first->next;

        free(disk->first->rows);
        free(disk->first);
        disk->first = next;
    }
    disk->last = &disk->first;
}

void sim_disk_close(struct sim_node *peer)
{
    disk_drop(&peer->disk);
    store_memory_delete(peer->disk.synced);
}

/* Copies rows and their bytes into one allocation. */
static struct store_row *disk_copy(const struct store_row *rows, uint32_t count)
{
    size_t size = count * sizeof(*rows);
    struct store_row *copy;
    uint8_t *at;

    for (uint32_t i = 0; i < count; i++)
        size += rows[i].key.size + rows[i].value.size;
    copy = malloc(size + 1);
    ensure(copy != NULL);
    at = (uint8_t *)(copy + count);
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = rows[i];
        memcpy(at, rows[i].key.data, rows[i].key.size);
        copy[i].key.data = at;
        at += rows[i].key.size;
        if (rows[i].value.size)
            memcpy(at, rows[i].value.data, rows[i].value.size);
        copy[i].value.data = at;
        at += rows[i].value.size;
    }
    return copy;
}

static void disk_apply(struct sim_disk *disk, const struct sim_batch *batch)
{
    struct store memory;

    disk_ports(disk, &memory);
    if (memory.apply(memory.context, batch->rows, batch->count) != STATUS_OK)
        ensure_unreachable();
}

void sim_disk_write(struct sim *sim, struct sim_node *peer, const struct effect *effect)
{
    struct sim_batch *batch = calloc(1, sizeof(*batch));
    struct sim_event *event;

    ensure(batch != NULL);
    sim_check_write(sim, effect->write.rows, effect->write.count);
    sim_gc_write(sim, peer, effect);
    sim_hints_write(sim, peer, effect);
    batch->ticket = effect->write.write;
    batch->count = effect->write.count;
    batch->rows = disk_copy(effect->write.rows, effect->write.count);
    *peer->disk.last = batch;
    peer->disk.last = &batch->next;

    /* One committer: batches are synced one after the other. */
    instant start = peer->busy_until > sim->now ? peer->busy_until : sim->now;

    peer->busy_until = start + prng_below(&sim->rng, 2u * sim->plan.disk_us + 1u);
    event = sim_after(sim, peer->busy_until - sim->now, SIM_STORED, SLICE_NONE);
    event->node = peer->index;
    event->boot = peer->boot;
    event->ticket = batch->ticket;
}

/* The oldest batch has been synced, or its sync failed. */
void sim_disk_synced(struct sim *sim, struct sim_node *peer, const struct sim_event *event)
{
    struct sim_batch *batch = peer->disk.first;
    struct event stored = {.kind = EVENT_STORED};
    bool is_failed = peer->disk.is_failed ||
                     (sim->is_faulty && prng_chance(&sim->rng, sim->plan.sync_fail, 1000000));

    ensure(batch != NULL && batch->ticket == event->ticket);
    peer->disk.first = batch->next;
    if (!peer->disk.first)
        peer->disk.last = &peer->disk.first;
    if (!is_failed || (!peer->disk.is_failed && prng_chance(&sim->rng, 1, 2)))
        disk_apply(&peer->disk, batch); /* a failed sync may have written all the same */
    peer->disk.is_failed = is_failed;
    stored.stored.write = batch->ticket;
    stored.stored.status = is_failed ? STATUS_UNKNOWN_OUTCOME : STATUS_OK;
    free(batch->rows);
    free(batch);
    sim_step(sim, peer, &stored);
}

void sim_disk_read(struct sim *sim, struct sim_node *peer, const struct effect *effect)
{
    const struct store_range *range = &effect->read.range;
    size_t size = range->from.size + range->until.size;
    uint8_t *bytes = malloc(size + 1);
    struct sim_event *event;

    ensure(bytes != NULL);
    if (range->from.size)
        memcpy(bytes, range->from.data, range->from.size);
    if (range->until.size)
        memcpy(bytes + range->from.size, range->until.data, range->until.size);
    event = sim_after(sim, prng_below(&sim->rng, 2u * sim->plan.disk_us + 1u), SIM_LOADED,
                      slice_of(bytes, size));
    free(bytes);
    event->node = peer->index;
    event->boot = peer->boot;
    event->ticket = effect->read.read;
    event->is_point = effect->read.is_point;
    event->range = *range;
    event->range.from = slice_of(event->bytes.data, range->from.size);
    event->range.until = slice_of(event->bytes.data + range->from.size, range->until.size);
}

/* A page. Values stay where they are: nothing is applied to the disk during a step. */
struct disk_rows {
    const struct sim_node *peer;
    enum status status; /* why the page ends early, or OK */
    struct store_row rows[SCAN_ROWS_MAX];
    uint8_t keys[SCAN_ROWS_MAX][STORE_KEY_SIZE_MAX];
    uint32_t count;
};

static bool disk_visit(void *context, const struct store_row *row)
{
    struct disk_rows *rows = context;
    struct store_row *found = &rows->rows[rows->count];

    if (sim_rot_refuses(rows->peer, row->family, row->key)) {
        rows->status = STATUS_CORRUPT;
        return false;
    }
    *found = *row;
    memcpy(rows->keys[rows->count], row->key.data, row->key.size);
    found->key.data = rows->keys[rows->count];
    rows->count++;
    return rows->count < SCAN_ROWS_MAX;
}

void sim_disk_loaded(struct sim *sim, struct sim_node *peer, const struct sim_event *event)
{
    struct disk_rows *rows = calloc(1, sizeof(*rows));
    struct store memory;
    struct store_pin pin = {0};
    struct event loaded = {.kind = EVENT_LOADED};

    ensure(rows != NULL);
    disk_ports(&peer->disk, &memory);
    rows->peer = peer;
    loaded.loaded.read = event->ticket;
    loaded.loaded.rows = rows->rows;
    if (event->is_point) {
        loaded.loaded.status =
            memory.get(memory.context, event->range.family, event->range.from, &pin);
        if (sim_rot_refuses(peer, event->range.family, event->range.from))
            loaded.loaded.status = STATUS_CORRUPT;
        if (loaded.loaded.status == STATUS_OK) {
            rows->count = 1;
            rows->rows[0] = (struct store_row){
                .family = event->range.family, .key = event->range.from, .value = pin.value};
        }
    } else {
        loaded.loaded.status = store_index_scan(&memory, &event->range, disk_visit, rows);
        if (rows->status != STATUS_OK)
            loaded.loaded.status = rows->status;
    }
    loaded.loaded.count = rows->count;
    sim_step(sim, peer, &loaded);
    if (pin.handle)
        memory.release(memory.context, &pin);
    free(rows);
}

bool sim_disk_crash(struct sim *sim, struct sim_node *peer, bool is_wiped)
{
    struct sim_disk *disk = &peer->disk;
    bool is_torn = false;

    while (disk->first && !is_wiped && prng_chance(&sim->rng, 1, 2)) {
        struct sim_batch *batch = disk->first;

        disk_apply(disk, batch);
        disk->first = batch->next;
        free(batch->rows);
        free(batch);
    }
    if (disk->first)
        is_torn = prng_chance(&sim->rng, 1, 4);
    disk_drop(disk);
    disk->is_failed = false;
    peer->busy_until = 0;
    if (is_wiped) {
        peer->wiped_at = sim->now;
        disk->incarnation_seen = 0;
        store_memory_delete(disk->synced);
        sim_disk_open(peer);
    }
    return is_torn;
}

/* What the disk durably holds of a key. */
bool sim_disk_get(const struct sim_node *peer, struct slice row_key, struct crdt_object *object)
{
    static uint8_t room[1u << 16];
    struct store memory;
    struct store_pin pin = {0};
    struct slice body;
    bool is_there;

    disk_ports(&peer->disk, &memory);
    if (memory.get(memory.context, STORE_OBJ, row_key, &pin) != STATUS_OK)
        return false;
    is_there = store_record_open(STORE_OBJ, row_key, pin.value, &body) == STATUS_OK &&
               body.size <= sizeof(room);
    if (is_there) {
        memcpy(room, body.data, body.size);
        is_there = crdt_object_decode(slice_of(room, body.size), object) == STATUS_OK;
    }
    memory.release(memory.context, &pin);
    return is_there;
}
