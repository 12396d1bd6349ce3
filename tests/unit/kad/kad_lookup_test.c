/* K5 and K6: lookups find the truly nearest, in few hops, and always end. */
#include "kad_network.h"

/* --- one lookup against a scripted world */

static struct kad_request request_for(unsigned bucket, uint32_t number)
{
    return (struct kad_request){.lookup = 77, .target = fixture_id(bucket, number)};
}

static unsigned count_outputs(const struct fixture *fixture, enum kad_output_kind kind)
{
    unsigned count = 0;

    for (unsigned i = 0; i < fixture->count; i++)
        count += fixture->outputs[i].kind == kind;
    return count;
}

static const struct fixture_output *last_output(const struct fixture *fixture)
{
    assert_true(fixture->count > 0);
    return &fixture->outputs[fixture->count - 1];
}

static void test_nobody_to_ask(void **state)
{
    struct fixture fixture;
    struct kad_request request = request_for(0, 1);
    struct contact self = {.address = fixture_address(127, 0, 0, 1)};

    (void)state;
    fixture_open(&fixture, 0);
    assert_int_equal(kad_lookup(fixture.kad, 1, &request), STATUS_MISSING);
    request.seeds = &self; /* we ourselves are nobody to ask */
    request.seed_count = 1;
    assert_int_equal(kad_lookup(fixture.kad, 1, &request), STATUS_MISSING);
    assert_int_equal(fixture.count, 0);
    fixture_close(&fixture);
}

/* Three questions at once, to the nearest. */
static void test_alpha_questions_are_open(void **state)
{
    struct fixture fixture;
    struct kad_request request = request_for(5, 0);

    (void)state;
    fixture_open(&fixture, 0);
    for (uint32_t i = 1; i <= 10; i++)
        fixture_prove(&fixture, i, 5, i);
    assert_int_equal(kad_lookup(fixture.kad, 100, &request), STATUS_OK);
    assert_int_equal(fixture.count, KAD_ALPHA);
    for (uint32_t i = 0; i < KAD_ALPHA; i++) {
        struct node_id id = fixture_id(5, i + 1);

        assert_true(id_equal(&fixture.outputs[i].to.id, &id));
        assert_int_equal(fixture.outputs[i].message.find_node.padding.size, 0);
    }
    assert_int_equal(fixture_reply(&fixture, 200, 1, NULL, 0), STATUS_OK);
    assert_int_equal(fixture.count, KAD_ALPHA + 2); /* a step, and the next question */
    assert_int_equal(fixture.outputs[3].kind, KAD_STEP);
    assert_true(fixture.outputs[3].output.is_answer);
    assert_int_equal(fixture.outputs[3].output.rtt_us, 100);
    assert_int_equal(fixture.outputs[3].output.prefix, NODE_ID_SIZE * 8 - 2);
    fixture_close(&fixture);
}

/* K4: who is only heard of is asked, with padding, and enters a bucket by its own answer alone. */
static void test_hearsay_is_asked_and_not_believed(void **state)
{
    struct fixture fixture;
    struct kad_request request = request_for(5, 0);
    struct contact heard = fixture_contact(5, 2);

    (void)state;
    fixture_open(&fixture, 0);
    fixture_prove(&fixture, 1, 5, 9);
    assert_int_equal(kad_lookup(fixture.kad, 100, &request), STATUS_OK);
    assert_int_equal(fixture_reply(&fixture, 200, 0, &heard, 1), STATUS_OK);
    assert_false(fixture_knows(&fixture, 5, 2));
    assert_int_equal(last_output(&fixture)->kind, KAD_SEND);
    assert_true(id_equal(&last_output(&fixture)->to.id, &heard.id));
    assert_true(last_output(&fixture)->message.find_node.padding.size >= KAD_BETA * 63);
    assert_int_equal(fixture_reply(&fixture, 300, fixture.count - 1, NULL, 0), STATUS_OK);
    assert_true(fixture_knows(&fixture, 5, 2));
    assert_int_equal(last_output(&fixture)->kind, KAD_DONE);
    assert_int_equal(last_output(&fixture)->output.lookup, 77);
    assert_int_equal(last_output(&fixture)->output.count, 2);
    assert_int_equal(last_output(&fixture)->output.hops, 1);
    assert_int_equal(last_output(&fixture)->output.queries, 2);
    assert_true(id_equal(&last_output(&fixture)->contacts[0].id, &heard.id));
    fixture_close(&fixture);
}

