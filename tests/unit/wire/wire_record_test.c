/* What is signed, hashed or kept: there and back, each field out of range, every length. */
#include "records.h"

/* Offsets in a self record, as drawn in proto/record.md. */
#define SELF_CLUSTER_AT 10
#define SELF_ACTOR_AT (SELF_CLUSTER_AT + 16 + 32 + 16)
#define SELF_PROTOCOL_AT (SELF_ACTOR_AT + 16 + 2)
#define SELF_COUNT_AT (SELF_PROTOCOL_AT + 2)

static void a_self_record_comes_back(void **state)
{
    (void)state;
    struct self_record sent = record_self(), got;
    uint8_t bytes[SELF_RECORD_SIZE_MAX];
    size_t size = record_self_bytes(&sent, bytes);
    struct slice part, signature;
    assert_int_equal(
        wire_self_decode(slice_of(bytes, size), record_cluster, &got, &part, &signature),
        STATUS_OK);
    assert_memory_equal(&got, &sent, sizeof got);
    assert_ptr_equal(part.data, bytes);
    assert_int_equal(part.size, size - SIGNATURE_SIZE);
    assert_ptr_equal(signature.data, bytes + part.size);
    assert_int_equal(signature.size, SIGNATURE_SIZE);
}

static void the_greatest_self_record_fits(void **state)
{
    (void)state;
    struct self_record sent = record_self_greatest(), got;
    uint8_t bytes[SELF_RECORD_SIZE_MAX + 1] = {0};
    size_t size = record_self_bytes(&sent, bytes);
    assert_int_equal(record_self_of(bytes, size, &got), STATUS_OK);
    assert_memory_equal(&got, &sent, sizeof got);
    /* Room is left for the greatest tags: shift features and signature behind them. */
    size_t tags_at = size - SIGNATURE_SIZE - 4 - 2;
    assert_true(size + TAGS_SIZE_MAX <= SELF_RECORD_SIZE_MAX);
    memmove(bytes + tags_at + 2 + TAGS_SIZE_MAX, bytes + tags_at + 2, SIGNATURE_SIZE + 4);
    bytes[tags_at] = TAGS_SIZE_MAX >> 8;
    assert_int_equal(record_self_of(bytes, size + TAGS_SIZE_MAX, &got), STATUS_OK);
    assert_int_equal(got.tags_size, 0);
    assert_int_equal(got.features, sent.features);
    bytes[tags_at + 1] = 1; /* one byte of tags too many */
    memmove(bytes + tags_at + 3 + TAGS_SIZE_MAX, bytes + tags_at + 2 + TAGS_SIZE_MAX, 68);
    assert_int_equal(record_self_of(bytes, size + TAGS_SIZE_MAX + 1, &got), STATUS_BAD);
    assert_int_equal(record_self_of(bytes, sizeof bytes, &got), STATUS_BAD);
}

static void a_record_of_another_cluster_is_foreign(void **state)
{
    (void)state;
    struct self_record self = record_self(), got;
    uint8_t bytes[SELF_RECORD_SIZE_MAX];
    size_t size = record_self_bytes(&self, bytes);
    for (unsigned i = 0; i < CLUSTER_ID_SIZE; i++) {
        bytes[SELF_CLUSTER_AT + i] ^= 1;
        assert_int_equal(record_self_of(bytes, size, &got), STATUS_FOREIGN);
        bytes[SELF_CLUSTER_AT + i] ^= 1;
    }
    bytes[9] = '2'; /* another layout is not ours to read */
    assert_int_equal(record_self_of(bytes, size, &got), STATUS_BAD);
}

/* The record is refused by the encoder, and by the decoder when somebody else wrote it. */
static void assert_self_bad(struct self_record self)
{
    uint8_t bytes[SELF_RECORD_SIZE_MAX];
    struct writer out = writer_over(bytes, sizeof bytes);
    assert_int_equal(wire_self_encode(&self, record_cluster, &out), STATUS_BAD);
    assert_int_equal(out.size, 0);
    assert_false(out.is_full);
}

