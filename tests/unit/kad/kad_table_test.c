/* K1-K4 and K9: buckets, order, eviction, diversity. */
#include "kad_fixture.h"

static void fill_bucket(struct fixture *fixture, unsigned bucket, unsigned count)
{
    for (uint32_t i = 0; i < count; i++)
        fixture_prove(fixture, 1000 + i, bucket, i);
}

static void test_contacts_stand_in_their_bucket(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture, 0);
    for (unsigned bucket = 0; bucket < KAD_BUCKETS_KEPT; bucket++)
        fixture_prove(&fixture, 1, bucket, 1);
    fixture_prove(&fixture, 1, 200, 1); /* deeper than the last */
    for (unsigned bucket = 0; bucket + 1 < KAD_BUCKETS_KEPT; bucket++)
        assert_int_equal(kad_bucket_count(fixture.kad, bucket), 1);
    assert_int_equal(kad_bucket_count(fixture.kad, KAD_BUCKETS_KEPT - 1), 2);
    assert_int_equal(kad_count(fixture.kad), KAD_BUCKETS_KEPT + 1);
    fixture_close(&fixture);
}

static void test_self_and_addressless_are_refused(void **state)
{
    struct fixture fixture;
    struct contact contact = {.address = fixture_address(127, 0, 0, 1)};

    (void)state;
    fixture_open(&fixture, 0);
    kad_contact_proved(fixture.kad, 1, &contact);
    contact = fixture_contact(1, 1);
    contact.address.family = 0;
    kad_contact_proved(fixture.kad, 1, &contact);
    assert_int_equal(kad_count(fixture.kad), 0);
    fixture_close(&fixture);
}

static void test_order_is_least_recently_proved_first(void **state)
{
    static const uint32_t order[] = {0, 2, 3, 1};
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture, 0);
    fill_bucket(&fixture, 3, 4);
    fixture_prove(&fixture, 5000, 3, 1);
    assert_int_equal(kad_bucket_count(fixture.kad, 3), 4);
    for (unsigned i = 0; i < 4; i++) {
        struct node_id id = fixture_id(3, order[i]);

        assert_true(id_equal(&kad_bucket_at(fixture.kad, 3, i)->id, &id));
    }
    fixture_close(&fixture);
}

/* K3: newcomers make us ask the oldest; as long as it answers, nobody is evicted. */
static void test_responsive_contacts_are_never_evicted(void **state)
{
    struct fixture fixture;
    instant now = INSTANT_S(100);

    (void)state;
    fixture_open(&fixture, 0);
    fill_bucket(&fixture, 0, KAD_K);
    for (uint32_t newcomer = 100; newcomer < 200; newcomer++) {
        unsigned first = fixture.count = 0;

        now += INSTANT_S(1);
        fixture_prove(&fixture, now, 0, newcomer);
        for (; first < fixture.count; first++)
            assert_int_equal(fixture_reply(&fixture, now + 500, first, NULL, 0), STATUS_OK);
        fixture_run(&fixture, now + INSTANT_MS(900));
    }
    for (uint32_t i = 0; i < KAD_K; i++)
        assert_true(fixture_knows(&fixture, 0, i));
    assert_int_equal(kad_bucket_waiting(fixture.kad, 0), KAD_REPLACEMENTS);
    fixture_close(&fixture);
}

/* The oldest is asked, three silences later the last newcomer has its place. */
static void test_silent_contact_yields_to_the_newest_waiting(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture, 0);
    fill_bucket(&fixture, 0, KAD_K);
    fixture_prove(&fixture, INSTANT_S(50), 0, 100);
    assert_int_equal(fixture.count, 1);
    assert_true(id_equal(&fixture.outputs[0].to.id, &(struct node_id){.bytes = {0x80}}));
    fixture_prove(&fixture, INSTANT_S(50) + 1, 0, 101);
    assert_int_equal(fixture.count, 1); /* one question about it is enough */
    fixture_run(&fixture, INSTANT_S(54));
    assert_true(fixture_knows(&fixture, 0, 0)); /* silent once */
    fixture_run(&fixture, INSTANT_S(75));
    assert_int_equal(fixture.count, 3);
    assert_false(fixture_knows(&fixture, 0, 0));
    assert_true(fixture_knows(&fixture, 0, 101));
    assert_false(fixture_knows(&fixture, 0, 100));
    assert_int_equal(kad_bucket_count(fixture.kad, 0), KAD_K);
    assert_int_equal(kad_bucket_waiting(fixture.kad, 0), 1);
    fixture_close(&fixture);
}

/* With nobody waiting the silent stay, are not handed out, and make room for the next. */
static void test_silent_without_replacement_stays_until_displaced(void **state)
{
    struct fixture fixture;
    struct node_id oldest = fixture_id(0, 0);
    struct contact nearest[KAD_K];

    (void)state;
    fixture_open(&fixture, 0);
    fill_bucket(&fixture, 0, KAD_K);
    for (unsigned i = 0; i < 3; i++)
        kad_contact_silent(fixture.kad, INSTANT_S(1 + i), &oldest);
    assert_true(fixture_knows(&fixture, 0, 0));
    assert_int_equal(kad_nearest(fixture.kad, &oldest, nearest, KAD_K), KAD_K - 1);
    fixture_prove(&fixture, INSTANT_S(60), 0, 100);
    assert_false(fixture_knows(&fixture, 0, 0));
    assert_true(fixture_knows(&fixture, 0, 100));
    fixture_close(&fixture);
}

