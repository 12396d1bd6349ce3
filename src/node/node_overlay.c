/* node_overlay.c: the overlay's part in a node: contacts for the buckets, the lookup after a join,
 * lookups for people, and finding owners whose cell our view does not cover (protocols.md 3). */
#include "node_impl.h"
#include "node_parts.h"

#define LOOKUP_JOIN 1ull /* numbers of lookups that belong to no task */

bool node_is_in_cell(const struct node *node, const struct node_id *id)
{
    return !node->is_founded || id_is_in_cell(id, node_self(node), node->founding.cell_depth);
}

bool node_key_is_in_cell(const struct node *node, uint64_t hash_front)
{
    struct node_id id = id_from_front(hash_front);

    return node_is_in_cell(node, &id);
}

static bool overlay_contact(struct node *node, uint64_t peer, const struct address *from,
                            struct contact *contact)
{
    const uint8_t *key = seal_peer_key(node->seal, peer);

    if (!key)
        return false;
    *contact = (struct contact){.address = *from};
    memcpy(contact->public_key, key, PUBLIC_KEY_SIZE);
    contact->id = hash_node_id(key);
    return true;
}

static unsigned overlay_unpack(struct slice packed, struct contact *contacts, unsigned max)
{
    struct reader in = reader_over(packed);
    unsigned count = 0;

    while (count < max && reader_left(&in) > 0) {
        wire_contact_read(&in, &contacts[count]);
        if (in.is_bad)
            break;
        count++;
    }
    return count;
}

static struct slice overlay_pack(struct node *node, const struct contact *contacts, unsigned count)
{
    size_t size = count * (size_t)WIRE_CONTACT_SIZE_MAX;
    struct writer out = writer_over(effects_alloc(node->fx, size + 1), size);

    for (unsigned i = 0; i < count; i++)
        wire_contact_write(&out, &contacts[i]);
    return writer_done(&out);
}

void node_overlay_message(struct node *node, uint64_t peer, const struct address *from,
                          const struct message *message)
{
    struct contact contact, contacts[KAD_BETA];

    if (!overlay_contact(node, peer, from, &contact))
        return;
    if (message->kind == MESSAGE_FIND_NODE) {
        kad_receive_find(node->kad, node->now, &contact, &message->find_node);
        return;
    }

    struct kad_nodes nodes = {.seq = message->nodes.seq,
                              .target = message->nodes.target,
                              .contacts = contacts,
                              .count = overlay_unpack(message->nodes.contacts, contacts, KAD_BETA)};

    if (kad_receive_nodes(node->kad, node->now, &contact, &nodes) != STATUS_OK)
        metric_add(&node->metrics, METRIC_DROP_UNVERIFIED, 1); /* nobody asked, or too late */
}

/* kad wants a datagram sent. Its receiver may be a stranger of whom we know key and address. */
void node_overlay_send(struct node *node, const struct kad_output *send)
{
    struct message message = send->message;
    uint64_t to = id_front(&send->to->id);

    if (message.kind == MESSAGE_NODES)
        message.nodes.contacts = overlay_pack(node, send->contacts, send->count);
    if (seal_peer_add(node->seal, send->to->public_key) == STATUS_OK)
        node_send_datagram(node, to, &send->to->address, &message, 1);
}

/* The contacts nearest to a joiner, among those in our buckets and ourselves. */
struct slice node_overlay_nearest(struct node *node, uint64_t id8)
{
    struct contact contacts[KAD_K];
    struct node_id target = id_from_front(id8);
    unsigned count = kad_nearest(node->kad, &target, contacts, KAD_K);

    return overlay_pack(node, contacts, count);
}

/* Join discovery: look for ourselves, beginning with whom the seed named. */
void node_overlay_joined(struct node *node, struct slice packed)
{
    struct contact contacts[KAD_K];
    struct kad_request request = {.lookup = LOOKUP_JOIN,
                                  .target = *node_self(node),
                                  .seeds = contacts,
                                  .seed_count = overlay_unpack(packed, contacts, KAD_K)};

    if (kad_lookup(node->kad, node->now, &request) != STATUS_OK)
        return; /* alone, or one runs already: both are fine */
}

