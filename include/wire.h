/* wire.h: how messages and records are spelled in bytes. Stateless and allocation free: every
 * decoder checks the structure of its input before it looks at one value, and a decoded slice
 * points into the input and lives exactly as long as it. The formats are drawn in
 * proto/datagram.md, proto/frame.md and proto/record.md; proto/CHANGING.md says how they change.
 * Sealing, signing and what a message means are other rooms' concern. */
#ifndef GOSSAMER_WIRE_H
#define GOSSAMER_WIRE_H

#include "bytes.h"
#include "limits.h"
#include "message.h"
#include "status.h"

/* --- what the table says about a kind of message */

#define WIRE_CARRIER_DATAGRAM 1u
#define WIRE_CARRIER_STREAM 2u
#define WIRE_CARRIER_BOTH 3u

/* wire_message_name returns the lower-case name of a kind as in proto/messages.def, "unknown" for
 * a number that is not in the table. Static string. */
const char *wire_message_name(unsigned kind);
/* wire_message_carriers returns which carriers a kind may use as WIRE_CARRIER_* bits, 0 for a
 * number that is not in the table. */
unsigned wire_message_carriers(unsigned kind);

/* --- datagram body: any number of (type u8 | msgpack array), protocols.md 2.5 and 10.3 */

/* wire_datagram_append writes one message. Its kind must be one that datagrams carry and its
 * fields must lie within the table's bounds (our own invariants, ensured). Returns OK, or FULL
 * when it does not fit: then `out` is as it was, also its is_full. */
enum status wire_datagram_append(struct writer *out, const struct message *message) MUST_USE;
/* wire_datagram_next reads the next message of a kind we know. Types that are not in the table are
 * skipped, array elements behind the known ones ignored, absent ones zero. Returns OK; END when
 * nothing is left; BAD for anything malformed, out of bounds or not allowed in a datagram: then
 * `in` is bad for ever, `message` is of no kind, and the rest of the datagram is lost. */
enum status wire_datagram_next(struct reader *in, struct message *message) MUST_USE;

/* --- stream frame: a header of up to FRAME_HEADER_SIZE bytes and at most FRAME_CHUNK_MAX body
 * bytes
 *
 * A message of more than FRAME_CHUNK_MAX body bytes travels as several frames of one request and
 * one type; all but the last carry FRAME_MORE. Who reassembles adds the chunks up to
 * FRAME_BODY_MAX and decodes once, at the first frame without FRAME_MORE. */

#define FRAME_REPLY 1u        /* answers `request` of the other side; without it the frame asks */
#define FRAME_ERROR 2u        /* with REPLY: the body is one byte, a code of proto/status.def */
#define FRAME_MORE 4u         /* more chunks of this message follow */
#define FRAME_CANCEL 8u       /* the asker no longer wants the answer; no body */
#define FRAME_FLAGS 15u       /* every flag there is; 16 is set where request and deadline follow */
#define FRAME_PRIORITY_MAX 3u /* 0 control, 1 interactive, 2 normal, 3 background */

struct frame {
    uint8_t type;         /* enum message_kind; any number may arrive */
    uint8_t flags;        /* FRAME_* */
    uint8_t priority;     /* 0 to FRAME_PRIORITY_MAX */
    uint64_t request;     /* chosen by the asker, never twice */
    uint32_t deadline_ms; /* asker's clock modulo 2^32 when it stops waiting; 0: no deadline */
    uint32_t length;      /* body bytes that follow, at most FRAME_CHUNK_MAX */
};

/* wire_frame_size returns the bytes of a frame's header. */
size_t wire_frame_size(const struct frame *frame);
/* wire_frame_write appends a header, whole or not at all (is_full). The frame must be valid
 * (ensured): length, flags and priority within their bounds. */
void wire_frame_write(struct writer *out, const struct frame *frame);
/* wire_frame_read reads the header at the start of `bytes`. Returns OK; INCOMPLETE with fewer bytes
 * than it has; BAD when length, flags or priority are out of bounds, or a longer header says no
 * more than a short one: framing is lost, close the link. The body need not have arrived yet. */
enum status wire_frame_read(struct slice bytes, struct frame *frame) MUST_USE;

/* --- stream body: one msgpack map, keys ascending, zero and empty fields left out */

/* wire_stream_size returns the exact size in bytes of what wire_stream_encode writes. */
size_t wire_stream_size(const struct message *message);
/* wire_stream_encode writes the body of a message whose kind streams carry and whose fields lie
 * within the table's bounds (ensured). Returns OK, or FULL when it does not fit: then `out` is as
 * it was. */
