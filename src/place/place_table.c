/* place_table.c: the table partition -> owners and the cache that shares it.
 *
 * A table is a pure function of its input, so it is named by a hash of the input and never changes
 * once made. Nodes of one process (the simulator has many) and the two sets of one node meet at the
 * same table; a change that is taken back finds the old one. Rows hold u16 indices into the table's
 * own peer list: at 2^14 partitions and 3 owners 96 KiB.
 *
 * A cluster changes by one peer at a time, so a new table is mostly an old one: a peer that goes
 * leaves rows alone that it is not in, one that comes those in which it would be picked at no rank
 * (place_spread_keeps). Only the other rows are drawn anew, some 3/n of them. */
#include "place_private.h"

#include <stdlib.h>

#include "bytes.h"
#include "ensure.h"
#include "hash.h"
#include "list.h"

struct place_table {
    struct list in_tables; /* all tables of the cache, the one dropped last at the end */
    struct hash16 name;    /* hash of the input */
    uint32_t references;   /* 0: kept in case it is wanted again */
    uint32_t count;        /* peers */
    uint32_t first;        /* partition of the first row */
    uint32_t row_count;    /* partitions */
    unsigned width;        /* owners per row: min(replicas, count) */
    uint64_t *ids;         /* id8 by index, ascending */
    uint64_t *marks;       /* by index: hash of all that rows depend on of a peer, and the seed */
    uint16_t *rows;        /* row_count x width */
};

struct place_cache {
    struct list tables;
    uint32_t tables_max; /* tables without reference that are kept */
    uint32_t unused;     /* such tables now */
};

struct place_cache *place_cache_new(uint32_t tables_max)
{
    struct place_cache *cache = calloc(1, sizeof *cache);

    if (!cache)
        return NULL;
    list_init(&cache->tables);
    cache->tables_max = tables_max;
    return cache;
}

static void place_table_delete(struct place_table *table)
{
    if (!table)
        return;
    free(table->ids);
    free(table->marks);
    free(table->rows);
    free(table);
}

void place_cache_delete(struct place_cache *cache)
{
    struct list *link;

    if (!cache)
        return;
    while ((link = list_pop_front(&cache->tables)) != NULL) {
        struct place_table *table = list_entry(link, struct place_table, in_tables);

        ensure(table->references == 0);
        place_table_delete(table);
    }
    free(cache);
}

/* A chain of hashes over everything a table depends on. */
static struct hash16 place_table_name(const struct place_input *input)
{
    uint8_t block[16 + NODE_ID_SIZE + 2 + 2 * (NAME_SIZE_MAX + 1)];
    struct writer writer = writer_over(block, sizeof block);
    struct hash16 name;

    write_u32(&writer, input->first);
    write_u32(&writer, input->row_count);
    write_u8(&writer, input->replicas);
    write_u32(&writer, input->count);
    name = hash_sip128(input->seed, block, writer.size);
    for (uint32_t i = 0; i < input->count; i++) {
        const struct place_record *record = input->records[i];

        writer = writer_over(block, sizeof block);
        write_bytes(&writer, name.bytes, sizeof name.bytes);
        write_bytes(&writer, record->id.bytes, NODE_ID_SIZE);
        write_u16(&writer, record->weight);
        write_label(&writer, &record->host);
        write_label(&writer, &record->zone);
        ensure(!writer.is_full);
        name = hash_sip128(input->seed, block, writer.size);
    }
    return name;
}

/* Labels become numbers: the index of the first peer that carries the label. */
static void place_table_peers(const struct place_input *input, struct place_peer *peers)
{
    for (uint32_t i = 0; i < input->count; i++) {
        const struct place_record *record = input->records[i];
        struct place_peer *peer = &peers[i];

        *peer = (struct place_peer){.id8 = id_front(&record->id), .weight = record->weight};
        while (!label_equal(&input->records[peer->host]->host, &record->host))
            peer->host++;
        while (!label_equal(&input->records[peer->zone]->zone, &record->zone))
            peer->zone++;
    }
}

/* --- the rows */

/* Writes a table; borrows all it points at. */
struct place_fill {
    struct place_table *table;
    const struct place_input *input;
    struct place_spread *spread;
    const struct place_table *near; /* a table of one peer more or less, or NULL */
    uint16_t odd;                   /* the index of that peer, in the table that has it */
};

static void place_fill_draw(const struct place_fill *fill, uint32_t row, uint32_t peer)
{
    fill->spread->draws[peer] =
        place_draw(fill->input->seed, fill->table->ids[peer], fill->input->first + row);
}

/* Copies the row of the near table, if it holds for this one. */
static bool place_fill_copies(const struct place_fill *fill, uint32_t row, uint16_t *owners)
{
    const struct place_table *near = fill->near;
    unsigned width = fill->table->width;
    bool is_more = near && near->count < fill->table->count;

    if (!near)
        return false;
    for (unsigned i = 0; i < width; i++) {
        uint16_t old = near->rows[(size_t)row * width + i];

        if (!is_more && old == fill->odd)
            return false;
        owners[i] = (uint16_t)(is_more ? old + (old >= fill->odd) : old - (old > fill->odd));
        if (is_more)
            place_fill_draw(fill, row, owners[i]);
    }
    if (!is_more)
        return true;
    place_fill_draw(fill, row, fill->odd);
    return place_spread_keeps(fill->spread, owners, width, fill->odd);
}

