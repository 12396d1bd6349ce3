/* kad_table.c: the k-buckets (Kademlia, sections 2.2 and 2.4).
 *
 * Buckets lie in an array by the number of leading bits shared with self, instead of a tree that
 * splits: without relaxed splitting the two are the same. All prefixes from the last bucket on
 * share it, because only 2^40 peers could fill more.
 *
 * A contact enters only by proof: an authenticated answer to something fresh. What others say about
 * a peer never gets in, so that no peer can fill our table with names. A full bucket prefers the
 * old, since those that lived long tend to live on: the newcomer waits, the least recently proved
 * contact is asked, and only after KAD_SILENT_MAX silences in a row does the last proved newcomer
 * take its place. With nobody waiting the silent one stays, is no longer handed out, and yields to
 * the next that comes: after an outage of our own we still know whom to ask.
 *
 * Address diversity: at most 2 contacts of one /24 (IPv6: /48, what one customer gets) in a bucket
 * and 10 in the table, waiting ones included, so that one rented network cannot surround us. */
#include "kad_table.h"

#include <string.h>

#include "ensure.h"
#include "hash.h"

#define KAD_CHECK_PERIOD INSTANT_S(90) /* between proofs of an idle contact, +-25 % */
#define KAD_CHECK_AGAIN INSTANT_S(5)   /* after a silence: longer than a burst of loss */
#define KAD_CHECK_QUIET                                                                            \
    INSTANT_S(10) /* proved so lately: a newcomer does not make us ask again                       \
                   */
#define KAD_JITTER_PERCENT 25
#define KAD_NET_PER_BUCKET 2 /* geth's limits */
#define KAD_NET_PER_TABLE 10

enum status kad_table_init(struct kad_table *table, const struct node_id *self, unsigned cell_depth,
                           struct prng *prng)
{
    *table = (struct kad_table){
        .self = *self, .cell_depth = cell_depth, .prng = prng, .next_check = INSTANT_NEVER};
    return pool_init(&table->pool, sizeof(struct kad_bucket), KAD_BUCKETS_KEPT);
}

void kad_table_close(struct kad_table *table)
{
    pool_close(&table->pool);
}

unsigned kad_table_bucket(const struct kad_table *table, const struct node_id *id)
{
    unsigned prefix = id_prefix(&table->self, id);

    return prefix < KAD_BUCKETS_KEPT ? prefix : KAD_BUCKETS_KEPT - 1;
}

/* --- one row of contacts, least recently proved first */

static struct kad_contact *kad_row_find(struct kad_contact *row, unsigned count,
                                        const struct node_id *id)
{
    for (unsigned i = 0; i < count; i++)
        if (id_equal(&row[i].contact.id, id))
            return &row[i];
    return NULL;
}

static void kad_row_remove(struct kad_contact *row, unsigned *count, unsigned index)
{
    ensure(index < *count);
    --*count;
    memmove(&row[index], &row[index + 1], (*count - index) * sizeof *row);
}

/* Keeps the order by proof, also for a waiting contact that moves up. */
static struct kad_contact *kad_row_insert(struct kad_contact *row, unsigned *count,
                                          const struct kad_contact *entry)
{
    unsigned at = *count;

    while (at > 0 && row[at - 1].seen > entry->seen)
        at--;
    memmove(&row[at + 1], &row[at], (*count - at) * sizeof *row);
    row[at] = *entry;
    ++*count;
    return &row[at];
}

/* --- address diversity */

static bool kad_is_same_net(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, a->family == 4 ? 3 : 6) == 0;
}

static unsigned kad_net_in_row(const struct kad_contact *row, unsigned count,
                               const struct address *address)
{
    unsigned found = 0;

    for (unsigned i = 0; i < count; i++)
        found += kad_is_same_net(&row[i].contact.address, address);
    return found;
}

static unsigned kad_net_in_bucket(const struct kad_bucket *bucket, const struct address *address)
{
    return kad_net_in_row(bucket->contacts, bucket->count, address) +
           kad_net_in_row(bucket->waiting, bucket->waiting_count, address);
}

static bool kad_is_diverse(const struct kad_table *table, const struct kad_bucket *bucket,
                           const struct address *address)
{
    unsigned found = 0;

    if (address_is_loopback_or_private(address))
        return true;
    if (kad_net_in_bucket(bucket, address) >= KAD_NET_PER_BUCKET)
        return false;
    for (unsigned i = 0; i < KAD_BUCKETS_KEPT; i++)
        if (table->buckets[i])
            found += kad_net_in_bucket(table->buckets[i], address);
    return found < KAD_NET_PER_TABLE;
}

