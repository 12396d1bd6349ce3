/* seal_impl.h: what the files of this room share. */
#ifndef GOSSAMER_SEAL_IMPL_H
#define GOSSAMER_SEAL_IMPL_H

#include "map.h"
#include "pool.h"
#include "seal.h"
#include "seal_window.h"

#define SEAL_VERSION 1u

/* One packet epoch of a peer that we keep numbers for. */
struct seal_epoch {
    bool is_known;
    uint64_t epoch;
    struct seal_window window;
};

/* One peer whose public key is known.
 *
 *                    packet of another epoch opens
 *   (nothing) ----------------------------------------> candidate: opened, not believed
 *                                                           |
 *                      its ACK echoes our fresh cookie      v
 *   retired: refused <------ the one before ---------- current: verified
 *
 * A recording of an older epoch can displace the candidate, never the current epoch. */
struct seal_peer {
    uint64_t id8;
    struct node_id id;
    uint8_t public_key[PUBLIC_KEY_SIZE]; /* Ed25519 */
    uint8_t x_public[32];
    bool has_pairs;
    uint8_t pairs[SEAL_KEYS_MAX][32]; /* pair keys, one per cluster key, as the ring stands */
    uint16_t key_id;                  /* it seals with this key, as last heard; 0: not heard */
    uint64_t sent;                    /* number of our last packet to this peer */
    uint8_t unanswered;               /* packets since one of the current epoch opened; saturates */
    bool is_acknowledged;             /* it has opened a packet of this process */
    uint64_t cookie_nonce;            /* makes the outstanding cookie; never used again */
    bool has_retired;
    uint64_t retired; /* the epoch before the current one */
    struct seal_epoch current, candidate;
    uint64_t floor;        /* seal_floor */
    bool is_old_candidate; /* the candidate came by a stale packet */
};

struct seal {
    const struct seal_identity *identity; /* borrowed */
    struct seal_keyring ring;
    uint64_t epoch, self;
    struct seal_entropy entropy;
    struct map by_id8; /* of struct seal_peer */
    struct pool peers;
    uint8_t cookie_key[HASH_SEED_SIZE];
    uint64_t cookie_nonce; /* last one given out */
    uint64_t floor;        /* of all peers */
    uint64_t sent_floor;   /* greatest `sent` of any removed peer: numbers never repeat */
};

/* seal_peer_find returns the peer, or NULL. */
struct seal_peer *seal_peer_find(const struct seal *seal, uint64_t id8);
/* seal_peer_make fills a peer from its key without touching the table. OK, or BAD. */
enum status seal_peer_make(struct seal_peer *peer, const uint8_t public_key[PUBLIC_KEY_SIZE]);
/* seal_peer_keep copies a made peer into the table and returns it, NULL when that is full. */
struct seal_peer *seal_peer_keep(struct seal *seal, const struct seal_peer *made);
/* seal_peer_pair returns the pair key under ring key `index`, made when first needed; NULL when
 * the two keys agree on nothing. */
const uint8_t *seal_peer_pair(const struct seal *seal, struct seal_peer *peer, unsigned index);

/* seal_epoch_start makes `slot` a fresh record of `epoch`. */
void seal_epoch_start(struct seal_epoch *slot, uint64_t epoch);
/* seal_epoch_find returns the slot of `epoch`, or NULL. */
struct seal_epoch *seal_epoch_find(struct seal_peer *peer, uint64_t epoch);

#endif
