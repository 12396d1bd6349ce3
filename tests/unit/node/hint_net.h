/* hint_net.h: what tests of hints share: a small cluster in which comparing (anti-entropy) is rare,
 * so that what owners lack reaches them by hints or not at all. */
#ifndef TEST_NODE_HINT_NET_H
#define TEST_NODE_HINT_NET_H

#include "net.h"

#include "hint/node_hint.h"
#include "node_parts.h"

/* No rounds of anti-entropy at a peer from now on. */
NET_MAYBE void hint_no_rounds(struct net *net, unsigned index)
{
    struct node *node = net->peers[index].node;

    list_for_each (&node->peer_list, link)
        list_entry(link, struct node_peer, in_peers)->sync_at = INSTANT_NEVER;
}

NET_MAYBE void hint_no_rounds_at_all(struct net *net)
{
    for (unsigned i = 0; i < net->count; i++)
        if (net->peers[i].node)
            hint_no_rounds(net, i);
}

/* Runs without anti-entropy. */
NET_MAYBE void hint_run(struct net *net, unsigned ms)
{
    for (unsigned at = 0; at < ms; at += 5) {
        hint_no_rounds_at_all(net);
        net_run(net, 5);
    }
}

NET_MAYBE struct net *hint_formed(unsigned count, uint8_t replicas)
{
    struct net *net = net_formed(count, replicas);

    net_run(net, 2000);
    return net;
}

NET_MAYBE uint32_t hint_count(struct net *net, unsigned index)
{
    const struct node *node = net->peers[index].node;

    return node && node->hints ? hints_count(node->hints->books) : 0;
}

/* Rows of hints on the disk of a peer. */
NET_MAYBE bool hint_visit(void *context, const struct store_row *row)
{
    (void)row;
    ++*(uint32_t *)context;
    return true;
}

NET_MAYBE uint32_t hint_rows(struct net *net, unsigned index)
{
    struct store memory = store_memory_ports(net->peers[index].memory);
    struct store_range all = {
        .family = STORE_HINT, .rows_max = UINT32_MAX, .bytes_max = UINT32_MAX};
    uint32_t count = 0;

    (void)memory.scan(memory.context, &all, hint_visit, &count);
    return count;
}

/* Tells whether the disk of a peer holds a key. */
NET_MAYBE bool hint_has(struct net *net, unsigned index, const char *key)
{
    struct store memory = store_memory_ports(net->peers[index].memory);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct store_pin pin = {0};
    struct slice row_key = node_row_key(net->peers[0].node, slice_text("n"), slice_text(key), room);
    bool is_there = memory.get(memory.context, STORE_OBJ, row_key, &pin) == STATUS_OK;

    if (is_there)
        memory.release(memory.context, &pin);
    return is_there;
}

/* Writes k0, k1, .. at peer 0. */
NET_MAYBE void hint_write(struct net *net, unsigned count, const char *value)
{
    char key[16];

    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, 0, key, value)->status, STATUS_OK);
    }
}

/* Peer 2 is taken for dead by the others. */
NET_MAYBE void hint_kill(struct net *net, unsigned index)
{
    net_kill(net, index);
    for (unsigned ms = 0; ms < NET_FOREVER; ms += 100) {
        if (node_member_rank(net->peers[0].node, &net->peers[index].identity.id) == RANK_DEAD)
            return;
        net_run(net, 100);
    }
    fail_msg("peer-%u does not die", index);
}

#endif
