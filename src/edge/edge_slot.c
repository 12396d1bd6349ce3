/* edge_slot.c: requests in work, in the order they came. Answers may come in any order; one that is
 * too early waits in its slot until those before it are out.
 *
 *        head                         tail
 *     ... [OPEN] [DONE] [OPEN] [READING] ...
 *            ^      held: its answer        the oldest one writes straight to the output
 */
#include <stdlib.h>
#include "edge_room.h"
#include "ensure.h"

#define RING_CAPACITY_FIRST 4u /* most clients wait for each answer */

static struct edge_slot *edge_ring_place(const struct edge_ring *ring, uint32_t number)
{
    return &ring->slots[number & (ring->capacity - 1)];
}

static bool edge_ring_grow(struct edge_ring *ring)
{
    uint32_t capacity = ring->capacity ? ring->capacity * 2 : RING_CAPACITY_FIRST;
    struct edge_ring wider = {.capacity = capacity};

    wider.slots = calloc(capacity, sizeof *wider.slots);
    if (!wider.slots)
        return false;
    for (uint32_t number = ring->head; number != ring->tail; number++)
        *edge_ring_place(&wider, number) = *edge_ring_place(ring, number);
    free(ring->slots);
    ring->slots = wider.slots;
    ring->capacity = capacity;
    return true;
}

static void edge_slot_reset(struct edge_slot *slot)
{
    struct buffer text = slot->text, echo = slot->echo, held = slot->held;

    buffer_clear(&text, EDGE_KEEP_MAX);
    buffer_clear(&echo, 0);
    buffer_clear(&held, 0);
    *slot = (struct edge_slot){.text = text, .echo = echo, .held = held};
}

struct edge_slot *edge_ring_push(struct edge_ring *ring, uint32_t *number)
{
    struct edge_slot *slot;

    if (edge_ring_count(ring) == ring->capacity && !edge_ring_grow(ring))
        return NULL;
    *number = ring->tail++;
    slot = edge_ring_place(ring, *number);
    if (slot->text.max == 0) {
        buffer_init(&slot->text, EDGE_HEAD_MAX * 4);
        buffer_init(&slot->echo, VALUE_SIZE_MAX);
        buffer_init(&slot->held, EDGE_REPLY_MAX);
    }
    edge_slot_reset(slot);
    slot->state = SLOT_READING;
    return slot;
}

struct edge_slot *edge_ring_at(const struct edge_ring *ring, uint32_t number)
{
    ensure(number - ring->head < edge_ring_count(ring));
    return edge_ring_place(ring, number);
}

struct buffer *edge_ring_target(struct edge_ring *ring, uint32_t number, struct buffer *output)
{
    return number == ring->head ? output : &edge_ring_at(ring, number)->held;
}

bool edge_ring_flush(struct edge_ring *ring, struct buffer *output)
{
    while (ring->head != ring->tail) {
        struct edge_slot *slot = edge_ring_place(ring, ring->head);

        if (!buffer_append(output, slot->held.data, slot->held.size))
            return false;
        buffer_clear(&slot->held, 0);
        if (slot->state != SLOT_DONE)
            return true; /* what is there of it is the beginning of a stream */
        slot->state = SLOT_FREE;
        ring->head++;
    }
    return true;
}

void edge_ring_close(struct edge_ring *ring)
{
    for (uint32_t i = 0; i < ring->capacity; i++) {
        buffer_close(&ring->slots[i].text);
        buffer_close(&ring->slots[i].echo);
        buffer_close(&ring->slots[i].held);
    }
    free(ring->slots);
    *ring = (struct edge_ring){0};
}
