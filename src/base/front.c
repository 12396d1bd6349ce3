/* front.c: what a row key begins with. Arithmetic only: who owns a partition is place's business,
 * which rows it has the store's; both cut by these rules. */
#include "front.h"

#include "ensure.h"
#include "hash.h"

#define CLASS_BITS 3u /* of a partition's number, and of a front behind the mark */
#define MARK 0xffffu
#define MARK_SHIFT 48
#define CLASS_SHIFT (MARK_SHIFT - CLASS_BITS) /* bits of key hash behind the class */
#define KEPT ~(UINT64_MAX >> 8 * HASH_FRONT_SIZE)

bool front_has_classes(const struct front_cut *cut)
{
    return cut->cell_depth == 0 && cut->bits >= CLASS_BITS && cut->bits < PARTITION_BITS_MAX;
}

unsigned front_mark(uint64_t front)
{
    return front >> MARK_SHIFT == MARK ? front >> CLASS_SHIFT & ((1u << CLASS_BITS) - 1) : 0;
}

unsigned front_class(const struct front_cut *cut, uint64_t front)
{
    return front_has_classes(cut) ? front_mark(front) : 0;
}

uint64_t front_of(const struct front_cut *cut, uint64_t hash, unsigned class)
{
    uint64_t mark = (uint64_t)MARK << MARK_SHIFT;

    ensure(class < FRONT_CLASSES && (class == 0 || front_has_classes(cut)));
    if (class > 0)
        return (mark | (uint64_t) class << CLASS_SHIFT | hash >> (64 - CLASS_SHIFT)) & KEPT;
    return (front_mark(hash) == 0 ? hash : mark | (hash & (((uint64_t)1 << CLASS_SHIFT) - 1))) &
           KEPT;
}

uint32_t front_class_count(const struct front_cut *cut, unsigned class)
{
    return class == 0 ? 1u << cut->bits : 1u << (cut->bits - CLASS_BITS);
}

uint32_t front_class_first(const struct front_cut *cut, unsigned class)
{
    return class == 0 ? 0 : (1u << cut->bits) + (class - 1) * front_class_count(cut, class);
}

uint32_t front_count(const struct front_cut *cut)
{
    return front_has_classes(cut) ? front_class_first(cut, FRONT_CLASSES) : 1u << cut->bits;
}

unsigned front_partition_class(const struct front_cut *cut, uint32_t partition)
{
    ensure(partition < front_count(cut));
    if (partition < 1u << cut->bits)
        return 0;
    return 1 + (partition - (1u << cut->bits)) / front_class_count(cut, 1);
}

/* Bits of a front of the class behind those that tell its partition; 64 for the only partition. */
static unsigned front_rest(const struct front_cut *cut, unsigned class)
{
    return class == 0 ? 64 - cut->cell_depth - cut->bits : CLASS_SHIFT - cut->bits + CLASS_BITS;
}

uint32_t front_partition(const struct front_cut *cut, uint64_t front)
{
    unsigned class = front_class(cut, front), rest = front_rest(cut, class);
    uint64_t mask = front_class_count(cut, class) - 1;

    return front_class_first(cut, class) + (rest < 64 ? (uint32_t)(front >> rest & mask) : 0);
}

void front_range(const struct front_cut *cut, uint32_t partition, uint64_t *first, uint64_t *last)
{
    unsigned class = front_partition_class(cut, partition), rest = front_rest(cut, class);
    uint64_t at = partition - front_class_first(cut, class);

    *first = rest < 64 ? at << rest : 0;
    *last = *first | (rest < 64 ? ((uint64_t)1 << rest) - 1 : UINT64_MAX);
    if (class > 0) {
        *first |= (uint64_t)MARK << MARK_SHIFT | (uint64_t) class << CLASS_SHIFT;
        *last |= *first;
    } else if (front_class(cut, *last) > 0) { /* the other classes lie behind the last of class 0 */
        *last = (uint64_t)MARK << MARK_SHIFT | (((uint64_t)1 << CLASS_SHIFT) - 1);
    }
}
