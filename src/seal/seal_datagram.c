/* seal_datagram.c: one packet.
 *
 *   0      magic and version u8 | flags u8 | key id u16 | sender id8 | counter u64    in clear
 *   20     [F_HELLO: public key 32 | packet epoch 8]                                  in clear
 *   20/60  sealed ( stamp 8 | messages ) | tag 16
 *
 *   nonce  packet epoch 8 | sender id8 | counter 8
 *   bound  the clear header | cluster id 16 | receiver NodeID 32
 *
 * The nonce cannot repeat: the epoch is drawn anew by every process, so a disk that was lost,
 * copied or set back does not matter, and within a process the counter only grows. The hello
 * travels until the receiver has shown that it knows our epoch, and again when it falls silent: it
 * may have restarted and forgotten.
 *
 * Order matters when opening: everything is judged on the stack, and only a packet that opened may
 * move a window or enter the table. A forged packet costs its sender more than us, except that one
 * with a hello of an unknown key costs us a key agreement. */
#include "seal_impl.h"
#include "ensure.h"
#include "hash.h"
#include <sodium.h>

#define MAGIC 0xC0u /* high half of the first byte */
#define F_HELLO 0x01u
#define HEADER_SIZE 20
#define HELLO_SIZE 40
#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES
#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define AAD_SIZE_MAX (HEADER_SIZE + HELLO_SIZE + CLUSTER_ID_SIZE + NODE_ID_SIZE)
#define PLAIN_MAX (DATAGRAM_SIZE_MAX - DATAGRAM_OVERHEAD)
#define KEY_TRY 8
#define SILENCE 8 /* packets without an answer after which the hello is sent again */

_Static_assert(HEADER_SIZE + HELLO_SIZE + 8 + TAG_SIZE == DATAGRAM_OVERHEAD, "as counted there");
_Static_assert(NONCE_SIZE == 24, "epoch, sender, counter");

/* The clear part of a packet. */
struct clear {
    uint64_t sender, counter, epoch; /* epoch only with a hello */
    uint16_t key_id;
    bool has_hello;
    const uint8_t *public_key; /* in the packet, or NULL */
    struct slice header;       /* all of it, as bound */
    struct slice sealed;
};

/* What surrounds one act of sealing or opening. */
struct frame_of {
    uint8_t nonce[NONCE_SIZE];
    uint8_t aad[AAD_SIZE_MAX];
    size_t aad_size;
};

static void surround(struct frame_of *around, const struct seal *seal, const struct clear *clear,
                     const struct node_id *receiver)
{
    struct writer aad = writer_over(around->aad, sizeof around->aad);

    bytes_store_u64(around->nonce, clear->epoch);
    bytes_store_u64(around->nonce + 8, clear->sender);
    bytes_store_u64(around->nonce + 16, clear->counter);
    write_slice(&aad, clear->header);
    write_bytes(&aad, seal->ring.cluster_id, CLUSTER_ID_SIZE);
    write_bytes(&aad, receiver->bytes, NODE_ID_SIZE);
    ensure(!aad.is_full);
    around->aad_size = aad.size;
}

/* --- sealing */

static void clear_write(struct writer *out, const struct seal *seal, const struct clear *clear)
{
    write_u8(out, MAGIC | SEAL_VERSION);
    write_u8(out, clear->has_hello ? F_HELLO : 0);
    write_u16(out, clear->key_id);
    write_u64(out, clear->sender);
    write_u64(out, clear->counter);
    if (clear->has_hello) {
        write_bytes(out, seal->identity->public_key, PUBLIC_KEY_SIZE);
        write_u64(out, clear->epoch);
    }
}

/* A peer that seals with another key of ours than the primary may not have the primary: it is
 * answered in kind. Each eighth packet tries the primary, or two peers that both answer in kind
 * would go on for ever. */
static unsigned key_for(const struct seal *seal, const struct seal_peer *peer)
{
    int heard = peer && peer->key_id ? seal_keyring_find(&seal->ring, peer->key_id) : -1;

    return heard > 0 && peer->sent % KEY_TRY != 0 ? (unsigned)heard : 0;
}

