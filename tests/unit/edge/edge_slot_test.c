/* edge_slot_test.c: the ring grows, keeps its order and its numbers. */
#include "edge_client.h"
#include "edge_room.h"

static void test_numbers_survive_growth(void **state)
{
    struct edge_ring ring = {0};
    struct buffer output;
    uint32_t numbers[100];

    (void)state;
    buffer_init(&output, 1000);
    for (unsigned i = 0; i < 100; i++) {
        struct edge_slot *slot = edge_ring_push(&ring, &numbers[i]);

        slot->limit = i;
    }
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(edge_ring_at(&ring, numbers[i])->limit, i);
    for (unsigned i = 100; i > 0; i--) {
        struct buffer *target = edge_ring_target(&ring, numbers[i - 1], &output);
        uint8_t byte = (uint8_t)i;

        assert_true(i > 1 ? target != &output : target == &output);
        assert_true(buffer_append(target, &byte, 1));
        edge_ring_at(&ring, numbers[i - 1])->state = SLOT_DONE;
        assert_true(edge_ring_flush(&ring, &output));
    }
    assert_int_equal(output.size, 100);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(output.data[i], i + 1);
    assert_int_equal(edge_ring_count(&ring), 0);
    buffer_close(&output);
    edge_ring_close(&ring);
}

static void test_slot_comes_back_empty(void **state)
{
    struct edge_ring ring = {0};
    struct buffer output;
    uint32_t number;

    (void)state;
    buffer_init(&output, 100);
    for (unsigned i = 0; i < 20; i++) {
        struct edge_slot *slot = edge_ring_push(&ring, &number);

        assert_int_equal(slot->allow, 0);
        assert_int_equal(slot->text.size, 0);
        slot->allow = 1;
        assert_true(buffer_append(&slot->text, "abc", 3));
        slot->state = SLOT_DONE;
        assert_true(edge_ring_flush(&ring, &output));
    }
    buffer_close(&output);
    edge_ring_close(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_survive_growth),
        cmocka_unit_test(test_slot_comes_back_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
