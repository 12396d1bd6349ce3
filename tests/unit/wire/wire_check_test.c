/* The structural check, seen through the door: a value behind a message type that nobody knows is
 * checked and skipped, so END means accepted and BAD refused. */
#include "sample.h"

#define UNKNOWN_TYPE 0x7f

static enum status skip_of(const uint8_t *value, size_t size)
{
    static uint8_t packet[80000] = {UNKNOWN_TYPE}; /* a test's own room */
    assert_true(size < sizeof packet);
    memcpy(packet + 1, value, size);
    struct message message;
    return datagram_of(packet, size + 1, &message);
}

#define assert_accepted(...) assert_int_equal(skip_of(BYTES(__VA_ARGS__)), STATUS_END)
#define assert_refused(...) assert_int_equal(skip_of(BYTES(__VA_ARGS__)), STATUS_BAD)

static void integers_have_one_spelling(void **state)
{
    (void)state;
    assert_accepted(0x00);
    assert_accepted(0x7f);
    assert_accepted(0xcc, 0x80);
    assert_refused(0xcc, 0x7f);
    assert_accepted(0xcd, 0x01, 0x00);
    assert_refused(0xcd, 0x00, 0xff);
    assert_accepted(0xce, 0, 1, 0, 0);
    assert_refused(0xce, 0, 0, 0xff, 0xff);
    assert_accepted(0xcf, 0, 0, 0, 1, 0, 0, 0, 0);
    assert_refused(0xcf, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff);
    assert_accepted(0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
}

static void negative_integers_have_one_spelling(void **state)
{
    (void)state;
    assert_accepted(0xff);             /* -1 */
    assert_accepted(0xe0);             /* -32 */
    assert_accepted(0xd0, 0xdf);       /* -33 */
    assert_refused(0xd0, 0xe0);        /* -32 */
    assert_refused(0xd0, 0x05);        /* 5 */
    assert_accepted(0xd1, 0xff, 0x7f); /* -129 */
    assert_refused(0xd1, 0xff, 0x80);  /* -128 */
    assert_refused(0xd1, 0x7f, 0xff);  /* 32767 */
    assert_accepted(0xd2, 0xff, 0xff, 0x7f, 0xff);
    assert_refused(0xd2, 0xff, 0xff, 0x80, 0x00);
    assert_accepted(0xd3, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff);
    assert_refused(0xd3, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0);
    assert_refused(0xd3, 0, 0, 0, 0, 0, 0, 0, 1);
}

static void sizes_and_counts_have_one_spelling(void **state)
{
    (void)state;
    assert_accepted(0xa1, 'x');
    assert_refused(0xd9, 1, 'x');
    assert_refused(0xda, 0, 1, 'x');
    assert_accepted(0xc4, 1, 'x');
    assert_accepted(0xc4, 0);
    assert_refused(0xc5, 0, 1, 'x');
    assert_refused(0xc6, 0, 0, 0, 1, 'x');
    assert_accepted(0x91, 0x01);
    assert_refused(0xdc, 0, 1, 0x01);
    assert_refused(0xdd, 0, 0, 0, 1, 0x01);
    assert_accepted(0x81, 0x01, 0x02);
    assert_refused(0xde, 0, 1, 0x01, 0x02);
    assert_refused(0xdf, 0, 0, 0, 1, 0x01, 0x02);
    assert_accepted(0xdc, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}

static void long_containers_have_one_spelling(void **state)
{
    (void)state;
    const struct {
        uint8_t head;
        uint32_t count;
        size_t values; /* bytes behind the head, one each */
        enum status status;
    } cases[] = {
        {0xdd, 0xffff, 0xffff, STATUS_BAD},  {0xdd, 0x10000, 0x10000, STATUS_END},
        {0xdf, 0x7fff, 0xfffe, STATUS_BAD},  {0xdf, 0x10000, 0x10000, STATUS_BAD},
        {0xdd, 0x10000, 0xffff, STATUS_BAD},
    };
    static uint8_t value[70000];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct writer out = writer_over(value, sizeof value);
        write_head(&out, cases[i].head, 4, cases[i].count);
        for (size_t j = 0; j < cases[i].values; j++)
            write_u8(&out, 0xc0);
        assert_int_equal(skip_of(value, out.size), cases[i].status);
    }
}

static void types_outside_the_protocol_are_refused(void **state)
{
    (void)state;
    assert_accepted(0xc0);
    assert_accepted(0xc2);
    assert_accepted(0xc3);
    assert_refused(0xc1);
    assert_refused(0xca, 0, 0, 0, 0);
    assert_refused(0xcb, 0, 0, 0, 0, 0, 0, 0, 0);
    assert_refused(0xc7, 1, 1, 0);
    assert_refused(0xc8, 0, 1, 1, 0);
    assert_refused(0xc9, 0, 0, 0, 1, 1, 0);
    for (uint8_t head = 0xd4; head <= 0xd8; head++)
        assert_refused(head, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}

static void containers_nest_eight_deep_and_no_deeper(void **state)
{
    (void)state;
    uint8_t nested[64];
    for (unsigned depth = 1; depth <= 31; depth++) {
        memset(nested, 0x91, depth);
        nested[depth] = 0x01;
        assert_int_equal(skip_of(nested, depth + 1), depth <= 8 ? STATUS_END : STATUS_BAD);
    }
    assert_accepted(0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x90);
    assert_refused(0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x90);
    /* Siblings are no depth. */
    assert_accepted(0x94, 0x91, 0x01, 0x91, 0x02, 0x81, 0x01, 0x90, 0x90);
}

static void bombs_are_refused_at_once(void **state)
{
    (void)state;
    uint8_t arrays[4096];
    memset(arrays, 0x91, sizeof arrays);
    assert_int_equal(skip_of(arrays, sizeof arrays), STATUS_BAD);
    assert_int_equal(skip_of(arrays, 31), STATUS_BAD);
    assert_refused(0xdd, 0x0f, 0xff, 0xff, 0xff);
    assert_refused(0xdf, 0xff, 0xff, 0xff, 0xff);
    assert_refused(0xc6, 0xff, 0xff, 0xff, 0xff);
    assert_refused(0xdb, 0x7f, 0xff, 0xff, 0xff);
    struct message message;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        unsigned id = sample_layouts[i].id;
        assert_int_equal(datagram_of(BYTES((uint8_t)id, 0xdd, 0x0f, 0xff, 0xff, 0xff), &message),
                         STATUS_BAD);
        assert_int_equal(stream_of(id, BYTES(0xdd, 0x0f, 0xff, 0xff, 0xff), &message), STATUS_BAD);
        assert_int_equal(stream_of(id, BYTES(0xdf, 0x0f, 0xff, 0xff, 0xff), &message), STATUS_BAD);
        assert_int_equal(stream_of(id, arrays, 31, &message), STATUS_BAD);
        assert_int_equal(stream_of(id, arrays, sizeof arrays, &message), STATUS_BAD);
    }
}

static void a_count_beyond_the_bytes_left_is_refused(void **state)
{
    (void)state;
    assert_refused(0x92, 0x01);
    assert_refused(0x82, 0x01, 0x01, 0x02);
    assert_refused(0xc4, 2, 'x');
    assert_refused(0xa2, 'x');
    assert_refused(0x92, 0x92, 0x01, 0x01); /* the inner array is whole, the outer is not */
    assert_accepted(0x92, 0x92, 0x01, 0x01, 0x01);
}

static void every_prefix_of_every_head_is_refused(void **state)
{
    (void)state;
    for (unsigned head = 0; head <= 0xff; head++) {
        uint8_t value[64] = {(uint8_t)head, 0x80, 1, 1, 1};
        size_t whole = 0;
        for (size_t size = 1; size < sizeof value && whole == 0; size++)
            if (skip_of(value, size) == STATUS_END)
                whole = size;
        for (size_t size = 1; size < whole; size++)
            assert_int_equal(skip_of(value, size), STATUS_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_have_one_spelling),
        cmocka_unit_test(negative_integers_have_one_spelling),
        cmocka_unit_test(sizes_and_counts_have_one_spelling),
        cmocka_unit_test(long_containers_have_one_spelling),
        cmocka_unit_test(types_outside_the_protocol_are_refused),
        cmocka_unit_test(containers_nest_eight_deep_and_no_deeper),
        cmocka_unit_test(bombs_are_refused_at_once),
        cmocka_unit_test(a_count_beyond_the_bytes_left_is_refused),
        cmocka_unit_test(every_prefix_of_every_head_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
