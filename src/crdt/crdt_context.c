/* Causal contexts: what a client was shown, carried by it as an opaque token (protocols.md 5.1,
 * 5.2). A token discards, so nobody but the cluster may make one, and only for its key:
 *
 *   version u8 | n u8 | n x (actor u64, stamp u64) | m u8 | m x (actor u64, stamp u64) | check u64
 *
 * as base64url without padding. check = SipHash-2-4 over ns, 0, key and the bytes before it, under
 * a key derived from the hash seed, which only members know. */
#include "crdt_room.h"
#include "ensure.h"
#include "hash.h"

#define TOKEN_VERSION 1u
#define TOKEN_SIZE_MAX (3 + CONTEXT_DOTS_MAX * 16 + 8) /* bytes */

_Static_assert(CRDT_TEXT_SIZE(TOKEN_SIZE_MAX) <= CONTEXT_SIZE_MAX, "the largest token fits");

/* --- making */

static void context_vector_add(struct crdt_context *context, uint64_t actor, uint64_t stamp)
{
    if (stamp > 0)
        context->vector[context->vector_count++] = (struct dot){actor, stamp};
}

static void context_dot_add(struct crdt_context *context, uint64_t actor, uint64_t stamp)
{
    context->dots[context->dot_count++] = (struct dot){actor, stamp};
}

/* Entries with values go first: a token that is cut off then still covers what was shown. */
void crdt_context_of_all(const struct crdt_object *object, struct crdt_context *context)
{
    context->vector_count = context->dot_count = 0;
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < object->entry_count; i++) {
            const struct crdt_entry *entry = &object->entries[i];

            if ((entry->value_count > 0) == (pass == 0))
                context_vector_add(context, entry->actor, entry->seen);
        }
}

static void context_of_past(const struct crdt_object *object, struct crdt_context *context)
{
    context->vector_count = context->dot_count = 0;
    for (unsigned i = 0; i < object->entry_count; i++)
        context_vector_add(context, object->entries[i].actor,
                           crdt_entry_past(object, &object->entries[i]));
}

void crdt_context_of_shown(const struct crdt_object *object, uint16_t index,
                           struct crdt_context *context)
{
    const struct crdt_value *shown = &object->values[index];

    ensure(index < object->value_count);
    context_of_past(object, context);
    for (unsigned i = 0; i < object->value_count; i++) {
        const struct crdt_value *value = &object->values[i];

        if (i == index || (!object->is_head && crdt_values_equal(value, shown)))
            context_dot_add(context, value->actor, value->stamp);
    }
    if (context->dot_count == object->value_count)
        crdt_context_of_all(object, context);
}

void crdt_context_of_write(const struct crdt_object *object, uint64_t actor, uint64_t stamp,
                           struct crdt_context *context)
{
    context_of_past(object, context);
    context_dot_add(context, actor, stamp);
}

uint64_t crdt_context_stamp_max(const struct crdt_context *context)
{
    uint64_t max = 0;

    for (unsigned i = 0; i < context->vector_count; i++)
        max = context->vector[i].stamp > max ? context->vector[i].stamp : max;
    for (unsigned i = 0; i < context->dot_count; i++)
        max = context->dots[i].stamp > max ? context->dots[i].stamp : max;
    return max;
}

/* --- base64url (RFC 4648 section 5), no padding; one text per byte string */

static const char context_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum status crdt_text_write(struct writer *text, struct slice bytes)
{
    uint8_t *to;
    uint32_t bits;
    size_t at = 0;

    if (text->is_full || text->capacity - text->size < CRDT_TEXT_SIZE(bytes.size))
        return STATUS_TOO_LARGE;
    to = write_room(text, CRDT_TEXT_SIZE(bytes.size));
    ensure(to != NULL);
    for (; at + 3 <= bytes.size; at += 3, to += 4) {
        bits =
            (uint32_t)bytes.data[at] << 16 | (uint32_t)bytes.data[at + 1] << 8 | bytes.data[at + 2];
        for (unsigned i = 0; i < 4; i++)
            to[i] = (uint8_t)context_alphabet[bits >> (18 - 6 * i) & 63];
    }
    if (at < bytes.size) { /* one byte is two characters, two are three */
        bits = (uint32_t)bytes.data[at] << 16 |
               (at + 1 < bytes.size ? (uint32_t)bytes.data[at + 1] << 8 : 0);
        for (unsigned i = 0; i < bytes.size - at + 1; i++)
            to[i] = (uint8_t)context_alphabet[bits >> (18 - 6 * i) & 63];
    }
    return STATUS_OK;
}

bool crdt_text_read(struct slice text, struct writer *bytes)
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < text.size; i++) {
        const char *at = text.data[i] == 0 ? NULL : strchr(context_alphabet, text.data[i]);

        if (at == NULL)
            return false;
        bits = (bits << 6 | (uint32_t)(at - context_alphabet)) & 0xffffu;
        count += 6;
        if (count >= 8) {
            count -= 8;
            write_u8(bytes, (uint8_t)(bits >> count & 255));
        }
    }
    /* What is left over is less than a character and zero, or the text has a second spelling. */
    return count < 6 && (bits & ((1u << count) - 1)) == 0 && !bytes->is_full;
}

