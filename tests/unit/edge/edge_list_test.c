/* edge_list_test.c: a page and the way to the next. */
#include "edge_client.h"

static void test_page(void **state)
{
    struct result_item items[2] = {
        {.key = slice_text("img/7"),
         .siblings = 1,
         .value = {.etag = 42, .size = 48213, .modified_ms = CLIENT_WALL_MS}},
        {.key = slice_text("\xc3\xa9"), .siblings = 2},
    };
    struct result result = {.kind = OP_LIST, .item_count = 2, .items = items, .is_truncated = true};
    struct client client;
    const char *reply;
    json_t *json, *item;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/kv/app?limit=2&prefix=a%20b", ""));
    client_reply(&client, &result);
    reply = client_take(&client);
    assert_has(reply, "Link: </v1/kv/app?limit=2&prefix=a%20b&next=n1.w6k>; rel=\"next\"\r\n");
    json = client_json(reply);
    item = json_array_get(json_object_get(json, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(item, "key")), "img/7");
    assert_string_equal(json_string_value(json_object_get(item, "etag")), "AAAAAAAAACo");
    assert_string_equal(json_string_value(json_object_get(item, "type")), "value");
    assert_int_equal(json_integer_value(json_object_get(item, "size")), 48213);
    assert_string_equal(json_string_value(json_object_get(item, "modified")),
                        "2026-11-21T10:40:00.000Z");
    assert_int_equal(json_integer_value(json_object_get(item, "siblings")), 1);
    assert_string_equal(json_string_value(json_object_get(json, "next")), "n1.w6k");
    assert_true(json_is_null(json_object_get(json, "cursor")));
    assert_int_equal(json_array_size(json_object_get(json, "prefixes")), 0);
    json_decref(json);
    client_close(&client);
}

static void test_last_page(void **state)
{
    struct result result = {.kind = OP_LIST};
    struct client client;
    const char *reply;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/kv/app", ""));
    client_reply(&client, &result);
    reply = client_take(&client);
    assert_lacks(reply, "Link:");
    assert_has(reply, "{\"items\":[],\"prefixes\":[],\"next\":null,\"cursor\":null}");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_last_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
