/* node_watch.c: streams of members (api.md 7). A watcher is answered with the whole list, and then
 * once for each member whose rank or place changes, in the order in which this peer learns of it.
 * Nothing is kept per watcher but its ticket: who loses the stream asks anew and gets the list. */
#include "node_impl.h"
#include "node_parts.h"

/* The asker wants to hear of changes from here on. False: there are too many already. */
bool node_watch_begin(struct node *node, ticket asker)
{
    struct node_watch *watch = &node->watch;

    if (watch->count == NODE_WATCHERS_MAX)
        return false;
    watch->tickets[watch->count++] = asker;
    return true;
}

void node_watch_cancel(struct node *node, ticket asker)
{
    struct node_watch *watch = &node->watch;

    for (uint32_t i = 0; i < watch->count; i++)
        if (watch->tickets[i] == asker)
            watch->tickets[i--] = watch->tickets[--watch->count];
}

/* Something about a member changed: everybody who watches gets it as it is now. */
void node_watch_member(struct node *node, uint64_t id8)
{
    static const struct op op = {.kind = OP_MEMBERS};
    static const struct node_outcome outcome = {.status = STATUS_OK};
    const struct swim_view *view = node->watch.count ? swim_find(node->swim, id8) : NULL;
    struct result_member *member;

    if (!view)
        return;
    member = effects_alloc(node->fx, sizeof(*member));
    node_query_member(node, view, member);
    for (uint32_t i = 0; i < node->watch.count; i++) {
        struct result *result = node_reply_client(node, &op, node->watch.tickets[i], &outcome);

        result->is_more = true;
        result->members = member;
        result->member_count = 1;
        result->digest = node_digest(node);
    }
}
