/* node_keys.c: the keys of the cluster: one ring of at most four, the same at all members, changed
 * as a whole (decision 0028).
 *
 *   whoever is asked      every member                          its disk
 *     |---- KEYRING -------->| newer than ours? then it is ours -->|
 *     |---- KEYS? ---------->|                                     |
 *     |<--- KEYS ------------|<---------- saved -------------------|
 *
 * The change with the highest stamp stays, as in all lists here: it is told to everybody at once,
 * its digest is on every PING, and tables that differ tell it to whoever was away. A ring is used
 * from the moment it comes and acknowledged when it is on the disk. It lies in the key file, never
 * in the store: backups and data directories that are lent carry no keys. */
#include "node_impl.h"
#include "node_parts.h"

#define RETIRED_US INSTANT_S(5) /* a link whose key is gone ends what is under way */

/* What pings say of the ring; 0: it is as the founder made it. */
uint64_t node_keys_digest(const struct node *node)
{
    uint64_t words[] = {node->keyring.stamp, node->keyring.by};
    uint8_t key[HASH_SEED_SIZE] = {0};

    return words[0] ? hash_sip64(key, words, sizeof(words)) : 0;
}

static void keys_save(struct node *node)
{
    struct seal_keyring *ring = effects_alloc(node->fx, sizeof(*ring));

    if (node->key_state.is_saving)
        return;
    *ring = node->keyring;
    node->key_state.is_saving = true;
    effects_push(node->fx, EFFECT_KEYRING)->keyring.ring = ring;
}

/* Links made with a key that is gone carry what is under way, and nothing new. */
static void keys_retire(struct node *node)
{
    for (uint32_t i = 0; i < node->links.capacity; i++) {
        struct node_link *link = pool_at(&node->links, i);
        struct node_peer *peer;

        if (link->state != LINK_READY ||
            seal_keyring_find(&node->keyring, seal_stream_key_id(link->stream)) >= 0)
            continue;
        peer = node_peer(node, link->peer);
        if (peer && peer->link == link)
            peer->link = NULL;
        link->is_retired = true;
        heap_set(&node->timers, &link->timer.in_timers, node->now + RETIRED_US);
    }
}

void node_keys_adopt(struct node *node, const struct seal_keyring *ring)
{
    node->keyring = *ring;
    seal_keyring_set(node->seal, ring);
    keys_retire(node);
    if (node->place)
        node_lists_digest(node);
    node_trace(node, TRACE_KEYRING_CHANGED, ring->stamp, ring->keys[0].id, ring->count);
    keys_save(node);
}

struct message node_keys_message(struct node *node)
{
    const struct seal_keyring *ring = &node->keyring;
    size_t size = ring->count * (size_t)SEAL_KEY_SIZE;
    struct writer keys = writer_over(effects_alloc(node->fx, size), size);

    for (unsigned i = 0; i < ring->count; i++)
        write_bytes(&keys, ring->keys[i].key, SEAL_KEY_SIZE);
    return (struct message){
        .kind = MESSAGE_KEYRING,
        .keyring = {.stamp = ring->stamp, .by = ring->by, .keys = writer_done(&keys)}};
}

/* The ring a message spells; false: none that a peer makes. */
static bool keys_read(const struct node *node, const struct message_keyring *message,
                      struct seal_keyring *ring)
{
    struct reader in = reader_over(message->keys);

    *ring = (struct seal_keyring){.stamp = message->stamp, .by = message->by};
    memcpy(ring->cluster_id, node->keyring.cluster_id, CLUSTER_ID_SIZE);
    while (reader_left(&in) >= SEAL_KEY_SIZE) {
        uint8_t before = ring->count;

        if (seal_keyring_add(ring, read_slice(&in, SEAL_KEY_SIZE).data) != STATUS_OK ||
            ring->count == before)
            return false;
    }
    return ring->count > 0 && reader_left(&in) == 0 && ring->stamp > 0 &&
           ring->stamp <= CRDT_STAMP_MAX;
}

void node_keys_received(struct node *node, uint64_t peer, const struct message_keyring *message)
{
    struct seal_keyring ring;

    if (!keys_read(node, message, &ring)) {
        metric_add(&node->metrics, METRIC_DROP_MALFORMED, 1);
        return;
    }
    crdt_clock_observe(&node->clock, node->wall_ms, ring.stamp);
    if (seal_keyring_newer(&ring, &node->keyring))
        node_keys_adopt(node, &ring);
    else
        node_keys_tell(node, peer, ring.stamp, ring.by);
    seal_keyring_wipe(&ring);
}

/* Sends our ring to a peer whose own is of an older change. */
void node_keys_tell(struct node *node, uint64_t peer, uint64_t stamp, uint64_t by)
{
    struct seal_keyring theirs = {.stamp = stamp, .by = by};
    struct message ours;

    if (!seal_keyring_newer(&node->keyring, &theirs))
        return;
    ours = node_keys_message(node);
    (void)node_send_plain(node, peer, &ours);
}

/* Whether a ring is on the disk. If not it is tried again each second; until then it is used and
 * not acknowledged. */
void node_keys_saved(struct node *node, const struct event *event)
{
    struct node_keys *keys = &node->key_state;

    keys->is_saving = false;
    if (event->keyring.status != STATUS_OK) {
        metric_add(&node->metrics, METRIC_INCIDENTS, 1);
        node_trace(node, TRACE_KEYRING_UNSAVED, event->keyring.stamp, event->keyring.status, 0);
        return;
    }
    keys->saved_stamp = event->keyring.stamp;
    keys->saved_by = event->keyring.by;
    node_keys_tick(node);
    if (!keys->is_saving)
        node_keys_answer(node);
}

bool node_keys_are_saved(const struct node *node)
{
    return node->key_state.saved_stamp == node->keyring.stamp &&
           node->key_state.saved_by == node->keyring.by;
}

void node_keys_tick(struct node *node)
{
    if (!node_keys_are_saved(node))
        keys_save(node);
}

/* Somebody uses a key we do not have. */
void node_keys_foreign(struct node *node, uint16_t key_id, const struct address *from)
{
    node->key_state.seen = key_id;
    node->key_state.from = *from;
    metric_add(&node->metrics, METRIC_DROP_UNKNOWN_KEY, 1);
}

/* A connection ended in the middle of the handshake: if the other side showed a key that we lack,
 * that is why. */
void node_keys_refused(struct node *node, const struct node_link *link)
{
    uint16_t id = link->stream ? seal_stream_key_id_seen(link->stream) : 0;

    if (link->state != LINK_SHAKING || id == 0 || seal_keyring_find(&node->keyring, id) >= 0)
        return;
    node_keys_foreign(node, id, &link->address);
    node_trace(node, TRACE_WRONG_KEY, id, node->keyring.keys[0].id, 0);
}

unsigned node_key_ids(const struct node *node, uint16_t *ids)
{
    for (unsigned i = 0; i < node->keyring.count; i++)
        ids[i] = node->keyring.keys[i].id;
    return node->keyring.count;
}
