/* Bodies of frames: what may be left out, what must be refused. */
#include "sample.h"

static void zero_fields_take_no_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct message zero = {.kind = (enum message_kind)sample_layouts[i].id}, got;
        uint8_t body[8];
        struct writer out = writer_over(body, sizeof body);
        assert_int_equal(wire_stream_size(&zero), 1);
        assert_int_equal(wire_stream_encode(&out, &zero), STATUS_OK);
        assert_int_equal(out.size, 1);
        assert_int_equal(body[0], 0x80);
        assert_int_equal(wire_stream_decode(zero.kind, writer_done(&out), &got), STATUS_OK);
        sample_assert_equal(&sample_layouts[i], &zero, &got);
    }
}

static void keys_must_ascend(void **state)
{
    (void)state;
    struct message got;
    unsigned type = MESSAGE_PING_REQ;
    assert_int_equal(stream_of(type, BYTES(0x82, 1, 5, 2, 6), &got), STATUS_OK);
    assert_int_equal(got.ping_req.seq, 5);
    assert_int_equal(got.ping_req.target, 6);
    assert_int_equal(stream_of(type, BYTES(0x82, 2, 6, 1, 5), &got), STATUS_BAD);
    assert_int_equal(stream_of(type, BYTES(0x82, 1, 5, 1, 5), &got), STATUS_BAD);
    assert_int_equal(stream_of(type, BYTES(0x82, 30, 5, 30, 5), &got), STATUS_BAD);
    assert_int_equal(stream_of(type, BYTES(0x81, 0, 5), &got), STATUS_BAD);
    assert_int_equal(stream_of(type, BYTES(0x81, 0xff, 5), &got), STATUS_BAD);
    assert_int_equal(stream_of(type, BYTES(0x81, 0xa1, 'a', 5), &got), STATUS_BAD);
    assert_int_equal(stream_of(type, BYTES(0x81, 0xc4, 1, 1, 5), &got), STATUS_BAD);
    assert_int_equal(stream_of(type, BYTES(0x81, 0xcc, 1, 5), &got), STATUS_BAD); /* overlong */
    assert_int_equal(got.kind, MESSAGE_NONE);
    assert_int_equal(got.ping_req.seq, 0);
}

static void unknown_keys_are_skipped(void **state)
{
    (void)state;
    struct message got;
    unsigned type = MESSAGE_PING_REQ;
    assert_int_equal(stream_of(type, BYTES(0x83, 1, 5, 2, 6, 31, 0x92, 0xc0, 0xa1, 'x'), &got),
                     STATUS_OK);
    assert_int_equal(got.ping_req.target, 6);
    assert_int_equal(stream_of(type, BYTES(0x82, 1, 5, 0xcd, 0x12, 0x34, 0x80), &got), STATUS_OK);
    assert_int_equal(stream_of(type, BYTES(0x82, 1, 5, 31, 0xc1), &got), STATUS_BAD);
    assert_int_equal(stream_of(type, BYTES(0x82, 1, 5, 31), &got), STATUS_BAD);
}

static void trailing_bytes_are_refused(void **state)
{
    (void)state;
    struct message got;
    assert_int_equal(stream_of(MESSAGE_PING_REQ, BYTES(0x81, 1, 5, 0), &got), STATUS_BAD);
    assert_int_equal(stream_of(MESSAGE_PING_REQ, BYTES(0x80, 0x80), &got), STATUS_BAD);
}

static void a_body_is_one_map(void **state)
{
    (void)state;
    struct message got;
    assert_int_equal(stream_of(MESSAGE_PING_REQ, NULL, 0, &got), STATUS_BAD);
    assert_int_equal(stream_of(MESSAGE_PING_REQ, BYTES(0x92, 5, 6), &got), STATUS_BAD);
    assert_int_equal(stream_of(MESSAGE_PING_REQ, BYTES(0x05), &got), STATUS_BAD);
    assert_int_equal(stream_of(MESSAGE_PING_REQ, BYTES(0xc0), &got), STATUS_BAD);
    assert_int_equal(stream_of(MESSAGE_PING_REQ, BYTES(0xc4, 0), &got), STATUS_BAD);
}

static void unknown_types_are_unsupported(void **state)
{
    (void)state;
    struct message got;
    assert_int_equal(stream_of(0x7f, BYTES(0x80), &got), STATUS_UNSUPPORTED);
    assert_int_equal(stream_of(0, BYTES(0x80), &got), STATUS_UNSUPPORTED);
    assert_int_equal(stream_of(256 + MESSAGE_PING, BYTES(0x80), &got), STATUS_UNSUPPORTED);
    assert_int_equal(got.kind, MESSAGE_NONE);
}

static void what_does_not_fit_leaves_the_writer_as_it_was(void **state)
{
    (void)state;
    uint8_t arena[SAMPLE_ARENA], body[2048];
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct message message;
        sample_golden(&sample_layouts[i], &message, arena);
        size_t size = wire_stream_size(&message);
        for (size_t room = 0; room < size; room++) {
            struct writer out = writer_over(body, room);
            assert_int_equal(wire_stream_encode(&out, &message), STATUS_FULL);
            assert_int_equal(out.size, 0);
            assert_false(out.is_full);
        }
        struct writer exact = writer_over(body, size);
        assert_int_equal(wire_stream_encode(&exact, &message), STATUS_OK);
        assert_int_equal(exact.size, size);
    }
}

static void the_largest_value_comes_back(void **state)
{
    (void)state;
    uint8_t *value = calloc(1, VALUE_SIZE_MAX), *body = malloc(FRAME_BODY_MAX);
    assert_non_null(value);
    assert_non_null(body);
    value[0] = 1;
    value[VALUE_SIZE_MAX - 1] = 2;
    struct message sent = {.kind = MESSAGE_OP, .op = {.body = slice_of(value, VALUE_SIZE_MAX)}};
    struct message got;
    struct writer out = writer_over(body, FRAME_BODY_MAX);
    assert_int_equal(wire_stream_encode(&out, &sent), STATUS_OK);
    assert_int_equal(wire_stream_decode(MESSAGE_OP, writer_done(&out), &got), STATUS_OK);
    assert_true(slice_equal(got.op.body, sent.op.body));
    free(value);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_fields_take_no_bytes),
        cmocka_unit_test(keys_must_ascend),
        cmocka_unit_test(unknown_keys_are_skipped),
        cmocka_unit_test(trailing_bytes_are_refused),
        cmocka_unit_test(a_body_is_one_map),
        cmocka_unit_test(unknown_types_are_unsupported),
        cmocka_unit_test(what_does_not_fit_leaves_the_writer_as_it_was),
        cmocka_unit_test(the_largest_value_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
