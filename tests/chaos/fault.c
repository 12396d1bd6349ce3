#include "fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"

const char *const *fault_arguments(void)
{
    static const char *const durable[] = {"--set", "sync.interval=1s", NULL};
    static const char *const forgetful[] = {"--set", "sync.interval=1s", "--store", "memory", NULL};
    const char *store = getenv("CHAOS_STORE");

    return store && strcmp(store, "memory") == 0 ? forgetful : durable;
}

static const enum fault_kind fault_deck[] = {
    FAULT_KILL,      FAULT_KILL,      FAULT_KILL,    FAULT_KILL,    FAULT_PAUSE, FAULT_PAUSE,
    FAULT_PARTITION, FAULT_PARTITION, FAULT_ONE_WAY, FAULT_ONE_WAY, FAULT_TWO,   FAULT_CUT_KILLED,
    FAULT_ALL,       FAULT_LOSS,      FAULT_LOSS,    FAULT_FULL,    FAULT_FULL};

#define DECK_COUNT (sizeof fault_deck / sizeof fault_deck[0])

_Static_assert(DECK_COUNT <= FAULT_DECK_MAX, "a deck fits");

const char *fault_name(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_KILL:
        return "kill";
    case FAULT_PAUSE:
        return "pause";
    case FAULT_PARTITION:
        return "partition";
    case FAULT_ONE_WAY:
        return "one-way";
    case FAULT_TWO:
        return "pause+kill";
    case FAULT_CUT_KILLED:
        return "partition+kill";
    case FAULT_ALL:
        return "restart of all";
    case FAULT_LOSS:
        return "loss";
    case FAULT_FULL:
        return "disk full";
    case FAULT_KINDS:
        break;
    }
    return "?";
}

void fault_init(struct fault *fault, uint64_t seed)
{
    *fault = (struct fault){
        .cluster = fault->cluster, .recorder = fault->recorder, .ground = fault->ground};
    prng_init(&fault->prng, seed);
}

static unsigned fault_draw(struct fault *fault, unsigned low, unsigned high)
{
    return (unsigned)prng_between(&fault->prng, low, high);
}

/* The smaller of two draws: long waits are there, but rarer. */
static unsigned fault_draw_low(struct fault *fault, unsigned low, unsigned high)
{
    unsigned a = fault_draw(fault, low, high), b = fault_draw(fault, low, high);

    return a < b ? a : b;
}

static void fault_say(struct fault *fault, const char *what, unsigned mask, unsigned ms)
{
    printf("%7.1f s  %-14s", (double)recorder_now(fault->recorder) / 1e9, what);
    for (unsigned i = 0; i < FAULT_PEERS; i++)
        if (mask >> i & 1)
            printf(" %s", fault->cluster->peers[i].name);
    printf(", %.1f s\n", ms / 1000.0);
    fflush(stdout);
}

static void fault_wait(struct fault *fault, unsigned ms)
{
    uint64_t now = proc_now_ms();

    if (now < fault->end_ms)
        proc_pause(fault->end_ms - now < ms ? (unsigned)(fault->end_ms - now) : ms);
}

/* --- who reaches whom */

static bool fault_is_linked(const struct fault *fault, unsigned a, unsigned b)
{
    return !fault->is_cut[a][b] && !fault->is_cut[b][a];
}

/* A majority of peers that run and all reach each other. */
static bool fault_has_majority(const struct fault *fault)
{
    for (unsigned mask = 0; mask < 1u << FAULT_PEERS; mask++) {
        bool is_whole = __builtin_popcount(mask) > (int)FAULT_PEERS / 2;

        for (unsigned a = 0; a < FAULT_PEERS && is_whole; a++) {
            if (!(mask >> a & 1))
                continue;
            is_whole = fault->cluster->peers[a].pid && !fault->is_stopped[a];
            for (unsigned b = 0; b < a && is_whole; b++)
                is_whole = !(mask >> b & 1) || fault_is_linked(fault, a, b);
        }
        if (is_whole)
            return true;
    }
    return false;
}

