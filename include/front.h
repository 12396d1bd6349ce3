/* front.h: the number a row key begins with, its top 40 bits, and the numbers of partitions made of
 * them (decision 0020). A class is a number of replicas: class 0 holds the namespaces with the
 * cluster's own, class n those with n. A row's front says its class for ever, whatever its
 * namespace is set to later, so a partition stays one contiguous range of rows:
 *
 *   class 0   key hash 40                                   2^bits partitions
 *   class n   all ones 16 | n 3 | key hash 21               2^(bits - 3) partitions each
 *
 *   partitions of bits = 14:  0 .. 16383 | 16384 .. 18431 (n = 1) | ... | 28672 .. 30719 (n = 7)
 *
 * The few hashes that begin like another class are moved aside by clearing its 3 bits. Behind the
 * front and the namespace a row key has the class again, as the byte that ends the namespace, so
 * that rows of one key in two classes have index rows of their own (store_key.c). */
#ifndef GOSSAMER_FRONT_H
#define GOSSAMER_FRONT_H

#include "limits.h"
#include "types.h"

#define FRONT_CLASSES (REPLICAS_MAX + 1)

/* How the fronts of one cell are cut. */
struct front_cut {
    unsigned bits;       /* 2^bits partitions of class 0; at most PARTITION_BITS_MAX */
    unsigned cell_depth; /* leading bits that all rows of the cell share */
};

/* front_has_classes tells whether other classes than 0 have partitions: not where the numbers would
 * not fit 16 bits, nor in a cell of several. */
bool front_has_classes(const struct front_cut *cut);
/* front_of returns the front of a key of `class`, 0 to REPLICAS_MAX; not 0 only with classes. */
uint64_t front_of(const struct front_cut *cut, uint64_t hash, unsigned class);
/* front_mark returns the class that is written in a front, whether there are classes or not. */
unsigned front_mark(uint64_t front);
/* front_class returns the class in a front, front_partition its partition. */
unsigned front_class(const struct front_cut *cut, uint64_t front);
uint32_t front_partition(const struct front_cut *cut, uint64_t front);
/* front_count returns how many partitions all classes have; front_class_first and _count those of
 * one, front_partition_class the class of one below the count. */
uint32_t front_count(const struct front_cut *cut);
uint32_t front_class_first(const struct front_cut *cut, unsigned class);
uint32_t front_class_count(const struct front_cut *cut, unsigned class);
unsigned front_partition_class(const struct front_cut *cut, uint32_t partition);
/* front_range gives the first and the last front of a partition, without the bits of the cell. */
void front_range(const struct front_cut *cut, uint32_t partition, uint64_t *first, uint64_t *last);

#endif
