/* The table itself: names, carriers, and that it keeps the rules it states. */
#include "sample.h"

static void every_message_is_known_by_name_and_carrier(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        assert_string_equal(wire_message_name(sample_layouts[i].id), sample_layouts[i].name);
        assert_int_equal(wire_message_carriers(sample_layouts[i].id), sample_layouts[i].carriers);
    }
    assert_string_equal(wire_message_name(MESSAGE_PING), "ping");
    assert_int_equal(wire_message_carriers(MESSAGE_PING), WIRE_CARRIER_BOTH);
    assert_int_equal(wire_message_carriers(MESSAGE_OP), WIRE_CARRIER_STREAM);
}

static void numbers_outside_the_table_are_unknown(void **state)
{
    (void)state;
    unsigned known = 0;
    for (unsigned kind = 0; kind < 1024; kind++) {
        if (wire_message_carriers(kind) != 0)
            known++;
        else
            assert_string_equal(wire_message_name(kind), "unknown");
    }
    assert_int_equal(known, SAMPLE_COUNT);
    assert_int_equal(wire_message_carriers(MESSAGE_NONE), 0);
    assert_int_equal(wire_message_carriers(256 + MESSAGE_PING), 0);
    assert_int_equal(wire_message_carriers(UINT32_MAX), 0);
}

static void ids_and_keys_follow_the_rules(void **state)
{
    (void)state;
    unsigned last_id = 0;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        const struct sample_layout *layout = &sample_layouts[i];
        assert_true(layout->id > last_id); /* ascending, so unique */
        assert_true(layout->id < 0x80);    /* 80 and above are reserved */
        last_id = layout->id;
        unsigned last_key = 0;
        for (size_t j = 0; j < layout->field_count; j++) {
            assert_true(layout->fields[j].key > last_key);
            assert_true(layout->fields[j].key <= 31);
            last_key = layout->fields[j].key;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_known_by_name_and_carrier),
        cmocka_unit_test(numbers_outside_the_table_are_unknown),
        cmocka_unit_test(ids_and_keys_follow_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
