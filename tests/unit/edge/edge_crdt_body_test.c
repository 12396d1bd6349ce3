/* edge_crdt_body_test.c: bodies of updates become changes of rows, or are refused with words. */
#include "edge_client.h"

static bool post(struct client *client, const char *query, const char *body)
{
    char line[300], fields[60];

    snprintf(line, sizeof line, "POST /v1/crdt/app/k%s", query);
    snprintf(fields, sizeof fields, "Content-Length: %zu\r\n", strlen(body));
    if (client_ask(client, line, fields))
        return true;
    return body[0] && client_send(client, body);
}

static void test_simple_types(void **state)
{
    static const struct {
        const char *query, *body;
        unsigned type;
        const char *arg;
        size_t size;
    } rows[] = {
        {"", "{\"counter\":{\"add\":-2}}", TYPE_COUNTER, "\xff\xff\xff\xff\xff\xff\xff\xfe", 8},
        {"?add=258", "", TYPE_COUNTER, "\0\0\0\0\0\0\1\2", 8},
        {"?add=-9223372036854775808", "", TYPE_COUNTER, "\x80\0\0\0\0\0\0\0", 8},
        {"", "{\"flag\":true}", TYPE_FLAG, "\1", 1},
        {"", "{\"flag\":false}", TYPE_FLAG, "\0", 1},
        {"", "{\"register\":{\"set\":\"v\"}}", TYPE_REGISTER, "v", 1},
        {"?set=v%20w", "", TYPE_REGISTER, "v w", 3},
        {"?set=v&type=mvregister", "", TYPE_MVREGISTER, "v", 1},
        {"", "{\"mvregister\":{\"set\":\"\"}}", TYPE_MVREGISTER, "", 0},
        {"", "{\"hll\":{\"add\":[\"u1\",\"x\"]}}", TYPE_HLL, "\0\2u1\0\1x", 7},
    };
    struct client client;

    (void)state;
    client_open(&client, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(post(&client, rows[i].query, rows[i].body));
        assert_int_equal(client.op.kind, OP_UPDATE);
        assert_int_equal(client.op.type, rows[i].type);
        assert_slice(client.op.key, "k");
        assert_false(client.op.is_many);
        assert_int_equal(client.op.body.size, rows[i].size);
        if (rows[i].size)
            assert_memory_equal(client.op.body.data, rows[i].arg, rows[i].size);
    }
    client_close(&client);
}

static void test_collections(void **state)
{
    static const struct {
        const char *query, *body, *key;
        size_t key_size;
        unsigned type;
    } rows[] = {
        {"?add_member=alice", "", "k\0\3alice", 8, TYPE_VALUE},
        {"?remove_member=alice", "", "k\0\3alice", 8, TYPE_TOMBSTONE},
        {"", "{\"set\":{\"add\":[\"a\"]}}", "k\0\3a", 4, TYPE_VALUE},
        {"", "{\"set\":{\"remove\":[\"a\"]}}", "k\0\3a", 4, TYPE_TOMBSTONE},
        {"", "{\"set\":{}}", "k", 1, TYPE_SET},
        {"", "{\"map\":{}}", "k", 1, TYPE_MAP},
        {"", "{\"map\":{\"update\":{\"f\":{\"counter\":{\"add\":1}}}}}", "k\0\4f\0\5", 6,
         TYPE_COUNTER},
        {"", "{\"map\":{\"update\":{\"f\":{\"set\":{\"add\":[\"x\"]}}}}}", "k\0\4f\0\3x", 7,
         TYPE_VALUE},
        {"", "{\"map\":{\"update\":{\"f\":{\"map\":{\"update\":{\"g\":{\"flag\":true}}}}}}}",
         "k\0\4f\0\4g\0\6", 9, TYPE_FLAG},
    };
    struct client client;

    (void)state;
    client_open(&client, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(post(&client, rows[i].query, rows[i].body));
        assert_int_equal(client.op.kind, OP_UPDATE);
        assert_false(client.op.is_many);
        assert_int_equal(client.op.type, rows[i].type);
        assert_int_equal(client.op.key.size, rows[i].key_size);
        assert_memory_equal(client.op.key.data, rows[i].key, rows[i].key_size);
    }
    client_close(&client);
}

