/* blob.c: counted bytes. One allocation holds the count and the bytes, so a value costs one
 * pointer wherever it waits. */
#include "blob.h"
#include "ensure.h"
#include <stdlib.h>
#include <string.h>

struct blob *blob_new(size_t size)
{
    struct blob *blob;

    if (size > SIZE_MAX - sizeof *blob)
        return NULL;
    blob = malloc(sizeof *blob + size);
    if (!blob)
        return NULL;
    blob->references = 1;
    blob->size = size;
    return blob;
}

struct blob *blob_copy(struct slice slice)
{
    struct blob *blob = blob_new(slice.size);

    if (blob && slice.size)
        memcpy(blob->data, slice.data, slice.size);
    return blob;
}

struct blob *blob_take(struct blob *blob)
{
    if (blob) {
        ensure(blob->references > 0);
        ensure(blob->references < UINT32_MAX);
        blob->references++;
    }
    return blob;
}

void blob_drop(struct blob **blob)
{
    struct blob *dropped = *blob;

    *blob = NULL;
    if (!dropped)
        return;
    ensure(dropped->references > 0);
    if (--dropped->references == 0)
        free(dropped);
}

struct slice blob_slice(const struct blob *blob)
{
    return blob ? (struct slice){blob->data, blob->size} : SLICE_NONE;
}