static void place_table_fill(const struct place_fill *fill)
{
    const struct place_table *table = fill->table;

    for (uint32_t row = 0; row < table->row_count; row++) {
        uint16_t *owners = &table->rows[(size_t)row * table->width];

        if (place_fill_copies(fill, row, owners))
            continue;
        for (uint32_t i = 0; i < table->count; i++)
            place_fill_draw(fill, row, i);
        place_spread_pick(fill->spread, table->width, owners);
    }
}

static uint64_t place_table_mark(const struct place_input *input, const struct place_record *record)
{
    uint8_t block[NODE_ID_SIZE + 2 + 2 * (NAME_SIZE_MAX + 1)];
    struct writer writer = writer_over(block, sizeof block);

    write_bytes(&writer, record->id.bytes, NODE_ID_SIZE);
    write_u16(&writer, record->weight);
    write_label(&writer, &record->host);
    write_label(&writer, &record->zone);
    ensure(!writer.is_full);
    return hash_sip64(input->seed, block, writer.size);
}

/* Tells whether two tables differ by one peer, and which index it has where it is. */
static bool place_table_is_near(const struct place_table *a, const struct place_table *b,
                                uint16_t *odd)
{
    const struct place_table *more = a->count > b->count ? a : b, *less = more == a ? b : a;
    uint32_t at = 0;

    if (more->count != less->count + 1 || a->width != b->width || a->first != b->first ||
        a->row_count != b->row_count)
        return false;
    while (at < less->count && more->marks[at] == less->marks[at])
        at++;
    *odd = (uint16_t)at;
    return memcmp(more->marks + at + 1, less->marks + at,
                  (less->count - at) * sizeof *less->marks) == 0;
}

static const struct place_table *place_cache_near(const struct place_cache *cache,
                                                  const struct place_table *table, uint16_t *odd)
{
    list_for_each (&cache->tables, link) {
        const struct place_table *other = list_entry(link, struct place_table, in_tables);

        if (place_table_is_near(table, other, odd))
            return other;
    }
    return NULL;
}

static struct place_table *place_table_new(const struct place_cache *cache,
                                           const struct place_input *input)
{
    struct place_table *table = calloc(1, sizeof *table);
    struct place_peer *peers = calloc(input->count + 1u, sizeof *peers);
    struct place_spread spread = {0};
    struct place_fill fill = {.table = table, .input = input, .spread = &spread};

    if (!table || !peers)
        goto failed;
    table->count = input->count;
    table->first = input->first;
    table->row_count = input->row_count;
    table->width = input->replicas < input->count ? input->replicas : input->count;
    table->ids = calloc(input->count + 1u, sizeof *table->ids);
    table->marks = calloc(input->count + 1u, sizeof *table->marks);
    table->rows = calloc((size_t)table->row_count * table->width + 1u, sizeof *table->rows);
    if (!table->ids || !table->marks || !table->rows)
        goto failed;
    place_table_peers(input, peers);
    for (uint32_t i = 0; i < input->count; i++) {
        table->ids[i] = peers[i].id8;
        table->marks[i] = place_table_mark(input, input->records[i]);
    }
    if (place_spread_init(&spread, peers, input->count) != STATUS_OK)
        goto failed;
    fill.near = place_cache_near(cache, table, &fill.odd);
    place_table_fill(&fill);
    place_spread_close(&spread);
    free(peers);
    return table;
failed:
    free(peers);
    place_table_delete(table);
    return NULL;
}

static struct place_table *place_cache_find(struct place_cache *cache, const struct hash16 *name)
{
    list_for_each (&cache->tables, link) {
        struct place_table *table = list_entry(link, struct place_table, in_tables);

        if (memcmp(table->name.bytes, name->bytes, sizeof name->bytes) == 0)
            return table;
    }
    return NULL;
}

struct place_table *place_cache_take(struct place_cache *cache, const struct place_input *input)
{
    struct hash16 name = place_table_name(input);
    struct place_table *table = place_cache_find(cache, &name);

    ensure(input->count <= UINT16_MAX);
    if (table) {
        if (table->references++ == 0)
            cache->unused--;
        return table;
    }
    table = place_table_new(cache, input);
    if (!table)
        return NULL;
    table->name = name;
    table->references = 1;
    list_push_back(&cache->tables, &table->in_tables);
    return table;
}

/* The table that has been unused for the longest time makes room. */
static void place_cache_trim(struct place_cache *cache)
{
    list_for_each_safe (&cache->tables, link) {
        struct place_table *table = list_entry(link, struct place_table, in_tables);

        if (cache->unused <= cache->tables_max)
            return;
        if (table->references > 0)
            continue;
        list_remove(&table->in_tables);
        place_table_delete(table);
        cache->unused--;
    }
}

void place_cache_drop(struct place_cache *cache, struct place_table *table)
{
    if (!table)
        return;
    ensure(table->references > 0);
    if (--table->references > 0)
        return;
    list_remove(&table->in_tables);
    list_push_back(&cache->tables, &table->in_tables);
    cache->unused++;
    place_cache_trim(cache);
}

const uint16_t *place_table_row(const struct place_table *table, uint32_t partition,
                                unsigned *width)
{
    ensure(partition - table->first < table->row_count);
    *width = table->width;
    return &table->rows[(size_t)(partition - table->first) * table->width];
}

bool place_table_has(const struct place_table *table, uint32_t partition, uint64_t id8)
{
    unsigned width;
    const uint16_t *row = place_table_row(table, partition, &width);

    for (unsigned i = 0; i < width; i++)
        if (table->ids[row[i]] == id8)
            return true;
    return false;
}

uint64_t place_table_id(const struct place_table *table, uint16_t index)
{
    ensure(index < table->count);
    return table->ids[index];
}