/* Silent peers are asked twice, reported once, and are not in the result. */
static void test_all_silent_still_ends(void **state)
{
    struct fixture fixture;
    struct kad_request request = request_for(5, 0);

    (void)state;
    fixture_open(&fixture, 0);
    for (uint32_t i = 1; i <= 5; i++)
        fixture_prove(&fixture, i, 5, i);
    assert_int_equal(kad_lookup(fixture.kad, 100, &request), STATUS_OK);
    for (unsigned step = 0; count_outputs(&fixture, KAD_DONE) == 0; step++) {
        assert_in_range(step, 0, 100);
        assert_true(kad_deadline(fixture.kad) < INSTANT_S(5));
        kad_expire(fixture.kad, kad_deadline(fixture.kad));
    }
    assert_int_equal(last_output(&fixture)->output.count, 0);
    assert_int_equal(last_output(&fixture)->output.queries, 10);
    assert_int_equal(count_outputs(&fixture, KAD_STEP), 5);
    fixture_close(&fixture);
}

/* K6: a peer that names ever nearer contacts, all answering, cannot keep a lookup alive. */
static void test_endless_referrals_end(void **state)
{
    struct fixture fixture;
    struct kad_request request = request_for(0, 0);
    uint32_t next = 1000000;

    (void)state;
    fixture_open(&fixture, 0);
    fixture_prove(&fixture, 1, 0, next);
    assert_int_equal(kad_lookup(fixture.kad, 100, &request), STATUS_OK);
    for (unsigned i = 0; i < fixture.count; i++) {
        struct contact lies[KAD_BETA + 3];

        if (fixture.outputs[i].kind != KAD_SEND)
            continue;
        for (unsigned j = 0; j < KAD_BETA + 3; j++)
            lies[j] = fixture_contact(0, next -= 3);
        assert_int_equal(fixture_reply(&fixture, 200 + i, i, lies, KAD_BETA + 3), STATUS_OK);
    }
    assert_int_equal(last_output(&fixture)->kind, KAD_DONE);
    assert_int_equal(last_output(&fixture)->output.queries, KAD_LOOKUP_QUERIES_MAX);
    fixture_close(&fixture);
}

/* Contacts above the bound of an answer are not looked at. */
static void test_surplus_contacts_are_ignored(void **state)
{
    struct fixture fixture;
    struct kad_request request = request_for(5, 0);
    struct contact named[2 * KAD_BETA];

    (void)state;
    fixture_open(&fixture, 0);
    fixture_prove(&fixture, 1, 5, 99);
    for (uint32_t i = 0; i < 2 * KAD_BETA; i++)
        named[i] = fixture_contact(5, i + 1);
    assert_int_equal(kad_lookup(fixture.kad, 100, &request), STATUS_OK);
    assert_int_equal(fixture_reply(&fixture, 200, 0, named, 2 * KAD_BETA), STATUS_OK);
    assert_int_equal(fixture.outputs[1].output.count, KAD_BETA);
    fixture_run(&fixture, INSTANT_S(20));
    assert_int_equal(last_output(&fixture)->kind, KAD_DONE);
    assert_int_equal(last_output(&fixture)->output.queries, 1 + 2 * KAD_BETA);
    fixture_close(&fixture);
}

static void test_lookups_are_bounded(void **state)
{
    struct fixture fixture;
    struct kad_request request = request_for(5, 0);

    (void)state;
    fixture_open(&fixture, 0);
    for (uint32_t i = 1; i <= 5; i++)
        fixture_prove(&fixture, i, 5, i);
    for (unsigned i = 0; i < KAD_LOOKUPS_MAX; i++)
        assert_int_equal(kad_lookup(fixture.kad, 100, &request), STATUS_OK);
    assert_int_equal(kad_lookup(fixture.kad, 100, &request), STATUS_FULL);
    fixture_run(&fixture, INSTANT_S(30));
    assert_int_equal(count_outputs(&fixture, KAD_DONE), KAD_LOOKUPS_MAX);
    fixture.count = 0;
    assert_int_equal(kad_lookup(fixture.kad, INSTANT_S(31), &request), STATUS_OK);
    fixture_close(&fixture);
}

