/* heap.c: binary heap in an array, each node knowing its place in it, so that a deadline moves in
 * O(log n) without a search. Ties are broken by a growing number: two runs of one seed expire
 * their deadlines in one order. */
#include "heap.h"
#include "ensure.h"
#include <stdlib.h>

enum status heap_init(struct heap *heap, uint32_t capacity)
{
    *heap = (struct heap){.capacity = capacity};
    heap->nodes = calloc(capacity ? capacity : 1, sizeof *heap->nodes);
    return heap->nodes ? STATUS_OK : STATUS_MEMORY;
}

void heap_close(struct heap *heap)
{
    free(heap->nodes);
    *heap = (struct heap){0};
}

static bool heap_is_before(const struct heap_node *a, const struct heap_node *b)
{
    return a->when != b->when ? a->when < b->when : a->sequence < b->sequence;
}

static void heap_store(struct heap *heap, uint32_t index, struct heap_node *node)
{
    heap->nodes[index] = node;
    node->place = index + 1;
}

/* Moves `node` from the hole at `index` towards the root while it is earlier than its parent. */
static void heap_rise(struct heap *heap, uint32_t index, struct heap_node *node)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / 2;

        if (!heap_is_before(node, heap->nodes[parent]))
            break;
        heap_store(heap, index, heap->nodes[parent]);
        index = parent;
    }
    heap_store(heap, index, node);
}

/* Moves `node` from the hole at `index` away from the root while a child is earlier. */
static void heap_sink(struct heap *heap, uint32_t index, struct heap_node *node)
{
    for (;;) {
        uint64_t child = 2 * (uint64_t)index + 1;

        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap_is_before(heap->nodes[child + 1], heap->nodes[child]))
            child++;
        if (!heap_is_before(heap->nodes[child], node))
            break;
        heap_store(heap, index, heap->nodes[child]);
        index = (uint32_t)child;
    }
    heap_store(heap, index, node);
}

static void heap_settle(struct heap *heap, uint32_t index, struct heap_node *node)
{
    if (index > 0 && heap_is_before(node, heap->nodes[(index - 1) / 2]))
        heap_rise(heap, index, node);
    else
        heap_sink(heap, index, node);
}

void heap_set(struct heap *heap, struct heap_node *node, instant when)
{
    if (when == INSTANT_NEVER) {
        heap_remove(heap, node);
        return;
    }
    node->when = when;
    node->sequence = heap->sequence++;
    if (node->place) {
        ensure(heap->nodes[node->place - 1] == node);
        heap_settle(heap, node->place - 1, node);
        return;
    }
    ensure(heap->count < heap->capacity);
    heap_rise(heap, heap->count++, node);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    uint32_t index = node->place - 1;
    struct heap_node *last;

    if (!node->place)
        return;
    ensure(node->place <= heap->count);
    ensure(heap->nodes[index] == node);
    node->place = 0;
    last = heap->nodes[--heap->count];
    if (last != node)
        heap_settle(heap, index, last);
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->count ? heap->nodes[0] : NULL;
}

instant heap_deadline(const struct heap *heap)
{
    return heap->count ? heap->nodes[0]->when : INSTANT_NEVER;
}
