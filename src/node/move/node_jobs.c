/* node_jobs.c: long work that people watch: what a move still has to carry, and how fast. Every
 * peer knows its own part; whoever is asked asks all others and shows what came within a second.
 *
 * A peer that pulls knows which partitions it has and how many bytes came, and reckons the rest
 * from that: keys spread evenly over partitions. One that gives knows what it holds. */
#include "node_impl.h"
#include "node_parts.h"

#define JOBS_WAIT_US INSTANT_S(1) /* for the answers of others */

/* --- this peer's */

static bool job_runs(struct node *node, enum job_kind kind)
{
    unsigned state = node_place_state(node);

    switch (kind) {
    case JOB_JOIN:
        return state == PLACE_JOINING;
    case JOB_LEAVE:
        return state == PLACE_LEAVING;
    case JOB_WEIGH:
        return state == PLACE_WEIGHING;
    case JOB_INHERIT:
        return node->heir_of != 0 && node->heir_of != node->self && node_heir_gains(node);
    case JOB_REFILL:
        return node->is_recovering;
    case JOB_HAND_OFF:
        for (unsigned i = 0; i < HAND_OFFERS_MAX; i++)
            if (node->hands.items[i].is_active)
                return true;
        return false;
    case JOB_KINDS:
        break;
    }
    ensure_unreachable();
}

/* Counts the partitions a job is about, and those that are done; `begun`: of which something was
 * pulled. */
static void job_count(struct node *node, enum place_state state, struct result_job *job,
                      uint32_t *begun)
{
    for (uint32_t p = 0; p < place_partition_count(node->place); p++) {
        struct place_owners owners;
        bool is_base;
        int rank;

        place_owners(node->place, p, &owners);
        rank = place_owners_find(&owners, node->self);
        is_base = rank >= 0 && owners.peers[rank].is_base;
        if (rank < 0 || (state == PLACE_LEAVING && !is_base) || (state == PLACE_GONE && is_base))
            continue;
        job->parts_total++;
        job->parts_done += node_move_is_whole(node, p, state);
        *begun += node_marks_count(&node->pulled[p]) > 0;
    }
}

/* Counts the rows we hold and others own, and their partitions. */
static uint64_t job_left(struct node *node, uint32_t *partitions)
{
    uint64_t sum = 0;

    for (uint32_t p = 0; p < place_partition_count(node->place); p++) {
        uint32_t rows;

        if (!node_hand_is_left(node, p))
            continue;
        (void)sync_fingerprint(node->sync, p, &rows);
        sum += rows;
        ++*partitions;
    }
    return sum;
}

static uint64_t job_row_size(const struct node *node)
{
    return node->keys ? node->bytes / node->keys : 0;
}

/* What the job has done since the start of this process, in bytes. */
static uint64_t job_counter(const struct node *node, enum job_kind kind)
{
    return kind == JOB_HAND_OFF ? node->hands.dropped * job_row_size(node) : node->jobs.taken;
}

static void job_measure(struct node *node, struct result_job *job)
{
    static const enum place_state states[] = {[JOB_JOIN] = PLACE_JOINING,
                                              [JOB_LEAVE] = PLACE_LEAVING,
                                              [JOB_WEIGH] = PLACE_GONE,
                                              [JOB_INHERIT] = PLACE_GONE,
                                              [JOB_REFILL] = PLACE_ACTIVE};
    uint32_t begun = 0;

    job->done = job_counter(node, job->kind) - node->jobs.clocks[job->kind].from;
    if (job->kind == JOB_HAND_OFF) {
        job->total = job->done + job_left(node, &job->parts_total) * job_row_size(node);
        return;
    }
    job_count(node, states[job->kind], job, &begun);
    if (job->kind == JOB_LEAVE) {
        job->total = node->bytes;
        job->done = job->parts_total ? node->bytes * job->parts_done / job->parts_total : 0;
    } else if (begun > 0) {
        job->total = job->done / begun * job->parts_total + job->done % begun;
    }
}

/* Notes since when each job runs; called each second. */
void node_jobs_watch(struct node *node)
{
    for (unsigned kind = 0; kind < JOB_KINDS; kind++) {
        bool is_running = job_runs(node, (enum job_kind)kind);

        if (is_running && node->jobs.clocks[kind].since == 0) {
            node->jobs.clocks[kind].since = node->now;
            node->jobs.clocks[kind].from = job_counter(node, (enum job_kind)kind);
        } else if (!is_running) {
            node->jobs.clocks[kind].since = 0;
        }
    }
}

static enum job_state job_state_of(const struct node *node, enum job_kind kind)
{
    bool is_move = kind == JOB_JOIN || kind == JOB_LEAVE || kind == JOB_WEIGH;

    if (kind != JOB_LEAVE && node->config.is_rebalance_paused)
        return JOB_PAUSED;
    return is_move && place_current(node->place) != node->self ? JOB_WAITING : JOB_RUNNING;
}

