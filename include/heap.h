/* heap.h: an intrusive binary min-heap of deadlines. Equal deadlines leave in the order they were
 * put in, so that a run is reproducible. The node is a field of the caller's struct. */
#ifndef GOSSAMER_HEAP_H
#define GOSSAMER_HEAP_H

#include "status.h"
#include "types.h"

struct heap_node {
    instant when;
    uint64_t sequence; /* set by the heap: breaks ties */
    uint32_t place;    /* index in the heap + 1; 0: not in the heap */
};

struct heap {
    struct heap_node **nodes; /* owned array of borrowed nodes */
    uint32_t count, capacity;
    uint64_t sequence;
};

/* heap_init allocates room for `capacity` nodes. OK, or MEMORY. */
enum status heap_init(struct heap *heap, uint32_t capacity) MUST_USE;
/* heap_close frees the array; the nodes stay the callers'. */
void heap_close(struct heap *heap);
/* heap_set puts a node in at `when`, or moves it if it is in. INSTANT_NEVER takes it out. The
 * capacity must suffice: it is our own bug if not. */
void heap_set(struct heap *heap, struct heap_node *node, instant when);
/* heap_remove takes a node out; harmless if it is not in. */
void heap_remove(struct heap *heap, struct heap_node *node);
/* heap_first returns the earliest node, or NULL. */
struct heap_node *heap_first(const struct heap *heap);
/* heap_deadline returns the earliest time, INSTANT_NEVER when empty. */
instant heap_deadline(const struct heap *heap);

#endif
