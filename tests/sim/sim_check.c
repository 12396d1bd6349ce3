/* sim_check.c: what must hold (testing.md part 5), checked from outside: after steps, at samples,
 * and at the end of a run when everything is healed. */
#include <stdlib.h>

#include "sim.h"

/* --- D6: a dot names one write, for ever. An open-addressed set of dot -> content. */

struct sim_dots {
    struct {
        uint64_t actor, stamp, content;
    } * slots;
    uint64_t count, capacity;
};

static void dots_grow(struct sim_dots *dots)
{
    struct sim_dots old = *dots;

    dots->capacity = old.capacity ? old.capacity * 2 : 1u << 12;
    dots->slots = calloc(dots->capacity, sizeof(*dots->slots));
    ensure(dots->slots != NULL);
    for (uint64_t i = 0; i < old.capacity; i++) {
        uint64_t at = (old.slots[i].actor ^ (old.slots[i].stamp * 0x9e3779b97f4a7c15ull)) &
                      (dots->capacity - 1);

        if (!old.slots[i].actor)
            continue;
        while (dots->slots[at].actor)
            at = (at + 1) & (dots->capacity - 1);
        dots->slots[at] = old.slots[i];
    }
    free(old.slots);
}

static void dots_note(struct sim *sim, uint64_t actor, uint64_t stamp, uint64_t content)
{
    struct sim_dots *dots = sim->dots;
    uint64_t at;

    if (2 * dots->count >= dots->capacity)
        dots_grow(dots);
    at = (actor ^ (stamp * 0x9e3779b97f4a7c15ull)) & (dots->capacity - 1);
    while (dots->slots[at].actor &&
           (dots->slots[at].actor != actor || dots->slots[at].stamp != stamp))
        at = (at + 1) & (dots->capacity - 1);
    if (!dots->slots[at].actor) {
        dots->slots[at].actor = actor;
        dots->slots[at].stamp = stamp;
        dots->slots[at].content = content;
        dots->count++;
    } else if (dots->slots[at].content != content) {
        sim_fail(sim, "D6: dot (%016llx, %016llx) names two values", (unsigned long long)actor,
                 (unsigned long long)stamp);
    }
}

void sim_check_write(struct sim *sim, const struct store_row *rows, uint32_t count)
{
    static struct crdt_object object;
    struct slice body, ns, name;
    uint64_t front;

    if (!sim->dots)
        sim->dots = calloc(1, sizeof(*sim->dots));
    ensure(sim->dots != NULL);
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].family != STORE_OBJ || rows[i].is_delete)
            continue;
        if (store_record_open(STORE_OBJ, rows[i].key, rows[i].value, &body) != STATUS_OK ||
            store_key_split(rows[i].key, &front, &ns, &name) != STATUS_OK ||
            crdt_object_decode(body, &object) != STATUS_OK) {
            sim_fail(sim, "D13: a node wrote a row that does not read back");
            return;
        }
        for (uint16_t v = 0; v < object.value_count; v++) {
            uint64_t key = hash_sip64(sim->trace_key, name.data, name.size) ^
                           5u * hash_sip64(sim->trace_key, ns.data, ns.size);
            uint64_t value =
                hash_sip64(sim->trace_key, object.values[v].body.data, object.values[v].body.size);

            dots_note(sim, object.values[v].actor, object.values[v].stamp,
                      key ^ (value * 3u) ^ (uint64_t)object.values[v].kind);
        }
    }
}

void sim_check_close(struct sim *sim)
{
    if (sim->dots)
        free(sim->dots->slots);
    free(sim->dots);
}

/* --- D14, D1: what was acknowledged is on disk, then and at the end */

/* A live peer in the cell that `id` belongs to. */
static struct sim_node *check_in_cell(struct sim *sim, const struct node_id *id)
{
    for (uint32_t i = 0; i < sim->node_count; i++)
        if (sim->nodes[i].node && node_layout(sim->nodes[i].node) &&
            id_is_in_cell(&sim->nodes[i].identity.id, id, sim->plan.cell_depth))
            return &sim->nodes[i];
    return NULL;
}

static struct sim_node *check_any(struct sim *sim)
{
    struct node_id id = {{0}};

    for (uint32_t i = 0; i < sim->node_count; i++)
        if (sim->nodes[i].node && (id = sim->nodes[i].identity.id, check_in_cell(sim, &id)))
            return check_in_cell(sim, &id);
    return NULL;
}

/* A live peer of the cell that stores a key. */
static struct sim_node *check_for_key(struct sim *sim, struct slice name)
{
    struct sim_node *any = check_any(sim);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct node_id id;

    if (!any)
        return NULL;
    id = id_from_front(bytes_load_u64(node_row_key(any->node, slice_text("sim"), name, room).data));
    return check_in_cell(sim, &id);
}

