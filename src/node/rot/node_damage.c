/* node_damage.c: damage the engine itself finds. A row that fails our own checksum has a name and
 * can be mended alone (node_mend.c); a block that fails the engine's is a hole in the store. */
#include "node_impl.h"
#include "node_parts.h"

#define DAMAGES_MAX 3 /* openings; a disk that goes on failing is none to keep promises with */
#define DAMAGES_US INSTANT_S(3600)

/* The engine refuses a block: nobody knows which rows were in it, and neither scans nor compactions
 * pass it. The driver copies what can be read into a new store (EFFECT_REOPEN), and this peer is in
 * recovery afterwards. False: that did not help, and what is there must do. */
bool node_store_damaged(struct node *node)
{
    if (node->damage.is_found)
        return true;
    if (node->now >= node->damage.at + DAMAGES_US)
        node->damage.count = 0;
    if (node->damage.count == DAMAGES_MAX)
        return false;
    node->damage.count++;
    node->damage.is_found = true;
    node->damage.at = node->now;
    metric_add(&node->metrics, METRIC_STORE_CORRUPT, 1);
    metric_add(&node->metrics, METRIC_INCIDENTS, 1);
    node_trace(node, TRACE_STORE_DAMAGED, 0, 0, 0);
    node_store_reopen(node);
    return true;
}
