/* K11: no two owners share a host while another host is free, then the same for zones. */
#include "place_fixture.h"

/* Where each peer of a case stands: host and zone numbers, -1 for no label. */
struct layout {
    unsigned count;
    int hosts[10], zones[10];
};

static struct place *layout_place(struct place_cache *cache, const struct layout *layout)
{
    struct place *place = fixture_place(cache, 0);

    for (uint32_t i = 0; i < layout->count; i++) {
        struct place_record record = fixture_record(i);

        record.host = fixture_label("host", layout->hosts[i]);
        record.zone = fixture_label("zone", layout->zones[i]);
        fixture_put(place, &record);
    }
    return place;
}

static unsigned distinct(const int *labels, const unsigned *peers, unsigned count)
{
    unsigned found = 0;

    for (unsigned i = 0; i < count; i++) {
        bool is_new = true;

        for (unsigned j = 0; j < i; j++)
            is_new = is_new && labels[peers[i]] != labels[peers[j]];
        found += is_new;
    }
    return found;
}

static unsigned peer_of(const struct layout *layout, uint64_t id8)
{
    for (unsigned i = 0; i < layout->count; i++)
        if (fixture_id8(i) == id8)
            return i;
    fail();
    return 0;
}

/* Every partition uses as many hosts and zones as there are, up to three. */
static void check_layout(const struct layout *layout, unsigned hosts, unsigned zones)
{
    struct place_cache *cache = place_cache_new(0);
    struct place *place = layout_place(cache, layout);

    for (uint32_t p = 0; p < 2000; p++) {
        struct place_owners owners;
        unsigned peers[SET_MAX];

        place_owners(place, p, &owners);
        assert_int_equal(owners.count, 3);
        for (unsigned i = 0; i < owners.count; i++)
            peers[i] = peer_of(layout, owners.peers[i].id8);
        assert_int_equal(distinct(layout->hosts, peers, owners.count), hosts);
        assert_int_equal(distinct(layout->zones, peers, owners.count), zones);
    }
    place_delete(place);
    place_cache_delete(cache);
}

static void test_one_host_still_gives_three_peers(void **state)
{
    (void)state;
    check_layout(&(struct layout){5, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}, 1, 1);
    check_layout(&(struct layout){5, {-1, -1, -1, -1, -1}, {-1, -1, -1, -1, -1}}, 1, 1);
}

static void test_two_hosts_are_both_used(void **state)
{
    (void)state;
    check_layout(&(struct layout){6, {1, 1, 1, 1, 1, 2}, {1, 1, 1, 1, 1, 1}}, 2, 1);
}

static void test_three_hosts_are_all_used(void **state)
{
    (void)state;
    check_layout(&(struct layout){6, {1, 1, 2, 2, 3, 3}, {-1, -1, -1, -1, -1, -1}}, 3, 1);
}

static void test_zones_are_spread(void **state)
{
    (void)state;
    check_layout(&(struct layout){6, {1, 2, 3, 4, 5, 6}, {1, 1, 2, 2, 3, 3}}, 3, 3);
    check_layout(&(struct layout){6, {1, 2, 3, 4, 5, 6}, {1, 1, 1, 1, 1, 2}}, 3, 2);
    /* Peers without a zone are one zone of their own. */
    check_layout(&(struct layout){4, {1, 2, 3, 4}, {-1, -1, 1, 2}}, 3, 3);
}

/* Hosts count more than zones: with one zone left the pick is by host. */
static void test_host_comes_before_zone(void **state)
{
    (void)state;
    check_layout(&(struct layout){6, {1, 1, 2, 2, 3, 3}, {1, 1, 1, 1, 2, 2}}, 3, 2);
}

/* The first rank is the best score whatever the labels. */
static void test_first_rank_ignores_labels(void **state)
{
    struct place_cache *cache = place_cache_new(0);
    struct place_config config = fixture_config(cache);
    struct layout layout = {6, {1, 1, 2, 2, 3, 3}, {1, 1, 1, 1, 2, 2}};
    struct place *place = layout_place(cache, &layout);

    (void)state;
    for (uint32_t p = 0; p < 2000; p++) {
        struct place_owners owners;
        uint64_t first;

        place_owners(place, p, &owners);
        first = place_score(config.seed, owners.peers[0].id8, p, 256);
        for (uint32_t i = 0; i < layout.count; i++)
            assert_true(first <= place_score(config.seed, fixture_id8(i), p, 256));
    }
    place_delete(place);
    place_cache_delete(cache);
}

/* Among peers of one class the ranks follow the score, whatever short cut found them. */
static void test_ranks_follow_the_score(void **state)
{
    static const uint16_t weights[] = {256, 256, 1, 512, 300, 256, 16384, 256};
    struct place_cache *cache = place_cache_new(0);
    struct place_config config = fixture_config(cache);
    struct place *place = fixture_place(cache, 0);

    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        struct place_record record = fixture_record(i);

        record.weight = weights[i];
        record.host = (struct label){0};
        fixture_put(place, &record);
    }
    for (uint32_t p = 0; p < 4000; p++) {
        struct place_owners owners;
        unsigned better[3] = {0};

        place_owners(place, p, &owners);
        for (uint32_t i = 0; i < 8; i++)
            for (unsigned rank = 0; rank < 3; rank++) {
                uint64_t id8 = owners.peers[rank].id8;
                uint16_t weight = place_find(place, id8)->weight;

                better[rank] += place_score(config.seed, fixture_id8(i), p, weights[i]) <
                                place_score(config.seed, id8, p, weight);
            }
        for (unsigned rank = 0; rank < 3; rank++)
            assert_int_equal(better[rank], rank);
    }
    place_delete(place);
    place_cache_delete(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_host_still_gives_three_peers),
        cmocka_unit_test(test_two_hosts_are_both_used),
        cmocka_unit_test(test_three_hosts_are_all_used),
        cmocka_unit_test(test_zones_are_spread),
        cmocka_unit_test(test_host_comes_before_zone),
        cmocka_unit_test(test_first_rank_ignores_labels),
        cmocka_unit_test(test_ranks_follow_the_score),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
