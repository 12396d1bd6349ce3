/* bytes.c: every byte that enters or leaves the core passes here, so the bounds are checked here
 * and nowhere else. Readers and writers are sticky: the first thing that does not fit stops them
 * for good, and their user asks once, at the end, whether all went well. */
#include "bytes.h"
#include "ensure.h"
#include <stdlib.h>

/* --- slices */

bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int slice_compare(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;

    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

bool slice_has_prefix(struct slice s, struct slice prefix)
{
    return s.size >= prefix.size && slice_equal(slice_of(s.data, prefix.size), prefix);
}

/* --- integers */

static void bytes_store(uint8_t *data, uint64_t value, size_t size)
{
    for (size_t i = size; i-- > 0; value >>= 8)
        data[i] = (uint8_t)value;
}

static uint64_t bytes_load(const uint8_t *data, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | data[i];
    return value;
}

uint64_t bytes_load_u64(const uint8_t *data)
{
    return bytes_load(data, 8);
}

void bytes_store_u64(uint8_t *data, uint64_t value)
{
    bytes_store(data, value, 8);
}

/* --- writer */

struct writer writer_over(void *data, size_t capacity)
{
    ensure(data || capacity == 0);
    return (struct writer){.data = data, .capacity = capacity};
}

struct slice writer_done(const struct writer *writer)
{
    return slice_of(writer->data, writer->size);
}

uint8_t *write_room(struct writer *writer, size_t size)
{
    uint8_t *room;

    ensure(writer->size <= writer->capacity);
    if (writer->is_full || size > writer->capacity - writer->size) {
        writer->is_full = true;
        return NULL;
    }
    if (!writer->data)
        return NULL;
    room = writer->data + writer->size;
    writer->size += size;
    return room;
}

static void write_number(struct writer *writer, uint64_t value, size_t size)
{
    uint8_t *room = write_room(writer, size);

    if (room)
        bytes_store(room, value, size);
}

void write_u8(struct writer *writer, uint8_t value)
{
    write_number(writer, value, 1);
}

void write_u16(struct writer *writer, uint16_t value)
{
    write_number(writer, value, 2);
}

void write_u24(struct writer *writer, uint32_t value)
{
    ensure(value < 1u << 24);
    write_number(writer, value, 3);
}

void write_u32(struct writer *writer, uint32_t value)
{
    write_number(writer, value, 4);
}

void write_u64(struct writer *writer, uint64_t value)
{
    write_number(writer, value, 8);
}

void write_bytes(struct writer *writer, const void *data, size_t size)
{
    uint8_t *room = write_room(writer, size);

    if (room && size)
        memcpy(room, data, size);
}

void write_slice(struct writer *writer, struct slice slice)
{
    write_bytes(writer, slice.data, slice.size);
}

void write_label(struct writer *writer, const struct label *label)
{
    uint8_t *room = write_room(writer, 1 + (size_t)label->size);

    ensure(label->size <= NAME_SIZE_MAX);
    if (!room)
        return;
    room[0] = label->size;
    memcpy(room + 1, label->text, label->size);
}

/* --- reader */

struct reader reader_over(struct slice slice)
{
    ensure(slice.data || slice.size == 0);
    return (struct reader){.data = slice.data, .size = slice.size};
}

size_t reader_left(const struct reader *reader)
{
    return reader->is_bad ? 0 : reader->size - reader->at;
}

bool reader_is_done(const struct reader *reader)
{
    return !reader->is_bad && reader->at == reader->size;
}

struct slice read_slice(struct reader *reader, size_t size)
{
    struct slice slice;

    ensure(reader->at <= reader->size);
    if (reader->is_bad || size > reader->size - reader->at) {
        reader->is_bad = true;
        return SLICE_NONE;
    }
    if (!reader->data)
        return SLICE_NONE;
    slice = slice_of(reader->data + reader->at, size);
    reader->at += size;
    return slice;
}

static uint64_t read_number(struct reader *reader, size_t size)
{
    struct slice slice = read_slice(reader, size);

    return slice.data ? bytes_load(slice.data, size) : 0;
}

uint8_t read_u8(struct reader *reader)
{
    return (uint8_t)read_number(reader, 1);
}

uint16_t read_u16(struct reader *reader)
{
    return (uint16_t)read_number(reader, 2);
}

uint32_t read_u24(struct reader *reader)
{
    return (uint32_t)read_number(reader, 3);
}

uint32_t read_u32(struct reader *reader)
{
    return (uint32_t)read_number(reader, 4);
}

uint64_t read_u64(struct reader *reader)
{
    return read_number(reader, 8);
}

void read_bytes(struct reader *reader, void *into, size_t size)
{
    struct slice slice = read_slice(reader, size);

    if (size == 0)
        return;
    if (slice.data)
        memcpy(into, slice.data, size);
    else
        memset(into, 0, size);
}

/* --- labels */

void read_label(struct reader *reader, struct label *label)
{
    uint8_t size = read_u8(reader);
    struct slice text = read_slice(reader, size);

    *label = (struct label){0};
    if (reader->is_bad)
        return;
    if (size > NAME_SIZE_MAX || (size && memchr(text.data, 0, size))) {
        reader->is_bad = true;
        return;
    }
    *label = label_make(text);
}

struct label label_make(struct slice text)
{
    struct label label = {0};

    label.size = (uint8_t)(text.size < NAME_SIZE_MAX ? text.size : NAME_SIZE_MAX);
    if (label.size)
        memcpy(label.text, text.data, label.size);
    return label;
}

bool label_equal(const struct label *a, const struct label *b)
{
    return slice_equal(slice_of(a->text, a->size), slice_of(b->text, b->size));
}

/* --- buffer */

#define BUFFER_SIZE_FIRST 256 /* bytes; a small reply or frame fits without a second allocation */

void buffer_init(struct buffer *buffer, size_t max)
{
    *buffer = (struct buffer){.max = max};
}

void buffer_close(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){.max = buffer->max};
}

/* Doubling keeps the cost of n appends linear; the ceiling is never exceeded, not even unused. */
static size_t buffer_capacity_for(const struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_SIZE_FIRST;

    while (capacity < needed)
        capacity = capacity > buffer->max / 2 ? buffer->max : capacity * 2;
    return capacity < buffer->max ? capacity : buffer->max;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
    ensure(buffer->size <= buffer->capacity && buffer->capacity <= buffer->max);
    if (size > buffer->max - buffer->size)
        return NULL;
    if (buffer->size + size > buffer->capacity || !buffer->data) {
        size_t capacity = buffer_capacity_for(buffer, buffer->size + size);
        uint8_t *data = capacity ? realloc(buffer->data, capacity) : NULL;

        if (!data)
            return NULL;
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->size;
}

bool buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    uint8_t *room;

    if (size == 0)
        return true;
    room = buffer_reserve(buffer, size);
    if (!room)
        return false;
    memcpy(room, data, size);
    buffer->size += size;
    return true;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    if (size >= buffer->size) {
        buffer->size = 0;
        return;
    }
    memmove(buffer->data, buffer->data + size, buffer->size - size);
    buffer->size -= size;
}

void buffer_clear(struct buffer *buffer, size_t keep_max)
{
    buffer->size = 0;
    if (buffer->capacity > keep_max)
        buffer_close(buffer);
}