static void fault_changed(struct fault *fault)
{
    recorder_majority(fault->recorder, fault_has_majority(fault));
}

/* --- what can be done to a peer */

static void fault_kill(struct fault *fault, unsigned i)
{
    peer_kill(&fault->cluster->peers[i]);
    memset(fault->is_cut[i], 0, sizeof fault->is_cut[i]); /* its list is not kept on disk */
    fault->kills++;
}

static void fault_start(struct fault *fault, unsigned i)
{
    peer_start_with(fault->cluster, &fault->cluster->peers[i], fault_arguments());
    fault_changed(fault);
}

static void fault_signal(struct fault *fault, unsigned i, int signal)
{
    kill(fault->cluster->peers[i].pid, signal);
    fault->is_stopped[i] = signal == SIGSTOP;
    fault_changed(fault);
}

/* Peer i blocks the peers of the mask; 0 lifts it. A peer that has just begun is waited for. */
static void fault_block(struct fault *fault, unsigned i, unsigned mask)
{
    struct peer *peer = &fault->cluster->peers[i];
    char names[128] = "{\"peers\":[";
    struct client_request request = {"PUT", "/v1/self/block", "Content-Type: application/json\r\n",
                                     names, 0};

    for (unsigned b = 0; b < FAULT_PEERS; b++) {
        size_t size = strlen(names);

        fault->is_cut[i][b] = mask >> b & 1;
        if (mask >> b & 1)
            snprintf(names + size, sizeof names - size, "%s\"%s\"",
                     names[size - 1] == '[' ? "" : ",", fault->cluster->peers[b].name);
    }
    snprintf(names + strlen(names), 4, "]}");
    request.body_size = strlen(names);
    if (mask == 0)
        request = (struct client_request){.method = "DELETE", .path = "/v1/self/block"};
    for (unsigned tries = 0; peer_answers(peer) && tries < 20; tries++) {
        if (client_ask(&peer->client, &request).status / 100 == 2)
            return;
        proc_pause(100);
    }
    printf("           %s does not take its block list\n", peer->name);
}

/* --- the kinds */

static void fault_do_kill(struct fault *fault, unsigned i)
{
    unsigned ms = fault_draw_low(fault, 0, 5000);

    fault_say(fault, "kill", 1u << i, ms);
    fault_kill(fault, i);
    fault_changed(fault);
    fault_wait(fault, ms);
    fault_start(fault, i);
}

static void fault_do_pause(struct fault *fault, unsigned i, bool is_with_kill)
{
    unsigned ms = fault_draw_low(fault, 1000, 20000), other = (i + 1) % FAULT_PEERS;

    fault_say(fault, "pause", 1u << i, ms);
    fault_signal(fault, i, SIGSTOP);
    if (is_with_kill) {
        fault_wait(fault, ms / 3);
        fault_do_kill(fault, other);
    }
    fault_wait(fault, is_with_kill ? ms / 3 : ms);
    fault_signal(fault, i, SIGCONT);
}

/* One or two peers against the rest. */
static void fault_do_partition(struct fault *fault, bool is_one_way, bool is_with_kill)
{
    unsigned ms = fault_draw_low(fault, 1000, 15000), all = (1u << FAULT_PEERS) - 1;
    unsigned side = 1u << fault_draw(fault, 0, 4), other = 1u << fault_draw(fault, 0, 4);

    if (!is_one_way)
        side |= other;
    else if (fault_draw(fault, 0, 1))
        all = side | other | 1u << fault_draw(fault, 0, 4);
    fault_say(fault, is_one_way ? "one-way cut" : "cut", side, ms);
    for (unsigned i = 0; i < FAULT_PEERS; i++) {
        if (side >> i & 1)
            fault_block(fault, i, all & ~side);
        else if (!is_one_way)
            fault_block(fault, i, side);
    }
    fault_changed(fault);
    fault_wait(fault, is_with_kill ? ms / 2 : ms);
    if (is_with_kill) {
        fault_do_kill(fault, fault_draw(fault, 0, 4));
        fault_wait(fault, ms / 2);
    }
    for (unsigned i = 0; i < FAULT_PEERS; i++)
        fault_block(fault, i, 0);
    fault_changed(fault);
}