static struct node_id overlay_target(struct node *node, const struct op *op)
{
    struct hash16 hash = hash_key(node->founding.hash_seed, op->ns, op->key);
    struct node_id id = {{0}};

    if (op->ns.size == 0 && op->key.size == NODE_ID_SIZE) {
        memcpy(id.bytes, op->key.data, NODE_ID_SIZE); /* an id was asked for, not a key */
        return id;
    }
    return id_from_front(hash_key_front(&hash));
}

/* A lookup for a person, or one that a task needs: the task's number names it. */
void node_overlay_begin(struct node *node, struct node_task *task)
{
    struct kad_request request = {.lookup = task->id << 1,
                                  .target = overlay_target(node, &task->op)};
    enum status status;

    task->step = STEP_LIST;
    status = kad_lookup(node->kad, node->now, &request);
    if (status != STATUS_OK)
        node_task_fail(node, task, status);
}

/* One step of a lookup that a person watches. */
void node_overlay_step(struct node *node, const struct kad_output *step)
{
    struct node_task *task = node_task_find(node, step->lookup >> 1);
    struct result_hop hop = {.id = step->to->id,
                             .address = step->to->address,
                             .rtt_us = step->rtt_us,
                             .contacts = step->count,
                             .prefix = (uint8_t)(step->prefix > 255 ? 255 : step->prefix),
                             .is_answered = step->is_answer};

    if (step->lookup == LOOKUP_JOIN || !task || task->op.kind != OP_OVERLAY)
        return;

    struct blob *grown = blob_new(blob_slice(task->object).size + sizeof(hop));

    if (!grown)
        return;
    if (task->object)
        memcpy(grown->data, task->object->data, task->object->size);
    memcpy(grown->data + grown->size - sizeof(hop), &hop, sizeof(hop));
    blob_drop(&task->object);
    task->object = grown;
}

/* A lookup ended: show it, or go to those it found. */
void node_overlay_done(struct node *node, const struct kad_output *done)
{
    struct node_task *task = node_task_find(node, done->lookup >> 1);
    struct node_outcome outcome = {.status = STATUS_OK};

    for (unsigned i = 0; i < done->count; i++)
        node_overlay_meet(node, &done->contacts[i]);
    if (done->lookup == LOOKUP_JOIN || !task)
        return;
    if (task->op.kind != OP_OVERLAY) {
        node_locate_found(node, task, done);
        return;
    }

    struct result *result = node_reply_client(node, &task->op, task->ticket, &outcome);
    struct slice hops = effects_copy(node->fx, blob_slice(task->object));

    result->hops = (const struct result_hop *)(const void *)hops.data;
    result->hop_count = (uint32_t)(hops.size / sizeof(struct result_hop));
    node_task_end(node, task);
}

/* Asks a stranger for its record. The question is as large as the PING with which a peer that does
 * not know us may answer it (node_unproved.h). */
void node_overlay_ask(struct node *node, uint64_t id8, const struct address *address)
{
    uint8_t subjects[3 * 8] = {0};
    struct message get = {.kind = MESSAGE_RECORD_GET,
                          .record_get = {.subjects = slice_of(subjects, sizeof(subjects))}};

    bytes_store_u64(subjects, id8);
    node_send_bare(node, id8, address, &get, 1);
}

/* Somebody the overlay found: if it belongs to our cell, ask for its record, so that it becomes a
 * member of our view. */
void node_overlay_meet(struct node *node, const struct contact *contact)
{
    uint64_t id8 = id_front(&contact->id);

    if (id8 == node->self || swim_find(node->swim, id8) || !node_is_in_cell(node, &contact->id) ||
        seal_peer_add(node->seal, contact->public_key) != STATUS_OK)
        return;
    node_overlay_ask(node, id8, &contact->address);
}
