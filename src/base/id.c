/* id.c: NodeIDs as numbers of 256 bits. Distance is XOR (Maymounkov and Mazieres, Kademlia, 2002,
 * section 2.1): symmetric, and from each point there is exactly one id at each distance. */
#include "bytes.h"
#include "ensure.h"
#include "hash.h"

uint64_t id_front(const struct node_id *id)
{
    return bytes_load_u64(id->bytes);
}

bool id_equal(const struct node_id *a, const struct node_id *b)
{
    return memcmp(a->bytes, b->bytes, NODE_ID_SIZE) == 0;
}

int id_compare(const struct node_id *a, const struct node_id *b)
{
    return memcmp(a->bytes, b->bytes, NODE_ID_SIZE);
}

unsigned id_prefix(const struct node_id *a, const struct node_id *b)
{
    for (unsigned i = 0; i < NODE_ID_SIZE; i++) {
        unsigned differing = a->bytes[i] ^ b->bytes[i];

        if (differing)
            return i * 8 + (unsigned)__builtin_clz(differing) - 24;
    }
    return NODE_ID_SIZE * 8;
}

bool id_closer(const struct node_id *target, const struct node_id *a, const struct node_id *b)
{
    for (unsigned i = 0; i < NODE_ID_SIZE; i++) {
        uint8_t from_a = a->bytes[i] ^ target->bytes[i], from_b = b->bytes[i] ^ target->bytes[i];

        if (from_a != from_b)
            return from_a < from_b;
    }
    return false;
}

bool id_is_in_cell(const struct node_id *id, const struct node_id *member, unsigned depth)
{
    ensure(depth <= NODE_ID_SIZE * 8);
    return id_prefix(id, member) >= depth;
}

struct node_id id_from_front(uint64_t front)
{
    struct node_id id = {{0}};

    bytes_store_u64(id.bytes, front);
    return id;
}
