/* sim_swarm.c: from a seed to a verdict. The seed draws a configuration, switches each fault off or
 * on, and how hard it strikes. Then: warm-up without faults, safety with them, heal, and everything
 * must agree (testing.md 3.2, 3.3).
 *
 *   simtest --seeds 1-300            the swarm; prints `N passed, N failed`
 *   simtest --seed 17 [--verbose]    one seed, its trace hash, and what happened
 *   simtest --canary                 a check that always fails: the runner must say so
 *   simtest --seeds A-B --reached    how often each trace point was passed, at the end
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define WARM_UP_US INSTANT_S(8)
/* From the end of all faults to the last check: a minute. */
#define HEAL_US INSTANT_S(42)
#define SAMPLE_US INSTANT_S(1)
#define DRAIN_US INSTANT_S(3)
#define QUIET_US INSTANT_S(15) /* two rounds of anti-entropy */

static const char *const swarm_profiles[] = {"store", "membership", "rebalance", "routing"};

/* Half of the seeds have a fault, each with an intensity of its own. */
static uint32_t swarm_maybe(struct prng *rng, uint32_t low, uint32_t high)
{
    return prng_chance(rng, 1, 2) ? (uint32_t)prng_between(rng, low, high) : 0;
}

/* Profiles about what becomes of values. They draw nothing: their clients have generators. */
static void swarm_draw_values(const char *profile, struct sim_plan *plan)
{
    if (!strcmp(profile, "spaces")) { /* peers come and go between two pages of a walk */
        plan->has_spaces = true;
        plan->clients = 1;
        plan->churn = 3;
    }
    if (!strcmp(profile, "rot")) { /* one disk rots; the others must be whole */
        plan->has_rot = true;
        plan->replicas = plan->replicas < 3 ? 3 : plan->replicas;
    }
    if (!strcmp(profile, "ttl")) { /* clocks differ by a second or two and stay so */
        plan->has_mortals = true;
        plan->skew = 0;
        plan->clients = 1;
        plan->peers = plan->peers > 5 ? 5 : plan->peers;
    }
}

/* In profiles that are asked for owners stay behind for longer without hints: what those profiles
 * are about. */
static void swarm_draw_hints(uint64_t seed, struct sim_plan *plan)
{
    for (unsigned i = 0; i < sizeof(swarm_profiles) / sizeof(swarm_profiles[0]); i++)
        plan->hints = !strcmp(plan->profile, swarm_profiles[i]) ? 1000 : plan->hints;
    if (!strcmp(plan->profile, "mix"))
        plan->hints = 1000;
    if (!strcmp(plan->profile, "hints"))
        sim_hints_draw(seed, plan);
}

/* Profiles that draw from generators of their own. */
static void swarm_draw_more(uint64_t seed, const char *profile, struct sim_plan *plan)
{
    if (!strcmp(profile, "move"))
        sim_move_draw(seed, plan);
    if (!strcmp(profile, "gc"))
        sim_gc_draw(seed, plan);
    if (!strcmp(profile, "churn"))
        sim_churn_draw(seed, plan);
    if (!strcmp(profile, "deletes"))
        sim_mass_draw(seed, plan);
    if (!strcmp(profile, "forget"))
        sim_forget_draw(seed, plan);
    if (!strcmp(profile, "replicas"))
        sim_replicas_draw(seed, plan);
    if (!strcmp(profile, "mix"))
        sim_mix_draw(seed, plan);
    if (!strcmp(profile, "sick"))
        sim_sick_draw(seed, plan);
    if (!strcmp(profile, "stop"))
        sim_stop_draw(seed, plan);
    if (!strcmp(profile, "keys"))
        sim_keys_draw(seed, plan);
    if (!strcmp(profile, "replay"))
        sim_replay_draw(seed, plan);
    if (!strcmp(profile, "late"))
        sim_late_draw(seed, plan);
}

