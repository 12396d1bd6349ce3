/* place.c: the placement list of one cell and the two owner sets made of it.
 *
 * The list is a set of last-writer records, one per peer, merged by a total order (stamp, writer,
 * bytes), so that any order of arrival ends in the same list (K7). It is not the live list:
 * nothing here ever hears who is alive. That is the difference from a plain hash ring, where a
 * late heartbeat moves data.
 *
 * Two sets are made of the list: base (ACTIVE and LEAVING), and target, which is base with the
 * current move done: one peer that is JOINING or LEAVING, the one whose record is the oldest. The
 * others wait in line, so whoever finishes has pulled exactly what the next base gives it, and
 * nobody who comes later takes the target set away from those who have not heard the end. A change
 * of one record moves exactly one set:
 *
 *            JOINING ------> ACTIVE ------> LEAVING ------> OUT
 *     joins: target moves  base moves    target moves    base moves
 *
 * A forgotten peer (GONE) is LEAVING without being there: its rank in base is kept, so that nobody
 * moves up who has no rows yet, but it stands empty, and base is that much smaller. Whoever reads
 * asks a majority of the rest: with the dead one away, that meets every quorum of before.
 *
 * A peer that changes its weight (WEIGHING) counts with the old one in base and with the new one in
 * target: it may gain partitions, or others do.
 *
 * so a quorum of the old layout and one of the new always meet in the set that stood still. */
#include "place.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "ensure.h"
#include "front.h"
#include "hash.h"
#include "place_private.h"

/* Bytes of one record in its canonical form; for comparing and hashing only, never sent. */
#define PLACE_FORM_SIZE_MAX (1 + NODE_ID_SIZE + 1 + 4 + 2 * (NAME_SIZE_MAX + 1) + 16)

enum place_set { PLACE_BASE, PLACE_TARGET };

struct place {
    struct place_config config;
    struct place_record *records;         /* owned, ascending by id8 */
    const struct place_record **eligible; /* owned: room to collect the input of a table */
    struct place_record weighed;          /* one of them, with the weight it is to have */
    uint32_t count;                       /* records */
    uint32_t placed;                      /* records that are not OUT */
    uint32_t gone;                        /* records that are GONE */
    uint64_t digest;                      /* sum of hashes of the records */
    uint64_t layout;                      /* sum of hashes of what the owners depend on */
    struct front_cut cut;
    uint8_t classes;  /* in use; bit 0 always */
    uint64_t version; /* of the classes, in the layout */
    bool is_fresh;    /* the tables below belong to the present list and classes */
    uint8_t *own;     /* owned: a bit per partition, whether self8 owns it by the tables below */
    bool is_own_known;
    struct place_table *base[FRONT_CLASSES], *target[FRONT_CLASSES]; /* references or NULL */
};

struct place *place_new(const struct place_config *config)
{
    struct place *place = calloc(1, sizeof *place);

    ensure(config->cache);
    ensure(config->peers_max <= UINT16_MAX);
    ensure(config->partition_bits <= PARTITION_BITS_MAX);
    ensure(config->cell_depth < 64 - PARTITION_BITS_MAX);
    ensure(config->replicas >= 1 && config->replicas <= REPLICAS_MAX);
    if (!place)
        return NULL;
    place->config = *config;
    place->cut =
        (struct front_cut){.bits = config->partition_bits, .cell_depth = config->cell_depth};
    place->classes = 1;
    place->records = calloc(config->peers_max + 1u, sizeof *place->records);
    place->eligible = calloc(config->peers_max + 1u, sizeof *place->eligible);
    place->own = calloc(1, front_count(&place->cut) / 8 + 1u);
    if (!place->records || !place->eligible || !place->own) {
        place_delete(place);
        return NULL;
    }
    return place;
}

/* Gives the tables back. */
static void place_drop(struct place *place)
{
    for (unsigned class = 0; class < FRONT_CLASSES; class ++) {
        place_cache_drop(place->config.cache, place->base[class]);
        place_cache_drop(place->config.cache, place->target[class]);
        place->base[class] = place->target[class] = NULL;
    }
}

void place_delete(struct place *place)
{
    if (!place)
        return;
    place_drop(place);
    free(place->eligible);
    free(place->own);
    free(place->records);
    free(place);
}

/* --- the records and their order */

/* The part of a record that decides owners, then (for the whole form) who wrote it when. */
static struct slice place_form(const struct place_record *record, bool is_whole, uint8_t *into)
{
    struct writer writer = writer_over(into, PLACE_FORM_SIZE_MAX);

