/* wire_field.c: the only place where a value of a message becomes bytes or comes from them. The
 * member is reached by its offset, its width is given by the type of the table row. */
#include "wire_field.h"

#include "ensure.h"
#include "wire_check.h"

static int wire_packer_append(void *context, const char *data, size_t size)
{
    struct writer *out = context;
    write_bytes(out, data, size);
    return out->is_full ? -1 : 0;
}

static int wire_packer_add(void *context, const char *data, size_t size)
{
    (void)data;
    *(size_t *)context += size;
    return 0;
}

void wire_packer_write(msgpack_packer *packer, struct writer *out)
{
    msgpack_packer_init(packer, out, wire_packer_append);
}

void wire_packer_count(msgpack_packer *packer, size_t *size)
{
    msgpack_packer_init(packer, size, wire_packer_add);
}

/* What a field holds: an integer, or bytes. */
struct wire_value {
    bool is_bytes;
    uint64_t number;
    struct slice bytes;
};

static struct wire_value wire_value_load(const struct wire_field *field,
                                         const struct message *message)
{
    const void *at = (const uint8_t *)message + field->offset;
    switch ((enum wire_type)field->type) {
    case WIRE_TYPE_U8:
        return (struct wire_value){false, *(const uint8_t *)at, SLICE_NONE};
    case WIRE_TYPE_U16:
        return (struct wire_value){false, *(const uint16_t *)at, SLICE_NONE};
    case WIRE_TYPE_U32:
        return (struct wire_value){false, *(const uint32_t *)at, SLICE_NONE};
    case WIRE_TYPE_U64:
        return (struct wire_value){false, *(const uint64_t *)at, SLICE_NONE};
    case WIRE_TYPE_ID32:
    case WIRE_TYPE_HASH16:
        return (struct wire_value){true, 0, slice_of(at, (size_t)field->bound)};
    case WIRE_TYPE_BYTES:
        return (struct wire_value){true, 0, *(const struct slice *)at};
    }
    ensure_unreachable();
}

/* The value is within the bound of the field, and of its type. */
static void wire_value_store(const struct wire_field *field, const struct wire_value *value,
                             struct message *message)
{
    void *at = (uint8_t *)message + field->offset;
    switch ((enum wire_type)field->type) {
    case WIRE_TYPE_U8:
        *(uint8_t *)at = (uint8_t)value->number;
        return;
    case WIRE_TYPE_U16:
        *(uint16_t *)at = (uint16_t)value->number;
        return;
    case WIRE_TYPE_U32:
        *(uint32_t *)at = (uint32_t)value->number;
        return;
    case WIRE_TYPE_U64:
        *(uint64_t *)at = value->number;
        return;
    case WIRE_TYPE_ID32:
    case WIRE_TYPE_HASH16:
        memcpy(at, value->bytes.data, (size_t)field->bound);
        return;
    case WIRE_TYPE_BYTES:
        *(struct slice *)at = value->bytes;
        return;
    }
    ensure_unreachable();
}

/* Fixed byte strings have their size as bound, from below too. */
static bool wire_value_is_allowed(const struct wire_field *field, const struct wire_value *value)
{
    bool is_fixed = field->type == WIRE_TYPE_ID32 || field->type == WIRE_TYPE_HASH16;
    if (value->is_bytes != (is_fixed || field->type == WIRE_TYPE_BYTES))
        return false;
    if (is_fixed)
        return value->bytes.size == field->bound;
    return (value->is_bytes ? value->bytes.size : value->number) <= field->bound;
}

bool wire_field_is_zero(const struct wire_field *field, const struct message *message)
{
    struct wire_value value = wire_value_load(field, message);
    if (!value.is_bytes)
        return value.number == 0;
    if (field->type == WIRE_TYPE_BYTES)
        return value.bytes.size == 0;
    for (size_t i = 0; i < value.bytes.size; i++)
        if (value.bytes.data[i] != 0)
            return false;
    return true;
}

void wire_field_pack(msgpack_packer *packer, const struct wire_field *field,
                     const struct message *message)
{
    struct wire_value value = wire_value_load(field, message);
    ensure(wire_value_is_allowed(field, &value));
    /* A packer that writes reports a full writer here too; the writer remembers it. */
    if (!value.is_bytes) {
        (void)msgpack_pack_uint64(packer, value.number);
        return;
    }
    (void)msgpack_pack_bin(packer, value.bytes.size);
    if (value.bytes.size > 0)
        (void)msgpack_pack_bin_body(packer, value.bytes.data, value.bytes.size);
}

void wire_field_unpack(struct reader *in, const struct wire_field *field, struct message *message)
{
    struct wire_token token;
    if (!wire_token_read(in, &token))
        return;
    bool is_bytes = token.kind == WIRE_TOKEN_BYTES;
    struct wire_value value = {is_bytes, token.value, token.body};
    bool is_scalar = is_bytes || token.kind == WIRE_TOKEN_UNSIGNED;
    if (is_scalar && wire_value_is_allowed(field, &value))
        wire_value_store(field, &value, message);
    else
        in->is_bad = true;
}
