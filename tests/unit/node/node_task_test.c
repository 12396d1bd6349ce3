/* node_task_test.c: request numbers, and who answers for a piece of work whatever becomes of it. */
#include "net.h"
#include "node_parts.h"

#define STORM_OPS 200000u  /* PUTs, at the rate at which `make bench` once met a number again */
#define STORM_US 15u       /* between two of them: 65,000 a second */
#define STORM_SLOTS 16384u /* at a time: 32 bits of numbers come round in 131,071 PUTs */

/* One owner that is given everything and answers nothing by itself. */
struct storm {
    struct net *net;
    struct node *node;
    struct node_id owners[REPLICAS_MAX]; /* the two others: the first answers in time */
    uint64_t *numbers;                   /* of each PUT */
    bool is_answered;
};

/* What the node asked for: commits succeed at once, all else is lost. */
static void storm_settle(struct storm *storm)
{
    struct net *net = storm->net;
    uint64_t writes[64];
    unsigned count = 0;

    node_settle(storm->node);
    node_flush(storm->node, &net->fx);
    for (uint32_t i = 0; i < net->fx.count; i++) {
        const struct effect *effect = &net->fx.items[i];

        storm->is_answered |= effect->kind == EFFECT_REPLY;
        if (effect->kind == EFFECT_WRITE && count < 64)
            writes[count++] = effect->write.write;
    }
    effects_reset(&net->fx);
    for (unsigned i = 0; i < count; i++) {
        struct event stored = {.kind = EVENT_STORED, .now = net->now, .wall_ms = NET_WALL_MS};

        stored.stored.write = writes[i];
        node_step(storm->node, &stored, &net->fx);
        storm_settle(storm);
    }
}

static void storm_ack(struct storm *storm, unsigned owner, uint64_t number)
{
    struct frame frame = {.flags = FRAME_REPLY, .request = number};
    struct message ack = {.kind = MESSAGE_PUT_ACK, .put_ack = {.layout = node_layout(storm->node)}};

    storm->node->fx = &storm->net->fx; /* as within a step */
    node_quorum_answered(storm->node, id_front(&storm->owners[owner]), &frame, &ack);
    storm_settle(storm);
}

/* The number of the request that has just begun: its task is the last that left the pool. */
static uint64_t storm_number(const struct storm *storm)
{
    struct pool *tasks = &storm->node->tasks;
    const struct node_task *task = pool_at(tasks, tasks->free[tasks->free_count]);

    assert_int_equal(task->ticket, storm->net->tickets);
    return task->id;
}

/* One PUT. Late acknowledgements of earlier ones, and doubles of those that counted, come before
 * its own. */
static void storm_put(struct storm *storm, uint32_t at)
{
    static const uint32_t ages[] = {1, 2, 1000, UINT32_MAX / (2 * STORM_SLOTS)};
    struct net *net = storm->net;
    struct event request = {.kind = EVENT_REQUEST, .wall_ms = NET_WALL_MS};

    net->now += STORM_US;
    request.now = net->now;
    request.request.ticket = ++net->tickets;
    request.request.op = net_op(OP_PUT, "k", "v");
    storm->is_answered = false;
    node_step(storm->node, &request, &net->fx);
    storm->numbers[at] = storm_number(storm);
    storm_settle(storm);
    for (unsigned i = 0; i < sizeof(ages) / sizeof(ages[0]); i++)
        for (unsigned owner = 0; owner < 2 && ages[i] <= at; owner++)
            storm_ack(storm, owner, storm->numbers[at - ages[i]]);
    assert_false(storm->is_answered); /* what was late is nobody's now */
    storm_ack(storm, 0, storm->numbers[at]);
    assert_true(storm->is_answered);
    if (at % 1000 == 0) {
        storm->node->fx = &net->fx;
        quorum_expire(storm->node->quorum, net->now); /* PUTs have lingered for a second */
        storm_settle(storm);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void test_D1_a_late_acknowledgement_is_never_anothers(void **state)
{
    struct storm storm = {.numbers = calloc(STORM_OPS, sizeof(uint64_t))};
    unsigned others = 0;

    (void)state;
    net_operations_max = STORM_SLOTS;
    storm.net = net_formed(3, 3);
    storm.node = storm.net->peers[0].node;
    for (unsigned i = 1; i < 3; i++)
        storm.owners[others++] = *node_self(storm.net->peers[i].node);
    for (uint32_t at = 0; at < STORM_OPS; at++)
        storm_put(&storm, at);
    qsort(storm.numbers, STORM_OPS, sizeof(uint64_t), compare);
    for (uint32_t at = 1; at < STORM_OPS; at++)
        assert_true(storm.numbers[at - 1] != storm.numbers[at]);
    net_delete(storm.net);
    free(storm.numbers);
    net_operations_max = 64;
}

static void test_a_new_life_does_not_go_by_the_numbers_of_the_last(void **state)
{
    struct net *net = net_formed(1, 3);
    uint64_t serial;

    (void)state;
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    serial = net->peers[0].node->serial;
    assert_true(serial > 1000000);
    net_kill(net, 0);
    net_boot(net, 0);
    net_run(net, 1000);
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    assert_false(net->peers[0].node->serial / 1000000 == serial / 1000000);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D1_a_late_acknowledgement_is_never_anothers),
        cmocka_unit_test(test_a_new_life_does_not_go_by_the_numbers_of_the_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
