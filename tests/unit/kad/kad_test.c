/* Questions and answers, proof, amplification, checks, refresh, deadlines. */
#include "kad_fixture.h"

#define PADDED 512 /* bytes that pay for a whole answer */

static struct message_find_node find(uint32_t seq, const struct node_id *target, size_t padding)
{
    static const uint8_t zeros[1200];

    return (struct message_find_node){.seq = seq, .target = *target, .padding = {zeros, padding}};
}

static void ask(struct fixture *fixture, instant now, const struct contact *from, size_t padding)
{
    struct node_id target = fixture_id(2, 5);
    struct message_find_node message = find(99, &target, padding);

    fixture->count = 0;
    kad_receive_find(fixture->kad, now, from, &message);
}

static void test_a_proved_asker_gets_a_whole_answer(void **state)
{
    struct fixture fixture;
    struct contact asker = fixture_contact(2, 1);
    struct node_id target = fixture_id(2, 5), nearest = fixture_id(2, 4);

    (void)state;
    fixture_open(&fixture, 0);
    for (uint32_t i = 1; i <= 12; i++)
        fixture_prove(&fixture, i, 2, i);
    ask(&fixture, 100, &asker, 0);
    assert_int_equal(fixture.count, 1);
    assert_int_equal(fixture.outputs[0].message.kind, MESSAGE_NODES);
    assert_int_equal(fixture.outputs[0].message.nodes.seq, 99);
    assert_true(id_equal(&fixture.outputs[0].message.nodes.target, &target));
    assert_int_equal(fixture.outputs[0].output.count, KAD_BETA);
    nearest = fixture_id(2, 5); /* the two nearest are always there, in front */
    assert_true(id_equal(&fixture.outputs[0].contacts[0].id, &nearest));
    nearest = fixture_id(2, 4);
    assert_true(id_equal(&fixture.outputs[0].contacts[1].id, &nearest));
    for (unsigned i = 0; i < KAD_BETA; i++)
        assert_false(id_equal(&fixture.outputs[0].contacts[i].id, &asker.id));
    fixture_close(&fixture);
}

/* Nobody can make us send more bytes to a third party than were spent on us. */
static void test_an_unproved_asker_gets_what_it_paid_for(void **state)
{
    struct fixture fixture;
    struct contact stranger = fixture_contact(7, 1), moved = fixture_contact(2, 1);

    (void)state;
    fixture_open(&fixture, 0);
    for (uint32_t i = 1; i <= 12; i++)
        fixture_prove(&fixture, i, 2, i);
    ask(&fixture, 100, &stranger, 0);
    assert_int_equal(fixture.outputs[0].output.count, 0);
    ask(&fixture, 101, &stranger, 3 * 64 + 63);
    assert_int_equal(fixture.outputs[0].output.count, 3);
    ask(&fixture, 102, &stranger, PADDED);
    assert_int_equal(fixture.outputs[0].output.count, KAD_BETA);
    ask(&fixture, 103, &stranger, 1200);
    assert_int_equal(fixture.outputs[0].output.count, KAD_BETA);
    moved.address.port++; /* a known peer at an address that never answered */
    ask(&fixture, 104, &moved, 0);
    assert_int_equal(fixture.outputs[0].output.count, 0);
    fixture_close(&fixture);
}

/* K4: a question lets nobody in; the answer to our own does. */
static void test_asker_is_asked_back(void **state)
{
    struct fixture fixture;
    struct contact stranger = fixture_contact(7, 1);

    (void)state;
    fixture_open(&fixture, 0);
    ask(&fixture, 100, &stranger, 0);
    assert_int_equal(fixture.count, 2);
    assert_false(fixture_knows(&fixture, 7, 1));
    assert_int_equal(fixture.outputs[1].message.kind, MESSAGE_FIND_NODE);
    assert_int_equal(fixture.outputs[1].message.find_node.padding.size, 0);
    assert_int_equal(fixture_reply(&fixture, 600, 1, NULL, 0), STATUS_OK);
    assert_true(fixture_knows(&fixture, 7, 1));
    assert_int_equal(kad_contact_find(fixture.kad, &stranger.id)->rtt_us, 500);
    ask(&fixture, 700, &stranger, 0);
    assert_int_equal(fixture.count, 1); /* proved: no second question */
    fixture_close(&fixture);
}

static void test_asking_back_is_bounded(void **state)
{
    struct fixture fixture;
    unsigned questions = 0;

    (void)state;
    fixture_open(&fixture, 0);
    for (uint32_t i = 0; i < 100; i++) {
        struct contact stranger = fixture_contact(7, i % 50);

        ask(&fixture, 100, &stranger, 0);
        questions += fixture.count - 1;
    }
    assert_int_equal(questions, KAD_CHECKS_MAX);
    fixture_run(&fixture, INSTANT_S(3)); /* strangers that never answered leave nothing behind */
    assert_int_equal(kad_count(fixture.kad), 0);
    assert_int_equal(kad_deadline(fixture.kad), INSTANT_NEVER);
    fixture_close(&fixture);
}

