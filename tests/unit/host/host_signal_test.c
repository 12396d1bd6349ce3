#include <signal.h>

#include "host_world.h"

static void raise_and_turn(int number)
{
    raise(number);
    for (unsigned i = 0; i < 3; i++)
        world_turn();
}

static void test_signals(void **state)
{
    (void)state;
    host_signals_start(&world);
    world.log.level = LEVEL_ERROR;
    raise_and_turn(SIGHUP);
    assert_false(world.is_stopping);
    raise_and_turn(SIGPIPE); /* ignored */
    raise_and_turn(SIGXFSZ); /* same: the write that was too long fails */
    raise_and_turn(SIGTERM);
    assert_true(world.is_stopping);
    assert_int_equal(world.exit, HOST_EXIT_OK);
    host_signals_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {world_test(test_signals)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
