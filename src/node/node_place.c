/* node_place.c: the placement list as this node carries it: our own record, news of others, what
 * follows from a change. Who owns what is place's business; who tells whom is this file's. */
#include "node_impl.h"
#include "node_parts.h"

/* Everything that depends on the list is brought up to date. */
static void place_changed(struct node *node, const struct place_record *record)
{
    uint64_t layout = place_layout(node->place), id8 = id_front(&record->id);
    struct node_peer *peer = id8 == node->self ? NULL : node_peer(node, id8);

    if (!peer) /* our own part in the layout begins anew */
        node_marks_reset(node);
    node_lists_digest(node);
    node_persist_place(node, record);
    node_persist_soon(node);
    node_trace(node, TRACE_PLACE_CHANGED, id_front(&record->id), record->state, layout);
    if (record->state == PLACE_LEAVING && peer)
        peer->sync_at = 0; /* it waits for us to pull what we take over */
    node_move_wake(node);
    node_watch_member(node, id8);
}

/* Others know us as an owner and our own disk did not: it was lost, whatever its boot counter says
 * (that begins again at 1, as it did in the life that is gone). */
static void place_remembered(struct node *node)
{
    if (node->is_recovering)
        return;
    node->is_recovering = true;
    metric_add(&node->metrics, METRIC_INCIDENTS, 1);
    node_trace(node, TRACE_IDENTITY_BEHIND, 0, node->boot_counter, 0);
}

void node_place_received(struct node *node, struct slice bytes)
{
    struct place_record record;
    unsigned before = node_place_state(node);

    if (node_drop_defers(node, bytes))
        return;
    if (!node->place || wire_place_decode(bytes, &record) != STATUS_OK) {
        metric_add(&node->metrics, METRIC_DROP_MALFORMED, node->place != NULL);
        return;
    }
    crdt_clock_observe(&node->clock, node->wall_ms, record.stamp);
    if (record.stamp > CRDT_STAMP_MAX || !node_is_in_cell(node, &record.id) ||
        place_merge(node->place, &record) != STATUS_OK)
        return;
    if (id_front(&record.id) == node->self && node->phase == NODE_OPEN && before == 0 &&
        place_is_in_base(record.state))
        place_remembered(node);
    place_changed(node, &record);
    if (record.state == PLACE_OUT && id_front(&record.id) == node->self && !node->is_leaving &&
        node->phase == NODE_OPEN)
        node_place_start(node); /* others remember our leaving, we do not: a new start */
}

static struct message place_message(struct node *node, const struct place_record *record)
{
    struct writer out =
        writer_over(effects_alloc(node->fx, PLACE_RECORD_SIZE_MAX), PLACE_RECORD_SIZE_MAX);
    struct message message = {.kind = MESSAGE_PLACE};

    if (wire_place_encode(record, &out) == STATUS_OK)
        message.place.record = writer_done(&out);
    return message;
}

unsigned node_place_state(const struct node *node)
{
    const struct place_record *record = node->place ? place_find(node->place, node->self) : NULL;

    return record ? record->state : 0;
}

/* The latest stamp of our own record and of all moves: who begins one goes to the end of the line.
 */
static uint64_t place_latest(struct node *node, const struct place_record *known)
{
    uint64_t latest = known ? known->stamp : 0;

    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);

        if (record->state != PLACE_ACTIVE && record->state != PLACE_OUT && record->stamp > latest)
            latest = record->stamp;
    }
    return latest;
}

/* Our record in a new state. Weight and labels are taken from the settings on the way in only: they
 * decide owners, and while we count in base a change of them would move both sets at once. */
static struct place_record place_own(struct node *node, enum place_state state)
{
    const struct place_record *known = place_find(node->place, node->self);
    struct place_record record = {.id = *node_self(node),
                                  .weight = node->config.weight,
                                  .host = node->config.host,
                                  .zone = node->config.zone};

    if (known && state != PLACE_JOINING)
        record = *known;
    if (state == PLACE_ACTIVE && record.state == PLACE_WEIGHING)
        record.weight = record.weight_next;
    if (state != PLACE_WEIGHING)
        record.weight_next = 0;
    record.state = (uint8_t)state;
    record.by = node->self;
    /* Above what is known of us and of the move we may wait behind, whatever clock that came from.
     */
    record.stamp = crdt_clock_next(&node->clock, node->wall_ms, place_latest(node, known));
    return record;
}

/* Puts a record of ours on the list and tells everybody. */
static void place_put(struct node *node, const struct place_record *record)
{
    struct message message = place_message(node, record);

    if (place_merge(node->place, record) != STATUS_OK)
        return; /* a full list: the digest shows it, the operator forgets somebody */
    place_changed(node, record);
    node_send_all(node, &message);
}

void node_place_set(struct node *node, enum place_state state)
{
    struct place_record record = place_own(node, state);

    node->placed_at = node->now;
    place_put(node, &record);
}

/* Begins to change our weight; back to the one that counts ends such a change. */
void node_place_weigh(struct node *node, uint16_t weight)
{
    struct place_record record = place_own(node, PLACE_WEIGHING);

    record.state = weight == record.weight ? PLACE_ACTIVE : PLACE_WEIGHING;
    record.weight_next = weight == record.weight ? 0 : weight;
    node->placed_at = node->now;
    place_put(node, &record);
}

