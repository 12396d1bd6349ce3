/* The 6 or 18 bytes in front of every chunk. */
#include "sample.h"

static const struct frame frame_whole = {.type = 0x30,
                                         .flags = FRAME_REPLY | FRAME_MORE,
                                         .priority = 2,
                                         .request = 0x0102030405060708,
                                         .deadline_ms = 2500,
                                         .length = 0x1234};

static void a_header_is_as_drawn(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_HEADER_SIZE];
    struct writer out = writer_over(bytes, sizeof bytes);
    wire_frame_write(&out, &frame_whole);
    assert_false(out.is_full);
    assert_int_equal(out.size, FRAME_HEADER_SIZE);
    const uint8_t drawn[FRAME_HEADER_SIZE] = {0, 0x12, 0x34, 0x30, 0x15, 2, 1, 2, 3,
                                              4, 5,    6,    7,    8,    0, 0, 9, 0xc4};
    assert_memory_equal(bytes, drawn, sizeof drawn);
    struct frame got;
    assert_int_equal(wire_frame_read(slice_of(bytes, sizeof bytes), &got), STATUS_OK);
    assert_int_equal(got.type, frame_whole.type);
    assert_int_equal(got.flags, frame_whole.flags);
    assert_int_equal(got.priority, frame_whole.priority);
    assert_int_equal(got.request, frame_whole.request);
    assert_int_equal(got.deadline_ms, frame_whole.deadline_ms);
    assert_int_equal(got.length, frame_whole.length);
}

static void what_neither_asks_nor_answers_is_short(void **state)
{
    (void)state;
    const struct frame plain = {.type = 0x50, .flags = FRAME_MORE, .priority = 1, .length = 7};
    const uint8_t drawn[FRAME_HEADER_MIN] = {0, 0, 7, 0x50, 4, 1};
    uint8_t bytes[FRAME_HEADER_SIZE];
    struct writer out = writer_over(bytes, sizeof bytes);
    struct frame got = frame_whole;
    wire_frame_write(&out, &plain);
    assert_int_equal(out.size, wire_frame_size(&plain));
    assert_int_equal(out.size, FRAME_HEADER_MIN);
    assert_memory_equal(bytes, drawn, sizeof drawn);
    assert_int_equal(wire_frame_read(writer_done(&out), &got), STATUS_OK);
    assert_true(got.request == 0 && got.deadline_ms == 0 && got.length == 7);
    assert_int_equal(got.flags, FRAME_MORE);
}

static enum status read_of(const void *bytes, size_t size)
{
    uint8_t *copy = guard_copy(bytes, size);
    struct frame got;
    enum status status = wire_frame_read(slice_of(copy, size), &got);
    guard_free(copy, size);
    return status;
}

static void fewer_bytes_are_incomplete(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_HEADER_SIZE];
    struct writer out = writer_over(bytes, sizeof bytes);
    wire_frame_write(&out, &frame_whole);
    for (size_t size = 0; size < FRAME_HEADER_SIZE; size++)
        assert_int_equal(read_of(bytes, size), STATUS_INCOMPLETE);
    assert_int_equal(read_of(bytes, FRAME_HEADER_SIZE), STATUS_OK);
}

/* A header that says nothing but the length's first byte, type, flags and priority. */
static enum status read_with(uint8_t length, uint8_t type, uint8_t flags, uint8_t priority)
{
    const uint8_t bytes[FRAME_HEADER_SIZE] = {
        length, length ? 0 : 0x40, 0, type, flags, priority, 0, 0, 0, 0, 0, 0, 0, 9};
    return read_of(bytes, sizeof bytes);
}

static void fields_out_of_range_are_bad(void **state)
{
    (void)state;
    assert_int_equal(read_with(0, 1, 0, 0), STATUS_OK);
    assert_int_equal(read_of(BYTES(0, 0x40, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
                     STATUS_BAD);
    assert_int_equal(read_with(0xff, 1, 0, 0), STATUS_BAD);
    for (unsigned flags = 0; flags <= 0xff; flags++)
        assert_int_equal(read_with(0, 1, (uint8_t)flags, 0),
                         flags <= (FRAME_FLAGS | 16u) ? STATUS_OK : STATUS_BAD);
    assert_int_equal(read_of(BYTES(0, 0, 0, 1, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
                     STATUS_BAD); /* said at length what is said in six bytes */
    for (unsigned priority = 0; priority <= 0xff; priority++)
        assert_int_equal(read_with(0, 1, 0, (uint8_t)priority),
                         priority <= FRAME_PRIORITY_MAX ? STATUS_OK : STATUS_BAD);
}

static void types_nobody_knows_keep_their_length(void **state)
{
    (void)state;
    const uint8_t bytes[FRAME_HEADER_SIZE] = {0, 0, 9, 0xbf, 0, 3};
    struct frame got;
    assert_int_equal(wire_frame_read(slice_of(bytes, sizeof bytes), &got), STATUS_OK);
    assert_int_equal(got.type, 0xbf);
    assert_int_equal(got.length, 9);
}

static void a_header_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_HEADER_SIZE];
    for (size_t room = 0; room < FRAME_HEADER_SIZE; room++) {
        struct writer out = writer_over(bytes, room);
        wire_frame_write(&out, &frame_whole);
        assert_true(out.is_full);
        assert_int_equal(out.size, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_as_drawn),
        cmocka_unit_test(what_neither_asks_nor_answers_is_short),
        cmocka_unit_test(fewer_bytes_are_incomplete),
        cmocka_unit_test(fields_out_of_range_are_bad),
        cmocka_unit_test(types_nobody_knows_keep_their_length),
        cmocka_unit_test(a_header_is_written_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
