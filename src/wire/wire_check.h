/* wire_check.h: the part of msgpack that Gossamer speaks, one token at a time, and the structural
 * check that comes before any decoding. */
#ifndef GOSSAMER_WIRE_CHECK_H
#define GOSSAMER_WIRE_CHECK_H

#include "bytes.h"
#include "status.h"

#define WIRE_DEPTH_MAX 8 /* containers within each other; our own messages need 1 */

enum wire_token_kind {
    WIRE_TOKEN_UNSIGNED, /* value: the integer */
    WIRE_TOKEN_BYTES,    /* value: size of the bin body, consumed with the token */
    WIRE_TOKEN_OTHER,    /* nil, bool, negative integer, str: legal, but in no field of ours */
    WIRE_TOKEN_ARRAY,    /* value: elements that follow */
    WIRE_TOKEN_MAP,      /* value: pairs that follow */
};

struct wire_token {
    enum wire_token_kind kind;
    uint64_t value;
    struct slice body; /* of WIRE_TOKEN_BYTES, in the input */
};

/* wire_token_read consumes one token: a scalar with its body, or the head of a container. False,
 * and `in` is bad, when the token is cut off, not in shortest form, or of a type that the protocol
 * does not use: floats (nothing sent is one), extensions, and the byte msgpack never uses. */
bool wire_token_read(struct reader *in, struct wire_token *token);
/* wire_value_skip consumes one value with everything in it. It is the structural check: no
 * container counts more values than bytes are left, none lies deeper than WIRE_DEPTH_MAX, and all
 * of it is there. False, and `in` is bad, otherwise. No memory but a few words of stack. */
bool wire_value_skip(struct reader *in);

#endif
