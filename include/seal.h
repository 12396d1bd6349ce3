/* seal.h: who a peer is, and that nobody else can read, forge or repeat what peers say to each
 * other (protocols.md parts 1 and 10, security.md section 2). Pure: entropy is injected, nothing
 * waits, nothing is static. The driver calls sodium_init once before anything here. */
#ifndef GOSSAMER_SEAL_H
#define GOSSAMER_SEAL_H

#include "bytes.h"
#include "limits.h"
#include "status.h"
#include "types.h"

/* Where random bytes come from: the operating system, or a seed in the simulator. */
struct seal_entropy {
    void (*fill)(void *context, void *into, size_t size); /* always succeeds */
    void *context;
};

/* --- identity */

#define SEAL_SEED_SIZE 32

/* What one peer is. Secret: keep in one place, wipe with seal_identity_wipe. */
struct seal_identity {
    uint8_t secret[64];                  /* Ed25519, libsodium's form: seed and public key */
    uint8_t public_key[PUBLIC_KEY_SIZE]; /* Ed25519 */
    uint8_t x_secret[32], x_public[32];  /* the X25519 pair derived from it */
    struct node_id id;                   /* BLAKE2b-256 of public_key */
};

/* seal_identity_from_seed derives everything from the 32 random bytes kept in the key file. OK;
 * BAD for a seed of zeros (a file that was never written). */
enum status seal_identity_from_seed(struct seal_identity *identity,
                                    const uint8_t seed[SEAL_SEED_SIZE]) MUST_USE;
/* seal_identity_wipe overwrites the secrets. */
void seal_identity_wipe(struct seal_identity *identity);

/* --- cluster keys */

#define SEAL_KEYS_MAX 4
#define SEAL_KEY_SIZE 32
#define SEAL_KEYRING_TEXT_MAX 512 /* bytes of the longest text form */

/* The cluster and its keys. keys[0] is the primary: it seals, except to a peer that is heard to
 * seal with another one of them; all of them open. */
struct seal_keyring {
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint64_t stamp, by; /* hybrid clock and peer of the last change; 0: as it was made */
    uint8_t count;      /* 1 to SEAL_KEYS_MAX in use */
    struct {
        uint16_t id; /* first two bytes of BLAKE2b-256(key) */
        uint8_t key[SEAL_KEY_SIZE];
    } keys[SEAL_KEYS_MAX];
};

/* seal_keyring_make draws a new cluster id and its first key. */
void seal_keyring_make(struct seal_keyring *ring, const struct seal_entropy *entropy);
/* seal_keyring_add appends a key. OK, also when the ring has it already; FULL; CONFLICT when a
 * different key has the same id (draw another one). */
enum status seal_keyring_add(struct seal_keyring *ring, const uint8_t key[SEAL_KEY_SIZE]) MUST_USE;
/* seal_keyring_find returns the index of the key with `id`, -1 when it is not in the ring. */
int seal_keyring_find(const struct seal_keyring *ring, uint16_t id);
/* seal_keyring_use makes the key with `id` the primary. OK, MISSING. */
enum status seal_keyring_use(struct seal_keyring *ring, uint16_t id) MUST_USE;
/* seal_keyring_drop takes the key with `id` out. OK; MISSING; CONFLICT for the primary. */
enum status seal_keyring_drop(struct seal_keyring *ring, uint16_t id) MUST_USE;
/* seal_keyring_newer tells whether change `a` of the ring comes after `b`: by stamp, then by peer.
 */
bool seal_keyring_newer(const struct seal_keyring *a, const struct seal_keyring *b);
/* seal_keyring_parse reads the file `cluster.key`: "gossamer-cluster-key 1", "cluster
 * <32 hex>", perhaps "changed <32 hex>", and one to four "key <64 hex>", the primary first. OK;
 * FOREIGN for another version of the format; BAD for anything else. `ring` is unchanged unless OK.
 */
enum status seal_keyring_parse(struct seal_keyring *ring, struct slice text) MUST_USE;
/* seal_keyring_write appends what seal_keyring_parse reads, at most SEAL_KEYRING_TEXT_MAX bytes.
 * OK, or FULL. */
