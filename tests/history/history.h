/* history.h: what clients asked a cluster and what they were told, for the checkers beside it.
 *
 * In memory an operation is one entry: when it was invoked, when it returned and how it ended. In a
 * file it is two lines of JSON, the call and the end; an operation without its second line is one
 * whose outcome is unknown:
 *
 *   {"seed":7,"n":3,"w":2,"r":2,"workload":"set register siblings","faults":"kill pause"}
 *   {"i":17,"t":1042,"c":"s3","ty":"inv","f":"put","k":"b/4","v":"s3.19.b/4.9f21c3d0","ctx":12,
 *    "peer":2}
 *   {"i":17,"t":2977,"c":"s3","ty":"ok","f":"put","k":"b/4","e":"k3WvQ0xN1vQ","http":204}
 *   {"i":18,"t":3001,"c":"s3","ty":"inv","f":"get","k":"b/4","peer":0}
 *   {"i":18,"t":3544,"c":"s3","ty":"ok","f":"get","k":"b/4","vs":[["s3.19.b/4.9f21c3d0",
 *    "k3WvQ0xN1vQ"]],"http":200}
 *
 * "ctx" is the `i` of the read whose context a write carried; "vs" are the values shown, each with
 * its entity tag; "fin" marks the reads after healing. Checkers are pure functions of this. */
#ifndef GOSSAMER_HISTORY_H
#define GOSSAMER_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define HISTORY_NEVER UINT64_MAX /* returned: nobody knows when, or whether */
#define HISTORY_NONE UINT32_MAX  /* no operation */

enum history_function { HISTORY_PUT, HISTORY_GET, HISTORY_DELETE };

enum history_outcome {
    HISTORY_INFO, /* it may take effect later, has done so, or never will */
    HISTORY_OK,   /* it took effect before it returned */
    HISTORY_FAIL, /* it never takes effect */
};

/* A value somebody was shown. Texts are numbered; 0 is the empty text: nothing. */
struct history_item {
    uint32_t value;
    uint32_t etag; /* one write may leave two entity tags behind (docs/decisions/0005) */
};

struct history_op {
    uint64_t invoked, returned; /* ns; a read that is not HISTORY_OK tells nothing */
    enum history_function function;
    enum history_outcome outcome;
    uint32_t key, client;
    uint32_t value;             /* PUT: what was written; unique */
    uint32_t etag;              /* PUT: the tag it was acknowledged under, 0 if it was not */
    uint32_t context;           /* index of the read whose context it carries, or HISTORY_NONE */
    uint32_t first, item_count; /* GET: a part of `items` */
    uint8_t peer;               /* whom the client asked */
    bool is_final;              /* GET: after everything was healed */
};

struct history {
    struct history_op *ops;
    struct history_item *items;
    char **texts;
    uint32_t *slots; /* hash table of texts */
    uint32_t count, room, item_count, item_room, text_count, text_room, slot_count;
};

/* history_init makes an empty history, history_free frees one. Memory that is not there aborts. */
void history_init(struct history *history);
void history_free(struct history *history);
/* history_text returns the number of a text, the same for equal ones; "" is 0. */
uint32_t history_text(struct history *history, const char *text);
/* history_add copies an operation and returns its index. `items` may be NULL without any. */
uint32_t history_add(struct history *history, const struct history_op *op,
                     const struct history_item *items, uint32_t item_count);
/* history_show gives an operation that has no items yet its items. */
void history_show(struct history *history, uint32_t index, const struct history_item *items,
                  uint32_t item_count);
/* history_shows tells whether a read showed a value. */
bool history_shows(const struct history *history, const struct history_op *read, uint32_t value);

/* history_load reads a file. false, with a line for people in `why`, when something in it is not as
 * drawn above; the history is empty then. */
bool history_load(struct history *history, FILE *file, char *why, size_t why_size);

/* --- for the checkers */

/* The operations of one key, in order of invocation. */
struct history_key {
    uint32_t key, count;
    const uint32_t *ops;
};

/* A history in order of key, then invocation. */
struct history_keys {
    uint32_t *order;
    struct history_key *keys;
    uint32_t count;
};

/* history_keys_make sorts the operations on keys whose name begins with `prefix` ("" for all). The
 * caller ends it with history_keys_free. */
struct history_keys history_keys_make(const struct history *history, const char *prefix);
void history_keys_free(struct history_keys *keys);
/* history_room is realloc for `count` elements that aborts instead of failing. */
void *history_room(void *old, size_t count, size_t size);

#endif
