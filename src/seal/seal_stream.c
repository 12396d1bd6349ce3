/* seal_stream.c: the secure channel of one TCP connection.
 *
 *   initiator                                                     responder
 *   preamble   ------------------------>   <------------------------ preamble
 *   e          ------------------------>
 *                                          <-------- e, ee, s, es (Ed25519 key)
 *   s, se, psk (Ed25519 key) | header -->                              READY
 *   READY                                  <-------- header | empty record
 *   records    ------------------------>   <------------------------ records
 *
 *   preamble  magic u32 | version u8 | key id u16 | 0
 *   record    length u16 | secretstream ( stamp 8 | plain ), length is that of what follows
 *
 * Both preambles leave at once, so that a wrong cluster key can be named on either side, and both
 * are bound by the handshake, so that nobody can change them. Handshake messages have fixed sizes
 * and need no lengths. XX proves X25519 keys; the Ed25519 key inside must convert to the proven
 * one. The initiator learns from the first record, and not before, that the responder has the
 * cluster key.
 *
 * The header of a secretstream comes from our entropy: libsodium's init_push draws it itself, but
 * apart from that prepares exactly what init_pull prepares from a given header. */
#include "seal_stream.h"
#include "ensure.h"
#include <stdlib.h>

#define MAGIC 0x47534d52u
#define PROLOGUE_SIZE (2 * STREAM_PREAMBLE_SIZE + CLUSTER_ID_SIZE)
#define STAMP_MS(stamp) ((stamp) >> 16)

_Static_assert(SEAL_STREAM_OVERHEAD == 2 + 8 + STREAM_TAG_SIZE, "as counted there");
_Static_assert(STREAM_SEALED_MAX <= UINT16_MAX, "the length has two bytes");
_Static_assert(NOISE_THIRD + PUBLIC_KEY_SIZE + 2 * STREAM_HEADER_SIZE + SEAL_STREAM_OVERHEAD +
                       NOISE_SECOND + PUBLIC_KEY_SIZE <=
                   2 * SEAL_STREAM_HANDSHAKE_MAX,
               "each step's output fits");

struct seal_stream *seal_stream_new(struct seal *seal, bool is_initiator)
{
    struct seal_stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        return NULL;
    stream->seal = seal;
    stream->is_initiator = is_initiator;
    buffer_init(&stream->in, 2 + STREAM_SEALED_MAX);
    buffer_init(&stream->opened, STREAM_SEALED_MAX);
    return stream;
}

void seal_stream_delete(struct seal_stream *stream)
{
    if (!stream)
        return;
    if (stream->opened.data)
        sodium_memzero(stream->opened.data, stream->opened.capacity);
    buffer_close(&stream->in);
    buffer_close(&stream->opened);
    sodium_memzero(stream, sizeof *stream);
    free(stream);
}

const uint8_t *seal_stream_peer_key(const struct seal_stream *stream)
{
    return stream->is_ready ? stream->peer_key : NULL;
}

uint16_t seal_stream_key_id(const struct seal_stream *stream)
{
    return stream->is_ready ? stream->key_id : 0;
}

uint16_t seal_stream_key_id_seen(const struct seal_stream *stream)
{
    return stream->key_id_seen;
}

enum status seal_stream_begin(struct seal_stream *stream, struct writer *out)
{
    struct writer ours = writer_over(stream->ours, sizeof stream->ours);

    write_u32(&ours, MAGIC);
    write_u8(&ours, STREAM_VERSION);
    write_u16(&ours, stream->seal->ring.keys[0].id);
    write_u8(&ours, 0);
    write_slice(out, writer_done(&ours));
    return out->is_full ? STATUS_FULL : STATUS_OK;
}

/* --- records */

/* Changes the key after a gigabyte or an hour; the hour is read from the stamps, since the core has
 * no other clock. The other side follows the tag by itself. */
static uint8_t record_tag(struct seal_stream *stream, uint64_t stamp, size_t size)
{
    stream->pushed += size;
    if (stream->rekey_ms == 0)
        stream->rekey_ms = STAMP_MS(stamp);
    if (stream->pushed < STREAM_REKEY_BYTES && STAMP_MS(stamp) < stream->rekey_ms + STREAM_REKEY_MS)
        return crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    stream->pushed = 0;
    stream->rekey_ms = STAMP_MS(stamp);
    return crypto_secretstream_xchacha20poly1305_TAG_REKEY;
}

static enum status record_push(struct seal_stream *stream, uint64_t stamp, struct slice plain,
                               struct writer *out)
{
    SCRATCH uint8_t text[8 + SEAL_STREAM_PLAIN_MAX];
    size_t sealed = 8 + plain.size + STREAM_TAG_SIZE;

