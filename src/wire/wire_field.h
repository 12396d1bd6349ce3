/* wire_field.h: one field of a message between struct and msgpack, driven by its table row. */
#ifndef GOSSAMER_WIRE_FIELD_H
#define GOSSAMER_WIRE_FIELD_H

#include <msgpack/pack.h>

#include "bytes.h"
#include "message.h"
#include "wire_table.h"

/* wire_packer_write makes a msgpack packer that appends to `out`; wire_packer_count one that only
 * adds up bytes in `size`. Both must outlive it. */
void wire_packer_write(msgpack_packer *packer, struct writer *out);
void wire_packer_count(msgpack_packer *packer, size_t *size);

/* wire_field_is_zero tells whether a stream leaves the field out. */
bool wire_field_is_zero(const struct wire_field *field, const struct message *message);
/* wire_field_pack appends the value. Above its bound is our own bug (ensured). */
void wire_field_pack(msgpack_packer *packer, const struct wire_field *field,
                     const struct message *message);
/* wire_field_unpack consumes one value into `message`. `in` becomes bad when the value has another
 * type or lies above the bound. */
void wire_field_unpack(struct reader *in, const struct wire_field *field, struct message *message);

#endif
