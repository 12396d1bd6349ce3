/* sample.h: messages made from proto/messages.def for the tests of wire. The table is unrolled here
 * a second time, on purpose: a mistake in the room's own table shows as a difference. */
#ifndef GOSSAMER_TEST_WIRE_SAMPLE_H
#define GOSSAMER_TEST_WIRE_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "guard.h"
#include "prng.h"
#include "wire.h"

enum sample_type {
    SAMPLE_U8 = 1,
    SAMPLE_U16 = 2,
    SAMPLE_U32 = 4,
    SAMPLE_U64 = 8,
    SAMPLE_ID32 = 32,
    SAMPLE_HASH16 = 16,
    SAMPLE_BYTES = 0,
};

struct sample_field {
    const char *name;
    size_t offset; /* in struct message */
    uint64_t bound;
    enum sample_type type;
    uint8_t key;
};

struct sample_layout {
    const char *name;
    const struct sample_field *fields;
    size_t field_count;
    unsigned id, carriers;
};

#define MESSAGE(NAME, name, id, carrier) static const struct sample_field sample_##name[] = {
#define FIELD(message_, key, TYPE, bound, member)                                                  \
    {#member, offsetof(struct message, message_.member), (bound), SAMPLE_##TYPE, (key)},
#define END(name)                                                                                  \
    }                                                                                              \
    ;
#include "messages.def"
#undef MESSAGE
#undef FIELD
#undef END

