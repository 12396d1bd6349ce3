/* profile.c: the columns of proto/profile.def. */
#include "profile.h"

#define NUMBER(name, local, lan, wan) .name = (local),
static const struct profile_numbers local_numbers = {
#include "profile.def"
};
#undef NUMBER
#define NUMBER(name, local, lan, wan) .name = (lan),
static const struct profile_numbers lan_numbers = {
#include "profile.def"
};
#undef NUMBER
#define NUMBER(name, local, lan, wan) .name = (wan),
static const struct profile_numbers wan_numbers = {
#include "profile.def"
};
#undef NUMBER

const struct profile_numbers *profile_numbers(enum profile profile)
{
    static const struct profile_numbers *const all[] = {[PROFILE_LOCAL] = &local_numbers,
                                                        [PROFILE_LAN] = &lan_numbers,
                                                        [PROFILE_WAN] = &wan_numbers};

    return all[profile];
}