/* --- checks */

void kad_table_postpone(struct kad_table *table, struct kad_contact *contact, instant check)
{
    contact->check = check;
    table->next_check = instant_min(table->next_check, check);
}

/* The check that follows a proof; contacts of our own cell are watched by SWIM. */
static instant kad_check_time(const struct kad_table *table, instant now, const struct node_id *id)
{
    if (id_prefix(&table->self, id) >= table->cell_depth)
        return INSTANT_NEVER;
    return instant_add(now, prng_jitter(table->prng, KAD_CHECK_PERIOD, KAD_JITTER_PERCENT));
}

static struct kad_contact *kad_bucket_due(struct kad_table *table, struct kad_bucket *bucket,
                                          instant now)
{
    for (unsigned i = 0; i < bucket->count; i++) {
        if (instant_is_due(bucket->contacts[i].check, now)) {
            bucket->contacts[i].check = INSTANT_NEVER;
            return &bucket->contacts[i];
        }
        table->next_check = instant_min(table->next_check, bucket->contacts[i].check);
    }
    return NULL;
}

struct kad_contact *kad_table_due(struct kad_table *table, instant now)
{
    if (!instant_is_due(table->next_check, now))
        return NULL;
    table->next_check = INSTANT_NEVER;
    for (unsigned i = 0; i < KAD_BUCKETS_KEPT; i++) {
        struct kad_contact *due;

        if (!table->buckets[i])
            continue;
        due = kad_bucket_due(table, table->buckets[i], now);
        if (due) {
            table->next_check = now; /* there may be more */
            return due;
        }
    }
    return NULL;
}

/* --- finding */

struct kad_contact *kad_table_find(const struct kad_table *table, const struct node_id *id)
{
    struct kad_bucket *bucket = table->buckets[kad_table_bucket(table, id)];

    return bucket ? kad_row_find(bucket->contacts, bucket->count, id) : NULL;
}

bool kad_table_wants(const struct kad_table *table, const struct node_id *id)
{
    const struct kad_bucket *bucket = table->buckets[kad_table_bucket(table, id)];

    if (id_equal(&table->self, id))
        return false;
    return !bucket || bucket->count < KAD_K || bucket->waiting_count < KAD_REPLACEMENTS;
}

/* Puts one contact into the sorted front of `into`; what falls off the end is forgotten. */
static unsigned kad_near_insert(const struct kad_near *near, const struct kad_contact **into,
                                unsigned count, unsigned max, const struct kad_contact *entry)
{
    unsigned at = count;

    while (at > 0 && id_closer(near->target, &entry->contact.id, &into[at - 1]->contact.id))
        at--;
    if (at == max)
        return count;
    if (count == max)
        count--;
    memmove(&into[at + 1], &into[at], (count - at) * sizeof *into);
    into[at] = entry;
    return count + 1;
}

unsigned kad_table_nearest(const struct kad_table *table, const struct kad_near *near,
                           const struct kad_contact **into, unsigned max)
{
    unsigned count = 0;

    ensure(max >= 1 && max <= KAD_K);
    for (unsigned i = 0; i < KAD_BUCKETS_KEPT; i++) {
        const struct kad_bucket *bucket = table->buckets[i];

        for (unsigned j = 0; bucket && j < bucket->count; j++) {
            const struct kad_contact *entry = &bucket->contacts[j];

            if (entry->silent > near->silent_max ||
                (near->except && id_equal(&entry->contact.id, near->except)))
                continue;
            count = kad_near_insert(near, into, count, max, entry);
        }
    }
    return count;
}

/* --- changing */

/* The last proved waiting contact takes a free place. */
static void kad_bucket_move_up(struct kad_table *table, struct kad_bucket *bucket)
{
    while (bucket->count < KAD_K && bucket->waiting_count > 0) {
        struct kad_contact *entry = kad_row_insert(bucket->contacts, &bucket->count,
                                                   &bucket->waiting[bucket->waiting_count - 1]);

        bucket->waiting_count--;
        kad_table_postpone(table, entry, kad_check_time(table, entry->seen, &entry->contact.id));
    }
}

