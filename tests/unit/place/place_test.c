/* The list: merge laws, the two sets, layout and digest. */
#include "place_fixture.h"

/* A few records of one peer that differ in each field; merging any sequence must end alike. */
#define VARIANTS 8
static struct place_record variant(unsigned number)
{
    struct place_record record = fixture_record(1);

    record.stamp = number & 1 ? 2 : 1;
    record.by = number & 2 ? 9 : 8;
    record.state = number & 4 ? PLACE_LEAVING : PLACE_ACTIVE;
    return record;
}

struct outcome {
    uint64_t digest, layout;
    bool is_moving;
};

static struct outcome merge_all(struct place_cache *cache, const unsigned *order, unsigned count)
{
    struct place *place = fixture_place(cache, 0);
    struct outcome outcome;

    for (unsigned i = 0; i < count; i++) {
        struct place_record record = variant(order[i]);
        enum status status = place_merge(place, &record);

        assert_true(status == STATUS_OK || status == STATUS_STALE);
    }
    outcome = (struct outcome){place_digest(place), place_layout(place), place_is_moving(place)};
    place_delete(place);
    return outcome;
}

/* Merging is the maximum of a total order: commutative, associative and idempotent. All sequences
 * of three out of eight records, repetitions included. */
static void test_merge_laws_exhaustively(void **state)
{
    struct place_cache *cache = place_cache_new(0);

    (void)state;
    for (unsigned i = 0; i < VARIANTS * VARIANTS * VARIANTS; i++) {
        unsigned a = i % VARIANTS, b = i / VARIANTS % VARIANTS, c = i / VARIANTS / VARIANTS;
        struct outcome one = merge_all(cache, (unsigned[]){a, b, c}, 3);
        struct outcome other = merge_all(cache, (unsigned[]){c, b, a, b, a}, 5);

        assert_int_equal(one.digest, other.digest);
        assert_int_equal(one.layout, other.layout);
        assert_int_equal(one.is_moving, other.is_moving);
    }
    place_cache_delete(cache);
}

/* Any two of the records are ordered: one replaces the other, never both or neither. */
static void test_order_is_total(void **state)
{
    struct place_cache *cache = place_cache_new(0);

    (void)state;
    for (unsigned a = 0; a < VARIANTS; a++)
        for (unsigned b = 0; b < VARIANTS; b++) {
            struct place *place = fixture_place(cache, 0);
            struct place *mirror = fixture_place(cache, 0);
            struct place_record first = variant(a), second = variant(b);
            bool is_b_newer, is_a_newer;

            fixture_put(place, &first);
            fixture_put(mirror, &second);
            is_b_newer = place_merge(place, &second) == STATUS_OK;
            is_a_newer = place_merge(mirror, &first) == STATUS_OK;
            assert_int_equal(is_a_newer + is_b_newer, a != b);
            place_delete(place);
            place_delete(mirror);
        }
    place_cache_delete(cache);
}

static void test_last_writer_wins(void **state)
{
    struct place_cache *cache = place_cache_new(0);
    struct place *place = fixture_place(cache, 1);
    struct place_record record = fixture_record(0);

    (void)state;
    assert_int_equal(place_merge(place, &record), STATUS_STALE);
    record.stamp = 5;
    record.weight = 512;
    assert_int_equal(place_merge(place, &record), STATUS_OK);
    record.stamp = 4;
    record.weight = 1024;
    assert_int_equal(place_merge(place, &record), STATUS_STALE);
    assert_int_equal(place_find(place, fixture_id8(0))->weight, 512);
    record.stamp = 5;
    record.by = 2;
    assert_int_equal(place_merge(place, &record), STATUS_OK);
    assert_int_equal(place_find(place, fixture_id8(0))->weight, 1024);
    record.by = 1; /* larger bytes lose against a larger writer */
    record.state = PLACE_OUT;
    assert_int_equal(place_merge(place, &record), STATUS_STALE);
    place_delete(place);
    place_cache_delete(cache);
}

