/* Addresses and contacts, the parts of packed lists. */
#include "hash.h"
#include "sample.h"

static const struct address address_four = {.family = 4, .ip = {127, 0, 0, 1}, .port = 18001};
static const struct address address_six = {
    .family = 6, .ip = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, .port = 443};

static void addresses_are_as_drawn(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct writer out = writer_over(bytes, sizeof bytes);
    wire_address_write(&out, &address_four);
    assert_int_equal(out.size, 7);
    const uint8_t drawn[] = {4, 127, 0, 0, 1, 0x46, 0x51};
    assert_memory_equal(bytes, drawn, sizeof drawn);
    wire_address_write(&out, &address_six);
    assert_int_equal(out.size, 7 + WIRE_ADDRESS_SIZE_MAX);
    struct reader in = reader_over(writer_done(&out));
    struct address got;
    wire_address_read(&in, &got);
    assert_true(address_equal(&got, &address_four));
    wire_address_read(&in, &got);
    assert_true(address_equal(&got, &address_six));
    assert_true(reader_is_done(&in));
}

static void assert_address_bad(const void *bytes, size_t size)
{
    uint8_t *copy = guard_copy(bytes, size);
    struct reader in = reader_over(slice_of(copy, size));
    struct address got;
    wire_address_read(&in, &got);
    assert_true(in.is_bad);
    assert_int_equal(got.family, 0);
    assert_int_equal(got.port, 0);
    guard_free(copy, size);
}

static void addresses_out_of_range_are_bad(void **state)
{
    (void)state;
    uint8_t bytes[32] = {4, 127, 0, 0, 1, 0x46, 0x51};
    for (unsigned family = 0; family <= 0xff; family++) {
        bytes[0] = (uint8_t)family;
        if (family != 4 && family != 6)
            assert_address_bad(bytes, sizeof bytes);
    }
    assert_address_bad(BYTES(4, 127, 0, 0, 1, 0, 0));
    assert_address_bad(BYTES(4, 127, 0, 0, 1, 0));
    assert_address_bad(BYTES(6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0));
    assert_address_bad(NULL, 0);
}

static struct contact contact_of(uint8_t number)
{
    struct contact contact = {.address = number % 2 ? address_six : address_four,
                              .epoch = 0x1122334455667788,
                              .rtt_us = 250u + number};
    memset(contact.public_key, number, sizeof contact.public_key);
    contact.id = hash_node_id(contact.public_key);
    return contact;
}

static void contacts_come_back_with_an_id_of_their_own_key(void **state)
{
    (void)state;
    uint8_t bytes[8 * WIRE_CONTACT_SIZE_MAX];
    struct writer out = writer_over(bytes, sizeof bytes);
    for (uint8_t i = 0; i < 8; i++) {
        struct contact contact = contact_of(i), liar = contact;
        memset(liar.id.bytes, 0xee, sizeof liar.id.bytes); /* never reaches the wire */
        wire_contact_write(&out, &liar);
    }
    assert_false(out.is_full);
    struct reader in = reader_over(writer_done(&out));
    for (uint8_t i = 0; i < 8; i++) {
        struct contact expected = contact_of(i), got;
        wire_contact_read(&in, &got);
        assert_memory_equal(got.public_key, expected.public_key, sizeof got.public_key);
        assert_true(id_equal(&got.id, &expected.id));
        assert_true(address_equal(&got.address, &expected.address));
        assert_int_equal(got.epoch, expected.epoch);
        assert_int_equal(got.rtt_us, expected.rtt_us);
    }
    assert_true(reader_is_done(&in));
}

static void a_bad_contact_is_all_zero(void **state)
{
    (void)state;
    uint8_t bytes[WIRE_CONTACT_SIZE_MAX];
    struct contact contact = contact_of(1), got;
    static const struct contact zero;
    struct writer out = writer_over(bytes, sizeof bytes);
    wire_contact_write(&out, &contact);
    assert_int_equal(out.size, WIRE_CONTACT_SIZE_MAX);
    bytes[PUBLIC_KEY_SIZE] = 5; /* family */
    struct reader in = reader_over(writer_done(&out));
    wire_contact_read(&in, &got);
    assert_true(in.is_bad);
    assert_int_equal(reader_left(&in), 0);
    assert_memory_equal(&got, &zero, sizeof got);
}

static void what_does_not_fit_is_not_written_in_part(void **state)
{
    (void)state;
    uint8_t bytes[WIRE_CONTACT_SIZE_MAX + 1];
    struct contact contact = contact_of(1);
    for (size_t room = 0; room < WIRE_CONTACT_SIZE_MAX; room++) {
        struct writer out = writer_over(bytes, room + 1);
        write_u8(&out, 0);
        wire_contact_write(&out, &contact);
        assert_true(out.is_full);
        assert_int_equal(out.size, 1);
        if (room >= WIRE_ADDRESS_SIZE_MAX)
            continue;
        out = writer_over(bytes, room);
        wire_address_write(&out, &address_six);
        assert_true(out.is_full);
        assert_int_equal(out.size, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_as_drawn),
        cmocka_unit_test(addresses_out_of_range_are_bad),
        cmocka_unit_test(contacts_come_back_with_an_id_of_their_own_key),
        cmocka_unit_test(a_bad_contact_is_all_zero),
        cmocka_unit_test(what_does_not_fit_is_not_written_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
