/* wire_table.h: proto/messages.def as data: where each field of a message lies and what it may
 * hold. The one encoder and the one decoder of the room walk this table. */
#ifndef GOSSAMER_WIRE_TABLE_H
#define GOSSAMER_WIRE_TABLE_H

#include "message.h"

/* How a field is spelled: unsigned integers, byte strings of a fixed size, byte strings. */
enum wire_type {
    WIRE_TYPE_U8,
    WIRE_TYPE_U16,
    WIRE_TYPE_U32,
    WIRE_TYPE_U64,
    WIRE_TYPE_ID32,
    WIRE_TYPE_HASH16,
    WIRE_TYPE_BYTES,
};

/* One FIELD of the table. */
struct wire_field {
    uint8_t key;     /* in a stream's map */
    uint8_t type;    /* enum wire_type */
    uint16_t offset; /* of the member in struct message, bytes */
    uint64_t bound;  /* greatest integer, or greatest size in bytes; never 0 */
};

/* One MESSAGE of the table. */
struct wire_layout {
    const char *name;
    const struct wire_field *fields; /* ascending by key */
    uint8_t field_count;
    uint8_t carriers; /* WIRE_CARRIER_* bits; 0: no such message */
};

/* wire_layout_of returns the layout of a message kind, NULL for a number not in the table. */
const struct wire_layout *wire_layout_of(unsigned kind);

#endif