/* K7: the same records in any order give the same list, layout, digest and owners. */
static void test_order_of_peers_does_not_matter(void **state)
{
    struct place_cache *cache = place_cache_new(0), *other_cache = place_cache_new(0);
    struct place *up = fixture_place(cache, 9), *down = fixture_place(other_cache, 0);

    (void)state;
    for (uint32_t i = 9; i-- > 0;) {
        struct place_record record = fixture_record(i);

        fixture_put(down, &record);
    }
    assert_int_equal(place_layout(up), place_layout(down));
    assert_int_equal(place_digest(up), place_digest(down));
    assert_int_equal(fixture_moved(up, down), 0);
    for (uint32_t i = 0; i < 9; i++)
        assert_true(id_equal(&place_at(up, i)->id, &place_at(down, i)->id));
    for (uint32_t i = 1; i < 9; i++)
        assert_true(id_front(&place_at(up, i - 1)->id) < id_front(&place_at(up, i)->id));
    place_delete(up);
    place_delete(down);
    place_cache_delete(cache);
    place_cache_delete(other_cache);
}

static void test_empty_list_has_no_owners(void **state)
{
    struct place_cache *cache = place_cache_new(0);
    struct place *place = fixture_place(cache, 0);
    struct place_owners owners;

    (void)state;
    assert_int_equal(place_layout(place), 0);
    assert_int_equal(place_digest(place), 0);
    place_owners(place, FIXTURE_PARTITIONS - 1, &owners);
    assert_int_equal(owners.count, 0);
    assert_int_equal(owners.base_count, 0);
    assert_int_equal(owners.target_count, 0);
    assert_null(place_find(place, fixture_id8(1)));
    place_delete(place);
    place_cache_delete(cache);
}

static void test_fewer_peers_give_fewer_owners(void **state)
{
    struct place_cache *cache = place_cache_new(0);

    (void)state;
    for (uint32_t count = 1; count <= 4; count++) {
        struct place *place = fixture_place(cache, count);
        struct place_owners owners;

        place_owners(place, 0, &owners);
        assert_int_equal(owners.count, count < 3 ? count : 3);
        for (unsigned i = 0; i < owners.count; i++)
            assert_true(owners.peers[i].is_base && owners.peers[i].is_target);
        place_delete(place);
    }
    place_cache_delete(cache);
}

static void test_weight_zero_and_out_own_nothing(void **state)
{
    struct place_cache *cache = place_cache_new(0);
    struct place *place = fixture_place(cache, 2);
    struct place_record record = fixture_record(2);
    struct place_owners owners;

    (void)state;
    record.weight = 0;
    fixture_put(place, &record);
    fixture_set_state(place, 1, PLACE_OUT);
    place_owners(place, 5, &owners);
    assert_int_equal(owners.count, 1);
    assert_int_equal(owners.peers[0].id8, fixture_id8(0));
    assert_int_equal(place_count(place), 3);
    place_delete(place);
    place_cache_delete(cache);
}

/* Whether one of the two sets of any partition differs between two lists. */
static void compare_sets(struct place *a, struct place *b, bool *base, bool *target)
{
    *base = *target = false;
    for (uint32_t p = 0; p < 512; p++) {
        struct place_owners x, y;
        uint64_t sum[4] = {0};

        place_owners(a, p, &x);
        place_owners(b, p, &y);
        for (unsigned i = 0; i < x.count; i++) {
            sum[0] += x.peers[i].is_base ? x.peers[i].id8 : 0;
            sum[1] += x.peers[i].is_target ? x.peers[i].id8 : 0;
        }
        for (unsigned i = 0; i < y.count; i++) {
            sum[2] += y.peers[i].is_base ? y.peers[i].id8 : 0;
            sum[3] += y.peers[i].is_target ? y.peers[i].id8 : 0;
        }
        *base = *base || sum[0] != sum[2];
        *target = *target || sum[1] != sum[3];
    }
}

