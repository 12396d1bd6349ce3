/* fault.h: what befalls the peers, drawn from a seed like cards from a deck: shuffled, dealt to the
 * end, shuffled again, so that a short run sees most kinds. */
#ifndef GOSSAMER_CHAOS_FAULT_H
#define GOSSAMER_CHAOS_FAULT_H

#include "cluster.h"
#include "ground.h"
#include "prng.h"
#include "recorder.h"

#define FAULT_PEERS 5u
#define FAULT_DECK_MAX 24

enum fault_kind {
    FAULT_KILL,       /* SIGKILL, started again 0-5 s later */
    FAULT_PAUSE,      /* SIGSTOP for 1-20 s */
    FAULT_PARTITION,  /* two sides that block each other for 1-15 s */
    FAULT_ONE_WAY,    /* one peer blocks some others, which do not block it */
    FAULT_TWO,        /* one peer paused and another killed meanwhile */
    FAULT_CUT_KILLED, /* a partition, and a peer killed and started inside it */
    FAULT_ALL,        /* all killed at once, all started at once */
    FAULT_LOSS,       /* 5-40 % of all datagrams lost for 2-20 s, some of the streams' packets */
    FAULT_FULL,       /* one peer's disk filled, below its reserve or to the last byte */
    FAULT_KINDS
};

struct fault {
    struct cluster *cluster;
    struct recorder *recorder;
    struct ground *ground;
    struct prng prng;
    uint64_t end_ms; /* of proc_now_ms: no wait goes beyond it */
    enum fault_kind deck[FAULT_DECK_MAX];
    unsigned left; /* cards in the deck */
    unsigned counts[FAULT_KINDS];
    unsigned kills, died; /* died: by themselves; that is a failure */
    bool is_stopped[FAULT_PEERS];
    bool is_cut[FAULT_PEERS][FAULT_PEERS]; /* the first blocks the second */
};

/* fault_arguments returns the arguments of every daemon here, for peer_start_with. */
const char *const *fault_arguments(void);

/* fault_init begins with nothing broken. The caller has set cluster, recorder and ground. */
void fault_init(struct fault *fault, uint64_t seed);
/* fault_next deals one card, waits until it is over, and rests a little. */
void fault_next(struct fault *fault);
/* fault_name is the word for a kind in the report. */
const char *fault_name(enum fault_kind kind);

#endif
