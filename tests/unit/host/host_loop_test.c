#include "host_world.h"

/* Busy, not asleep: the process is what is stalled. */
static void stall(uint64_t us)
{
    instant until = host_clock_now() + us;

    while (host_clock_now() < until)
        continue;
}

/* A peer that was stalled reads the datagrams that wait before its timer judges anybody, although
 * the timer was due first. */
static void test_datagrams_before_the_timer(void **state)
{
    int client = world_connect(&world_at.mesh[0], SOCK_DGRAM);

    (void)state;
    world_node.deadline = host_clock_now() + INSTANT_MS(10);
    world_turn(); /* the timer is set */
    assert_int_equal(world_node.count, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(send(client, "x", 1, 0), 1);
    stall(INSTANT_MS(30));
    ev_run(world.loop, EVRUN_ONCE);
    assert_int_equal(world_node.count, 4);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(world_node.kinds[i], EVENT_DATAGRAM);
    assert_int_equal(world_node.kinds[3], EVENT_TIMER);
    close(client);
}

/* The same for bytes of a link, where the fallback ping is answered. */
static void test_links_before_the_timer(void **state)
{
    int client = world_connect(&world_at.mesh[0], SOCK_STREAM);

    (void)state;
    world_turn_until(EVENT_LINK_UP, 1);
    world_node.deadline = host_clock_now() + INSTANT_MS(10);
    world_turn();
    assert_int_equal(send(client, "x", 1, 0), 1);
    stall(INSTANT_MS(30));
    world_node.count = 0;
    ev_run(world.loop, EVRUN_ONCE);
    assert_int_equal(world_node.count, 2);
    assert_int_equal(world_node.kinds[0], EVENT_STREAM);
    assert_int_equal(world_node.kinds[1], EVENT_TIMER);
    close(client);
}

static void test_timer_comes_when_due(void **state)
{
    instant due = host_clock_now() + INSTANT_MS(3);

    (void)state;
    world_node.deadline = due;
    world_turn_until(EVENT_TIMER, 1);
    assert_true(world_node.last[EVENT_TIMER].now >= due);
    assert_int_equal(world_count(EVENT_TIMER), 1); /* never early for nothing */
}

/* Writes of a turn complete in the memory store without the loop going to sleep. */
static void ask_to_write(struct node *node, const struct event *event, struct effects *effects)
{
    if (event->kind == EVENT_TIMER && node->size == 0) {
        struct effect *effect = effects_push(effects, EFFECT_WRITE);
        struct store_row *row = effects_alloc(effects, sizeof *row);

        row->family = STORE_SYS;
        row->key = effects_copy(effects, slice_text("k"));
        row->value = effects_copy(effects, slice_text("v"));
        effect->write.write = 77;
        effect->write.rows = row;
        effect->write.count = 1;
        node->size = 1; /* once */
    }
}

static void test_store_completions(void **state)
{
    (void)state;
    world_node.answer = ask_to_write;
    world_node.deadline = host_clock_now();
    world_turn_until(EVENT_STORED, 1);
    assert_true(world_node.last[EVENT_STORED].stored.write == 77);
    assert_int_equal(world_node.last[EVENT_STORED].stored.status, STATUS_OK);
    assert_int_equal(world.effects.count, 0); /* everything was performed and forgotten */
}

static void test_stop(void **state)
{
    (void)state;
    host_stop(&world, 7);
    host_loop_run(&world); /* nobody is connected: it ends at once */
    assert_int_equal(world.exit, 7);
    ev_check_start(world.loop, &world.check);
    host_stop(&world, 8); /* the second time says: now */
    assert_int_equal(world.exit, 7);
    assert_true(world.stop_at <= host_clock_now());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_datagrams_before_the_timer),
        world_test(test_links_before_the_timer),
        world_test(test_timer_comes_when_due),
        world_test(test_store_completions),
        world_test(test_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