/* Changes the record of a peer that cannot do so itself. */
void node_place_other(struct node *node, uint64_t id8, enum place_state state)
{
    const struct place_record *known = place_find(node->place, id8);
    struct place_record record = *known;

    record.state = (uint8_t)state;
    record.weight_next = 0;
    record.by = node->self;
    record.stamp = crdt_clock_next(&node->clock, node->wall_ms, place_latest(node, known));
    place_put(node, &record);
}

/* A peer that belongs to a cluster and is not on its list asks for a share. */
void node_place_start(struct node *node)
{
    node->is_place_due = false;

    const struct place_record *record = place_find(node->place, node->self);
    bool is_changed = record && (record->weight != node->config.weight ||
                                 !label_equal(&record->host, &node->config.host) ||
                                 !label_equal(&record->zone, &node->config.zone));

    if ((!record || record->state == PLACE_OUT) && node_hand_holds_back(node))
        return; /* what we hold from before goes to its owners first */
    if (!record || record->state == PLACE_OUT || (is_changed && record->state == PLACE_JOINING))
        node_place_set(node, PLACE_JOINING);
}

/* --- comparing tables with one peer */

#define TABLE_US INSTANT_MS(100)    /* not more often with one peer */
#define TABLE_SIZE_MAX (512u << 10) /* bytes: 2,048 members and as many places */

void node_table_send(struct node *node, uint64_t peer, bool is_reply)
{
    struct writer members =
        writer_over(effects_alloc(node->fx, TABLE_SIZE_MAX / 8), TABLE_SIZE_MAX / 8);
    uint32_t count = node->place ? place_count(node->place) : 0;
    struct writer places = writer_over(effects_alloc(node->fx, 16u * count + 1), 16u * count);
    struct message table = {.kind = MESSAGE_TABLE, .table = {.is_reply = is_reply}};

    swim_table_write(node->swim, &members);
    for (uint32_t i = 0; i < count; i++) {
        const struct place_record *record = place_at(node->place, i);

        write_u64(&places, id_front(&record->id));
        write_u64(&places, record->stamp);
    }
    table.table.members = writer_done(&members);
    table.table.places = writer_done(&places);
    table.table.spaces = node_space_brief(node);
    table.table.founding = node_founding_hash(node);
    table.table.keyring = node->keyring.stamp;
    table.table.keyring_by = node->keyring.by;
    (void)node_send_plain(node, peer, &table);
}

/* A peer acts under another layout: it gets the newest record there is, ahead of any answer. What
 * differs is that, as a rule; tables tell the rest. */
void node_place_differs(struct node *node, uint64_t id8)
{
    const struct place_record *newest = NULL;
    struct message message;

    for (uint32_t i = 0; i < place_count(node->place); i++)
        if (!newest || place_at(node->place, i)->stamp > newest->stamp)
            newest = place_at(node->place, i);
    if (newest) {
        message = place_message(node, newest);
        (void)node_send_plain(node, id8, &message);
    }
    node_table_soon(node, id8);
}

void node_table_soon(struct node *node, uint64_t id8)
{
    struct node_peer *peer = node_peer(node, id8);

    if (!peer || peer->table_at > node->now || !swim_find(node->swim, id8))
        return;
    peer->table_at = node->now + TABLE_US;
    node_trace(node, TRACE_TABLE_DIFFERS, id8, 0, 0);
    node_table_send(node, id8, false);
}

/* Sends the records of ours that the brief list lacks or has older. */
static void table_places(struct node *node, uint64_t peer, struct slice brief)
{
    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);
        struct reader in = reader_over(brief);
        bool is_known = false;

        while (reader_left(&in) >= 16) {
            uint64_t id8 = read_u64(&in), stamp = read_u64(&in);

            is_known |= id8 == id_front(&record->id) && stamp >= record->stamp;
        }
        if (!is_known) {
            struct message message = place_message(node, record);

            (void)node_send_plain(node, peer, &message);
        }
    }
}

void node_table_received(struct node *node, const struct swim_from *sender,
                         const struct message *message)
{
    uint64_t peer = sender->id8;
    const struct message_table *table = &message->table;
    uint64_t ours = node_founding_hash(node);

    if (ours && table->founding && ours != table->founding) {
        metric_add(&node->metrics, METRIC_INCIDENTS, 1);
        node_trace(node, TRACE_FOUNDING_CONFLICT, peer, 0, 0);
        node_join_ask(node, peer); /* a founding that holds nothing yet gives way to the older */
        return;
    }
    swim_receive(node->swim, node->now, sender, message);
    node_farewell_heard(node, peer, table->places);
    if (node->place)
        table_places(node, peer, table->places);
    node_space_tell(node, peer, table->spaces);
    node_keys_tell(node, peer, table->keyring, table->keyring_by);
    if (!table->is_reply)
        node_table_send(node, peer, true);
    else if (ours && ours == table->founding && node->is_place_due)
        node_place_start(node); /* what they know of our place came before this answer */
}
