/* place_private.h: what the files of this room share: tables and the picking of owners. */
#ifndef GOSSAMER_PLACE_PRIVATE_H
#define GOSSAMER_PLACE_PRIVATE_H

#include "front.h"
#include "place.h"

/* The two halves of place_score. A draw (53 bits) costs one short hash, its score six times that,
 * and most scores are never needed. */
uint64_t place_draw(const uint8_t seed[HASH_SEED_SIZE], uint64_t id8, uint32_t partition);
uint64_t place_draw_score(uint64_t draw, uint16_t weight);

/* One peer that may own partitions, as a table is made of it. */
struct place_peer {
    uint64_t id8;
    uint32_t host, zone; /* equal labels have equal numbers: index of the first peer that has it */
    uint16_t weight;     /* 1/256, not 0 */
};

/* Working memory of place_spread_pick, one per table that is being made. */
struct place_spread {
    const struct place_peer *peers; /* borrowed, in id8 order */
    uint32_t count;                 /* peers */
    uint64_t *draws;                /* of the present partition, by peer */
    uint64_t *scores;               /* by peer, made when they are asked for; 0: not yet */
    uint8_t *is_used;               /* by peer: already an owner of the present partition */
    uint8_t *is_host_used;          /* by host number */
    uint8_t *is_zone_used;          /* by zone number */
};

/* place_spread_init borrows `peers` and allocates the rest. OK, or MEMORY. place_spread_close. */
enum status place_spread_init(struct place_spread *spread, const struct place_peer *peers,
                              uint32_t count) MUST_USE;
void place_spread_close(struct place_spread *spread);
/* place_spread_pick fills `owners` with the first `wanted` (at most count) peers, by index and in
 * rank order, for the draws that stand in spread->draws. */
void place_spread_pick(struct place_spread *spread, unsigned wanted, uint16_t *owners);

/* place_spread_keeps tells whether a newcomer leaves those owners as they are: it would be picked
 * at none of their ranks. The draws of all of them stand in spread->draws. */
bool place_spread_keeps(struct place_spread *spread, const uint16_t *owners, unsigned count,
                        uint16_t newcomer);

/* What a table is a function of. `records` are those that may own, in id8 order. */
struct place_input {
    const struct place_record *const *records;
    uint32_t count;
    uint8_t seed[HASH_SEED_SIZE];
    uint32_t first, row_count; /* partitions it is about */
    uint8_t replicas;
};

struct place_table;
/* place_cache_take returns the table of `input`, found or made, with one reference for the caller;
 * NULL: no memory. place_cache_drop gives the reference back; `table` may be NULL. */
struct place_table *place_cache_take(struct place_cache *cache, const struct place_input *input);
void place_cache_drop(struct place_cache *cache, struct place_table *table);
/* place_table_row gives the owners of one of its partitions: *width indices for place_table_id. */
const uint16_t *place_table_row(const struct place_table *table, uint32_t partition,
                                unsigned *width);
uint64_t place_table_id(const struct place_table *table, uint16_t index);
/* place_table_has tells whether a peer is one of them. */
bool place_table_has(const struct place_table *table, uint32_t partition, uint64_t id8);

#endif
