/* node_preview_test.c: what is foretold is what moves. */
#include "net.h"
#include "node_parts.h"

static struct result preview_of(struct net *net, const char *name, unsigned weight, uint32_t add)
{
    static uint8_t packed[64];
    struct writer out = writer_over(packed, sizeof(packed));
    struct node *node = net->peers[0].node;
    struct op op = {.kind = OP_PREVIEW, .limit = add};
    struct result result = {.status = STATUS_OK};

    if (name) {
        write_u16(&out, (uint16_t)weight);
        write_u8(&out, (uint8_t)strlen(name));
        write_slice(&out, slice_text(name));
    }
    op.key = writer_done(&out);
    node->fx = &net->fx;
    node_preview(node, &op, &result);
    node->fx = NULL;
    return result;
}

/* Copies of partitions that two layouts of the real list do not have in common. */
static uint32_t moved(struct net *net, const struct place_owners before[8])
{
    uint32_t count = 0;

    for (uint32_t p = 0; p < 8; p++) {
        struct place_owners after;

        place_owners(net->peers[0].node->place, p, &after);
        for (uint8_t i = 0; i < after.count; i++) {
            bool is_new = true;

            for (uint8_t k = 0; k < before[p].count; k++)
                is_new &= before[p].peers[k].id8 != after.peers[i].id8;
            count += is_new;
        }
    }
    return count;
}

static void test_a_weight_moves_what_was_foretold(void **state)
{
    struct net *net = net_formed(3, 2);
    struct place_owners before[8];
    struct op weigh = {.kind = OP_WEIGHT, .key = slice_text("peer-2"), .weight = 4096};
    struct result result = preview_of(net, "peer-2", 4096, 0);
    uint32_t sum = 0;

    (void)state;
    assert_int_equal(result.status, STATUS_OK);
    assert_int_equal(result.slots, 16); /* 8 partitions, 2 copies */
    for (uint32_t i = 0; i < result.flow_count; i++) {
        sum += result.flows[i].partitions;
        assert_true(label_equal(&result.flows[i].to, &net->peers[2].node->config.name));
    }
    assert_true(sum > 0 && sum == result.moved);
    for (uint32_t p = 0; p < 8; p++)
        place_owners(net->peers[0].node->place, p, &before[p]);
    assert_int_equal(net_do(net, 0, &weigh)->status, STATUS_OK);
    net_run(net, 10000);
    assert_int_equal(moved(net, before), sum);
    net_delete(net);
}

static void test_newcomers_and_strangers(void **state)
{
    struct net *net = net_formed(3, 2);
    struct result result = preview_of(net, NULL, 0, 3);

    (void)state;
    assert_int_equal(result.status, STATUS_OK);
    assert_true(result.moved > 0 && result.moved < result.slots);
    assert_int_equal(preview_of(net, "peer-1", 256, 0).moved, 0); /* as it is */
    assert_int_equal(preview_of(net, "nobody", 0, 0).status, STATUS_MISSING);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_weight_moves_what_was_foretold),
                                       cmocka_unit_test(test_newcomers_and_strangers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