static void swarm_draw(uint64_t seed, const char *profile, struct sim_plan *plan)
{
    struct prng rng;

    prng_init(&rng, seed ^ 0x5eedull);
    if (!profile)
        profile = swarm_profiles[prng_chance(&rng, 1, 2) ? 0 : 1 + prng_below(&rng, 3)];
    *plan = (struct sim_plan){.profile = profile,
                              .peers = (uint32_t)prng_between(&rng, 3, 7),
                              .clients = (uint32_t)prng_between(&rng, 1, 8),
                              .registers = (uint32_t)prng_between(&rng, 1, 12),
                              .replicas = 3,
                              .partition_bits = (uint8_t)prng_between(&rng, 3, 6),
                              .delay_min_us = (uint32_t)prng_between(&rng, 0, 2000),
                              .delay_mean_us = (uint32_t)prng_between(&rng, 100, 5000),
                              .loss = swarm_maybe(&rng, 1, 150),
                              .duplicate = swarm_maybe(&rng, 1, 300),
                              .corrupt = swarm_maybe(&rng, 1, 50),
                              .reset = swarm_maybe(&rng, 1, 10),
                              .slow = swarm_maybe(&rng, 10, 300),
                              .cold = swarm_maybe(&rng, 10, 700),
                              .sync_fail = swarm_maybe(&rng, 10, 2000),
                              .disk_us = (uint32_t)prng_between(&rng, 50, 8000),
                              .crash = swarm_maybe(&rng, 1, 4),
                              .pause = swarm_maybe(&rng, 1, 4),
                              .cut = swarm_maybe(&rng, 1, 4),
                              .skew = swarm_maybe(&rng, 1, 4),
                              .fault_every_ms = (uint32_t)prng_between(&rng, 500, 6000),
                              .safety_s = 30};
    plan->hosts = prng_chance(&rng, 1, 3) ? (plan->peers + 1) / 2 : plan->peers;
    if (prng_chance(&rng, 1, 8))
        plan->replicas = prng_chance(&rng, 1, 2) ? 1 : 5;
    if (!strcmp(profile, "rebalance"))
        plan->churn = 3;
    if (!strcmp(profile, "membership")) {
        plan->peers = (uint32_t)prng_between(&rng, 5, 16);
        plan->hosts = plan->peers;
        plan->clients = 0;
    }
    if (!strcmp(profile, "session")) { /* clients that wander, reads and writes at one owner */
        plan->sessions = 2 + plan->clients % 5;
        plan->clients = 0;
        plan->sync_fail = 0;
    }
    if (!strcmp(profile, "retry")) { /* operations that are repeated and must count once */
        plan->retriers = 2 + plan->clients % 5;
        plan->clients = 0;
        plan->skew = 0; /* records end by the wall clock */
        plan->sync_fail = 0;
    }
    if (!strcmp(profile, "routing")) { /* cells of about eight: the overlay finds the others */
        plan->peers = (uint32_t)prng_between(&rng, 16, 32);
        plan->hosts = plan->peers;
        plan->cell_depth = plan->peers > 20 ? 2 : 1;
        plan->clients = 2;
        plan->crash = plan->cut = plan->skew = 0;
        plan->safety_s = 15;
    }
    swarm_draw_values(profile, plan);
    plan->has_reader = !strcmp(profile, "rows");
    swarm_draw_more(seed, profile, plan);
    swarm_draw_hints(seed, plan);
}

/* --- faults */

static struct sim_node *swarm_peer(struct sim *sim)
{
    return &sim->nodes[prng_below(&sim->rng, sim->node_count)];
}

static unsigned swarm_down(const struct sim *sim)
{
    unsigned down = 0;

    for (uint32_t i = 0; i < sim->node_count; i++)
        down += !sim->nodes[i].node && !sim->nodes[i].is_removed;
    return down;
}

static void swarm_crash(struct sim *sim)
{
    struct sim_node *peer = swarm_peer(sim);
    uint64_t down = prng_between(&sim->rng, INSTANT_MS(10), INSTANT_S(8));
    /* Wiped disks stay few enough that the claim covers them: one at a time, others whole. */
    bool is_wiped = sim->plan.replicas >= 3 && prng_chance(&sim->rng, 1, 10) &&
                    swarm_down(sim) == 0 && sim_check_is_settled(sim) && peer->index != 0 &&
                    !sim->plan.sync_fail && !sim->plan.sessions && !sim->plan.retriers &&
                    !sim->plan.has_replicas;

    is_wiped &= !sim->plan.has_rot; /* there the copy that counts is at the others */
    if (!peer->node)
        return;
    sim_crash(sim, peer, is_wiped);
    sim_after(sim, down, SIM_BOOT, SLICE_NONE)->node = peer->index;
    if (prng_chance(&sim->rng, 1, 6)) /* the whole site loses power */
        for (uint32_t i = 0; i < sim->node_count; i++) {
            if (!sim->nodes[i].node)
                continue;
            sim_crash(sim, &sim->nodes[i], false);
            sim_after(sim, down + prng_below(&sim->rng, INSTANT_S(2)), SIM_BOOT, SLICE_NONE)->node =
                i;
        }
}