static void test_a_proof_ends_silence(void **state)
{
    struct fixture fixture;
    struct node_id id = fixture_id(0, 3);

    (void)state;
    fixture_open(&fixture, 0);
    fill_bucket(&fixture, 0, KAD_K);
    fixture_prove(&fixture, 2000, 0, 100); /* waits: silence could cost somebody the place */
    for (unsigned i = 0; i < 20; i++) {
        kad_contact_silent(fixture.kad, 3000 + i, &id);
        if (i % 2)
            fixture_prove(&fixture, 3000 + i, 0, 3);
    }
    assert_true(fixture_knows(&fixture, 0, 3));
    assert_false(fixture_knows(&fixture, 0, 100));
    fixture_close(&fixture);
}

/* Who moves up stands where its own proof puts it, not behind those proved since. */
static void test_moving_up_keeps_the_order(void **state)
{
    struct fixture fixture;
    struct node_id waited = fixture_id(0, 100), gone = fixture_id(0, 5);

    (void)state;
    fixture_open(&fixture, 0);
    fill_bucket(&fixture, 0, KAD_K);
    fixture_prove(&fixture, 2000, 0, 100);
    for (uint32_t i = 0; i < KAD_K; i++)
        fixture_prove(&fixture, 3000 + i, 0, i);
    kad_contact_gone(fixture.kad, &gone);
    assert_true(id_equal(&kad_bucket_at(fixture.kad, 0, 0)->id, &waited));
    fixture_close(&fixture);
}

static void test_gone_contact_is_replaced(void **state)
{
    struct fixture fixture;
    struct node_id gone = fixture_id(0, 5), waiting = fixture_id(0, 101);

    (void)state;
    fixture_open(&fixture, 0);
    fill_bucket(&fixture, 0, KAD_K);
    fixture_prove(&fixture, 2000, 0, 100);
    fixture_prove(&fixture, 2001, 0, 101);
    kad_contact_gone(fixture.kad, &waiting);
    assert_int_equal(kad_bucket_waiting(fixture.kad, 0), 1);
    kad_contact_gone(fixture.kad, &gone);
    assert_false(fixture_knows(&fixture, 0, 5));
    assert_true(fixture_knows(&fixture, 0, 100));
    assert_int_equal(kad_bucket_waiting(fixture.kad, 0), 0);
    kad_contact_gone(fixture.kad, &gone); /* a stranger by now */
    assert_int_equal(kad_count(fixture.kad), KAD_K);
    fixture_close(&fixture);
}

/* K9 within one bucket: two of one /24, waiting ones counted. */
static void test_two_of_a_network_per_bucket(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture, 0);
    for (uint32_t i = 0; i < 5; i++) {
        struct contact contact = fixture_contact(0, i);

        contact.address = fixture_address(198, 51, 100, (uint8_t)i);
        kad_contact_proved(fixture.kad, i, &contact);
    }
    assert_int_equal(kad_bucket_count(fixture.kad, 0), 2);
    for (uint32_t i = 5; i < 7; i++) { /* neighbouring networks are others */
        struct contact contact = fixture_contact(0, i);

        contact.address = fixture_address(198, 51, (uint8_t)(96 + i), 1);
        kad_contact_proved(fixture.kad, i, &contact);
    }
    assert_int_equal(kad_bucket_count(fixture.kad, 0), 4);
    fixture_close(&fixture);
}

/* K9 over the table: ten of one network. */
static void test_ten_of_a_network_per_table(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture, 0);
    for (uint32_t i = 0; i < 30; i++) {
        struct contact contact = fixture_contact(i % 15, i);

        contact.address = (struct address){.family = 6, .ip = {0x20, 1, 0xd, 0xb8, 0, 7}};
        contact.address.ip[6] = (uint8_t)i; /* beyond the /48: still the same network */
        kad_contact_proved(fixture.kad, i, &contact);
    }
    assert_int_equal(kad_count(fixture.kad), 10);
    fixture_close(&fixture);
}

static void test_private_networks_are_not_limited(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture, 0);
    for (uint32_t i = 0; i < KAD_K; i++) {
        struct contact contact = fixture_contact(0, i);

        contact.address = fixture_address(10, 0, 0, (uint8_t)i);
        kad_contact_proved(fixture.kad, i, &contact);
    }
    assert_int_equal(kad_bucket_count(fixture.kad, 0), KAD_K);
    fixture_close(&fixture);
}

