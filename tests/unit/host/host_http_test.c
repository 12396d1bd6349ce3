#include "host_world.h"

static struct result answer_result;

static void answer_at_once(struct node *node, const struct event *event, struct effects *effects)
{
    (void)node;
    if (event->kind == EVENT_REQUEST) {
        struct effect *effect = effects_push(effects, EFFECT_REPLY);

        answer_result = (struct result){.kind = event->request.op.kind, .status = STATUS_MISSING};
        effect->reply.ticket = event->request.ticket;
        effect->reply.result = &answer_result;
    }
}

static int connect_http(void)
{
    return world_connect(&world_at.http_at[0].address, SOCK_STREAM);
}

static const char request[] = "GET /v1/kv/app/key HTTP/1.1\r\nHost: localhost\r\n\r\n";

static void say(int client, const char *text)
{
    assert_int_equal(send(client, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* Turns until `count` answers have come, and keeps what was read. */
static char *hear(int client, unsigned count)
{
    static char text[1 << 16];
    size_t size = 0;
    unsigned heard = 0;

    for (unsigned turn = 0; turn < TURNS_MAX && heard < count; turn++) {
        ssize_t more;

        world_node.deadline = host_clock_now() + INSTANT_MS(2);
        ev_run(world.loop, EVRUN_ONCE);
        more = recv(client, text + size, sizeof text - 1 - size, MSG_DONTWAIT);
        size += more > 0 ? (size_t)more : 0;
        text[size] = 0;
        heard = 0;
        for (const char *at = text; (at = strstr(at, "HTTP/1.1 ")) != NULL; at++)
            heard++;
    }
    assert_int_equal(heard, count);
    return text;
}

static void test_request_and_reply(void **state)
{
    int client = connect_http();

    (void)state;
    world_node.answer = answer_at_once;
    say(client, request);
    assert_non_null(strstr(hear(client, 1), "HTTP/1.1 404 "));
    assert_int_equal(world_node.last[EVENT_REQUEST].request.op.kind, OP_GET);
    say(client, request); /* the connection stays */
    hear(client, 1);
    close(client);
}

static void test_pipelined(void **state)
{
    int client = connect_http();

    (void)state;
    world_node.answer = answer_at_once;
    for (int i = 0; i < 20; i++)
        say(client, request);
    hear(client, 20);
    assert_int_equal(world_count(EVENT_REQUEST), 20);
    assert_true(world.metrics.values[METRIC_SYSCALL_WRITE] < 20); /* answers leave together */
    close(client);
}

/* A client that goes away cancels; a reply that comes late finds nobody and harms nothing. */
static void test_cancel(void **state)
{
    int client = connect_http();
    struct linger now = {1, 0};
    struct result result = {.kind = OP_GET, .status = STATUS_MISSING};
    ticket first;

    (void)state;
    say(client, request);
    world_turn_until(EVENT_REQUEST, 1);
    first = world_node.last[EVENT_REQUEST].request.ticket;
    setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(client); /* a reset */
    world_turn_until(EVENT_CANCEL, 1);
    assert_true(world_node.last[EVENT_CANCEL].cancel.ticket == first);
    host_http_reply(world.http, first, &result);
    host_http_reply(world.http, 0, &result);
    client = connect_http();
    say(client, request);
    world_turn_until(EVENT_REQUEST, 2);
    assert_true(world_node.last[EVENT_REQUEST].request.ticket != first);
    close(client);
}

static void test_refused_request_then_end(void **state)
{
    int client = connect_http();
    char room[16];

    (void)state;
    say(client, "NONSENSE\r\n\r\n");
    assert_non_null(strstr(hear(client, 1), "HTTP/1.1 4"));
    world_turn();
    assert_int_equal(recv(client, room, sizeof room, 0), 0); /* our side is shut */
    say(client, "still talking");                            /* drained, not reset */
    world_turn();
    close(client);
    for (unsigned i = 0; i < TURNS_MAX && world.metrics.values[METRIC_HTTP_CONNECTIONS] != 0; i++) {
        world_node.deadline = host_clock_now() + INSTANT_MS(2);
        ev_run(world.loop, EVRUN_ONCE);
    }
    assert_true(world.metrics.values[METRIC_HTTP_CONNECTIONS] == 0);
}

/* A client that shuts its side after the request is still answered. */
static void test_half_closed(void **state)
{
    int client = connect_http();

    (void)state;
    world_node.answer = answer_at_once;
    say(client, request);
    shutdown(client, SHUT_WR);
    hear(client, 1);
    close(client);
}

static void test_drain(void **state)
{
    int idle = connect_http(), busy = connect_http();
    struct result result = {.kind = OP_GET, .status = STATUS_MISSING};

    (void)state;
    say(busy, request);
    world_turn_until(EVENT_REQUEST, 1);
    assert_false(host_http_drain(world.http)); /* one request is in work */
    host_http_reply(world.http, world_node.last[EVENT_REQUEST].request.ticket, &result);
    hear(busy, 1);
    assert_true(host_http_drain(world.http));
    close(idle);
    close(busy);
}

static void test_deadline(void **state)
{
    int client = connect_http();

    (void)state;
    world_turn();
    world_turn();
    assert_true(host_http_deadline(world.http) > world.now);
    assert_true(host_http_deadline(world.http) != INSTANT_NEVER);
    world.now += INSTANT_S(3600);
    host_http_expire(world.http);
    host_http_flush(world.http);
    world.now += INSTANT_S(3600);
    host_http_expire(world.http);
    assert_true(host_http_drain(world.http));
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_request_and_reply),
        world_test(test_pipelined),
        world_test(test_cancel),
        world_test(test_refused_request_then_end),
        world_test(test_half_closed),
        world_test(test_drain),
        world_test(test_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