/* Only the answer to an open question, from the very peer, with its number and target, counts. */
static void test_unasked_answers_are_refused(void **state)
{
    struct fixture fixture;
    struct contact stranger = fixture_contact(7, 1), other = fixture_contact(8, 1);
    struct kad_nodes nodes;

    (void)state;
    fixture_open(&fixture, 0);
    ask(&fixture, 100, &stranger, 0);
    nodes = (struct kad_nodes){.seq = fixture.outputs[1].message.find_node.seq,
                               .target = fixture.outputs[1].message.find_node.target};
    assert_int_equal(kad_receive_nodes(fixture.kad, 200, &other, &nodes), STATUS_MISSING);
    nodes.seq++;
    assert_int_equal(kad_receive_nodes(fixture.kad, 200, &stranger, &nodes), STATUS_MISSING);
    nodes.seq--;
    nodes.target.bytes[5] ^= 1;
    assert_int_equal(kad_receive_nodes(fixture.kad, 200, &stranger, &nodes), STATUS_MISSING);
    nodes.target.bytes[5] ^= 1;
    assert_int_equal(kad_count(fixture.kad), 0);
    assert_int_equal(kad_receive_nodes(fixture.kad, 200, &stranger, &nodes), STATUS_OK);
    assert_int_equal(kad_receive_nodes(fixture.kad, 200, &stranger, &nodes), STATUS_MISSING);
    assert_int_equal(kad_count(fixture.kad), 1);
    fixture_close(&fixture);
}

/* A peer that went silent is not handed on: others would lose time with it. */
static void test_silent_contacts_are_not_named(void **state)
{
    struct fixture fixture;
    struct contact asker = fixture_contact(2, 1);
    struct node_id silent = fixture_id(2, 2);

    (void)state;
    fixture_open(&fixture, 0);
    for (uint32_t i = 1; i <= 3; i++)
        fixture_prove(&fixture, i, 2, i);
    kad_contact_silent(fixture.kad, 50, &silent);
    ask(&fixture, 100, &asker, 0);
    assert_int_equal(fixture.outputs[0].output.count, 1);
    fixture_close(&fixture);
}

static void test_own_id_is_no_peer(void **state)
{
    struct fixture fixture;
    struct contact self = {.address = fixture_address(127, 0, 0, 1)};

    (void)state;
    fixture_open(&fixture, 0);
    ask(&fixture, 100, &self, PADDED);
    assert_int_equal(fixture.count, 0);
    fixture_close(&fixture);
}

/* Contacts outside the cell are asked within 90 s and a quarter; SWIM watches the cell. */
static void test_checks_stop_at_the_cell(void **state)
{
    struct fixture fixture;
    unsigned checks = 0;

    (void)state;
    fixture_open(&fixture, 3);
    for (uint32_t i = 0; i < 4 * KAD_K; i++)
        fixture_prove(&fixture, 1, i % 4, i);
    while (kad_deadline(fixture.kad) < INSTANT_S(113)) {
        instant now = kad_deadline(fixture.kad);

        fixture.count = 0;
        kad_expire(fixture.kad, now);
        for (unsigned i = 0; i < fixture.count; i++) {
            const struct fixture_output *question = &fixture.outputs[i];

            assert_int_equal(question->kind, KAD_SEND);
            if (id_equal(&question->message.find_node.target, &fixture.self)) {
                assert_true(id_prefix(&question->to.id, &fixture.self) < 3);
                checks++;
            } /* else a refresh, which may ask anybody */
            assert_int_equal(fixture_reply(&fixture, now + 1, i, NULL, 0), STATUS_OK);
        }
    }
    assert_in_range(checks, 3 * KAD_K - 2 * KAD_K, 3 * KAD_K);
    assert_int_equal(kad_count(fixture.kad), 4 * KAD_K);
    fixture_close(&fixture);
}

static void test_depth_zero_sends_nothing_unasked(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture, 0);
    assert_int_equal(kad_deadline(fixture.kad), INSTANT_NEVER);
    for (uint32_t i = 0; i < 10; i++)
        fixture_prove(&fixture, 1, i, 1);
    assert_int_equal(kad_deadline(fixture.kad), INSTANT_NEVER);
    kad_expire(fixture.kad, INSTANT_S(1000));
    assert_int_equal(fixture.count, 0);
    fixture_close(&fixture);
}

