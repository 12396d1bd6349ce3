/* host_entropy.h: randomness for the core, from the kernel. */
#ifndef GOSSAMER_HOST_ENTROPY_H
#define GOSSAMER_HOST_ENTROPY_H

#include "seal.h"

/* host_entropy gives the entropy port of a real peer. */
struct seal_entropy host_entropy(void);

#endif