/* The life of a peer: each step moves exactly one of the two sets. */
static void test_each_step_moves_one_set(void **state)
{
    static const enum place_state life[] = {PLACE_OUT, PLACE_JOINING, PLACE_ACTIVE, PLACE_LEAVING,
                                            PLACE_OUT};
    static const bool moves_base[] = {false, true, false, true};
    struct place_cache *cache = place_cache_new(4);
    struct place *before = fixture_place(cache, 6), *after = fixture_place(cache, 6);

    (void)state;
    fixture_set_state(before, 5, PLACE_OUT);
    for (unsigned step = 0; step < 4; step++) {
        bool base, target;

        fixture_set_state(after, 5, life[step + 1]);
        compare_sets(before, after, &base, &target);
        assert_int_equal(base, moves_base[step]);
        assert_int_equal(target, !moves_base[step]);
        assert_int_equal(place_is_moving(after), step % 2 == 0);
        assert_true(place_layout(before) != place_layout(after));
        fixture_set_state(before, 5, life[step + 1]);
    }
    place_delete(before);
    place_delete(after);
    place_cache_delete(cache);
}

/* Base stands first in rank order, then those only in target, nobody twice. */
static void test_owners_are_a_union(void **state)
{
    struct place_cache *cache = place_cache_new(4);
    struct place *place = fixture_place(cache, 8);
    unsigned differing = 0;

    (void)state;
    assert_int_equal(place_owns(place, 0, fixture_id8(1)), /* asked before it changes, too */
                     place_owns(place, 0, fixture_id8(1)));
    fixture_set_state(place, 7, PLACE_LEAVING);
    fixture_set_state(place, 6, PLACE_OUT);
    fixture_set_state(place, 6, PLACE_JOINING); /* later, so it waits */
    for (uint32_t p = 0; p < FIXTURE_PARTITIONS; p++) {
        struct place_owners owners;
        unsigned base = 0, target = 0;

        place_owners(place, p, &owners);
        for (unsigned i = 0; i < owners.count; i++) {
            base += owners.peers[i].is_base;
            target += owners.peers[i].is_target;
            assert_int_equal(owners.peers[i].is_base, i < owners.base_count);
            assert_true(owners.peers[i].is_base || owners.peers[i].is_target);
            assert_true(owners.peers[i].id8 != fixture_id8(6) || !owners.peers[i].is_base);
            assert_true(owners.peers[i].id8 != fixture_id8(7) || !owners.peers[i].is_target);
            for (unsigned j = 0; j < i; j++)
                assert_true(owners.peers[i].id8 != owners.peers[j].id8);
        }
        assert_int_equal(base, 3);
        assert_int_equal(target, 3);
        assert_int_equal(owners.base_count, 3);
        assert_int_equal(owners.target_count, 3);
        for (unsigned i = 0; i < 9; i++) /* one more than there are */
            assert_int_equal(place_owns(place, p, fixture_id8(i)),
                             place_owners_find(&owners, fixture_id8(i)) >= 0);
        differing += owners.count > 3;
    }
    assert_true(differing > FIXTURE_PARTITIONS / 3);
    place_delete(place);
    place_cache_delete(cache);
}

/* The layout names what owners depend on; who wrote it when is the digest's. */
static void test_layout_ignores_stamps(void **state)
{
    struct place_cache *cache = place_cache_new(0);
    struct place *place = fixture_place(cache, 3);
    struct place_record record = fixture_record(1);
    uint64_t layout = place_layout(place), digest = place_digest(place);

    (void)state;
    record.stamp = 77;
    fixture_put(place, &record);
    assert_int_equal(place_layout(place), layout);
    assert_true(place_digest(place) != digest);
    record.stamp = 78;
    record.zone = fixture_label("z", 1);
    fixture_put(place, &record);
    assert_true(place_layout(place) != layout);
    fixture_set_state(place, 0, PLACE_OUT);
    fixture_set_state(place, 1, PLACE_OUT);
    fixture_set_state(place, 2, PLACE_OUT);
    assert_int_equal(place_layout(place), 0);
    assert_true(place_digest(place) != 0);
    place_delete(place);
    place_cache_delete(cache);
}

