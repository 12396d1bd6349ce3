/* records.h: records for the tests of wire, each as its greatest and as a usual value. */
#ifndef GOSSAMER_TEST_WIRE_RECORDS_H
#define GOSSAMER_TEST_WIRE_RECORDS_H

#include "sample.h"

static const uint8_t record_cluster[CLUSTER_ID_SIZE] = {0xc0, 1, 2,  3,  4,  5,  6,  7,
                                                        8,    9, 10, 11, 12, 13, 14, 15};

static inline void record_fill(uint8_t *bytes, size_t size, uint8_t first)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(first + i);
}

static inline struct self_record record_self(void)
{
    struct self_record self = {
        .incarnation = 0x0102030405060708,
        .boot_counter = 3,
        .actor = 0x1112131415161718,
        .epoch = 0x2122232425262728,
        .flags = SELF_LEFT,
        .protocol_min = 1,
        .protocol_max = 2,
        .address_count = 2,
        .addresses = {{.family = 4, .ip = {127, 0, 0, 1}, .port = 18001},
                      {.family = 6, .ip = {[15] = 1}, .port = 18001}},
        .http_port = 17001,
        .name = label_make(slice_text("peer-1")),
        .host = label_make(slice_text("rack7.example")),
        .zone = label_make(slice_text("par1")),
        .features = 0x80000001,
    };
    record_fill(self.public_key, sizeof self.public_key, 0x40);
    return self;
}

static inline struct self_record record_self_greatest(void)
{
    struct self_record self = record_self();
    char text[NAME_SIZE_MAX];
    memset(text, 'z', sizeof text);
    self.name = self.host = self.zone = label_make(slice_of(text, sizeof text));
    self.address_count = SELF_ADDRESSES_MAX;
    for (unsigned i = 0; i < SELF_ADDRESSES_MAX; i++)
        self.addresses[i] = (struct address){6, {[0] = 0xfd, [15] = (uint8_t)i}, 65535};
    return self;
}

static inline struct place_record record_place(void)
{
    struct place_record place = {
        .state = PLACE_ACTIVE,
        .weight = 384,
        .host = label_make(slice_text("rack7.example")),
        .zone = label_make(slice_text("par1")),
        .stamp = 0x3132333435363738,
        .by = 0x4142434445464748,
    };
    record_fill(place.id.bytes, sizeof place.id.bytes, 0x80);
    return place;
}

static inline struct space_record record_space(void)
{
    struct space_record space = {
        .name_size = 8,
        .name = "carts.v2",
        .settings = {SPACE_ALL, 5, 1, CONFLICT_LWW, 0x0102030405},
        .stamp = 0x7172737475767778,
        .by = 0x4142434445464748,
    };
    return space;
}

static inline struct founding_record record_founding(void)
{
    struct founding_record founding = {
        .stamp = 0x5152535455565758, .partition_bits = 14, .cell_depth = 3, .replicas = 5};
    record_fill(founding.founder.bytes, sizeof founding.founder.bytes, 0x60);
    record_fill(founding.hash_seed, sizeof founding.hash_seed, 0xa0);
    return founding;
}

/* record_self_bytes spells the whole record: signed part and a signature that is only a pattern. */
static inline size_t record_self_bytes(const struct self_record *self,
                                       uint8_t bytes[SELF_RECORD_SIZE_MAX])
{
    uint8_t signature[SIGNATURE_SIZE];
    record_fill(signature, sizeof signature, 0x90);
    struct writer out = writer_over(bytes, SELF_RECORD_SIZE_MAX);
    assert_int_equal(wire_self_encode(self, record_cluster, &out), STATUS_OK);
    write_bytes(&out, signature, sizeof signature);
    assert_false(out.is_full);
    return out.size;
}

/* record_self_of, record_place_of and record_founding_of decode bytes that end at a guard page. */
static inline enum status record_self_of(const uint8_t *bytes, size_t size,
                                         struct self_record *self)
{
    uint8_t *copy = guard_copy(bytes, size);
    struct slice part, signature;
    enum status status =
        wire_self_decode(slice_of(copy, size), record_cluster, self, &part, &signature);
    guard_free(copy, size);
    return status;
}

static inline enum status record_place_of(const uint8_t *bytes, size_t size,
                                          struct place_record *place)
{
    uint8_t *copy = guard_copy(bytes, size);
    enum status status = wire_place_decode(slice_of(copy, size), place);
    guard_free(copy, size);
    return status;
}

static inline enum status record_founding_of(const uint8_t *bytes, size_t size,
                                             struct founding_record *founding)
{
    uint8_t *copy = guard_copy(bytes, size);
    enum status status = wire_founding_decode(slice_of(copy, size), founding);
    guard_free(copy, size);
    return status;
}

#endif
