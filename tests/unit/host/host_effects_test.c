#include "hash.h"
#include "host_world.h"

static void perform(struct effect effect)
{
    *effects_push(&world.effects, effect.kind) = effect;
    host_effects_perform(&world);
    assert_int_equal(world.performed, world.effects.count);
}

static void test_opened(void **state)
{
    const struct event *event = &world_node.last[EVENT_OPENED];

    (void)state;
    host_opened(&world, true);
    assert_true(event->opened.boot_counter == 1);
    assert_true(event->opened.is_recovering);
    assert_true(event->opened.actor ==
                hash_actor(&world.directory.identity.id, 1, world.directory.boot.nonce));
}

/* A new boot record, then OPENED with another actor. */
static void test_reopen(void **state)
{
    uint64_t first;

    (void)state;
    host_opened(&world, false);
    first = world_node.last[EVENT_OPENED].opened.actor;
    perform((struct effect){.kind = EFFECT_REOPEN});
    assert_int_equal(world_count(EVENT_OPENED), 2);
    assert_true(world_node.last[EVENT_OPENED].opened.boot_counter == 2);
    assert_true(world_node.last[EVENT_OPENED].opened.actor != first);
}

static void test_stop(void **state)
{
    (void)state;
    perform((struct effect){.kind = EFFECT_STOP, .stop = {.reason = STATUS_OK}});
    assert_true(world.is_stopping);
    assert_int_equal(world.exit, HOST_EXIT_OK);
}

static void test_stop_after_failure(void **state)
{
    (void)state;
    perform((struct effect){.kind = EFFECT_STOP, .stop = {.reason = STATUS_IO}});
    assert_int_equal(world.exit, HOST_EXIT_FAILURE);
}

static void test_read(void **state)
{
    struct effect effect = {.kind = EFFECT_READ};

    (void)state;
    effect.read.read = 9;
    effect.read.is_point = true;
    effect.read.range.family = STORE_SYS;
    effect.read.range.from = slice_text("absent");
    perform(effect);
    world_turn_until(EVENT_LOADED, 1);
    assert_true(world_node.last[EVENT_LOADED].loaded.read == 9);
    assert_int_equal(world_node.last[EVENT_LOADED].loaded.status, STATUS_MISSING);
}

/* What is asked of links and tickets that are gone is nothing. */
static void test_gone(void **state)
{
    static struct result result = {.kind = OP_METRICS};
    struct effect effect = {.kind = EFFECT_CLOSE};

    (void)state;
    effect.link.link = 99;
    perform(effect);
    effect = (struct effect){.kind = EFFECT_STREAM};
    effect.stream.link = 99;
    effect.stream.bytes = slice_text("x");
    perform(effect);
    effect = (struct effect){.kind = EFFECT_REPLY};
    effect.reply.ticket = 12345;
    effect.reply.result = &result;
    perform(effect);
    assert_int_equal(world_node.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {world_test(test_opened), world_test(test_reopen),
                                       world_test(test_stop),   world_test(test_stop_after_failure),
                                       world_test(test_read),   world_test(test_gone)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
