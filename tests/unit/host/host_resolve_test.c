#include "hash.h"
#include "host_world.h"

static struct address seeds[SEEDS_MAX];

static void keep(struct node *node, const struct event *event, struct effects *effects)
{
    (void)node;
    (void)effects;
    if (event->kind == EVENT_SEEDS)
        memcpy(seeds, event->seeds.addresses, event->seeds.count * sizeof seeds[0]);
}

static void expect_literal(const char *text, const char *address)
{
    char room[ADDRESS_TEXT_MAX];
    struct address found;

    assert_true(host_resolve_literal(slice_text(text), &found));
    assert_string_equal(address_format(&found, room), address);
}

static void test_literals(void **state)
{
    static const char *const names[] = {"",      "localhost", "a.example:7",
                                        "1.2.3", "[::1",      "1.2.3.4:x"};
    struct address found;

    (void)state;
    expect_literal("1.2.3.4", "1.2.3.4:7440");
    expect_literal("1.2.3.4:5", "1.2.3.4:5");
    expect_literal("::1", "[::1]:7440");
    expect_literal("[::1]", "[::1]:7440");
    expect_literal("[::1]:5", "[::1]:5");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_false(host_resolve_literal(slice_text(names[i]), &found));
}

static void test_literals_need_no_thread(void **state)
{
    (void)state;
    world_node.answer = keep;
    host_resolve_names(world.resolve, slice_text("1.2.3.4,1.2.3.4:7440,,[::1]:9"));
    world_turn_until(EVENT_SEEDS, 1);
    assert_int_equal(world_node.last[EVENT_SEEDS].seeds.count, 2); /* the same one once */
    assert_int_equal(seeds[1].port, 9);
}

static void test_names(void **state)
{
    (void)state;
    world_node.answer = keep;
    host_resolve_names(world.resolve, slice_text("localhost:81,1.2.3.4,localhost:x"));
    world_turn_until(EVENT_SEEDS, 1);
    assert_true(world_node.last[EVENT_SEEDS].seeds.count >= 2);
    assert_int_equal(seeds[0].port, 81);
    assert_true(host_socket_is_loopback(&seeds[0]));
    host_resolve_names(world.resolve, slice_text("")); /* none is an answer too */
    world_turn_until(EVENT_SEEDS, 2);
    assert_int_equal(world_node.last[EVENT_SEEDS].seeds.count, 0);
}

/* A stop does not wait for the thread. */
static void test_abandoned(void **state)
{
    (void)state;
    host_resolve_names(world.resolve, slice_text("localhost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_literals),
                                       world_test(test_literals_need_no_thread),
                                       world_test(test_names), world_test(test_abandoned)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
