/* wire_record.c: what is signed, hashed or kept, in fixed layouts. One value has one spelling: no
 * optional part, no padding, nothing behind the end. A record begins with the name and version of
 * its layout, so that a signature over one kind never counts for another. Drawn in
 * proto/record.md. */
#include "ensure.h"
#include "wire.h"

#define WIRE_SELF_MAGIC "gos-self-1"
#define WIRE_PLACE_MAGIC "gos-place-1"
#define WIRE_WEIGHING_MAGIC "gos-place-2" /* of a peer that is WEIGHING: one weight more */
#define WIRE_SPACE_MAGIC "gos-namespace-1"
#define WIRE_FOUNDING_MAGIC "gos-founding-1"

/* Bytes of a text constant without its closing zero. */
#define WIRE_TEXT_SIZE(text) (sizeof(text) - 1)
#define WIRE_LABEL_SIZE_MAX (1 + NAME_SIZE_MAX)

/* Greatest records: what a limit in the table must leave room for. */
#define WIRE_SELF_SIZE_MAX                                                                         \
    (WIRE_TEXT_SIZE(WIRE_SELF_MAGIC) + CLUSTER_ID_SIZE + PUBLIC_KEY_SIZE + 4 * 8 + 2 + 2 + 1 +     \
     SELF_ADDRESSES_MAX * WIRE_ADDRESS_SIZE_MAX + 2 + 3 * WIRE_LABEL_SIZE_MAX + 2 +                \
     TAGS_SIZE_MAX + 4 + SIGNATURE_SIZE)
#define WIRE_PLACE_SIZE_MAX                                                                        \
    (WIRE_TEXT_SIZE(WIRE_PLACE_MAGIC) + NODE_ID_SIZE + 1 + 4 + 2 * WIRE_LABEL_SIZE_MAX + 8 + 8)
#define WIRE_SPACE_SIZE_MAX                                                                        \
    (WIRE_TEXT_SIZE(WIRE_SPACE_MAGIC) + 1 + NS_SIZE_MAX + 1 + 4 + 8 + 8 + 8 + 8)

_Static_assert(WIRE_SELF_SIZE_MAX <= SELF_RECORD_SIZE_MAX, "the greatest self record fits SELF");
_Static_assert(WIRE_PLACE_SIZE_MAX <= PLACE_RECORD_SIZE_MAX, "the greatest row fits PLACE");
_Static_assert(WIRE_SPACE_SIZE_MAX <= NAMESPACE_RECORD_SIZE_MAX, "the greatest row fits NAMESPACE");

/* Consumes the name of a layout; another one makes `in` bad. */
static void wire_magic_read(struct reader *in, struct slice magic)
{
    if (!slice_equal(read_slice(in, magic.size), magic))
        in->is_bad = true;
}

/* Restores a writer that a record did not fit. */
static enum status wire_record_end(struct writer *out, const struct writer *before)
{
    if (!out->is_full)
        return STATUS_OK;
    *out = *before;
    return STATUS_FULL;
}

/* A host or zone: visible ASCII, so that it can stand in a header, in JSON and on a terminal. */
static bool wire_label_is_valid(const struct label *label)
{
    if (label->size > NAME_SIZE_MAX)
        return false;
    for (unsigned i = 0; i < label->size; i++)
        if (label->text[i] < 0x21 || label->text[i] > 0x7e)
            return false;
    return true;
}

/* The name of a peer: [a-z][a-z0-9-]{0,62} (api.md 11). It stands in Gossamer-Route. */
static bool wire_name_is_valid(const struct label *name)
{
    if (name->size == 0 || name->size > NAME_SIZE_MAX)
        return false;
    for (unsigned i = 0; i < name->size; i++) {
        char c = name->text[i];
        bool is_letter = c >= 'a' && c <= 'z';
        bool is_digit_or_dash = (c >= '0' && c <= '9') || c == '-';
        if (!is_letter && (i == 0 || !is_digit_or_dash))
            return false;
    }
    return true;
}