enum status seal_datagram(struct seal *seal, uint64_t to_id8, uint64_t stamp, struct slice plain,
                          struct writer *out)
{
    struct seal_peer *peer = seal_peer_find(seal, to_id8);
    unsigned key = key_for(seal, peer);
    const uint8_t *pair = peer ? seal_peer_pair(seal, peer, key) : NULL;
    uint8_t text[8 + PLAIN_MAX];
    struct frame_of around;
    unsigned long long size = 0;

    if (!pair)
        return STATUS_UNKNOWN_PEER;
    struct clear clear = {.sender = seal->self,
                          .counter = peer->sent + 1,
                          .epoch = seal->epoch,
                          .key_id = seal->ring.keys[key].id,
                          .has_hello = !peer->is_acknowledged || peer->unanswered >= SILENCE};
    size_t head = HEADER_SIZE + (clear.has_hello ? HELLO_SIZE : 0);

    if (out->is_full || plain.size > PLAIN_MAX || clear.counter == 0 ||
        out->capacity - out->size < head + 8 + plain.size + TAG_SIZE)
        return STATUS_FULL;
    peer->sent = clear.counter;
    peer->unanswered = (uint8_t)(peer->unanswered + (peer->unanswered < SILENCE));
    clear.header = slice_of(out->data + out->size, head);
    clear_write(out, seal, &clear);
    bytes_store_u64(text, stamp);
    if (plain.size)
        memcpy(text + 8, plain.data, plain.size);
    surround(&around, seal, &clear, &peer->id);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out->data + out->size, &size, text, 8 + plain.size,
                                               around.aad, around.aad_size, NULL, around.nonce,
                                               pair);
    ensure(size == 8 + plain.size + TAG_SIZE);
    out->size += (size_t)size;
    return STATUS_OK;
}

/* --- opening */

static enum status clear_read(struct slice packet, struct clear *clear)
{
    struct reader in = reader_over(packet);
    uint8_t version = read_u8(&in), flags = read_u8(&in);

    memset(clear, 0, sizeof *clear);
    clear->key_id = read_u16(&in);
    clear->sender = read_u64(&in);
    clear->counter = read_u64(&in);
    clear->has_hello = (flags & F_HELLO) != 0;
    if (packet.size > 0 && version != (MAGIC | SEAL_VERSION))
        return STATUS_FOREIGN;
    if (clear->has_hello) {
        clear->public_key = read_slice(&in, PUBLIC_KEY_SIZE).data;
        clear->epoch = read_u64(&in);
    }
    if (in.is_bad || (flags & ~F_HELLO) || packet.size > DATAGRAM_SIZE_MAX ||
        reader_left(&in) < 8 + TAG_SIZE)
        return STATUS_BAD;
    clear->header = slice_of(packet.data, in.at);
    clear->sealed = slice_of(packet.data + in.at, packet.size - in.at);
    return STATUS_OK;
}

/* Opens under one epoch, without any effect on the table. */
static enum status epoch_open(const struct seal *seal, struct seal_peer *peer, unsigned key,
                              const struct clear *clear, uint8_t *room)
{
    const struct seal_epoch *slot = seal_epoch_find(peer, clear->epoch);
    const uint8_t *pair;
    struct frame_of around;

    if (peer->has_retired && peer->retired == clear->epoch)
        return STATUS_REPLAY;
    if (slot ? !seal_window_allows(&slot->window, clear->counter) : clear->counter == 0)
        return STATUS_REPLAY;
    pair = seal_peer_pair(seal, peer, key);
    if (!pair)
        return STATUS_BAD_SEAL;
    surround(&around, seal, clear, &seal->identity->id);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(room, NULL, NULL, clear->sealed.data,
                                                   clear->sealed.size, around.aad, around.aad_size,
                                                   around.nonce, pair) != 0)
        return STATUS_BAD_SEAL;
    return STATUS_OK;
}

/* Finds the epoch the packet opens under: the one it names, or the two we know. Sets clear->epoch.
 */