static bool check_disk_has(struct sim *sim, const struct sim_node *peer, struct slice row_key,
                           struct slice value)
{
    static struct crdt_object object;

    (void)sim;
    if (!sim_disk_get(peer, row_key, &object))
        return false;
    for (uint16_t i = 0; i < object.value_count; i++)
        if (slice_equal(object.values[i].body, value))
            return true;
    return false;
}

/* A disk lost while the answer was on its way held the copy it had confirmed. */
static bool check_was_wiped(const struct sim *sim, const struct sim_node *peer)
{
    return peer->wiped_at && sim->now - peer->wiped_at < INSTANT_S(2);
}

void sim_check_acked(struct sim *sim, uint32_t once)
{
    char key[32], value[32];
    uint8_t room[STORE_KEY_SIZE_MAX];
    unsigned copies = 0, required = sim->plan.replicas / 2u + 1u;
    struct slice row_key, ns = slice_text("sim"), name = sim_once_key(once, key);
    struct sim_node *any = check_for_key(sim, name);

    if (!any)
        return;
    row_key = node_row_key(any->node, ns, name, room);
    for (uint32_t i = 0; i < sim->node_count; i++) {
        struct node_id owners[REPLICAS_MAX];
        struct node *node = sim->nodes[i].node;

        copies += check_was_wiped(sim, &sim->nodes[i]) || sim_rot_is_victim(sim, &sim->nodes[i]) ||
                  check_disk_has(sim, &sim->nodes[i], row_key, sim_once_value(once, value));
        if (!node || !node_layout(node) ||
            !id_is_in_cell(node_self(node), node_self(any->node), sim->plan.cell_depth))
            continue;

        /* While the cluster is young there are fewer owners than replicas. */
        unsigned base = node_owners(node, node_partition_of(node, ns, name), owners);

        if (base && base / 2u + 1u < required)
            required = base / 2u + 1u;
    }
    if (copies < required)
        sim_fail(sim, "D14: key %u was acknowledged with %u durable copies of %u", once, copies,
                 required);
}

static void check_final_once(struct sim *sim, uint32_t once)
{
    char key[32], value[32];
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct node_id owners[REPLICAS_MAX];
    struct slice name = sim_once_key(once, key), row_key;
    struct sim_node *any = check_for_key(sim, name);
    unsigned count;

    if (sim->once[once].state != WRITE_ACKED || !any)
        return;
    row_key = node_row_key(any->node, slice_text("sim"), name, room);
    count = node_owners(any->node, node_partition_of(any->node, slice_text("sim"), name), owners);
    for (uint32_t i = 0; i < sim->node_count; i++) {
        struct sim_node *peer = &sim->nodes[i];

        for (unsigned o = 0; o < count; o++)
            if (peer->node && id_equal(&owners[o], node_self(peer->node)) &&
                !check_disk_has(sim, peer, row_key, sim_once_value(once, value)))
                sim_fail(sim, "D1: acknowledged key %u is missing at owner peer-%u", once, i);
    }
}

/* --- D3: owners hold equal rows */

static void check_fingerprints(struct sim *sim, struct sim_node *any)
{
    for (uint32_t p = 0; p < node_partitions(any->node); p++) {
        struct node_id owners[REPLICAS_MAX];
        unsigned count = node_owners(any->node, p, owners);
        struct hash16 first = {{0}};
        int have = -1;

        for (uint32_t i = 0; i < sim->node_count; i++) {
            struct sim_node *peer = &sim->nodes[i];
            uint32_t rows;

            for (unsigned o = 0; o < count; o++) {
                struct hash16 print;

                if (!peer->node || !id_equal(&owners[o], node_self(peer->node)))
                    continue;
                print = node_fingerprint(peer->node, p, &rows);
                if (have >= 0 && memcmp(&print, &first, sizeof(first)) != 0)
                    sim_fail(sim, "D3: partition %u differs between peer-%d and peer-%u (%u rows)",
                             p, have, i, rows);
                first = print;
                have = (int)i;
            }
        }
    }
}

/* --- views */

bool sim_check_is_settled(struct sim *sim)
{
    if (!check_any(sim))
        return false;
    for (uint32_t i = 0; i < sim->node_count; i++) {
        struct sim_node *peer = &sim->nodes[i];
        struct sim_node *mate = check_in_cell(sim, &peer->identity.id);

        if (peer->node && (!mate || !node_is_ready(peer->node) ||
                           node_place_of(peer->node, &peer->identity.id) == PLACE_WEIGHING ||
                           node_digest(peer->node) != node_digest(mate->node) ||
                           node_layout(peer->node) != node_layout(mate->node)))
            return false;
    }
    return true;
}

