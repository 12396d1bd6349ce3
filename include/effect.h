/* effect.h: everything a node asks of its driver. Effects belong to the driver; what they point at
 * (the arena, blobs, pinned rows) lives until effects_reset, which the driver calls after it
 * performed them. */
#ifndef GOSSAMER_EFFECT_H
#define GOSSAMER_EFFECT_H

#include "event.h"

struct seal_keyring;

enum effect_kind {
    EFFECT_DATAGRAM, /* best effort */
    EFFECT_CONNECT,  /* answer: LINK_UP or LINK_DOWN */
    EFFECT_CLOSE,    /* no LINK_DOWN follows; the id is dead for both sides at once */
    EFFECT_STREAM,   /* bytes in order, or LINK_DOWN */
    EFFECT_WRITE,    /* all rows or none, durable, then STORED */
    EFFECT_READ,     /* one row or a page of a range, then LOADED */
    EFFECT_REPLY,    /* one per request, or more (result->is_more), unless it was cancelled */
    EFFECT_RESOLVE,  /* seed names -> SEEDS; always answered, perhaps with none */
    EFFECT_REOPEN,   /* persist a new boot record, reopen the store, then OPENED with a new actor */
    EFFECT_KEYRING,  /* replace the cluster's key file, durable, then EVENT_KEYRING */
    EFFECT_STOP,     /* stop after the effects before it */
};

struct effect {
    enum effect_kind kind;
    union {
        struct {
            struct address to;
            struct slice bytes;
        } datagram;
        struct {
            link_id link;
            struct address address; /* CONNECT */
        } link;                     /* CONNECT, CLOSE */
        struct {
            link_id link;
            struct slice bytes;
        } stream;
        struct {
            uint64_t write;
            const struct store_row *rows;
            uint32_t count;
        } write;
        struct {
            uint64_t read;
            bool is_point; /* only range.from is read */
            struct store_range range;
        } read;
        struct {
            ticket ticket;
            const struct result *result;
        } reply;
        struct {
            const struct seal_keyring *ring; /* lives in the arena: secret */
        } keyring;
        struct {
            struct slice names; /* comma separated host[:port] */
        } resolve;
        struct {
            enum status reason;
        } stop;
    };
};

struct effects_chunk; /* private: one piece of the arena */
struct effects_pin {
    struct store_pin pin;
    const struct store *store;
};

/* A growing list with an arena behind it. One driver has one, also for thousands of nodes. */
struct effects {
    struct effect *items; /* owned */
    uint32_t count, capacity;
    struct effects_chunk *chunks; /* owned */
    struct effects_pin *pins;     /* owned */
    uint32_t pin_count, pin_capacity;
    struct blob **blobs; /* owned references */
    uint32_t blob_count, blob_capacity;
};

/* effects_init makes an empty list. effects_close frees everything, also what is still pinned. */
void effects_init(struct effects *effects);
void effects_close(struct effects *effects);
/* effects_reset ends the life of everything the effects point at: pins are released, blob
 * references dropped, the arena emptied. */
void effects_reset(struct effects *effects);
/* effects_push appends a zeroed effect and returns it; it lives until reset, its place may move
 * with the next push. */
struct effect *effects_push(struct effects *effects, enum effect_kind kind);
/* effects_alloc returns `size` zeroed bytes that live until reset. Aborts when memory is out: the
 * bound is that of one turn of the loop. */
void *effects_alloc(struct effects *effects, size_t size);
/* effects_copy copies bytes into the arena. */
struct slice effects_copy(struct effects *effects, struct slice bytes);
/* effects_hold_pin and effects_hold_blob take over a pin or a reference until reset. */
void effects_hold_pin(struct effects *effects, const struct store *store, struct store_pin pin);
void effects_hold_blob(struct effects *effects, struct blob *blob);

#endif
