/* Objects as structs and as bytes. One state has one spelling, so that equal states have equal
 * bytes; the decoder accepts nothing else.
 *
 *   one entry, one value, seen no further, nothing gone (0x80 and what follows in which width):
 *     shape u8 | actor u48, u64 (0x04) | stamp | [kind u8 | metadata] (0x10)
 *              | body to the end, or its size u32 (0x08: a head)
 *     stamp    = ms since 2020 u40 | counter in as many bytes as it has, 0 to 2 (0x03)
 *                or u64 (0x03 is 3), where the ms do not fit
 *     without 0x10 it is a plain value without metadata, which does not expire
 *   everything else (2: full, 4: head):
 *     shape u8 | entries u8 | entries
 *     entry    = actor u64 | flags u8 | [seen u64] | values u8 | values
 *                | [gone u16 | stamp u64 each]
 *     value    = stamp u64 | kind u8 | metadata | body size u32 | [body]
 *     metadata = size as u8 below 128, else as u16 with the top bit set | bytes
 *   kind     = enum crdt_kind u8; with the bit 0x80 an expiry follows, 6 bytes, wall ms, not 0
 *   the empty object: no bytes
 */
#include "crdt_room.h"
#include "ensure.h"

enum object_shape { SHAPE_MANY = 2, SHAPE_MANY_HEAD = 4, SHAPE_ONE = 0x80 };

/* Bits of SHAPE_ONE. */
#define ONE_STAMP 0x03u /* bytes of the counter; 3: the stamp whole */
#define ONE_ACTOR 0x04u /* the actor has more than 48 bits */
#define ONE_HEAD 0x08u
#define ONE_KIND 0x10u /* kind and metadata follow */
#define ONE_EPOCH_MS 1577836800000ull

#define ENTRY_SEEN 1u /* seen is above the last value, or above 0 without one, and follows */
#define ENTRY_GONE 2u /* gone is not empty and follows */
#define META_LONG 0x80u
#define KIND_EXPIRES 0x80u
#define EXPIRES_SIZE 6

/* --- the struct */

void crdt_object_clear(struct crdt_object *object)
{
    object->is_head = false;
    object->entry_count = object->value_count = object->gone_count = 0;
}

void crdt_object_copy(struct crdt_object *into, const struct crdt_object *from)
{
    into->is_head = from->is_head;
    into->entry_count = from->entry_count;
    into->value_count = from->value_count;
    into->gone_count = from->gone_count;
    memmove(into->entries, from->entries, from->entry_count * sizeof(from->entries[0]));
    memmove(into->values, from->values, from->value_count * sizeof(from->values[0]));
    memmove(into->gone, from->gone, from->gone_count * sizeof(from->gone[0]));
}

void crdt_object_strip(struct crdt_object *object)
{
    object->is_head = true;
    for (unsigned i = 0; i < object->value_count; i++)
        object->values[i].body = SLICE_NONE;
}

const struct crdt_entry *crdt_object_find(const struct crdt_object *object, uint64_t actor)
{
    for (unsigned i = 0; i < object->entry_count; i++)
        if (object->entries[i].actor == actor)
            return &object->entries[i];
    return NULL;
}

/* The stamp of the last value, 0 without any: `seen` is there at least. */
static uint64_t entry_last(const struct crdt_object *object, const struct crdt_entry *entry)
{
    if (entry->value_count == 0)
        return 0;
    return object->values[entry->value_first + entry->value_count - 1].stamp;
}

uint64_t crdt_entry_past(const struct crdt_object *object, const struct crdt_entry *entry)
{
    return entry->value_count > 0 ? object->values[entry->value_first].stamp - 1 : entry->seen;
}

uint64_t crdt_entry_top(const struct crdt_object *object, const struct crdt_entry *entry)
{
    uint64_t top = entry->seen;

    if (entry->gone_count > 0) {
        uint64_t last = object->gone[entry->gone_first + entry->gone_count - 1];

        top = last > top ? last : top;
    }
    return top;
}

bool crdt_entry_is_canonical(const struct crdt_object *object, const struct crdt_entry *entry)
{
    const struct crdt_value *values = object->values + entry->value_first;
    const uint64_t *gone = object->gone + entry->gone_first;
    uint64_t last = 0;

    if (entry->actor == 0 || entry->seen > CRDT_STAMP_MAX ||
        (entry->seen == 0 && entry->gone_count == 0))
        return false;
    for (unsigned i = 0; i < entry->value_count; last = values[i++].stamp)
        if (values[i].stamp <= last || values[i].stamp > entry->seen)
            return false;
    last = entry->seen;
    for (unsigned i = 0; i < entry->gone_count; last = gone[i++])
        if (gone[i] <= last || gone[i] > CRDT_STAMP_MAX)
            return false;
    return true;
}