    write_u8(&writer, is_whole);
    write_bytes(&writer, record->id.bytes, NODE_ID_SIZE);
    write_u8(&writer, record->state);
    write_u16(&writer, record->weight);
    if (record->state == PLACE_WEIGHING)
        write_u16(&writer, record->weight_next);
    write_label(&writer, &record->host);
    write_label(&writer, &record->zone);
    if (is_whole) {
        write_u64(&writer, record->stamp);
        write_u64(&writer, record->by);
    }
    ensure(!writer.is_full);
    return writer_done(&writer);
}

static uint64_t place_hash(const struct place *place, const struct place_record *record,
                           bool is_whole)
{
    uint8_t form[PLACE_FORM_SIZE_MAX];
    struct slice bytes = place_form(record, is_whole, form);

    return hash_sip64(place->config.seed, bytes.data, bytes.size);
}

/* A total order: two records that differ anywhere are never equal, so merging cannot depend on
 * which of them came first. */
static bool place_is_newer(const struct place_record *a, const struct place_record *b)
{
    uint8_t form_a[PLACE_FORM_SIZE_MAX], form_b[PLACE_FORM_SIZE_MAX];

    if (a->stamp != b->stamp)
        return a->stamp > b->stamp;
    if (a->by != b->by)
        return a->by > b->by;
    return slice_compare(place_form(a, true, form_a), place_form(b, true, form_b)) > 0;
}

static bool place_is_valid(const struct place_record *record)
{
    return record->state >= PLACE_JOINING && record->state <= PLACE_WEIGHING &&
           (record->state == PLACE_WEIGHING || record->weight_next == 0) &&
           record->host.size <= NAME_SIZE_MAX && record->zone.size <= NAME_SIZE_MAX;
}