enum status seal_keyring_write(const struct seal_keyring *ring, struct writer *out) MUST_USE;
/* seal_keyring_wipe overwrites the keys. */
void seal_keyring_wipe(struct seal_keyring *ring);

/* --- one process's sealing state */

struct seal;

/* What seal_new is told. */
struct seal_config {
    const struct seal_identity *identity; /* borrowed for life */
    const struct seal_keyring *keyring;   /* copied */
    uint64_t epoch;                       /* packet epoch: 64 fresh random bits of this process */
    uint32_t peers_max;                   /* capacity of the peer table */
    struct seal_entropy entropy;          /* copied */
};

/* seal_new allocates the peer table; NULL without memory. The caller frees with seal_delete, after
 * every stream made from it. */
struct seal *seal_new(const struct seal_config *config);
/* seal_delete wipes and frees; NULL is allowed. */
void seal_delete(struct seal *seal);
/* seal_keyring_set replaces the ring: a key that is gone opens nothing from now on. Streams that
 * stand keep their own keys. The cluster id must be the same. */
void seal_keyring_set(struct seal *seal, const struct seal_keyring *ring);

/* --- peers: whose public key is known. id8 is the front of a NodeID (hash.h). */

/* seal_peer_add makes `public_key` known. OK, also when it is known already; FULL; BAD when it is
 * our own key or no valid Ed25519 key; CONFLICT when another key has the same id8. */
enum status seal_peer_add(struct seal *seal, const uint8_t public_key[PUBLIC_KEY_SIZE]) MUST_USE;
/* seal_peer_remove forgets a peer; it must prove its epoch again if it comes back. */
void seal_peer_remove(struct seal *seal, uint64_t id8);
/* seal_peer_known tells whether the public key is known. */
bool seal_peer_known(const struct seal *seal, uint64_t id8);
/* seal_peer_key returns the peer's Ed25519 key, valid until the peer is removed, or NULL. */
const uint8_t *seal_peer_key(const struct seal *seal, uint64_t id8);

/* --- datagrams (protocols.md 10.1) */

/* seal_datagram appends one sealed packet to `to_id8` with the sender's hybrid clock `stamp` and
 * the messages `plain`. OK; UNKNOWN_PEER; FULL when `plain` is longer than DATAGRAM_SIZE_MAX -
 * DATAGRAM_OVERHEAD or the packet does not fit `out` (nothing is written then). */
enum status seal_datagram(struct seal *seal, uint64_t to_id8, uint64_t stamp, struct slice plain,
                          struct writer *out) MUST_USE;

/* What a packet that opened says. After a failure only `key_id` means anything. */
struct seal_opened {
    uint64_t from;      /* id8, authenticated */
    uint64_t epoch;     /* the sender's packet epoch */
    uint64_t counter;   /* the packet's number in that epoch */
    bool is_verified;   /* false: perhaps a recording; answer a PING, take a cookie, no more */
    bool is_stale;      /* older than seal_floor allows: take a cookie, answer nothing */
    uint64_t stamp;     /* the sender's hybrid clock */
    struct slice plain; /* messages; lies in the caller's room */
    uint16_t key_id;    /* the cluster key it was sealed with, from the clear header */
};

/* seal_datagram_open opens one received packet into `room` of DATAGRAM_SIZE_MAX bytes. Nothing
 * changes unless it opens. OK; BAD for a shape no sender makes; FOREIGN for another magic or
 * version; UNKNOWN_KEY; UNKNOWN_PEER when neither the table nor the packet has the sender's key or
 * epoch, or the table has no room for it; BAD_SEAL; REPLAY. */
enum status seal_datagram_open(struct seal *seal, struct slice packet, uint8_t *room,
                               struct seal_opened *opened) MUST_USE;

/* seal_floor tells that packets stamped below `stamp` are old, for all peers or for that of `id8`
 * (0: all); it only ever rises. What is old and of an epoch that is not verified is a recording
 * unless it echoes a cookie: it is opened as stale, takes no place in the table, and pushes no
 * younger candidate out. */
void seal_floor(struct seal *seal, uint64_t id8, uint64_t stamp);

/* seal_cookie returns what to put into a PING to this peer; 0 when the peer is not known. It stays
 * the same until it is echoed. */
