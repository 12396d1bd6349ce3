#include "workload.h"

#include <stdlib.h>

#include "check_all.h"
#include "proc.h"
#include "worker.h"

#define PAUSE_MS 8u    /* between two operations of one client: two cores serve everybody */
#define READ_TRIES 60u /* of a final read, each PAUSE_TRY_MS apart */
#define PAUSE_TRY_MS 250u
#define NEAR 64u /* half of the reads go to the newest of the set */

/* --- names of keys */

static void set_key(char key[WORKLOAD_KEY_SIZE], unsigned writer, unsigned number)
{
    snprintf(key, WORKLOAD_KEY_SIZE, CHECK_PREFIX_SET "%u-%u", writer, number);
}

static void register_key(char key[WORKLOAD_KEY_SIZE], unsigned number)
{
    snprintf(key, WORKLOAD_KEY_SIZE, CHECK_PREFIX_REGISTER "%u", number);
}

static void sibling_key(char key[WORKLOAD_KEY_SIZE], unsigned number)
{
    snprintf(key, WORKLOAD_KEY_SIZE, CHECK_PREFIX_SIBLINGS "%u", number);
}

static void counter_key(char key[WORKLOAD_KEY_SIZE], unsigned number)
{
    snprintf(key, WORKLOAD_KEY_SIZE, CHECK_PREFIX_COUNTER "%u", number);
}

static void element_key(char key[WORKLOAD_KEY_SIZE], unsigned number)
{
    snprintf(key, WORKLOAD_KEY_SIZE, CHECK_PREFIX_ORSET "%u/e%u", number % WORKLOAD_SETS, number);
}

/* How many sibling keys have been in use. */
static unsigned sibling_keys(const struct workload *workload)
{
    unsigned turns = atomic_load(&workload->sibling_ops) / WORKLOAD_SIBLING_OPS;

    return (turns + 1) * WORKLOAD_SIBLING_SLOTS;
}

static unsigned draw(struct worker *worker, unsigned bound)
{
    return (unsigned)prng_below(&worker->prng, bound);
}

/* --- one turn of each workload */

static void set_turn(struct worker *worker)
{
    struct workload *workload = worker->workload;
    atomic_uint *own = &workload->set_count[worker->index];
    char key[WORKLOAD_KEY_SIZE];
    unsigned writer = draw(worker, WORKLOAD_SET_WORKERS), count, back;

    if (draw(worker, 2) == 0 && atomic_load(own) < WORKLOAD_SET_KEYS) {
        set_key(key, worker->index, atomic_fetch_add(own, 1));
        worker_put(worker, key, NULL);
        return;
    }
    count = atomic_load(&workload->set_count[writer]);
    if (count == 0)
        return;
    back = draw(worker, draw(worker, 2) && count > NEAR ? NEAR : count);
    set_key(key, writer, count - 1 - back);
    (void)worker_get(worker, key, worker_peer(worker), false);
}

static void register_turn(struct worker *worker)
{
    char key[WORKLOAD_KEY_SIZE];
    unsigned own =
        worker->index + WORKLOAD_REGISTER_WRITERS *
                            draw(worker, WORKLOAD_REGISTER_KEYS / WORKLOAD_REGISTER_WRITERS);

    register_key(key, own);
    if (worker_get(worker, key, worker_peer(worker), false))
        worker_put(worker, key, worker_seen(worker, key));
}

static void reader_turn(struct worker *worker)
{
    char key[WORKLOAD_KEY_SIZE];

    register_key(key, draw(worker, WORKLOAD_REGISTER_KEYS));
    (void)worker_get(worker, key, worker_peer(worker), false);
}

/* Every third key takes writes without a context too; the others only if nothing was there. */
static void siblings_turn(struct worker *worker)
{
    unsigned turn = atomic_fetch_add(&worker->workload->sibling_ops, 1) / WORKLOAD_SIBLING_OPS;
    unsigned number = turn * WORKLOAD_SIBLING_SLOTS + draw(worker, WORKLOAD_SIBLING_SLOTS);
    unsigned what = draw(worker, 100);
    const struct worker_read *seen;
    char key[WORKLOAD_KEY_SIZE];

    if (draw(worker, 20) == 0)
        number = draw(worker, number + 1);
    sibling_key(key, number);
    seen = worker_seen(worker, key);
    if (number % 3 == 0 && what < 20) {
        if (what < 14)
            worker_put(worker, key, NULL);
        else
            worker_delete(worker, key, NULL);
    } else if (what < 60 || (!seen && what < 90)) {
        (void)worker_get(worker, key, worker_peer(worker), false);
    } else if (what < 90) {
        worker_put(worker, key, seen);
    } else if (seen) {
        worker_delete(worker, key, seen);
    } else {
        worker_put(worker, key, NULL);
    }
}

static void counter_turn(struct worker *worker)
{
    char key[WORKLOAD_KEY_SIZE];

    counter_key(key, draw(worker, WORKLOAD_COUNTERS));
    if (draw(worker, 3) == 0)
        (void)worker_sum(worker, key, worker_peer(worker), false);
    else
        worker_add(worker, key, draw(worker, 3) == 0 ? -1 : 1);
}

