/* sync_serve.c: the answerer's side of a peer's round. A serve remembers which round of which peer
 * runs under which layout, and the few ranges being listed for it (sync_leaf.c). It claims nothing:
 * what the asker tells in AE_DONE counts only for a round this peer took part in, under a layout
 * that still holds. */
#include "sync_private.h"

#include "ensure.h"

static struct sync_serve *serve_find(struct sync *sync, uint64_t peer, uint32_t number)
{
    for (uint32_t i = 0; i < sync->config.serves_max; i++) {
        struct sync_serve *serve = &sync->serves[i];

        if (serve->is_active && serve->peer == peer && serve->number == number)
            return serve;
    }
    return NULL;
}

void sync_serve_end(struct sync_serve *serve)
{
    serve->is_active = false;
    for (unsigned i = 0; i < SYNC_LANES; i++) {
        serve->leaves[i].state = LEAF_FREE;
        buffer_clear(&serve->leaves[i].asked, 0);
        buffer_clear(&serve->leaves[i].keys, 0);
    }
}

/* A peer has one round with us at a time: its next one takes the place of the last. */
static struct sync_serve *serve_new(struct sync *sync, uint64_t peer)
{
    struct sync_serve *unused = NULL;

    for (uint32_t i = 0; i < sync->config.serves_max; i++) {
        struct sync_serve *serve = &sync->serves[i];

        if (serve->is_active && serve->peer == peer) {
            sync_serve_end(serve);
            return serve;
        }
        if (!serve->is_active && !unused)
            unused = serve;
    }
    return unused;
}

static void serve_tell_layout(struct sync *sync, uint64_t peer, uint64_t layout)
{
    struct sync_output output = {.kind = SYNC_LAYOUT, .peer = peer, .layout = layout};

    sync_emit(sync, &output);
}

/* --- the tree */

static void serve_answer(struct sync *sync, uint64_t peer, const struct message_ae_diff *diff)
{
    struct message answer = {.kind = MESSAGE_AE_DIFF, .ae_diff = *diff};

    sync_send(sync, peer, &answer);
}

/* Answers with our children of the nodes of `depth` that differ; without any all is equal. */
static void serve_nodes_of(struct sync *sync, const struct sync_serve *serve,
                           const uint8_t *differs, unsigned depth)
{
    struct message_ae_diff diff = {.round = serve->number};

    if (!sync_tree_list(sync, sync->shared, differs, depth, &diff.nodes))
        diff.status = STATUS_MEMORY;
    serve_answer(sync, serve->peer, &diff);
    buffer_clear(&sync->scratch, 0);
}

static void serve_begin(struct sync *sync, instant now, uint64_t peer,
                        const struct message_ae_root *root)
{
    struct message_ae_diff refusal = {.status = STATUS_OVERLOAD, .round = root->round};
    struct sync_serve *serve = serve_new(sync, peer);
    uint8_t ours[SYNC_ROOT_SIZE];

    if (!serve) {
        serve_answer(sync, peer, &refusal);
        return;
    }
    serve->is_active = true;
    serve->is_offered = root->root.size == 0;
    serve->peer = peer;
    serve->layout = root->layout;
    serve->number = root->round;
    serve->deadline = instant_add(now, sync->config.round_timeout_us);
    if (serve->is_offered)
        return; /* the lanes of the asker begin */
    (void)sync_shared(sync, peer, sync->shared);
    sync_tree_root(sync, sync->shared, ours);
    memset(sync->named, memcmp(ours, root->root.data, sizeof(ours)) ? 0xFF : 0,
           sync_bits_size(sync));
    serve_nodes_of(sync, serve, sync->named, 0);
}

static void serve_root(struct sync *sync, instant now, uint64_t peer, uint64_t layout,
                       const struct message_ae_root *root)
{
    struct message_ae_diff refusal = {
        .status = STATUS_LAYOUT, .layout = layout, .round = root->round};
    struct sync_serve *serve = serve_find(sync, peer, root->round);

    if (root->layout != layout) {
        if (serve)
            sync_serve_end(serve);
        serve_answer(sync, peer, &refusal);
        serve_tell_layout(sync, peer, root->layout);
    } else if (!serve && (root->root.size == SYNC_ROOT_SIZE || root->root.size == 0)) {
        serve_begin(sync, now, peer, root);
    }
}

