/* rows.h: packed rows, the form in which rows leave a cluster and come into another one: what is
 * stored under a name, without anything that belongs to the cluster it lay in (hash, partition,
 * checksum). n x (namespace length u8 | namespace | name length u16 | name | length u32 | object).
 * A name is a key, or key 0x00 path for an element of a collection. */
#ifndef GOSSAMER_ROWS_H
#define GOSSAMER_ROWS_H

#include "bytes.h"
#include "status.h"

#define ROWS_OVERHEAD 7u /* bytes of a row beside its three parts */

struct row {
    struct slice ns;     /* 1 to NS_SIZE_MAX bytes, none of them below FRONT_CLASSES */
    struct slice name;   /* its key 1 to KEY_SIZE_MAX bytes, ROW_NAME_SIZE_MAX in all */
    struct slice object; /* encoded; 1 to OBJECT_SIZE_MAX bytes, not looked into here */
};

/* row_size returns the bytes row_write writes. */
size_t row_size(const struct row *row);
/* row_write appends a row, whole or not at all: without room, and for parts out of bounds, it sets
 * is_full. */
void row_write(struct writer *out, const struct row *row);
/* row_read takes the next row; its parts point into the input. OK; END: nothing is left; BAD: cut
 * short or out of bounds, then `in` is bad for ever. */
enum status row_read(struct reader *in, struct row *row) MUST_USE;

#endif