static enum status peer_open(const struct seal *seal, struct seal_peer *peer, unsigned key,
                             struct clear *clear, uint8_t *room)
{
    const struct seal_epoch *slots[] = {&peer->current, &peer->candidate};
    enum status answer = STATUS_UNKNOWN_PEER;

    if (clear->has_hello)
        return epoch_open(seal, peer, key, clear, room);
    for (unsigned i = 0; i < 2; i++) {
        enum status status;

        if (!slots[i]->is_known)
            continue;
        clear->epoch = slots[i]->epoch;
        status = epoch_open(seal, peer, key, clear, room);
        if (status == STATUS_OK)
            return STATUS_OK;
        if (answer != STATUS_REPLAY)
            answer = status;
    }
    return answer;
}

static void opened_fill(struct seal_opened *opened, const struct seal *seal,
                        const struct seal_peer *peer, const struct clear *clear,
                        const uint8_t *room)
{
    opened->from = clear->sender;
    opened->epoch = clear->epoch;
    opened->counter = clear->counter;
    opened->stamp = bytes_load_u64(room);
    opened->plain = slice_of(room + 8, clear->sealed.size - TAG_SIZE - 8);
    opened->is_stale = opened->stamp < seal->floor || opened->stamp < peer->floor;
}

/* The packet is authentic: only now does anything change. */
static void peer_heard(struct seal_peer *peer, const struct clear *clear,
                       struct seal_opened *opened)
{
    struct seal_epoch *slot = seal_epoch_find(peer, clear->epoch);

    if (!slot) {
        if (opened->is_stale && peer->candidate.is_known && !peer->is_old_candidate)
            return;
        slot = &peer->candidate;
        seal_epoch_start(slot, clear->epoch);
        peer->is_old_candidate = opened->is_stale;
        if (!opened->is_stale)
            peer->is_acknowledged = false; /* another process: it may know nothing of ours */
    }
    seal_window_accept(&slot->window, clear->counter);
    opened->is_verified = slot == &peer->current;
    opened->is_stale &= !opened->is_verified;
    if (!opened->is_stale)
        peer->key_id = clear->key_id;
    if (opened->is_verified)
        peer->unanswered = 0;
}

enum status seal_datagram_open(struct seal *seal, struct slice packet, uint8_t *room,
                               struct seal_opened *opened)
{
    struct clear clear;
    struct seal_peer stranger;
    enum status status = clear_read(packet, &clear);
    int key = status == STATUS_OK ? seal_keyring_find(&seal->ring, clear.key_id) : -1;
    struct seal_peer *peer = key >= 0 ? seal_peer_find(seal, clear.sender) : NULL;
    bool is_known = peer != NULL;

    memset(opened, 0, sizeof *opened);
    opened->key_id = clear.key_id;
    if (status != STATUS_OK)
        return status;
    if (key < 0)
        return STATUS_UNKNOWN_KEY;
    if (clear.sender == seal->self)
        return STATUS_BAD_SEAL; /* our own packet, sent back */
    if (!is_known && !clear.has_hello)
        return STATUS_UNKNOWN_PEER;
    if (is_known && clear.has_hello && memcmp(clear.public_key, peer->public_key, PUBLIC_KEY_SIZE))
        return STATUS_BAD_SEAL;
    if (!is_known) {
        peer = &stranger;
        if (seal_peer_make(peer, clear.public_key) != STATUS_OK || peer->id8 != clear.sender)
            return STATUS_BAD;
    }
    status = peer_open(seal, peer, (unsigned)key, &clear, room);
    if (status == STATUS_OK)
        opened_fill(opened, seal, peer, &clear, room);
    if (status == STATUS_OK && !is_known &&
        (opened->is_stale || !(peer = seal_peer_keep(seal, &stranger))))
        status = STATUS_UNKNOWN_PEER;
    if (status == STATUS_OK)
        peer_heard(peer, &clear, opened);
    if (!is_known)
        sodium_memzero(&stranger, sizeof stranger);
    return status;
}