static void check_view(struct sim *sim, struct sim_node *viewer, struct sim_node *subject)
{
    int rank = node_member_rank(viewer->node, &subject->identity.id);
    uint64_t incarnation = node_member_incarnation(viewer->node, &subject->identity.id);
    uint64_t now = rank < 0 ? 0 : (incarnation << 2 | (uint64_t)rank) + 1;
    uint64_t *seen = &viewer->seen[subject->index];

    if (now && now < *seen)
        sim_fail(sim, "M4: peer-%u's view of peer-%u went back", viewer->index, subject->index);
    if (viewer == subject && rank > RANK_ALIVE && !viewer->is_removed &&
        node_place_state(viewer->node) != PLACE_OUT)
        sim_fail(sim, "M12: peer-%u holds itself for dead", viewer->index);
    if (viewer == subject && incarnation && incarnation < viewer->disk.incarnation_seen)
        sim_fail(sim, "M3: peer-%u's own incarnation went back from %llu to %llu", viewer->index,
                 (unsigned long long)viewer->disk.incarnation_seen,
                 (unsigned long long)incarnation);
    if (viewer == subject && incarnation > viewer->disk.incarnation_seen)
        viewer->disk.incarnation_seen = incarnation;
    if (viewer == subject && incarnation > viewer->disk.incarnation_used)
        viewer->disk.incarnation_used = incarnation;
    if (incarnation > subject->disk.incarnation_used && subject->node && viewer != subject &&
        incarnation > node_member_incarnation(subject->node, &subject->identity.id))
        sim_fail(sim, "M6: peer-%u holds an incarnation peer-%u never had", viewer->index,
                 subject->index);
    if (now)
        *seen = now;
}

void sim_check_views(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        if (!sim->nodes[i].node)
            continue;
        check_view(sim, &sim->nodes[i], &sim->nodes[i]); /* own first: M6 compares with it */
        for (uint32_t j = 0; j < sim->node_count; j++)
            if (j != i)
                check_view(sim, &sim->nodes[i], &sim->nodes[j]);
    }
}

/* M14: an incarnation answers something: an accusation, a life that is remembered, a start. When
 * nothing happens any more it stays. */
void sim_check_rest(struct sim *sim, uint64_t before[SIM_PEERS_MAX], bool is_begin)
{
    for (uint32_t i = 0; i < sim->node_count && !sim->failure[0]; i++) {
        struct sim_node *peer = &sim->nodes[i];
        uint64_t now = peer->node ? node_member_incarnation(peer->node, &peer->identity.id) : 0;

        if (!is_begin && now && before[i] && now != before[i])
            sim_fail(sim, "M14: peer-%u raised its incarnation from %llu to %llu for nothing", i,
                     (unsigned long long)before[i], (unsigned long long)now);
        before[i] = now;
    }
}

static void check_owners(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        struct sim_node *peer = &sim->nodes[i];
        struct sim_node *any = check_in_cell(sim, &peer->identity.id);

        for (uint32_t p = 0; peer->node && p < node_partitions(peer->node); p++) {
            struct node_id ours[REPLICAS_MAX], theirs[REPLICAS_MAX];
            unsigned count = node_owners(any->node, p, ours);

            if (node_owners(peer->node, p, theirs) != count ||
                memcmp(ours, theirs, count * sizeof(*ours)) != 0)
                sim_fail(sim, "K7: peer-%u and peer-%u name other owners of %u", any->index, i, p);
        }
    }
}

/* M1, M10: who is up is alive everywhere, who is down is dead everywhere. */
static void check_members(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++)
        for (uint32_t j = 0; sim->nodes[i].node && j < sim->node_count; j++) {
            int rank = node_member_rank(sim->nodes[i].node, &sim->nodes[j].identity.id);

            if (!id_is_in_cell(&sim->nodes[i].identity.id, &sim->nodes[j].identity.id,
                               sim->plan.cell_depth))
                continue;
            if (sim->nodes[j].node && rank != RANK_ALIVE)
                sim_fail(sim, "M10: peer-%u sees peer-%u as %d after heal", i, j, rank);
            if (!sim->nodes[j].node && rank >= 0 && rank < RANK_DEAD)
                sim_fail(sim, "M1: peer-%u still sees dead peer-%u as %d", i, j, rank);
        }
}

void sim_check_final(struct sim *sim)
{
    struct sim_node *any = check_any(sim);

    if (!any || !sim_check_is_settled(sim)) {
        sim_fail(sim, "M10: views, layouts or readiness still differ after heal");
        return;
    }
    check_members(sim);
    check_owners(sim);
    if (!sim->plan.cell_depth)
        check_fingerprints(sim, any);
    sim_retry_final(sim);
    for (uint32_t k = 0; k < sim->once_count; k++)
        check_final_once(sim, k);
    if (sim->plan.elastic || sim->plan.forget_s)
        sim_check_leftovers(sim, any);
    sim_rot_check(sim);
    sim_check_sums(sim);
}
