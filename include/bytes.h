/* bytes.h: reading and writing bytes within bounds. A reader or writer that runs over its end
 * stays where it is and remembers: check `is_bad` or `is_full` once, at the end. Big-endian. */
#ifndef GOSSAMER_BYTES_H
#define GOSSAMER_BYTES_H

#include <string.h>
#include "types.h"

/* --- slices */

/* slice_of makes a slice over `size` bytes at `data`; the bytes stay the caller's. */
static inline struct slice slice_of(const void *data, size_t size)
{
    return (struct slice){(const uint8_t *)data, size};
}
/* slice_text makes a slice over a zero-terminated string without its zero. */
static inline struct slice slice_text(const char *text)
{
    return slice_of(text, strlen(text));
}
/* slice_equal tells whether two slices hold the same bytes. Not constant-time: never for secrets.
 */
bool slice_equal(struct slice a, struct slice b);
/* slice_compare orders bytewise, shorter first on a tie: negative, 0 or positive. */
int slice_compare(struct slice a, struct slice b);
/* slice_has_prefix tells whether `s` begins with `prefix`. */
bool slice_has_prefix(struct slice s, struct slice prefix);

/* --- writing into a fixed buffer the caller owns */

struct writer {
    uint8_t *data;
    size_t size;     /* bytes written so far */
    size_t capacity; /* bytes */
    bool is_full;    /* something did not fit; nothing of that something was written */
};

/* writer_over starts a writer at the beginning of `capacity` bytes at `data`. */
struct writer writer_over(void *data, size_t capacity);
/* writer_done returns what was written. Meaningful only if !is_full. */
struct slice writer_done(const struct writer *writer);
/* write_* append one big-endian integer or raw bytes; when it does not fit, is_full is set. */
void write_u8(struct writer *writer, uint8_t value);
void write_u16(struct writer *writer, uint16_t value);
void write_u24(struct writer *writer, uint32_t value);
void write_u32(struct writer *writer, uint32_t value);
void write_u64(struct writer *writer, uint64_t value);
void write_bytes(struct writer *writer, const void *data, size_t size);
void write_slice(struct writer *writer, struct slice slice);
/* write_label appends u8 length and the text. */
void write_label(struct writer *writer, const struct label *label);
/* write_room reserves `size` bytes and returns where they start, or NULL (is_full set). */
uint8_t *write_room(struct writer *writer, size_t size);

/* --- reading bytes that may be hostile */

struct reader {
    const uint8_t *data;
    size_t size;
    size_t at;   /* bytes consumed */
    bool is_bad; /* something wanted more bytes than there were; all later reads give 0 */
};

/* reader_over starts a reader at the beginning of `slice`. */
struct reader reader_over(struct slice slice);
/* reader_left returns how many bytes are not consumed; 0 once is_bad. */
size_t reader_left(const struct reader *reader);
/* reader_is_done tells whether everything was consumed and nothing was bad. */
bool reader_is_done(const struct reader *reader);
/* read_* consume one big-endian integer; past the end they set is_bad and return 0. */
uint8_t read_u8(struct reader *reader);
uint16_t read_u16(struct reader *reader);
uint32_t read_u24(struct reader *reader);
uint32_t read_u32(struct reader *reader);
uint64_t read_u64(struct reader *reader);
/* read_slice consumes `size` bytes and returns a slice into the input, or SLICE_NONE and is_bad. */
struct slice read_slice(struct reader *reader, size_t size);
/* read_bytes copies `size` bytes to `into`; past the end it fills with zeros and sets is_bad. */
void read_bytes(struct reader *reader, void *into, size_t size);
/* read_label consumes u8 length and text; a length above NAME_SIZE_MAX or a zero byte inside sets
 * is_bad. The result is zero-terminated. */
void read_label(struct reader *reader, struct label *label);

/* label_make copies at most NAME_SIZE_MAX bytes of `text` into a label. */
struct label label_make(struct slice text);
/* label_equal tells whether two labels hold the same bytes. */
bool label_equal(const struct label *a, const struct label *b);

/* bytes_load_u64 and bytes_store_u64 convert 8 big-endian bytes; the room is the caller's care. */
uint64_t bytes_load_u64(const uint8_t *data);
void bytes_store_u64(uint8_t *data, uint64_t value);

/* --- a growing buffer with a ceiling, for bytes whose size is only known at the end */

struct buffer {
    uint8_t *data;   /* owned; NULL while empty */
    size_t size;     /* bytes held */
    size_t capacity; /* bytes allocated */
    size_t max;      /* ceiling in bytes */
};

/* buffer_init makes an empty buffer that never grows above `max` bytes. No allocation yet. */
void buffer_init(struct buffer *buffer, size_t max);
/* buffer_close frees the bytes. The buffer may be initialised again. */
void buffer_close(struct buffer *buffer);
/* buffer_append copies `size` bytes to the end; false and nothing changed above `max` or when no
 * memory is left. `data` must not point into the buffer. */
bool buffer_append(struct buffer *buffer, const void *data, size_t size);
/* buffer_reserve makes room for `size` more bytes and returns it, NULL as above. Raise
 * buffer->size by what was filled. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t size);
/* buffer_consume drops the first `size` bytes (at most buffer->size). */
void buffer_consume(struct buffer *buffer, size_t size);
/* buffer_clear forgets the bytes and keeps the room, unless it is larger than `keep_max`. */
void buffer_clear(struct buffer *buffer, size_t keep_max);

#endif
