/* The tree: shapes, what a change touches, lists from outside. */
#include "sync_fixture.h"

static struct sync *tree_new(uint32_t bits)
{
    struct sync_config config = {.partitions = 1u << bits,
                                 .rounds_max = 1,
                                 .serves_max = 1,
                                 .emit = mesh_emit,
                                 .is_shared = mesh_all_shared};
    struct sync *sync = sync_new(&config);

    assert_non_null(sync);
    memset(sync->shared, 0xFF, sync_bits_size(sync));
    return sync;
}

static void tree_put(struct sync *sync, uint32_t partition, uint64_t number)
{
    static const struct hash16 none;
    struct hash16 print = hash_sip128(mesh_seed, &number, sizeof(number));

    sync_change(sync, partition, &none, &print);
}

static void test_shapes(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits <= PARTITION_BITS_MAX; bits++) {
        struct sync *sync = tree_new(bits);

        assert_int_equal(sync_tree_shift(sync, 0), bits);
        assert_int_equal(sync_tree_shift(sync, 3), 0);
        assert_true(sync_tree_shift(sync, 1) >= sync_tree_shift(sync, 2));
        if (bits == PARTITION_BITS_DEFAULT) {
            assert_int_equal(sync_tree_shift(sync, 1), 9);
            assert_int_equal(sync_tree_shift(sync, 2), 3);
        }
        sync_delete(sync);
    }
}

/* Compares `a` and `b` level by level as two peers do; returns how many partitions differ. */
static uint32_t tree_descend(struct sync *a, struct sync *b, uint8_t *differs)
{
    uint8_t named[1 << (PARTITION_BITS_MAX - 3)];
    uint32_t count = 0;

    memset(differs, 0xFF, sync_bits_size(a));
    for (unsigned depth = 0; depth < SYNC_TREE_DEPTH; depth++) {
        struct slice nodes;

        assert_true(sync_tree_list(a, a->shared, differs, depth, &nodes));
        assert_true(nodes.size <= SYNC_NODES_SIZE_MAX);
        assert_true(sync_tree_check(b, nodes, depth));
        sync_tree_compare(b, b->shared, nodes, depth, named);
        memcpy(differs, named, sync_bits_size(a));
    }
    for (uint32_t p = 0; p < a->config.partitions; p++)
        count += sync_bit(differs, p);
    return count;
}

static void test_a_descent_ends_at_what_differs(void **state)
{
    static uint8_t differs[1 << (PARTITION_BITS_MAX - 3)];

    (void)state;
    for (uint32_t bits = 0; bits <= PARTITION_BITS_MAX; bits += 2) {
        struct sync *a = tree_new(bits), *b = tree_new(bits);
        uint32_t last = (1u << bits) - 1;

        for (uint32_t i = 0; i < 500; i++) {
            tree_put(a, i & last, i);
            tree_put(b, i & last, i);
        }
        assert_int_equal(tree_descend(a, b, differs), 0);
        tree_put(a, last, 1000);
        assert_int_equal(tree_descend(a, b, differs), 1);
        assert_true(sync_bit(differs, last));
        tree_put(b, 0, 1001);
        assert_int_equal(tree_descend(a, b, differs), last ? 2 : 1);
        assert_true(sync_bit(differs, 0));
        for (uint32_t p = 0; p <= last; p++)
            tree_put(a, p, 5000 + p);
        assert_int_equal(tree_descend(a, b, differs), last + 1);
        sync_delete(a);
        sync_delete(b);
    }
}

static void test_the_root_is_over_what_is_shared(void **state)
{
    struct sync *a = tree_new(6), *b = tree_new(6);
    uint8_t one[SYNC_ROOT_SIZE], other[SYNC_ROOT_SIZE];

    (void)state;
    tree_put(a, 5, 1);
    sync_tree_root(a, a->shared, one);
    sync_tree_root(b, b->shared, other);
    assert_memory_not_equal(one, other, sizeof(one));
    a->shared[0] &= (uint8_t) ~(1u << 5);
    sync_tree_root(a, a->shared, one);
    assert_memory_equal(one, other, sizeof(one));
    sync_delete(a);
    sync_delete(b);
}

static void test_lists_from_outside(void **state)
{
    struct sync *sync = tree_new(6);
    uint8_t room[2 * 66] = {0};

    (void)state;
    assert_int_equal(sync_tree_entry_size(sync, 0), 2 + 4 * 8);
    assert_int_equal(sync_tree_entry_size(sync, 1), 66);
    assert_int_equal(sync_tree_entry_size(sync, 2), 2 + 2 * 8);
    assert_true(sync_tree_check(sync, SLICE_NONE, 1));
    for (size_t size = 1; size < 66; size++)
        assert_false(sync_tree_check(sync, slice_of(room, size), 1));
    assert_false(sync_tree_check(sync, slice_of(room, 132), 1)); /* twice the same */
    room[67] = 3;
    assert_true(sync_tree_check(sync, slice_of(room, 132), 1));
    room[67] = 4; /* no such node */
    assert_false(sync_tree_check(sync, slice_of(room, 132), 1));
    room[66] = 0xFF;
    assert_false(sync_tree_check(sync, slice_of(room, 132), 1));
    sync_delete(sync);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_a_descent_ends_at_what_differs),
        cmocka_unit_test(test_the_root_is_over_what_is_shared),
        cmocka_unit_test(test_lists_from_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