static bool wire_address_is_valid(const struct address *address)
{
    return (address->family == 4 || address->family == 6) && address->port != 0;
}

static bool wire_self_is_valid(const struct self_record *self)
{
    if (self->actor == 0 || self->protocol_min == 0 || self->protocol_min > self->protocol_max)
        return false;
    if (self->address_count == 0 || self->address_count > SELF_ADDRESSES_MAX)
        return false;
    for (unsigned i = 0; i < self->address_count; i++)
        if (!wire_address_is_valid(&self->addresses[i]))
            return false;
    return wire_name_is_valid(&self->name) && wire_label_is_valid(&self->host) &&
           wire_label_is_valid(&self->zone);
}

enum status wire_self_encode(const struct self_record *self,
                             const uint8_t cluster_id[CLUSTER_ID_SIZE], struct writer *out)
{
    if (!wire_self_is_valid(self))
        return STATUS_BAD;
    struct writer before = *out;
    write_slice(out, slice_text(WIRE_SELF_MAGIC));
    write_bytes(out, cluster_id, CLUSTER_ID_SIZE);
    write_bytes(out, self->public_key, PUBLIC_KEY_SIZE);
    write_u64(out, self->incarnation);
    write_u64(out, self->boot_counter);
    write_u64(out, self->actor);
    write_u64(out, self->epoch);
    write_u16(out, self->flags);
    write_u8(out, self->protocol_min);
    write_u8(out, self->protocol_max);
    write_u8(out, self->address_count);
    for (unsigned i = 0; i < self->address_count; i++)
        wire_address_write(out, &self->addresses[i]);
    write_u16(out, self->http_port);
    write_label(out, &self->name);
    write_label(out, &self->host);
    write_label(out, &self->zone);
    write_u16(out, 0); /* tags: reserved */
    write_u32(out, self->features);
    return wire_record_end(out, &before);
}

/* Reads everything between cluster id and signature. */
static void wire_self_read(struct reader *in, struct self_record *self)
{
    read_bytes(in, self->public_key, PUBLIC_KEY_SIZE);
    self->incarnation = read_u64(in);
    self->boot_counter = read_u64(in);
    self->actor = read_u64(in);
    self->epoch = read_u64(in);
    self->flags = read_u16(in);
    self->protocol_min = read_u8(in);
    self->protocol_max = read_u8(in);
    self->address_count = read_u8(in);
    for (unsigned i = 0; i < self->address_count && i < SELF_ADDRESSES_MAX; i++)
        wire_address_read(in, &self->addresses[i]);
    self->http_port = read_u16(in);
    read_label(in, &self->name);
    read_label(in, &self->host);
    read_label(in, &self->zone);
    uint16_t tags_size = read_u16(in);
    if (tags_size > TAGS_SIZE_MAX)
        in->is_bad = true;
    (void)read_slice(in, tags_size);
    self->features = read_u32(in);
}

enum status wire_self_decode(struct slice record, const uint8_t cluster_id[CLUSTER_ID_SIZE],
                             struct self_record *self, struct slice *signed_part,
                             struct slice *signature)
{
    memset(self, 0, sizeof *self);
    *signed_part = *signature = SLICE_NONE;
    if (record.size > SELF_RECORD_SIZE_MAX || record.size < SIGNATURE_SIZE)
        return STATUS_BAD;
    *signed_part = slice_of(record.data, record.size - SIGNATURE_SIZE);
    *signature = slice_of(record.data + signed_part->size, SIGNATURE_SIZE);
    struct reader in = reader_over(*signed_part);
    wire_magic_read(&in, slice_text(WIRE_SELF_MAGIC));
    struct slice named = read_slice(&in, CLUSTER_ID_SIZE);
    if (in.is_bad)
        return STATUS_BAD;
    if (!slice_equal(named, slice_of(cluster_id, CLUSTER_ID_SIZE)))
        return STATUS_FOREIGN;
    wire_self_read(&in, self);
    return reader_is_done(&in) && wire_self_is_valid(self) ? STATUS_OK : STATUS_BAD;
}