static void jobs_write(struct node *node, struct writer *out)
{
    if (!node->place || node->phase != NODE_OPEN)
        return;
    node_jobs_watch(node);
    for (unsigned kind = 0; kind < JOB_KINDS; kind++) {
        struct result_job job = {.kind = (enum job_kind)kind};
        uint64_t took = node->now - node->jobs.clocks[kind].since;

        if (node->jobs.clocks[kind].since == 0)
            continue;
        job_measure(node, &job);
        write_u8(out, (uint8_t)kind);
        write_u8(out, (uint8_t)job_state_of(node, job.kind));
        write_u64(out, kind == JOB_INHERIT ? node->heir_of : node->self);
        write_u64(out, job.done);
        write_u64(out, job.total);
        write_u64(out, took >= 1000 ? job.done * 1000u / (took / 1000u) : 0);
        write_u32(out, job.parts_done);
        write_u32(out, job.parts_total);
        write_u32(out, (uint32_t)(took / 1000000u));
        write_u8(out, 0);
    }
}

/* --- everybody's. The task's object is what came: per peer id8 | size u16 | jobs. */

static void jobs_add(struct node *node, struct node_task *task, uint64_t peer, struct slice jobs)
{
    struct slice had = blob_slice(task->object);
    struct blob *grown = blob_new(had.size + 10 + jobs.size);
    struct writer out;

    (void)node;
    if (!grown)
        return;
    out = writer_over(grown->data, grown->size);
    write_slice(&out, had);
    write_u64(&out, peer);
    write_u16(&out, (uint16_t)jobs.size);
    write_slice(&out, jobs);
    blob_drop(&task->object);
    task->object = grown;
}

void node_jobs_begin(struct node *node, struct node_task *task)
{
    struct frame head = {.priority = 1, .request = task->id};
    struct message ask = {.kind = MESSAGE_JOBS};
    uint8_t room[JOB_KINDS * JOB_SIZE];
    struct writer own = writer_over(room, sizeof(room));

    task->step = STEP_LIST;
    jobs_write(node, &own);
    jobs_add(node, task, node->self, writer_done(&own));
    for (uint32_t i = 0; i < swim_count(node->swim); i++) {
        uint64_t id8 = id_front(&swim_at(node->swim, i)->id);

        if (id8 == node->self || !node_peer_is_reachable(node, id8))
            continue;
        if (node_send(node, id8, &head, &ask))
            task->open++;
        else
            task->rows++;
    }
    task->deadline = instant_min(task->deadline, node->now + JOBS_WAIT_US);
    heap_set(&node->timers, &task->timer.in_timers, task->deadline);
    if (task->open == 0)
        node_jobs_finish(node, task);
}

static void jobs_read(struct node *node, uint64_t peer, struct slice bytes, struct result_job *jobs,
                      uint32_t *count)
{
    struct reader in = reader_over(bytes);

    while (reader_left(&in) >= JOB_SIZE) {
        struct result_job *job = &jobs[(*count)++];
        const struct swim_view *view = swim_find(node->swim, peer);
        unsigned kind = read_u8(&in), state = read_u8(&in);

        *job = (struct result_job){.kind = kind < JOB_KINDS ? (enum job_kind)kind : JOB_REFILL,
                                   .state = (enum job_state)(state % 3u),
                                   .name = node_peer_name(node, peer)};
        job->id = view ? view->id : *node_self(node);
        job->of = node_peer_name(node, read_u64(&in));
        job->done = read_u64(&in);
        job->total = read_u64(&in);
        job->rate = read_u64(&in);
        job->parts_done = read_u32(&in);
        job->parts_total = read_u32(&in);
        job->since_s = read_u32(&in);
        (void)read_u8(&in);
    }
}

/* Shows what came; who did not answer is counted. */
void node_jobs_finish(struct node *node, struct node_task *task)
{
    struct node_outcome outcome = {.status = STATUS_OK};
    struct result *result = node_reply_client(node, &task->op, task->ticket, &outcome);
    struct slice all = blob_slice(task->object);
    struct result_job *jobs =
        effects_alloc(node->fx, (all.size / JOB_SIZE + 1) * sizeof(struct result_job));
    struct reader in = reader_over(all);

    while (reader_left(&in) > 0) {
        uint64_t peer = read_u64(&in);

        jobs_read(node, peer, read_slice(&in, read_u16(&in)), jobs, &result->job_count);
    }
    result->jobs = jobs;
    result->silent_count = task->open + task->rows;
    node_task_end(node, task);
}

void node_jobs_message(struct node *node, uint64_t peer, const struct frame *frame,
                       const struct message *message)
{
    struct node_task *task = node_task_find(node, frame->request);
    uint8_t room[JOB_KINDS * JOB_SIZE];
    struct writer own = writer_over(room, sizeof(room));
    struct message reply = {.kind = MESSAGE_JOBS, .jobs = {.is_reply = 1}};

    if (!message->jobs.is_reply) {
        jobs_write(node, &own);
        reply.jobs.jobs = writer_done(&own);
        node_send_reply(node, peer, frame->request, &reply);
        return;
    }
    if (!task || task->kind != TASK_CLIENT || task->op.kind != OP_JOBS || task->open == 0)
        return;
    jobs_add(node, task, peer, message->jobs.jobs);
    if (--task->open == 0)
        node_jobs_finish(node, task);
}
