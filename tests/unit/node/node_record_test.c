/* node_record_test.c: records of idempotent writes are read as they were written, and named so that
 * nothing else is. */
#include "net.h"
#include "node_parts.h"

static void test_records_come_back(void **state)
{
    static const struct node_record records[] = {
        {.body = {{1, 2}}, .peer = 7, .boot = 8},
        {.is_done = true,
         .body = {{3}},
         .dot = {9, 10},
         .result = {.etag = 11,
                    .expires = 12,
                    .is_created = true,
                    .acks = 2,
                    .required = 2,
                    .total = 3,
                    .context = {(const uint8_t *)"token", 5}}}};
    uint8_t room[NODE_RECORD_SIZE_MAX];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct writer out = writer_over(room, sizeof(room));
        struct node_record again;

        node_record_write(&out, &records[i]);
        assert_true(node_record_read(writer_done(&out), &again));
        assert_int_equal(again.is_done, records[i].is_done);
        assert_memory_equal(again.body.bytes, records[i].body.bytes, 16);
        assert_int_equal(again.peer, records[i].peer);
        assert_int_equal(again.boot, records[i].boot);
        assert_int_equal(again.dot.stamp, records[i].dot.stamp);
        assert_int_equal(again.result.etag, records[i].result.etag);
        assert_int_equal(again.result.total, records[i].result.total);
        assert_true(slice_equal(again.result.context, records[i].result.context));
        for (size_t size = 0; size < 34; size++)
            assert_false(node_record_read(slice_of(room, size), &again));
    }
}

/* The same key for another namespace, resource or client key is another operation. */
static void test_names_are_of_the_operation(void **state)
{
    struct net *net = net_formed(1, 1);
    struct node *node = net->peers[0].node;
    static const char *const texts[][3] = {
        {"n", "k", "a"}, {"m", "k", "a"}, {"n", "l", "a"}, {"n", "k", "b"}, {"n", "ka", "a"}};
    struct node_task tasks[5] = {0};
    uint8_t room[NODE_RECORD_NAME_MAX];

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        tasks[i].op.ns = slice_text(texts[i][0]);
        tasks[i].op.key = slice_text(texts[i][1]);
        tasks[i].op.idempotency = slice_text(texts[i][2]);
        node_once_name(node, &tasks[i]);
        assert_int_equal(tasks[i].op.idempotency.size, 16);
        for (unsigned k = 0; k < i; k++)
            assert_memory_not_equal(tasks[i].once_name.bytes, tasks[k].once_name.bytes, 16);
        assert_true(store_name_is_element(node_record_row(&tasks[i].op, room)));
        assert_true(
            slice_equal(store_name_key(node_record_row(&tasks[i].op, room)), tasks[i].op.key));
    }
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_come_back),
        cmocka_unit_test(test_names_are_of_the_operation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