static bool wire_place_is_valid(const struct place_record *place)
{
    return place->state >= PLACE_JOINING && place->state <= PLACE_WEIGHING &&
           (place->state == PLACE_WEIGHING || place->weight_next == 0) &&
           wire_label_is_valid(&place->host) && wire_label_is_valid(&place->zone);
}

enum status wire_place_encode(const struct place_record *place, struct writer *out)
{
    if (!wire_place_is_valid(place))
        return STATUS_BAD;
    struct writer before = *out;
    bool is_weighing = place->state == PLACE_WEIGHING;

    write_slice(out, slice_text(is_weighing ? WIRE_WEIGHING_MAGIC : WIRE_PLACE_MAGIC));
    write_bytes(out, place->id.bytes, NODE_ID_SIZE);
    write_u8(out, place->state);
    write_u16(out, place->weight);
    if (is_weighing)
        write_u16(out, place->weight_next);
    write_label(out, &place->host);
    write_label(out, &place->zone);
    write_u64(out, place->stamp);
    write_u64(out, place->by);
    return wire_record_end(out, &before);
}

enum status wire_place_decode(struct slice record, struct place_record *place)
{
    struct slice weighing = slice_text(WIRE_WEIGHING_MAGIC);
    bool is_weighing = slice_has_prefix(record, weighing);
    struct reader in = reader_over(record);

    memset(place, 0, sizeof *place);
    wire_magic_read(&in, is_weighing ? weighing : slice_text(WIRE_PLACE_MAGIC));
    read_bytes(&in, place->id.bytes, NODE_ID_SIZE);
    place->state = read_u8(&in);
    if (is_weighing != (place->state == PLACE_WEIGHING))
        return STATUS_BAD;
    place->weight = read_u16(&in);
    if (is_weighing)
        place->weight_next = read_u16(&in);
    read_label(&in, &place->host);
    read_label(&in, &place->zone);
    place->stamp = read_u64(&in);
    place->by = read_u64(&in);
    return reader_is_done(&in) && wire_place_is_valid(place) ? STATUS_OK : STATUS_BAD;
}

/* [A-Za-z0-9][A-Za-z0-9._-]*, or "_default" (api.md 1). */
static bool wire_space_name_is_valid(struct slice name)
{
    if (slice_equal(name, slice_text("_default")))
        return true;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!is_word && (i == 0 || (c != '.' && c != '_' && c != '-')))
            return false;
    }
    return name.size >= 1 && name.size <= NS_SIZE_MAX;
}

/* What is set lies in its range, what is not set is 0: one spelling. */
static bool wire_space_is_valid(const struct space_record *space)
{
    const struct space_settings *own = &space->settings;
    bool has_replicas = (own->set & SPACE_REPLICAS) != 0;
    bool has_consistency = (own->set & SPACE_CONSISTENCY) != 0;
    bool has_conflict = (own->set & SPACE_CONFLICT) != 0;
    bool has_ttl = (own->set & SPACE_TTL) != 0;

    return wire_space_name_is_valid(slice_of(space->name, space->name_size)) &&
           (own->set & ~SPACE_ALL) == 0 &&
           (!space->is_deleted ||
            (own->set & ~(space->replicas_stamp ? SPACE_REPLICAS : 0)) == 0) &&
           (has_replicas ? own->replicas >= 1 && own->replicas <= REPLICAS_MAX
                         : own->replicas == 0) &&
           (has_consistency ? own->consistency >= 1 && own->consistency <= 3
                            : own->consistency == 0) &&
           (has_conflict ? own->conflict >= CONFLICT_SIBLINGS && own->conflict <= CONFLICT_LWW
                         : own->conflict == 0) &&
           (has_ttl ? own->ttl_ms <= TTL_MAX_MS : own->ttl_ms == 0);
}

