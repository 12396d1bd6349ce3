/* Files taken apart: stanzas, lines, what is twice there. */
#include "cli_fixture.h"

static void test_stanzas(void **state)
{
    struct cli_records records;

    (void)state;
    assert_true(cli_records_split(slice_text("Package: b\nVersion: 1\n\n\nPackage: a\nX: y"
                                             "\n\nNote: no name\n\nPackage: b\nVersion: 2\n"),
                                  &records));
    assert_int_equal(records.count, 2);
    assert_true(slice_equal(records.items[0].key, slice_text("a")));
    assert_true(slice_equal(records.items[0].value, slice_text("Package: a\nX: y")));
    assert_true(slice_equal(records.items[1].value, slice_text("Package: b\nVersion: 2")));
    cli_records_close(&records);
}

static void test_lines(void **state)
{
    struct cli_records records;

    (void)state;
    assert_true(cli_records_split(slice_text("k2\tv\tw\n\nalone\nk1\t\n"), &records));
    assert_int_equal(records.count, 3);
    assert_true(slice_equal(records.items[0].key, slice_text("alone")));
    assert_true(slice_equal(records.items[0].value, slice_text("alone")));
    assert_int_equal(records.items[1].value.size, 0);
    assert_true(slice_equal(records.items[2].value, slice_text("v\tw")));
    cli_records_close(&records);
    assert_false(cli_records_split(slice_text("\n\n"), &records));
    assert_false(cli_records_split(SLICE_NONE, &records));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stanzas),
                                       cmocka_unit_test(test_lines)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