static bool object_is_one(const struct crdt_object *object)
{
    return object->entry_count == 1 && object->value_count == 1 && object->gone_count == 0 &&
           object->entries[0].seen == object->values[0].stamp;
}

/* --- sizes and writing */

static size_t meta_size(struct slice meta)
{
    return meta.size + (meta.size < META_LONG ? 1 : 2);
}

static size_t expires_size(const struct crdt_value *value)
{
    return value->expires > 0 ? EXPIRES_SIZE : 0;
}

/* The first byte of an object of one value: how wide what follows is. */
static unsigned one_shape(const struct crdt_object *object)
{
    const struct crdt_value *value = &object->values[0];
    uint64_t ms = crdt_stamp_ms(value->stamp), counter = value->stamp - crdt_stamp_of(ms);
    unsigned shape = SHAPE_ONE | (object->is_head ? ONE_HEAD : 0);

    if (ms < ONE_EPOCH_MS || (ms - ONE_EPOCH_MS) >> 40 > 0)
        shape |= ONE_STAMP;
    else
        shape |= counter > UINT8_MAX ? 2u : counter > 0 ? 1u : 0u;
    if (value->actor >> 48 > 0)
        shape |= ONE_ACTOR;
    if (value->kind != CRDT_VALUE || value->expires > 0 || value->meta.size > 0)
        shape |= ONE_KIND;
    return shape;
}

static size_t one_size(const struct crdt_object *object)
{
    const struct crdt_value *value = &object->values[0];
    unsigned shape = one_shape(object), width = shape & ONE_STAMP;
    size_t size = 1u + (shape & ONE_ACTOR ? 8u : 6u) + (width == ONE_STAMP ? 8u : 5u + width);

    if (shape & ONE_KIND)
        size += 1 + expires_size(value) + meta_size(value->meta);
    return size + (object->is_head ? 4 : value->body.size);
}

size_t crdt_object_size(const struct crdt_object *object)
{
    size_t size = 2;

    if (object->entry_count == 0)
        return 0;
    if (object_is_one(object))
        return one_size(object);
    for (unsigned i = 0; i < object->entry_count; i++) {
        const struct crdt_entry *entry = &object->entries[i];

        size += entry->seen > entry_last(object, entry) ? 18 : 10;
        size += entry->gone_count > 0 ? 2 + 8 * (size_t)entry->gone_count : 0u;
    }
    for (unsigned i = 0; i < object->value_count; i++)
        size += 13 + expires_size(&object->values[i]) + meta_size(object->values[i].meta) +
                object->values[i].body.size;
    return size;
}

static void meta_write(struct writer *out, struct slice meta)
{
    if (meta.size < META_LONG)
        write_u8(out, (uint8_t)meta.size);
    else
        write_u16(out, (uint16_t)(meta.size | META_LONG << 8));
    write_slice(out, meta);
}

static void kind_write(struct writer *out, const struct crdt_value *value)
{
    write_u8(out, (uint8_t)((unsigned)value->kind | (value->expires > 0 ? KIND_EXPIRES : 0)));
    if (value->expires == 0)
        return;
    ensure(value->expires <= CRDT_EXPIRES_MAX);
    write_u16(out, (uint16_t)(value->expires >> 32));
    write_u32(out, (uint32_t)value->expires);
}

static void stamp_write(struct writer *out, uint64_t stamp, unsigned width)
{
    uint64_t ms = crdt_stamp_ms(stamp) - ONE_EPOCH_MS;

    if (width == ONE_STAMP) {
        write_u64(out, stamp);
        return;
    }
    write_u8(out, (uint8_t)(ms >> 32));
    write_u32(out, (uint32_t)ms);
    if (width == 2)
        write_u16(out, (uint16_t)stamp);
    else if (width == 1)
        write_u8(out, (uint8_t)stamp);
}

