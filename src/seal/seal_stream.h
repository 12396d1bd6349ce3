/* seal_stream.h: the private half of a stream, for this room and its tests. */
#ifndef GOSSAMER_SEAL_STREAM_H
#define GOSSAMER_SEAL_STREAM_H

#include "seal_impl.h"
#include "seal_noise.h"
#include <sodium.h>

#define STREAM_PREAMBLE_SIZE 8
#define STREAM_VERSION 2u /* what travels inside as well: proto/frame.md */
#define STREAM_HEADER_SIZE crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define STREAM_TAG_SIZE crypto_secretstream_xchacha20poly1305_ABYTES
#define STREAM_SEALED_MAX (8 + SEAL_STREAM_PLAIN_MAX + STREAM_TAG_SIZE)
#define STREAM_REKEY_BYTES (UINT64_C(1) << 30)
#define STREAM_REKEY_MS UINT64_C(3600000)

/* What we wait for. */
enum stream_state {
    STREAM_PREAMBLE,
    STREAM_FIRST,   /* responder */
    STREAM_SECOND,  /* initiator */
    STREAM_THIRD,   /* responder */
    STREAM_HEADER,  /* of the other side's secretstream */
    STREAM_CONFIRM, /* initiator: the responder's empty record */
    STREAM_RECORDS,
    STREAM_CLOSED, /* something failed */
};

struct seal_stream {
    struct seal *seal; /* borrowed */
    bool is_initiator, is_ready;
    enum stream_state state;
    uint8_t ours[STREAM_PREAMBLE_SIZE]; /* our preamble */
    uint16_t key_id_seen;
    uint16_t key_id;                   /* of the key in use */
    uint8_t peer_key[PUBLIC_KEY_SIZE]; /* Ed25519, proven once is_ready */
    struct seal_noise noise;           /* wiped after the handshake */
    uint8_t key_theirs[NOISE_KEY];     /* until their header comes */
    crypto_secretstream_xchacha20poly1305_state push, pull;
    uint64_t pushed;      /* bytes sealed since the last change of key */
    uint64_t rekey_ms;    /* hybrid clock of that change, 0 before the first record */
    struct buffer in;     /* the beginning of the step we wait for; at most one record */
    struct buffer opened; /* the plaintext of the last record */
};

#endif
