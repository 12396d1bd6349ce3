/* crdt.h: what a key holds and how copies of it become one: dotted version vector sets with values
 * and tombstones, causal contexts, and the hybrid clock that stamps writes. Pure functions over
 * plain structs, no allocation, no I/O (protocols.md parts 1 and 5).
 *
 * A decoded object points into the bytes it was read from: keep those as long as the object. The
 * result of a write or merge points into the bytes of everything that went into it. */
#ifndef GOSSAMER_CRDT_H
#define GOSSAMER_CRDT_H

#include "bytes.h"
#include "limits.h"
#include "message.h"
#include "status.h"
#include "types.h"

/* --- hybrid clock (crdt_clock.c), protocols.md part 1 */

#define CRDT_CLOCK_AHEAD_MS 60000u /* a stamp further ahead than this does not move our clock */
#define CRDT_STAMP_MAX (INT64_MAX) /* largest stamp an object or a context may name */

/* A clock starts as {0} or at a stamp known to be unused; it never goes back. */
struct crdt_clock {
    uint64_t last; /* what packets carry: largest stamp taken from the wall, a peer or a write */
    uint64_t far;  /* largest stamp issued beyond the limit on behalf of a key from the future */
};

/* crdt_clock_next issues a stamp above `last` and above `above`, the largest stamp seen in the key
 * (and in the context) that is written; `wall_ms` is the wall clock in ms. No stamp is issued
 * twice. If `above` is more than CRDT_CLOCK_AHEAD_MS ahead, the stamp is above it too, but the
 * clock stays where it is: one key from the future does not drag all others along. */
uint64_t crdt_clock_next(struct crdt_clock *clock, uint64_t wall_ms, uint64_t above);
/* crdt_clock_observe is the Lamport rule for a stamp a peer sent; it moves the clock no further
 * than CRDT_CLOCK_AHEAD_MS ahead of the wall. */
void crdt_clock_observe(struct crdt_clock *clock, uint64_t wall_ms, uint64_t remote);
/* crdt_stamp_ms returns the milliseconds in a stamp; crdt_stamp_of makes the first stamp of one. */
uint64_t crdt_stamp_ms(uint64_t stamp);
uint64_t crdt_stamp_of(uint64_t ms);

/* --- objects (crdt_object.c): the state of one key */

/* What a value is. The kinds from SET on are CRDT types (decision 0009): other readings of the same
 * set of values, merged by the same rule. Numbers are on disk and on the wire; below 0x80. */
enum crdt_kind {
    CRDT_VALUE = 1, /* bytes of a client; with an empty body also: this element is in its set */
    CRDT_TOMBSTONE = 2,
    CRDT_SET = 3, /* head row of a set: its members are rows of their own */
    CRDT_MAP = 4, /* head row of a map: so are its fields */
    CRDT_COUNTER = 5,
    CRDT_FLAG = 6,
    CRDT_REGISTER = 7,
    CRDT_MVREGISTER = 8,
    CRDT_HLL = 9,
};
#define CRDT_KIND_MAX CRDT_HLL

#define CRDT_EXPIRES_MAX ((UINT64_C(1) << 48) - 1) /* wall ms: it is stored in 6 bytes */

/* One write that is not discarded. A tombstone has neither metadata nor body. A value whose expiry
 * has passed *is* a tombstone under the same dot: see crdt_object_expire. */
struct crdt_value {
    uint64_t actor; /* with `stamp` the dot of the write */
    uint64_t stamp;
    uint64_t expires; /* wall ms at which it turns into a tombstone, 0: never; part of the value */
    enum crdt_kind kind;
    uint32_t body_size; /* bytes; told in a head too, where `body` is empty */
    struct slice meta;  /* encoded metadata, carried and compared, never read */
    struct slice body;
};

/* What one actor contributed: of its dots up to `seen` those in `values` are live and all others
 * discarded; above `seen` those in `gone` are discarded and nothing is known of the rest. */