static void one_write(struct writer *out, const struct crdt_object *object)
{
    const struct crdt_value *value = &object->values[0];

    unsigned shape = one_shape(object);

    write_u8(out, (uint8_t)shape);
    if (shape & ONE_ACTOR) {
        write_u64(out, value->actor);
    } else {
        write_u16(out, (uint16_t)(value->actor >> 32));
        write_u32(out, (uint32_t)value->actor);
    }
    stamp_write(out, value->stamp, shape & ONE_STAMP);
    if (shape & ONE_KIND) {
        kind_write(out, value);
        meta_write(out, value->meta);
    }
    if (object->is_head)
        write_u32(out, value->body_size);
    else
        write_slice(out, value->body);
}

static void value_write(struct writer *out, const struct crdt_value *value)
{
    write_u64(out, value->stamp);
    kind_write(out, value);
    meta_write(out, value->meta);
    write_u32(out, value->body_size);
    write_slice(out, value->body); /* empty in a head */
}

static void entry_write(struct writer *out, const struct crdt_object *object,
                        const struct crdt_entry *entry)
{
    bool is_seen = entry->seen > entry_last(object, entry);

    write_u64(out, entry->actor);
    write_u8(out, (uint8_t)((is_seen ? ENTRY_SEEN : 0) | (entry->gone_count ? ENTRY_GONE : 0)));
    if (is_seen)
        write_u64(out, entry->seen);
    write_u8(out, (uint8_t)entry->value_count);
    for (unsigned i = 0; i < entry->value_count; i++)
        value_write(out, &object->values[entry->value_first + i]);
    if (entry->gone_count == 0)
        return;
    write_u16(out, entry->gone_count);
    for (unsigned i = 0; i < entry->gone_count; i++)
        write_u64(out, object->gone[entry->gone_first + i]);
}

enum status crdt_object_encode(const struct crdt_object *object, struct writer *out)
{
    size_t size = crdt_object_size(object), before = out->size;

    if (out->is_full || out->capacity - out->size < size)
        return STATUS_TOO_LARGE;
    if (object->entry_count == 0)
        return STATUS_OK;
    if (object_is_one(object)) {
        one_write(out, object);
    } else {
        write_u8(out, object->is_head ? SHAPE_MANY_HEAD : SHAPE_MANY);
        write_u8(out, (uint8_t)object->entry_count);
        for (unsigned i = 0; i < object->entry_count; i++)
            entry_write(out, object, &object->entries[i]);
    }
    ensure(!out->is_full && out->size - before == size);
    return STATUS_OK;
}

/* --- reading, in the order of writing */

static bool meta_read(struct reader *in, struct slice *meta)
{
    size_t size = read_u8(in);

    if (size >= META_LONG) {
        size = (size & ~(size_t)META_LONG) << 8 | read_u8(in);
        if (size < META_LONG)
            return false;
    }
    *meta = read_slice(in, size);
    return !in->is_bad && size <= META_SIZE_MAX;
}

/* The kind, and the expiry if it says that one follows: 0 would be a second spelling of "never". */
static bool kind_read(struct reader *in, struct crdt_value *value)
{
    uint8_t kind = read_u8(in);

    value->kind = (enum crdt_kind)(kind & ~KIND_EXPIRES);
    value->expires = 0;
    if ((kind & KIND_EXPIRES) == 0)
        return true;
    value->expires = (uint64_t)read_u16(in) << 32;
    value->expires |= read_u32(in);
    return value->expires > 0;
}

static bool value_is_valid(const struct crdt_value *value)
{
    return value->stamp > 0 && value->stamp <= CRDT_STAMP_MAX && value->body_size <= VALUE_SIZE_MAX;
}

static uint64_t stamp_read(struct reader *in, unsigned width)
{
    uint64_t ms;

    if (width == ONE_STAMP)
        return read_u64(in);
    ms = ONE_EPOCH_MS + ((uint64_t)read_u8(in) << 32);
    ms += read_u32(in);
    return crdt_stamp_of(ms) + (width == 2 ? read_u16(in) : width == 1 ? read_u8(in) : 0);
}