enum status wire_space_encode(const struct space_record *space, struct writer *out)
{
    if (!wire_space_is_valid(space))
        return STATUS_BAD;
    struct writer before = *out;
    write_slice(out, slice_text(WIRE_SPACE_MAGIC));
    write_u8(out, space->name_size);
    write_bytes(out, space->name, space->name_size);
    write_u8(out, space->is_deleted);
    write_u8(out, space->settings.set);
    write_u8(out, space->settings.replicas);
    write_u8(out, space->settings.consistency);
    write_u8(out, space->settings.conflict);
    write_u64(out, space->settings.ttl_ms);
    write_u64(out, space->stamp);
    write_u64(out, space->by);
    if (space->replicas_stamp)
        write_u64(out, space->replicas_stamp);
    return wire_record_end(out, &before);
}

enum status wire_space_decode(struct slice record, struct space_record *space)
{
    memset(space, 0, sizeof *space);
    struct reader in = reader_over(record);
    wire_magic_read(&in, slice_text(WIRE_SPACE_MAGIC));
    space->name_size = read_u8(&in);
    if (space->name_size > NS_SIZE_MAX)
        return STATUS_BAD;
    read_bytes(&in, space->name, space->name_size);
    uint8_t is_deleted = read_u8(&in);
    space->is_deleted = is_deleted == 1;
    space->settings.set = read_u8(&in);
    space->settings.replicas = read_u8(&in);
    space->settings.consistency = read_u8(&in);
    space->settings.conflict = read_u8(&in);
    space->settings.ttl_ms = read_u64(&in);
    space->stamp = read_u64(&in);
    space->by = read_u64(&in);

    bool is_long = reader_left(&in) > 0;

    if (is_long)
        space->replicas_stamp = read_u64(&in);
    if (is_long && space->replicas_stamp == 0)
        return STATUS_BAD; /* one spelling */
    return reader_is_done(&in) && is_deleted <= 1 && wire_space_is_valid(space) ? STATUS_OK
                                                                                : STATUS_BAD;
}

static bool wire_founding_is_valid(const struct founding_record *founding)
{
    return founding->partition_bits >= 1 && founding->partition_bits <= PARTITION_BITS_MAX &&
           founding->cell_depth <= CELL_DEPTH_MAX && founding->replicas >= 1 &&
           founding->replicas <= REPLICAS_MAX;
}

enum status wire_founding_encode(const struct founding_record *founding, struct writer *out)
{
    if (!wire_founding_is_valid(founding))
        return STATUS_BAD;
    struct writer before = *out;
    write_slice(out, slice_text(WIRE_FOUNDING_MAGIC));
    write_u64(out, founding->stamp);
    write_bytes(out, founding->founder.bytes, NODE_ID_SIZE);
    write_bytes(out, founding->hash_seed, HASH_SEED_SIZE);
    write_u8(out, founding->partition_bits);
    write_u8(out, founding->cell_depth);
    write_u8(out, founding->replicas);
    return wire_record_end(out, &before);
}

enum status wire_founding_decode(struct slice record, struct founding_record *founding)
{
    memset(founding, 0, sizeof *founding);
    struct reader in = reader_over(record);
    wire_magic_read(&in, slice_text(WIRE_FOUNDING_MAGIC));
    founding->stamp = read_u64(&in);
    read_bytes(&in, founding->founder.bytes, NODE_ID_SIZE);
    read_bytes(&in, founding->hash_seed, HASH_SEED_SIZE);
    founding->partition_bits = read_u8(&in);
    founding->cell_depth = read_u8(&in);
    founding->replicas = read_u8(&in);
    return reader_is_done(&in) && wire_founding_is_valid(founding) ? STATUS_OK : STATUS_BAD;
}
