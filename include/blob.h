/* blob.h: immutable, counted bytes. Values travel as blobs; whoever needs one longer takes a
 * reference. Counts change on the loop's thread only, so they are not atomic. */
#ifndef GOSSAMER_BLOB_H
#define GOSSAMER_BLOB_H

#include "types.h"

struct blob {
    uint32_t references;
    size_t size;
    uint8_t data[];
};

/* blob_new allocates `size` uninitialised bytes with one reference, NULL when no memory is left.
 * Fill it before sharing it. */
struct blob *blob_new(size_t size);
/* blob_copy is blob_new filled with the bytes of `slice`. */
struct blob *blob_copy(struct slice slice);
/* blob_take adds a reference and returns `blob`; NULL gives NULL. */
struct blob *blob_take(struct blob *blob);
/* blob_drop gives a reference back, frees with the last one, and nulls the caller's pointer. */
void blob_drop(struct blob **blob);
/* blob_slice returns the bytes; NULL gives an empty slice. */
struct slice blob_slice(const struct blob *blob);

#endif
