/* ground.h: what the peers stand on, when this process is root: a network and disks of their own,
 * so that packets can be lost and disks filled without a trace on the machine. */
#ifndef GOSSAMER_CHAOS_GROUND_H
#define GOSSAMER_CHAOS_GROUND_H

#include "cluster.h"

struct ground {
    bool has_network; /* a network namespace with nftables: packets can be lost */
    bool has_disks;   /* a mount namespace: every peer's directory is a small file system */
    char log[96];     /* what the tools said */
};

/* ground_open moves this process into namespaces of its own; what cannot be had is printed as a
 * named skip. To be called before anything listens, starts or has threads. */
void ground_open(struct ground *ground);
/* ground_disk gives a peer that was never started its disk, GROUND_DISK_MIB large. */
#define GROUND_DISK_MIB 512
void ground_disk(struct ground *ground, const struct peer *peer);
/* ground_lose drops `percent` of all datagrams between these peers and a tenth as much of what
 * their connections carry; 0 ends it. */
void ground_lose(struct ground *ground, const struct cluster *cluster, unsigned percent);
/* ground_fill leaves `free_kib` of a peer's disk; ground_empty takes the filler away. */
void ground_fill(const struct peer *peer, unsigned free_kib);
void ground_empty(const struct peer *peer);
/* ground_close ends the disks; if `is_kept` their content is copied to where they were. */
void ground_close(struct ground *ground, const struct cluster *cluster, bool is_kept);

#endif