/* --- many lookups in a network */

struct figures {
    unsigned found, wanted, hops_max, queries_max;
};

/* Random live peers look up random targets. */
static struct figures measure(struct network *network, unsigned lookups)
{
    struct figures figures = {0};

    for (unsigned i = 0; i < lookups; i++) {
        struct node_id target = network_random_id(network);
        uint32_t asker;
        unsigned wanted;
        struct network_peer *peer;

        do {
            asker = (uint32_t)prng_below(&network->prng, network->count);
        } while (network->peers[asker].is_dead);
        peer = &network->peers[asker];
        network_lookup(network, asker, &target, NULL);
        for (unsigned steps = 0; !peer->is_done; steps++) {
            assert_in_range(steps, 0, 130); /* K6: 13 s */
            network_run(network, network->now + INSTANT_MS(100));
        }
        figures.found += network_recall(network, asker, &target, &wanted);
        figures.wanted += wanted;
        figures.hops_max = peer->hops > figures.hops_max ? peer->hops : figures.hops_max;
        figures.queries_max =
            peer->queries > figures.queries_max ? peer->queries : figures.queries_max;
        assert_in_range(peer->queries, 1, 2 * network->count);
    }
    return figures;
}

static void kill_tenth(struct network *network)
{
    for (uint32_t killed = 0; killed < network->count / 10;) {
        struct network_peer *peer = &network->peers[prng_below(&network->prng, network->count)];

        killed += !peer->is_dead;
        peer->is_dead = true;
    }
}

static unsigned log2_up(uint32_t count)
{
    unsigned result = 0;

    while ((1u << result) < count)
        result++;
    return result;
}

/* K5: recall at least 0.99 in a quiet network, and again with a tenth silently dead. With loss it
 * may be lower by the chance that a live peer does not answer twice: 1 % at 5 % loss. */
static void check_network(uint32_t count, unsigned cell_depth, unsigned loss_percent)
{
    unsigned recall_percent = loss_percent ? 97 : 99;
    struct network network;
    struct figures quiet, dead;

    network_open(&network, count, cell_depth);
    network.loss_percent = loss_percent;
    network_join_all(&network);
    network_run(&network, network.now + INSTANT_S(15));
    quiet = measure(&network, 40);
    kill_tenth(&network);
    dead = measure(&network, 40);
    print_message("%u peers, depth %u, %u %% loss: quiet %u/%u hops %u queries %u; "
                  "dead %u/%u hops %u queries %u\n",
                  count, cell_depth, loss_percent, quiet.found, quiet.wanted, quiet.hops_max,
                  quiet.queries_max, dead.found, dead.wanted, dead.hops_max, dead.queries_max);
    assert_true(quiet.found * 100ull >= quiet.wanted * (uint64_t)recall_percent);
    assert_true(dead.found * 100ull >= dead.wanted * (uint64_t)recall_percent);
    assert_in_range(quiet.hops_max, 0, log2_up(count) + 1);
    assert_in_range(dead.hops_max, 0, log2_up(count) + 1);
    network_close(&network);
}

static void test_network_of_8(void **state)
{
    (void)state;
    check_network(8, 0, 0);
}

static void test_network_of_64(void **state)
{
    (void)state;
    check_network(64, KAD_BUCKETS_MAX, 0);
}

static void test_network_of_256_with_loss(void **state)
{
    (void)state;
    check_network(256, KAD_BUCKETS_MAX, 5);
}

static void test_network_of_512(void **state)
{
    (void)state;
    check_network(512, 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_to_ask),
        cmocka_unit_test(test_alpha_questions_are_open),
        cmocka_unit_test(test_hearsay_is_asked_and_not_believed),
        cmocka_unit_test(test_all_silent_still_ends),
        cmocka_unit_test(test_endless_referrals_end),
        cmocka_unit_test(test_surplus_contacts_are_ignored),
        cmocka_unit_test(test_lookups_are_bounded),
        cmocka_unit_test(test_network_of_8),
        cmocka_unit_test(test_network_of_64),
        cmocka_unit_test(test_network_of_256_with_loss),
        cmocka_unit_test(test_network_of_512),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
