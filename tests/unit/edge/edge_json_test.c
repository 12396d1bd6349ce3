/* edge_json_test.c: documents out and in. */
#include "edge_client.h"
#include "edge_json.h"

static void test_harmless_in_a_page(void **state)
{
    json_t *json = json_pack("{s:s}", "a", "</script>\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa<");
    struct buffer text;

    (void)state;
    buffer_init(&text, 1000);
    assert_true(edge_json_dump(&text, json));
    assert_slice(slice_of(text.data, text.size),
                 "{\"a\":\"<\\/script>\\u2028\\u2029\xe2\x80\xaa<\"}\n");
    buffer_close(&text);
    json_decref(json);
}

static void test_values(void **state)
{
    json_t *list = json_array();
    struct buffer text;

    (void)state;
    json_array_append_new(list, edge_json_u64(0x0123));
    json_array_append_new(list, edge_json_etag(0));
    json_array_append_new(list, edge_json_etag(42));
    json_array_append_new(list, edge_json_thousandths(1500));
    json_array_append_new(list, edge_json_text(slice_text("\xff")));
    json_array_append_new(
        list, edge_json_address(&(struct address){.family = 4, .ip = {127, 0, 0, 1}, .port = 80}));
    json_array_append_new(list, edge_json_address(&(struct address){.family = 0}));
    buffer_init(&text, 1000);
    assert_true(edge_json_dump(&text, list));
    assert_slice(slice_of(text.data, text.size),
                 "[\"0000000000000123\",null,\"AAAAAAAAACo\",1.5,\"\",\"127.0.0.1:80\",null]\n");
    buffer_close(&text);
    json_decref(list);
}

static json_t *read_text(const char *text, struct edge_fault *fault)
{
    struct edge_call call = {.fault = fault};

    return edge_json_read(&call, slice_text(text));
}

static void test_reading(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "1",
        "{",
        "{\"a\":1,\"a\":2}",
        "{} x",
        "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"};
    struct edge_fault fault;
    json_t *json = read_text("{\"a\":\"]]}}[[\\\"{{\"}", &fault);

    (void)state;
    assert_non_null(json);
    json_decref(json);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(read_text(bad[i], &fault));
        assert_int_equal(fault.problem, PROBLEM_BAD_REQUEST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_harmless_in_a_page),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