static void test_several_changes_are_a_list(void **state)
{
    static const char expected[] = "\0\2\3a\1\0\0\0\0\0\2\3b\2\0\0\0\0";
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(post(&client, "", "{\"set\":{\"add\":[\"a\"],\"remove\":[\"b\"]}}"));
    assert_true(client.op.is_many);
    assert_slice(client.op.key, "k");
    assert_int_equal(client.op.body.size, sizeof expected - 1);
    assert_memory_equal(client.op.body.data, expected, sizeof expected - 1);
    assert_true(post(&client, "", "{\"map\":{\"remove\":[\"x\"]}}"));
    assert_true(client.op.is_many); /* a field: whatever rows it has */
    assert_memory_equal(client.op.body.data, "\0\3\4x\0\2\0\0\0\0", 10);
    assert_true(post(&client, "?add_member=a&return=body", ""));
    assert_true(client.op.is_many); /* what is shown is the set, not the row */
    client_close(&client);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *query, *body, *status;
    } rows[] = {
        {"", "{\"counter\":{\"add\":1.5}}", " 400 "},
        {"", "{\"counter\":{\"add\":9223372036854775808}}", " 400 "},
        {"", "{\"counter\":{\"add\":1,\"by\":2}}", " 400 "},
        {"", "{\"counter\":{}}", " 400 "},
        {"", "{\"counter\":1,\"flag\":true}", " 400 "},
        {"", "{\"flag\":1}", " 400 "},
        {"", "{\"tombstone\":{}}", " 400 "},
        {"", "{\"value\":{\"set\":\"x\"}}", " 400 "},
        {"", "{\"register\":{\"set\":7}}", " 400 "},
        {"", "{\"hll\":{\"add\":\"x\"}}", " 400 "},
        {"", "{\"hll\":{\"add\":[\"\"]}}", " 400 "},
        {"", "{\"set\":{\"add\":[1]}}", " 400 "},
        {"", "{\"set\":{\"add\":[\"a\"],\"remove\":[\"a\"]}}", " 400 "},
        {"", "{\"set\":{\"adds\":[\"a\"]}}", " 400 "},
        {"", "{\"map\":{\"update\":{\"f\":{\"flag\":2}}}}", " 400 "},
        {"", "{\"map\":{\"update\":{\"f\":{\"flag\":true}},\"remove\":[\"f\"]}}", " 400 "},
        {"", "{\"map\":{\"update\":{\"f\\u0001\":{\"flag\":true}}}}", " 400 "},
        {"",
         "{\"map\":{\"update\":{\"1\":{\"map\":{\"update\":{\"2\":{\"map\":{\"update\":{\"3\":{"
         "\"map\":"
         "{\"update\":{\"4\":{\"map\":{\"update\":{\"5\":{\"map\":{\"update\":{\"6\":{\"map\":{"
         "\"update\":{\"7\":{\"map\":{\"update\":{\"8\":{\"map\":{}}}}}}}}}}}}}}}}}}}}}}}}}}",
         " 400 "},
        {"", "[1]", " 400 "},
        {"", "", " 400 "},
        {"?add=1", "{\"flag\":true}", " 400 "},
        {"?add=1&set=2", "", " 400 "},
        {"?add=1x", "", " 400 "},
        {"?add=9223372036854775808", "", " 400 "},
        {"?add=-", "", " 400 "},
        {"?set=v&type=flag", "", " 400 "},
        {"?return=all", "", " 400 "},
        {"?ttl=30s", "", " 501 "},
    };
    struct client client;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        client_open(&client, NULL);
        assert_false(post(&client, rows[i].query, rows[i].body));
        if (!strstr(client_take(&client), rows[i].status))
            fail_msg("row %zu: %s %s", i, rows[i].query, rows[i].body);
        client_close(&client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple_types),
        cmocka_unit_test(test_collections),
        cmocka_unit_test(test_several_changes_are_a_list),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
