/* keys.h: steps of a rotation, and who has which keys. */
#ifndef GOSSAMER_NODE_TEST_KEYS_H
#define GOSSAMER_NODE_TEST_KEYS_H

#include "net.h"

NET_MAYBE const struct net_reply *step(struct net *net, unsigned through, enum key_step what,
                                       uint16_t id)
{
    struct op op = {.kind = OP_KEYS, .key_step = what, .key_id = id};

    memset(&net->reply, 0, sizeof(net->reply));
    return net_do(net, through, &op);
}

NET_MAYBE const struct net_reply *forced(struct net *net, unsigned through, enum key_step what,
                                         uint16_t id)
{
    struct op op = {.kind = OP_KEYS, .key_step = what, .key_id = id, .is_on = true};

    memset(&net->reply, 0, sizeof(net->reply));
    return net_do(net, through, &op);
}

/* Every peer has exactly these keys, in use and in its file. */
NET_MAYBE void assert_rings(struct net *net, const struct net_reply *like)
{
    for (unsigned i = 0; i < net->count; i++) {
        uint16_t ids[SEAL_KEYS_MAX];

        if (!net->peers[i].node)
            continue;
        assert_int_equal(node_key_ids(net->peers[i].node, ids), like->keys);
        assert_int_equal(net->peers[i].keyring.count, like->keys);
        for (unsigned k = 0; k < like->keys; k++) {
            assert_int_equal(ids[k], like->key_ids[k]);
            assert_int_equal(net->peers[i].keyring.keys[k].id, like->key_ids[k]);
        }
    }
}

#endif