static void fault_do_all(struct fault *fault)
{
    unsigned ms = fault_draw(fault, 0, 1) ? 0 : fault_draw(fault, 0, 2000);

    fault_say(fault, "restart of all", (1u << FAULT_PEERS) - 1, ms);
    for (unsigned i = 0; i < FAULT_PEERS; i++)
        fault_kill(fault, i);
    fault_changed(fault);
    fault_wait(fault, ms);
    for (unsigned i = 0; i < FAULT_PEERS; i++)
        fault_start(fault, i);
}

static void fault_do_loss(struct fault *fault)
{
    unsigned ms = fault_draw_low(fault, 2000, 20000), percent = fault_draw_low(fault, 5, 40);

    if (!fault->ground->has_network) {
        fault->counts[FAULT_LOSS]--;
        return;
    }
    fault_say(fault, "loss", (1u << FAULT_PEERS) - 1, ms);
    ground_lose(fault->ground, fault->cluster, percent);
    fault_wait(fault, ms);
    ground_lose(fault->ground, fault->cluster, 0);
}

/* Half of the time writes are refused in good order, else the store meets the end of the disk. */
static void fault_do_full(struct fault *fault, unsigned i)
{
    unsigned ms = fault_draw_low(fault, 2000, 15000), kib = fault_draw(fault, 0, 1) ? 40960 : 0;

    if (!fault->ground->has_disks) {
        fault->counts[FAULT_FULL]--;
        return;
    }
    fault_say(fault, kib ? "disk low" : "disk full", 1u << i, ms);
    ground_fill(&fault->cluster->peers[i], kib);
    fault_wait(fault, ms);
    ground_empty(&fault->cluster->peers[i]);
}

/* A peer that ended by itself is a failure; it is started again so that the run goes on. */
static void fault_look_after(struct fault *fault)
{
    for (unsigned i = 0; i < FAULT_PEERS; i++) {
        struct peer *peer = &fault->cluster->peers[i];

        if (proc_is_running(peer->pid))
            continue;
        printf("           %s ended by itself with status %d\n", peer->name,
               proc_wait(peer->pid, 1000));
        fault->died++;
        client_close(&peer->client);
        peer->pid = 0;
        memset(fault->is_cut[i], 0, sizeof fault->is_cut[i]);
        fault_start(fault, i);
    }
}

static enum fault_kind fault_deal(struct fault *fault)
{
    if (fault->left == 0) {
        memcpy(fault->deck, fault_deck, sizeof fault_deck);
        prng_shuffle(&fault->prng, fault->deck, DECK_COUNT, sizeof fault->deck[0]);
        fault->left = DECK_COUNT;
    }
    return fault->deck[--fault->left];
}

void fault_next(struct fault *fault)
{
    enum fault_kind kind = fault_deal(fault);
    unsigned victim = fault_draw(fault, 0, FAULT_PEERS - 1);

    fault->counts[kind]++;
    switch (kind) {
    case FAULT_KILL:
        fault_do_kill(fault, victim);
        break;
    case FAULT_PAUSE:
    case FAULT_TWO:
        fault_do_pause(fault, victim, kind == FAULT_TWO);
        break;
    case FAULT_PARTITION:
    case FAULT_CUT_KILLED:
        fault_do_partition(fault, false, kind == FAULT_CUT_KILLED);
        break;
    case FAULT_ONE_WAY:
        fault_do_partition(fault, true, false);
        break;
    case FAULT_ALL:
        fault_do_all(fault);
        break;
    case FAULT_LOSS:
        fault_do_loss(fault);
        break;
    case FAULT_FULL:
        fault_do_full(fault, victim);
        break;
    case FAULT_KINDS:
        break;
    }
    fault_look_after(fault);
    fault_wait(fault,
               fault_draw(fault, 0, 1) ? fault_draw(fault, 0, 300) : fault_draw(fault, 1000, 4000));
}
