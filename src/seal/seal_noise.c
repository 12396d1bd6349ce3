/* seal_noise.c: the Noise Protocol Framework (revision 34), one pattern of it.
 *
 *   initiator                                   responder
 *      | ---- e ------------------------------->    |
 *      | <--- e, ee, s, es ---------------------    |
 *      | ---- s, se, psk ---------------------->    |
 *
 * The words of the pattern appear below as they do there. Three traps: with a psk in the pattern
 * every `e` is mixed into the key as well as into the hash; the psk itself enters at its place in
 * message 3 and nowhere else; a nonce is four zero bytes and a little-endian counter. HKDF is
 * Noise's own over HMAC, and HMAC over BLAKE2b has a block of 128 bytes; BLAKE2b's keyed mode is
 * something else. The test holds this file to the published vector. */
#include "seal_noise.h"
#include "ensure.h"
#include <sodium.h>
#include <string.h>

#define BLOCK 128 /* bytes of a BLAKE2b block */

static const char NAME[] = "Noise_XXpsk3_25519_ChaChaPoly_BLAKE2b";

_Static_assert(sizeof NAME - 1 <= NOISE_HASH, "a name that fits is padded, not hashed");

/* --- hash, HMAC, HKDF */

static void hash_two(uint8_t out[NOISE_HASH], struct slice first, struct slice second)
{
    crypto_generichash_blake2b_state state;

    crypto_generichash_blake2b_init(&state, NULL, 0, NOISE_HASH);
    crypto_generichash_blake2b_update(&state, first.data, first.size);
    crypto_generichash_blake2b_update(&state, second.data, second.size);
    crypto_generichash_blake2b_final(&state, out, NOISE_HASH);
    sodium_memzero(&state, sizeof state);
}

static void hmac(uint8_t out[NOISE_HASH], const uint8_t key[NOISE_HASH], struct slice data)
{
    uint8_t inner[BLOCK], outer[BLOCK], digest[NOISE_HASH];

    memset(inner, 0x36, sizeof inner);
    memset(outer, 0x5c, sizeof outer);
    for (unsigned i = 0; i < NOISE_HASH; i++) {
        inner[i] ^= key[i];
        outer[i] ^= key[i];
    }
    hash_two(digest, slice_of(inner, sizeof inner), data);
    hash_two(out, slice_of(outer, sizeof outer), slice_of(digest, sizeof digest));
    sodium_memzero(inner, sizeof inner);
    sodium_memzero(outer, sizeof outer);
    sodium_memzero(digest, sizeof digest);
}

/* HKDF(chaining key, input) with `count` outputs, 2 or 3. */
static void hkdf(const uint8_t ck[NOISE_HASH], struct slice input, unsigned count,
                 uint8_t out[][NOISE_HASH])
{
    uint8_t temp[NOISE_HASH], text[NOISE_HASH + 1];

    hmac(temp, ck, input);
    text[0] = 1;
    hmac(out[0], temp, slice_of(text, 1));
    for (unsigned i = 1; i < count; i++) {
        memcpy(text, out[i - 1], NOISE_HASH);
        text[NOISE_HASH] = (uint8_t)(i + 1);
        hmac(out[i], temp, slice_of(text, sizeof text));
    }
    sodium_memzero(temp, sizeof temp);
    sodium_memzero(text, sizeof text);
}

/* --- the symmetric state */

static void mix_hash(struct seal_noise *noise, struct slice data)
{
    hash_two(noise->h, slice_of(noise->h, NOISE_HASH), data);
}

static void key_set(struct seal_noise *noise, const uint8_t key[NOISE_HASH])
{
    memcpy(noise->k, key, NOISE_KEY);
    noise->has_key = true;
    noise->nonce = 0;
}

static void mix_key(struct seal_noise *noise, const uint8_t input[NOISE_KEY])
{
    uint8_t out[2][NOISE_HASH];

    hkdf(noise->ck, slice_of(input, NOISE_KEY), 2, out);
    memcpy(noise->ck, out[0], NOISE_HASH);
    key_set(noise, out[1]);
    sodium_memzero(out, sizeof out);
}

static void mix_key_and_hash(struct seal_noise *noise, const uint8_t input[NOISE_KEY])
{
    uint8_t out[3][NOISE_HASH];

    hkdf(noise->ck, slice_of(input, NOISE_KEY), 3, out);
    memcpy(noise->ck, out[0], NOISE_HASH);
    mix_hash(noise, slice_of(out[1], NOISE_HASH));
    key_set(noise, out[2]);
    sodium_memzero(out, sizeof out);
}