    if (out->is_full || out->capacity - out->size < 2 + sealed)
        return STATUS_FULL;
    bytes_store_u64(text, stamp);
    if (plain.size)
        memcpy(text + 8, plain.data, plain.size);
    write_u16(out, (uint16_t)sealed);
    crypto_secretstream_xchacha20poly1305_push(&stream->push, write_room(out, sealed), NULL, text,
                                               8 + plain.size, NULL, 0,
                                               record_tag(stream, stamp, sealed));
    return STATUS_OK;
}

enum status seal_stream_seal(struct seal_stream *stream, uint64_t stamp, struct slice plain,
                             struct writer *out)
{
    if (stream->state == STREAM_CLOSED)
        return STATUS_CLOSED;
    if (!stream->is_ready)
        return STATUS_NOT_READY;
    if (plain.size > SEAL_STREAM_PLAIN_MAX)
        return STATUS_TOO_LARGE;
    return record_push(stream, stamp, plain, out);
}

static enum status record_pull(struct seal_stream *stream, struct slice sealed,
                               struct seal_stream_event *event)
{
    unsigned char tag;

    buffer_clear(&stream->opened, SIZE_MAX);
    uint8_t *room = buffer_reserve(&stream->opened, sealed.size);
    if (!room)
        return STATUS_MEMORY;
    if (crypto_secretstream_xchacha20poly1305_pull(&stream->pull, room, NULL, &tag, sealed.data,
                                                   sealed.size, NULL, 0) != 0)
        return STATUS_BAD_SEAL;
    if (tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE &&
        tag != crypto_secretstream_xchacha20poly1305_TAG_REKEY)
        return STATUS_BAD;
    event->kind = SEAL_STREAM_RECORD;
    event->stamp = bytes_load_u64(room);
    event->plain = slice_of(room + 8, sealed.size - STREAM_TAG_SIZE - 8);
    return STATUS_OK;
}

/* --- the handshake, one function per message that arrives */

static void psk_make(const struct seal *seal, unsigned key, uint8_t psk[NOISE_KEY])
{
    static const char domain[] = "gossamer-tcp-1";
    uint8_t text[sizeof domain - 1 + CLUSTER_ID_SIZE];

    memcpy(text, domain, sizeof domain - 1);
    memcpy(text + sizeof domain - 1, seal->ring.cluster_id, CLUSTER_ID_SIZE);
    crypto_generichash(psk, NOISE_KEY, text, sizeof text, seal->ring.keys[key].key, SEAL_KEY_SIZE);
}

static enum status noise_begin(struct seal_stream *stream, struct slice theirs, unsigned key)
{
    struct seal *seal = stream->seal;
    struct slice ours = slice_of(stream->ours, sizeof stream->ours);
    uint8_t text[PROLOGUE_SIZE], psk[NOISE_KEY], e_secret[NOISE_KEY];
    struct writer prologue = writer_over(text, sizeof text);
    struct seal_noise_config config = {.is_initiator = stream->is_initiator,
                                       .psk = psk,
                                       .s_secret = seal->identity->x_secret,
                                       .e_secret = e_secret};

    write_slice(&prologue, stream->is_initiator ? ours : theirs);
    write_slice(&prologue, stream->is_initiator ? theirs : ours);
    write_bytes(&prologue, seal->ring.cluster_id, CLUSTER_ID_SIZE);
    config.prologue = writer_done(&prologue);
    psk_make(seal, key, psk);
    seal->entropy.fill(seal->entropy.context, e_secret, sizeof e_secret);
    enum status status = seal_noise_init(&stream->noise, &config);
    sodium_memzero(psk, sizeof psk);
    sodium_memzero(e_secret, sizeof e_secret);
    return status;
}

/* The key of the handshake is the responder's primary if the initiator has it, else the
 * initiator's: so two peers of which one is behind a rotation still meet. The psk enters with the
 * third message; until then the responder does not know which of the two it is. */
static enum status preamble_take(struct seal_stream *stream, struct slice theirs,
                                 struct writer *out)
{
    struct reader in = reader_over(theirs);
    const struct seal_keyring *ring = &stream->seal->ring;
    bool is_ours = read_u32(&in) == MAGIC && read_u8(&in) == STREAM_VERSION;
    int key;