struct crdt_entry {
    uint64_t actor;
    uint64_t seen;
    uint16_t value_first, value_count; /* in `values`, stamps ascending, none above seen */
    uint16_t gone_first, gone_count;   /* in `gone`, ascending, all above seen */
};

/* A key. No entries: the key was never heard of. Entries without values: everything there was is
 * discarded, and this remembers it. */
struct crdt_object {
    bool is_head; /* bodies are left out; heads merge with heads only */
    uint16_t entry_count, value_count, gone_count;
    struct crdt_entry entries[OBJECT_ENTRIES_MAX]; /* actors ascending */
    struct crdt_value values[OBJECT_VALUES_MAX];   /* by (actor, stamp), each entry's in a row */
    uint64_t gone[OBJECT_GONE_MAX];                /* each entry's in a row */
};

/* crdt_object_clear makes an object without entries; it does not touch the arrays. */
void crdt_object_clear(struct crdt_object *object);
/* crdt_object_copy copies the used parts; slices point to where they pointed. */
void crdt_object_copy(struct crdt_object *into, const struct crdt_object *from);
/* crdt_object_decode reads what crdt_object_encode wrote of a full object; zero bytes are the
 * empty object. Exactly one spelling of a state is accepted. OK; BAD for anything else: `object` is
 * then empty. crdt_object_decode_head does the same for heads (zero bytes: an empty head). */
enum status crdt_object_decode(struct slice bytes, struct crdt_object *object) MUST_USE;
enum status crdt_object_decode_head(struct slice bytes, struct crdt_object *object) MUST_USE;
/* crdt_object_strip turns an object into its head: bodies go, sizes stay. */
void crdt_object_strip(struct crdt_object *object);
/* crdt_object_size returns the exact number of bytes crdt_object_encode writes. */
size_t crdt_object_size(const struct crdt_object *object);
/* crdt_object_encode writes the canonical bytes: equal states, equal bytes. A head writes a head.
 * OK; TOO_LARGE when it does not fit, then `out` is as it was. */
enum status crdt_object_encode(const struct crdt_object *object, struct writer *out) MUST_USE;

/* --- expiry (crdt_expire.c), protocols.md 7.4. The writer sets it once, as a wall clock reading in
 * ms; every owner applies the same rule, so an expiry changes no dot, no fingerprint, no digest. */

/* crdt_value_is_live tells whether a value is shown at `wall_ms`: no tombstone, not expired. */
bool crdt_value_is_live(const struct crdt_value *value, uint64_t wall_ms);
/* crdt_object_is_dead tells whether nothing in the object is live at `wall_ms` any more: it may be
 * collected like a tombstone. An object without values is dead too. */
bool crdt_object_is_dead(const struct crdt_object *object, uint64_t wall_ms);
/* crdt_object_expire makes the object what it is at `wall_ms`: expired values become tombstones, in
 * place, dots and indices stay. Returns how many. Everything that is shown to a client, and every
 * condition, goes through this; rows on disk keep the bytes until they are collected. */
uint16_t crdt_object_expire(struct crdt_object *object, uint64_t wall_ms);

/* --- rules (crdt_dvv.c), protocols.md 5.1 */

struct crdt_context;

/* crdt_object_merge joins `other` into `into`: commutative, associative, idempotent over states
 * that copies of one key can have. Both full, or both heads (ensured; an empty one goes with
 * either). OK; CORRUPT: one dot with two different contents (an expired value equals its
 * tombstone of the same expiry, which then stays); TOO_LARGE: more than OBJECT_*_MAX or
 * OBJECT_SIZE_MAX. `into` is unchanged unless OK. */