/* One bucket per period, each in its turn, and without output of the lookup. */
static void test_refresh_takes_turns(void **state)
{
    struct fixture fixture;
    unsigned refreshed[4] = {0}, total = 0;
    instant last = 0;

    (void)state;
    fixture_open(&fixture, KAD_BUCKETS_MAX);
    fixture_prove(&fixture, 1, 0, 1);
    fixture_prove(&fixture, 1, 2, 1);
    while (total < 16) {
        instant now = kad_deadline(fixture.kad);
        bool is_refresh = false;

        fixture.count = 0;
        kad_expire(fixture.kad, now);
        for (unsigned i = 0; i < fixture.count; i++) {
            const struct node_id *target = &fixture.outputs[i].message.find_node.target;
            unsigned prefix = id_prefix(target, &fixture.self);

            assert_int_equal(fixture.outputs[i].kind, KAD_SEND);
            if (prefix < 256) {
                assert_in_range(prefix, 0, 3);
                refreshed[prefix] += !is_refresh;
                is_refresh = true;
            }
            assert_int_equal(fixture_reply(&fixture, now + 1, i, NULL, 0), STATUS_OK);
        }
        if (is_refresh) {
            assert_in_range(now - last, INSTANT_S(45), INSTANT_S(75));
            last = now;
            total++;
        }
    }
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(refreshed[i], 4);
    fixture_close(&fixture);
}

/* Timeouts follow the round trip within bounds. */
static void test_timeouts_follow_the_round_trip(void **state)
{
    static const struct {
        uint32_t rtt_us;
        uint64_t timeout;
    } cases[] = {{1000, INSTANT_MS(200)},
                 {100000, INSTANT_MS(300)},
                 {900000, INSTANT_S(1)},
                 {UINT32_MAX, INSTANT_S(1)},
                 {0, INSTANT_MS(500)}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        struct contact seed = fixture_contact(1, 1);
        struct kad_request request = {.seeds = &seed, .seed_count = 1};

        fixture_open(&fixture, 0);
        seed.rtt_us = cases[i].rtt_us;
        assert_int_equal(kad_lookup(fixture.kad, 1000, &request), STATUS_OK);
        assert_int_equal(kad_deadline(fixture.kad), 1000 + cases[i].timeout);
        fixture_close(&fixture);
    }
}

/* The second try is given twice the time, the third does not come. */
static void test_second_try_waits_longer(void **state)
{
    struct fixture fixture;
    struct contact seed = fixture_contact(1, 1);
    struct kad_request request = {.seeds = &seed, .seed_count = 1};

    (void)state;
    fixture_open(&fixture, 0);
    assert_int_equal(kad_lookup(fixture.kad, 0, &request), STATUS_OK);
    kad_expire(fixture.kad, INSTANT_MS(200));
    assert_int_equal(kad_deadline(fixture.kad), INSTANT_MS(600));
    kad_expire(fixture.kad, INSTANT_MS(600));
    assert_int_equal(kad_deadline(fixture.kad), INSTANT_NEVER);
    fixture_close(&fixture);
}

static void test_round_trips_are_smoothed(void **state)
{
    struct fixture fixture;
    struct contact stranger = fixture_contact(7, 1), found;
    struct kad_request request = {.target = fixture_id(7, 1)};

    (void)state;
    fixture_open(&fixture, 0);
    stranger.rtt_us = 8000;
    kad_contact_proved(fixture.kad, 1, &stranger);
    stranger.rtt_us = 0; /* a proof without a measure keeps what is known */
    kad_contact_proved(fixture.kad, 2, &stranger);
    assert_int_equal(kad_nearest(fixture.kad, &stranger.id, &found, 1), 1);
    assert_int_equal(found.rtt_us, 8000);
    assert_int_equal(kad_lookup(fixture.kad, 1000, &request), STATUS_OK);
    assert_int_equal(fixture_reply(&fixture, 1000 + 16000, 0, NULL, 0), STATUS_OK);
    assert_int_equal(kad_contact_find(fixture.kad, &stranger.id)->rtt_us, 9000);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_proved_asker_gets_a_whole_answer),
        cmocka_unit_test(test_an_unproved_asker_gets_what_it_paid_for),
        cmocka_unit_test(test_asker_is_asked_back),
        cmocka_unit_test(test_asking_back_is_bounded),
        cmocka_unit_test(test_unasked_answers_are_refused),
        cmocka_unit_test(test_silent_contacts_are_not_named),
        cmocka_unit_test(test_own_id_is_no_peer),
        cmocka_unit_test(test_checks_stop_at_the_cell),
        cmocka_unit_test(test_depth_zero_sends_nothing_unasked),
        cmocka_unit_test(test_refresh_takes_turns),
        cmocka_unit_test(test_timeouts_follow_the_round_trip),
        cmocka_unit_test(test_second_try_waits_longer),
        cmocka_unit_test(test_round_trips_are_smoothed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
