/* node_gather.c: a scan that goes on from partition to partition until its page is full. Most
 * partitions hold few rows; asking for each by itself would cost a client one round trip per
 * partition. Those behind each other that the same peers own are asked for at once. Rows wait
 * packed in the task's object. */
#include "node_impl.h"
#include "node_parts.h"
#include "rows.h"

#define GATHER_US INSTANT_MS(250) /* then the page is told as it is, so that progress shows */

/* Tells whether two partitions have the same owners, in whatever order. */
static bool gather_is_alike(const struct place_owners *a, const struct place_owners *b)
{
    bool is_alike = a->count == b->count && a->gone_count == b->gone_count;

    for (uint8_t i = 0; is_alike && i < a->count; i++) {
        uint8_t at = 0;

        while (at < b->count && b->peers[at].id8 != a->peers[i].id8)
            at++;
        is_alike = at < b->count && b->peers[at].is_base == a->peers[i].is_base &&
                   b->peers[at].is_target == a->peers[i].is_target;
    }
    return is_alike;
}

/* The last of the partitions from this one on that the same peers own: one question reads them
 * all. In a cluster of few peers, where most are empty, that is what makes a backup quick. */
uint32_t node_gather_last(struct node *node, uint32_t partition)
{
    uint32_t next = place_partition_next(node->place, partition);
    struct place_owners owners, others;

    place_owners(node->place, partition, &owners);
    for (; next == partition + 1; next = place_partition_next(node->place, partition)) {
        place_owners(node->place, next, &others);
        if (next == place_class_first(node->place, place_partition_class(node->place, next)) ||
            !gather_is_alike(&owners, &others))
            break;
        partition = next;
    }
    return partition;
}

/* Appends the rows of one partition's page. OK; FULL: there is no room beside what is there;
 * MEMORY; CORRUPT: a name that is none of ours. */
static enum status gather_keep(struct node_task *task, const struct quorum_output *done)
{
    struct reader in = reader_over(done->object);
    struct writer out;

    if (done->item_count == 0)
        return STATUS_OK;
    if (task->used == 0) { /* packed here a row is shorter: its hash stays behind */
        blob_drop(&task->object);
        task->object = blob_new(SCAN_BYTES_MAX + done->object.size);
        if (!task->object)
            return STATUS_MEMORY;
    }
    out = writer_over(task->object->data + task->used, task->object->size - task->used);
    for (uint32_t i = 0; i < done->item_count; i++) {
        struct slice row_key = read_slice(&in, read_u16(&in));
        struct row row = {.object = read_slice(&in, read_u32(&in))};
        uint64_t front;

        if (store_key_split(row_key, &front, &row.ns, &row.name) != STATUS_OK || row.ns.size == 0)
            return STATUS_CORRUPT;
        row_write(&out, &row);
    }
    if (out.is_full)
        return STATUS_FULL;
    task->used += (uint32_t)out.size;
    return STATUS_OK;
}

/* Lists the rows gathered so far; they live with the effects. */
static struct result_item *gather_items(struct node *node, const struct node_task *task,
                                        uint32_t *count)
{
    struct slice rows =
        effects_copy(node->fx, slice_of(task->used ? task->object->data : NULL, task->used));
    struct reader in = reader_over(rows);
    struct result_item *items;
    struct row row;

    for (*count = 0; row_read(&in, &row) == STATUS_OK; ++*count)
        continue;
    items = effects_alloc(node->fx, *count * sizeof(*items) + 1);
    in = reader_over(rows);
    for (uint32_t i = 0; row_read(&in, &row) == STATUS_OK; i++)
        items[i] = (struct result_item){.key = row.name, .ns = row.ns, .object = row.object};
    return items;
}

/* Tells what was gathered; the next page begins in `partition` behind `next`. */
static void gather_tell(struct node *node, struct node_task *task, uint32_t partition,
                        struct slice next)
{
    struct node_outcome outcome = {.status = STATUS_OK};

    if (!task->is_cancelled) {
        struct result *result = node_reply_client(node, &task->op, task->ticket, &outcome);

        result->items = gather_items(node, task, &result->item_count);
        result->partition = partition;
        result->partition_count = place_partition_count(node->place);
        result->is_truncated = partition < result->partition_count;
        result->next = effects_copy(node->fx, next);
        result->took_ms = (uint32_t)((node->now - task->started) / 1000u);
    }
    node_task_end(node, task);
}

/* A page of the present partition has come. */
void node_gather(struct node *node, struct node_task *task, const struct quorum_output *done)
{
    enum status status = gather_keep(task, done);
    uint32_t next = place_partition_next(node->place, task->rows);

    if (status == STATUS_FULL) {
        gather_tell(node, task, task->op.partition, task->op.after);
    } else if (status != STATUS_OK) {
        node_task_fail(node, task, status);
    } else if (done->is_truncated) {
        gather_tell(node, task, place_partition(node->place, bytes_load_u64(done->reach.data)),
                    done->reach);
    } else if (next == place_partition_count(node->place) || task->used >= SCAN_BYTES_MAX / 2 ||
               node->now - task->started >= GATHER_US || task->is_cancelled) {
        gather_tell(node, task, next, SLICE_NONE);
    } else {
        node_task_number(node, task); /* a late answer about this one is none about the next */
        task->op.partition = next;
        task->op.after = SLICE_NONE;
        node_scan_begin(node, task);
    }
}
