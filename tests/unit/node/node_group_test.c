/* node_group_test.c: requests that are work on many rows: sets and maps are changed, read in pages
 * and deleted. */
#include "net.h"
#include "node_parts.h"

/* A list of changes as the edge makes it. */
struct list_of {
    uint8_t bytes[16384];
    struct writer out;
};

static void list_start(struct list_of *list)
{
    list->out = writer_over(list->bytes, sizeof(list->bytes));
}

static void list_add(struct list_of *list, const void *path, size_t size, enum value_type type,
                     struct slice arg)
{
    write_u16(&list->out, (uint16_t)size);
    write_bytes(&list->out, path, size);
    write_u8(&list->out, (uint8_t)type);
    write_u32(&list->out, (uint32_t)arg.size);
    write_slice(&list->out, arg);
    assert_false(list->out.is_full);
}

static void list_member(struct list_of *list, const char *member, enum value_type type)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "\3%s", member);
    list_add(list, path, strlen(path), type, SLICE_NONE);
}

static const struct net_reply *update(struct net *net, unsigned index, const char *key,
                                      const struct list_of *list, struct slice context)
{
    struct op op = net_op(OP_UPDATE, key, NULL);

    op.is_many = true;
    op.body = writer_done(&list->out);
    op.context = context;
    return net_do(net, index, &op);
}

static const struct net_reply *one(struct net *net, unsigned index, const char *member,
                                   enum value_type type)
{
    struct list_of list;

    list_start(&list);
    list_member(&list, member, type);
    return update(net, index, "s", &list, SLICE_NONE);
}

static const struct net_reply *page(struct net *net, unsigned index, const char *key,
                                    uint32_t limit, struct slice after)
{
    struct op op = net_op(OP_COLLECTION, key, NULL);

    op.limit = limit;
    op.after = after;
    return net_do(net, index, &op);
}

static void fill(struct net *net, unsigned from, unsigned count)
{
    struct list_of list;

    list_start(&list);
    for (unsigned i = from; i < from + count; i++) {
        char member[8];

        (void)snprintf(member, sizeof(member), "m%03u", i);
        list_member(&list, member, TYPE_VALUE);
    }
    assert_int_equal(update(net, from % 3, "s", &list, SLICE_NONE)->status, STATUS_OK);
    assert_true(net->reply.acks >= (net->replicas > 1 ? 2 : 1));
}

static void test_many_members_at_once(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    fill(net, 0, 50);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(page(net, i, "s", 0, SLICE_NONE)->status, STATUS_OK);
        assert_int_equal(net->reply.types, 1u << TYPE_SET);
        assert_int_equal(net->reply.elements, 50);
        assert_false(net->reply.is_truncated);
        assert_string_equal(net->reply.paths[49], "\3m049");
    }
    assert_int_equal(net_value(net, 0, "s")->values, 1); /* one head */
    net_delete(net);
}

static void test_pages_follow_each_other(void **state)
{
    struct net *net = net_formed(3, 1);
    struct slice after = SLICE_NONE;
    char last[32];
    unsigned seen = 0, pages = 0;

    (void)state;
    fill(net, 0, 40);
    for (unsigned i = 0; i < 40; i += 3) { /* gaps of tombstones */
        char member[8];

        (void)snprintf(member, sizeof(member), "m%03u", i);
        assert_int_equal(one(net, i % 3, member, TYPE_TOMBSTONE)->status, STATUS_OK);
    }
    do {
        assert_int_equal(page(net, pages % 3, "s", 7, after)->status, STATUS_OK);
        assert_true(net->reply.elements <= 7);
        for (unsigned i = 0; i < net->reply.elements; i++) {
            char member[8];

            seen += seen % 3 == 0; /* every third is gone */
            (void)snprintf(member, sizeof(member), "\3m%03u", seen++);
            assert_string_equal(net->reply.paths[i], member);
        }
        memcpy(last, net->reply.paths[net->reply.elements - 1], sizeof(last));
        after = slice_text(last);
        pages++;
    } while (net->reply.is_truncated);
    assert_int_equal(seen, 39);
    assert_int_equal(pages, 4); /* 26 members, 7 a page */
    net_delete(net);
}

