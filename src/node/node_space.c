/* node_space.c: settings of namespaces as this node carries them: what holds for a key, news from
 * others, changes by an operator. The list itself is place's; it travels as the placement list does
 * (told at once, compared by TABLE when digests differ, kept in `sys`), and every peer applies it
 * to what it coordinates, merges and shows. */
#include "node_impl.h"
#include "node_parts.h"

#define SPACE_DEFAULT "_default"

/* --- what holds */

void node_space_settings(const struct node *node, struct slice ns, struct space_settings *settings)
{
    *settings = (struct space_settings){.set = SPACE_ALL,
                                        .replicas = node->founding.replicas,
                                        .consistency = CONSISTENCY_QUORUM,
                                        .conflict = CONFLICT_SIBLINGS};
    if (node->spaces)
        place_spaces_apply(node->spaces, ns, settings);
}

static bool space_is_plain(const struct node *node)
{
    return !node->spaces || place_spaces_count(node->spaces) == 0;
}

/* Fills in what a request leaves to its namespace. Asked by whoever coordinates it. */
void node_space_complete(const struct node *node, struct op *op)
{
    struct space_settings settings;

    if (space_is_plain(node))
        return;
    node_space_settings(node, op->ns, &settings);
    if (op->consistency == CONSISTENCY_DEFAULT)
        op->consistency = (enum consistency)settings.consistency;
    if (op->kind == OP_PUT && op->ttl_ms == 0)
        op->ttl_ms = settings.ttl_ms;
}

/* Tells whether of concurrent values of a key only the newest stays. A row of an element belongs to
 * a type that merges by its own rules. */
bool node_space_is_lww(const struct node *node, struct slice ns, struct slice key)
{
    struct space_settings settings;

    if (space_is_plain(node) || (key.size > 0 && memchr(key.data, 0, key.size)))
        return false;
    node_space_settings(node, ns, &settings);
    return settings.conflict == CONFLICT_LWW;
}

/* Applies the namespace's policy to concurrent values. All owners come to the same object, in
 * whatever order they merge. Where there is no room to remember more, siblings stay. */
void node_space_resolve(const struct node *node, const struct op *op, struct crdt_object *object)
{
    if (object->value_count > 1 && node_space_is_lww(node, op->ns, op->key))
        (void)(crdt_object_newest(object) == STATUS_OK);
}

/* --- the list */

static struct slice space_name(const struct space_record *record)
{
    return slice_of(record->name, record->name_size);
}

/* What pings say of all lists together. */
void node_lists_digest(struct node *node)
{
    swim_place_digest(node->swim, place_digest(node->place) + place_spaces_digest(node->spaces) +
                                      node_keys_digest(node));
}

static void space_changed(struct node *node, const struct space_record *record)
{
    node_lists_digest(node);
    node_persist_soon(node);
    node_trace(node, TRACE_NAMESPACE_CHANGED,
               place_spaces_name_hash(node->spaces, space_name(record)), record->settings.set,
               record->stamp);
    node_classes_changed(node);
}

void node_space_received(struct node *node, struct slice bytes)
{
    struct space_record record;

    if (!node->spaces || wire_space_decode(bytes, &record) != STATUS_OK) {
        metric_add(&node->metrics, METRIC_DROP_MALFORMED, node->spaces != NULL);
        return;
    }
    if (record.stamp > CRDT_STAMP_MAX)
        return;
    crdt_clock_observe(&node->clock, node->wall_ms, record.stamp);
    if (record.replicas_stamp > CRDT_STAMP_MAX)
        return;
    crdt_clock_observe(&node->clock, node->wall_ms, record.replicas_stamp);
    if (place_spaces_merge(node->spaces, &record) == STATUS_OK)
        space_changed(node, &record);
}

static struct message space_message(struct node *node, const struct space_record *record)
{
    struct writer out =
        writer_over(effects_alloc(node->fx, NAMESPACE_RECORD_SIZE_MAX), NAMESPACE_RECORD_SIZE_MAX);
    struct message message = {.kind = MESSAGE_NAMESPACE};

    if (wire_space_encode(record, &out) == STATUS_OK)
        message.namespace.record = writer_done(&out);
    return message;
}

/* Tells whether a change gives a namespace another class. Its replicas stay what they are unless
 * they are named, or it is deleted. */
bool node_space_moves(const struct node *node, struct slice name,
                      const struct space_settings *settings, bool is_deleted)
{
    return (is_deleted || settings->set & SPACE_REPLICAS) &&
           !slice_equal(name, slice_text(SPACE_DEFAULT)) &&
           place_class(node->place, settings->replicas) != node_class(node, name);
}

/* Writes the settings of a name anew: here, to the disk, and to everybody. OK; FULL. */
enum status node_space_write(struct node *node, struct slice name,
                             const struct space_settings *settings, bool is_deleted)
{
    const struct space_record *known = place_spaces_find(node->spaces, name);
    struct space_record record = {.name_size = (uint8_t)name.size,
                                  .is_deleted = is_deleted,
                                  .settings = *settings,
                                  .by = node->self};
    struct message message;
    enum status status;

    ensure(name.size <= NS_SIZE_MAX);
    memcpy(record.name, name.data, name.size);
    record.stamp = crdt_clock_next(&node->clock, node->wall_ms, known ? known->stamp : 0);
    if (node_space_moves(node, name, settings, is_deleted))
        record.replicas_stamp = record.stamp;
    else if (known && settings->set & SPACE_REPLICAS)
        record.replicas_stamp = known->replicas_stamp; /* said again */
    status = place_spaces_merge(node->spaces, &record);
    if (status != STATUS_OK)
        return status;
    space_changed(node, &record);
    node_persist(node);
    message = space_message(node, &record);
    node_send_all(node, &message);
    return STATUS_OK;
}

/* --- comparing tables with one peer */

/* The list in brief, for TABLE. */
struct slice node_space_brief(struct node *node)
{
    uint32_t count = node->spaces ? place_spaces_count(node->spaces) : 0;
    struct writer out = writer_over(effects_alloc(node->fx, 32u * count + 1), 32u * count);

    for (uint32_t i = 0; i < count; i++) {
        const struct space_record *record = place_spaces_at(node->spaces, i);

        write_u64(&out, place_spaces_name_hash(node->spaces, space_name(record)));
        write_u64(&out, record->stamp);
        if (record->replicas_stamp == 0)
            continue;
        write_u64(&out, place_spaces_name_hash(node->spaces, space_name(record)) + 1);
        write_u64(&out, record->replicas_stamp);
    }
    return writer_done(&out);
}

/* Tells whether a brief list has `name` with this stamp or a later one. */
static bool space_is_in(struct slice brief, uint64_t name, uint64_t stamp)
{
    struct reader in = reader_over(brief);
    bool is_known = stamp == 0;

    while (reader_left(&in) >= 16) {
        uint64_t hash = read_u64(&in), known = read_u64(&in);

        is_known |= hash == name && known >= stamp;
    }
    return is_known;
}

/* Sends the records of ours that the brief list lacks or has older. */
void node_space_tell(struct node *node, uint64_t peer, struct slice brief)
{
    for (uint32_t i = 0; node->spaces && i < place_spaces_count(node->spaces); i++) {
        const struct space_record *record = place_spaces_at(node->spaces, i);
        uint64_t name = place_spaces_name_hash(node->spaces, space_name(record));

        if (!space_is_in(brief, name, record->stamp) ||
            !space_is_in(brief, name + 1, record->replicas_stamp)) {
            struct message message = space_message(node, record);

            (void)node_send_plain(node, peer, &message);
        }
    }
}
