/* host_identity.h: the data directory and who the peer is: lock, identity key, boot record. Order
 * of a start (protocols.md part 1): lock -> key -> boot record -> store -> everything else. No
 * packet and no write before the boot record is durable. */
#ifndef GOSSAMER_HOST_IDENTITY_H
#define GOSSAMER_HOST_IDENTITY_H

#include "host_secret.h"
#include "seal.h"

struct host_boot {
    uint64_t counter; /* openings of the store in this directory, 1 for the first */
    uint64_t nonce;   /* random: a copied or restored directory makes a new actor all the same */
};

struct host_directory {
    char path[HOST_PATH_SIZE];
    int lock;                      /* file descriptor; its flock is ours as long as it is open */
    struct seal_identity identity; /* secret */
    struct host_boot boot;         /* of this opening, on disk */
    bool is_new;                   /* the identity was made by this start */
};

/* host_directory_open creates the directory (0700) if need be, takes the lock, reads or makes the
 * identity and writes the next boot record. `detail` (HOST_DETAIL_SIZE bytes) says after anything
 * but OK what is wrong with which path and how to mend it.
 * OK; PERMISSION: not writable, or a secret that others could read (exit 77); BUSY: another peer
 * has the directory (75); CORRUPT: identity or boot record is not what we write (65); NO_SPACE; IO.
 */
enum status host_directory_open(struct host_directory *directory, const char *path,
                                char *detail) MUST_USE;
/* host_directory_boot writes the next boot record, for EFFECT_REOPEN. Statuses as above. */
enum status host_directory_boot(struct host_directory *directory, char *detail) MUST_USE;
/* host_directory_close wipes the identity and gives the lock back. */
void host_directory_close(struct host_directory *directory);

#endif