/* The index of `id8`, or of the first record behind where it would stand. */
static uint32_t place_search(const struct place *place, uint64_t id8)
{
    uint32_t low = 0, high = place->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (id_front(&place->records[middle].id) < id8)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool place_holds(const struct place *place, uint32_t index, uint64_t id8)
{
    return index < place->count && id_front(&place->records[index].id) == id8;
}

/* The sums lose a record before it changes and gain it afterwards. */
static void place_account(struct place *place, const struct place_record *record, bool is_gained)
{
    uint64_t sign = is_gained ? 1 : UINT64_MAX;

    place->digest += sign * place_hash(place, record, true);
    if (record->state == PLACE_OUT)
        return;
    place->layout += sign * place_hash(place, record, false);
    place->placed += (uint32_t)sign;
    if (record->state == PLACE_GONE)
        place->gone += (uint32_t)sign;
}

enum status place_merge(struct place *place, const struct place_record *record)
{
    uint64_t id8 = id_front(&record->id);
    uint32_t index = place_search(place, id8);

    if (!place_is_valid(record))
        return STATUS_BAD;
    if (place_holds(place, index, id8)) {
        if (!place_is_newer(record, &place->records[index]))
            return STATUS_STALE;
        place_account(place, &place->records[index], false);
    } else {
        if (place->count == place->config.peers_max)
            return STATUS_FULL;
        memmove(&place->records[index + 1], &place->records[index],
                (place->count - index) * sizeof *place->records);
        place->count++;
    }
    place->records[index] = *record;
    place_account(place, record, true);
    place->is_fresh = false;
    return STATUS_OK;
}

const struct place_record *place_find(const struct place *place, uint64_t id8)
{
    uint32_t index = place_search(place, id8);

    return place_holds(place, index, id8) ? &place->records[index] : NULL;
}

uint32_t place_count(const struct place *place)
{
    return place->count;
}

const struct place_record *place_at(const struct place *place, uint32_t index)
{
    ensure(index < place->count);
    return &place->records[index];
}

uint64_t place_layout(const struct place *place)
{
    uint64_t layout = place->layout + place->version + place_current(place) * 0x9e3779b97f4a7c15u;

    if (place->placed == 0)
        return 0;
    return layout ? layout : 1; /* 0 is taken by the empty list */
}

uint64_t place_current(const struct place *place)
{
    const struct place_record *first = NULL;

    for (uint32_t i = 0; i < place->count; i++) {
        const struct place_record *record = &place->records[i];

        if (record->state != PLACE_ACTIVE && record->state != PLACE_OUT &&
            (!first || record->stamp < first->stamp))
            first = record;
    }
    return first ? id_front(&first->id) : 0;
}

uint64_t place_digest(const struct place *place)
{
    return place->digest;
}

bool place_is_moving(const struct place *place)
{
    return place_current(place) != 0;
}

/* --- owners */

/* Only the current move shows in the target: others wait their turn where they are. */
static bool place_may_own(const struct place_record *record, enum place_set set, uint64_t current)
{
    bool is_current = id_front(&record->id) == current;

    switch ((enum place_state)record->state) {
    case PLACE_JOINING:
        return set == PLACE_TARGET && is_current;
    case PLACE_ACTIVE:
    case PLACE_WEIGHING:
        return true;
    case PLACE_LEAVING:
    case PLACE_GONE:
        return set == PLACE_BASE || !is_current;
    case PLACE_OUT:
        return false;
    }
    ensure_unreachable();
}

static struct place_table *place_table_of(struct place *place, enum place_set set, unsigned class)
{
    struct place_input input = {
        .records = place->eligible,
        .first = front_class_first(&place->cut, class),
        .row_count = front_class_count(&place->cut, class),
        .replicas = (uint8_t)(class ? class : place->config.replicas),
    };

    uint64_t current = place_current(place);

    memcpy(input.seed, place->config.seed, sizeof input.seed);
    for (uint32_t i = 0; i < place->count; i++) {
        const struct place_record *record = &place->records[i];

        if (record->state == PLACE_WEIGHING && set == PLACE_TARGET &&
            id_front(&record->id) == current) {
            place->weighed = *record;
            place->weighed.weight = record->weight_next;
            record = &place->weighed;
        }
        if (record->weight > 0 && place_may_own(record, set, current))
            place->eligible[input.count++] = record;
    }
    return place_cache_take(place->config.cache, &input);
}

/* The new tables are taken before the old ones are dropped: an unchanged set keeps its table. */
static void place_refresh(struct place *place)
{
    struct place_table *base[FRONT_CLASSES] = {0}, *target[FRONT_CLASSES] = {0};

    if (place->is_fresh)
        return;
    place->is_fresh = true;
    place->is_own_known = false;
    for (unsigned class = 0; class < FRONT_CLASSES; class ++) {
        if (!(place->classes >> class & 1))
            continue;
        base[class] = place_table_of(place, PLACE_BASE, class);
        target[class] = place_table_of(place, PLACE_TARGET, class);
        place->is_fresh &= base[class] && target[class];
    }
    place_drop(place);
    memcpy(place->base, base, sizeof base);
    memcpy(place->target, target, sizeof target);
}

/* A rank that stands empty: its peer is forgotten. */
static bool place_is_gone(const struct place *place, uint64_t id8)
{
    const struct place_record *record = place->gone > 0 ? place_find(place, id8) : NULL;

    return record && record->state == PLACE_GONE;
}

static void place_owners_base(const struct place *place, uint32_t partition,
                              struct place_owners *owners)
{
    const struct place_table *table = place->base[front_partition_class(&place->cut, partition)];
    unsigned width;
    const uint16_t *row = place_table_row(table, partition, &width);

    ensure(width <= REPLICAS_MAX);
    for (unsigned i = 0; i < width; i++) {
        uint64_t id8 = place_table_id(table, row[i]);

        if (place_is_gone(place, id8)) {
            owners->gone_count++;
            continue;
        }
        owners->peers[owners->count].id8 = id8;
        owners->peers[owners->count++].is_base = true;
    }
    owners->base_count = owners->count;
}

static void place_owners_target(const struct place *place, uint32_t partition,
                                struct place_owners *owners)
{
    const struct place_table *table = place->target[front_partition_class(&place->cut, partition)];
    unsigned width;
    const uint16_t *row = place_table_row(table, partition, &width);

    ensure(width <= REPLICAS_MAX);
    for (unsigned i = 0; i < width; i++) {
        uint64_t id8 = place_table_id(table, row[i]);
        unsigned at = 0;

        if (place_is_gone(place, id8))
            continue;
        while (at < owners->base_count && owners->peers[at].id8 != id8)
            at++;
        if (at == owners->base_count) {
            at = owners->count++;
            owners->peers[at].id8 = id8;
        }
        owners->peers[at].is_target = true;
        owners->target_count++;
    }
}

/* All owners are forgotten, by an operator who knew: those to come begin with what they have. */
static void place_owners_lost(struct place_owners *owners)
{
    for (uint8_t i = 0; i < owners->count; i++)
        owners->peers[i].is_base = true;
    owners->base_count = owners->count;
}

void place_owners(struct place *place, uint32_t partition, struct place_owners *owners)
{
    unsigned class = front_partition_class(&place->cut, partition);

    memset(owners, 0, sizeof *owners);
    if (!(place->classes >> class & 1))
        return;
    place_refresh(place);
    if (!place->is_fresh)
        return; /* no memory for a table: no owner is known, the next call tries again */
    place_owners_base(place, partition, owners);
    place_owners_target(place, partition, owners);
    if (owners->base_count == 0 && owners->gone_count > 0)
        place_owners_lost(owners);
}

static bool place_has_row(const struct place *place, uint32_t partition, uint64_t id8)
{
    unsigned class = front_partition_class(&place->cut, partition);

    return (place_table_has(place->base[class], partition, id8) ||
            place_table_has(place->target[class], partition, id8)) &&
           !place_is_gone(place, id8);
}

/* Notes once per layout what self8 owns. */
static void place_own(struct place *place)
{
    uint32_t count = place_partition_count(place);

    memset(place->own, 0, front_count(&place->cut) / 8 + 1u);
    for (uint32_t p = 0; p < count; p = place_partition_next(place, p))
        if (place_has_row(place, p, place->config.self8))
            place->own[p / 8] |= (uint8_t)(1u << p % 8);
    place->is_own_known = true;
}

bool place_owns(struct place *place, uint32_t partition, uint64_t id8)
{
    if (!(place->classes >> front_partition_class(&place->cut, partition) & 1))
        return false;
    place_refresh(place);
    if (!place->is_fresh)
        return false;
    if (id8 != place->config.self8)
        return place_has_row(place, partition, id8);
    if (!place->is_own_known)
        place_own(place);
    return place->own[partition / 8] >> partition % 8 & 1;
}

void place_owners_ever(struct place *place, uint32_t partition, struct place_owners *owners)
{
    unsigned class = front_partition_class(&place->cut, partition);
    uint8_t used = place->classes;

    place->classes |= (uint8_t)(1u << class);
    place->is_fresh = place->is_fresh && place->base[class] && place->target[class];
    place_owners(place, partition, owners);
    place->classes = used;
}

int place_owners_find(const struct place_owners *owners, uint64_t id8)
{
    for (uint8_t i = 0; i < owners->count; i++)
        if (owners->peers[i].id8 == id8)
            return i;
    return -1;
}

/* --- classes */

unsigned place_class(const struct place *place, uint8_t replicas)
{
    return replicas == place->config.replicas || !place_has_classes(place) ? 0 : replicas;
}

void place_classes(struct place *place, uint8_t used, uint64_t version)
{
    if (place->version == version)
        return;
    place->version = version;
    place->is_fresh = place->is_fresh && place->classes == (used | 1);
    place->classes = used | 1;
}

bool place_has_classes(const struct place *place)
{
    return front_has_classes(&place->cut);
}

uint64_t place_front(const struct place *place, uint64_t hash_front, unsigned class)
{
    return front_of(&place->cut, hash_front, class);
}

unsigned place_front_class(const struct place *place, uint64_t front)
{
    return front_class(&place->cut, front);
}

uint32_t place_partition(const struct place *place, uint64_t front)
{
    return front_partition(&place->cut, front);
}

uint32_t place_class_first(const struct place *place, unsigned class)
{
    return front_class_first(&place->cut, class);
}

uint32_t place_class_count(const struct place *place, unsigned class)
{
    return front_class_count(&place->cut, class);
}

unsigned place_partition_class(const struct place *place, uint32_t partition)
{
    return front_partition_class(&place->cut, partition);
}

uint32_t place_partition_max(const struct place *place)
{
    return front_count(&place->cut);
}

static bool place_uses(const struct place *place, unsigned class)
{
    return place->classes >> class & 1;
}

uint32_t place_partition_count(const struct place *place)
{
    unsigned class = FRONT_CLASSES - 1;

    while (!place_uses(place, class))
        class --;
    return front_class_first(&place->cut, class) + front_class_count(&place->cut, class);
}

uint32_t place_partition_next(const struct place *place, uint32_t partition)
{
    uint32_t count = place_partition_count(place);

    for (partition++; partition < count;) {
        unsigned class = front_partition_class(&place->cut, partition);

        if (place_uses(place, class))
            return partition;
        partition = front_class_first(&place->cut, class + 1);
    }
    return count;
}

uint32_t place_partitions_used(const struct place *place)
{
    uint32_t count = 0;

    for (unsigned class = 0; class < FRONT_CLASSES; class ++)
        if (place_uses(place, class))
            count += front_class_count(&place->cut, class);
    return count;
}