/* --- tokens */

static uint64_t token_check(const struct crdt_scope *scope, struct slice token)
{
    static const char purpose[] = "context"; /* no other hash under the seed begins like this */
    CRDT_SCRATCH uint8_t
        bytes[sizeof(purpose) + NS_SIZE_MAX + 1 + ROW_NAME_SIZE_MAX + TOKEN_SIZE_MAX];
    struct writer out = writer_over(bytes, sizeof(bytes));

    ensure(scope->ns.size <= NS_SIZE_MAX && scope->key.size <= ROW_NAME_SIZE_MAX);
    write_bytes(&out, purpose, sizeof(purpose));
    write_slice(&out, scope->ns);
    write_u8(&out, 0);
    write_slice(&out, scope->key);
    write_slice(&out, token);
    ensure(!out.is_full);
    return hash_sip64(scope->seed, bytes, out.size);
}

static void dots_write(struct writer *out, const struct dot *dots, unsigned count)
{
    write_u8(out, (uint8_t)count);
    for (unsigned i = 0; i < count; i++) {
        write_u64(out, dots[i].actor);
        write_u64(out, dots[i].stamp);
    }
}

enum status crdt_context_encode(const struct crdt_context *context, const struct crdt_scope *scope,
                                struct writer *text)
{
    CRDT_SCRATCH uint8_t bytes[TOKEN_SIZE_MAX];
    struct writer out = writer_over(bytes, sizeof(bytes));
    unsigned dots = context->dot_count < CONTEXT_DOTS_MAX ? context->dot_count : CONTEXT_DOTS_MAX;
    unsigned room = CONTEXT_DOTS_MAX - dots;

    write_u8(&out, TOKEN_VERSION);
    dots_write(&out, context->vector, context->vector_count < room ? context->vector_count : room);
    dots_write(&out, context->dots, dots);
    write_u64(&out, token_check(scope, writer_done(&out)));
    ensure(!out.is_full);
    return crdt_text_write(text, writer_done(&out));
}

static uint16_t dots_read(struct reader *in, struct dot *dots)
{
    unsigned count = read_u8(in);

    if (count > CONTEXT_DOTS_MAX)
        in->is_bad = true;
    for (unsigned i = 0; i < count && !in->is_bad; i++) {
        dots[i].actor = read_u64(in);
        dots[i].stamp = read_u64(in);
        if (dots[i].actor == 0 || dots[i].stamp == 0 || dots[i].stamp > CRDT_STAMP_MAX)
            in->is_bad = true;
    }
    return (uint16_t)count;
}

enum status crdt_context_decode(struct slice text, const struct crdt_scope *scope,
                                struct crdt_context *context)
{
    CRDT_SCRATCH uint8_t bytes[TOKEN_SIZE_MAX];
    struct writer token = writer_over(bytes, sizeof(bytes));
    struct reader in;

    context->vector_count = context->dot_count = 0;
    if (text.size > CRDT_TEXT_SIZE(TOKEN_SIZE_MAX) || !crdt_text_read(text, &token) ||
        token.size < 11)
        return STATUS_CONTEXT;
    if (bytes_load_u64(bytes + token.size - 8) !=
        token_check(scope, slice_of(bytes, token.size - 8)))
        return STATUS_CONTEXT;
    in = reader_over(slice_of(bytes, token.size - 8));
    if (read_u8(&in) == TOKEN_VERSION) {
        context->vector_count = dots_read(&in, context->vector);
        context->dot_count = dots_read(&in, context->dots);
        if (reader_is_done(&in))
            return STATUS_OK;
    }
    context->vector_count = context->dot_count = 0;
    return STATUS_CONTEXT;
}

static bool dots_are_known(const struct dot *dots, unsigned count, const struct crdt_object *object,
                           uint64_t limit)
{
    for (unsigned i = 0; i < count; i++) {
        const struct crdt_entry *entry;

        if (dots[i].stamp <= limit)
            continue;
        entry = crdt_object_find(object, dots[i].actor);
        if (entry == NULL || crdt_entry_top(object, entry) < dots[i].stamp)
            return false;
    }
    return true;
}

enum status crdt_context_guard(const struct crdt_context *context, const struct crdt_object *object,
                               uint64_t now_stamp)
{
    uint64_t ahead = crdt_stamp_of(CRDT_CLOCK_AHEAD_MS);
    uint64_t limit = now_stamp > UINT64_MAX - ahead ? UINT64_MAX : now_stamp + ahead;

    if (!dots_are_known(context->vector, context->vector_count, object, limit) ||
        !dots_are_known(context->dots, context->dot_count, object, limit))
        return STATUS_CONTEXT;
    return STATUS_OK;
}