static void a_self_record_out_of_range_is_not_written(void **state)
{
    (void)state;
    struct self_record self = record_self();
    self.actor = 0;
    assert_self_bad(self);
    self = record_self();
    self.protocol_min = 0;
    assert_self_bad(self);
    self.protocol_min = 3;
    assert_self_bad(self);
    self = record_self();
    self.address_count = 0;
    assert_self_bad(self);
    self.address_count = SELF_ADDRESSES_MAX + 1;
    assert_self_bad(self);
    self = record_self();
    self.addresses[1].family = 5;
    assert_self_bad(self);
    self = record_self();
    self.addresses[0].port = 0;
    assert_self_bad(self);
    const char *names[] = {"", "1peer", "-peer", "Peer", "peer_1", "peer\r\nx", "peer 1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        self = record_self();
        self.name = label_make(slice_text(names[i]));
        assert_self_bad(self);
    }
    const char *labels[] = {"rack 7", "rack\n7", "rack\x7f", "rack\xc3\xa9"};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        self = record_self();
        self.host = label_make(slice_text(labels[i]));
        assert_self_bad(self);
        self = record_self();
        self.zone = label_make(slice_text(labels[i]));
        assert_self_bad(self);
    }
}

/* Changes `count` bytes at `at` of a good record and expects BAD. */
static void assert_patched_bad(size_t at, const void *patch, size_t count)
{
    struct self_record self = record_self(), got;
    uint8_t bytes[SELF_RECORD_SIZE_MAX];
    size_t size = record_self_bytes(&self, bytes);
    assert_int_equal(record_self_of(bytes, size, &got), STATUS_OK);
    memcpy(bytes + at, patch, count);
    assert_int_equal(record_self_of(bytes, size, &got), STATUS_BAD);
}

static void a_self_record_out_of_range_is_not_read(void **state)
{
    (void)state;
    assert_patched_bad(SELF_ACTOR_AT, BYTES(0, 0, 0, 0, 0, 0, 0, 0));
    assert_patched_bad(SELF_PROTOCOL_AT, BYTES(0));
    assert_patched_bad(SELF_PROTOCOL_AT, BYTES(3, 2));
    assert_patched_bad(SELF_COUNT_AT, BYTES(0));
    assert_patched_bad(SELF_COUNT_AT, BYTES(4));
    assert_patched_bad(SELF_COUNT_AT, BYTES(255));
    assert_patched_bad(SELF_COUNT_AT + 1, BYTES(0));    /* family */
    assert_patched_bad(SELF_COUNT_AT + 6, BYTES(0, 0)); /* port */
    size_t name_at = SELF_COUNT_AT + 1 + 7 + 19 + 2;
    assert_patched_bad(name_at, BYTES(0));
    assert_patched_bad(name_at, BYTES(64));
    assert_patched_bad(name_at + 1, BYTES('P'));
    assert_patched_bad(name_at + 2, BYTES(0));
    size_t host_at = name_at + 7, zone_at = host_at + 14, tags_at = zone_at + 5;
    assert_patched_bad(host_at, BYTES(200));
    assert_patched_bad(host_at + 3, BYTES('\r'));
    assert_patched_bad(zone_at, BYTES(64));
    assert_patched_bad(zone_at + 1, BYTES(0x80));
    assert_patched_bad(tags_at, BYTES(0, 1));
    assert_patched_bad(tags_at, BYTES(0xff, 0xff));
}