static void test_bounds_and_bad_records(void **state)
{
    struct place_cache *cache = place_cache_new(0);
    struct place_config config = fixture_config(cache);
    struct place *place;
    struct place_record record = fixture_record(0);

    (void)state;
    config.peers_max = 2;
    place = place_new(&config);
    record.state = 0;
    assert_int_equal(place_merge(place, &record), STATUS_BAD);
    record.state = PLACE_WEIGHING + 1;
    assert_int_equal(place_merge(place, &record), STATUS_BAD);
    record = fixture_record(0);
    record.zone.size = NAME_SIZE_MAX + 1;
    assert_int_equal(place_merge(place, &record), STATUS_BAD);
    assert_int_equal(place_count(place), 0);
    for (uint32_t i = 0; i < 3; i++) {
        record = fixture_record(i);
        assert_int_equal(place_merge(place, &record), i < 2 ? STATUS_OK : STATUS_FULL);
    }
    record = fixture_record(1);
    record.stamp = 9; /* a full list still takes news of those on it */
    assert_int_equal(place_merge(place, &record), STATUS_OK);
    place_delete(place);
    place_delete(NULL);
    place_cache_delete(cache);
}

static void test_partition_is_the_bits_behind_the_cell(void **state)
{
    struct place_cache *cache = place_cache_new(0);
    struct place_config config = fixture_config(cache);
    struct place *place;

    (void)state;
    config.cell_depth = 4;
    config.partition_bits = 8;
    place = place_new(&config);
    assert_int_equal(place_partition_count(place), 256);
    assert_int_equal(place_partition(place, 0xfab0000000000000), 0xab);
    assert_int_equal(place_partition(place, 0x0abfffffffffffff), 0xab);
    assert_int_equal(place_partition(place, 0x0ac0000000000000), 0xac);
    place_delete(place);
    config.partition_bits = 0;
    place = place_new(&config);
    assert_int_equal(place_partition(place, UINT64_MAX), 0);
    place_delete(place);
    place_cache_delete(cache);
}

/* A class has owners only while it is in use, as many as its number says, and is of the layout. */
static void test_classes_have_their_own_number_of_owners(void **state)
{
    struct place_cache *cache = place_cache_new(2);
    struct place *place = fixture_place(cache, 6);
    uint32_t plain = place_partition_count(place), first = place_class_first(place, 5);
    uint64_t layout = place_layout(place);
    struct place_owners owners;

    (void)state;
    assert_int_equal(place_class(place, 3), 0); /* the cluster's own */
    assert_int_equal(place_class(place, 5), 5);
    place_owners(place, first, &owners);
    assert_int_equal(owners.count, 0);
    assert_int_equal(place_partition_next(place, plain - 1), plain);
    place_classes(place, 1u << 5 | 1u << 1, 77);
    assert_int_not_equal(place_layout(place), layout);
    assert_int_equal(place_partition_count(place), first + place_class_count(place, 5));
    assert_int_equal(place_partitions_used(place), plain + 2 * place_class_count(place, 1));
    for (uint32_t p = 0; p < place_partition_count(place); p = place_partition_next(place, p)) {
        place_owners(place, p, &owners);
        assert_int_equal(owners.base_count, p < plain ? 3 : p < first ? 1 : 5);
    }
    assert_int_equal(place_partition(place, place_front(place, UINT64_MAX, 5)),
                     place_partition_count(place) - 1);
    place_classes(place, 0, 78);
    assert_int_equal(place_partition_count(place), plain);
    place_delete(place);
    place_cache_delete(cache);
}

/* Who is forgotten leaves base at once; its rank stands empty, and only target closes up. */
static void test_a_forgotten_peer_leaves_its_rank_empty(void **state)
{
    struct place_cache *cache = place_cache_new(2);
    struct place *before = fixture_place(cache, 5), *place = fixture_place(cache, 5);
    unsigned seen = 0;

    (void)state;
    fixture_set_state(place, 2, PLACE_GONE);
    assert_int_equal(place_current(place), fixture_id8(2));
    for (uint32_t p = 0; p < place_partition_count(place); p++) {
        struct place_owners was, is;

        place_owners(before, p, &was);
        place_owners(place, p, &is);
        assert_false(fixture_owns(&is, fixture_id8(2)));
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(place_owns(place, p, fixture_id8(i)),
                             place_owners_find(&is, fixture_id8(i)) >= 0);
        assert_int_equal(is.gone_count, fixture_owns(&was, fixture_id8(2)));
        assert_int_equal(is.base_count + is.gone_count, was.base_count);
        assert_int_equal(is.target_count, was.base_count);
        for (uint8_t i = 0; i < is.count; i++) /* nobody moved up into base */
            assert_true(!is.peers[i].is_base || fixture_owns(&was, is.peers[i].id8));
        seen += is.gone_count;
    }
    assert_true(seen > 0);
    place_delete(before);
    place_delete(place);
    place_cache_delete(cache);
}

