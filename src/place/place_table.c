/* place_table.c: the table partition -> owners and the cache that shares it.
 *
 * A table is a pure function of its input, so it is named by a hash of the input and never changes
 * once made. Nodes of one process (the simulator has many) and the two sets of one node meet at the
 * same table; a change that is taken back finds the old one. Rows hold u16 indices into the table's
 * own peer list: at 2^14 partitions and 3 owners 96 KiB. */
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

static void place_table_fill(struct place_table *table, const struct place_input *input,
                             struct place_spread *spread)
{
    for (uint32_t row = 0; row < table->row_count; row++) {
        for (uint32_t i = 0; i < table->count; i++)
            spread->draws[i] = place_draw(input->seed, table->ids[i], input->first + row);
        place_spread_pick(spread, table->width, &table->rows[(size_t)row * table->width]);
    }
}

static struct place_table *place_table_new(const struct place_input *input)
{
    struct place_table *table = calloc(1, sizeof *table);
    struct place_peer *peers = calloc(input->count + 1u, sizeof *peers);
    struct place_spread spread = {0};

    if (!table || !peers)
        goto failed;
    table->count = input->count;
    table->first = input->first;
    table->row_count = input->row_count;
    table->width = input->replicas < input->count ? input->replicas : input->count;
    table->ids = calloc(input->count + 1u, sizeof *table->ids);
    table->rows = calloc((size_t)table->row_count * table->width + 1u, sizeof *table->rows);
    if (!table->ids || !table->rows)
        goto failed;
    place_table_peers(input, peers);
    for (uint32_t i = 0; i < input->count; i++)
        table->ids[i] = peers[i].id8;
    if (place_spread_init(&spread, peers, input->count) != STATUS_OK)
        goto failed;
    place_table_fill(table, input, &spread);
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
    table = place_table_new(input);
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

uint64_t place_table_id(const struct place_table *table, uint16_t index)
{
    ensure(index < table->count);
    return table->ids[index];
}
