/* host_keyring.h: the cluster key of a data directory. */
#ifndef GOSSAMER_HOST_KEYRING_H
#define GOSSAMER_HOST_KEYRING_H

#include "host_file.h"
#include "seal.h"

/* host_keyring_open fills `ring` from `directory`/cluster.key. When that is not there yet, it is
 * made: from `secret_file` (mesh.secret_file, NULL or empty for none), or drawn anew when the peer
 * has no seeds and so founds a cluster. From then on the file in the directory counts. OK; MISSING:
 * seeds, but no key to talk to them, or no such secret_file (exit 78); PERMISSION: not readable, or
 * open to others (77); CORRUPT: not what seal_keyring_write writes (65); UNSUPPORTED: of a newer
 * version; NO_SPACE; IO. `detail` (HOST_DETAIL_SIZE bytes) explains anything but OK. */
enum status host_keyring_open(struct seal_keyring *ring, const char *directory,
                              const char *secret_file, bool has_seeds, char *detail) MUST_USE;
/* host_keyring_save replaces `directory`/cluster.key. OK, PERMISSION, NO_SPACE, IO. */
enum status host_keyring_save(const struct seal_keyring *ring, const char *directory,
                              char *detail) MUST_USE;

#endif
