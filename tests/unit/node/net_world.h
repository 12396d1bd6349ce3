/* net_world.h: how the small world of net.h turns: the ports of a node, its effects, and what comes
 * back. Included by net.h alone. */
#ifndef TEST_NODE_NET_WORLD_H
#define TEST_NODE_NET_WORLD_H

static struct address net_address(unsigned peer)
{
    struct address address = {.family = 4, .port = (uint16_t)(NET_PORT + peer)};

    address.ip[0] = 127;
    address.ip[3] = 1;
    return address;
}

static struct net_item *net_push(struct net *net, enum net_kind kind, unsigned peer,
                                 struct slice bytes)
{
    struct net_item *item = &net->items[net->last % NET_ITEMS];

    assert_true(net->last - net->first < NET_ITEMS);
    *item = (struct net_item){.kind = kind,
                              .due = net->now + INSTANT_MS(1),
                              .peer = peer,
                              .life = net->peers[peer].life,
                              .size = bytes.size};
    item->bytes = malloc(bytes.size + 1);
    if (bytes.size)
        memcpy(item->bytes, bytes.data, bytes.size);
    net->last++;
    return item;
}

static void net_item_free(struct net_item *item)
{
    for (uint32_t i = 0; i < item->count; i++) {
        free((void *)(uintptr_t)item->rows[i].key.data);
        free((void *)(uintptr_t)item->rows[i].value.data);
    }
    free(item->rows);
    free(item->bytes);
    *item = (struct net_item){0};
}

static struct slice net_copy(struct slice bytes)
{
    uint8_t *copy = malloc(bytes.size + 1);

    if (bytes.size)
        memcpy(copy, bytes.data, bytes.size);
    return slice_of(copy, bytes.size);
}

/* --- the three ports */

static enum status net_get(void *context, enum store_family family, struct slice key,
                           struct store_pin *pin)
{
    struct net_peer *peer = context;
    struct store memory = store_memory_ports(peer->memory);

    return peer->is_cold ? STATUS_COLD : memory.get(memory.context, family, key, pin);
}

static void net_unpin(void *context, struct store_pin *pin)
{
    struct net_peer *peer = context;
    struct store memory = store_memory_ports(peer->memory);

    memory.release(memory.context, pin);
}

static void net_entropy(void *context, void *into, size_t size)
{
    struct net_peer *peer = context;

    for (size_t i = 0; i < size; i++)
        ((uint8_t *)into)[i] = (uint8_t)prng_next(&peer->entropy);
}

static void net_trace(void *context, enum trace_code code, uint64_t a, uint64_t b, uint64_t c)
{
    struct net_peer *peer = context;

    peer->net->traces[code]++;
    if (getenv("NET_TRACE"))
        fprintf(stderr, "%.3f peer-%u %s %llx %llu %llx\n", (double)peer->net->now / 1e6,
                peer->index, trace_name(code), (unsigned long long)a, (unsigned long long)b,
                (unsigned long long)c);
}

/* --- effects */

static void net_write(struct net *net, struct net_peer *peer, const struct effect *effect)
{
    struct net_item *item = net_push(net, NET_STORED, peer->index, SLICE_NONE);

    peer->writes++;
    item->ticket = effect->write.write;
    item->count = effect->write.count;
    item->rows = calloc(item->count + 1, sizeof(*item->rows));
    for (uint32_t i = 0; i < item->count; i++) {
        item->rows[i] = effect->write.rows[i];
        item->rows[i].key = net_copy(effect->write.rows[i].key);
        item->rows[i].value = net_copy(effect->write.rows[i].value);
    }
}

static void net_read(struct net *net, struct net_peer *peer, const struct effect *effect)
{
    const struct store_range *range = &effect->read.range;
    uint8_t room[2 * (STORE_KEY_SIZE_MAX + 64)];
    struct writer out = writer_over(room, sizeof(room));
    struct net_item *item;

    write_slice(&out, range->from);
    write_slice(&out, range->until);
    item = net_push(net, NET_LOADED, peer->index, writer_done(&out));
    item->ticket = effect->read.read;
    item->range = *range;
    item->is_point = effect->read.is_point;
    item->range.from = slice_of(item->bytes, range->from.size);
    item->range.until = slice_of(item->bytes + range->from.size, range->until.size);
}