static void nonce_next(struct seal_noise *noise, uint8_t nonce[12])
{
    memset(nonce, 0, 12);
    for (unsigned i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(noise->nonce >> (8 * i));
    noise->nonce++;
}

static void encrypt_and_hash(struct seal_noise *noise, struct slice plain, struct writer *out)
{
    uint8_t nonce[12];
    uint8_t *room = write_room(out, plain.size + NOISE_TAG);

    if (!room)
        return;
    ensure(noise->has_key);
    nonce_next(noise, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(room, NULL, plain.data, plain.size, noise->h,
                                              NOISE_HASH, NULL, nonce, noise->k);
    mix_hash(noise, slice_of(room, plain.size + NOISE_TAG));
}

static bool decrypt_and_hash(struct seal_noise *noise, struct slice sealed, uint8_t *plain)
{
    uint8_t nonce[12];

    ensure(noise->has_key);
    if (sealed.size < NOISE_TAG)
        return false;
    nonce_next(noise, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed.data, sealed.size,
                                                  noise->h, NOISE_HASH, nonce, noise->k) != 0)
        return false;
    mix_hash(noise, sealed);
    return true;
}

/* Mixes what a secret of ours and a key of theirs agree on. */
static bool mix_dh(struct seal_noise *noise, const uint8_t secret[32], const uint8_t theirs[32])
{
    uint8_t shared[NOISE_KEY];
    bool is_good = crypto_scalarmult(shared, secret, theirs) == 0;

    if (is_good)
        mix_key(noise, shared);
    sodium_memzero(shared, sizeof shared);
    return is_good;
}

/* es is the initiator's e with the responder's s, se the other way round. */
static bool mix_es(struct seal_noise *noise)
{
    return noise->is_initiator ? mix_dh(noise, noise->e, noise->rs)
                               : mix_dh(noise, noise->s, noise->re);
}

static bool mix_se(struct seal_noise *noise)
{
    return noise->is_initiator ? mix_dh(noise, noise->s, noise->re)
                               : mix_dh(noise, noise->e, noise->rs);
}

/* --- the messages */

enum status seal_noise_init(struct seal_noise *noise, const struct seal_noise_config *config)
{
    memset(noise, 0, sizeof *noise);
    noise->is_initiator = config->is_initiator;
    memcpy(noise->h, NAME, sizeof NAME - 1);
    memcpy(noise->ck, noise->h, NOISE_HASH);
    mix_hash(noise, config->prologue);
    memcpy(noise->psk, config->psk, NOISE_KEY);
    memcpy(noise->s, config->s_secret, NOISE_KEY);
    memcpy(noise->e, config->e_secret, NOISE_KEY);
    if (crypto_scalarmult_base(noise->s_public, noise->s) != 0 ||
        crypto_scalarmult_base(noise->e_public, noise->e) != 0)
        return STATUS_BAD;
    return STATUS_OK;
}

static void e_write(struct seal_noise *noise, struct writer *out)
{
    write_bytes(out, noise->e_public, NOISE_KEY);
    mix_hash(noise, slice_of(noise->e_public, NOISE_KEY));
    mix_key(noise, noise->e_public);
}

static bool e_read(struct seal_noise *noise, struct reader *in)
{
    read_bytes(in, noise->re, NOISE_KEY);
    mix_hash(noise, slice_of(noise->re, NOISE_KEY));
    mix_key(noise, noise->re);
    return !in->is_bad;
}

static void s_write(struct seal_noise *noise, struct writer *out)
{
    encrypt_and_hash(noise, slice_of(noise->s_public, NOISE_KEY), out);
}

static bool s_read(struct seal_noise *noise, struct reader *in)
{
    struct slice sealed = read_slice(in, NOISE_KEY + NOISE_TAG);

    return !in->is_bad && decrypt_and_hash(noise, sealed, noise->rs);
}

enum status seal_noise_write(struct seal_noise *noise, struct slice payload, struct writer *out)
{
    size_t before = out->size;
    bool is_good = true;

    ensure(noise->step < 3 && noise->is_initiator == (noise->step != 1));
    if (noise->step < 2)
        e_write(noise, out);
    if (noise->step == 1) {
        is_good = mix_dh(noise, noise->e, noise->re);
        s_write(noise, out);
        is_good = is_good && mix_es(noise);
    }
    if (noise->step == 2) {
        s_write(noise, out);
        is_good = mix_se(noise);
        mix_key_and_hash(noise, noise->psk);
    }
    encrypt_and_hash(noise, payload, out);
    noise->step++;
    if (out->is_full || !is_good)
        out->size = before; /* sealed with less than the pattern promises: not to be sent */
    if (out->is_full)
        return STATUS_FULL;
    return is_good ? STATUS_OK : STATUS_BAD_SEAL;
}

enum status seal_noise_read(struct seal_noise *noise, struct slice message, uint8_t *payload)
{
    struct reader in = reader_over(message);
    bool is_good = true;

    ensure(noise->step < 3 && noise->is_initiator == (noise->step == 1));
    if (noise->step < 2)
        is_good = e_read(noise, &in);
    if (noise->step == 1)
        is_good =
            is_good && mix_dh(noise, noise->e, noise->re) && s_read(noise, &in) && mix_es(noise);
    if (noise->step == 2) {
        is_good = s_read(noise, &in) && mix_se(noise);
        if (is_good)
            mix_key_and_hash(noise, noise->psk);
    }
    is_good = is_good && decrypt_and_hash(noise, read_slice(&in, reader_left(&in)), payload);
    noise->step++;
    return is_good ? STATUS_OK : STATUS_BAD_SEAL;
}

void seal_noise_split(const struct seal_noise *noise, uint8_t ours[NOISE_KEY],
                      uint8_t theirs[NOISE_KEY])
{
    uint8_t out[2][NOISE_HASH];

    ensure(noise->step == 3);
    hkdf(noise->ck, SLICE_NONE, 2, out);
    memcpy(noise->is_initiator ? ours : theirs, out[0], NOISE_KEY);
    memcpy(noise->is_initiator ? theirs : ours, out[1], NOISE_KEY);
    sodium_memzero(out, sizeof out);
}
