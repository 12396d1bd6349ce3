/* node_jobs_test.c: what moves is seen through every peer. */
#include "net.h"
#include "node_parts.h"

static struct result_job seen[16];
static uint32_t seen_count;

static uint32_t jobs(struct net *net, unsigned through)
{
    struct op op = {.kind = OP_JOBS};

    net->reply.status = STATUS_IO;
    assert_int_equal(net_do(net, through, &op)->status, STATUS_OK);
    seen_count = net->reply.job_count;
    memcpy(seen, net->reply.jobs, sizeof(seen));
    return seen_count;
}

static void test_a_join_is_seen_through_every_peer(void **state)
{
    static const char *const seeds[] = {"", "0", "0"};
    struct net *net = net_new(3, 2, seeds);
    char key[16];

    (void)state;
    net_opened(net, 0);
    net_opened(net, 1);
    net_run(net, 6000);
    assert_int_equal(jobs(net, 0), 0);
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, 0, key, "v")->status, STATUS_OK);
    }
    net->peers[2].is_held = true;
    net_opened(net, 2);
    net_run(net, 4000);
    for (unsigned through = 0; through < 3; through++) {
        assert_int_equal(jobs(net, through), 1);
        assert_int_equal(seen[0].kind, JOB_JOIN);
        assert_int_equal(seen[0].state, JOB_RUNNING);
        assert_true(label_equal(&seen[0].name, &net->peers[2].node->config.name));
        assert_int_equal(id_compare(&seen[0].id, &net->peers[2].identity.id), 0);
        assert_int_equal(seen[0].parts_done, 0);
        assert_true(seen[0].parts_total > 0);
    }
    net->peers[2].is_held = false;
    net_run(net, 12000);
    assert_true(net->peers[2].node->jobs.taken > 0);
    assert_int_equal(jobs(net, 1), 0);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_join_is_seen_through_every_peer)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
