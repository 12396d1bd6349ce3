/* status_test.c: every code of the table has its text and survives the wire; no other does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "status.h"

static void test_every_code_survives_the_wire(void **state)
{
    (void)state;
#define STATUS(NAME, code, text)                                                                   \
    assert_int_equal(status_from_wire(code), STATUS_##NAME);                                       \
    assert_string_equal(status_text(STATUS_##NAME), text);
#include "status.def"
#undef STATUS
    assert_int_equal(STATUS_OK, 0);
}

static void test_invented_code_is_bad(void **state)
{
    (void)state;
    assert_int_equal(status_from_wire(65535), STATUS_BAD);
    assert_int_equal(status_from_wire(UINT32_MAX), STATUS_BAD);
    assert_string_equal(status_text((enum status)9999), "unknown status");
}

static void test_texts_differ(void **state)
{
    static const char *const texts[] = {
#define STATUS(NAME, code, text) text,
#include "status.def"
#undef STATUS
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(texts[i], texts[j]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_survives_the_wire),
        cmocka_unit_test(test_invented_code_is_bad),
        cmocka_unit_test(test_texts_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
