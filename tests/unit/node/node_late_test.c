/* node_late_test.c: how late records are, whatever the two clocks show; and that an operation that
 * comes late is not done. */
#include "net.h"
#include "node_parts.h"

#define THERE 777000000000ull /* what the sender's clock shows when ours shows zero: us */

/* A link on which the first record answered at once. */
static struct node_late begun(instant now)
{
    struct node_late late = {.drift = 1, .asked = now};

    node_late_heard(&late, now, THERE + now);
    return late;
}

/* How late a record is held to be that was sent and came at these moments of our clock. */
static uint64_t lateness(struct node_late *late, instant sent, instant came)
{
    node_late_heard(late, came, THERE + sent);
    return late->there - (THERE + sent);
}

static void test_what_comes_at_once_is_not_late(void **state)
{
    struct node_late late = begun(0);

    (void)state;
    for (instant now = 0; now < INSTANT_S(100); now += INSTANT_MS(100))
        assert_int_equal(lateness(&late, now, now), 0);
    assert_in_range(lateness(&late, INSTANT_S(100), INSTANT_S(101)), INSTANT_MS(998), INSTANT_S(1));
    assert_int_equal(lateness(&late, INSTANT_S(101), INSTANT_S(101)), 0);
}

/* The process slept, or the path: one after the other is late, and by less and less. */
static void test_a_pause_however_long_hides_nothing(void **state)
{
    struct node_late late = begun(0);
    instant wakes = INSTANT_S(90);

    (void)state;
    for (instant now = 0; now < INSTANT_S(30); now += INSTANT_MS(100))
        (void)lateness(&late, now, now);
    for (instant sent = INSTANT_S(30); sent < wakes; sent += INSTANT_MS(100))
        assert_in_range(lateness(&late, sent, wakes), wakes - sent - INSTANT_MS(100), wakes - sent);
}

static void test_the_first_record_may_be_late(void **state)
{
    struct node_late late = {.drift = 1, .asked = INSTANT_S(1)};

    (void)state;
    assert_in_range(lateness(&late, INSTANT_S(1) + 200, INSTANT_S(9)), INSTANT_MS(7990),
                    INSTANT_S(8));
    assert_in_range(lateness(&late, INSTANT_S(9), INSTANT_S(9)), 0, INSTANT_MS(9));
}

/* A clock that runs faster than ours, or slower, by as much as is allowed for. */
static void test_clocks_that_run_apart_are_no_lateness(void **state)
{
    (void)state;
    for (int way = -1; way <= 1; way += 2) {
        struct node_late late = begun(0);

        for (instant now = 0; now < INSTANT_S(1000); now += INSTANT_S(5)) {
            uint64_t there = THERE + (way < 0 ? now - now / 1100 : now + now / 1100);

            node_late_heard(&late, now, there);
            assert_int_equal(late.there, there);
        }
    }
}

/* The sender's machine slept: its clock stood while ours went on. Records are held to be late, and
 * soon not any more. */
static void test_a_clock_that_was_set_back_is_learnt(void **state)
{
    struct node_late late = begun(0);
    instant now = INSTANT_S(1);

    (void)state;
    assert_int_equal(lateness(&late, now, now), 0);
    assert_true(lateness(&late, now - INSTANT_S(60), now) > INSTANT_S(59));
    for (; now < INSTANT_S(40); now += INSTANT_MS(500))
        (void)lateness(&late, now - INSTANT_S(60), now);
    assert_int_equal(lateness(&late, now - INSTANT_S(60), now), 0);
}

static void test_deadlines_are_moments_of_the_senders_clock(void **state)
{
    struct node_late late = begun(0);
    uint32_t deadline = node_late_spell(THERE + INSTANT_S(3));

    (void)state;
    late.drift = 0;
    (void)lateness(&late, INSTANT_S(1), INSTANT_S(1));
    assert_int_equal(node_late_left(&late, deadline), 2000);
    (void)lateness(&late, INSTANT_S(1), INSTANT_S(2) + 300);
    assert_int_equal(node_late_left(&late, deadline), 999);
    (void)lateness(&late, INSTANT_S(1), INSTANT_S(5));
    assert_int_equal(node_late_left(&late, deadline), -2000);
    late.there = (1ull << 32) * 1000; /* where 32 bits of milliseconds begin again */
    assert_int_equal(node_late_left(&late, node_late_spell(late.there + INSTANT_S(1))), 1000);
    assert_true(node_late_spell(late.there) != 0);
}

