/* place_space_test.c: settings of namespaces: one list whatever the order, and what follows from
 * it. */
#include "place_fixture.h"

static const uint8_t seed[HASH_SEED_SIZE] = "a seed of 16 by";

static struct space_record record_of(const char *name, uint64_t stamp, uint64_t by)
{
    struct space_record record = {.name_size = (uint8_t)strlen(name), .stamp = stamp, .by = by};

    memcpy(record.name, name, strlen(name));
    return record;
}

/* Eight records of one name, of which no two are equal. */
static struct space_record variant(unsigned number)
{
    struct space_record record = record_of("app", number & 1 ? 2 : 1, number & 2 ? 9 : 8);

    record.settings.set = SPACE_TTL;
    record.settings.ttl_ms = number & 4 ? 5000 : 0;
    return record;
}

/* The number of replicas has a last writer of its own: whatever was set last of either stays. */
static void test_replicas_are_not_taken_back(void **state)
{
    struct space_record records[4] = {record_of("app", 5, 8), record_of("app", 6, 8),
                                      record_of("app", 9, 9), record_of("app", 7, 9)};
    uint64_t digest = 0;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        records[i].settings =
            (struct space_settings){.set = SPACE_REPLICAS, .replicas = (uint8_t)(i + 1)};
        records[i].replicas_stamp = records[i].stamp;
    }
    records[2].settings = (struct space_settings){.set = SPACE_TTL, .ttl_ms = 5000};
    records[3].is_deleted = true;
    for (unsigned i = 0; i < 256; i++) {
        const unsigned order[] = {i % 4, i / 4 % 4, i / 16 % 4, i / 64};
        struct place_spaces *spaces = place_spaces_new(seed);
        const struct space_record *end;
        unsigned mask = 0;

        for (unsigned k = 0; k < 4; k++) {
            enum status status = place_spaces_merge(spaces, &records[order[k]]);

            assert_true(status == STATUS_OK || status == STATUS_STALE);
            mask |= 1u << order[k];
        }
        end = place_spaces_find(spaces, slice_text("app"));
        if (mask == 15) {
            assert_int_equal(end->settings.set, SPACE_TTL | SPACE_REPLICAS);
            assert_int_equal(end->settings.replicas, 2);
            assert_false(end->is_deleted);
            assert_int_equal(place_spaces_replicas(spaces, slice_text("app")), 2);
            digest = digest ? digest : place_spaces_digest(spaces);
            assert_true(digest == place_spaces_digest(spaces));
        }
        place_spaces_delete(spaces);
    }
    assert_true(digest != 0);
}

static void test_any_order_ends_alike(void **state)
{
    uint64_t expected[512] = {0};

    (void)state;
    for (unsigned i = 0; i < 512; i++) {
        const unsigned order[] = {i % 8, i / 8 % 8, i / 64};
        struct place_spaces *spaces = place_spaces_new(seed);
        unsigned mask = 0;

        for (unsigned k = 0; k < 3; k++) {
            struct space_record record = variant(order[k]);
            enum status status = place_spaces_merge(spaces, &record);

            assert_true(status == STATUS_OK || status == STATUS_STALE);
            assert_int_equal(place_spaces_merge(spaces, &record), STATUS_STALE);
            mask |= 1u << order[k];
        }
        assert_int_equal(place_spaces_count(spaces), 1);
        if (expected[mask] == 0)
            expected[mask] = place_spaces_digest(spaces);
        assert_true(expected[mask] == place_spaces_digest(spaces));
        place_spaces_delete(spaces);
    }
}

static void test_a_name_is_found_among_many(void **state)
{
    struct place_spaces *spaces = place_spaces_new(seed);
    char name[16];

    (void)state;
    assert_true(place_spaces_digest(spaces) == 0);
    for (unsigned i = 0; i < NAMESPACES_MAX; i++) {
        struct space_record record;

        (void)snprintf(name, sizeof(name), "n%u", i * 7919 % 1000);
        record = record_of(name, i + 1, 1);
        assert_int_equal(place_spaces_merge(spaces, &record), STATUS_OK);
        assert_int_equal(place_spaces_find(spaces, slice_text(name))->stamp, i + 1);
    }
    struct space_record more = record_of("stranger", 1, 1), known = record_of("n0", 9000, 1);

    assert_int_equal(place_spaces_merge(spaces, &more), STATUS_FULL);
    assert_int_equal(place_spaces_merge(spaces, &known), STATUS_OK);
    assert_null(place_spaces_find(spaces, slice_text("stranger")));
    for (uint32_t i = 1; i < place_spaces_count(spaces); i++)
        assert_true(slice_compare(slice_of(place_spaces_at(spaces, i - 1)->name,
                                           place_spaces_at(spaces, i - 1)->name_size),
                                  slice_of(place_spaces_at(spaces, i)->name,
                                           place_spaces_at(spaces, i)->name_size)) < 0);
    place_spaces_delete(spaces);
}

static void test_what_is_not_set_is_that_of_the_default(void **state)
{
    struct place_spaces *spaces = place_spaces_new(seed);
    struct space_record defaults = record_of("_default", 1, 1), app = record_of("app", 1, 1);
    struct space_settings settings = {SPACE_ALL, 3, 2, CONFLICT_SIBLINGS, 0};

    (void)state;
    place_spaces_apply(spaces, slice_text("app"), &settings);
    assert_int_equal(settings.conflict, CONFLICT_SIBLINGS);
    defaults.settings =
        (struct space_settings){SPACE_CONFLICT | SPACE_TTL, 0, 0, CONFLICT_LWW, 9000};
    app.settings = (struct space_settings){SPACE_TTL | SPACE_CONSISTENCY, 0, 1, 0, 0};
    assert_int_equal(place_spaces_merge(spaces, &defaults), STATUS_OK);
    assert_int_equal(place_spaces_merge(spaces, &app), STATUS_OK);
    place_spaces_apply(spaces, slice_text("app"), &settings);
    assert_int_equal(settings.replicas, 3);
    assert_int_equal(settings.consistency, 1);
    assert_int_equal(settings.conflict, CONFLICT_LWW);
    assert_true(settings.ttl_ms == 0); /* set for app, though to nothing */
    place_spaces_apply(spaces, slice_text("other"), &settings);
    assert_true(settings.ttl_ms == 9000);
    app = record_of("app", 2, 1); /* deleted: the defaults again */
    app.is_deleted = true;
    assert_int_equal(place_spaces_merge(spaces, &app), STATUS_OK);
    settings = (struct space_settings){SPACE_ALL, 3, 2, CONFLICT_SIBLINGS, 0};
    place_spaces_apply(spaces, slice_text("app"), &settings);
    assert_true(settings.ttl_ms == 9000);
    assert_int_equal(settings.consistency, 2);
    place_spaces_delete(spaces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replicas_are_not_taken_back),
        cmocka_unit_test(test_any_order_ends_alike),
        cmocka_unit_test(test_a_name_is_found_among_many),
        cmocka_unit_test(test_what_is_not_set_is_that_of_the_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
