#include <sys/resource.h>

#include "host_world.h"

static void echo(struct node *node, const struct event *event, struct effects *effects)
{
    (void)node;
    if (event->kind == EVENT_STREAM) {
        struct effect *effect = effects_push(effects, EFFECT_STREAM);

        effect->stream.link = event->stream.link;
        effect->stream.bytes = effects_copy(effects, event->stream.bytes);
    }
}

static void test_inbound(void **state)
{
    int client = world_connect(&world_at.mesh[0], SOCK_STREAM);
    char room[16];

    (void)state;
    world_node.answer = echo;
    assert_int_equal(send(client, "hello", 5, 0), 5);
    world_turn_until(EVENT_STREAM, 1);
    assert_true(world_node.last[EVENT_LINK_UP].link.link & LINK_INBOUND);
    assert_int_equal(world_node.kinds[0], EVENT_LINK_UP);
    world_turn();
    assert_int_equal(recv(client, room, sizeof room, 0), 5);
    close(client);
    world_turn_until(EVENT_LINK_DOWN, 1);
    assert_int_equal(world_node.last[EVENT_LINK_DOWN].link.reason, STATUS_CLOSED);
}

static void test_outbound(void **state)
{
    struct address any = {.family = 4, .ip = {127, 0, 0, 1}}, there;
    int listener = host_socket_open(&any, SOCK_STREAM, &there), server;
    char room[16];

    (void)state;
    host_link_connect(world.links, 5, &there);
    host_link_stream(world.links, 5, slice_text("early")); /* before it stands */
    world_turn_until(EVENT_LINK_UP, 1);
    assert_true(world_node.last[EVENT_LINK_UP].link.link == 5);
    host_link_stream(world.links, 5, slice_text("late"));
    world_turn();
    world_turn();
    server = accept(listener, NULL, NULL);
    assert_int_equal(recv(server, room, 9, MSG_WAITALL), 9);
    assert_memory_equal(room, "earlylate", 9);
    host_link_stream(world.links, 5, slice_text("bye"));
    host_link_shut(world.links, 5);
    assert_int_equal(recv(server, room, 3, MSG_WAITALL), 3);
    assert_int_equal(recv(server, room, 1, 0), 0);
    world_turn();
    assert_int_equal(world_count(EVENT_LINK_DOWN), 0); /* who closes is not told */
    close(server);
    close(listener);
}

static void test_nobody_there(void **state)
{
    struct address any = {.family = 4, .ip = {127, 0, 0, 1}}, nobody;
    struct address none = {0};

    (void)state;
    close(host_socket_open(&any, SOCK_STREAM, &nobody));
    host_link_connect(world.links, 1, &nobody);
    host_link_connect(world.links, 2, &none); /* no address at all */
    world_turn_until(EVENT_LINK_DOWN, 2);
    assert_int_equal(world_node.last[EVENT_LINK_DOWN].link.reason, STATUS_UNREACHABLE);
    assert_int_equal(world_count(EVENT_LINK_UP), 0);
}

/* What the kernel does not take waits in order; LINK_ROOM tells when it went. */
static void test_more_than_the_kernel_takes(void **state)
{
    size_t size = 8u << 20, got = 0;
    uint8_t *bytes = malloc(size), *room = malloc(size);
    int client = world_connect(&world_at.mesh[0], SOCK_STREAM);
    link_id id;

    (void)state;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 31 >> 8);
    world_turn_until(EVENT_LINK_UP, 1);
    id = world_node.last[EVENT_LINK_UP].link.link;
    host_link_stream(world.links, id, slice_of(bytes, size / 2));
    host_link_stream(world.links, id, slice_of(bytes + size / 2, size - size / 2));
    while (got < size) {
        ssize_t more;

        world_turn();
        more = recv(client, room + got, size - got, MSG_DONTWAIT);
        assert_true(more > 0 || errno == EAGAIN);
        got += more > 0 ? (size_t)more : 0;
    }
    assert_memory_equal(bytes, room, size);
    assert_true(world_count(EVENT_LINK_ROOM) > 0);
    free(bytes);
    free(room);
    close(client);
}

/* A listener with somebody waiting is always ready: without descriptors it must rest. */
static void test_no_descriptor_left(void **state)
{
    struct address nobody = {.family = 4, .ip = {127, 0, 0, 1}, .port = 9};
    int client = world_connect(&world_at.mesh[0], SOCK_STREAM), next = dup(client);
    struct rlimit before, tight;
    uint64_t calls;

    (void)state;
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    calls = world.metrics.values[METRIC_SYSCALL_ACCEPT];
    for (unsigned i = 0; i < 200; i++)
        world_turn();
    assert_true(world.metrics.values[METRIC_SYSCALL_ACCEPT] - calls < 20);
    host_link_connect(world.links, 7, &nobody);
    world_turn_until(EVENT_LINK_DOWN, 1);
    assert_int_equal(world_node.last[EVENT_LINK_DOWN].link.reason, STATUS_OVERLOAD);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    world_turn_until(EVENT_LINK_UP, 1);
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_inbound),
        world_test(test_outbound),
        world_test(test_nobody_there),
        world_test(test_more_than_the_kernel_takes),
        world_test(test_no_descriptor_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