static void place_records_come_back_and_keep_their_ranges(void **state)
{
    (void)state;
    struct place_record sent = record_place(), got;
    uint8_t bytes[PLACE_RECORD_SIZE_MAX + 1] = {0};
    struct writer out = writer_over(bytes, PLACE_RECORD_SIZE_MAX);
    assert_int_equal(wire_place_encode(&sent, &out), STATUS_OK);
    assert_int_equal(record_place_of(bytes, out.size, &got), STATUS_OK);
    assert_memory_equal(&got, &sent, sizeof got);
    assert_int_equal(record_place_of(bytes, out.size + 1, &got), STATUS_BAD);
    size_t state_at = 11 + 32;
    for (unsigned value = 0; value <= 0xff; value++) {
        bytes[state_at] = (uint8_t)value;
        assert_int_equal(record_place_of(bytes, out.size, &got),
                         value >= 1 && value <= 5 ? STATUS_OK : STATUS_BAD);
    }
    bytes[state_at] = PLACE_OUT;
    bytes[state_at + 4] = ' '; /* first byte of host */
    assert_int_equal(record_place_of(bytes, out.size, &got), STATUS_BAD);
    bytes[state_at + 3] = 64;
    assert_int_equal(record_place_of(bytes, out.size, &got), STATUS_BAD);
    sent.state = 0;
    assert_int_equal(wire_place_encode(&sent, &out), STATUS_BAD);
    sent.state = PLACE_OUT;
    sent.zone = label_make(slice_text("a b"));
    assert_int_equal(wire_place_encode(&sent, &out), STATUS_BAD);
    sent = record_place();
    sent.weight_next = 7; /* has no place in any other state */
    assert_int_equal(wire_place_encode(&sent, &out), STATUS_BAD);
    sent.state = PLACE_WEIGHING;
    out = writer_over(bytes, sizeof bytes);
    assert_int_equal(wire_place_encode(&sent, &out), STATUS_OK);
    assert_int_equal(record_place_of(bytes, out.size, &got), STATUS_OK);
    assert_int_equal(got.weight_next, 7);
    bytes[10] = '1'; /* gos-place-1 knows no such state */
    assert_int_equal(record_place_of(bytes, out.size, &got), STATUS_BAD);
}

static enum status record_space_of(const struct space_record *sent)
{
    uint8_t bytes[NAMESPACE_RECORD_SIZE_MAX];
    struct writer out = writer_over(bytes, sizeof bytes);
    return wire_space_encode(sent, &out);
}

/* A setting that is not set is 0, one that is set lies in its range. */
static void namespace_records_come_back_and_keep_their_ranges(void **state)
{
    (void)state;
    struct space_record sent = record_space(), got;
    uint8_t bytes[NAMESPACE_RECORD_SIZE_MAX + 1] = {0};
    struct writer out = writer_over(bytes, NAMESPACE_RECORD_SIZE_MAX);
    assert_int_equal(wire_space_encode(&sent, &out), STATUS_OK);
    assert_int_equal(wire_space_decode(slice_of(bytes, out.size), &got), STATUS_OK);
    assert_memory_equal(&got, &sent, sizeof got);
    assert_int_equal(wire_space_decode(slice_of(bytes, out.size + 1), &got), STATUS_BAD);
    assert_int_equal(wire_space_decode(slice_of(bytes, out.size - 1), &got), STATUS_BAD);
    sent.replicas_stamp = 0x8182838485868788;
    out = writer_over(bytes, NAMESPACE_RECORD_SIZE_MAX);
    assert_int_equal(wire_space_encode(&sent, &out), STATUS_OK);
    assert_int_equal(wire_space_decode(slice_of(bytes, out.size), &got), STATUS_OK);
    assert_memory_equal(&got, &sent, sizeof got);
    memset(bytes + out.size - 8, 0, 8); /* one spelling: it would be left out */
    assert_int_equal(wire_space_decode(slice_of(bytes, out.size), &got), STATUS_BAD);
    for (unsigned bit = 0; bit < 8; bit++) {
        struct space_record odd = sent;
        odd.settings.set = (uint8_t)(sent.settings.set ^ 1u << bit);
        assert_int_equal(record_space_of(&odd), STATUS_BAD);
    }
    struct space_record deleted = {.name_size = 1, .name = "a", .is_deleted = true, .stamp = 1};
    assert_int_equal(record_space_of(&deleted), STATUS_OK);
    deleted.settings.set = SPACE_TTL;
    assert_int_equal(record_space_of(&deleted), STATUS_BAD);
    size_t deleted_at = 15 + 1 + 8;
    bytes[deleted_at] = 2;
    assert_int_equal(wire_space_decode(slice_of(bytes, out.size), &got), STATUS_BAD);
    bytes[deleted_at] = 0;
    bytes[15] = NS_SIZE_MAX + 1;
    assert_int_equal(wire_space_decode(slice_of(bytes, out.size), &got), STATUS_BAD);
    static const char *const bad[] = {"", "_other", ".a", "a/b", "a b"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct space_record named = {.name_size = (uint8_t)strlen(bad[i])};
        memcpy(named.name, bad[i], strlen(bad[i]));
        assert_int_equal(record_space_of(&named), STATUS_BAD);
    }
    struct space_record usual = {.name_size = 8, .name = "_default"};
    assert_int_equal(record_space_of(&usual), STATUS_OK);
}