    if (!is_ours)
        return STATUS_FOREIGN;
    stream->key_id_seen = read_u16(&in);
    if (read_u8(&in) != 0)
        return STATUS_FOREIGN;
    stream->key_id = (uint16_t)(stream->ours[5] << 8 | stream->ours[6]);
    if (stream->is_initiator && seal_keyring_find(ring, stream->key_id_seen) >= 0)
        stream->key_id = stream->key_id_seen;
    key = seal_keyring_find(ring, stream->key_id);
    if (key < 0)
        return STATUS_UNKNOWN_KEY; /* our primary was removed since begin */
    enum status status = noise_begin(stream, theirs, (unsigned)key);
    if (status == STATUS_OK && stream->is_initiator)
        status = seal_noise_write(&stream->noise, SLICE_NONE, out);
    stream->state = stream->is_initiator ? STREAM_SECOND : STREAM_FIRST;
    return status;
}

/* The third message under our primary, or under the initiator's. */
static enum status third_read(struct seal_stream *stream, struct slice message)
{
    const struct seal_keyring *ring = &stream->seal->ring;
    struct seal_noise before = stream->noise;
    int other = seal_keyring_find(ring, stream->key_id_seen);
    enum status status = seal_noise_read(&stream->noise, message, stream->peer_key);

    if (status == STATUS_BAD_SEAL && other >= 0 && stream->key_id_seen != stream->key_id) {
        stream->noise = before;
        stream->key_id = stream->key_id_seen;
        psk_make(stream->seal, (unsigned)other, stream->noise.psk);
        status = seal_noise_read(&stream->noise, message, stream->peer_key);
    }
    sodium_memzero(&before, sizeof before);
    return status;
}

/* The Ed25519 key they claim must be the one whose X25519 form they proved. */
static enum status identity_check(struct seal_stream *stream)
{
    uint8_t converted[NOISE_KEY];

    if (crypto_sign_ed25519_pk_to_curve25519(converted, stream->peer_key) != 0 ||
        sodium_memcmp(converted, stream->noise.rs, NOISE_KEY) != 0)
        return STATUS_BAD_SEAL;
    return STATUS_OK;
}

/* The handshake is done: key our direction, send its header, remember the key of theirs. */
static enum status records_begin(struct seal_stream *stream, struct writer *out)
{
    struct seal_entropy *entropy = &stream->seal->entropy;
    uint8_t header[STREAM_HEADER_SIZE], ours[NOISE_KEY];

    seal_noise_split(&stream->noise, ours, stream->key_theirs);
    sodium_memzero(&stream->noise, sizeof stream->noise);
    entropy->fill(entropy->context, header, sizeof header);
    crypto_secretstream_xchacha20poly1305_init_pull(&stream->push, header, ours);
    sodium_memzero(ours, sizeof ours);
    write_bytes(out, header, sizeof header);
    stream->state = STREAM_HEADER;
    return out->is_full ? STATUS_FULL : STATUS_OK;
}

static enum status first_take(struct seal_stream *stream, struct slice message, struct writer *out)
{
    uint8_t nothing[1];
    struct slice ours = slice_of(stream->seal->identity->public_key, PUBLIC_KEY_SIZE);
    enum status status = seal_noise_read(&stream->noise, message, nothing);

    stream->state = STREAM_THIRD;
    return status == STATUS_OK ? seal_noise_write(&stream->noise, ours, out) : status;
}

static enum status second_take(struct seal_stream *stream, struct slice message, struct writer *out)
{
    struct slice ours = slice_of(stream->seal->identity->public_key, PUBLIC_KEY_SIZE);
    enum status status = seal_noise_read(&stream->noise, message, stream->peer_key);

    if (status == STATUS_OK)
        status = identity_check(stream);
    if (status == STATUS_OK)
        status = seal_noise_write(&stream->noise, ours, out);
    return status == STATUS_OK ? records_begin(stream, out) : status;
}

static enum status third_take(struct seal_stream *stream, struct slice message, struct writer *out,
                              struct seal_stream_event *event)
{
    enum status status = third_read(stream, message);

    if (status == STATUS_OK)
        status = identity_check(stream);
    if (status == STATUS_OK)
        status = records_begin(stream, out);
    if (status == STATUS_OK)
        status = record_push(stream, 0, SLICE_NONE, out);
    stream->is_ready = status == STATUS_OK;
    event->kind = SEAL_STREAM_READY;
    return status;
}

static enum status header_take(struct seal_stream *stream, struct slice header)
{
    crypto_secretstream_xchacha20poly1305_init_pull(&stream->pull, header.data, stream->key_theirs);
    sodium_memzero(stream->key_theirs, sizeof stream->key_theirs);
    stream->state = stream->is_initiator ? STREAM_CONFIRM : STREAM_RECORDS;
    return STATUS_OK;
}

static enum status record_take(struct seal_stream *stream, struct slice record,
                               struct seal_stream_event *event)
{
    struct slice sealed = slice_of(record.data + 2, record.size - 2);
    enum status status = record_pull(stream, sealed, event);

