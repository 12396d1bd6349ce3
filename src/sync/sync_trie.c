/* sync_trie.c: the sum over a partition. Fingerprints are added modulo 2^128 rather than XORed, so
 * that an even number of equal differences does not cancel (protocols.md 7.2). Sums know no
 * order, so commits may be reported in any. */
#include "sync_private.h"

static void sum_add(struct hash16 *sum, const struct hash16 *print)
{
    unsigned carry = 0;

    for (unsigned i = sizeof(sum->bytes); i-- > 0;) {
        carry += (unsigned)sum->bytes[i] + print->bytes[i];
        sum->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void sum_take(struct hash16 *sum, const struct hash16 *print)
{
    unsigned borrow = 0;

    for (unsigned i = sizeof(sum->bytes); i-- > 0;) {
        unsigned left = 256u + sum->bytes[i] - print->bytes[i] - borrow;

        sum->bytes[i] = (uint8_t)left;
        borrow = left < 256;
    }
}

bool sync_print_is_none(const struct hash16 *print)
{
    static const struct hash16 none;

    return memcmp(print, &none, sizeof(none)) == 0;
}

void sync_sum_change(struct sync_sum *sum, const struct hash16 *before, const struct hash16 *after)
{
    if (!sync_print_is_none(before)) {
        sum_take(&sum->sum, before);
        sum->count--;
    }
    if (!sync_print_is_none(after)) {
        sum_add(&sum->sum, after);
        sum->count++;
    }
}

void sync_sum_shift(struct sync_sum *sum, const struct hash16 *print, bool is_added)
{
    if (is_added)
        sum_add(&sum->sum, print);
    else
        sum_take(&sum->sum, print);
}

void sync_sum_add(struct sync_sum *sum, const struct sync_sum *other)
{
    sum_add(&sum->sum, &other->sum);
    sum->count += other->count;
}
