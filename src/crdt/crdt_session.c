/* Sessions: what one client has written and been shown, carried by itself as an opaque token, so
 * that any peer can keep four promises (Terry et al., "Session Guarantees for Weakly Consistent
 * Replicated Data", 1994): it reads its own writes, it never reads older than it has read, its
 * writes go in order, and behind what it has read.
 *
 * Terry's sessions carry two version vectors over servers. Here a vector would name every clock
 * actor of every owner, so a token names dots instead, row by row: a copy of the row that knows the
 * dots of the *values* the session last saw knows all it saw, because a value travels with
 * everything its writer knew. A clock above every stamp seen orders the session's own writes.
 *
 * The token is bounded. What is dropped, oldest first and a whole row at a time, is replaced by a
 * stricter way of reading every row that is not listed. What a quorum of owners holds is found
 * again by any read quorum; what may be at one owner only needs all of them, so it goes last:
 *
 *      listed: cover these dots      dropped, settled: read a quorum      dropped, weak: read all
 *
 *   version u8 | strength u8 | clock u64 | n u8 | weak u32 | partial u32 |
 *   n x (row u64, actor u64, stamp u64) | check u64
 *
 * `weak` and `partial` have a bit per entry. check = SipHash-2-4 of the bytes before it under the
 * hash seed: a token that anybody could make would let a client pull the clocks of keys ahead. */
#include "crdt_room.h"
#include "ensure.h"
#include "hash.h"

#define SESSION_VERSION 1u
#define SESSION_BYTES_MAX (19 + SESSION_ENTRIES_MAX * 24 + 8)

_Static_assert(CRDT_TEXT_SIZE(SESSION_BYTES_MAX) <= SESSION_SIZE_MAX, "the largest token fits");
_Static_assert(SESSION_ENTRIES_MAX <= 32, "the marks of the entries are bits of a word");

/* --- spelling */

uint64_t crdt_session_row(const uint8_t seed[HASH_SEED_SIZE], struct slice ns, struct slice name)
{
    static const char purpose[] = "row"; /* no other hash under the seed begins like this */
    CRDT_SCRATCH uint8_t bytes[sizeof(purpose) + NS_SIZE_MAX + 1 + ROW_NAME_SIZE_MAX];
    struct writer out = writer_over(bytes, sizeof(bytes));

    write_bytes(&out, purpose, sizeof(purpose));
    write_slice(&out, ns);
    write_u8(&out, 0);
    write_slice(&out, name);
    ensure(!out.is_full);
    return hash_sip64(seed, bytes, out.size);
}

static uint64_t session_check(const uint8_t *seed, struct slice token)
{
    static const char purpose[] = "session";
    CRDT_SCRATCH uint8_t bytes[sizeof(purpose) + SESSION_BYTES_MAX];
    struct writer out = writer_over(bytes, sizeof(bytes));

    write_bytes(&out, purpose, sizeof(purpose));
    write_slice(&out, token);
    ensure(!out.is_full);
    return hash_sip64(seed, bytes, out.size);
}

static uint32_t session_marks(const struct crdt_session *session, bool is_weak)
{
    uint32_t marks = 0;

    for (unsigned i = 0; i < session->count; i++)
        if (is_weak ? session->entries[i].is_weak : session->entries[i].is_partial)
            marks |= 1u << i;
    return marks;
}

enum status crdt_session_encode(const struct crdt_session *session,
                                const uint8_t seed[HASH_SEED_SIZE], struct writer *text)
{
    CRDT_SCRATCH uint8_t bytes[SESSION_BYTES_MAX];
    struct writer out = writer_over(bytes, sizeof(bytes));

    ensure(session->count <= SESSION_ENTRIES_MAX);
    write_u8(&out, SESSION_VERSION);
    write_u8(&out, (uint8_t)session->strength);
    write_u64(&out, session->clock);
    write_u8(&out, session->count);
    write_u32(&out, session_marks(session, true));
    write_u32(&out, session_marks(session, false));
    for (unsigned i = 0; i < session->count; i++) {
        write_u64(&out, session->entries[i].row);
        write_u64(&out, session->entries[i].dot.actor);
        write_u64(&out, session->entries[i].dot.stamp);
    }
    write_u64(&out, session_check(seed, writer_done(&out)));
    ensure(!out.is_full);
    return crdt_text_write(text, writer_done(&out));
}

