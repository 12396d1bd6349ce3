#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <pthread.h>

#include "host_queue.h"

#define ITEMS 200000u
#define CAPACITY 64u

static void *number(uintptr_t value)
{
    return (void *)value;
}

static void test_first_in_first_out_and_full(void **state)
{
    struct host_queue queue;

    (void)state;
    assert_int_equal(host_queue_init(&queue, 4), STATUS_OK);
    assert_null(host_queue_pop(&queue));
    for (uintptr_t round = 0; round < 10; round++) { /* the counters pass the end of the ring */
        assert_true(host_queue_is_empty(&queue));
        for (uintptr_t i = 1; i <= 4; i++)
            assert_true(host_queue_push(&queue, number(round * 10 + i)));
        assert_false(host_queue_push(&queue, number(99)));
        assert_ptr_equal(host_queue_pop(&queue), number(round * 10 + 1));
        assert_true(host_queue_push(&queue, number(round * 10 + 5)));
        for (uintptr_t i = 2; i <= 5; i++)
            assert_ptr_equal(host_queue_pop(&queue), number(round * 10 + i));
        assert_null(host_queue_pop(&queue));
    }
    host_queue_close(&queue);
}

struct pipe_state {
    struct host_queue queue;
    atomic_bool is_stopped;
    uint64_t popped, out_of_order;
};

static void *drain(void *context)
{
    struct pipe_state *state = context;
    void *item;

    while (state->popped < ITEMS) {
        host_queue_wait(&state->queue, &state->is_stopped);
        while ((item = host_queue_pop(&state->queue)) != NULL)
            state->out_of_order += item != number(++state->popped);
    }
    return NULL;
}

/* Nothing is lost, doubled or overtaken, and no wake-up is missed: the test would hang. */
static void test_two_threads(void **state)
{
    struct pipe_state pipe = {.popped = 0};
    pthread_t thread;

    (void)state;
    assert_int_equal(host_queue_init(&pipe.queue, CAPACITY), STATUS_OK);
    assert_int_equal(pthread_create(&thread, NULL, drain, &pipe), 0);
    for (uintptr_t i = 1; i <= ITEMS; i++) {
        while (!host_queue_push(&pipe.queue, number(i)))
            sched_yield();
        if (i % 3 == 0 || i == ITEMS)
            host_queue_wake(&pipe.queue);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pipe.popped, ITEMS);
    assert_int_equal(pipe.out_of_order, 0);
    host_queue_close(&pipe.queue);
}

static void test_wait_returns_when_stopped(void **state)
{
    struct host_queue queue;
    atomic_bool is_stopped = true;

    (void)state;
    assert_int_equal(host_queue_init(&queue, 4), STATUS_OK);
    host_queue_wait(&queue, &is_stopped);
    is_stopped = false;
    assert_true(host_queue_push(&queue, number(1)));
    host_queue_wait(&queue, &is_stopped);
    assert_ptr_equal(host_queue_pop(&queue), number(1));
    host_queue_close(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_in_first_out_and_full),
        cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_wait_returns_when_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