enum status crdt_object_merge(struct crdt_object *into, const struct crdt_object *other) MUST_USE;
/* crdt_object_write discards what `context` names (NULL, a blind write: every value there is) and
 * adds `value` under the dot (`actor`, `stamp`). `actor` is the writer's own, not 0; of `value`
 * only kind, expires, meta and body are read. `stamp` comes from crdt_clock_next above
 * crdt_object_stamp_max and crdt_context_stamp_max. OK; SIBLING_LIMIT: it would add one more to
 * SIBLINGS_MAX values, or discard a newer value beside an old one for the 256th time; CONTEXT:
 * `stamp` is not above the object and the context, or above CRDT_STAMP_MAX; TOO_LARGE: bounds as
 * above, a body above VALUE_SIZE_MAX, metadata above META_SIZE_MAX. `object` is unchanged unless
 * OK. */
enum status crdt_object_write(struct crdt_object *object, const struct crdt_context *context,
                              uint64_t actor, uint64_t stamp,
                              const struct crdt_value *value) MUST_USE;

/* crdt_object_newest keeps of plain values and tombstones only the newest (stamp, then actor) and
 * discards the others, as a context that names them would: what `conflict: lww` makes of siblings.
 * Whoever applies it to the same values comes to the same object. An object of another type is left
 * alone. OK; TOO_LARGE: no room to remember what is discarded, siblings stay. */
enum status crdt_object_newest(struct crdt_object *object) MUST_USE;

/* --- CRDT types (crdt_type.c): decision 0009, protocols.md part 6. A type is a rule for making a
 * write and a rule for reading the values; crdt_object_merge knows nothing of it. */

/* One change of a typed row. `arg` is, by type:
 *   COUNTER     8 bytes big-endian, two's complement: what to add
 *   FLAG        1 byte: 1 enables, 0 disables
 *   REGISTER, MVREGISTER   the new value, at most VALUE_SIZE_MAX bytes
 *   HLL         n x (length u16 | element)
 *   SET, MAP    empty: the head comes into being
 *   VALUE       empty: the element is added;  TOMBSTONE  empty: what was observed is removed */
struct crdt_update {
    enum crdt_kind type;
    struct slice arg;
    const uint8_t *seed; /* HLL: HASH_SEED_SIZE bytes, the cluster's hash seed; borrowed */
};

#define CRDT_UPDATE_ROOM 4104 /* bytes a new body may take beside `arg`: dense registers */
/* crdt_update_is_sound tells whether `type` is one of enum crdt_kind and `arg` is of its form; what
 * comes from outside is checked here first. */
bool crdt_update_is_sound(enum crdt_kind type, struct slice arg);
/* crdt_object_update makes the write of one change. `context` (NULL: all that the object holds)
 * says what a mvregister replaces, a flag disables and a TOMBSTONE removes; other types know
 * themselves what they replace. The result points into `arg` and into `room`, CRDT_UPDATE_ROOM
 * bytes of the caller's. `stamp` as for crdt_object_write. OK; MISSING: there is nothing to remove,
 * the object is unchanged; OVERFLOW: a counter would leave 64 bits; TYPE: the object holds live
 * values of another type; else as crdt_object_write. */
enum status crdt_object_update(struct crdt_object *object, const struct crdt_context *context,
                               const struct dot *dot, const struct crdt_update *update,
                               uint8_t *room) MUST_USE;
/* crdt_object_types returns the types of all live values, bit 1 << kind each; 0: there is none.
 * More than one: two sides of a partition gave the key different types. */
unsigned crdt_object_types(const struct crdt_object *object);
/* crdt_value_is_sound tells whether a value of this kind may have such metadata and body (of a
 * head: such sizes). */
bool crdt_value_is_sound(const struct crdt_value *value, bool is_head);

/* --- counters (crdt_counter.c). Each actor keeps its own totals: two varints inc, dec. */

/* crdt_counter_value sums the totals of all live counter values. OK; OVERFLOW: beyond 64 bits. */
enum status crdt_counter_value(const struct crdt_object *object, int64_t *value) MUST_USE;

/* --- HyperLogLog (crdt_hll.c): Flajolet et al. 2007, estimator of Ertl 2017 */