static void net_connect(struct net *net, struct net_peer *from, const struct effect *effect)
{
    unsigned to = effect->link.address.port - NET_PORT;
    unsigned at = 0;

    if (to >= net->count || !net->peers[to].node || net->cut[from->index][to]) {
        net_push(net, NET_DOWN, from->index, SLICE_NONE)->link = effect->link.link;
        return;
    }
    while (net->links[at].is_open[0] || net->links[at].is_open[1])
        assert_true(++at < NET_LINKS);
    net->links[at].is_open[0] = net->links[at].is_open[1] = true;
    net->links[at].peer[0] = from->index;
    net->links[at].peer[1] = to;
    net->links[at].link[0] = effect->link.link;
    net->links[at].link[1] = LINK_INBOUND | ++net->inbound;
    for (unsigned side = 0; side < 2; side++)
        net_push(net, NET_UP, net->links[at].peer[side], SLICE_NONE)->link =
            net->links[at].link[side];
}

/* The place of a link and the other side of it; -1: closed. */
static int net_other(const struct net *net, unsigned peer, link_id link, unsigned *other)
{
    for (int at = 0; at < NET_LINKS; at++)
        for (unsigned side = 0; side < 2; side++)
            if (net->links[at].is_open[side] && net->links[at].peer[side] == peer &&
                net->links[at].link[side] == link) {
                *other = !side;
                return at;
            }
    return -1;
}

static void net_close(struct net *net, unsigned peer, link_id link)
{
    unsigned other;
    int at = net_other(net, peer, link, &other);

    if (at < 0)
        return;
    net->links[at].is_open[!other] = false;
    if (net->links[at].is_open[other] && net->peers[net->links[at].peer[other]].node)
        net_push(net, NET_DOWN, net->links[at].peer[other], SLICE_NONE)->link =
            net->links[at].link[other];
}

/* Keeps the rows of a scan as an archive would. */
static void net_pack(struct net *net, const struct result *result)
{
    struct writer out = writer_over(net->packed, sizeof(net->packed));

    for (uint32_t i = 0; result->kind == OP_SCAN && i < result->item_count; i++)
        row_write(&out, &(struct row){.ns = result->items[i].ns,
                                      .name = result->items[i].key,
                                      .object = result->items[i].object});
    assert_false(out.is_full);
    if (result->kind == OP_SCAN)
        net->packed_size = out.size;
}

/* What a scan brought of one row. */
static void net_row_shown(struct net_reply *reply, uint32_t at, const struct result_item *item)
{
    static struct crdt_object object;
    uint16_t winner;

    assert_int_equal(crdt_object_decode(item->object, &object), STATUS_OK);
    assert_true(crdt_object_winner(&object, &winner));
    reply->rows[at].values = object.value_count;
    reply->rows[at].is_gone = object.values[winner].kind == CRDT_TOMBSTONE;
}

static void net_replied_keys(struct net_reply *reply, const struct result *result)
{
    reply->keys = result->key_count;
    memcpy(reply->key_ids, result->keys, sizeof(reply->key_ids));
    reply->key_missing = 0;
    for (uint32_t i = 0; i < result->key_member_count; i++)
        reply->key_missing += result->key_members[i].ack != KEY_ACKNOWLEDGED;
}

