/* node_recount_page.c: the rows of one page of a partition that is being counted (node_recount.c).
 * What is committed while the page is being read may show in it or not. Such rows are noted, and
 * counted as they were committed, whatever the page shows. Rows still on their way to the disk are
 * counted as they were before, and their commit changes the count like any other. */
#include "gc/node_gc.h"
#include "node_parts.h"

void node_recount_unnote(struct node_recount *recount)
{
    while (recount->noted_count > 0)
        blob_drop(&recount->noted[--recount->noted_count].row_key);
    recount->is_stale = false;
}

static struct node_counted *recount_noted(struct node_recount *recount, struct slice row_key)
{
    for (uint32_t i = 0; i < recount->noted_count; i++)
        if (slice_equal(blob_slice(recount->noted[i].row_key), row_key))
            return &recount->noted[i];
    return NULL;
}

static void recount_note(struct node_recount *recount, struct blob *row_key,
                         const struct node_counted *as)
{
    struct node_counted *noted = recount_noted(recount, blob_slice(row_key));

    if (!noted && recount->noted_count == NODE_NOTED_MAX) {
        recount->is_stale = true;
        return;
    }
    if (!noted) {
        noted = &recount->noted[recount->noted_count++];
        noted->row_key = blob_take(row_key);
    }
    noted->print = as->print;
    noted->is_dead = as->is_dead;
    noted->is_split = as->is_split;
}

/* Puts a row into the count. */
static void recount_add(struct node *node, const struct node_counted *row)
{
    static const struct hash16 none;

    if (memcmp(&row->print, &none, sizeof(none)) == 0)
        return;
    sync_count_change(node->sync, &none, &row->print);
    node->recount.dead += row->is_dead;
    node->recount.split += row->is_split;
}

/* Notes the rows of the partition that are on their way to the disk, as they were before; where
 * several writes of a row wait, before the first of them. */
void node_recount_note_writes(struct node *node)
{
    struct node_recount *recount = &node->recount;
    uint32_t known = recount->noted_count;

    for (uint32_t i = 0; i < node->writes.capacity; i++) {
        const struct node_write *write = pool_at(&node->writes, i), *first = write;

        if (!write->ticket || !write->is_object || write->partition != recount->partition)
            continue;
        for (uint32_t k = 0; k < node->writes.capacity; k++) {
            const struct node_write *other = pool_at(&node->writes, k);

            if (other->ticket && other->is_object && other->ticket < first->ticket &&
                slice_equal(blob_slice(other->row_key), blob_slice(write->row_key)))
                first = other;
        }

        struct node_counted *noted = recount_noted(recount, blob_slice(write->row_key));

        if (!noted || noted >= &recount->noted[known]) /* else as it was committed meanwhile */
            recount_note(recount, write->row_key,
                         &(struct node_counted){.print = first->before,
                                                .is_dead = first->was_dead,
                                                .is_split = first->was_split});
    }
}

static void recount_row(struct node *node, const struct store_row *row)
{
    struct crdt_object *object = &node->object_a;
    struct slice body;

    node->recount.bytes += row->key.size + row->value.size;
    if (recount_noted(&node->recount, row->key))
        return;
    if (store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
        crdt_object_decode(body, object) != STATUS_OK) {
        node_row_bad(node, row->key);
        return;
    }

    recount_add(node, &(struct node_counted){.print = crdt_object_fingerprint(
                                                 node->founding.hash_seed, row->key, object),
                                             .is_dead = crdt_object_is_dead(object, 0),
                                             .is_split = node_object_is_split(object)});
    node_gc_note(node, node->recount.partition, object);
}

/* Counts a page: its rows, and those that were noted between `cursor` and its end. */
void node_recount_rows(struct node *node, const struct event *event)
{
    struct node_recount *recount = &node->recount;
    uint32_t count = event->loaded.count;
    bool is_last = event->loaded.status != STATUS_OK;

    if (recount->noted_count > 0)
        node_trace(node, TRACE_RECOUNT_NOTED, recount->partition, recount->noted_count, 0);

    for (uint32_t i = 0; i < count; i++)
        recount_row(node, &event->loaded.rows[i]);
    for (uint32_t i = 0; i < recount->noted_count; i++) {
        const struct node_counted *noted = &recount->noted[i];
        struct slice row_key = blob_slice(noted->row_key);

        if ((recount->cursor && slice_compare(row_key, blob_slice(recount->cursor)) < 0) ||
            (!is_last && (!count || slice_compare(row_key, event->loaded.rows[count - 1].key) > 0)))
            continue;
        recount_add(node, noted);
    }
    if (count > 0) {
        blob_drop(&recount->cursor);
        recount->cursor = node_key_behind(event->loaded.rows[count - 1].key);
    }
}

/* A row of the partition is on the disk now. */
void node_recount_stored(struct node *node, const struct node_write *write)
{
    struct node_recount *recount = &node->recount;

    if (!recount->is_running || recount->partition != write->partition)
        return;
    if (recount->cursor &&
        slice_compare(blob_slice(write->row_key), blob_slice(recount->cursor)) < 0) {
        sync_count_change(node->sync, &write->before, &write->after);
        recount->dead += (uint32_t)write->is_dead - write->was_dead;
        recount->split += (uint32_t)write->is_split - write->was_split;
    } else if (recount->is_reading) {
        recount_note(recount, write->row_key,
                     &(struct node_counted){.print = write->after,
                                            .is_dead = write->is_dead,
                                            .is_split = write->is_split});
    }
}
