/* recorder.h: what all clients do goes through here: one clock, one file, and the counts that the
 * report shows. Safe from many threads. The file is the history that tests/history reads. */
#ifndef GOSSAMER_CHAOS_RECORDER_H
#define GOSSAMER_CHAOS_RECORDER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "history.h"

#define RECORDER_NO_CONTEXT UINT32_MAX

/* A call, as it is written down before its first byte is sent. */
struct recorder_call {
    enum history_function function;
    const char *client, *key;
    const char *value; /* NULL except for PUT */
    uint32_t context;  /* number of the read whose context is sent, or RECORDER_NO_CONTEXT */
    unsigned peer;     /* from 0; the file counts from 1, as the names of the peers do */
    bool is_final;
};

/* How it ended. */
struct recorder_end {
    enum history_outcome outcome;
    unsigned status;
    const char *etag;   /* "": none */
    const char *values; /* reads: a JSON array of [value, etag] */
    const char *why;    /* the slug of a problem (api.md 8), or NULL */
};

struct recorder {
    pthread_mutex_t lock;
    FILE *file;
    uint64_t begin; /* of the clock, ns */
    uint32_t next;
    uint32_t counts[3][3];             /* by function and outcome */
    bool has_majority;                 /* three peers of five reach each other */
    uint64_t last_success, last_write; /* ns, or when the majority came back */
    uint64_t gap, write_gap;           /* the longest time without, while there was a majority */
};

void recorder_open(struct recorder *recorder, const char *path, uint64_t seed);
void recorder_close(struct recorder *recorder);
/* recorder_begin writes a call down and returns its number. */
uint32_t recorder_begin(struct recorder *recorder, const struct recorder_call *call);
/* recorder_finish writes its end down. */
void recorder_finish(struct recorder *recorder, uint32_t number, const struct recorder_call *call,
                     const struct recorder_end *end);
/* recorder_majority tells whether success can be demanded from now on. */
void recorder_majority(struct recorder *recorder, bool has_majority);
/* recorder_now is the clock of the history, ns. */
uint64_t recorder_now(const struct recorder *recorder);

#endif