#define CRDT_HLL_BITS 12 /* 4,096 registers: a standard error of 1.04 / 64 = 1.6 % */
#define CRDT_HLL_REGISTERS (1u << CRDT_HLL_BITS)
#define CRDT_HLL_SPARSE_MAX 256u /* registers listed one by one; more are written densely */
struct crdt_hll {
    uint8_t ranks[CRDT_HLL_REGISTERS]; /* 0 to 53: leading zeros of the rest of a hash, plus one */
};
/* crdt_hll_clear makes the empty set. */
void crdt_hll_clear(struct crdt_hll *hll);
/* crdt_hll_add adds an element; `seed` keys the hash, so nobody can choose colliding elements. */
void crdt_hll_add(struct crdt_hll *hll, const uint8_t seed[HASH_SEED_SIZE], struct slice element);
/* crdt_hll_join takes the maximum with an encoded one. OK; BAD: it is none. */
enum status crdt_hll_join(struct crdt_hll *hll, struct slice body) MUST_USE;
/* crdt_hll_of_object joins all live HLL values of an object. */
void crdt_hll_of_object(struct crdt_hll *hll, const struct crdt_object *object);
/* crdt_hll_encode writes the canonical bytes: 1 | n x (register u16, rank u8), registers ascending,
 * for up to CRDT_HLL_SPARSE_MAX that are not 0, else 2 | 4,096 ranks. */
void crdt_hll_encode(const struct crdt_hll *hll, struct writer *out);
/* crdt_hll_is_sound tells whether bytes are what crdt_hll_encode writes. */
bool crdt_hll_is_sound(struct slice body);
/* crdt_hll_estimate returns about how many different elements were added; exact for 0, and by
 * integers alone: every peer computes the same number. */
uint64_t crdt_hll_estimate(const struct crdt_hll *hll);

/* --- what is over (crdt_settle.c), protocols.md 5.5 and 6.4, decision 0018 */

#define CRDT_TOTALS_MAX 8u   /* of a counter: with more, those of ended actors are folded */
#define CRDT_COUNTER_ROOM 20 /* bytes: two varints */

/* A part of a row that can go when all owners agree: the entry of an actor without values, or
 * (is_fold) the totals of an actor that writes no more. */
struct crdt_mark {
    uint64_t actor;
    uint64_t stamp; /* as far as the entry goes; is_fold: of the totals */
    bool is_fold;
};

/* crdt_object_is_wide tells whether a row is worth the trouble: more entries than it has owners,
 * some without values, or more than CRDT_TOTALS_MAX totals. */
bool crdt_object_is_wide(const struct crdt_object *object, unsigned owners);
/* crdt_object_marks lists up to `max` marks of a row, actors ascending; returns how many. */
unsigned crdt_object_marks(const struct crdt_object *object, struct crdt_mark *marks, unsigned max);
/* crdt_mark_holds tells whether a mark made of one copy is right for another: no value of the actor
 * is here (then `stamp` becomes that of this copy), or exactly these totals. */
bool crdt_mark_holds(const struct crdt_object *object, struct crdt_mark *mark);
/* crdt_object_settle takes marked entries without values out, if they go no further than their
 * stamps; with `dot`, a new one of the caller's, it also adds marked totals to its actor's. The
 * result points into `room`, CRDT_COUNTER_ROOM bytes. Returns whether anything changed. */
bool crdt_object_settle(struct crdt_object *object, const struct crdt_mark *marks, unsigned count,
                        const struct dot *dot, uint8_t *room);

/* --- what is shown (crdt_register.c) */

/* crdt_object_winner finds the value a plain GET shows: the largest stamp, ties by actor; a
 * tombstone loses against any value. `index` is in `values`. False: there is nothing, not even a
 * tombstone. */