static void serve_nodes(struct sync *sync, const struct sync_serve *serve, struct slice nodes)
{
    if (serve->is_offered || nodes.size == 0 || !sync_tree_check(sync, nodes, 1))
        return;
    (void)sync_shared(sync, serve->peer, sync->shared);
    sync_tree_compare(sync, sync->shared, nodes, 1, sync->named);
    serve_nodes_of(sync, serve, sync->named, 2);
}

/* --- rows */

static void serve_fetch(struct sync *sync, struct sync_serve *serve,
                        const struct message_ae_fetch *fetch)
{
    static const struct sync_range any = {{0}, {0}};
    struct slice keys = fetch->keys;
    struct sync_output give = {.kind = SYNC_GIVE,
                               .peer = serve->peer,
                               .round = serve->number,
                               .token = fetch->question,
                               .keys = keys};

    if (keys.size == 0 || keys.size > SYNC_FETCH_SIZE_MAX ||
        !sync_pack_check(keys, SYNC_KEYS, SYNC_FETCH_MAX, &any))
        return;
    sync_emit(sync, &give);
}

/* --- the end */

static void serve_done(struct sync *sync, struct sync_serve *serve, uint64_t layout,
                       const struct message_ae_done *done)
{
    struct sync_output given = {.kind = SYNC_GIVEN, .peer = serve->peer, .layout = layout};
    struct reader in = reader_over(done->partitions);
    bool is_all = done->partitions.size == 0;

    if (!sync_pack_partitions(done->partitions, sync->config.partitions))
        return;
    is_all &= done->layout == layout;
    if (done->layout != layout || serve->layout != layout || serve->is_offered)
        in.at = in.size, is_all = false;
    sync_serve_end(serve);
    for (uint32_t p = 0; is_all && p < sync->config.partitions; p++) {
        given.partition = (uint16_t)p;
        if (sync->config.is_shared(sync->config.context, given.peer, given.partition))
            sync_emit(sync, &given);
    }
    while (reader_left(&in) > 0) {
        given.partition = read_u16(&in);
        if (sync->config.is_shared(sync->config.context, given.peer, given.partition))
            sync_emit(sync, &given);
    }
}

static void serve_message(struct sync *sync, struct sync_serve *serve, uint64_t layout,
                          const struct message *message)
{
    if (message->kind == MESSAGE_AE_LEAF_GET)
        sync_leaf_get(sync, serve, layout, &message->ae_leaf_get);
    else if (message->kind == MESSAGE_AE_NODES)
        serve_nodes(sync, serve, message->ae_nodes.nodes);
    else if (message->kind == MESSAGE_AE_FETCH)
        serve_fetch(sync, serve, &message->ae_fetch);
    else
        serve_done(sync, serve, layout, &message->ae_done);
}

void sync_serve_receive(struct sync *sync, instant now, uint64_t peer, uint64_t layout,
                        const struct message *message)
{
    struct sync_serve *serve;
    uint32_t number = message->ae_done.round;

    if (message->kind == MESSAGE_AE_ROOT) {
        serve_root(sync, now, peer, layout, &message->ae_root);
        return;
    }
    if (message->kind == MESSAGE_AE_LEAF_GET)
        number = message->ae_leaf_get.round;
    if (message->kind == MESSAGE_AE_NODES)
        number = message->ae_nodes.round;
    if (message->kind == MESSAGE_AE_FETCH)
        number = message->ae_fetch.round;
    serve = serve_find(sync, peer, number);
    if (!serve)
        return;
    serve->deadline = instant_add(now, sync->config.round_timeout_us);
    serve_message(sync, serve, layout, message);
}

bool sync_serve_step(struct sync *sync, struct sync_serve *serve)
{
    for (unsigned i = 0; serve->is_active && i < SYNC_LANES; i++)
        if (sync_leaf_step(sync, serve, &serve->leaves[i]))
            return true;
    return false;
}
