/* edge_cluster_reply_test.c: peers and ring as JSON with the names of the API. */
#include "edge_client.h"

static struct client client;

static json_t *ask(const char *line, const struct result *result)
{
    assert_true(client_ask(&client, line, ""));
    client_reply(&client, result);
    return client_json(client_take(&client));
}

static void expect_text(const json_t *object, const char *name, const char *text)
{
    assert_non_null(json_string_value(json_object_get(object, name)));
    assert_string_equal(json_string_value(json_object_get(object, name)), text);
}

static struct result_member members[3];

static struct result make_members(void)
{
    static const char *const names[] = {"peer-1", "peer-2", "abcd"};

    for (unsigned i = 0; i < 3; i++) {
        members[i] = (struct result_member){.rank = (enum member_rank)i,
                                            .weight = 256,
                                            .place_state = PLACE_ACTIVE,
                                            .http_port = 17001,
                                            .is_self = i == 0};
        members[i].name = label_make(slice_text(names[i]));
        members[i].id.bytes[0] = 0xab;
        members[i].id.bytes[1] = (uint8_t)i;
        members[i].mesh = (struct address){.family = 4, .ip = {127, 0, 0, 1}, .port = 18001};
    }
    return (struct result){.kind = OP_MEMBERS, .member_count = 3, .members = members};
}

static void test_rtt(void **state)
{
    struct result_member peers[] = {{.is_self = true, .rtt_us = 1},
                                    {.rtt_us = 1500, .rtt_var_us = 250},
                                    {.rank = RANK_DEAD, .rtt_us = 9}};
    struct result result = {.kind = OP_MEMBERS, .members = peers, .member_count = 3};
    json_t *json, *to;

    (void)state;
    client_open(&client, NULL);
    json = ask("GET /v1/rtt", &result);
    expect_text(json, "peer", "peer-1");
    to = json_object_get(json, "to");
    assert_int_equal(json_array_size(to), 1);
    assert_int_equal(json_real_value(json_object_get(json_array_get(to, 0), "rtt_ms")) * 100, 150);
    json_decref(json);
    client_close(&client);
}

static void test_members(void **state)
{
    struct result result = make_members();
    json_t *json, *member;

    (void)state;
    result.digest = 0xff;
    client_open(&client, NULL);
    json = ask("GET /v1/members", &result);
    assert_int_equal(json_array_size(json_object_get(json, "members")), 3);
    expect_text(json, "digest", "00000000000000ff");
    member = json_array_get(json_object_get(json, "members"), 1);
    expect_text(member, "name", "peer-2");
    expect_text(member, "state", "suspect");
    expect_text(member, "mesh", "127.0.0.1:18001");
    expect_text(member, "http", "127.0.0.1:17001");
    assert_int_equal(json_integer_value(json_object_get(member, "weight")), 1);
    json_decref(json);
    json = ask("GET /v1/members?state=dead", &result);
    assert_int_equal(json_array_size(json_object_get(json, "members")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "counts"), "alive")),
                     1);
    json_decref(json);
    client_close(&client);
}

static void test_one_member(void **state)
{
    struct result result = make_members();
    json_t *json;

    (void)state;
    client_open(&client, NULL);
    json = ask("GET /v1/members/peer-2", &result);
    expect_text(json, "name", "peer-2");
    json_decref(json);
    json = ask("GET /v1/members/ab01", &result);
    expect_text(json, "name", "peer-2");
    json_decref(json);
    json = ask("GET /v1/members/ab0", &result);
    assert_int_equal(json_integer_value(json_object_get(json, "status")), 404);
    json_decref(json);
    members[1].id.bytes[1] = 0;
    json = ask("GET /v1/members/ab00", &result);
    assert_int_equal(json_integer_value(json_object_get(json, "status")), 400);
    expect_text(json, "hint", "one of: peer-1~ab000000, peer-2~ab000000");
    json_decref(json);
    client_close(&client);
}

static void test_self(void **state)
{
    struct result_self self = {
        .name = label_make(slice_text("peer-1")), .weight = 128, .is_ready = true, .keys = 7};
    struct result result = {.kind = OP_SELF, .self = &self};
    json_t *json;

    (void)state;
    client_open(&client, NULL);
    json = ask("GET /v1/self", &result);
    expect_text(json, "name", "peer-1");
    expect_text(json, "version", "1.2.3");
    expect_text(json, "state", "ready");
    assert_int_equal(json_string_length(json_object_get(json, "id")), 64);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "store"), "keys")),
                     7);
    json_decref(json);
    client_close(&client);
}

static void test_ring(void **state)
{
    struct result_owner owners[2] = {{.etag = 42, .is_base = true}, {.etag = 43, .is_base = true}};
    struct result result = {
        .kind = OP_LOOKUP, .owner_count = 2, .owners = owners, .partition = 9, .layout = 0xabc};
    json_t *json, *list;

    (void)state;
    owners[0].name = label_make(slice_text("peer-4"));
    client_open(&client, NULL);
    json = ask("GET /v1/ring/lookup?ns=a&key=b&verify=true", &result);
    assert_int_equal(json_integer_value(json_object_get(json, "partition")), 9);
    expect_text(json, "ring_version", "0000000000000abc");
    assert_true(json_is_false(json_object_get(json, "agree")));
    list = json_object_get(json, "owners");
    expect_text(json_array_get(list, 0), "peer", "peer-4");
    expect_text(json_array_get(list, 0), "etag", "AAAAAAAAACo");
    json_decref(json);
    owners[1].etag = 42;
    json = ask("GET /v1/ring/lookup?ns=a&key=b&verify=true", &result);
    assert_true(json_is_true(json_object_get(json, "agree")));
    json_decref(json);
    client_close(&client);
}

static void test_overlay_and_refusal(void **state)
{
    struct result_hop hop = {.rtt_us = 250, .contacts = 8, .prefix = 5, .is_answered = true};
    struct result result = {.kind = OP_OVERLAY, .hop_count = 1, .hops = &hop};
    json_t *json;

    (void)state;
    client_open(&client, NULL);
    json = ask("GET /v1/overlay/lookup?ns=a&key=b", &result);
    assert_int_equal(json_array_size(json_object_get(json, "steps")), 1);
    json_decref(json);
    result.status = STATUS_NOT_READY;
    json = ask("GET /v1/overlay/lookup?ns=a&key=b", &result);
    assert_int_equal(json_integer_value(json_object_get(json, "status")), 503);
    json_decref(json);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),    cmocka_unit_test(test_rtt),
        cmocka_unit_test(test_one_member), cmocka_unit_test(test_self),
        cmocka_unit_test(test_ring),       cmocka_unit_test(test_overlay_and_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
