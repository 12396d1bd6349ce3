/* edge_keys_test.c: steps of a rotation come in by method and path; ids and names go out. */
#include "edge_client.h"

static struct client client;

static void test_steps(void **state)
{
    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/cluster/keys", ""));
    assert_int_equal(client.op.kind, OP_KEYS);
    assert_int_equal(client.op.key_step, KEY_LIST);
    client_close(&client);
    client_open(&client, NULL);
    assert_true(client_ask(&client, "POST /v1/cluster/keys", ""));
    assert_int_equal(client.op.key_step, KEY_INSTALL);
    client_close(&client);
    client_open(&client, NULL);
    assert_true(client_ask(&client, "PUT /v1/cluster/keys/0a1f/use", ""));
    assert_int_equal(client.op.key_step, KEY_USE);
    assert_int_equal(client.op.key_id, 0x0a1f);
    assert_false(client.op.is_on);
    client_close(&client);
    client_open(&client, NULL);
    assert_true(client_ask(&client, "DELETE /v1/cluster/keys/ffff?force=true", ""));
    assert_int_equal(client.op.key_step, KEY_REMOVE);
    assert_int_equal(client.op.key_id, 0xffff);
    assert_true(client.op.is_on);
    client_close(&client);
}

static void test_ids_that_are_none(void **state)
{
    static const char *const bad[] = {"DELETE /v1/cluster/keys/fff", "DELETE /v1/cluster/keys/FFFF",
                                      "DELETE /v1/cluster/keys/0a1g",
                                      "PUT /v1/cluster/keys/00a1f/use",
                                      "DELETE /v1/cluster/keys/ffff?force=yes"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        client_open(&client, NULL);
        assert_false(client_ask(&client, bad[i], ""));
        assert_has(client_take(&client), "HTTP/1.1 400 ");
        client_close(&client);
    }
}

static void test_answers(void **state)
{
    static const struct result_key_member members[] = {
        {.id8 = 1, .name = {6, "peer-1"}, .ack = KEY_ACKNOWLEDGED},
        {.id8 = 2, .name = {6, "peer-2"}, .ack = KEY_BEHIND},
        {.id8 = 3, .name = {6, "peer-3"}, .ack = KEY_SILENT}};
    struct result result = {.kind = OP_KEYS,
                            .status = STATUS_OK,
                            .key_count = 2,
                            .keys = {0x00ab, 0xcdef},
                            .key_members = members,
                            .key_member_count = 3};
    const char *text;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/cluster/keys", ""));
    client_reply(&client, &result);
    text = client_take(&client);
    assert_has(text, "\"id\":\"00ab\",\"primary\":true");
    assert_has(text, "\"complete\":false");
    assert_has(text, "\"state\":\"silent\"");
    result.status = STATUS_CONFLICT;
    assert_true(client_ask(&client, "PUT /v1/cluster/keys/cdef/use", ""));
    client_reply(&client, &result);
    text = client_take(&client);
    assert_has(text, "HTTP/1.1 409 ");
    assert_has(text, "missing: peer-2, peer-3");
    result.key_member_count = 1;
    assert_true(client_ask(&client, "DELETE /v1/cluster/keys/00ab", ""));
    client_reply(&client, &result);
    assert_has(client_take(&client), "this is the primary");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_steps),
                                       cmocka_unit_test(test_ids_that_are_none),
                                       cmocka_unit_test(test_answers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
