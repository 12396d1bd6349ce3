/* wire_check.c: a msgpack value is walked once before anything is made of it.
 *
 * The idea: every container states how many values follow, and each value takes at least one byte.
 * So a count above the bytes left is a lie that can be refused at once, and the walk ends after at
 * most one step per input byte. Unlike msgpack-c's unpacker, which reserves room for the stated
 * count first (five bytes make it ask for 8 GiB), the walk keeps eight counters and nothing else.
 *
 * Shortest form is demanded of every head, so that one value has one spelling: two packets that
 * mean the same are the same bytes.
 *
 *   00..7f fixint      c0 nil   c2 c3 bool     d9 da db  str, size u8 u16 u32
 *   80..8f map         c4 c5 c6 bin            dc dd     array, count u16 u32
 *   90..9f array       cc cd ce cf unsigned    de df     map, count u16 u32
 *   a0..bf str         d0 d1 d2 d3 signed      e0..ff    negative fixint
 *   refused: c1; c7-c9 and d4-d8 extensions; ca cb floats */
#include "wire_check.h"

/* Reads the unsigned integer of 1 << power bytes behind a head. */
static uint64_t wire_number_read(struct reader *in, unsigned power)
{
    if (power == 0)
        return read_u8(in);
    if (power == 1)
        return read_u16(in);
    return power == 2 ? read_u32(in) : read_u64(in);
}

/* Takes a number of 1 << power bytes that the next shorter form cannot hold: below one byte that
 * form holds up to `least` - 1. A number that is too small for its form makes `in` bad. */
static uint64_t wire_number_take(struct reader *in, unsigned power, uint64_t least)
{
    uint64_t value = wire_number_read(in, power);
    uint64_t floor = power == 0 ? least : (uint64_t)1 << (8u << (power - 1));
    if (value < floor)
        in->is_bad = true;
    return value;
}

/* Signed forms hold only what no unsigned and no shorter form can: negative numbers. */
static void wire_signed_take(struct reader *in, unsigned power)
{
    uint64_t raw = wire_number_read(in, power);
    unsigned bits = 8u << power;
    uint64_t magnitude_less_one = ~raw & (UINT64_MAX >> (64 - bits)); /* of a negative number */
    uint64_t shorter = power == 0 ? 32 : (uint64_t)1 << (bits / 2 - 1);
    bool is_negative = (raw >> (bits - 1)) != 0;
    if (!is_negative || magnitude_less_one < shorter)
        in->is_bad = true;
}

/* Takes the body of a str or bin whose size has been read. */
static struct slice wire_body_take(struct reader *in, uint64_t size)
{
    if (size > reader_left(in)) {
        in->is_bad = true;
        return SLICE_NONE;
    }
    return read_slice(in, (size_t)size);
}

/* Heads of one byte that hold their number or count themselves. */
static bool wire_token_short(struct reader *in, uint8_t head, struct wire_token *token)
{
    if (head <= 0x7f)
        *token = (struct wire_token){WIRE_TOKEN_UNSIGNED, head, SLICE_NONE};
    else if (head <= 0x8f)
        *token = (struct wire_token){WIRE_TOKEN_MAP, head & 0x0fu, SLICE_NONE};
    else if (head <= 0x9f)
        *token = (struct wire_token){WIRE_TOKEN_ARRAY, head & 0x0fu, SLICE_NONE};
    else if (head <= 0xbf)
        (void)wire_body_take(in, head & 0x1fu);
    else
        return head == 0xc0 || head == 0xc2 || head == 0xc3 || head >= 0xe0;
    return true;
}

/* Heads that are followed by a number. */
static bool wire_token_long(struct reader *in, uint8_t head, struct wire_token *token)
{
    if (head >= 0xc4 && head <= 0xc6) {
        token->kind = WIRE_TOKEN_BYTES;
        token->value = wire_number_take(in, head - 0xc4u, 0);
        token->body = wire_body_take(in, token->value);
    } else if (head >= 0xcc && head <= 0xcf) {
        token->kind = WIRE_TOKEN_UNSIGNED;
        token->value = wire_number_take(in, head - 0xccu, 0x80);
    } else if (head >= 0xd0 && head <= 0xd3) {
        wire_signed_take(in, head - 0xd0u);
    } else if (head >= 0xd9 && head <= 0xdb) {
        (void)wire_body_take(in, wire_number_take(in, head - 0xd9u, 0x20));
    } else if (head >= 0xdc && head <= 0xdf) {
        token->kind = head < 0xde ? WIRE_TOKEN_ARRAY : WIRE_TOKEN_MAP;
        token->value = wire_number_read(in, 1 + (head & 1u));
        if (token->value < ((head & 1u) ? 0x10000u : 0x10u))
            in->is_bad = true;
    } else {
        return false;
    }
    return true;
}

bool wire_token_read(struct reader *in, struct wire_token *token)
{
    *token = (struct wire_token){WIRE_TOKEN_OTHER, 0, SLICE_NONE};
    uint8_t head = read_u8(in);
    if (in->is_bad)
        return false;
    if (!wire_token_short(in, head, token) && !wire_token_long(in, head, token))
        in->is_bad = true;
    return !in->is_bad;
}

bool wire_value_skip(struct reader *in)
{
    uint64_t left[WIRE_DEPTH_MAX]; /* values still to come in each open container */
    unsigned depth = 0;
    do {
        struct wire_token token;
        if (!wire_token_read(in, &token))
            return false;
        if (depth > 0)
            left[depth - 1]--;
        if (token.kind == WIRE_TOKEN_ARRAY || token.kind == WIRE_TOKEN_MAP) {
            uint64_t count = token.kind == WIRE_TOKEN_MAP ? token.value * 2 : token.value;
            if (depth == WIRE_DEPTH_MAX || count > reader_left(in)) {
                in->is_bad = true;
                return false;
            }
            left[depth++] = count;
        }
        while (depth > 0 && left[depth - 1] == 0)
            depth--;
    } while (depth > 0);
    return true;
}
