/* Golden bytes: what peers of today send must be what peers of yesterday understood.
 *
 * proto/vectors/<name>.hex holds the bytes of one message or record in hexadecimal; a line that
 * starts with # is a comment. The values are those of sample.h and records.h. Without an argument
 * the program compares, decodes, cuts and damages them; `vectors_test --write` (from the root of
 * the repository) writes the files anew after a deliberate change of a format: see
 * proto/CHANGING.md. */
#include "hash.h"
#include "records.h"

#define VECTOR_SIZE_MAX 4096
#define VECTOR_COUNT_MAX 128

/* How the bytes of a vector are decoded. */
enum vector_kind {
    VECTOR_DATAGRAM,
    VECTOR_STREAM,
    VECTOR_FRAME,
    VECTOR_SELF,
    VECTOR_PLACE,
    VECTOR_SPACE,
    VECTOR_FOUNDING,
    VECTOR_CONTACT,
    VECTOR_ADDRESS,
};

struct vector {
    char name[64];
    enum vector_kind kind;
    const struct sample_layout *layout; /* of messages */
    uint8_t bytes[VECTOR_SIZE_MAX];
    size_t size;
};

struct vectors {
    struct vector all[VECTOR_COUNT_MAX];
    size_t count;
};

static struct writer vector_begin(struct vectors *vectors, const char *name, const char *suffix,
                                  enum vector_kind kind)
{
    assert_true(vectors->count < VECTOR_COUNT_MAX);
    struct vector *vector = &vectors->all[vectors->count];
    snprintf(vector->name, sizeof vector->name, "%s%s", name, suffix);
    vector->kind = kind;
    return writer_over(vector->bytes, sizeof vector->bytes);
}

static void vector_end(struct vectors *vectors, const struct writer *out)
{
    assert_false(out->is_full);
    vectors->all[vectors->count++].size = out->size;
}

static void vectors_make_messages(struct vectors *vectors)
{
    uint8_t arena[SAMPLE_ARENA];
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct message message;
        sample_golden(&sample_layouts[i], &message, arena);
        if (sample_layouts[i].carriers & WIRE_CARRIER_DATAGRAM) {
            struct writer out =
                vector_begin(vectors, sample_layouts[i].name, ".datagram", VECTOR_DATAGRAM);
            vectors->all[vectors->count].layout = &sample_layouts[i];
            assert_int_equal(wire_datagram_append(&out, &message), STATUS_OK);
            vector_end(vectors, &out);
        }
        if (sample_layouts[i].carriers & WIRE_CARRIER_STREAM) {
            struct writer out =
                vector_begin(vectors, sample_layouts[i].name, ".stream", VECTOR_STREAM);
            vectors->all[vectors->count].layout = &sample_layouts[i];
            assert_int_equal(wire_stream_encode(&out, &message), STATUS_OK);
            vector_end(vectors, &out);
        }
    }
}

static void vectors_make_self(struct vectors *vectors, const char *name, struct self_record self)
{
    struct writer out = vector_begin(vectors, name, ".record", VECTOR_SELF);
    out.size = record_self_bytes(&self, out.data);
    vector_end(vectors, &out);
}

static void vectors_make_parts(struct vectors *vectors)
{
    const struct frame frame = {0x31, FRAME_REPLY | FRAME_MORE, 2, 0x01020304, 2500, 0x1234};
    struct writer out = vector_begin(vectors, "frame", "", VECTOR_FRAME);
    wire_frame_write(&out, &frame);
    vector_end(vectors, &out);
    struct place_record place = record_place();
    out = vector_begin(vectors, "place", ".record", VECTOR_PLACE);
    assert_int_equal(wire_place_encode(&place, &out), STATUS_OK);
    vector_end(vectors, &out);
    struct space_record space = record_space();
    out = vector_begin(vectors, "namespace", ".record", VECTOR_SPACE);
    assert_int_equal(wire_space_encode(&space, &out), STATUS_OK);
    vector_end(vectors, &out);
    struct founding_record founding = record_founding();
    out = vector_begin(vectors, "founding", ".record", VECTOR_FOUNDING);
    assert_int_equal(wire_founding_encode(&founding, &out), STATUS_OK);
    vector_end(vectors, &out);
    struct contact contact = {
        .address = record_self().addresses[0], .epoch = 0x6162636465666768, .rtt_us = 0x01020304};
    record_fill(contact.public_key, sizeof contact.public_key, 0x20);
    out = vector_begin(vectors, "contact", "", VECTOR_CONTACT);
    wire_contact_write(&out, &contact);
    vector_end(vectors, &out);
    for (unsigned i = 0; i < 2; i++) {
        out = vector_begin(vectors, "address", i ? "-6" : "-4", VECTOR_ADDRESS);
        wire_address_write(&out, &record_self().addresses[i]);
        vector_end(vectors, &out);
    }
}