    if (status == STATUS_OK && stream->state == STREAM_CONFIRM) {
        if (event->plain.size != 0)
            return STATUS_BAD;
        *event = (struct seal_stream_event){.kind = SEAL_STREAM_READY};
        stream->is_ready = true;
        stream->state = STREAM_RECORDS;
    }
    return status;
}

/* --- the machine */

/* Tells how many bytes the step we wait for takes in all, from the `have` bytes at `data` that are
 * there: for a record that is two until its length is. 0: the length is out of bounds. */
static size_t step_size(const struct seal_stream *stream, const uint8_t *data, size_t have)
{
    switch (stream->state) {
    case STREAM_PREAMBLE:
        return STREAM_PREAMBLE_SIZE;
    case STREAM_FIRST:
        return NOISE_FIRST;
    case STREAM_SECOND:
        return NOISE_SECOND + PUBLIC_KEY_SIZE;
    case STREAM_THIRD:
        return NOISE_THIRD + PUBLIC_KEY_SIZE;
    case STREAM_HEADER:
        return STREAM_HEADER_SIZE;
    case STREAM_CONFIRM:
    case STREAM_RECORDS: {
        if (have < 2)
            return 2;
        size_t sealed = (size_t)(data[0] << 8 | data[1]);
        return sealed < 8 + STREAM_TAG_SIZE || sealed > STREAM_SEALED_MAX ? 0 : 2 + sealed;
    }
    case STREAM_CLOSED:
        break;
    }
    ensure_unreachable();
}

static enum status step_take(struct seal_stream *stream, struct slice step, struct writer *out,
                             struct seal_stream_event *event)
{
    switch (stream->state) {
    case STREAM_PREAMBLE:
        return preamble_take(stream, step, out);
    case STREAM_FIRST:
        return first_take(stream, step, out);
    case STREAM_SECOND:
        return second_take(stream, step, out);
    case STREAM_THIRD:
        return third_take(stream, step, out, event);
    case STREAM_HEADER:
        return header_take(stream, step);
    case STREAM_CONFIRM:
    case STREAM_RECORDS:
        return record_take(stream, step, event);
    case STREAM_CLOSED:
        break;
    }
    ensure_unreachable();
}

static void input_advance(struct slice *in, size_t size)
{
    in->data += size;
    in->size -= size;
}

/* Gathers one whole step: in place if `in` holds it, else piece by piece in the buffer. OK and
 * `step` set; INCOMPLETE when `in` is used up. */
static enum status step_gather(struct seal_stream *stream, struct slice *in, struct slice *step)
{
    if (stream->in.size == 0) {
        size_t size = step_size(stream, in->data, in->size);

        if (size == 0)
            return STATUS_BAD;
        if (in->size >= size && in->size >= 2) { /* so `size` is that of the whole record */
            *step = slice_of(in->data, size);
            input_advance(in, size);
            return STATUS_OK;
        }
    }
    for (;;) {
        size_t size = step_size(stream, stream->in.data, stream->in.size);
        size_t part = size - stream->in.size;

        if (size == 0)
            return STATUS_BAD;
        if (part == 0)
            break;
        if (in->size == 0)
            return STATUS_INCOMPLETE;
        if (part > in->size)
            part = in->size;
        if (!buffer_append(&stream->in, in->data, part))
            return STATUS_MEMORY;
        input_advance(in, part);
    }
    *step = slice_of(stream->in.data, stream->in.size);
    return STATUS_OK;
}

enum status seal_stream_feed(struct seal_stream *stream, struct slice *in, struct writer *out,
                             struct seal_stream_event *event)
{
    enum status status = STATUS_OK;

    *event = (struct seal_stream_event){.kind = SEAL_STREAM_MORE};
    if (stream->state == STREAM_CLOSED)
        return STATUS_CLOSED;
    while (status == STATUS_OK && event->kind == SEAL_STREAM_MORE && in->size > 0) {
        struct slice step;

        status = step_gather(stream, in, &step);
        if (status == STATUS_OK) {
            status = step_take(stream, step, out, event);
            buffer_clear(&stream->in, SIZE_MAX);
        }
    }
    if (status == STATUS_INCOMPLETE)
        return STATUS_OK;
    if (status == STATUS_BAD_SEAL && !stream->is_ready &&
        seal_keyring_find(&stream->seal->ring, stream->key_id_seen) < 0)
        status = STATUS_UNKNOWN_KEY; /* that is why */
    if (status != STATUS_OK) {
        *event = (struct seal_stream_event){.kind = SEAL_STREAM_MORE};
        stream->state = STREAM_CLOSED;
    }
    return status;
}