static void swarm_cut(struct sim *sim)
{
    bool is_one_way = prng_chance(&sim->rng, 1, 3);
    uint64_t side = prng_next(&sim->rng);

    sim_net_heal(sim);
    if (prng_chance(&sim->rng, 1, 3))
        return;
    for (uint32_t i = 0; i < sim->node_count; i++)
        for (uint32_t j = 0; j < sim->node_count; j++) {
            bool is_left = side >> i & 1, is_right = !(side >> j & 1);

            if (is_left && is_right) {
                sim->cut[i][j] = true;
                sim->cut[j][i] |= !is_one_way;
            }
        }
}

static void swarm_skew(struct sim *sim)
{
    static const int64_t jumps[] = {1000, 60000, 3600000, 31536000000};
    struct sim_node *peer = swarm_peer(sim);
    int64_t jump = jumps[prng_below(&sim->rng, 4)];

    peer->wall_offset_ms += prng_chance(&sim->rng, 1, 2) ? jump : -jump;
    if (peer->wall_offset_ms > 2 * jumps[3] || peer->wall_offset_ms < -2 * jumps[3])
        peer->wall_offset_ms = 0;
}

static void swarm_churn(struct sim *sim)
{
    uint32_t alive = sim->node_count - swarm_down(sim);
    struct sim_node *peer = swarm_peer(sim);
    struct event leave = {.kind = EVENT_REQUEST};

    for (uint32_t i = 0; i < sim->node_count; i++)
        alive -= sim->nodes[i].is_removed;
    if (alive <= 4 || !peer->node || peer->index == 0 || !node_is_ready(peer->node))
        return;
    leave.request.ticket = ++sim->tickets;
    leave.request.op.kind = OP_LEAVE;
    sim_step(sim, peer, &leave);
}

static void swarm_pause(struct sim *sim)
{
    struct sim_node *peer = swarm_peer(sim);
    instant until = sim->now + prng_between(&sim->rng, INSTANT_MS(50), INSTANT_S(10));

    if (peer->paused_until <= sim->now) /* never moved: what waits keeps its order */
        peer->paused_until = until;
}

static void swarm_fault(struct sim *sim)
{
    const struct sim_plan *plan = &sim->plan;
    uint32_t total = plan->crash + plan->pause + plan->cut + plan->skew + plan->churn;
    uint32_t draw = total ? (uint32_t)prng_below(&sim->rng, total) : 0;

    if ((plan->elastic && sim_move_fault(sim)) || (plan->forget_s && sim_forget_fault(sim)) ||
        sim_gc_fault(sim) || sim_stop_fault(sim) || sim_sick_fault(sim) || total == 0)
        return;
    if (draw < plan->crash)
        swarm_crash(sim);
    else if ((draw -= plan->crash) < plan->pause)
        swarm_pause(sim);
    else if ((draw -= plan->pause) < plan->cut)
        swarm_cut(sim);
    else if ((draw -= plan->cut) < plan->skew)
        swarm_skew(sim);
    else
        swarm_churn(sim);
}

/* --- phases */

static void swarm_samples(struct sim *sim, instant until)
{
    while (sim->now < until && !sim->failure[0]) {
        instant next = sim->now + SAMPLE_US;

        sim_run(sim, next < until ? next : until);
        if (!sim->failure[0])
            sim_check_views(sim);
        if (!sim->failure[0])
            sim_check_hints(sim);
        if (!sim->failure[0])
            sim_check_keys(sim);
        if (!sim->failure[0] && sim->plan.forget_s)
            sim_check_forgotten(sim);
    }
}

