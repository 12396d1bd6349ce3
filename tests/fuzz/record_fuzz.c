/* Records: the first byte chooses which, the rest is the record. One value has one spelling: what
 * is accepted is written again as the same bytes, except a self record with tags, which we skip. */
#include "ensure.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The cluster of the golden vectors, so that they are good seeds. */
static const uint8_t cluster[CLUSTER_ID_SIZE] = {0xc0, 1, 2,  3,  4,  5,  6,  7,
                                                 8,    9, 10, 11, 12, 13, 14, 15};

static void check_self(struct slice bytes)
{
    uint8_t room[SELF_RECORD_SIZE_MAX];
    struct writer out = writer_over(room, sizeof room);
    struct self_record self;
    struct slice part, signature;
    if (wire_self_decode(bytes, cluster, &self, &part, &signature) != STATUS_OK)
        return;
    ensure(part.size + signature.size == bytes.size);
    ensure(wire_self_encode(&self, cluster, &out) == STATUS_OK);
    ensure(out.size <= part.size);
    ensure(out.size < part.size || slice_equal(writer_done(&out), part));
}

static void check_place(struct slice bytes)
{
    uint8_t room[PLACE_RECORD_SIZE_MAX];
    struct writer out = writer_over(room, sizeof room);
    struct place_record place;
    if (wire_place_decode(bytes, &place) != STATUS_OK)
        return;
    ensure(wire_place_encode(&place, &out) == STATUS_OK);
    ensure(slice_equal(writer_done(&out), bytes));
}

static void check_founding(struct slice bytes)
{
    uint8_t room[256];
    struct writer out = writer_over(room, sizeof room);
    struct founding_record founding;
    if (wire_founding_decode(bytes, &founding) != STATUS_OK)
        return;
    ensure(wire_founding_encode(&founding, &out) == STATUS_OK);
    ensure(slice_equal(writer_done(&out), bytes));
}

static void check_space(struct slice bytes)
{
    uint8_t room[NAMESPACE_RECORD_SIZE_MAX];
    struct writer out = writer_over(room, sizeof room);
    struct space_record space;
    if (wire_space_decode(bytes, &space) != STATUS_OK)
        return;
    ensure(wire_space_encode(&space, &out) == STATUS_OK);
    ensure(slice_equal(writer_done(&out), bytes));
}

static void check_contacts(struct slice bytes)
{
    struct reader in = reader_over(bytes);
    while (reader_left(&in) > 0) {
        size_t at = in.at;
        uint8_t room[WIRE_CONTACT_SIZE_MAX];
        struct writer out = writer_over(room, sizeof room);
        struct contact contact;
        wire_contact_read(&in, &contact);
        if (in.is_bad)
            return;
        wire_contact_write(&out, &contact);
        ensure(slice_equal(writer_done(&out), slice_of(bytes.data + at, in.at - at)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice bytes = slice_of(data + 1, size - 1);
    switch (data[0] % 5) {
    case 0:
        check_self(bytes);
        break;
    case 1:
        check_place(bytes);
        break;
    case 2:
        check_founding(bytes);
        break;
    case 3:
        check_contacts(bytes);
        break;
    case 4:
        check_space(bytes);
        break;
    }
    return 0;
}