/* A known contact that turns up elsewhere has to pass the limits there. */
static void test_moving_does_not_walk_around_diversity(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture, 0);
    for (uint32_t i = 0; i < 8; i++) {
        struct contact contact = fixture_contact(0, i);

        contact.address = fixture_address(198, 51, (uint8_t)i, 1);
        kad_contact_proved(fixture.kad, i, &contact);
    }
    for (uint32_t i = 0; i < 8; i++) {
        struct contact contact = fixture_contact(0, i);

        contact.address = fixture_address(203, 0, 113, (uint8_t)i);
        kad_contact_proved(fixture.kad, 100 + i, &contact);
    }
    assert_int_equal(kad_bucket_count(fixture.kad, 0), 2);
    fixture_close(&fixture);
}

static void test_nearest_is_sorted_and_complete(void **state)
{
    struct fixture fixture;
    struct prng prng;
    struct contact nearest[KAD_K];

    (void)state;
    fixture_open(&fixture, 0);
    prng_init(&prng, 3);
    for (uint32_t i = 0; i < 120; i++)
        fixture_prove(&fixture, i, (unsigned)prng_below(&prng, 12), (uint32_t)prng_next(&prng));
    for (unsigned round = 0; round < 200; round++) {
        struct node_id target = fixture_id(round % 12, (uint32_t)prng_next(&prng));
        unsigned max = 1 + round % KAD_K, nearer = 0;

        assert_int_equal(kad_nearest(fixture.kad, &target, nearest, max), max);
        for (unsigned i = 1; i < max; i++)
            assert_true(id_closer(&target, &nearest[i - 1].id, &nearest[i].id));
        for (unsigned bucket = 0; bucket < KAD_BUCKETS_KEPT; bucket++)
            for (unsigned i = 0; i < kad_bucket_count(fixture.kad, bucket); i++)
                nearer += id_closer(&target, &kad_bucket_at(fixture.kad, bucket, i)->id,
                                    &nearest[max - 1].id);
        assert_int_equal(nearer, max - 1);
    }
    assert_int_equal(kad_nearest(fixture.kad, &fixture.self, nearest, 0), 0);
    fixture_close(&fixture);
}

/* K1: what must hold of every bucket at any time. */
static void check_table(const struct fixture *fixture)
{
    for (unsigned bucket = 0; bucket < KAD_BUCKETS_KEPT; bucket++) {
        unsigned count = kad_bucket_count(fixture->kad, bucket);

        assert_in_range(count, 0, KAD_K);
        assert_in_range(kad_bucket_waiting(fixture->kad, bucket), 0, KAD_REPLACEMENTS);
        for (unsigned i = 0; i < count; i++) {
            const struct contact *contact = kad_bucket_at(fixture->kad, bucket, i);
            unsigned prefix = id_prefix(&fixture->self, &contact->id);

            assert_true(prefix == bucket || (bucket == KAD_BUCKETS_KEPT - 1 && prefix >= bucket));
            assert_false(id_equal(&contact->id, &fixture->self));
            assert_ptr_equal(kad_contact_find(fixture->kad, &contact->id), contact);
            for (unsigned j = 0; j < i; j++)
                assert_false(id_equal(&contact->id, &kad_bucket_at(fixture->kad, bucket, j)->id));
        }
    }
}

/* K2 in the large: random proofs, silences and deaths never break the buckets. */
static void test_random_operations_keep_the_buckets_whole(void **state)
{
    struct fixture fixture;
    struct prng prng;

    (void)state;
    fixture_open(&fixture, KAD_BUCKETS_MAX);
    prng_init(&prng, 11);
    for (uint32_t step = 0; step < 50000; step++) {
        unsigned bucket = (unsigned)prng_below(&prng, 45);
        uint32_t number = (uint32_t)prng_below(&prng, 40);
        struct node_id id = fixture_id(bucket, number);
        instant now = (instant)step * 20000;

        fixture.count = 0;
        switch (prng_below(&prng, 8)) {
        case 0:
            kad_contact_gone(fixture.kad, &id);
            break;
        case 1:
        case 2:
            kad_contact_silent(fixture.kad, now, &id);
            break;
        case 3:
            kad_expire(fixture.kad, now);
            break;
        default:
            fixture_prove(&fixture, now, bucket, number);
        }
        if (step % 100 == 0)
            check_table(&fixture);
    }
    assert_in_range(kad_count(fixture.kad), 300, KAD_K * KAD_BUCKETS_KEPT);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contacts_stand_in_their_bucket),
        cmocka_unit_test(test_self_and_addressless_are_refused),
        cmocka_unit_test(test_order_is_least_recently_proved_first),
        cmocka_unit_test(test_responsive_contacts_are_never_evicted),
        cmocka_unit_test(test_silent_contact_yields_to_the_newest_waiting),
        cmocka_unit_test(test_silent_without_replacement_stays_until_displaced),
        cmocka_unit_test(test_a_proof_ends_silence),
        cmocka_unit_test(test_moving_up_keeps_the_order),
        cmocka_unit_test(test_gone_contact_is_replaced),
        cmocka_unit_test(test_two_of_a_network_per_bucket),
        cmocka_unit_test(test_ten_of_a_network_per_table),
        cmocka_unit_test(test_private_networks_are_not_limited),
        cmocka_unit_test(test_moving_does_not_walk_around_diversity),
        cmocka_unit_test(test_nearest_is_sorted_and_complete),
        cmocka_unit_test(test_random_operations_keep_the_buckets_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