static void swarm_warm_up(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        struct sim_node *peer = &sim->nodes[i];

        peer->drift = sim->plan.skew ? (int32_t)prng_between(&sim->rng, 0, 200) - 100 : 0;
        peer->wall_offset_ms = (int64_t)prng_below(&sim->rng, 2000) - 1000;
        if (i + sim->plan.late < sim->node_count)
            sim_after(sim, i ? prng_below(&sim->rng, INSTANT_S(1)) : 0, SIM_BOOT, SLICE_NONE)
                ->node = i;
    }
    swarm_samples(sim, sim->now + WARM_UP_US);
    for (unsigned tries = 0; tries < 60 && !sim_check_is_settled(sim); tries++)
        swarm_samples(sim, sim->now + SAMPLE_US);
    if (!sim->failure[0] && !sim_check_is_settled(sim))
        sim_fail(sim, "LIVE: the cluster does not form without faults");
}

static void swarm_safety(struct sim *sim)
{
    instant end = sim->now + INSTANT_S(sim->plan.safety_s);

    sim->is_faulty = true;
    sim_clients_start(sim);
    sim_ttl_start(sim);
    sim_rot_start(sim);
    sim_rows_start(sim);
    sim_space_start(sim);
    sim_replicas_start(sim);
    sim_types_start(sim);
    sim_mass_start(sim);
    sim_keys_start(sim);
    while (sim->now < end && !sim->failure[0]) {
        swarm_samples(
            sim, sim->now + prng_between(&sim->rng, 1, INSTANT_MS(2 * sim->plan.fault_every_ms)));
        if (!sim->failure[0])
            swarm_fault(sim);
    }
}

static void swarm_heal(struct sim *sim)
{
    uint64_t incarnations[SIM_PEERS_MAX];
    instant end;

    sim->is_faulty = false;
    sim_net_heal(sim);
    for (uint32_t i = 0; i < sim->node_count; i++) {
        if (!sim->nodes[i].node && !sim->nodes[i].is_removed)
            sim_after(sim, prng_below(&sim->rng, INSTANT_S(1)), SIM_BOOT, SLICE_NONE)->node = i;
    }
    swarm_samples(sim, sim->now + DRAIN_US);
    sim->are_clients_on = false;
    end = sim->now + HEAL_US;
    swarm_samples(sim, sim->now + INSTANT_S(20));
    while (sim->now < end && !sim->failure[0] && !sim_check_is_settled(sim))
        swarm_samples(sim, sim->now + SAMPLE_US);
    sim_check_rest(sim, incarnations, true);
    swarm_samples(sim, sim->now + QUIET_US);
    sim_check_rest(sim, incarnations, false);
    if (!sim->failure[0] &&
        (!sim_clients_are_idle(sim) || !sim_ttl_is_idle(sim) || !sim_space_is_idle(sim) ||
         !sim_replicas_are_idle(sim) || !sim_types_are_idle(sim) || !sim_mass_is_idle(sim)))
        sim_fail(sim, "LIVE: a request was never answered");
    sim_hints_final(sim, swarm_samples);
    sim_gc_final(sim, swarm_samples);
    sim_churn_final(sim, swarm_samples);
    sim_mass_settle(sim, swarm_samples);
    if (!sim->failure[0])
        sim_keys_final(sim);
    if (!sim->failure[0])
        sim_check_final(sim);
    if (!sim->failure[0])
        sim_rows_final(sim);
    if (!sim->failure[0])
        sim_replicas_final(sim);
    if (!sim->failure[0])
        sim_check_types(sim);
    if (!sim->failure[0])
        sim_mass_final(sim);
}

static bool swarm_seed(struct sim *sim, uint64_t seed, const char *profile, bool is_canary)
{
    struct sim_plan plan;

    swarm_draw(seed, profile, &plan);
    sim_types_draw(&plan);
    bool is_verbose = sim->is_verbose;
    sim_open(sim, seed, &plan);
    sim->is_verbose = is_verbose;
    swarm_warm_up(sim);
    if (sim->replay)
        sim_replay_play(sim, swarm_samples);
    if (!sim->failure[0] && !sim->replay)
        swarm_safety(sim);
    if (!sim->failure[0] && !sim->replay)
        swarm_heal(sim);
    if (is_canary)
        sim_fail(sim, "CANARY: this check always fails");
    return sim->failure[0] == 0;
}

