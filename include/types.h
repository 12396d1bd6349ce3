/* types.h: the words every room uses: time, identity, address, dot, slice. Plain structs, no
 * functions with state. */
#ifndef GOSSAMER_TYPES_H
#define GOSSAMER_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A large buffer that is filled before it is read. Release builds clear every other variable
 * (security.md P1); for these that would cost more than what is done in them. */
#define SCRATCH __attribute__((uninitialized))

/* Monotonic time in microseconds since some start of the driver's choosing. */
typedef uint64_t instant;
/* Nothing is due. Compare and combine instants with the functions below only. */
#define INSTANT_NEVER UINT64_MAX
#define INSTANT_MS(ms) ((uint64_t)(ms)*1000u)
#define INSTANT_S(s) ((uint64_t)(s)*1000000u)

/* instant_min returns the earlier of two instants; INSTANT_NEVER is later than any other. */
static inline instant instant_min(instant a, instant b)
{
    return a < b ? a : b;
}
/* instant_is_due tells whether `when` has come at `now`; INSTANT_NEVER never comes. */
static inline bool instant_is_due(instant when, instant now)
{
    return when != INSTANT_NEVER && when <= now;
}
/* instant_add returns `when` plus `delay_us`, saturating at INSTANT_NEVER. */
static inline instant instant_add(instant when, uint64_t delay_us)
{
    return when > INSTANT_NEVER - delay_us ? INSTANT_NEVER : when + delay_us;
}

/* Bytes that belong to somebody else. A decoded slice lives exactly as long as its input. */
struct slice {
    const uint8_t *data;
    size_t size; /* bytes; data may be NULL only when size is 0 */
};
#define SLICE_NONE ((struct slice){NULL, 0})

#define NODE_ID_SIZE 32
#define PUBLIC_KEY_SIZE 32
#define SIGNATURE_SIZE 64
#define CLUSTER_ID_SIZE 16
#define HASH_SEED_SIZE 16
#define KEY_HASH_SIZE 16

/* NodeID: BLAKE2b-256 of the peer's Ed25519 public key. The address is not an identity. */
struct node_id {
    uint8_t bytes[NODE_ID_SIZE];
};

/* A mesh address: where UDP and TCP of one peer listen. Unused bytes of `ip` are zero. */
struct address {
    uint8_t family; /* 4 or 6; 0 is "no address" */
    uint8_t ip[16]; /* network byte order; IPv4 uses the first four */
    uint16_t port;  /* host byte order */
};

/* A dot names one write of one clock actor, for ever (protocols.md part 1). */
struct dot {
    uint64_t actor; /* 0 is reserved */
    uint64_t stamp; /* hybrid clock: 48 bits of milliseconds, 16 bits of counter */
};

#define NAME_SIZE_MAX 63 /* bytes of a peer name, host or zone label */

/* A short label with its length: peer name, host, zone. Not zero-terminated on the wire. */
struct label {
    uint8_t size;
    char text[NAME_SIZE_MAX + 1]; /* zero-terminated for printing */
};

#endif