static bool session_read(struct reader *in, struct crdt_session *session)
{
    uint32_t weak, partial;
    bool is_known = read_u8(in) == SESSION_VERSION;
    uint8_t strength = read_u8(in), count;

    session->strength = (enum crdt_strength)strength;
    session->clock = read_u64(in);
    count = read_u8(in);
    weak = read_u32(in);
    partial = read_u32(in);
    if (!is_known || strength > CRDT_STRENGTH_ALL || session->clock > CRDT_STAMP_MAX ||
        count > SESSION_ENTRIES_MAX || ((weak | partial) & ~((1u << count) - 1u)) != 0)
        return false;
    for (; session->count < count && !in->is_bad; session->count++) {
        struct crdt_session_entry *entry = &session->entries[session->count];

        entry->row = read_u64(in);
        entry->dot.actor = read_u64(in);
        entry->dot.stamp = read_u64(in);
        entry->is_weak = weak >> session->count & 1u;
        entry->is_partial = partial >> session->count & 1u;
        if (entry->dot.actor == 0 || entry->dot.stamp == 0 || entry->dot.stamp > CRDT_STAMP_MAX)
            return false;
    }
    return reader_is_done(in);
}

enum status crdt_session_decode(struct slice text, const uint8_t seed[HASH_SEED_SIZE],
                                struct crdt_session *session)
{
    CRDT_SCRATCH uint8_t bytes[SESSION_BYTES_MAX];
    struct writer token = writer_over(bytes, sizeof(bytes));
    struct reader in;

    *session = (struct crdt_session){0};
    if (slice_equal(text, slice_text("new")))
        return STATUS_OK;
    if (text.size > CRDT_TEXT_SIZE(SESSION_BYTES_MAX) || !crdt_text_read(text, &token) ||
        token.size < SESSION_BYTES_MAX - SESSION_ENTRIES_MAX * 24u)
        return STATUS_SESSION;
    if (bytes_load_u64(bytes + token.size - 8) !=
        session_check(seed, slice_of(bytes, token.size - 8)))
        return STATUS_SESSION;
    in = reader_over(slice_of(bytes, token.size - 8));
    if (session_read(&in, session))
        return STATUS_OK;
    *session = (struct crdt_session){0};
    return STATUS_SESSION;
}

/* --- what is wanted */

uint8_t crdt_session_wanted(const struct crdt_session *session, uint64_t row,
                            struct dot dots[SESSION_ENTRIES_MAX])
{
    uint8_t count = 0;

    for (unsigned i = 0; i < session->count; i++)
        if (session->entries[i].row == row)
            dots[count++] = session->entries[i].dot;
    return count;
}

enum crdt_strength crdt_session_strength(const struct crdt_session *session, uint64_t row)
{
    for (unsigned i = 0; i < session->count; i++)
        if (session->entries[i].row == row && !session->entries[i].is_partial)
            return CRDT_STRENGTH_ANY;
    return session->strength;
}

static enum crdt_strength session_stronger(enum crdt_strength a, enum crdt_strength b)
{
    return a > b ? a : b;
}

enum crdt_strength crdt_session_strength_many(const struct crdt_session *session)
{
    enum crdt_strength strength = session->strength;

    for (unsigned i = 0; i < session->count; i++)
        strength = session_stronger(strength, session->entries[i].is_weak ? CRDT_STRENGTH_ALL
                                                                          : CRDT_STRENGTH_QUORUM);
    return strength;
}

bool crdt_object_covers(const struct crdt_object *object, const struct dot *dots, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct crdt_entry *entry = crdt_object_find(object, dots[i].actor);
        bool is_known = entry != NULL && dots[i].stamp <= entry->seen;

        /* Above `seen` only single dots are known, and all of those are gone. */
        for (unsigned k = 0; entry != NULL && k < entry->gone_count; k++)
            is_known |= object->gone[entry->gone_first + k] == dots[i].stamp;
        if (!is_known)
            return false;
    }
    return true;
}

/* --- what was seen */