enum status wire_stream_encode(struct writer *out, const struct message *message) MUST_USE;
/* wire_stream_decode reads a whole, reassembled body. Absent fields are zero, unknown keys are
 * skipped. Returns OK; UNSUPPORTED when `type` is not in the table; BAD for anything malformed,
 * out of bounds or not allowed in a stream, with `message` of no kind. */
enum status wire_stream_decode(unsigned type, struct slice body, struct message *message) MUST_USE;

/* --- canonical records: one value has one spelling. Never msgpack, because these bytes are
 * hashed, signed or kept. */

/* wire_self_encode writes the part of a self record that is signed; the 64-byte signature over it
 * follows on the wire and is seal's work. Tags are reserved and written as none. Returns OK; FULL
 * when it does not fit (`out` is as it was); BAD when a field is out of range (see decode). */
enum status wire_self_encode(const struct self_record *self,
                             const uint8_t cluster_id[CLUSTER_ID_SIZE],
                             struct writer *out) MUST_USE;
/* wire_self_decode reads signed part and signature. `signed_part` and `signature` (64 bytes) point
 * into `record`; the signature is NOT verified here. Returns OK; FOREIGN when it names another
 * cluster; BAD when malformed or out of range: actor 0, protocol_min 0 or above protocol_max, no
 * or more than three addresses, a name that is not [a-z][a-z0-9-]{0,62}, a host or zone with a
 * byte that is not visible ASCII, tags above TAGS_SIZE_MAX, anything behind the end. Tags are
 * skipped: tags_size is 0. On FOREIGN and BAD the outputs are undefined. */
enum status wire_self_decode(struct slice record, const uint8_t cluster_id[CLUSTER_ID_SIZE],
                             struct self_record *self, struct slice *signed_part,
                             struct slice *signature) MUST_USE;

/* wire_place_encode and wire_place_decode spell a placement record. Return OK; FULL (encode; `out`
 * is as it was); BAD when malformed or out of range: state, host, zone. */
enum status wire_place_encode(const struct place_record *place, struct writer *out) MUST_USE;
enum status wire_place_decode(struct slice record, struct place_record *place) MUST_USE;

/* wire_space_encode and wire_space_decode spell the settings of a namespace. Return as above. */
enum status wire_space_encode(const struct space_record *space, struct writer *out) MUST_USE;
enum status wire_space_decode(struct slice record, struct space_record *space) MUST_USE;

/* wire_founding_encode and wire_founding_decode spell the founding record. Return OK; FULL
 * (encode; `out` is as it was); BAD when malformed or out of range: partition_bits 1 to
 * PARTITION_BITS_MAX, cell_depth 0 to CELL_DEPTH_MAX, replicas 1 to REPLICAS_MAX. */
enum status wire_founding_encode(const struct founding_record *founding,
                                 struct writer *out) MUST_USE;
enum status wire_founding_decode(struct slice record, struct founding_record *founding) MUST_USE;

/* --- parts of packed lists, in the manner of bytes.h: what does not fit sets is_full and writes
 * nothing, what is malformed sets is_bad. Loop with reader_left and look at is_bad at the end. */

#define WIRE_ADDRESS_SIZE_MAX 19 /* bytes: family 1, ip 16, port 2 */
#define WIRE_CONTACT_SIZE_MAX (PUBLIC_KEY_SIZE + WIRE_ADDRESS_SIZE_MAX + 12) /* bytes */

/* wire_address_write appends one address; family 4 or 6 and port not 0 (ensured). */
void wire_address_write(struct writer *out, const struct address *address);
/* wire_address_read consumes one address. is_bad: another family, port 0, the end. */
void wire_address_read(struct reader *in, struct address *address);
/* wire_contact_write appends one contact; its id is not written, its address as above. */
void wire_contact_write(struct writer *out, const struct contact *contact);
/* wire_contact_read consumes one contact and derives its id from its key (hash_node_id). When it
 * sets is_bad the contact is all zero. */
void wire_contact_read(struct reader *in, struct contact *contact);

_Static_assert(KAD_K *WIRE_CONTACT_SIZE_MAX <= 2048, "a bucket fits the bound of NODES");
_Static_assert(KAD_BETA *WIRE_CONTACT_SIZE_MAX + 64 + DATAGRAM_OVERHEAD <= DATAGRAM_SIZE_MAX,
               "one answer of beta contacts fits a datagram");

#endif
