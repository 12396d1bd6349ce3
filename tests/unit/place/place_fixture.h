/* place_fixture.h: peers and lists for the tests of this room. */
#ifndef GOSSAMER_PLACE_FIXTURE_H
#define GOSSAMER_PLACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bytes.h"
#include "hash.h"
#include "place.h"

#define FIXTURE_BITS 14
#define FIXTURE_PARTITIONS (1u << FIXTURE_BITS)

/* An id that looks random but is the same in every run. */
static inline struct node_id fixture_id(uint32_t number)
{
    uint8_t key[PUBLIC_KEY_SIZE] = {0};

    memcpy(key, &number, sizeof number);
    return hash_node_id(key);
}

static inline uint64_t fixture_id8(uint32_t number)
{
    struct node_id id = fixture_id(number);

    return id_front(&id);
}

static inline struct label fixture_label(const char *letter, int number)
{
    char text[32];

    if (number < 0)
        return (struct label){0};
    snprintf(text, sizeof text, "%s%d", letter, number);
    return label_make(slice_text(text));
}

/* An ACTIVE peer of weight 1 on its own host, no zone. */
static inline struct place_record fixture_record(uint32_t number)
{
    return (struct place_record){
        .id = fixture_id(number),
        .state = PLACE_ACTIVE,
        .weight = 256,
        .host = fixture_label("host", (int)number),
        .stamp = 1,
        .by = 1,
    };
}

static inline struct place_config fixture_config(struct place_cache *cache)
{
    struct place_config config = {.cache = cache,
                                  .self8 = fixture_id8(1),
                                  .peers_max = 256,
                                  .partition_bits = FIXTURE_BITS,
                                  .replicas = 3};

    for (uint8_t i = 0; i < HASH_SEED_SIZE; i++)
        config.seed[i] = i;
    return config;
}

static inline void fixture_put(struct place *place, const struct place_record *record)
{
    assert_int_equal(place_merge(place, record), STATUS_OK);
}

/* A list of `count` equal peers. */
static inline struct place *fixture_place(struct place_cache *cache, uint32_t count)
{
    struct place_config config = fixture_config(cache);
    struct place *place = place_new(&config);

    assert_non_null(place);
    for (uint32_t i = 0; i < count; i++) {
        struct place_record record = fixture_record(i);

        fixture_put(place, &record);
    }
    return place;
}

/* Changes the state of a peer with a newer stamp. */
static inline void fixture_set_state(struct place *place, uint32_t number, enum place_state state)
{
    struct place_record record = *place_find(place, fixture_id8(number));

    record.state = (uint8_t)state;
    record.stamp++;
    fixture_put(place, &record);
}

static inline bool fixture_owns(const struct place_owners *owners, uint64_t id8)
{
    for (unsigned i = 0; i < owners->base_count; i++)
        if (owners->peers[i].id8 == id8)
            return true;
    return false;
}

/* Slots of `a` that are not in `b`: copies that have to move. */
static inline unsigned fixture_moved(struct place *a, struct place *b)
{
    unsigned moved = 0;

    for (uint32_t p = 0; p < place_partition_count(a); p++) {
        struct place_owners before, after;

        place_owners(a, p, &before);
        place_owners(b, p, &after);
        for (unsigned i = 0; i < after.base_count; i++)
            moved += !fixture_owns(&before, after.peers[i].id8);
    }
    return moved;
}

#endif
