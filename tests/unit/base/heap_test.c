/* heap_test.c: against a plain scan, over random puts, moves and removals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "heap.h"
#include "prng.h"

#define NODES 64

static void test_empty_heap_has_no_deadline(void **state)
{
    struct heap heap;

    (void)state;
    assert_int_equal(heap_init(&heap, 0), STATUS_OK);
    assert_null(heap_first(&heap));
    assert_true(heap_deadline(&heap) == INSTANT_NEVER);
    heap_close(&heap);
}

static void test_equal_deadlines_leave_in_order(void **state)
{
    struct heap heap;
    struct heap_node nodes[NODES] = {0};

    (void)state;
    assert_int_equal(heap_init(&heap, NODES), STATUS_OK);
    for (int i = 0; i < NODES; i++)
        heap_set(&heap, &nodes[i], 5);
    heap_set(&heap, &nodes[0], 5); /* put in anew: now the last */
    for (int i = 1; i <= NODES; i++) {
        assert_ptr_equal(heap_first(&heap), &nodes[i % NODES]);
        heap_remove(&heap, heap_first(&heap));
    }
    assert_int_equal(heap.count, 0);
    heap_close(&heap);
}

static void test_never_takes_a_node_out(void **state)
{
    struct heap heap;
    struct heap_node a = {0}, b = {0};

    (void)state;
    assert_int_equal(heap_init(&heap, 2), STATUS_OK);
    heap_set(&heap, &a, INSTANT_NEVER);
    assert_int_equal(heap.count, 0);
    heap_set(&heap, &a, 1);
    heap_set(&heap, &b, 2);
    heap_set(&heap, &a, INSTANT_NEVER);
    heap_remove(&heap, &a);
    assert_int_equal(a.place, 0);
    assert_ptr_equal(heap_first(&heap), &b);
    heap_set(&heap, &a, 3);
    assert_int_equal(heap_deadline(&heap), 2);
    heap_close(&heap);
}

static struct heap_node *scan_first(struct heap_node *nodes)
{
    struct heap_node *first = NULL;

    for (int i = 0; i < NODES; i++) {
        struct heap_node *node = &nodes[i];

        if (node->place && (!first || node->when < first->when ||
                            (node->when == first->when && node->sequence < first->sequence)))
            first = node;
    }
    return first;
}

static void check_places(const struct heap *heap)
{
    for (uint32_t i = 0; i < heap->count; i++)
        assert_int_equal(heap->nodes[i]->place, i + 1);
}

static void test_random_moves_keep_the_order(void **state)
{
    struct heap heap;
    struct heap_node nodes[NODES] = {0};
    struct prng prng;

    (void)state;
    prng_init(&prng, 1);
    assert_int_equal(heap_init(&heap, NODES), STATUS_OK);
    for (int round = 0; round < 20000; round++) {
        struct heap_node *node = &nodes[prng_below(&prng, NODES)];

        if (prng_chance(&prng, 1, 3))
            heap_remove(&heap, node);
        else
            heap_set(&heap, node, prng_below(&prng, 20));
        assert_ptr_equal(heap_first(&heap), scan_first(nodes));
        check_places(&heap);
    }
    heap_close(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_heap_has_no_deadline),
        cmocka_unit_test(test_equal_deadlines_leave_in_order),
        cmocka_unit_test(test_never_takes_a_node_out),
        cmocka_unit_test(test_random_moves_keep_the_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