bool crdt_object_winner(const struct crdt_object *object, uint16_t *index);
/* crdt_object_siblings fills `order` with indices of all values and tombstones, winner first, newer
 * before older; of equal ones (kind, metadata, body) only the first is listed. Heads know no
 * bodies, so only tombstones fold there. Returns how many. */
uint16_t crdt_object_siblings(const struct crdt_object *object, uint16_t order[OBJECT_VALUES_MAX]);
/* crdt_object_live_count counts what crdt_object_siblings lists without the tombstone. */
uint16_t crdt_object_live_count(const struct crdt_object *object);
/* crdt_object_stamp_max returns the largest stamp the object names in any way, 0 when empty. */
uint64_t crdt_object_stamp_max(const struct crdt_object *object);
/* crdt_object_dominates tells whether merging `other` into `object` would change nothing. */
bool crdt_object_dominates(const struct crdt_object *object, const struct crdt_object *other);
/* crdt_etag makes the entity tag of one value from its dot. Never 0. */
uint64_t crdt_etag(uint64_t actor, uint64_t stamp);

/* crdt_object_fingerprint is SipHashx-2-4-128, keyed with the hash seed, of the row key and the
 * dots of all values and tombstones; zero for an object without any. `row_key` is at most
 * CRDT_ROW_KEY_MAX bytes (ensured). Anti-entropy adds these up (protocols.md 7.2). */
#define CRDT_ROW_KEY_MAX (8 + NS_SIZE_MAX + 1 + ROW_NAME_SIZE_MAX)
struct hash16 crdt_object_fingerprint(const uint8_t seed[HASH_SEED_SIZE], struct slice row_key,
                                      const struct crdt_object *object);
/* crdt_object_digest identifies the whole causal state (dots, seen, gone): equal digests,
 * equal objects; for GET_OBJ. Zero for an empty object. The same for an object and its head. */
struct hash16 crdt_object_digest(const struct crdt_object *object);

/* --- contexts (crdt_context.c), protocols.md 5.1 and 5.2 */

/* What somebody was shown. Applied to a write it discards: of each actor in `vector` everything up
 * to the stamp, and exactly the writes in `dots`. */
struct crdt_context {
    uint16_t vector_count, dot_count;
    struct dot vector[OBJECT_ENTRIES_MAX];
    struct dot dots[OBJECT_VALUES_MAX];
};

/* crdt_context_of_all is handed out with siblings=all, with a 404, and with a single value. */
void crdt_context_of_all(const struct crdt_object *object, struct crdt_context *context);
/* crdt_context_of_shown is handed out when one of several values was shown: `index` in `values`.
 * Values equal to it were shown with it. When nothing else is there it is crdt_context_of_all. */
void crdt_context_of_shown(const struct crdt_object *object, uint16_t index,
                           struct crdt_context *context);
/* crdt_context_of_write is handed out after a write: `object` is the state after it, the dot its
 * own. */
void crdt_context_of_write(const struct crdt_object *object, uint64_t actor, uint64_t stamp,
                           struct crdt_context *context);
/* crdt_context_stamp_max returns the largest stamp in a context, 0 when empty. */
uint64_t crdt_context_stamp_max(const struct crdt_context *context);

/* Which key a token belongs to. */
struct crdt_scope {
    const uint8_t *seed; /* HASH_SEED_SIZE bytes, the cluster's hash seed; borrowed */
    struct slice ns;     /* at most NS_SIZE_MAX bytes (ensured) */
    struct slice key;    /* or row name: at most ROW_NAME_SIZE_MAX bytes (ensured) */
};

/* crdt_context_encode appends the token as base64url text, at most CONTEXT_SIZE_MAX characters.
 * What exceeds CONTEXT_DOTS_MAX is left out: that costs a sibling, never a value. OK; TOO_LARGE
 * when `text` has no room, then it is as it was. */
enum status crdt_context_encode(const struct crdt_context *context, const struct crdt_scope *scope,
                                struct writer *text) MUST_USE;