static void orset_turn(struct worker *worker)
{
    const struct worker_read *seen;
    unsigned what = draw(worker, 100);
    char key[WORKLOAD_KEY_SIZE];

    element_key(key, draw(worker, WORKLOAD_ELEMENTS));
    seen = worker_seen(worker, key);
    if (what < 40)
        (void)worker_member(worker, key, worker_peer(worker), false);
    else if (what < 75)
        worker_member_add(worker, key);
    else
        worker_member_remove(worker, key, what < 95 ? seen : NULL);
}

static void *worker_run(void *context)
{
    struct worker *worker = context;

    while (!atomic_load(&worker->workload->is_over)) {
        worker->turn(worker);
        proc_pause(PAUSE_MS + draw(worker, PAUSE_MS));
    }
    for (unsigned i = 0; i < WORKLOAD_PEERS; i++)
        client_close(&worker->clients[i]);
    return NULL;
}

/* --- all of them */

static void worker_launch(struct worker *worker, void *(*run)(void *))
{
    if (pthread_create(&worker->thread, NULL, run, worker) != 0)
        abort();
}

void workload_start(struct workload *workload, uint64_t seed)
{
    static const struct {
        char kind;
        unsigned count;
        void (*turn)(struct worker *);
    } kinds[] = {{'e', WORKLOAD_SET_WORKERS, set_turn},
                 {'r', WORKLOAD_REGISTER_WRITERS, register_turn},
                 {'q', 1, reader_turn},
                 {'s', WORKLOAD_SIBLING_WORKERS, siblings_turn},
                 {'c', WORKLOAD_COUNTER_WORKERS, counter_turn},
                 {'o', WORKLOAD_ORSET_WORKERS, orset_turn}};
    const unsigned kind_count = sizeof kinds / sizeof kinds[0];

    for (unsigned k = 0; k < kind_count; k++)
        workload->worker_count += kinds[k].count;
    workload->workers = calloc(workload->worker_count, sizeof *workload->workers);
    if (!workload->workers)
        abort();
    for (unsigned k = 0, at = 0; k < kind_count; k++)
        for (unsigned i = 0; i < kinds[k].count; i++, at++) {
            struct worker *worker = &workload->workers[at];

            worker_init(worker, workload, kinds[k].kind, i, seed + at);
            worker->turn = kinds[k].turn;
            worker_launch(worker, worker_run);
        }
}

void workload_stop(struct workload *workload)
{
    atomic_store(&workload->is_over, true);
    for (unsigned i = 0; i < workload->worker_count; i++)
        pthread_join(workload->workers[i].thread, NULL);
    free(workload->workers);
    workload->workers = NULL;
}

/* --- the reads at the end, a thread per peer */

typedef bool final_reader(struct worker *worker, const char *key, unsigned peer, bool is_final);

static void final_read(struct worker *worker, const char *key, final_reader *read)
{
    for (unsigned i = 0; i < READ_TRIES; i++) {
        if (read(worker, key, worker->index, true))
            return;
        proc_pause(PAUSE_TRY_MS);
    }
    worker->failed++;
}

static void *final_run(void *context)
{
    struct worker *worker = context;
    struct workload *workload = worker->workload;
    char key[WORKLOAD_KEY_SIZE];

    for (unsigned w = 0; w < WORKLOAD_SET_WORKERS; w++)
        for (unsigned i = 0; i < atomic_load(&workload->set_count[w]); i++) {
            set_key(key, w, i);
            final_read(worker, key, worker_get);
        }
    for (unsigned i = 0; i < WORKLOAD_REGISTER_KEYS; i++) {
        register_key(key, i);
        final_read(worker, key, worker_get);
    }
    for (unsigned i = 0; i < sibling_keys(workload); i++) {
        sibling_key(key, i);
        final_read(worker, key, worker_get);
    }
    for (unsigned i = 0; i < WORKLOAD_COUNTERS; i++) {
        counter_key(key, i);
        final_read(worker, key, worker_sum);
    }
    for (unsigned i = 0; i < WORKLOAD_ELEMENTS; i++) {
        element_key(key, i);
        final_read(worker, key, worker_member);
    }
    for (unsigned i = 0; i < WORKLOAD_PEERS; i++)
        client_close(&worker->clients[i]);
    return NULL;
}

unsigned workload_read_all(struct workload *workload)
{
    struct worker *workers = calloc(WORKLOAD_PEERS, sizeof *workers);
    unsigned failed = 0;

    if (!workers)
        abort();
    for (unsigned i = 0; i < WORKLOAD_PEERS; i++) {
        worker_init(&workers[i], workload, 'f', i, i);
        worker_launch(&workers[i], final_run);
    }
    for (unsigned i = 0; i < WORKLOAD_PEERS; i++) {
        pthread_join(workers[i].thread, NULL);
        failed += workers[i].failed;
    }
    free(workers);
    return failed;
}