static void net_replied(struct net *net, struct net_peer *peer, const struct effect *effect)
{
    const struct result *result = effect->reply.result;
    struct net_reply *reply = &net->reply;

    peer->replies++;
    *reply = (struct net_reply){.ticket = effect->reply.ticket,
                                .status = result->status,
                                .outcome = result->outcome,
                                .is_created = result->is_created,
                                .is_truncated = result->is_truncated,
                                .is_true = result->is_true,
                                .types = result->types,
                                .number = result->number,
                                .acks = result->acks,
                                .required = result->required,
                                .etag = result->etag,
                                .expires_ms = result->value_count ? result->values[0].expires_ms
                                                                  : result->expires_ms,
                                .values = result->value_count,
                                .items = result->item_count,
                                .owners = result->owner_count,
                                .members = result->member_count,
                                .route_count = result->route_count,
                                .context_size = result->context.size,
                                .session_size = result->session.size};
    reply->elements = result->element_count;
    for (uint32_t i = 0; i < result->element_count && i < 64; i++) {
        struct slice path = result->elements[i].path;

        reply->path_sizes[i] = path.size;
        memcpy(reply->paths[i], path.data, path.size < 31 ? path.size : 31);
        reply->numbers[i] = result->elements[i].number;
    }
    for (uint8_t i = 0; i < result->route_count; i++)
        reply->route[i] = result->route[i].roles;
    for (uint32_t i = 0; i < result->owner_count && i < NET_PEERS; i++)
        reply->hints[i] = result->owners[i].hints;
    for (uint32_t i = 0; i < result->value_count && i < NET_VALUES; i++) {
        size_t size = result->values[i].body.size < 63 ? result->values[i].body.size : 63;

        if (size)
            memcpy(reply->bodies[i], result->values[i].body.data, size);
        reply->etags[i] = result->values[i].etag;
    }
    for (uint32_t i = 0; i < result->item_count && i < 64; i++) {
        memcpy(reply->names[i], result->items[i].key.data,
               result->items[i].key.size < 31 ? result->items[i].key.size : 31);
        if (result->kind == OP_SCAN)
            net_row_shown(reply, i, &result->items[i]);
    }
    if (result->value_count)
        reply->modified_ms = result->values[0].modified_ms;
    if (result->session.size)
        memcpy(reply->session, result->session.data, result->session.size);
    net_pack(net, result);
    reply->job_count = result->job_count;
    for (uint32_t i = 0; i < result->job_count && i < 16; i++)
        reply->jobs[i] = result->jobs[i];
    net_replied_keys(reply, result);
    reply->rows_stored = result->row_count;
    reply->partition = result->partition;
    reply->next_size = result->next.size;
    if (result->next.size)
        memcpy(reply->next, result->next.data, result->next.size);
    if (result->context.size)
        memcpy(reply->context, result->context.data, result->context.size);
}

static void net_effect(struct net *net, struct net_peer *peer, const struct effect *effect)
{
    unsigned to, other;
    int at;

    switch (effect->kind) {
    case EFFECT_DATAGRAM:
        to = effect->datagram.to.port - NET_PORT;
        if (to < net->count && net->peers[to].node && !net->cut[peer->index][to])
            net_push(net, NET_DATAGRAM, to, effect->datagram.bytes)->from = peer->index;
        break;
    case EFFECT_CONNECT:
        net_connect(net, peer, effect);
        break;
    case EFFECT_CLOSE:
        net_close(net, peer->index, effect->link.link);
        break;
    case EFFECT_STREAM:
        at = net_other(net, peer->index, effect->stream.link, &other);
        if (at >= 0 && !net->cut[peer->index][net->links[at].peer[other]])
            net_push(net, NET_STREAM, net->links[at].peer[other], effect->stream.bytes)->link =
                net->links[at].link[other];
        break;
    case EFFECT_WRITE:
        net_write(net, peer, effect);
        break;
    case EFFECT_READ:
        net_read(net, peer, effect);
        break;
    case EFFECT_REPLY:
        net_replied(net, peer, effect);
        break;
    case EFFECT_RESOLVE:
        net_push(net, NET_SEEDS, peer->index, SLICE_NONE);
        break;
    case EFFECT_KEYRING:
        net_push(net, NET_KEYRING, peer->index,
                 slice_of(effect->keyring.ring, sizeof(*effect->keyring.ring)));
        break;
    case EFFECT_REOPEN:
        peer->reopens++;
        break;
    case EFFECT_STOP:
        peer->stops++;
        break;
    }
}

static void net_step(struct net *net, struct net_peer *peer, struct event *event)
{
    event->now = net->now;
    event->wall_ms = NET_WALL_MS + net->now / 1000u + net->wall_ahead_ms[peer->index];
    node_step(peer->node, event, &net->fx);
    node_flush(peer->node, &net->fx);
    for (uint32_t i = 0; i < net->fx.count; i++)
        net_effect(net, peer, &net->fx.items[i]);
    effects_reset(&net->fx);
}

/* --- what comes back */

static void net_stored(struct net *net, struct net_peer *peer, const struct net_item *item)
{
    struct store memory = store_memory_ports(peer->memory);
    struct event stored = {.kind = EVENT_STORED};

    stored.stored.write = item->ticket;
    stored.stored.status = peer->commit;
    if (peer->commit == STATUS_OK)
        stored.stored.status = memory.apply(memory.context, item->rows, item->count);
    net_step(net, peer, &stored);
}

/* A page. Values stay where they are: nothing is applied to the store during a step. */
struct net_page {
    struct store_row rows[2 * SCAN_ROWS_MAX];
    uint8_t keys[2 * SCAN_ROWS_MAX][STORE_KEY_SIZE_MAX];
    uint32_t count;
};