/* Takes all entries of a row out; with a state, those it covers. Returns how many. */
static unsigned session_remove(struct crdt_session *session, uint64_t row,
                               const struct crdt_object *covered)
{
    uint8_t kept = 0, count = session->count;

    for (unsigned i = 0; i < count; i++) {
        const struct crdt_session_entry *entry = &session->entries[i];

        if (entry->row != row || (covered && !crdt_object_covers(covered, &entry->dot, 1)))
            session->entries[kept++] = *entry;
    }
    session->count = kept;
    return count - kept;
}

/* Drops one row for room: the oldest that a quorum holds, else the oldest. Returns which. */
static uint64_t session_drop(struct crdt_session *session)
{
    uint64_t victim = session->entries[0].row;
    bool is_weak = true;

    ensure(session->count > 0);
    for (unsigned i = 0; i < session->count && is_weak; i++) {
        bool is_row_weak = false;

        for (unsigned k = 0; k < session->count; k++)
            is_row_weak |=
                session->entries[k].row == session->entries[i].row && session->entries[k].is_weak;
        if (!is_row_weak) {
            victim = session->entries[i].row;
            is_weak = false;
        }
    }
    (void)session_remove(session, victim, NULL);
    session->strength =
        session_stronger(session->strength, is_weak ? CRDT_STRENGTH_ALL : CRDT_STRENGTH_QUORUM);
    return victim;
}

/* Appends entries of one row. False: something had to go, perhaps these very ones. */
static bool session_add(struct crdt_session *session, struct crdt_session_entry *entries,
                        unsigned count)
{
    bool is_whole = true, is_weak = false;

    for (unsigned i = 0; i < count; i++)
        is_weak |= entries[i].is_weak;
    if (count > SESSION_ENTRIES_MAX) { /* more writers than a token names: never listed */
        session->strength =
            session_stronger(session->strength, is_weak ? CRDT_STRENGTH_ALL : CRDT_STRENGTH_QUORUM);
        return false;
    }
    for (; session->count + count > SESSION_ENTRIES_MAX; is_whole = false)
        if (session_drop(session) == entries[0].row) /* what it saw before is not listed now */
            entries[0].is_partial = true;
    for (unsigned i = 0; i < count; i++)
        session->entries[session->count++] = entries[i];
    return is_whole;
}

static void session_clock(struct crdt_session *session, uint64_t stamp)
{
    if (stamp > session->clock)
        session->clock = stamp;
}

/* Tells whether the session knows that a quorum holds this dot: it was told so before. */
static bool session_is_settled(const struct crdt_session *session, uint64_t row, struct dot dot)
{
    for (unsigned i = 0; i < session->count; i++) {
        const struct crdt_session_entry *entry = &session->entries[i];

        if (entry->row == row && !entry->is_weak && entry->dot.actor == dot.actor &&
            entry->dot.stamp >= dot.stamp)
            return true;
    }
    return false;
}

bool crdt_session_shown(struct crdt_session *session, uint64_t row,
                        const struct crdt_object *object, bool is_settled)
{
    struct crdt_session_entry entries[OBJECT_ENTRIES_MAX];
    unsigned count = 0;

    for (unsigned i = 0; i < object->entry_count; i++) {
        const struct crdt_entry *entry = &object->entries[i];
        struct dot dot = {entry->actor, 0};

        if (entry->value_count == 0)
            continue; /* what discarded it is a value of another entry */
        dot.stamp = object->values[entry->value_first + entry->value_count - 1].stamp;
        session_clock(session, dot.stamp);
        entries[count++] = (struct crdt_session_entry){
            .row = row,
            .dot = dot,
            .is_weak = !is_settled && !session_is_settled(session, row, dot)};
    }
    (void)session_remove(session, row, NULL);
    return session_add(session, entries, count);
}

bool crdt_session_wrote(struct crdt_session *session, uint64_t row, struct dot dot,
                        const struct crdt_object *object, bool is_settled)
{
    struct crdt_session_entry entry = {.row = row, .dot = dot, .is_weak = !is_settled};

    entry.is_partial = crdt_session_strength(session, row) != CRDT_STRENGTH_ANY;
    session_clock(session, dot.stamp);
    (void)session_remove(session, row, object);
    return session_add(session, &entry, 1);
}
