#include "host_entropy.h"

#include "host_identity.h"

static void host_entropy_fill(void *context, void *into, size_t size)
{
    (void)context;
    host_random(into, size);
}

struct seal_entropy host_entropy(void)
{
    return (struct seal_entropy){.fill = host_entropy_fill};
}
