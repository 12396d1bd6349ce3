/* crdt_hll.c: about how many different elements there were, in 4 KiB (Flajolet, Fusy, Gandouet,
 * Meunier, "HyperLogLog", 2007): a hash names one of 4,096 registers, and the register keeps the
 * longest run of zeros seen in the rest. Joining two takes the larger of each register, which is
 * commutative, associative and idempotent, so a HyperLogLog is a CRDT by itself.
 *
 * Where we differ from the paper: its estimate needs a logarithm below 2.5 m and corrections by
 * measured tables above. The estimator of Ertl ("New cardinality estimation algorithms for
 * HyperLogLog sketches", 2017) needs neither. It is a sum over the counts of ranks and one series,
 * so it is computed here by integers: peers must not differ in the last digit of a double. */
#include "crdt_room.h"
#include "ensure.h"
#include "hash.h"

#define HLL_REST (64 - CRDT_HLL_BITS) /* bits of the hash behind the register's number */
#define HLL_RANK_MAX (HLL_REST + 1)
#define HLL_SPARSE 1
#define HLL_DENSE 2
#define HLL_PAIR 3 /* bytes of a register in the sparse form */

_Static_assert(1 + CRDT_HLL_REGISTERS <= CRDT_UPDATE_ROOM, "the dense form has room");

typedef unsigned __int128 hll_wide;

void crdt_hll_clear(struct crdt_hll *hll)
{
    memset(hll->ranks, 0, sizeof(hll->ranks));
}

void crdt_hll_add(struct crdt_hll *hll, const uint8_t seed[HASH_SEED_SIZE], struct slice element)
{
    uint64_t hash = hash_sip64(seed, element.data, element.size);
    uint64_t rest = hash << CRDT_HLL_BITS;
    unsigned at = (unsigned)(hash >> HLL_REST);
    unsigned rank = rest == 0 ? HLL_RANK_MAX : (unsigned)__builtin_clzll(rest) + 1;

    if (rank > hll->ranks[at])
        hll->ranks[at] = (uint8_t)rank;
}

bool crdt_hll_is_sound(struct slice body)
{
    unsigned used = 0, last = 0;

    if (body.size == 1 + CRDT_HLL_REGISTERS && body.data[0] == HLL_DENSE) {
        for (unsigned i = 0; i < CRDT_HLL_REGISTERS; i++) {
            if (body.data[1 + i] > HLL_RANK_MAX)
                return false;
            used += body.data[1 + i] > 0;
        }
        return used > CRDT_HLL_SPARSE_MAX;
    }
    if (body.size < 1 || body.data[0] != HLL_SPARSE || (body.size - 1) % HLL_PAIR != 0 ||
        body.size > 1 + CRDT_HLL_SPARSE_MAX * HLL_PAIR)
        return false;
    for (size_t at = 1; at < body.size; at += HLL_PAIR) {
        unsigned number = (unsigned)body.data[at] << 8 | body.data[at + 1];

        if (number >= CRDT_HLL_REGISTERS || (at > 1 && number <= last) || body.data[at + 2] == 0 ||
            body.data[at + 2] > HLL_RANK_MAX)
            return false;
        last = number;
    }
    return true;
}

enum status crdt_hll_join(struct crdt_hll *hll, struct slice body)
{
    if (!crdt_hll_is_sound(body))
        return STATUS_BAD;
    if (body.data[0] == HLL_DENSE) {
        for (unsigned i = 0; i < CRDT_HLL_REGISTERS; i++)
            if (body.data[1 + i] > hll->ranks[i])
                hll->ranks[i] = body.data[1 + i];
        return STATUS_OK;
    }
    for (size_t at = 1; at < body.size; at += HLL_PAIR) {
        unsigned number = (unsigned)body.data[at] << 8 | body.data[at + 1];

        if (body.data[at + 2] > hll->ranks[number])
            hll->ranks[number] = body.data[at + 2];
    }
    return STATUS_OK;
}

void crdt_hll_of_object(struct crdt_hll *hll, const struct crdt_object *object)
{
    crdt_hll_clear(hll);
    for (unsigned i = 0; i < object->value_count; i++)
        if (object->values[i].kind == CRDT_HLL &&
            crdt_hll_join(hll, object->values[i].body) != STATUS_OK)
            ensure_unreachable(); /* decoding has checked it */
}

void crdt_hll_encode(const struct crdt_hll *hll, struct writer *out)
{
    unsigned used = 0;

    for (unsigned i = 0; i < CRDT_HLL_REGISTERS; i++)
        used += hll->ranks[i] > 0;
    if (used > CRDT_HLL_SPARSE_MAX) {
        write_u8(out, HLL_DENSE);
        write_bytes(out, hll->ranks, sizeof(hll->ranks));
        return;
    }
    write_u8(out, HLL_SPARSE);
    for (unsigned i = 0; i < CRDT_HLL_REGISTERS; i++) {
        if (hll->ranks[i] == 0)
            continue;
        write_u16(out, (uint16_t)i);
        write_u8(out, hll->ranks[i]);
    }
}

/* sigma(x) = x + sum of x^(2^k) 2^(k-1) over k >= 1, for x = empty / m below 1; Q48. */
static hll_wide hll_sigma(unsigned empty)
{
    hll_wide power = ((hll_wide)empty << 62) / CRDT_HLL_REGISTERS; /* x^(2^k), Q62 */
    hll_wide sum = power >> 14;

    for (unsigned k = 0; k < 40 && power > 0; k++) {
        power = power * power >> 62;
        sum += power << k >> 14;
    }
    return sum;
}

uint64_t crdt_hll_estimate(const struct crdt_hll *hll)
{
    /* m^2 / (2 ln 2), Q24 */
    static const uint64_t numerator = 203041276517400u;
    unsigned counts[HLL_RANK_MAX + 1] = {0};
    hll_wide z = 0; /* Q60 */

    for (unsigned i = 0; i < CRDT_HLL_REGISTERS; i++)
        counts[hll->ranks[i]]++;
    if (counts[0] == CRDT_HLL_REGISTERS)
        return 0;
    for (unsigned rank = 1; rank <= HLL_RANK_MAX; rank++)
        z += (hll_wide)counts[rank] << (60 - rank);
    z += hll_sigma(counts[0]) * CRDT_HLL_REGISTERS << 12;
    /* Q24 * 2^64 / Q60 = Q28 */
    return (uint64_t)((((hll_wide)numerator << 64) / z + (1u << 27)) >> 28);
}
