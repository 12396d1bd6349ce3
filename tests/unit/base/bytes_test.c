/* bytes_test.c: bounds of slices, readers, writers and buffers; every prefix of a record is bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "bytes.h"
#include "guard.h"

static void test_slices_compare_bytewise(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE_NONE, slice_text("")));
    assert_true(slice_equal(slice_text("ab"), slice_text("ab")));
    assert_false(slice_equal(slice_text("ab"), slice_text("abc")));
    assert_true(slice_compare(slice_text("ab"), slice_text("abc")) < 0);
    assert_true(slice_compare(slice_text("b"), slice_text("abc")) > 0);
    assert_true(slice_compare(slice_text("\xff"), slice_text("a")) > 0);
    assert_int_equal(slice_compare(SLICE_NONE, slice_text("")), 0);
    assert_true(slice_compare(SLICE_NONE, slice_text("a")) < 0);
    assert_true(slice_has_prefix(slice_text("abc"), slice_text("ab")));
    assert_true(slice_has_prefix(slice_text("abc"), SLICE_NONE));
    assert_false(slice_has_prefix(slice_text("ab"), slice_text("abc")));
    assert_false(slice_has_prefix(slice_text("xbc"), slice_text("ab")));
}

static const uint8_t record[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10,
                                 0x11, 0x12, 3,    'a',  'b',  'c',  'x',  'y'};

static void write_record(struct writer *writer)
{
    struct label label = label_make(slice_text("abc"));

    write_u8(writer, 0x01);
    write_u16(writer, 0x0203);
    write_u24(writer, 0x040506);
    write_u32(writer, 0x0708090a);
    write_u64(writer, 0x0b0c0d0e0f101112u);
    write_label(writer, &label);
    write_slice(writer, slice_text("xy"));
}

static void test_written_numbers_are_big_endian(void **state)
{
    uint8_t data[sizeof record];
    struct writer writer = writer_over(data, sizeof data);

    (void)state;
    write_record(&writer);
    assert_false(writer.is_full);
    assert_true(slice_equal(writer_done(&writer), slice_of(record, sizeof record)));
}

static void test_writer_stops_at_every_capacity(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity < sizeof record; capacity++) {
        uint8_t *data = malloc(capacity ? capacity : 1);
        struct writer writer = writer_over(data, capacity);

        write_record(&writer);
        assert_true(writer.is_full);
        assert_true(writer.size <= capacity);
        assert_memory_equal(data, record, writer.size);
        free(data);
    }
}

static void test_full_writer_takes_nothing_more(void **state)
{
    uint8_t data[4] = {0};
    struct writer writer = writer_over(data, sizeof data);

    (void)state;
    write_u8(&writer, 1);
    write_u32(&writer, 2);
    write_u8(&writer, 3);
    assert_true(writer.is_full);
    assert_int_equal(writer.size, 1);
    assert_int_equal(data[1], 0);
    assert_null(write_room(&writer, 0));
}

static void test_writer_over_nothing(void **state)
{
    struct writer writer = writer_over(NULL, 0);

    (void)state;
    write_bytes(&writer, NULL, 0);
    assert_false(writer.is_full);
    write_u8(&writer, 1);
    assert_true(writer.is_full);
    assert_int_equal(writer_done(&writer).size, 0);
}

static void test_room_is_the_callers_to_fill(void **state)
{
    uint8_t data[8];
    struct writer writer = writer_over(data, sizeof data);

    (void)state;
    write_u8(&writer, 9);
    assert_ptr_equal(write_room(&writer, 7), data + 1);
    assert_int_equal(writer.size, 8);
    assert_null(write_room(&writer, SIZE_MAX));
    assert_true(writer.is_full);
}

static bool read_record(struct reader *reader)
{
    bool is_same = true;
    struct label label;
    uint8_t tail[2];

    is_same &= read_u8(reader) == 0x01;
    is_same &= read_u16(reader) == 0x0203;
    is_same &= read_u24(reader) == 0x040506;
    is_same &= read_u32(reader) == 0x0708090a;
    is_same &= read_u64(reader) == 0x0b0c0d0e0f101112u;
    read_label(reader, &label);
    is_same &= label.size == 3 && strcmp(label.text, "abc") == 0;
    read_bytes(reader, tail, sizeof tail);
    return is_same && memcmp(tail, "xy", 2) == 0;
}

static void test_reader_mirrors_writer(void **state)
{
    struct reader reader = reader_over(slice_of(record, sizeof record));

    (void)state;
    assert_int_equal(reader_left(&reader), sizeof record);
    assert_true(read_record(&reader));
    assert_true(reader_is_done(&reader));
    assert_int_equal(reader_left(&reader), 0);
}

static void test_every_prefix_is_bad(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof record; size++) {
        uint8_t *copy = guard_copy(record, size);
        struct reader reader = reader_over(slice_of(copy, size));

        read_record(&reader);
        assert_true(reader.is_bad);
        assert_false(reader_is_done(&reader));
        assert_int_equal(reader_left(&reader), 0);
        assert_true(reader.at <= size);
        guard_free(copy, size);
    }
}

static void test_bad_reader_stays_bad_and_gives_zero(void **state)
{
    struct reader reader = reader_over(slice_text("abc"));
    uint8_t out[4] = {1, 1, 1, 1};

    (void)state;
    read_bytes(&reader, out, 4);
    assert_true(reader.is_bad);
    assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
    assert_int_equal(read_u8(&reader), 0);
    assert_null(read_slice(&reader, 1).data);
}

static void test_huge_size_does_not_wrap(void **state)
{
    struct reader reader = reader_over(slice_text("abc"));

    (void)state;
    read_u8(&reader);
    assert_null(read_slice(&reader, SIZE_MAX).data);
    assert_true(reader.is_bad);
    assert_int_equal(reader.at, 1);
}

static void test_reader_over_nothing(void **state)
{
    struct reader reader = reader_over(SLICE_NONE);

    (void)state;
    assert_int_equal(read_slice(&reader, 0).size, 0);
    read_bytes(&reader, NULL, 0);
    assert_true(reader_is_done(&reader));
    assert_int_equal(read_u8(&reader), 0);
    assert_true(reader.is_bad);
}

static void test_label_of_each_length(void **state)
{
    uint8_t data[256];

    (void)state;
    memset(data, 'n', sizeof data);
    for (unsigned size = 0; size < 256; size++) {
        struct label label;
        struct reader reader = reader_over(slice_of(data, sizeof data));

        data[0] = (uint8_t)size;
        read_label(&reader, &label);
        assert_int_equal(reader.is_bad, size > NAME_SIZE_MAX);
        assert_int_equal(label.size, size > NAME_SIZE_MAX ? 0 : size);
        assert_int_equal(strlen(label.text), label.size);
    }
}

static void test_label_with_zero_byte_is_bad(void **state)
{
    struct label label;
    struct reader reader = reader_over(slice_of("\3a\0b", 4));

    (void)state;
    read_label(&reader, &label);
    assert_true(reader.is_bad);
    assert_int_equal(label.size, 0);
}

static void test_label_make_truncates(void **state)
{
    char text[100];
    struct label a, b;

    (void)state;
    memset(text, 'x', sizeof text);
    a = label_make(slice_of(text, sizeof text));
    assert_int_equal(a.size, NAME_SIZE_MAX);
    assert_int_equal(a.text[NAME_SIZE_MAX], 0);
    b = label_make(slice_of(text, NAME_SIZE_MAX));
    assert_true(label_equal(&a, &b));
    b = label_make(slice_of(text, 5));
    assert_false(label_equal(&a, &b));
    b = label_make(SLICE_NONE);
    assert_int_equal(b.size, 0);
}

static void test_u64_round_trip(void **state)
{
    uint8_t data[8];

    (void)state;
    bytes_store_u64(data, 0x0102030405060708u);
    assert_int_equal(data[0], 1);
    assert_int_equal(data[7], 8);
    assert_int_equal(bytes_load_u64(data), 0x0102030405060708u);
}

static void test_buffer_grows_to_its_ceiling(void **state)
{
    struct buffer buffer;
    uint8_t chunk[100];

    (void)state;
    memset(chunk, 7, sizeof chunk);
    buffer_init(&buffer, 1000);
    assert_null(buffer.data);
    for (int i = 0; i < 10; i++)
        assert_true(buffer_append(&buffer, chunk, sizeof chunk));
    assert_int_equal(buffer.size, 1000);
    assert_int_equal(buffer.capacity, 1000);
    assert_false(buffer_append(&buffer, chunk, 1));
    assert_int_equal(buffer.size, 1000);
    assert_null(buffer_reserve(&buffer, SIZE_MAX));
    assert_true(buffer_append(&buffer, NULL, 0));
    buffer_close(&buffer);
    assert_true(buffer_append(&buffer, chunk, 1));
    buffer_close(&buffer);
}

static void test_buffer_consumes_from_the_front(void **state)
{
    struct buffer buffer;

    (void)state;
    buffer_init(&buffer, 1 << 20);
    assert_true(buffer_append(&buffer, "abcdef", 6));
    buffer_consume(&buffer, 2);
    assert_int_equal(buffer.size, 4);
    assert_memory_equal(buffer.data, "cdef", 4);
    buffer_consume(&buffer, 99);
    assert_int_equal(buffer.size, 0);
    buffer_close(&buffer);
}

static void test_buffer_reserved_room_is_filled_by_the_caller(void **state)
{
    struct buffer buffer;
    uint8_t *room;

    (void)state;
    buffer_init(&buffer, 5000);
    room = buffer_reserve(&buffer, 3000);
    assert_non_null(room);
    memset(room, 1, 3000);
    buffer.size += 3000;
    assert_true(buffer.capacity <= 5000);
    assert_null(buffer_reserve(&buffer, 2001));
    assert_ptr_equal(buffer_reserve(&buffer, 2000), buffer.data + 3000);
    buffer_close(&buffer);
}

static void test_buffer_clear_keeps_little_and_frees_much(void **state)
{
    struct buffer buffer;

    (void)state;
    buffer_init(&buffer, 1 << 20);
    assert_non_null(buffer_reserve(&buffer, 100));
    buffer_clear(&buffer, 4096);
    assert_non_null(buffer.data);
    assert_non_null(buffer_reserve(&buffer, 10000));
    buffer_clear(&buffer, 4096);
    assert_null(buffer.data);
    assert_int_equal(buffer.max, 1 << 20);
    buffer_close(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices_compare_bytewise),
        cmocka_unit_test(test_written_numbers_are_big_endian),
        cmocka_unit_test(test_writer_stops_at_every_capacity),
        cmocka_unit_test(test_full_writer_takes_nothing_more),
        cmocka_unit_test(test_writer_over_nothing),
        cmocka_unit_test(test_room_is_the_callers_to_fill),
        cmocka_unit_test(test_reader_mirrors_writer),
        cmocka_unit_test(test_every_prefix_is_bad),
        cmocka_unit_test(test_bad_reader_stays_bad_and_gives_zero),
        cmocka_unit_test(test_huge_size_does_not_wrap),
        cmocka_unit_test(test_reader_over_nothing),
        cmocka_unit_test(test_label_of_each_length),
        cmocka_unit_test(test_label_with_zero_byte_is_bad),
        cmocka_unit_test(test_label_make_truncates),
        cmocka_unit_test(test_u64_round_trip),
        cmocka_unit_test(test_buffer_grows_to_its_ceiling),
        cmocka_unit_test(test_buffer_consumes_from_the_front),
        cmocka_unit_test(test_buffer_reserved_room_is_filled_by_the_caller),
        cmocka_unit_test(test_buffer_clear_keeps_little_and_frees_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
