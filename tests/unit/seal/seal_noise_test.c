/* The handshake against the published vector of exactly this name: cacophony's file, as the snow
 * project carries it (tests/vectors/cacophony.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include "seal_noise.h"

static const char PROLOGUE[] = "4a6f686e2047616c74";
static const char PSK[] = "54686973206973206d7920417573747269616e20706572737065637469766521";
static const char *const STATIC[] = {
    "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
    "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893"};
static const char *const EPHEMERAL[] = {
    "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
    "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"};
static const char HASH[] = "46b5997dfa51492ae9be5b611748455e83aebdbc2ea3c47d264ec6dd408cc076"
                           "e962ff056890c60398fe3e7a430bbe057f34383a84df9ff99391266dcfd638b0";
static const char *const PAYLOADS[] = {"4c756477696720766f6e204d69736573",
                                       "4d757272617920526f746862617264",
                                       "462e20412e20486179656b",
                                       "4361726c204d656e676572",
                                       "4a65616e2d426170746973746520536179",
                                       "457567656e2042f6686d20766f6e2042617765726b"};
static const char *const MESSAGES[] = {
    "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79440aa831d1e3bbd16bd7ffda87e9f7"
    "b6eeca2510006499a573ac27af3392ed1b69",
    "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381a78489d56c9e2ac962826f2568"
    "4980b25244dbfd505b7d903a94d4f4fd84004a1c7fbe94d686bc4c1f67259364f6f2a41cb40bf5198b9b3975be2c"
    "dd49d3e065a554e12c477d82029fabc6555bc1",
    "291dfeff6eff386e29adb0bdbd5a1ae9e09de4449c8695d109adcb63e80e489555792a3e9150eff75d6d45571f82"
    "4ed231173cb66e31e7da914241f86d0cbb678335ffe768a7445d2f5bc1",
    "6579dd60eb5e6a8b29dd60004289f5d3c2f69fcdbf683a869f59a8",
    "24715fd39c3c7606e81b26e69e47b54d043d9d87c512f9417bae51ab48ebb17722",
    "e49194a013d873712318643acbf0e3851086326bb168c500a766439ff543a7a1e2deb3215c"};

static struct slice unhex(const char *hex, uint8_t *room)
{
    size_t size = 0;
    assert_int_equal(sodium_hex2bin(room, 512, hex, strlen(hex), NULL, &size, NULL), 0);
    return slice_of(room, size);
}

static void begin(struct seal_noise side[2])
{
    uint8_t prologue[512], psk[512], s[512], e[512];
    for (int i = 0; i < 2; i++) {
        struct seal_noise_config config = {.is_initiator = i == 0,
                                           .prologue = unhex(PROLOGUE, prologue),
                                           .psk = unhex(PSK, psk).data,
                                           .s_secret = unhex(STATIC[i], s).data,
                                           .e_secret = unhex(EPHEMERAL[i], e).data};
        assert_int_equal(seal_noise_init(&side[i], &config), STATUS_OK);
    }
}

static void published_vector(void **state)
{
    (void)state;
    struct seal_noise side[2];
    uint8_t room[512], expected[512], got[512], opened[512], keys[2][2][32], nonce[12] = {0};
    begin(side);
    for (unsigned i = 0; i < 3; i++) {
        struct slice payload = unhex(PAYLOADS[i], room), message = unhex(MESSAGES[i], expected);
        struct writer out = writer_over(got, sizeof got);
        assert_int_equal(seal_noise_write(&side[i % 2], payload, &out), STATUS_OK);
        assert_true(slice_equal(writer_done(&out), message));
        assert_int_equal(seal_noise_read(&side[1 - i % 2], message, opened), STATUS_OK);
        assert_memory_equal(opened, payload.data, payload.size);
    }
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(side[i].h, unhex(HASH, room).data, NOISE_HASH);
        seal_noise_split(&side[i], keys[i][0], keys[i][1]);
    }
    assert_memory_equal(keys[0][0], keys[1][1], 32);
    assert_memory_equal(keys[0][1], keys[1][0], 32);
    /* Messages 4 and 6 are the responder's and 5 the initiator's, as transport messages. */
    for (unsigned i = 3; i < 6; i++) {
        struct slice payload = unhex(PAYLOADS[i], room), message = unhex(MESSAGES[i], expected);
        nonce[4] = i == 5;
        crypto_aead_chacha20poly1305_ietf_encrypt(got, NULL, payload.data, payload.size, NULL, 0,
                                                  NULL, nonce, keys[i % 2][0]);
        assert_memory_equal(got, message.data, message.size);
    }
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[3][512], opened[512];
    for (unsigned at = 0; at < 3; at++) {
        struct slice message = unhex(MESSAGES[at], bytes[at]);
        for (size_t i = 0; i < message.size; i += 5) {
            struct seal_noise side[2];
            uint8_t room[512], copy[512];
            enum status status = STATUS_OK;
            begin(side);
            for (unsigned m = 0; m <= at; m++) {
                struct writer out = writer_over(room, sizeof room);
                uint8_t payload[512];
                struct slice now = unhex(MESSAGES[m], copy);
                assert_int_equal(seal_noise_write(&side[m % 2], unhex(PAYLOADS[m], payload), &out),
                                 STATUS_OK);
                /* bit 7 of the last byte of an X25519 key is ignored by definition: use bit 0 */
                if (m == at)
                    copy[i] ^= 1;
                status = seal_noise_read(&side[1 - m % 2], now, opened);
            }
            assert_int_equal(status, STATUS_BAD_SEAL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(published_vector),
                                       cmocka_unit_test(every_flipped_bit_is_refused)};
    return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
