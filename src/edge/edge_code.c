/* edge_code.c: entity tags, conditions, cursors and made keys: small texts that mean numbers. */
#include "bytes.h"
#include "edge_room.h"
#include "hash.h"
#include "ensure.h"

static int edge_base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool edge_base64_decode(struct buffer *text, struct slice code, struct slice *decoded)
{
    uint8_t *at = text->data + text->size;
    uint32_t bits = 0;
    unsigned count = 0;

    ensure(text->data && code.size <= text->capacity - text->size);
    decoded->data = at;
    for (size_t i = 0; i < code.size; i++) {
        int value = edge_base64_value(code.data[i]);

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *at++ = (uint8_t)(bits >> count);
            bits &= (1u << count) - 1;
        }
    }
    decoded->size = (size_t)(at - decoded->data);
    text->size += decoded->size;
    return count < 6 && bits == 0;
}

bool edge_etag_parse(struct slice text, uint64_t *etag)
{
    if (text.size != 11)
        return false;
    *etag = 0;
    for (size_t i = 0; i < 11; i++) {
        int value = edge_base64_value(text.data[i]);

        if (value < 0 || (i == 10 && value % 4))
            return false;
        *etag = i < 10 ? *etag << 6 | (uint64_t)value : *etag << 4 | (uint64_t)value >> 2;
    }
    return true;
}

/* Takes one entity tag off the list: optional W/, a quoted text, then a comma or the end. */
static bool edge_tag_next(struct slice *list, struct slice *tag, bool *is_weak)
{
    const uint8_t *at = list->data, *end = at + list->size, *close;

    *is_weak = end - at >= 2 && at[0] == 'W' && at[1] == '/';
    at += *is_weak ? 2 : 0;
    if (at == end || *at != '"')
        return false;
    close = memchr(at + 1, '"', (size_t)(end - at - 1));
    if (!close)
        return false;
    *tag = slice_of(at + 1, (size_t)(close - at - 1));
    for (at = close + 1; at < end && (*at == ' ' || *at == '\t'); at++) {
    }
    if (at < end && *at++ != ',')
        return false;
    for (; at < end && (*at == ' ' || *at == '\t'); at++) {
    }
    *list = slice_of(at, (size_t)(end - at));
    return true;
}

/* Tags that are none of ours match nothing; a condition without any tag left still stands. A weak
 * tag never fits If-Match (RFC 9110 section 13.1.1). */
static bool edge_tags_parse(struct op *op, struct slice list, bool takes_weak)
{
    struct slice tag;
    bool is_weak;
    uint64_t etag;

    if (list.size == 0)
        return false;
    while (list.size) {
        if (!edge_tag_next(&list, &tag, &is_weak))
            return false;
        if ((is_weak && !takes_weak) || !edge_etag_parse(tag, &etag))
            continue;
        if (op->etag_count == OP_ETAGS_MAX)
            return false;
        op->etags[op->etag_count++] = etag;
    }
    return true;
}

bool edge_condition_parse(struct edge_call *call)
{
    static const struct {
        enum edge_field field;
        uint8_t any, listed;
    } rows[] = {
        {EDGE_FIELD_IF_MATCH, CONDITION_EXISTS, CONDITION_MATCH},
        {EDGE_FIELD_IF_NONE_MATCH, CONDITION_ABSENT, CONDITION_NONE_MATCH},
    };
    struct op *op = call->op;

    for (size_t i = 0; i < 2; i++) {
        struct slice list = call->head->fields[rows[i].field];
        bool is_good = true;

        if (!call->head->seen[rows[i].field])
            continue;
        if (slice_equal(list, slice_text("*"))) {
            op->condition |= rows[i].any;
            continue;
        }
        is_good = !(op->condition & CONDITION_MATCH) && edge_tags_parse(op, list, i == 1);
        op->condition |= rows[i].listed;
        if (is_good)
            continue;
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST,
                              "If-Match and If-None-Match take * or up to 8 entity tags, and only "
                              "one of them a list");
        return false;
    }
    return true;
}

static void edge_key_spell(uint64_t high, uint64_t low, char *key)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

    for (unsigned i = EDGE_MADE_KEY_SIZE; i > 0; i--) {
        key[i - 1] = digits[low & 31];
        low = low >> 5 | high << 59;
        high >>= 5;
    }
}

/* 48 bits of milliseconds, 80 random bits; within one millisecond the random part only grows, so
 * that the keys of one peer rise. 128 bits are 26 digits of 5 bits. */
void edge_made_key(struct edge *edge, char *key)
{
    if (edge->wall_ms > edge->made_ms) {
        edge->made_ms = edge->wall_ms;
        edge->made[0] = prng_next(&edge->prng) & 0x7fff; /* the top bit is room to grow */
        edge->made[1] = prng_next(&edge->prng);
    } else {
        edge->made[1] += 1 + prng_below(&edge->prng, UINT32_MAX);
        edge->made[0] += edge->made[1] <= UINT32_MAX; /* it ran over */
    }
    edge_key_spell(edge->made_ms << 16 | (edge->made[0] & 0xffff), edge->made[1], key);
}

void edge_same_key(struct slice idempotency, char *key)
{
    static const uint8_t seed[HASH_SEED_SIZE];
    struct hash16 hash = hash_sip128(seed, idempotency.data, idempotency.size);

    edge_key_spell(bytes_load_u64(hash.bytes), bytes_load_u64(hash.bytes + 8), key);
}
