#include "host_world.h"

static struct address nobody; /* an address nobody listens at */

static void send_to_nobody(struct node *node, const struct event *event, struct effects *effects)
{
    (void)node;
    if (event->kind == EVENT_DATAGRAM) {
        struct effect *effect = effects_push(effects, EFFECT_DATAGRAM);

        effect->datagram.to = nobody;
        effect->datagram.bytes = effects_copy(effects, slice_text("hello?"));
    }
}

static void echo(struct node *node, const struct event *event, struct effects *effects)
{
    (void)node;
    if (event->kind == EVENT_DATAGRAM) {
        struct effect *effect = effects_push(effects, EFFECT_DATAGRAM);

        effect->datagram.to = event->datagram.from;
        effect->datagram.bytes = effects_copy(effects, event->datagram.bytes);
    }
}

static void test_there_and_back(void **state)
{
    int client = world_connect(&world_at.mesh[0], SOCK_DGRAM);
    char room[DATAGRAM_SIZE_MAX];

    (void)state;
    memset(room, 7, sizeof room);
    world_node.answer = echo;
    assert_int_equal(send(client, room, sizeof room, 0), sizeof room);
    world_turn_until(EVENT_DATAGRAM, 1);
    assert_int_equal(world_node.size, sizeof room);
    assert_int_equal(world_node.last[EVENT_DATAGRAM].datagram.from.family, 4);
    world_turn();
    assert_int_equal(recv(client, room, sizeof room, 0), sizeof room);
    close(client);
}

/* More than one batch in one turn; each is answered. */
static void test_many(void **state)
{
    int client = world_connect(&world_at.mesh[0], SOCK_DGRAM);
    char room[8];

    (void)state;
    world_node.answer = echo;
    for (int i = 0; i < 100; i++)
        assert_int_equal(send(client, "abc", 3, 0), 3);
    world_turn_until(EVENT_DATAGRAM, 100);
    world_turn();
    for (int i = 0; i < 100; i++)
        assert_int_equal(recv(client, room, sizeof room, MSG_DONTWAIT), 3);
    assert_true(world.metrics.values[METRIC_SYSCALL_RECVMMSG] < 20);
    assert_true(world.metrics.values[METRIC_SYSCALL_SENDMMSG] < 20);
    close(client);
}

static void test_too_long(void **state)
{
    int client = world_connect(&world_at.mesh[0], SOCK_DGRAM);
    char room[DATAGRAM_SIZE_MAX + 1] = "";

    (void)state;
    assert_int_equal(send(client, room, sizeof room, 0), sizeof room);
    assert_int_equal(send(client, "", 0, 0), 0); /* an empty one is one too */
    world_turn_until(EVENT_DATAGRAM, 1);
    assert_int_equal(world_count(EVENT_DATAGRAM), 1);
    assert_int_equal(world_node.size, 0);
    assert_true(world.metrics.values[METRIC_DROP_MALFORMED] == 1);
    close(client);
}

static void test_refused(void **state)
{
    int client = world_connect(&world_at.mesh[0], SOCK_DGRAM);
    struct address any = {.family = 4, .ip = {127, 0, 0, 1}};
    int closed = host_socket_open(&any, SOCK_DGRAM, &nobody);

    (void)state;
    close(closed);
    world_node.answer = send_to_nobody;
    assert_int_equal(send(client, "x", 1, 0), 1);
    world_turn_until(EVENT_REFUSED, 1);
    assert_int_equal(world_node.last[EVENT_REFUSED].refused.address.port, nobody.port);
    assert_int_equal(send(client, "y", 1, 0), 1); /* the socket works on */
    world_turn_until(EVENT_DATAGRAM, 2);
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {world_test(test_there_and_back), world_test(test_many),
                                       world_test(test_too_long), world_test(test_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
