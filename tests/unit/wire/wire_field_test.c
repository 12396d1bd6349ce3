/* Every field of every message: its bound, its type, and random values there and back. */
#include "sample.h"

/* Decodes a body that holds this one field with this value. */
static enum status decode_value(const struct sample_layout *layout, uint8_t key, struct slice value,
                                struct message *message)
{
    static uint8_t body[FRAME_BODY_MAX + 64]; /* a test's own room */
    struct writer out = writer_over(body, sizeof body);
    write_u8(&out, 0x81);
    write_u8(&out, key);
    write_slice(&out, value);
    assert_false(out.is_full);
    return wire_stream_decode(layout->id, writer_done(&out), message);
}

static enum status decode_number(const struct sample_layout *layout, uint8_t key, uint64_t number,
                                 struct message *message)
{
    uint8_t value[16];
    struct writer out = writer_over(value, sizeof value);
    write_number(&out, number);
    return decode_value(layout, key, writer_done(&out), message);
}

static enum status decode_bin(const struct sample_layout *layout, uint8_t key, size_t size,
                              struct message *message)
{
    static uint8_t value[FRAME_BODY_MAX + 16];
    static const uint8_t zeros[FRAME_BODY_MAX + 1];
    struct writer out = writer_over(value, sizeof value);
    write_bin(&out, zeros, size);
    assert_false(out.is_full);
    return decode_value(layout, key, writer_done(&out), message);
}

static void check_integer(const struct sample_layout *layout, const struct sample_field *field)
{
    struct message message;
    uint64_t bound = sample_bound(field);
    assert_int_equal(decode_number(layout, field->key, bound, &message), STATUS_OK);
    struct slice bytes = sample_bytes(&message, field);
    struct message expected = {.kind = (enum message_kind)layout->id};
    sample_set(&expected, field, bound, SLICE_NONE);
    assert_true(slice_equal(bytes, sample_bytes(&expected, field)));
    sample_assert_equal(layout, &message, &expected);
    if (bound != UINT64_MAX) {
        assert_int_equal(decode_number(layout, field->key, bound + 1, &message), STATUS_BAD);
        assert_int_equal(decode_number(layout, field->key, UINT64_MAX, &message), STATUS_BAD);
    }
    assert_int_equal(decode_bin(layout, field->key, 1, &message), STATUS_BAD);
}

static void check_bytes(const struct sample_layout *layout, const struct sample_field *field)
{
    struct message message;
    size_t bound = field->type ? field->type : sample_bound(field);
    bool is_whole_body = bound == FRAME_BODY_MAX; /* then map and heads take some of it */
    if (!is_whole_body)
        assert_int_equal(decode_bin(layout, field->key, bound, &message), STATUS_OK);
    assert_int_equal(decode_bin(layout, field->key, bound + 1, &message), STATUS_BAD);
    if (field->type != SAMPLE_BYTES)
        assert_int_equal(decode_bin(layout, field->key, bound - 1, &message), STATUS_BAD);
    assert_int_equal(decode_number(layout, field->key, 1, &message), STATUS_BAD);
}

static void each_field_keeps_its_bound_and_type(void **state)
{
    (void)state;
    struct message message;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        const struct sample_layout *layout = &sample_layouts[i];
        for (size_t j = 0; j < layout->field_count; j++) {
            const struct sample_field *field = &layout->fields[j];
            if (sample_is_integer(field))
                check_integer(layout, field);
            else
                check_bytes(layout, field);
            const uint8_t others[] = {0xc0, 0xc2, 0xc3, 0xff, 0xa0, 0x90, 0x80};
            for (size_t k = 0; k < sizeof others; k++)
                assert_int_equal(
                    decode_value(layout, field->key, slice_of(&others[k], 1), &message),
                    STATUS_BAD);
        }
    }
}

/* The same bounds hold in a datagram's array. */
static void each_field_of_a_datagram_keeps_its_bound(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        const struct sample_layout *layout = &sample_layouts[i];
        if (!(layout->carriers & WIRE_CARRIER_DATAGRAM))
            continue;
        for (size_t j = 0; j < layout->field_count; j++) {
            uint64_t bound = sample_bound(&layout->fields[j]);
            if (!sample_is_integer(&layout->fields[j]) || bound == UINT64_MAX)
                continue;
            for (uint64_t above = 0; above <= 1; above++) {
                uint8_t packet[512];
                struct writer out = writer_over(packet, sizeof packet);
                write_u8(&out, (uint8_t)layout->id);
                write_u8(&out, (uint8_t)(0x90 + j + 1));
                for (size_t k = 0; k < j; k++) {
                    assert_true(sample_is_integer(&layout->fields[k]));
                    write_number(&out, 0);
                }
                write_number(&out, bound + above);
                struct message message;
                assert_int_equal(datagram_of(packet, out.size, &message),
                                 above ? STATUS_BAD : STATUS_OK);
            }
        }
    }
}

static void random_values_come_back(void **state)
{
    (void)state;
    struct prng prng;
    prng_init(&prng, 20261121);
    uint8_t arena[SAMPLE_ARENA];
    static uint8_t bytes[65536];
    for (unsigned round = 0; round < 200; round++) {
        for (size_t i = 0; i < SAMPLE_COUNT; i++) {
            const struct sample_layout *layout = &sample_layouts[i];
            struct message sent, got;
            sample_random(layout, &prng, &sent, arena);
            struct writer out = writer_over(bytes, sizeof bytes);
            if (layout->carriers & WIRE_CARRIER_STREAM) {
                assert_int_equal(wire_stream_encode(&out, &sent), STATUS_OK);
                assert_int_equal(out.size, wire_stream_size(&sent));
                assert_int_equal(wire_stream_decode(layout->id, writer_done(&out), &got),
                                 STATUS_OK);
                sample_assert_equal(layout, &sent, &got);
            }
            out = writer_over(bytes, sizeof bytes);
            if (layout->carriers & WIRE_CARRIER_DATAGRAM) {
                assert_int_equal(wire_datagram_append(&out, &sent), STATUS_OK);
                struct reader in = reader_over(writer_done(&out));
                assert_int_equal(wire_datagram_next(&in, &got), STATUS_OK);
                sample_assert_equal(layout, &sent, &got);
                assert_true(reader_is_done(&in));
            }
        }
    }
}

static void a_decoded_slice_points_into_the_input(void **state)
{
    (void)state;
    const uint8_t body[] = {0x81, 0x07, 0xc4, 0x03, 'a', 'b', 'c'};
    struct message message;
    assert_int_equal(wire_stream_decode(MESSAGE_OP, slice_of(body, sizeof body), &message),
                     STATUS_OK);
    assert_ptr_equal(message.op.key.data, body + 4);
    assert_int_equal(message.op.key.size, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_keeps_its_bound_and_type),
        cmocka_unit_test(each_field_of_a_datagram_keeps_its_bound),
        cmocka_unit_test(random_values_come_back),
        cmocka_unit_test(a_decoded_slice_points_into_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
