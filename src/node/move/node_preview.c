/* node_preview.c: what would move if peers came, went or changed their weight. Two lists are made,
 * the present one with all moves done and the imagined one, and the owners of every partition are
 * compared; nothing is asked of anybody. Bytes are reckoned from what this peer holds: keys spread
 * evenly over partitions. */
#include "node_impl.h"
#include "node_parts.h"

#define FLOWS_MAX 1024u /* pairs of peers shown */

/* One imagined change: a peer gets a weight, and 0 is its end. */
struct preview_change {
    uint64_t id8;
    uint16_t weight;
};

/* What was found: how many partitions go from whom to whom. */
struct preview_pair {
    uint64_t from, to; /* from 0: nobody, it is a further copy */
    uint32_t partitions;
};
struct preview {
    struct preview_pair *flows;
    uint32_t count;              /* pairs */
    uint32_t moved, slots, ours; /* copies of partitions: that move, that there are, of this peer */
};

/* n x (weight u16 | name size u8 | name). OK; MISSING: nobody has this name. */
static enum status preview_read(struct node *node, struct slice packed,
                                struct preview_change changes[PREVIEW_CHANGES_MAX], unsigned *count)
{
    struct reader in = reader_over(packed);

    *count = 0;
    while (reader_left(&in) > 0 && *count < PREVIEW_CHANGES_MAX) {
        changes[*count].weight = read_u16(&in);
        changes[*count].id8 = node_peer_named(node, read_slice(&in, read_u8(&in)));
        if (in.is_bad || changes[(*count)++].id8 == 0)
            return in.is_bad ? STATUS_BAD : STATUS_MISSING;
    }
    return STATUS_OK;
}

/* The list as it will be when all that is under way is done, with changes. */
static struct place *preview_list(struct node *node, const struct preview_change *changes,
                                  unsigned count)
{
    struct place_config config = node_place_config(node);
    struct place *place = place_new(&config);
    uint64_t version = 0;
    uint8_t used = place_spaces_classes(node->spaces, node->place, &version);

    if (place)
        place_classes(place, used, version);
    for (uint32_t i = 0; place && i < place_count(node->place); i++) {
        struct place_record record = *place_at(node->place, i);

        if (record.state == PLACE_OUT || record.state == PLACE_GONE ||
            record.state == PLACE_LEAVING)
            continue;
        if (record.state == PLACE_WEIGHING)
            record.weight = record.weight_next;
        record.state = PLACE_ACTIVE;
        record.weight_next = 0;
        for (unsigned k = 0; k < count; k++)
            if (changes[k].id8 == id_front(&record.id))
                record.weight = changes[k].weight;
        (void)(place_merge(place, &record) == STATUS_OK); /* as many places as the list has */
    }
    return place;
}

/* Newcomers, each on a host of its own. */
static void preview_add(struct node *node, struct place *place, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++) {
        uint8_t seed[4] = {0, 0, 0, (uint8_t)i};
        struct place_record record = {
            .state = PLACE_ACTIVE, .weight = 256, .zone = node->config.zone, .stamp = i};
        uint64_t front = hash_sip64(node->founding.hash_seed, seed, sizeof(seed));

        record.id = id_from_front(front);
        record.host = node_peer_name(node, front);
        (void)(place_merge(place, &record) == STATUS_OK); /* else it is not shown */
    }
}

static void preview_flow(struct preview *preview, uint64_t from, uint64_t to)
{
    uint32_t at = 0;

    preview->moved++;
    while (at < preview->count && (preview->flows[at].from != from || preview->flows[at].to != to))
        at++;
    if (at == FLOWS_MAX)
        return; /* counted, not shown */
    preview->count += at == preview->count;
    preview->flows[at].from = from;
    preview->flows[at].to = to;
    preview->flows[at].partitions++;
}

/* Who is new takes over from one that is not there any more; from nobody: a further copy. */
static void preview_compare(const struct node *node, const struct place_owners *before,
                            const struct place_owners *after, struct preview *preview)
{
    uint8_t lost = 0;

    preview->slots += before->count;
    preview->ours += place_owners_find(before, node->self) >= 0;
    for (uint8_t i = 0; i < after->count; i++) {
        if (place_owners_find(before, after->peers[i].id8) >= 0)
            continue;
        while (lost < before->count && place_owners_find(after, before->peers[lost].id8) >= 0)
            lost++;
        preview_flow(preview, lost < before->count ? before->peers[lost++].id8 : 0,
                     after->peers[i].id8);
    }
}

static void preview_show(struct node *node, const struct preview *preview, struct result *result)
{
    uint64_t bytes = preview->ours ? node->bytes / preview->ours : 0; /* of one partition */
    struct result_flow *flows = effects_alloc(node->fx, (preview->count + 1) * sizeof(*flows));

    for (uint32_t i = 0; i < preview->count; i++) {
        flows[i].partitions = preview->flows[i].partitions;
        flows[i].bytes = flows[i].partitions * bytes;
        flows[i].to = node_peer_name(node, preview->flows[i].to);
        if (preview->flows[i].from)
            flows[i].from = node_peer_name(node, preview->flows[i].from);
    }
    result->flows = flows;
    result->flow_count = preview->count;
    result->moved = preview->moved;
    result->slots = preview->slots;
    result->moved_bytes = preview->moved * bytes;
    result->layout = place_layout(node->place);
}

void node_preview(struct node *node, const struct op *op, struct result *result)
{
    struct preview_change changes[PREVIEW_CHANGES_MAX];
    struct preview preview = {.flows =
                                  effects_alloc(node->fx, FLOWS_MAX * sizeof(struct preview_pair))};
    struct place *before = NULL, *after = NULL;
    unsigned count;

    if (!node->place || node->phase != NODE_OPEN) {
        result->status = STATUS_NOT_READY;
        return;
    }
    result->status = preview_read(node, op->key, changes, &count);
    if (result->status != STATUS_OK)
        return;
    before = preview_list(node, NULL, 0);
    after = preview_list(node, changes, count);
    if (before && after)
        preview_add(node, after, op->limit);
    else
        result->status = STATUS_MEMORY;
    for (uint32_t p = 0; before && after && p < place_partition_count(node->place); p++) {
        struct place_owners was, is;

        place_owners(before, p, &was);
        place_owners(after, p, &is);
        preview_compare(node, &was, &is, &preview);
    }
    if (result->status == STATUS_OK)
        preview_show(node, &preview, result);
    place_delete(before);
    place_delete(after);
}