static int vectors_make(void **state)
{
    struct vectors *vectors = calloc(1, sizeof *vectors);
    assert_non_null(vectors);
    vectors_make_messages(vectors);
    vectors_make_self(vectors, "self", record_self());
    vectors_make_self(vectors, "self-greatest", record_self_greatest());
    vectors_make_parts(vectors);
    *state = vectors;
    return 0;
}

static int vectors_free(void **state)
{
    free(*state);
    return 0;
}

/* --- files */

static FILE *vector_open(const struct vector *vector, const char *mode)
{
    char path[128];
    snprintf(path, sizeof path, "proto/vectors/%s.hex", vector->name);
    FILE *file = fopen(path, mode);
    if (!file)
        fail_msg("%s cannot be opened (run from the root of the repository)", path);
    return file;
}

static void vector_write(const struct vector *vector)
{
    FILE *file = vector_open(vector, "w");
    fprintf(file, "# %s, %zu bytes\n", vector->name, vector->size);
    for (size_t i = 0; i < vector->size; i++)
        fprintf(file, "%02x%s", vector->bytes[i],
                i + 1 == vector->size || i % 16 == 15 ? "\n" : " ");
    assert_int_equal(fclose(file), 0);
}

static size_t vector_read(const struct vector *vector, uint8_t bytes[VECTOR_SIZE_MAX])
{
    FILE *file = vector_open(vector, "r");
    char line[256];
    size_t size = 0;
    while (fgets(line, sizeof line, file)) {
        unsigned value;
        int used;
        for (char *at = line; *at != '#' && sscanf(at, "%2x%n", &value, &used) == 1; at += used) {
            assert_true(size < VECTOR_SIZE_MAX);
            bytes[size++] = (uint8_t)value;
        }
    }
    fclose(file);
    return size;
}

static void vectors_write(void **state)
{
    const struct vectors *vectors = *state;
    for (size_t i = 0; i < vectors->count; i++)
        vector_write(&vectors->all[i]);
    printf("%zu vectors written to proto/vectors\n", vectors->count);
}

/* --- tests */

/* Decodes `size` bytes as what the vector is, and says in one status how it went. */
static enum status vector_decode(const struct vector *vector, const uint8_t *bytes, size_t size)
{
    union {
        struct message message;
        struct frame frame;
        struct self_record self;
        struct place_record place;
        struct space_record space;
        struct founding_record founding;
        struct contact contact;
        struct address address;
    } got;
    struct slice parts[2];
    struct reader in = reader_over(slice_of(bytes, size));
    switch (vector->kind) {
    case VECTOR_DATAGRAM:
        return wire_datagram_next(&in, &got.message);
    case VECTOR_STREAM:
        return wire_stream_decode(vector->layout->id, slice_of(bytes, size), &got.message);
    case VECTOR_FRAME:
        return wire_frame_read(slice_of(bytes, size), &got.frame);
    case VECTOR_SELF:
        return wire_self_decode(slice_of(bytes, size), record_cluster, &got.self, &parts[0],
                                &parts[1]);
    case VECTOR_PLACE:
        return wire_place_decode(slice_of(bytes, size), &got.place);
    case VECTOR_SPACE:
        return wire_space_decode(slice_of(bytes, size), &got.space);
    case VECTOR_FOUNDING:
        return wire_founding_decode(slice_of(bytes, size), &got.founding);
    case VECTOR_CONTACT:
        wire_contact_read(&in, &got.contact);
        return in.is_bad ? STATUS_BAD : STATUS_OK;
    case VECTOR_ADDRESS:
        wire_address_read(&in, &got.address);
        return in.is_bad ? STATUS_BAD : STATUS_OK;
    }
    return STATUS_UNSUPPORTED;
}