static void test_a_context_limits_a_removal(void **state)
{
    struct net *net = net_formed(3, 3);
    char token[CONTEXT_SIZE_MAX];
    struct slice context = {(const uint8_t *)token, 0};
    struct list_of list;

    (void)state;
    fill(net, 0, 3);
    assert_int_equal(page(net, 1, "s", 0, SLICE_NONE)->elements, 3);
    memcpy(token, net->reply.context, net->reply.context_size);
    context.size = net->reply.context_size;
    assert_true(context.size > 0);
    net_run(net, 5);
    assert_int_equal(one(net, 2, "m001", TYPE_VALUE)->status, STATUS_OK); /* added again */
    list_start(&list);
    list_member(&list, "m000", TYPE_TOMBSTONE);
    list_member(&list, "m001", TYPE_TOMBSTONE);
    assert_int_equal(update(net, 0, "s", &list, context)->status, STATUS_OK);
    assert_int_equal(page(net, 1, "s", 0, SLICE_NONE)->elements, 2);
    assert_string_equal(net->reply.paths[0], "\3m001");
    net_delete(net);
}

/* Members added and removed on two sides: an add the other side did not see survives. */
static void test_a_concurrent_add_wins(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op op;
    struct list_of list;

    (void)state;
    fill(net, 0, 2);
    for (unsigned i = 0; i < 2; i++)
        net->cut[i][2] = net->cut[2][i] = true;
    list_start(&list);
    list_member(&list, "m000", TYPE_VALUE);
    op = net_op(OP_UPDATE, "s", NULL);
    op.is_many = true;
    op.consistency = CONSISTENCY_ONE;
    op.body = writer_done(&list.out);
    assert_int_equal(net_do(net, 2, &op)->status, STATUS_OK);
    assert_int_equal(one(net, 0, "m000", TYPE_TOMBSTONE)->status, STATUS_OK);
    assert_int_equal(one(net, 1, "m001", TYPE_TOMBSTONE)->status, STATUS_OK);
    for (unsigned i = 0; i < 2; i++)
        net->cut[i][2] = net->cut[2][i] = false;
    net_run(net, 10000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(page(net, i, "s", 0, SLICE_NONE)->elements, 1);
        assert_string_equal(net->reply.paths[0], "\3m000");
    }
    net_delete(net);
}

static void test_delete_takes_all_of_it(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op drop = net_op(OP_DELETE, "s", NULL);

    (void)state;
    fill(net, 0, 45);
    assert_int_equal(net_do(net, 1, &drop)->status, STATUS_OK); /* as /v1/kv asks */
    assert_int_equal(page(net, 0, "s", 0, SLICE_NONE)->status, STATUS_MISSING);
    assert_int_equal(net->reply.elements, 0);
    assert_int_equal(net_put(net, 2, "s", "a plain value now")->status, STATUS_OK);
    drop.is_many = true;
    assert_int_equal(net_do(net, 0, &drop)->status, STATUS_OK);
    fill(net, 3, 5);
    assert_int_equal(page(net, 0, "s", 0, SLICE_NONE)->elements, 5);
    assert_int_equal(net_do(net, 2, &drop)->status, STATUS_OK); /* as /v1/crdt asks */
    assert_int_equal(page(net, 1, "s", 0, SLICE_NONE)->status, STATUS_MISSING);
    net_delete(net);
}

/* A removal that failed half way has left its tombstone here and there. A repeat finds nothing to
 * remove, and is acknowledged when a quorum holds that: of a member, of all rows of a field, of the
 * whole. */
