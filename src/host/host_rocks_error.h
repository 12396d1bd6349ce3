/* host_rocks_error.h: what RocksDB means by its error texts; the C interface gives nothing else. */
#ifndef GOSSAMER_HOST_ROCKS_ERROR_H
#define GOSSAMER_HOST_ROCKS_ERROR_H

#include "status.h"

/* host_rocks_error classifies a text: COLD (not in the block cache), MISSING, NO_SPACE, BUSY
 * (another process), PERMISSION, MEMORY (out of file descriptors or memory: not the store's fault),
 * UNSUPPORTED (written by a newer version), CORRUPT (everything that means damage, missing files
 * included), IO. */
enum status host_rocks_error(const char *text) MUST_USE;

#endif