/* The peer that owns no copy of "k"; and those that do. */
static unsigned edge_of(struct net *net, unsigned owners[3])
{
    struct node *node = net->peers[0].node;
    uint32_t partition = node_partition_of(node, slice_text("n"), slice_text("k"));
    struct node_id ids[REPLICAS_MAX];
    unsigned edge = 0, count = 0;

    assert_int_equal(node_owners(node, partition, ids), 3);
    for (unsigned i = 0; i < 4; i++) {
        bool is_owner = false;

        for (unsigned k = 0; k < 3; k++)
            is_owner |= id_equal(&ids[k], node_self(net->peers[i].node));
        if (is_owner)
            owners[count++] = i;
        else
            edge = i;
    }
    return edge;
}

/* An owner stands still for longer than its turn; the edge asks another one, and writes again. Then
 * the owner reads what has come. */
static void test_D11_what_an_owner_slept_through_is_not_done(void **state)
{
    struct net *net = net_formed(4, 3);
    unsigned owners[3], edge = edge_of(net, owners), silent = 0, late = 0;

    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        struct net_peer *sleeper = &net->peers[owners[i % 3]];

        assert_int_equal(net_put(net, edge, "k", "before")->status, STATUS_OK);
        net_run(net, 100);
        sleeper->sleeps_until = net->now + INSTANT_MS(1200); /* a turn is 667 ms */
        assert_int_equal(net_put(net, edge, "k", "older")->status, STATUS_OK);
        for (unsigned k = 0; k < net->reply.route_count; k++)
            silent += (net->reply.route[k] & ROLE_FAILED) != 0;
        assert_int_equal(net_put(net, edge, "k", "newer")->status, STATUS_OK);
        net_run(net, 2500);
        assert_string_equal(net_value(net, edge, "k")->bodies[0], "newer");
        assert_int_equal(net->reply.values, 1);
    }
    for (unsigned i = 0; i < 4; i++)
        late += (unsigned)net_metric(net, i, METRIC_FORWARDED_LATE);
    assert_true(silent > 0 && late > 0);
    net_delete(net);
}

/* The link breaks while an owner sleeps: it may have got what was sent, so its turn is not over. */
static void test_D11_a_broken_link_ends_no_turn(void **state)
{
    struct net *net = net_formed(4, 3);
    unsigned owners[3], edge = edge_of(net, owners);
    struct node *node = net->peers[edge].node;
    struct op op = net_op(OP_PUT, "k", "v");
    instant asked;
    ticket given;

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(net_put(net, edge, "k", "v")->status, STATUS_OK);
    net_run(net, 100);
    asked = net->now;
    given = net_ask(net, edge, &op);
    for (unsigned i = 0; i < 3; i++) {
        struct node_peer *peer = node_peer(node, id_front(node_self(net->peers[owners[i]].node)));

        node->fx = &net->fx;
        if (peer->link)
            node_link_close(node, peer->link, STATUS_CLOSED);
    }
    node_settle(node);
    effects_reset(&net->fx); /* nobody hears of it */
    while (net->reply.ticket != given)
        net_run(net, 1);
    assert_int_equal(net->reply.status, STATUS_OK);
    assert_true(net->now - asked >= INSTANT_MS(2000) / 3);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_comes_at_once_is_not_late),
        cmocka_unit_test(test_a_pause_however_long_hides_nothing),
        cmocka_unit_test(test_the_first_record_may_be_late),
        cmocka_unit_test(test_clocks_that_run_apart_are_no_lateness),
        cmocka_unit_test(test_a_clock_that_was_set_back_is_learnt),
        cmocka_unit_test(test_deadlines_are_moments_of_the_senders_clock),
        cmocka_unit_test(test_D11_what_an_owner_slept_through_is_not_done),
        cmocka_unit_test(test_D11_a_broken_link_ends_no_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