static bool one_read(struct reader *in, struct crdt_object *object, unsigned shape)
{
    struct crdt_value *value = &object->values[0];
    struct crdt_entry *entry = &object->entries[0];
    uint64_t actor = shape & ONE_ACTOR ? read_u64(in) : (uint64_t)read_u16(in) << 32;

    if (!(shape & ONE_ACTOR))
        actor |= read_u32(in);
    *value = (struct crdt_value){.actor = actor, .kind = CRDT_VALUE};
    value->stamp = stamp_read(in, shape & ONE_STAMP);
    if ((shape & ONE_KIND) && (!kind_read(in, value) || !meta_read(in, &value->meta)))
        return false;
    if (object->is_head) {
        value->body_size = read_u32(in);
    } else {
        if (reader_left(in) > VALUE_SIZE_MAX)
            return false;
        value->body = read_slice(in, reader_left(in));
        value->body_size = (uint32_t)value->body.size;
    }
    *entry = (struct crdt_entry){.actor = value->actor, .seen = value->stamp, .value_count = 1};
    object->entry_count = object->value_count = 1;
    return value_is_valid(value) && crdt_value_is_sound(value, object->is_head) &&
           value->actor != 0 && one_shape(object) == shape;
}

static bool value_read(struct reader *in, struct crdt_object *object, struct crdt_value *value)
{
    value->stamp = read_u64(in);
    if (!kind_read(in, value) || !meta_read(in, &value->meta))
        return false;
    value->body_size = read_u32(in);
    value->body = read_slice(in, object->is_head ? 0 : value->body_size);
    return !in->is_bad && value_is_valid(value) && crdt_value_is_sound(value, object->is_head);
}

static bool values_read(struct reader *in, struct crdt_object *object, struct crdt_entry *entry)
{
    entry->value_first = object->value_count;
    entry->value_count = read_u8(in);
    if (entry->value_count > OBJECT_VALUES_MAX - object->value_count)
        return false;
    for (unsigned i = 0; i < entry->value_count; i++) {
        struct crdt_value *value = &object->values[object->value_count];

        *value = (struct crdt_value){.actor = entry->actor};
        if (!value_read(in, object, value))
            return false;
        object->value_count++;
    }
    return true;
}

static bool gone_read(struct reader *in, struct crdt_object *object, struct crdt_entry *entry)
{
    entry->gone_count = read_u16(in);
    if (entry->gone_count == 0 || entry->gone_count > OBJECT_GONE_MAX - object->gone_count)
        return false;
    for (unsigned i = 0; i < entry->gone_count; i++)
        object->gone[object->gone_count++] = read_u64(in);
    return true;
}

static bool entry_read(struct reader *in, struct crdt_object *object)
{
    struct crdt_entry *entry = &object->entries[object->entry_count];
    uint64_t seen = 0;
    uint8_t flags;

    *entry = (struct crdt_entry){.actor = read_u64(in), .gone_first = object->gone_count};
    flags = read_u8(in);
    if ((flags & ~(ENTRY_SEEN | ENTRY_GONE)) != 0)
        return false;
    if ((flags & ENTRY_SEEN) != 0)
        seen = read_u64(in);
    if (!values_read(in, object, entry))
        return false;
    entry->seen = entry_last(object, entry);
    if ((flags & ENTRY_SEEN) != 0) {
        if (seen <= entry->seen)
            return false;
        entry->seen = seen;
    }
    if ((flags & ENTRY_GONE) != 0 && !gone_read(in, object, entry))
        return false;
    if (in->is_bad || !crdt_entry_is_canonical(object, entry) ||
        (object->entry_count > 0 && entry->actor <= entry[-1].actor))
        return false;
    object->entry_count++;
    return true;
}

static bool many_read(struct reader *in, struct crdt_object *object)
{
    unsigned count = read_u8(in);

    for (unsigned i = 0; i < count; i++)
        if (!entry_read(in, object))
            return false;
    return count > 0 && !object_is_one(object);
}

static enum status object_read(struct slice bytes, bool is_head, struct crdt_object *object)
{
    struct reader in = reader_over(bytes);
    uint8_t shape;
    bool is_good = false;

    crdt_object_clear(object);
    object->is_head = is_head;
    if (bytes.size == 0)
        return STATUS_OK;
    shape = read_u8(&in);
    if (shape & SHAPE_ONE)
        is_good = one_read(&in, object, shape);
    else if (shape == (is_head ? SHAPE_MANY_HEAD : SHAPE_MANY))
        is_good = many_read(&in, object);
    if (is_good && reader_is_done(&in) && bytes.size <= OBJECT_SIZE_MAX)
        return STATUS_OK;
    crdt_object_clear(object);
    object->is_head = is_head;
    return STATUS_BAD;
}

enum status crdt_object_decode(struct slice bytes, struct crdt_object *object)
{
    return object_read(bytes, false, object);
}

enum status crdt_object_decode_head(struct slice bytes, struct crdt_object *object)
{
    return object_read(bytes, true, object);
}
