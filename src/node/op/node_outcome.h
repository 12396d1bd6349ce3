/* node_outcome.h: what became of an operation, and how a write is made to take effect once. */
#ifndef GOSSAMER_NODE_OUTCOME_H
#define GOSSAMER_NODE_OUTCOME_H

#include "message.h"
#include "op.h"

/* What became of an operation, before it is told to a client or to the edge that asked. */
struct node_outcome {
    enum status status;
    enum outcome outcome;
    uint8_t acks, required, total;
    bool is_created;
    uint64_t etag, expires;
    struct slice context, object, session;
    uint8_t route_count;
    struct {
        uint64_t id8;
        uint8_t roles;
    } route[ROUTE_MAX];
    uint64_t absent; /* an owner that did not answer, 0: none */
};

/* How far an idempotent write is (node_once.c). */
enum node_once {
    ONCE_NONE,
    ONCE_LOOK,   /* the record is being read */
    ONCE_CLAIM,  /* the claim is being written */
    ONCE_FREE,   /* only we claim it: the write goes on */
    ONCE_RECORD, /* it is done, its record is being written */
    ONCE_SHOW,   /* an earlier try did it: what it shows is being read */
};

#define NODE_RECORD_SIZE_MAX (80 + CONTEXT_SIZE_MAX)
#define NODE_RECORD_NAME_MAX (KEY_SIZE_MAX + 3 + sizeof(struct hash16))
/* One value in the record row of an idempotent write: a claim, or what came of it. */
struct node_record {
    bool is_done;
    struct hash16 body;  /* what must be the same in a retry */
    uint64_t peer, boot; /* claim: who, and in which of its openings */
    struct node_outcome result;
    struct dot dot; /* done: of the write; stamp 0: it changed nothing */
};

#endif