/* Who comes later waits, whatever it is: the move under way keeps its target set. */
static void test_moves_wait_in_line(void **state)
{
    struct place_cache *cache = place_cache_new(4);
    struct place *before = fixture_place(cache, 6), *place = fixture_place(cache, 6);
    bool base, target;

    (void)state;
    fixture_set_state(before, 5, PLACE_JOINING);
    fixture_set_state(place, 5, PLACE_JOINING);
    fixture_set_state(place, 3, PLACE_ACTIVE);
    fixture_set_state(place, 3, PLACE_LEAVING); /* later */
    assert_int_equal(place_current(place), fixture_id8(5));
    compare_sets(before, place, &base, &target);
    assert_true(!base && !target);
    fixture_set_state(place, 5, PLACE_ACTIVE);
    assert_int_equal(place_current(place), fixture_id8(3));
    place_delete(before);
    place_delete(place);
    place_cache_delete(cache);
}

/* A new weight counts in target first, then in base; a peer that waits has its old one. */
static void test_a_weight_changes_one_set_at_a_time(void **state)
{
    struct place_cache *cache = place_cache_new(4);
    struct place *before = fixture_place(cache, 5), *place = fixture_place(cache, 5);
    struct place_record record = fixture_record(2), other = fixture_record(3);
    bool base, target;

    (void)state;
    record.state = PLACE_WEIGHING;
    record.weight_next = 4 * record.weight;
    record.stamp = 100;
    fixture_put(place, &record);
    compare_sets(before, place, &base, &target);
    assert_true(!base && target);
    assert_int_equal(place_current(place), fixture_id8(2));
    other.state = PLACE_LEAVING; /* was there first */
    other.stamp = 99;
    fixture_put(place, &other);
    fixture_put(before, &other);
    compare_sets(before, place, &base, &target);
    assert_true(!base && !target);
    other.state = PLACE_ACTIVE;
    other.stamp = 102;
    fixture_put(place, &other);
    fixture_put(before, &record);
    record.state = PLACE_ACTIVE;
    record.weight = record.weight_next;
    record.weight_next = 0;
    record.stamp = 103;
    other.stamp = 104;
    fixture_put(before, &other);
    fixture_put(place, &record);
    compare_sets(before, place, &base, &target);
    assert_true(base && !target);
    record.weight_next = 1;
    record.stamp = 105;
    assert_int_equal(place_merge(place, &record), STATUS_BAD); /* one spelling */
    place_delete(before);
    place_delete(place);
    place_cache_delete(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves_wait_in_line),
        cmocka_unit_test(test_a_weight_changes_one_set_at_a_time),
        cmocka_unit_test(test_a_forgotten_peer_leaves_its_rank_empty),
        cmocka_unit_test(test_merge_laws_exhaustively),
        cmocka_unit_test(test_order_is_total),
        cmocka_unit_test(test_last_writer_wins),
        cmocka_unit_test(test_order_of_peers_does_not_matter),
        cmocka_unit_test(test_empty_list_has_no_owners),
        cmocka_unit_test(test_fewer_peers_give_fewer_owners),
        cmocka_unit_test(test_weight_zero_and_out_own_nothing),
        cmocka_unit_test(test_each_step_moves_one_set),
        cmocka_unit_test(test_owners_are_a_union),
        cmocka_unit_test(test_layout_ignores_stamps),
        cmocka_unit_test(test_bounds_and_bad_records),
        cmocka_unit_test(test_partition_is_the_bits_behind_the_cell),
        cmocka_unit_test(test_classes_have_their_own_number_of_owners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
