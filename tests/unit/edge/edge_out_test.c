/* edge_out_test.c: numbers, codes and the growing of the text. */
#include "edge_client.h"
#include "edge_out.h"

static struct buffer buffer;
static struct edge_out out;

static void begin(size_t max)
{
    buffer_init(&buffer, max);
    edge_out_begin(&out, &buffer, 4);
}

static void expect(const char *text)
{
    assert_true(edge_out_end(&out, 0));
    assert_slice(slice_of(buffer.data, buffer.size), text);
    buffer_close(&buffer);
}

static void test_numbers(void **state)
{
    (void)state;
    begin(1000);
    edge_put_number(&out, 0);
    EDGE_PUT(&out, " ");
    edge_put_number(&out, UINT64_MAX);
    EDGE_PUT(&out, " ");
    edge_put_digits(&out, 42, 5);
    expect("0 18446744073709551615 00042");
}

static void test_base64(void **state)
{
    (void)state;
    begin(1000);
    edge_put_base64(&out, slice_of("\xff\xfe\xfd", 3));
    EDGE_PUT(&out, " ");
    edge_put_base64(&out, slice_of("\xff\xfe", 2));
    EDGE_PUT(&out, " ");
    edge_put_base64_padded(&out, slice_of("\xff", 1));
    EDGE_PUT(&out, " ");
    edge_put_base64_padded(&out, slice_text("hello"));
    expect("__79 __4 /w== aGVsbG8=");
}

static void test_etag_is_base64_of_eight_bytes(void **state)
{
    uint8_t bytes[8];

    (void)state;
    begin(1000);
    for (uint64_t etag = 1; etag; etag <<= 7) {
        struct buffer other;
        struct edge_out code;

        bytes_store_u64(bytes, etag);
        buffer_init(&other, 100);
        edge_out_begin(&code, &other, 1);
        EDGE_PUT(&code, "\"");
        edge_put_base64(&code, slice_of(bytes, 8));
        EDGE_PUT(&code, "\"");
        assert_true(edge_out_end(&code, 0));
        edge_put_etag(&out, etag);
        assert_true(edge_out_end(&out, 0));
        assert_true(
            slice_equal(slice_of(other.data, other.size), slice_of(buffer.data, buffer.size)));
        buffer.size = 0;
        edge_out_begin(&out, &buffer, 20);
        buffer_close(&other);
    }
    buffer_close(&buffer);
}

static void test_json_escapes(void **state)
{
    (void)state;
    begin(1000);
    edge_put_json(&out, slice_text("a\"b\\c\n</script>/\x80"));
    expect("\"a\\\"b\\\\c\\u000a<\\/script>/?\"");
}

static void test_percent_escapes(void **state)
{
    (void)state;
    begin(1000);
    edge_put_escaped(&out, slice_text("a/b c&\xc3\xa9~"));
    expect("a/b%20c%26%C3%A9~");
}

static void test_too_much_leaves_nothing(void **state)
{
    (void)state;
    buffer_init(&buffer, 8);
    assert_true(buffer_append(&buffer, "abc", 3));
    edge_out_begin(&out, &buffer, 4);
    EDGE_PUT(&out, "de");
    EDGE_PUT(&out, "0123456789");
    EDGE_PUT(&out, "f");
    assert_true(out.is_full);
    assert_false(edge_out_end(&out, 3));
    assert_slice(slice_of(buffer.data, buffer.size), "abc");
    buffer_close(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_etag_is_base64_of_eight_bytes),
        cmocka_unit_test(test_json_escapes),
        cmocka_unit_test(test_percent_escapes),
        cmocka_unit_test(test_too_much_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
