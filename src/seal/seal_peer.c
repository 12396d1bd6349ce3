/* seal_peer.c: the table of peers whose public key is known, and what is proved about them.
 *
 * Each pair of peers has its own key, agreed by X25519 and mixed with the cluster key: a packet
 * that opens comes from that very peer, not from "somebody in the cluster". The agreement costs
 * more than a hundred packets, so it is done once, when first needed.
 *
 * Anybody can record packets, so opening is not enough: a peer's packet epoch counts only after it
 * has echoed a cookie that this process drew for this question. A cookie is never valid twice. */
#include "seal_impl.h"
#include "ensure.h"
#include "hash.h"
#include <sodium.h>
#include <stdlib.h>

static struct slice id8_key(const uint64_t *id8)
{
    return slice_of(id8, sizeof *id8);
}

struct seal *seal_new(const struct seal_config *config)
{
    struct seal *seal = calloc(1, sizeof *seal);
    uint8_t table_seed[HASH_SEED_SIZE];

    if (!seal)
        return NULL;
    if (pool_init(&seal->peers, sizeof(struct seal_peer), config->peers_max) != STATUS_OK) {
        free(seal);
        return NULL;
    }
    seal->identity = config->identity;
    seal->ring = *config->keyring;
    seal->epoch = config->epoch;
    seal->entropy = config->entropy;
    seal->self = id_front(&config->identity->id);
    seal->entropy.fill(seal->entropy.context, seal->cookie_key, sizeof seal->cookie_key);
    seal->entropy.fill(seal->entropy.context, table_seed, sizeof table_seed);
    map_init(&seal->by_id8, config->peers_max, table_seed);
    return seal;
}

void seal_delete(struct seal *seal)
{
    const struct map_entry *at = NULL;
    void *peer;

    if (!seal)
        return;
    while ((at = map_next(&seal->by_id8, at, NULL, &peer)) != NULL)
        sodium_memzero(peer, sizeof(struct seal_peer));
    map_close(&seal->by_id8);
    pool_close(&seal->peers);
    sodium_memzero(seal, sizeof *seal);
    free(seal);
}

void seal_keyring_set(struct seal *seal, const struct seal_keyring *ring)
{
    const struct map_entry *at = NULL;
    void *value;

    ensure(memcmp(ring->cluster_id, seal->ring.cluster_id, CLUSTER_ID_SIZE) == 0);
    ensure(ring->count > 0 && ring->count <= SEAL_KEYS_MAX);
    seal->ring = *ring;
    while ((at = map_next(&seal->by_id8, at, NULL, &value)) != NULL) {
        struct seal_peer *peer = value;

        peer->has_pairs = false;
        peer->key_id = 0;
        sodium_memzero(peer->pairs, sizeof peer->pairs);
    }
}

/* --- the table */

struct seal_peer *seal_peer_find(const struct seal *seal, uint64_t id8)
{
    return map_get(&seal->by_id8, id8_key(&id8));
}

enum status seal_peer_make(struct seal_peer *peer, const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    memset(peer, 0, sizeof *peer);
    if (crypto_sign_ed25519_pk_to_curve25519(peer->x_public, public_key) != 0)
        return STATUS_BAD;
    memcpy(peer->public_key, public_key, PUBLIC_KEY_SIZE);
    peer->id = hash_node_id(public_key);
    peer->id8 = id_front(&peer->id);
    return STATUS_OK;
}

struct seal_peer *seal_peer_keep(struct seal *seal, const struct seal_peer *made)
{
    struct seal_peer *peer = pool_take(&seal->peers);

    if (!peer)
        return NULL;
    *peer = *made;
    if (map_put(&seal->by_id8, id8_key(&peer->id8), peer) != STATUS_OK) {
        sodium_memzero(peer, sizeof *peer);
        pool_give(&seal->peers, peer);
        return NULL;
    }
    peer->sent = seal->sent_floor;
    peer->cookie_nonce = ++seal->cookie_nonce;
    return peer;
}

enum status seal_peer_add(struct seal *seal, const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    struct node_id id = hash_node_id(public_key);
    const struct seal_peer *known = seal_peer_find(seal, id_front(&id));
    struct seal_peer made;

    if (known)
        return memcmp(known->public_key, public_key, PUBLIC_KEY_SIZE) == 0 ? STATUS_OK
                                                                           : STATUS_CONFLICT;
    if (id_front(&id) == seal->self || seal_peer_make(&made, public_key) != STATUS_OK)
        return STATUS_BAD;
    return seal_peer_keep(seal, &made) ? STATUS_OK : STATUS_FULL;
}

/* The pair key of a peer that returns is the same, so its packet numbers must go on above. */
void seal_peer_remove(struct seal *seal, uint64_t id8)
{
    struct seal_peer *peer = map_remove(&seal->by_id8, id8_key(&id8));

    if (!peer)
        return;
    if (peer->sent > seal->sent_floor)
        seal->sent_floor = peer->sent;
    sodium_memzero(peer, sizeof *peer);
    pool_give(&seal->peers, peer);
}

