/* host_world.h: a host whose node is a stand-in that writes down what it is told, for tests of the
 * loop and its sockets. Included by one test program each: it defines the node's functions. */
#ifndef GOSSAMER_TESTS_HOST_WORLD_H
#define GOSSAMER_TESTS_HOST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bytes.h"
#include "host_bind.h"
#include "host_clock.h"
#include "host_room.h"
#include "host_setup.h"
#include "host_socket.h"
#include "scratch.h"

#define SEEN_MAX 256
#define TURNS_MAX 2000 /* turns of the loop, each up to its timer, before a test gives up */

/* The stand-in: what it was told, and what it asks for in reply. */
struct node {
    enum event_kind kinds[SEEN_MAX];
    unsigned count;
    struct event last[EVENT_TIMER + 1]; /* by kind; slices are dead */
    uint8_t bytes[1 << 16];             /* of the last datagram, or of all streams together */
    size_t size;
    instant deadline;
    void (*answer)(struct node *, const struct event *, struct effects *);
};

static struct node world_node;
static struct host world;
static struct host_sockets world_at; /* addresses stay known after the sockets are taken over */
static struct host_config *world_config;
static struct metrics world_metrics;
static char world_scratch[SCRATCH_SIZE];

void node_step(struct node *node, const struct event *event, struct effects *effects)
{
    assert_true(event->now != 0 && event->wall_ms != 0);
    if (node->count < SEEN_MAX)
        node->kinds[node->count++] = event->kind;
    node->last[event->kind] = *event;
    if (event->kind == EVENT_DATAGRAM) {
        memcpy(node->bytes, event->datagram.bytes.data, event->datagram.bytes.size);
        node->size = event->datagram.bytes.size;
    }
    if (event->kind == EVENT_STREAM &&
        node->size + event->stream.bytes.size <= sizeof node->bytes) {
        memcpy(node->bytes + node->size, event->stream.bytes.data, event->stream.bytes.size);
        node->size += event->stream.bytes.size;
    }
    if (event->kind == EVENT_TIMER)
        node->deadline = INSTANT_NEVER;
    if (node->answer != NULL)
        node->answer(node, event, effects);
}

void node_flush(struct node *node, struct effects *effects)
{
    (void)node;
    (void)effects;
}

instant node_deadline(const struct node *node)
{
    return node->deadline;
}

bool node_is_recovering(const struct node *node)
{
    (void)node;
    return false;
}

const struct metrics *node_metrics(struct node *node)
{
    (void)node;
    return &world_metrics;
}

__attribute__((unused)) static unsigned world_count(enum event_kind kind)
{
    unsigned count = 0;

    for (unsigned i = 0; i < world_node.count; i++)
        count += world_node.kinds[i] == kind;
    return count;
}

/* Turns the loop until the node has seen `count` events of a kind. The loop wakes at least every
 * 5 ms; what is waited for comes through the kernel, so it is a matter of turns, not of time. */
__attribute__((unused)) static void world_turn_until(enum event_kind kind, unsigned count)
{
    for (unsigned i = 0; i < TURNS_MAX && world_count(kind) < count; i++) {
        instant due = world_node.deadline;

        if (due == INSTANT_NEVER && kind != EVENT_TIMER)
            world_node.deadline = host_clock_now() + INSTANT_MS(5);
        ev_run(world.loop, EVRUN_ONCE);
        if (kind != EVENT_TIMER)
            world_node.deadline = due;
    }
    assert_true(world_count(kind) >= count);
}

__attribute__((unused)) static void world_turn(void)
{
    ev_run(world.loop, EVRUN_NOWAIT);
}

static int world_open(void **state)
{
    struct host_storage_config storage;
    struct edge_config edge;
    struct host_sockets sockets;
    char detail[HOST_DETAIL_SIZE];
    bool is_recovering;

    (void)state;
    memset(&world, 0, sizeof world);
    memset(&world_node, 0, sizeof world_node);
    world_node.deadline = INSTANT_NEVER;
    scratch_make(world_scratch);
    world_config = host_config_new();
    host_config_set(world_config, SETTING_MESH_LISTEN, "127.0.0.1:0", "test");
    host_config_set(world_config, SETTING_HTTP_LISTEN, "127.0.0.1:0", "test");
    host_config_set(world_config, SETTING_STORAGE_ENGINE, "memory", "test");
    world.config = world_config;
    world.node = &world_node;
    host_log_init(&world.log, stderr, LEVEL_ERROR, HOST_LOG_LOGFMT);
    assert_int_equal(host_directory_open(&world.directory, world_scratch, detail), STATUS_OK);
    assert_true(host_loop_open(&world));
    storage = host_setup_storage(&world);
    assert_int_equal(host_storage_open(&world.storage, &storage, &is_recovering, detail),
                     STATUS_OK);
    assert_int_equal(host_bind(&sockets, world_config, &world.log), HOST_EXIT_OK);
    world_at = sockets;
    edge = host_setup_edge(&world, "");
    world.edge = edge_new(&edge);
    world.udp = host_udp_open(&world, sockets.udp, sockets.mesh_count);
    world.links = host_links_open(&world, sockets.tcp, sockets.mesh_count, 16);
    world.http = host_http_open(&world, sockets.http, sockets.http_is_unix, sockets.http_count);
    world.resolve = host_resolve_open(&world);
    ev_check_start(world.loop, &world.check);
    ev_prepare_start(world.loop, &world.prepare);
    return 0;
}

static int world_close(void **state)
{
    (void)state;
    world_node.answer = NULL;
    host_http_close(world.http);
    host_resolve_close(world.resolve);
    host_udp_close(world.udp);
    host_links_close(world.links);
    effects_reset(&world.effects);
    edge_delete(world.edge);
    host_storage_close(world.storage);
    host_loop_close(&world);
    host_directory_close(&world.directory);
    host_config_delete(world_config);
    scratch_remove(world_scratch);
    return 0;
}

/* A client's blocking socket, connected to an address of ours. */
__attribute__((unused)) static int world_connect(const struct address *address, int type)
{
    struct sockaddr_storage to;
    socklen_t size = host_socket_to(address, AF_INET, &to);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, size), 0);
    return fd;
}

#define world_test(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

#endif
