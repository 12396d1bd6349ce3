/* event.h: everything that can happen to a node, as plain structs. A recorded list of events is a
 * reproduction. The caller keeps what it passes; the core copies what it retains. */
#ifndef GOSSAMER_EVENT_H
#define GOSSAMER_EVENT_H

#include "op.h"
#include "store.h"

/* Names one TCP connection between peers. Outbound ones are numbered by the core (bit 31 clear),
 * inbound ones by the driver (bit 31 set). Never reused within one process. */
typedef uint32_t link_id;
#define LINK_INBOUND 0x80000000u

enum event_kind {
    EVENT_OPENED, /* the store is open under a new actor: the first event, and again after REOPEN */
    EVENT_SEEDS,  /* resolved addresses: the answer to EFFECT_RESOLVE */
    EVENT_DATAGRAM, /* a UDP packet, still sealed */
    EVENT_REFUSED,  /* the kernel says that nobody listens at an address: evidence, not proof */
    EVENT_LINK_UP,  /* a connection stands (inbound: somebody dialled us) */
    EVENT_LINK_DOWN,
    EVENT_STREAM,    /* bytes of a link as they came, still sealed */
    EVENT_LINK_ROOM, /* the kernel took bytes: credit for bulk transfer */
    EVENT_REQUEST,   /* a client's operation */
    EVENT_CANCEL,    /* the client is gone; a write already sent goes on */
    EVENT_STORED,    /* exactly one per EFFECT_WRITE */
    EVENT_LOADED,    /* exactly one per EFFECT_READ */
    EVENT_KEYRING,   /* exactly one per EFFECT_KEYRING */
    EVENT_TIMER,     /* nothing but the time; early or late is harmless */
    EVENT_STOP,      /* the process is to end: answered by EFFECT_STOP, with CLOSED */
};

struct event {
    enum event_kind kind;
    instant now; /* monotonic, us */
    uint64_t
        wall_ms; /* wall clock; only ever advances the hybrid clock and dates things for people */
    union {
        struct {
            uint64_t boot_counter;
            uint64_t actor;     /* new at every opening, never 0 */
            bool is_recovering; /* the store may lack rows: takes writes, does not count in reads */
        } opened;
        struct {
            const struct address *addresses;
            uint32_t count;
        } seeds;
        struct {
            struct address from;
            struct slice bytes;
        } datagram;
        struct {
            struct address address;
        } refused;
        struct {
            link_id link;
            struct address address; /* LINK_UP inbound: the remote's; not a mesh address */
            enum status reason;     /* LINK_DOWN: CLOSED, UNREACHABLE, IO */
        } link;
        struct {
            link_id link;
            struct slice bytes;
        } stream;
        struct {
            link_id link;
            uint32_t unsent; /* bytes still queued in the driver */
        } room;
        struct {
            ticket ticket;
            struct op op;
        } request;
        struct {
            ticket ticket;
        } cancel;
        struct {
            uint64_t write;     /* write ticket */
            enum status status; /* OK durable; NO_SPACE certainly not; UNKNOWN_OUTCOME */
        } stored;
        struct {
            uint64_t stamp, by; /* of the ring that was to be written */
            enum status status; /* OK durable; else it is not */
        } keyring;
        struct {
            uint64_t read;      /* read ticket */
            enum status status; /* OK more follows, END, MISSING (point), CORRUPT, IO */
            const struct store_row *rows;
            uint32_t count;
        } loaded;
    };
};

#endif