static void test_D4_a_repeated_removal_is_as_durable_as_the_first(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op drop = net_op(OP_DELETE, "s", NULL);
    struct list_of list;

    (void)state;
    fill(net, 0, 5);
    list_start(&list);
    list_add(&list, "\4tags\0\3red", 10, TYPE_VALUE, SLICE_NONE);
    assert_int_equal(update(net, 0, "m", &list, SLICE_NONE)->status, STATUS_OK);
    net_run(net, 100);
    list_start(&list);
    list_add(&list, "\4tags\0", 6, TYPE_TOMBSTONE, SLICE_NONE);
    drop.is_many = true;
    net->peers[1].is_held = net->peers[2].is_held = true;
    for (unsigned tries = 0; tries < 3; tries++) {
        assert_int_equal(one(net, 0, "m001", TYPE_TOMBSTONE)->status, STATUS_DEADLINE);
        assert_int_equal(update(net, 0, "m", &list, SLICE_NONE)->status, STATUS_DEADLINE);
        assert_int_equal(net_do(net, 0, &drop)->status, STATUS_DEADLINE);
    }
    net->peers[2].is_held = false;
    assert_int_equal(one(net, 0, "m001", TYPE_TOMBSTONE)->status, STATUS_OK);
    assert_int_equal(update(net, 0, "m", &list, SLICE_NONE)->status, STATUS_OK);
    assert_int_equal(net_do(net, 0, &drop)->status, STATUS_OK);
    net->peers[1].is_held = false;
    assert_int_equal(page(net, 1, "s", 0, SLICE_NONE)->status, STATUS_MISSING);
    assert_int_equal(page(net, 1, "m", 0, SLICE_NONE)->elements, 0);
    net_delete(net);
}

/* What a client was shown may have passed by the owner it asks to remove it. */
static void test_D8_a_removal_finds_what_its_owner_lacks(void **state)
{
    struct net *net = net_formed(3, 3);
    char token[CONTEXT_SIZE_MAX];
    struct slice context = {(const uint8_t *)token, 0};
    struct op look = net_op(OP_GET, "", NULL);
    struct list_of list;

    (void)state;
    fill(net, 0, 1);
    for (unsigned i = 0; i < 2; i++)
        net->cut[i][2] = net->cut[2][i] = true;
    assert_int_equal(one(net, 0, "m009", TYPE_VALUE)->status, STATUS_OK);
    assert_int_equal(page(net, 1, "s", 0, SLICE_NONE)->elements, 2);
    memcpy(token, net->reply.context, net->reply.context_size);
    context.size = net->reply.context_size;
    for (unsigned i = 0; i < 2; i++)
        net->cut[i][2] = net->cut[2][i] = false;
    look.key = slice_of("s\0\3m009", 7);
    look.consistency = CONSISTENCY_ONE;
    assert_int_equal(net_do(net, 2, &look)->status, STATUS_MISSING);
    list_start(&list);
    list_member(&list, "m009", TYPE_TOMBSTONE);
    assert_int_equal(update(net, 2, "s", &list, context)->status, STATUS_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(page(net, i, "s", 0, SLICE_NONE)->elements, 1);
    net_delete(net);
}

static void test_another_type_stops_the_whole(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    assert_int_equal(net_put(net, 0, "s", "v")->status, STATUS_OK);
    assert_int_equal(one(net, 1, "m", TYPE_VALUE)->status, STATUS_TYPE);
    assert_int_equal(net->reply.types, 1u << TYPE_VALUE);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    net_delete(net);
}

static void test_without_a_quorum_nothing_is_promised(void **state)
{
    struct net *net = net_formed(3, 3);
    struct list_of list;

    (void)state;
    fill(net, 0, 5);
    net_kill(net, 1);
    net_kill(net, 2);
    net_run(net, 15000);
    list_start(&list);
    for (unsigned i = 0; i < 40; i++)
        list_member(&list, "again", TYPE_VALUE);
    assert_int_equal(update(net, 0, "s", &list, SLICE_NONE)->status, STATUS_UNREACHABLE);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    assert_int_equal(page(net, 0, "s", 0, SLICE_NONE)->status, STATUS_UNREACHABLE);
    assert_int_equal(net->reply.elements, 0);
    net_delete(net);
}

#define PATH(text) text, sizeof(text) - 1

static void test_a_map_holds_children(void **state)
{
    struct net *net = net_formed(3, 3);
    struct list_of list;
    struct op op = net_op(OP_COLLECTION, "m", NULL);

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        list_start(&list);
        list_add(&list, PATH("\4visits\0\5"), TYPE_COUNTER, slice_of("\0\0\0\0\0\0\0\1", 8));
        list_add(&list, PATH("\4tags\0\3red"), TYPE_VALUE, SLICE_NONE);
        list_add(&list, PATH("\4deep\0\4in\0\6"), TYPE_FLAG, slice_of("\1", 1));
        assert_int_equal(update(net, i, "m", &list, SLICE_NONE)->status, STATUS_OK);
    }
    assert_int_equal(page(net, 2, "m", 0, SLICE_NONE)->elements, 3);
    assert_int_equal(net->reply.types, 1u << TYPE_MAP);
    assert_memory_equal(net->reply.paths[0], "\4deep\0\4in\0\6", 11);
    assert_memory_equal(net->reply.paths[2], "\4visits\0\5", 9);
    assert_int_equal(net->reply.numbers[2], 2);
    op.prefix = slice_of("\4tags\0", 6);
    assert_int_equal(net_do(net, 0, &op)->elements, 1); /* one field */
    /* A field goes with all its rows; others stay. */
    list_start(&list);
    list_add(&list, PATH("\4tags\0"), TYPE_TOMBSTONE, SLICE_NONE);
    list_add(&list, PATH("\4visits\0\5"), TYPE_COUNTER, slice_of("\0\0\0\0\0\0\0\1", 8));
    list_add(&list, PATH("\4deep\0"), TYPE_TOMBSTONE, SLICE_NONE);
    assert_int_equal(update(net, 1, "m", &list, SLICE_NONE)->status, STATUS_OK);
    assert_int_equal(page(net, 0, "m", 0, SLICE_NONE)->elements, 1);
    assert_int_equal(net->reply.numbers[0], 3);
    net_delete(net);
}

