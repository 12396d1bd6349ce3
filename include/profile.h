/* profile.h: how patient peers are with each other, by the network between them. */
#ifndef GOSSAMER_PROFILE_H
#define GOSSAMER_PROFILE_H

#include <stdint.h>

/* The values of mesh.profile. */
enum profile { PROFILE_LOCAL = 0, PROFILE_LAN = 1, PROFILE_WAN = 2 };

/* One column of proto/profile.def, which says what each number is. */
struct profile_numbers {
#define NUMBER(name, local, lan, wan) uint32_t name;
#include "profile.def"
#undef NUMBER
};

/* profile_numbers returns the column of a profile; static, never NULL. */
const struct profile_numbers *profile_numbers(enum profile profile);

#endif