uint64_t seal_cookie(struct seal *seal, uint64_t to_id8);
/* seal_cookie_echoed is told of an ACK that opened as (`epoch`, `counter`) and carried `cookie`.
 * True: it was ours and fresh, so that epoch is now the verified one, and if it was not before,
 * nothing up to `counter` opens any more. The peer needs no F_HELLO from us either. */
bool seal_cookie_echoed(struct seal *seal, uint64_t from_id8, uint64_t epoch, uint64_t cookie,
                        uint64_t counter);

/* --- streams (protocols.md 10.2) */

struct seal_stream;

/* bytes of one record */
#define SEAL_STREAM_PLAIN_MAX (RECORD_SENT_SIZE + FRAME_CHUNK_MAX + FRAME_HEADER_SIZE)
#define SEAL_STREAM_OVERHEAD 27       /* bytes a record adds: length 2, stamp 8, secretstream 17 */
#define SEAL_STREAM_HANDSHAKE_MAX 256 /* bytes begin or one feed before READY writes at most */

enum seal_stream_kind {
    SEAL_STREAM_MORE,   /* all input is consumed; nothing happened that the caller must know */
    SEAL_STREAM_READY,  /* the other side has proved its identity and the cluster key */
    SEAL_STREAM_RECORD, /* `plain` and `stamp` are one record */
};

/* What one seal_stream_feed did. */
struct seal_stream_event {
    enum seal_stream_kind kind;
    uint64_t stamp;     /* RECORD: the sender's hybrid clock */
    struct slice plain; /* RECORD: valid until the next call on this stream */
};

/* seal_stream_new makes the channel of one TCP connection; `is_initiator` is who dialled. NULL
 * without memory. */
struct seal_stream *seal_stream_new(struct seal *seal, bool is_initiator);
/* seal_stream_delete wipes and frees; NULL is allowed. */
void seal_stream_delete(struct seal_stream *stream);
/* seal_stream_begin appends our preamble; call it once, first. OK, or FULL. */
enum status seal_stream_begin(struct seal_stream *stream, struct writer *out) MUST_USE;
/* seal_stream_feed consumes received bytes up to the next event and advances `in`; what must be
 * sent is appended to `out` (SEAL_STREAM_HANDSHAKE_MAX bytes suffice; after READY, nothing). Call
 * again until MORE. OK; FOREIGN for another protocol or version; UNKNOWN_KEY when the handshake
 * fails and the other side's primary key is not in our ring; BAD_SEAL for another failed handshake
 * (as with another cluster) or record; BAD for a length out of bounds; FULL when `out` is; MEMORY;
 * CLOSED after any earlier failure. After anything but OK the connection must be closed. */
enum status seal_stream_feed(struct seal_stream *stream, struct slice *in, struct writer *out,
                             struct seal_stream_event *event) MUST_USE;
/* seal_stream_seal appends one record. OK; NOT_READY before READY; CLOSED after a failure;
 * TOO_LARGE above SEAL_STREAM_PLAIN_MAX; FULL when it does not fit `out` (nothing changes). */
enum status seal_stream_seal(struct seal_stream *stream, uint64_t stamp, struct slice plain,
                             struct writer *out) MUST_USE;
/* seal_stream_peer_key returns the other side's proven Ed25519 key; NULL before READY. */
const uint8_t *seal_stream_peer_key(const struct seal_stream *stream);
/* seal_stream_key_id returns the id of the cluster key the stream was made with; 0 before READY. */
uint16_t seal_stream_key_id(const struct seal_stream *stream);
/* seal_stream_key_id_seen returns the key id of the other side's preamble, 0 before it came. */
uint16_t seal_stream_key_id_seen(const struct seal_stream *stream);

/* --- signed records: the fixed layouts of wire_record, never msgpack */

/* seal_record_sign signs `bytes` with Ed25519; deterministic. */
void seal_record_sign(const struct seal_identity *identity, struct slice bytes,
                      uint8_t signature[SIGNATURE_SIZE]);
/* seal_record_verify checks a signature. OK; BAD_SEAL when it is not that key's. */
enum status seal_record_verify(const uint8_t public_key[PUBLIC_KEY_SIZE], struct slice bytes,
                               const uint8_t signature[SIGNATURE_SIZE]) MUST_USE;

#endif
