/* gc_net.h: what tests of collection share: a small cluster that collects, and messages handed to a
 * node as if a peer had sent them. */
#ifndef TEST_NODE_GC_NET_H
#define TEST_NODE_GC_NET_H

#include "net.h"

#include "gc/node_gc.h"
#include "node_parts.h"

/* Switches collection on at a peer. */
NET_MAYBE void gc_on(struct net *net, unsigned index)
{
    net->peers[index].node->config.gc_interval_ms = 20;
    node_gc_wake(net->peers[index].node);
}

NET_MAYBE struct net *gc_formed(unsigned count)
{
    struct net *net = net_formed(count, 3);

    net_run(net, 2000);
    return net;
}

NET_MAYBE void gc_delete(struct net *net, unsigned index, const char *key)
{
    struct op op = net_op(OP_DELETE, key, NULL);

    assert_int_equal(net_do(net, index, &op)->status, STATUS_OK);
}

/* Writes and deletes `count` keys k0, k1, .. */
NET_MAYBE void gc_deleted(struct net *net, unsigned count)
{
    char key[16];

    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, 0, key, "v")->status, STATUS_OK);
        gc_delete(net, i % net->count, key);
    }
}

NET_MAYBE uint64_t gc_left(struct net *net, unsigned index)
{
    uint64_t absent;

    return node_tombstones(net->peers[index].node, &absent);
}

NET_MAYBE uint32_t gc_partition(struct net *net, const char *key)
{
    return node_partition_of(net->peers[0].node, slice_text("n"), slice_text(key));
}

NET_MAYBE uint64_t gc_id(struct net *net, unsigned index)
{
    return id_front(&net->peers[index].identity.id);
}

/* Performs what a node was made to say outside of a step. */
NET_MAYBE void gc_flush(struct net *net, unsigned index)
{
    node_settle(net->peers[index].node);
    for (uint32_t i = 0; i < net->fx.count; i++)
        net_effect(net, &net->peers[index], &net->fx.items[i]);
    effects_reset(&net->fx);
    net->peers[index].node->fx = NULL;
}

/* Hands `message` to a peer as one of `from`. */
NET_MAYBE void gc_hand(struct net *net, unsigned index, unsigned from,
                       const struct message *message)
{
    struct node *node = net->peers[index].node;
    struct frame frame = {.priority = 1};

    node->fx = &net->fx;
    if (message->kind == MESSAGE_PUT_OBJ)
        node_replica_asked(node, gc_id(net, from), &frame, message);
    else
        node_gc_message(node, gc_id(net, from), message);
    gc_flush(net, index);
}

#endif