static bool net_visit(void *context, const struct store_row *row)
{
    struct net_page *page = context;
    struct store_row *found = &page->rows[page->count];

    *found = *row;
    memcpy(page->keys[page->count], row->key.data, row->key.size);
    found->key.data = page->keys[page->count];
    page->count++;
    return true;
}

static void net_loaded(struct net *net, struct net_peer *peer, const struct net_item *item)
{
    struct store memory = store_memory_ports(peer->memory);
    struct net_page *page = calloc(1, sizeof(*page));
    struct event loaded = {.kind = EVENT_LOADED};
    struct store_pin pin = {0};

    loaded.loaded.read = item->ticket;
    loaded.loaded.rows = page->rows;
    if (item->is_point) {
        loaded.loaded.status =
            memory.get(memory.context, item->range.family, item->range.from, &pin);
        if (loaded.loaded.status == STATUS_OK)
            page->rows[page->count++] = (struct store_row){
                .family = item->range.family, .key = item->range.from, .value = pin.value};
    } else {
        loaded.loaded.status = store_index_scan(&memory, &item->range, net_visit, page);
    }
    loaded.loaded.count = page->count;
    net_step(net, peer, &loaded);
    if (pin.handle)
        memory.release(memory.context, &pin);
    free(page);
}

static void net_seeds(struct net *net, struct net_peer *peer)
{
    struct address addresses[NET_PEERS];
    struct event seeds = {.kind = EVENT_SEEDS, .seeds = {.addresses = addresses}};

    for (const char *digit = peer->seeds; *digit; digit++)
        addresses[seeds.seeds.count++] = net_address((unsigned)(*digit - '0'));
    net_step(net, peer, &seeds);
}

static void net_keyring(struct net *net, struct net_peer *peer, const struct net_item *item)
{
    struct event event = {.kind = EVENT_KEYRING};
    struct seal_keyring ring;

    memcpy(&ring, item->bytes, sizeof(ring));
    event.keyring.stamp = ring.stamp;
    event.keyring.by = ring.by;
    event.keyring.status = peer->key_write;
    if (peer->key_write == STATUS_OK)
        peer->keyring = ring;
    net_step(net, peer, &event);
}

static void net_happen(struct net *net, const struct net_item *item)
{
    struct net_peer *peer = &net->peers[item->peer];
    struct event event = {.kind = EVENT_DATAGRAM};
    unsigned other;
    int at;

    switch (item->kind) {
    case NET_DATAGRAM:
        event.datagram.from = net_address(item->from);
        event.datagram.bytes = slice_of(item->bytes, item->size);
        net_step(net, peer, &event);
        break;
    case NET_UP:
    case NET_STREAM:
        if (net_other(net, item->peer, item->link, &other) < 0)
            break;
        event.kind = item->kind == NET_UP ? EVENT_LINK_UP : EVENT_STREAM;
        if (item->kind == NET_UP) {
            event.link.link = item->link;
        } else {
            event.stream.link = item->link;
            event.stream.bytes = slice_of(item->bytes, item->size);
        }
        net_step(net, peer, &event);
        break;
    case NET_DOWN:
        at = net_other(net, item->peer, item->link, &other);
        if (at >= 0)
            net->links[at].is_open[!other] = false;
        event.kind = EVENT_LINK_DOWN;
        event.link.link = item->link;
        event.link.reason = STATUS_CLOSED;
        net_step(net, peer, &event);
        break;
    case NET_STORED:
        net_stored(net, peer, item);
        break;
    case NET_LOADED:
        net_loaded(net, peer, item);
        break;
    case NET_SEEDS:
        net_seeds(net, peer);
        break;
    case NET_KEYRING:
        net_keyring(net, peer, item);
        break;
    }
}

/* Handles the oldest item that is due. Items of a life that ended do not happen; commits that are
 * held back go to the end of the queue, and so does what comes to a peer that sleeps. */
static bool net_turn(struct net *net)
{
    struct net_item *item = &net->items[net->first % NET_ITEMS];
    struct net_item taken;

    if (net->first == net->last || item->due > net->now)
        return false;
    taken = *item;
    net->first++;
    if ((taken.kind == NET_STORED && net->peers[taken.peer].is_held) ||
        net->peers[taken.peer].sleeps_until > net->now) {
        taken.due = net->now + INSTANT_MS(1);
        net->items[net->last++ % NET_ITEMS] = taken;
        return true;
    }
    if (net->peers[taken.peer].node && net->peers[taken.peer].life == taken.life)
        net_happen(net, &taken);
    net_item_free(&taken);
    return true;
}

#endif