static const struct sample_layout sample_layouts[] = {
#define MESSAGE(NAME, name, id, carrier)                                                           \
    {#name, sample_##name, sizeof sample_##name / sizeof sample_##name[0], (id),                   \
     WIRE_CARRIER_##carrier},
#define FIELD(name, key, TYPE, bound, member)
#define END(name)
#include "messages.def"
#undef MESSAGE
#undef FIELD
#undef END
};
#define SAMPLE_COUNT (sizeof sample_layouts / sizeof sample_layouts[0])

/* Bytes that slices of samples point into. */
#define SAMPLE_ARENA 4096

/* The greatest integer or size that the field accepts. */
static inline uint64_t sample_bound(const struct sample_field *field)
{
    if (field->type == SAMPLE_BYTES)
        return field->bound ? field->bound : FRAME_BODY_MAX;
    if (field->type > SAMPLE_U64)
        return field->type;
    if (field->bound)
        return field->bound;
    return field->type == SAMPLE_U64 ? UINT64_MAX : (1ull << (8 * field->type)) - 1;
}

static inline bool sample_is_integer(const struct sample_field *field)
{
    return field->type >= SAMPLE_U8 && field->type <= SAMPLE_U64;
}

static inline void sample_set(struct message *message, const struct sample_field *field,
                              uint64_t number, struct slice bytes)
{
    uint8_t *at = (uint8_t *)message + field->offset;
    if (field->type == SAMPLE_BYTES)
        memcpy(at, &bytes, sizeof bytes);
    else if (!sample_is_integer(field))
        memcpy(at, bytes.data, field->type);
    else if (field->type == SAMPLE_U8)
        *at = (uint8_t)number;
    else if (field->type == SAMPLE_U16)
        *(uint16_t *)(void *)at = (uint16_t)number;
    else if (field->type == SAMPLE_U32)
        *(uint32_t *)(void *)at = (uint32_t)number;
    else
        *(uint64_t *)(void *)at = number;
}

static inline struct slice sample_bytes(const struct message *message,
                                        const struct sample_field *field)
{
    const uint8_t *at = (const uint8_t *)message + field->offset;
    struct slice bytes = {at, field->type};
    if (field->type == SAMPLE_BYTES)
        memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

/* sample_golden fills every field with a value that is not zero and says which field it is. */
static inline void sample_golden(const struct sample_layout *layout, struct message *message,
                                 uint8_t arena[SAMPLE_ARENA])
{
    memset(message, 0, sizeof *message);
    message->kind = (enum message_kind)layout->id;
    for (size_t i = 0; i < layout->field_count; i++) {
        const struct sample_field *field = &layout->fields[i];
        uint64_t bound = sample_bound(field);
        unsigned width = sample_is_integer(field) ? field->type : 8;
        uint64_t number = (0xf1e2d3c4b5a69700ull + field->key) >> (64 - 8 * width);
        uint8_t *room = arena + 64 * field->key;
        for (uint8_t j = 0; j < 64; j++)
            room[j] = (uint8_t)(16 * field->key + j);
        size_t size = field->type == SAMPLE_BYTES ? 8u + field->key : field->type;
        if (size > bound && field->type == SAMPLE_BYTES)
            size = (size_t)bound;
        sample_set(message, field, number < bound ? number : bound, slice_of(room, size));
    }
}

/* sample_random fills the fields with values of all sizes, zero and empty among them. */
static inline void sample_random(const struct sample_layout *layout, struct prng *prng,
                                 struct message *message, uint8_t arena[SAMPLE_ARENA])
{
    memset(message, 0, sizeof *message);
    message->kind = (enum message_kind)layout->id;
    for (size_t i = 0; i < SAMPLE_ARENA; i++)
        arena[i] = (uint8_t)prng_next(prng);
    for (size_t i = 0; i < layout->field_count; i++) {
        const struct sample_field *field = &layout->fields[i];
        uint64_t bound = sample_bound(field);
        uint64_t number = prng_next(prng) >> prng_below(prng, 64);
        if (bound != UINT64_MAX)
            number %= bound + 1;
        uint64_t most = bound < 300 ? bound : 300;
        size_t size = field->type ? field->type : (size_t)prng_below(prng, most + 1);
        struct slice bytes = slice_of(arena + prng_below(prng, SAMPLE_ARENA - 300), size);
        if (prng_below(prng, 4) != 0)
            sample_set(message, field, number, bytes);
    }
}

/* sample_assert_equal compares every field; slices by their bytes. */
static inline void sample_assert_equal(const struct sample_layout *layout, const struct message *a,
                                       const struct message *b)
{
    assert_int_equal(a->kind, b->kind);
    for (size_t i = 0; i < layout->field_count; i++) {
        struct slice x = sample_bytes(a, &layout->fields[i]);
        struct slice y = sample_bytes(b, &layout->fields[i]);
        if (!slice_equal(x, y))
            fail_msg("%s.%s differs", layout->name, layout->fields[i].name);
    }
}

/* --- msgpack by hand: what the room's encoder would never write */

/* write_head appends a head byte and a big-endian number of `size` bytes. */
static inline void write_head(struct writer *out, uint8_t head, unsigned size, uint64_t number)
{
    write_u8(out, head);
    for (unsigned i = size; i > 0; i--)
        write_u8(out, (uint8_t)(number >> (8 * (i - 1))));
}

static inline void write_number(struct writer *out, uint64_t number)
{
    if (number < 0x80)
        write_u8(out, (uint8_t)number);
    else if (number <= UINT8_MAX)
        write_head(out, 0xcc, 1, number);
    else if (number <= UINT16_MAX)
        write_head(out, 0xcd, 2, number);
    else if (number <= UINT32_MAX)
        write_head(out, 0xce, 4, number);
    else
        write_head(out, 0xcf, 8, number);
}

static inline void write_bin(struct writer *out, const void *data, size_t size)
{
    if (size <= UINT8_MAX)
        write_head(out, 0xc4, 1, size);
    else if (size <= UINT16_MAX)
        write_head(out, 0xc5, 2, size);
    else
        write_head(out, 0xc6, 4, size);
    write_bytes(out, data, size);
}

/* datagram_of and stream_of decode bytes that end at a guard page; the message is then only good
 * for its integers. */
static inline enum status datagram_of(const void *data, size_t size, struct message *message)
{
    uint8_t *copy = guard_copy(data, size);
    struct reader in = reader_over(slice_of(copy, size));
    enum status status = wire_datagram_next(&in, message);
    guard_free(copy, size);
    return status;
}

static inline enum status stream_of(unsigned type, const void *data, size_t size,
                                    struct message *message)
{
    uint8_t *copy = guard_copy(data, size);
    enum status status = wire_stream_decode(type, slice_of(copy, size), message);
    guard_free(copy, size);
    return status;
}

/* BYTES spells constant bytes with their count: BYTES(0x91, 0x01). */
#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

#endif
