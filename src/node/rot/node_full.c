/* node_full.c: a write that found no room on the disk. Nothing of it is stored, but a write of the
 * same row that was queued behind it was merged with it, and may still find room. */
#include "gc/node_gc.h"
#include "hint/node_hint.h"
#include "node_parts.h"

/* The write of the same row that was queued next; it holds what `done` held. NULL: none. */
static struct node_write *full_next(struct node *node, uint64_t write_ticket, struct slice row_key)
{
    struct node_write *next = NULL;

    for (uint32_t i = 0; i < node->writes.capacity; i++) {
        struct node_write *write = pool_at(&node->writes, i);

        if (write->ticket > write_ticket && write->is_object &&
            slice_equal(blob_slice(write->row_key), row_key) &&
            (!next || write->ticket < next->ticket))
            next = write;
    }
    return next;
}

/* The disk was full. Lists are written again; an object may still come with the write behind it:
 * that one then replaces what this one would have replaced. */
enum status node_write_refused(struct node *node, const struct node_write *done)
{
    struct node_write *next =
        done->is_object ? full_next(node, done->ticket, blob_slice(done->row_key)) : NULL;

    if (!done->is_object) {
        node->is_dirty = true;
        node->hlc_limit_ms = 0;
        node_hints_unsave(node);
    }
    if (done->is_object) /* the others were sent what this row lacks now */
        node_actor_end(node, done->partition);
    if (!next)
        return STATUS_NO_SPACE;
    next->before = done->before;
    next->had_before = done->had_before;
    next->was_dead = done->was_dead;
    next->was_split = done->was_split;
    return STATUS_UNKNOWN_OUTCOME;
}

/* A row was not dropped after all: the write queued behind the drop replaces it. */
void node_write_undropped(struct node *node, uint64_t write_ticket, struct slice row_key,
                          const struct gc_item *item)
{
    struct node_write *next = full_next(node, write_ticket, row_key);

    if (!next)
        return;
    next->before = item->print;
    next->had_before = true;
    next->was_dead = item->is_dead;
}
