/* Many messages in one packet, and peers of other versions. */
#include "sample.h"

static struct message ping_of(uint32_t seq)
{
    return (struct message){
        .kind = MESSAGE_PING,
        .ping = {.seq = seq, .target = 0x1122334455667788, .digest = 9, .cookie = 10, .load = 11},
    };
}

static void messages_come_out_in_order(void **state)
{
    (void)state;
    uint8_t packet[DATAGRAM_SIZE_MAX];
    struct writer out = writer_over(packet, sizeof packet);
    struct message ping = ping_of(7);
    struct message update = {
        .kind = MESSAGE_UPDATE,
        .update = {.rank = RANK_DEAD, .subject = 1, .incarnation = 2, .from = 3, .since = 4}};
    assert_int_equal(wire_datagram_append(&out, &ping), STATUS_OK);
    assert_int_equal(wire_datagram_append(&out, &update), STATUS_OK);
    struct reader in = reader_over(writer_done(&out));
    struct message got;
    assert_int_equal(wire_datagram_next(&in, &got), STATUS_OK);
    assert_int_equal(got.kind, MESSAGE_PING);
    assert_int_equal(got.ping.seq, 7);
    assert_int_equal(got.ping.target, 0x1122334455667788);
    assert_int_equal(got.ping.load, 11);
    assert_int_equal(wire_datagram_next(&in, &got), STATUS_OK);
    assert_int_equal(got.kind, MESSAGE_UPDATE);
    assert_int_equal(got.update.rank, RANK_DEAD);
    assert_int_equal(got.update.since, 4);
    assert_int_equal(wire_datagram_next(&in, &got), STATUS_END);
    assert_int_equal(wire_datagram_next(&in, &got), STATUS_END);
    assert_int_equal(got.kind, MESSAGE_NONE);
}

static void an_empty_datagram_ends(void **state)
{
    (void)state;
    struct reader in = reader_over(SLICE_NONE);
    struct message got;
    assert_int_equal(wire_datagram_next(&in, &got), STATUS_END);
}

static void unknown_types_are_skipped(void **state)
{
    (void)state;
    uint8_t packet[256];
    struct writer out = writer_over(packet, sizeof packet);
    write_u8(&out, 0x1f);
    write_bytes(&out, BYTES(0x93, 0x01, 0xa1, 'x', 0x81, 0x01, 0xc0));
    struct message ping = ping_of(1);
    assert_int_equal(wire_datagram_append(&out, &ping), STATUS_OK);
    write_u8(&out, 0xbf);
    write_u8(&out, 0xc0);
    struct reader in = reader_over(writer_done(&out));
    struct message got;
    assert_int_equal(wire_datagram_next(&in, &got), STATUS_OK);
    assert_int_equal(got.kind, MESSAGE_PING);
    assert_int_equal(wire_datagram_next(&in, &got), STATUS_END);
}

static void a_newer_peer_may_send_more_fields(void **state)
{
    (void)state;
    struct message got;
    assert_int_equal(datagram_of(BYTES(0x03, 0x94, 0x05, 0x06, 0x91, 0xc0, 0xc4, 0x00), &got),
                     STATUS_OK);
    assert_int_equal(got.ping_req.seq, 5);
    assert_int_equal(got.ping_req.target, 6);
    /* What is not understood must be whole and sound all the same. */
    assert_int_equal(datagram_of(BYTES(0x03, 0x93, 0x05, 0x06, 0xc1), &got), STATUS_BAD);
    assert_int_equal(datagram_of(BYTES(0x03, 0x93, 0x05, 0x06), &got), STATUS_BAD);
}

static void an_older_peer_may_send_fewer_fields(void **state)
{
    (void)state;
    struct message got;
    assert_int_equal(datagram_of(BYTES(0x01, 0x92, 0x05, 0x06), &got), STATUS_OK);
    assert_int_equal(got.ping.seq, 5);
    assert_int_equal(got.ping.target, 6);
    assert_int_equal(got.ping.cookie, 0);
    assert_int_equal(datagram_of(BYTES(0x01, 0x90), &got), STATUS_OK);
    assert_int_equal(got.kind, MESSAGE_PING);
    assert_int_equal(got.ping.seq, 0);
}