/* Takes the entry of `id` out of its bucket, wherever it stands. Returns whether it was there. */
static bool kad_bucket_take(struct kad_bucket *bucket, const struct node_id *id,
                            struct kad_contact *taken)
{
    struct kad_contact *entry = kad_row_find(bucket->contacts, bucket->count, id);

    if (entry) {
        *taken = *entry;
        kad_row_remove(bucket->contacts, &bucket->count, (unsigned)(entry - bucket->contacts));
        return true;
    }
    entry = kad_row_find(bucket->waiting, bucket->waiting_count, id);
    if (!entry)
        return false;
    *taken = *entry;
    kad_row_remove(bucket->waiting, &bucket->waiting_count, (unsigned)(entry - bucket->waiting));
    return true;
}

/* A contact that is silent for good yields even where nobody waited for its place. */
static void kad_bucket_drop_silent(struct kad_bucket *bucket)
{
    for (unsigned i = 0; i < bucket->count && bucket->count == KAD_K; i++)
        if (bucket->contacts[i].silent >= KAD_SILENT_MAX)
            kad_row_remove(bucket->contacts, &bucket->count, i);
}

static struct kad_contact *kad_bucket_add(struct kad_table *table, struct kad_bucket *bucket,
                                          const struct kad_contact *entry)
{
    struct kad_contact *oldest = &bucket->contacts[0];

    kad_bucket_drop_silent(bucket);
    if (bucket->count < KAD_K) {
        struct kad_contact *added = kad_row_insert(bucket->contacts, &bucket->count, entry);

        kad_table_postpone(table, added, kad_check_time(table, entry->seen, &entry->contact.id));
        return NULL;
    }
    if (bucket->waiting_count == KAD_REPLACEMENTS)
        kad_row_remove(bucket->waiting, &bucket->waiting_count, 0);
    kad_row_insert(bucket->waiting, &bucket->waiting_count, entry);
    return entry->seen >= instant_add(oldest->seen, KAD_CHECK_QUIET) ? oldest : NULL;
}

struct kad_contact *kad_table_prove(struct kad_table *table, instant now,
                                    const struct contact *contact)
{
    struct kad_bucket **bucket = &table->buckets[kad_table_bucket(table, &contact->id)];
    struct kad_contact entry = {.contact = *contact, .seen = now, .check = INSTANT_NEVER};
    struct kad_contact old;
    bool was_known;

    if (id_equal(&contact->id, &table->self) || contact->address.family == 0)
        return NULL;
    if (!*bucket)
        *bucket = pool_take(&table->pool);
    ensure(*bucket);
    was_known = kad_bucket_take(*bucket, &contact->id, &old);
    if (was_known && contact->rtt_us == 0)
        entry.contact.rtt_us = old.contact.rtt_us;
    /* A known contact that moved has to pass like a stranger: else diversity could be walked
     * around by changing addresses. */
    if (!(was_known && address_equal(&old.contact.address, &contact->address)) &&
        !kad_is_diverse(table, *bucket, &contact->address)) {
        kad_bucket_move_up(table, *bucket);
        return NULL;
    }
    return kad_bucket_add(table, *bucket, &entry);
}

void kad_table_remove(struct kad_table *table, const struct node_id *id)
{
    struct kad_bucket *bucket = table->buckets[kad_table_bucket(table, id)];
    struct kad_contact taken;

    if (bucket && kad_bucket_take(bucket, id, &taken))
        kad_bucket_move_up(table, bucket);
}

void kad_table_silence(struct kad_table *table, instant now, const struct node_id *id)
{
    struct kad_bucket *bucket = table->buckets[kad_table_bucket(table, id)];
    struct kad_contact *entry = kad_table_find(table, id);

    if (!bucket)
        return;
    if (!entry) {
        kad_table_remove(table, id); /* a waiting contact has no credit */
        return;
    }
    if (entry->silent < UINT8_MAX)
        entry->silent++;
    if (entry->silent >= KAD_SILENT_MAX && bucket->waiting_count > 0)
        kad_table_remove(table, id);
    else if (entry->silent < KAD_SILENT_MAX)
        kad_table_postpone(
            table, entry,
            instant_add(now, prng_jitter(table->prng, KAD_CHECK_AGAIN, KAD_JITTER_PERCENT)));
    else
        kad_table_postpone(table, entry, kad_check_time(table, now, id));
}