static void founding_records_come_back_and_keep_their_ranges(void **state)
{
    (void)state;
    struct founding_record sent = record_founding(), got;
    uint8_t bytes[256] = {0};
    struct writer out = writer_over(bytes, sizeof bytes);
    assert_int_equal(wire_founding_encode(&sent, &out), STATUS_OK);
    assert_int_equal(record_founding_of(bytes, out.size, &got), STATUS_OK);
    assert_memory_equal(&got, &sent, sizeof got);
    assert_int_equal(record_founding_of(bytes, out.size + 1, &got), STATUS_BAD);
    const struct {
        unsigned back, low, high;
    } ranges[] = {{3, 1, PARTITION_BITS_MAX}, {2, 0, CELL_DEPTH_MAX}, {1, 1, REPLICAS_MAX}};
    for (size_t i = 0; i < 3; i++) {
        uint8_t *at = bytes + out.size - ranges[i].back, kept = *at;
        for (unsigned value = 0; value <= 0xff; value++) {
            *at = (uint8_t)value;
            assert_int_equal(record_founding_of(bytes, out.size, &got),
                             value >= ranges[i].low && value <= ranges[i].high ? STATUS_OK
                                                                               : STATUS_BAD);
        }
        *at = kept;
    }
    sent.replicas = 0;
    assert_int_equal(wire_founding_encode(&sent, &out), STATUS_BAD);
}

static void what_does_not_fit_leaves_the_writer_as_it_was(void **state)
{
    (void)state;
    uint8_t bytes[SELF_RECORD_SIZE_MAX];
    struct self_record self = record_self();
    struct place_record place = record_place();
    struct founding_record founding = record_founding();
    struct writer whole[3];
    for (unsigned i = 0; i < 3; i++)
        whole[i] = writer_over(bytes, sizeof bytes);
    assert_int_equal(wire_self_encode(&self, record_cluster, &whole[0]), STATUS_OK);
    assert_int_equal(wire_place_encode(&place, &whole[1]), STATUS_OK);
    assert_int_equal(wire_founding_encode(&founding, &whole[2]), STATUS_OK);
    for (size_t room = 0; room < sizeof bytes; room++) {
        for (unsigned i = 0; i < 3; i++) {
            struct writer out = writer_over(bytes, room);
            enum status status = i == 0   ? wire_self_encode(&self, record_cluster, &out)
                                 : i == 1 ? wire_place_encode(&place, &out)
                                          : wire_founding_encode(&founding, &out);
            bool is_enough = room >= whole[i].size;
            assert_int_equal(status, is_enough ? STATUS_OK : STATUS_FULL);
            assert_int_equal(out.size, is_enough ? whole[i].size : 0);
            assert_false(out.is_full);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_self_record_comes_back),
        cmocka_unit_test(the_greatest_self_record_fits),
        cmocka_unit_test(a_record_of_another_cluster_is_foreign),
        cmocka_unit_test(a_self_record_out_of_range_is_not_written),
        cmocka_unit_test(a_self_record_out_of_range_is_not_read),
        cmocka_unit_test(place_records_come_back_and_keep_their_ranges),
        cmocka_unit_test(namespace_records_come_back_and_keep_their_ranges),
        cmocka_unit_test(founding_records_come_back_and_keep_their_ranges),
        cmocka_unit_test(what_does_not_fit_leaves_the_writer_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