static enum status vector_decode_guarded(const struct vector *vector, const uint8_t *bytes,
                                         size_t size)
{
    uint8_t *copy = guard_copy(bytes, size);
    enum status status = vector_decode(vector, copy, size);
    guard_free(copy, size);
    return status;
}

static void encoders_write_the_golden_bytes(void **state)
{
    const struct vectors *vectors = *state;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector *vector = &vectors->all[i];
        uint8_t golden[VECTOR_SIZE_MAX];
        size_t size = vector_read(vector, golden);
        if (!slice_equal(slice_of(golden, size), slice_of(vector->bytes, vector->size)))
            fail_msg("%s: not the golden bytes (see proto/CHANGING.md)", vector->name);
    }
}

static void decoders_read_the_golden_messages(void **state)
{
    const struct vectors *vectors = *state;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector *vector = &vectors->all[i];
        uint8_t golden[VECTOR_SIZE_MAX], arena[SAMPLE_ARENA];
        size_t size = vector_read(vector, golden);
        assert_int_equal(vector_decode_guarded(vector, golden, size), STATUS_OK);
        if (!vector->layout)
            continue; /* records are compared field by field in their own tests */
        struct message expected, got;
        sample_golden(vector->layout, &expected, arena);
        struct reader in = reader_over(slice_of(golden, size));
        if (vector->kind == VECTOR_DATAGRAM)
            assert_int_equal(wire_datagram_next(&in, &got), STATUS_OK);
        else
            assert_int_equal(wire_stream_decode(vector->layout->id, slice_of(golden, size), &got),
                             STATUS_OK);
        sample_assert_equal(vector->layout, &expected, &got);
    }
}

static void every_prefix_is_refused(void **state)
{
    const struct vectors *vectors = *state;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector *vector = &vectors->all[i];
        for (size_t size = 0; size < vector->size; size++) {
            enum status status = vector_decode_guarded(vector, vector->bytes, size);
            if (vector->kind == VECTOR_FRAME)
                assert_int_equal(status, STATUS_INCOMPLETE);
            else if (vector->kind == VECTOR_DATAGRAM && size == 0)
                assert_int_equal(status, STATUS_END);
            else
                assert_int_equal(status, STATUS_BAD);
        }
    }
}

/* A flipped bit may give another message that is sound; it never gives an answer the door does
 * not name, and never reads behind the end. */
static void every_flipped_bit_is_answered(void **state)
{
    struct vectors *vectors = *state;
    for (size_t i = 0; i < vectors->count; i++) {
        struct vector *vector = &vectors->all[i];
        for (size_t bit = 0; bit < vector->size * 8; bit++) {
            vector->bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            enum status status = vector_decode_guarded(vector, vector->bytes, vector->size);
            assert_true(status == STATUS_OK || status == STATUS_BAD ||
                        (vector->kind == VECTOR_DATAGRAM && status == STATUS_END) ||
                        (vector->kind == VECTOR_SELF && status == STATUS_FOREIGN));
            vector->bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest writing[] = {cmocka_unit_test(vectors_write)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoders_write_the_golden_bytes),
        cmocka_unit_test(decoders_read_the_golden_messages),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(every_flipped_bit_is_answered),
    };
    if (argc == 2 && strcmp(argv[1], "--write") == 0)
        return cmocka_run_group_tests(writing, vectors_make, vectors_free);
    return cmocka_run_group_tests(tests, vectors_make, vectors_free);
}
