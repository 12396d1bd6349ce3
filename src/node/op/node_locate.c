/* node_locate.c: a key whose cell our view does not cover. A lookup for the key's hash ends among
 * the members of that cell; one of them names the owners, one of those runs the operation.
 *
 *   begin -> FIND_NODE... -> LOCATE to a member of the cell -> LOCATED -> OP to an owner
 */
#include "node_impl.h"
#include "node_parts.h"

void node_locate(struct node *node, struct node_task *task)
{
    struct kad_request request = {.lookup = task->id << 1,
                                  .target = id_from_front(task->hash_front)};

    if (task->kind != TASK_CLIENT) {
        node_task_fail(node, task, STATUS_NOT_OWNER); /* it was forwarded once already */
        return;
    }
    task->step = STEP_LIST;
    if (kad_lookup(node->kad, node->now, &request) != STATUS_OK)
        node_task_fail(node, task, STATUS_UNREACHABLE);
}

/* Remembers where a peer outside our view is. */
static bool locate_remember(struct node *node, const struct contact *contact)
{
    struct node_peer *peer = node_peer(node, id_front(&contact->id));

    if (!peer || seal_peer_add(node->seal, contact->public_key) != STATUS_OK)
        return false;
    peer->address = contact->address;
    return true;
}

void node_locate_found(struct node *node, struct node_task *task, const struct kad_output *done)
{
    struct node_id key = id_from_front(task->hash_front);
    struct frame head = {.priority = 1, .request = task->id};
    struct message locate = {.kind = MESSAGE_LOCATE, .locate = {.hash = task->hash_front}};

    for (unsigned i = 0; i < done->count; i++) {
        const struct contact *contact = &done->contacts[i];

        if (id_is_in_cell(&contact->id, &key, node->founding.cell_depth) &&
            locate_remember(node, contact) &&
            node_send(node, id_front(&contact->id), &head, &locate))
            return; /* LOCATED follows, or the deadline */
    }
    node_task_fail(node, task, STATUS_UNREACHABLE);
}

static void locate_asked(struct node *node, uint64_t peer, uint64_t request, uint64_t hash)
{
    struct place_owners owners;
    uint8_t room[REPLICAS_MAX * WIRE_CONTACT_SIZE_MAX];
    struct writer out = writer_over(room, sizeof(room));
    struct message located = {.kind = MESSAGE_LOCATED, .located = {.hash = hash}};

    if (!node->is_founded || !node_key_is_in_cell(node, hash))
        return;
    place_owners(node->place, place_partition(node->place, hash), &owners);
    for (uint8_t i = 0; i < owners.base_count; i++) {
        const struct swim_view *view = swim_find(node->swim, owners.peers[i].id8);
        struct contact contact;

        if (!view || view->rank >= RANK_DEAD)
            continue;
        contact = (struct contact){
            .id = view->id, .address = view->address, .epoch = view->record->epoch};
        memcpy(contact.public_key, view->record->public_key, PUBLIC_KEY_SIZE);
        wire_contact_write(&out, &contact);
    }
    located.located.layout = place_layout(node->place);
    located.located.owners = writer_done(&out);
    node_send_reply(node, peer, request, &located);
}

static void locate_answered(struct node *node, uint64_t request,
                            const struct message_located *located)
{
    struct node_task *task = node_task_find(node, request);
    struct reader in = reader_over(located->owners);

    if (!task || task->step != STEP_LIST || task->hash_front != located->hash ||
        task->kind != TASK_CLIENT)
        return;
    while (reader_left(&in) > 0) {
        struct contact owner;

        wire_contact_read(&in, &owner);
        if (!in.is_bad && locate_remember(node, &owner) &&
            node_forward_to(node, task, id_front(&owner.id)))
            return;
    }
    node_task_fail(node, task, STATUS_UNREACHABLE);
}

void node_locate_message(struct node *node, uint64_t peer, const struct frame *frame,
                         const struct message *message)
{
    if (message->kind == MESSAGE_LOCATE)
        locate_asked(node, peer, frame->request, message->locate.hash);
    else
        locate_answered(node, frame->request, &message->located);
}
