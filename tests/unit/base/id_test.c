/* id_test.c: prefixes, distances and cells, against slow and obvious versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "hash.h"
#include "prng.h"

static struct node_id random_id(struct prng *prng, unsigned mask)
{
    struct node_id id;

    for (int i = 0; i < NODE_ID_SIZE; i++)
        id.bytes[i] = (uint8_t)(prng_next(prng) & mask);
    return id;
}

static unsigned bit(const struct node_id *id, unsigned i)
{
    return id->bytes[i / 8] >> (7 - i % 8) & 1u;
}

static unsigned slow_prefix(const struct node_id *a, const struct node_id *b)
{
    unsigned i = 0;

    while (i < 256 && bit(a, i) == bit(b, i))
        i++;
    return i;
}

static void test_prefix_of_each_length(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        struct node_id a = {{0}}, b = {{0}};

        b.bytes[i / 8] = (uint8_t)(0x80u >> i % 8);
        assert_int_equal(id_prefix(&a, &b), i);
        assert_int_equal(id_prefix(&b, &a), slow_prefix(&a, &b));
        assert_true(id_is_in_cell(&b, &a, i));
        assert_false(id_is_in_cell(&b, &a, i + 1));
        assert_int_equal(id_prefix(&b, &b), 256);
        assert_true(id_is_in_cell(&b, &b, 256));
    }
}

static void test_closer_is_the_first_differing_bit(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 11);
    for (int round = 0; round < 5000; round++) {
        unsigned mask = round % 2 ? 0xff : 1;
        struct node_id target = random_id(&prng, mask), a = random_id(&prng, mask);
        struct node_id b = random_id(&prng, mask);
        unsigned at = slow_prefix(&a, &b);

        assert_false(id_closer(&target, &a, &a));
        if (at == 256)
            continue;
        assert_int_equal(id_closer(&target, &a, &b), bit(&a, at) == bit(&target, at));
        assert_int_equal(id_closer(&target, &b, &a), bit(&b, at) == bit(&target, at));
    }
}

static void test_order_and_front(void **state)
{
    struct node_id a = id_from_front(0x0102030405060708u), b = a;

    (void)state;
    assert_true(id_front(&a) == 0x0102030405060708u);
    assert_int_equal(a.bytes[0], 1);
    assert_int_equal(a.bytes[8], 0);
    assert_true(id_equal(&a, &b));
    assert_int_equal(id_compare(&a, &b), 0);
    b.bytes[31] = 1;
    assert_false(id_equal(&a, &b));
    assert_true(id_compare(&a, &b) < 0);
    a.bytes[0] = 0xff;
    assert_true(id_compare(&a, &b) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefix_of_each_length),
        cmocka_unit_test(test_closer_is_the_first_differing_bit),
        cmocka_unit_test(test_order_and_front),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
