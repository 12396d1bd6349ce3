/* seal_noise.h: Noise_XXpsk3_25519_ChaChaPoly_BLAKE2b, the handshake of a stream. Private. */
#ifndef GOSSAMER_SEAL_NOISE_H
#define GOSSAMER_SEAL_NOISE_H

#include "bytes.h"
#include "status.h"

#define NOISE_HASH 64 /* bytes of BLAKE2b-512 */
#define NOISE_KEY 32
#define NOISE_TAG 16
/* What each of the three messages adds to its payload, in bytes. */
#define NOISE_FIRST (NOISE_KEY + NOISE_TAG)
#define NOISE_SECOND (NOISE_KEY + NOISE_KEY + 2 * NOISE_TAG)
#define NOISE_THIRD (NOISE_KEY + 2 * NOISE_TAG)

/* What both sides must know before. All copied. */
struct seal_noise_config {
    bool is_initiator;
    struct slice prologue;
    const uint8_t *psk;      /* 32 */
    const uint8_t *s_secret; /* 32, our static X25519 key */
    const uint8_t *e_secret; /* 32 fresh random bytes, used once */
};

struct seal_noise {
    bool is_initiator, has_key;
    uint8_t step; /* messages done: 0 to 3 */
    uint64_t nonce;
    uint8_t ck[NOISE_HASH], h[NOISE_HASH], k[NOISE_KEY];
    uint8_t s[NOISE_KEY], e[NOISE_KEY]; /* our secrets */
    uint8_t s_public[NOISE_KEY], e_public[NOISE_KEY];
    uint8_t rs[NOISE_KEY], re[NOISE_KEY]; /* the other side's public keys */
    uint8_t psk[NOISE_KEY];
};

/* seal_noise_init begins a handshake. OK, or BAD for a secret of no use. */
enum status seal_noise_init(struct seal_noise *noise,
                            const struct seal_noise_config *config) MUST_USE;
/* seal_noise_write appends the next message, which is ours. OK; FULL; BAD_SEAL when the other
 * side's keys agree on nothing. */
enum status seal_noise_write(struct seal_noise *noise, struct slice payload,
                             struct writer *out) MUST_USE;
/* seal_noise_read takes the next message, which is theirs, and puts its payload (message size less
 * the constant above) into `payload`. OK; BAD_SEAL. After a failure the handshake is over. */
enum status seal_noise_read(struct seal_noise *noise, struct slice message,
                            uint8_t *payload) MUST_USE;
/* seal_noise_split gives the keys of both directions after the third message. */
void seal_noise_split(const struct seal_noise *noise, uint8_t ours[NOISE_KEY],
                      uint8_t theirs[NOISE_KEY]);

#endif