/* A retry of many changes counts each once; records beside the key are no elements. */
static void test_a_retry_counts_once(void **state)
{
    struct net *net = net_formed(3, 3);
    struct list_of list;
    struct op op = net_op(OP_UPDATE, "m", NULL), drop = net_op(OP_DELETE, "m", NULL);

    (void)state;
    list_start(&list);
    list_add(&list, PATH("\4a\0\5"), TYPE_COUNTER, slice_of("\0\0\0\0\0\0\0\1", 8));
    list_add(&list, PATH("\4b\0\5"), TYPE_COUNTER, slice_of("\0\0\0\0\0\0\0\1", 8));
    op.is_many = true;
    op.body = writer_done(&list.out);
    op.idempotency = slice_text("once");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_do(net, i, &op)->status, STATUS_OK);
        assert_int_equal(page(net, i, "m", 0, SLICE_NONE)->elements, 2);
        assert_int_equal(net->reply.numbers[0], 1);
        assert_int_equal(net->reply.numbers[1], 1);
    }
    drop.is_many = true;
    assert_int_equal(net_do(net, 0, &drop)->status, STATUS_OK);
    assert_int_equal(page(net, 1, "m", 0, SLICE_NONE)->status, STATUS_MISSING);
    assert_int_equal(net->reply.elements, 0);
    net_delete(net);
}

static void test_the_new_value_comes_with_the_answer(void **state)
{
    struct net *net = net_formed(3, 3);
    struct list_of list;
    struct op op = net_op(OP_UPDATE, "s", NULL);

    (void)state;
    fill(net, 0, 3);
    list_start(&list);
    list_member(&list, "m001", TYPE_TOMBSTONE);
    op.is_many = op.shows = true;
    op.body = writer_done(&list.out);
    assert_int_equal(net_do(net, 1, &op)->status, STATUS_OK);
    assert_int_equal(net->reply.elements, 2);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_members_at_once),
        cmocka_unit_test(test_pages_follow_each_other),
        cmocka_unit_test(test_a_context_limits_a_removal),
        cmocka_unit_test(test_a_concurrent_add_wins),
        cmocka_unit_test(test_delete_takes_all_of_it),
        cmocka_unit_test(test_D4_a_repeated_removal_is_as_durable_as_the_first),
        cmocka_unit_test(test_D8_a_removal_finds_what_its_owner_lacks),
        cmocka_unit_test(test_another_type_stops_the_whole),
        cmocka_unit_test(test_without_a_quorum_nothing_is_promised),
        cmocka_unit_test(test_a_map_holds_children),
        cmocka_unit_test(test_a_retry_counts_once),
        cmocka_unit_test(test_the_new_value_comes_with_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