bool seal_peer_known(const struct seal *seal, uint64_t id8)
{
    return seal_peer_find(seal, id8) != NULL;
}

const uint8_t *seal_peer_key(const struct seal *seal, uint64_t id8)
{
    const struct seal_peer *peer = seal_peer_find(seal, id8);

    return peer ? peer->public_key : NULL;
}

void seal_floor(struct seal *seal, uint64_t id8, uint64_t stamp)
{
    struct seal_peer *peer = id8 ? seal_peer_find(seal, id8) : NULL;
    uint64_t *floor = peer ? &peer->floor : &seal->floor;

    if ((peer || id8 == 0) && *floor < stamp)
        *floor = stamp;
}

/* --- pair keys */

static void pair_make(const struct seal *seal, const struct seal_peer *peer,
                      const uint8_t shared[32], unsigned index, uint8_t pair[32])
{
    static const char domain[] = "gossamer-udp-1";
    const struct node_id *low = &seal->identity->id, *high = &peer->id;
    crypto_generichash_state state;

    if (id_compare(low, high) > 0) {
        low = &peer->id;
        high = &seal->identity->id;
    }
    crypto_generichash_init(&state, seal->ring.keys[index].key, SEAL_KEY_SIZE, 32);
    crypto_generichash_update(&state, (const uint8_t *)domain, sizeof domain - 1);
    crypto_generichash_update(&state, seal->ring.cluster_id, CLUSTER_ID_SIZE);
    crypto_generichash_update(&state, shared, 32);
    crypto_generichash_update(&state, low->bytes, NODE_ID_SIZE);
    crypto_generichash_update(&state, high->bytes, NODE_ID_SIZE);
    crypto_generichash_final(&state, pair, 32);
    sodium_memzero(&state, sizeof state);
}

const uint8_t *seal_peer_pair(const struct seal *seal, struct seal_peer *peer, unsigned index)
{
    uint8_t shared[32];

    ensure(index < seal->ring.count);
    if (!peer->has_pairs) {
        if (crypto_scalarmult(shared, seal->identity->x_secret, peer->x_public) != 0)
            return NULL;
        for (unsigned i = 0; i < seal->ring.count; i++)
            pair_make(seal, peer, shared, i, peer->pairs[i]);
        sodium_memzero(shared, sizeof shared);
        peer->has_pairs = true;
    }
    return peer->pairs[index];
}

/* --- epochs and cookies */

void seal_epoch_start(struct seal_epoch *slot, uint64_t epoch)
{
    memset(slot, 0, sizeof *slot);
    slot->is_known = true;
    slot->epoch = epoch;
}

struct seal_epoch *seal_epoch_find(struct seal_peer *peer, uint64_t epoch)
{
    if (peer->current.is_known && peer->current.epoch == epoch)
        return &peer->current;
    if (peer->candidate.is_known && peer->candidate.epoch == epoch)
        return &peer->candidate;
    return NULL;
}

/* Never 0, which stands for "no cookie" in messages. */
static uint64_t cookie_of(const struct seal *seal, const struct seal_peer *peer)
{
    uint8_t question[NODE_ID_SIZE + 8];
    uint64_t cookie;

    memcpy(question, peer->id.bytes, NODE_ID_SIZE);
    bytes_store_u64(question + NODE_ID_SIZE, peer->cookie_nonce);
    cookie = hash_sip64(seal->cookie_key, question, sizeof question);
    return cookie ? cookie : 1;
}

uint64_t seal_cookie(struct seal *seal, uint64_t to_id8)
{
    const struct seal_peer *peer = seal_peer_find(seal, to_id8);

    return peer ? cookie_of(seal, peer) : 0;
}

static void epoch_promote(struct seal_peer *peer, uint64_t counter)
{
    if (peer->current.is_known) {
        peer->has_retired = true;
        peer->retired = peer->current.epoch;
    }
    peer->current = peer->candidate;
    memset(&peer->candidate, 0, sizeof peer->candidate);
    seal_window_raise(&peer->current.window, counter);
}

bool seal_cookie_echoed(struct seal *seal, uint64_t from_id8, uint64_t epoch, uint64_t cookie,
                        uint64_t counter)
{
    struct seal_peer *peer = seal_peer_find(seal, from_id8);
    struct seal_epoch *slot = peer ? seal_epoch_find(peer, epoch) : NULL;
    uint64_t expected = peer ? cookie_of(seal, peer) : 0;

    if (!slot || sodium_memcmp(&expected, &cookie, sizeof cookie) != 0)
        return false;
    peer->cookie_nonce = ++seal->cookie_nonce;
    if (slot == &peer->candidate)
        epoch_promote(peer, counter);
    peer->is_acknowledged = true;
    peer->unanswered = 0;
    return true;
}