static void a_body_that_is_no_array_is_bad(void **state)
{
    (void)state;
    struct message got;
    assert_int_equal(datagram_of(BYTES(0x03, 0x82, 0x01, 0x05, 0x02, 0x06), &got), STATUS_BAD);
    assert_int_equal(datagram_of(BYTES(0x03, 0x05), &got), STATUS_BAD);
    assert_int_equal(datagram_of(BYTES(0x03), &got), STATUS_BAD);
    assert_int_equal(got.kind, MESSAGE_NONE);
}

static void stream_messages_are_not_taken_from_datagrams(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct message got;
        bool is_allowed = (sample_layouts[i].carriers & WIRE_CARRIER_DATAGRAM) != 0;
        assert_int_equal(datagram_of(BYTES((uint8_t)sample_layouts[i].id, 0x90), &got),
                         is_allowed ? STATUS_OK : STATUS_BAD);
    }
}

static void a_bad_message_ends_the_datagram_for_ever(void **state)
{
    (void)state;
    const uint8_t packet[] = {0x03, 0x92, 0xc0, 0x06, 0x03, 0x92, 0x05, 0x06};
    struct reader in = reader_over(slice_of(packet, sizeof packet));
    struct message got;
    assert_int_equal(wire_datagram_next(&in, &got), STATUS_BAD);
    assert_int_equal(got.kind, MESSAGE_NONE);
    assert_int_equal(wire_datagram_next(&in, &got), STATUS_BAD);
    assert_int_equal(reader_left(&in), 0);
}

static void what_does_not_fit_leaves_the_writer_as_it_was(void **state)
{
    (void)state;
    uint8_t arena[SAMPLE_ARENA], packet[2048];
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct message message;
        if (!(sample_layouts[i].carriers & WIRE_CARRIER_DATAGRAM))
            continue;
        sample_golden(&sample_layouts[i], &message, arena);
        struct writer whole = writer_over(packet, sizeof packet);
        assert_int_equal(wire_datagram_append(&whole, &message), STATUS_OK);
        for (size_t room = 0; room < whole.size; room++) {
            struct writer out = writer_over(packet, 3 + room);
            write_bytes(&out, "abc", 3);
            assert_int_equal(wire_datagram_append(&out, &message), STATUS_FULL);
            assert_int_equal(out.size, 3);
            assert_false(out.is_full);
            assert_memory_equal(packet, "abc", 3);
        }
        struct writer exact = writer_over(packet, whole.size);
        assert_int_equal(wire_datagram_append(&exact, &message), STATUS_OK);
    }
}

static void a_ping_and_the_greatest_record_share_a_datagram(void **state)
{
    (void)state;
    uint8_t packet[DATAGRAM_SIZE_MAX], record[SELF_RECORD_SIZE_MAX] = {0};
    struct writer out = writer_over(packet, DATAGRAM_SIZE_MAX - DATAGRAM_OVERHEAD - 8);
    struct message ping = {.kind = MESSAGE_PING,
                           .ping = {UINT32_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT32_MAX}};
    struct message self = {.kind = MESSAGE_SELF, .self = {slice_of(record, sizeof record)}};
    assert_int_equal(wire_datagram_append(&out, &ping), STATUS_OK);
    assert_int_equal(wire_datagram_append(&out, &self), STATUS_OK);
    /* What is left carries statements about members: at least a dozen of the largest. */
    struct message update = {.kind = MESSAGE_UPDATE,
                             .update = {3, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    unsigned updates = 0;
    while (wire_datagram_append(&out, &update) == STATUS_OK)
        updates++;
    assert_true(updates >= 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_out_in_order),
        cmocka_unit_test(an_empty_datagram_ends),
        cmocka_unit_test(unknown_types_are_skipped),
        cmocka_unit_test(a_newer_peer_may_send_more_fields),
        cmocka_unit_test(an_older_peer_may_send_fewer_fields),
        cmocka_unit_test(a_body_that_is_no_array_is_bad),
        cmocka_unit_test(stream_messages_are_not_taken_from_datagrams),
        cmocka_unit_test(a_bad_message_ends_the_datagram_for_ever),
        cmocka_unit_test(what_does_not_fit_leaves_the_writer_as_it_was),
        cmocka_unit_test(a_ping_and_the_greatest_record_share_a_datagram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