/* crdt_context_decode reads a token. OK; CONTEXT: damaged, of another key, of another cluster. */
enum status crdt_context_decode(struct slice text, const struct crdt_scope *scope,
                                struct crdt_context *context) MUST_USE;
/* crdt_context_guard refuses what would discard the future: OK; CONTEXT for a stamp more than
 * CRDT_CLOCK_AHEAD_MS after `now_stamp` that `object` has not heard of. */
enum status crdt_context_guard(const struct crdt_context *context, const struct crdt_object *object,
                               uint64_t now_stamp) MUST_USE;

/* --- sessions (crdt_session.c), protocols.md 5.3 */

/* How strictly rows must be read that a session does not list by name. */
enum crdt_strength {
    CRDT_STRENGTH_ANY = 0,    /* as asked */
    CRDT_STRENGTH_QUORUM = 1, /* what it saw of them is at a quorum of owners */
    CRDT_STRENGTH_ALL = 2,    /* it may be at a single owner */
};

/* One write the session has made or seen: whoever knows it knows all the session saw of the row,
 * together with the other entries of this row. */
struct crdt_session_entry {
    uint64_t row; /* crdt_session_row */
    struct dot dot;
    bool is_weak;    /* fewer than a quorum of owners may hold it */
    bool is_partial; /* the row was listed and dropped before: `strength` counts for it as well */
};

/* What a session has seen. All zero: nothing. */
struct crdt_session {
    uint64_t clock; /* largest stamp made or seen: every write of the session goes above */
    enum crdt_strength strength;
    uint8_t count;
    struct crdt_session_entry entries[SESSION_ENTRIES_MAX]; /* oldest first, a row's in a row */
};

/* crdt_session_row names a row in a session: `name` is a key or the row name of an element. */
uint64_t crdt_session_row(const uint8_t seed[HASH_SEED_SIZE], struct slice ns, struct slice name);
/* crdt_session_encode appends the token, at most SESSION_SIZE_MAX characters of base64url. OK;
 * TOO_LARGE: `text` has no room, then it is as it was. */
enum status crdt_session_encode(const struct crdt_session *session,
                                const uint8_t seed[HASH_SEED_SIZE], struct writer *text) MUST_USE;
/* crdt_session_decode reads a token; the text "new" is a session that has seen nothing. OK;
 * SESSION: damaged, or of another cluster; `session` then has seen nothing. */
enum status crdt_session_decode(struct slice text, const uint8_t seed[HASH_SEED_SIZE],
                                struct crdt_session *session) MUST_USE;
/* crdt_session_wanted fills the dots that a read of the row must cover; returns how many. */
uint8_t crdt_session_wanted(const struct crdt_session *session, uint64_t row,
                            struct dot dots[SESSION_ENTRIES_MAX]);
/* crdt_session_strength tells how strictly that row must be read besides;
 * crdt_session_strength_many how strictly a read of many rows at once, whichever they are, so that
 * no dot need be looked for. */
enum crdt_strength crdt_session_strength(const struct crdt_session *session, uint64_t row);
enum crdt_strength crdt_session_strength_many(const struct crdt_session *session);
/* crdt_session_shown notes that the client was shown `object`, which covers what was wanted or is
 * all there is. `is_settled`: a quorum of owners holds exactly this. crdt_session_wrote notes a
 * write under `dot`; `object` is the state after it, and `is_settled` that a quorum of owners
 * acknowledged it. Both return false when something had to be dropped to make room. */
bool crdt_session_shown(struct crdt_session *session, uint64_t row,
                        const struct crdt_object *object, bool is_settled);
bool crdt_session_wrote(struct crdt_session *session, uint64_t row, struct dot dot,
                        const struct crdt_object *object, bool is_settled);
/* crdt_object_covers tells whether the object knows every dot: as a value, or as discarded. */
bool crdt_object_covers(const struct crdt_object *object, const struct dot *dots, unsigned count);

#endif