/* --- the command */

struct swarm_args {
    uint64_t first, last;
    const char *profile;
    bool is_verbose, is_canary, is_twice, is_reached;
    uint64_t reached[TRACE_COUNT]; /* how often each trace point was passed, all seeds together */
};

static bool swarm_parse(int argc, char **argv, struct swarm_args *args)
{
    *args = (struct swarm_args){.first = 1, .last = 20};
    for (int i = 1; i < argc; i++) {
        char *end = NULL;

        if (!strcmp(argv[i], "--verbose"))
            args->is_verbose = true;
        else if (!strcmp(argv[i], "--canary"))
            args->is_canary = true;
        else if (!strcmp(argv[i], "--twice"))
            args->is_twice = true;
        else if (!strcmp(argv[i], "--reached"))
            args->is_reached = true;
        else if (i + 1 < argc && !strcmp(argv[i], "--profile"))
            args->profile = argv[++i];
        else if (i + 1 < argc && !strncmp(argv[i], "--seed", 6)) {
            args->first = args->last = strtoull(argv[++i], &end, 10);
            if (*end == '-')
                args->last = strtoull(end + 1, &end, 10);
            if (*end)
                return false;
        } else {
            return false;
        }
    }
    return true;
}

static void swarm_report(const struct sim *sim, uint64_t seed, const struct swarm_args *args)
{
    const struct sim_plan *plan = &sim->plan;

    if (sim->failure[0])
        printf("FAIL seed %llu profile %s at %.3f s: %s\n"
               "     reproduce: simtest --seed %llu%s%s --verbose\n",
               (unsigned long long)seed, plan->profile, (double)sim->now / 1e6, sim->failure,
               (unsigned long long)seed, args->profile ? " --profile " : "",
               args->profile ? args->profile : "");
    if (args->first == args->last)
        printf("seed %llu profile %s peers %u replicas %u steps %llu trace %016llx acked %llu "
               "reads %llu "
               "unknown %llu refused %llu crashes %llu\n",
               (unsigned long long)seed, plan->profile, plan->peers, plan->replicas,
               (unsigned long long)sim->steps, (unsigned long long)sim->trace_hash,
               (unsigned long long)sim->acked, (unsigned long long)sim->reads,
               (unsigned long long)sim->unknown, (unsigned long long)sim->refused,
               (unsigned long long)sim->crashes);
    if (args->first == args->last && plan->gc_ms)
        printf("     deletes %llu rows dropped %llu\n", (unsigned long long)sim->deleted,
               (unsigned long long)sim->collected);
}

static void swarm_reached(const struct swarm_args *args)
{
    for (unsigned i = 0; args->is_reached && i < TRACE_COUNT; i++)
        printf("reached %s %llu\n", trace_name((enum trace_code)i),
               (unsigned long long)args->reached[i]);
}

int main(int argc, char **argv)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    struct swarm_args args;
    unsigned passed = 0, failed = 0;

    if (!sim || sodium_init() < 0 || !swarm_parse(argc, argv, &args)) {
        fprintf(stderr, "usage: simtest [--seeds A-B | --seed S] [--profile P] [--verbose] "
                        "[--canary] [--twice] [--reached]\n");
        return 2;
    }
    for (uint64_t seed = args.first; seed <= args.last; seed++) {
        uint64_t trace;
        bool is_good;

        sim->is_verbose = args.is_verbose;
        is_good = swarm_seed(sim, seed, args.profile, args.is_canary);
        trace = sim->trace_hash;
        swarm_report(sim, seed, &args);
        for (unsigned i = 0; i < TRACE_COUNT; i++)
            args.reached[i] += sim->reached[i];
        sim_close(sim);
        if (is_good && args.is_twice) {
            is_good = swarm_seed(sim, seed, args.profile, false) && sim->trace_hash == trace;
            if (!is_good)
                printf("FAIL seed %llu: two runs differ\n", (unsigned long long)seed);
            sim_close(sim);
        }
        passed += is_good;
        failed += !is_good;
        fflush(stdout);
    }
    swarm_reached(&args);
    printf("%u passed, %u failed\n", passed, failed);
    free(sim);
    return failed ? 1 : 0;
}
