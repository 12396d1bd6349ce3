/* cli_archive_test.c: what is written is read; what was changed, cut or lengthened is refused. */
#include "cli_fixture.h"

#include "cli_archive.h"
#include "rows.h"

static char name[32];
static struct archive archive; /* large */

static struct slice rows_make(uint8_t room[200], const char *first, const char *second)
{
    struct writer out = writer_over(room, 200);

    row_write(&out, &(struct row){slice_text("n"), slice_text(first), slice_text("object")});
    row_write(&out, &(struct row){slice_text("n"), slice_text(second), slice_text("another")});
    return writer_done(&out);
}

/* An archive of a header and two blocks of two rows each. */
static void make(void)
{
    uint8_t room[200];
    int fd;

    snprintf(name, sizeof(name), "/tmp/gossamer-arc-XXXXXX");
    fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
    assert_true(archive_create(&archive, name));
    assert_true(archive_put(&archive, ARCHIVE_HEADER, slice_text("{\"format\":1}")));
    assert_true(archive_put(&archive, ARCHIVE_ROWS, rows_make(room, "a", "b")));
    assert_true(archive_put(&archive, ARCHIVE_ROWS, rows_make(room, "c", "d")));
    assert_true(archive_finish(&archive));
    archive_close(&archive);
}

/* Reads all of it; END when it is whole. */
static enum status read_all(uint64_t *rows)
{
    enum status status = STATUS_BAD;
    enum archive_kind kind;
    struct slice bytes;

    if (archive_open(&archive, name))
        while ((status = archive_next(&archive, &kind, &bytes)) == STATUS_OK)
            continue;
    *rows = archive.totals.rows;
    archive_close(&archive);
    return status;
}

static size_t load(uint8_t *bytes, size_t size)
{
    FILE *file = fopen(name, "rb");
    size_t got = fread(bytes, 1, size, file);

    fclose(file);
    return got;
}

static void store(const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");

    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void test_what_is_written_is_read(void **state)
{
    uint64_t rows;

    (void)state;
    make();
    assert_int_equal(read_all(&rows), STATUS_END);
    assert_int_equal(rows, 4);
    unlink(name);
}

static void test_what_is_not_finished_has_no_name(void **state)
{
    uint8_t room[200];
    char partial[40];

    (void)state;
    make();
    unlink(name);
    snprintf(partial, sizeof(partial), "%s.partial", name);
    assert_true(archive_create(&archive, name));
    assert_true(archive_put(&archive, ARCHIVE_ROWS, rows_make(room, "a", "b")));
    assert_int_equal(access(partial, R_OK), 0);
    assert_int_not_equal(access(name, R_OK), 0);
    archive_close(&archive);
    assert_int_not_equal(access(partial, R_OK), 0);
    assert_false(archive_create(&archive, "/nowhere/at/all"));
    assert_has(archive.trouble, "cannot write /nowhere/at/all.partial");
    archive_close(&archive);
}

/* Every single byte, changed, makes the archive one that is refused. */
static void test_every_damage_is_noticed(void **state)
{
    uint8_t bytes[2000];
    uint64_t rows;
    size_t size;

    (void)state;
    make();
    size = load(bytes, sizeof(bytes));
    assert_in_range(size, 100, 1000);
    for (size_t at = 0; at < size; at++) {
        bytes[at] ^= 0x40;
        store(bytes, size);
        assert_int_equal(read_all(&rows), STATUS_BAD);
        assert_true(archive.trouble[0] != 0);
        bytes[at] ^= 0x40;
    }
    store(bytes, size);
    assert_int_equal(read_all(&rows), STATUS_END);
    unlink(name);
}

static void test_every_truncation_is_noticed(void **state)
{
    uint8_t bytes[2000];
    uint64_t rows;
    size_t size;

    (void)state;
    make();
    size = load(bytes, sizeof(bytes));
    for (size_t cut = 0; cut < size; cut++) {
        store(bytes, cut);
        assert_int_equal(read_all(&rows), STATUS_BAD);
        assert_has(archive.trouble, cut < 8 ? "no archive" : "cut short");
    }
    bytes[size] = 0;
    store(bytes, size + 1);
    assert_int_equal(read_all(&rows), STATUS_BAD);
    assert_has(archive.trouble, "more behind its end");
    unlink(name);
}

/* Blocks that are whole in themselves, but not the ones that belong there. */
static void test_blocks_cannot_be_moved_or_left_out(void **state)
{
    uint8_t bytes[2000], other[2000];
    size_t size, starts[5], count = 0, at = ARCHIVE_PREFACE_SIZE;
    uint64_t rows;

    (void)state;
    make();
    size = load(bytes, sizeof(bytes));
    while (at < size) {
        starts[count++] = at;
        at += ARCHIVE_BLOCK_HEAD + (size_t)(bytes[at + 10] << 8 | bytes[at + 11]);
    }
    assert_int_equal(count, 4);
    memcpy(other, bytes, starts[2]); /* without the second block of rows */
    memcpy(other + starts[2], bytes + starts[3], size - starts[3]);
    store(other, size - (starts[3] - starts[2]));
    assert_int_equal(read_all(&rows), STATUS_BAD);
    assert_has(archive.trouble, "fails its checksum");
    memcpy(other, bytes, size); /* the first twice: both are of one size */
    assert_int_equal(starts[2] - starts[1], starts[3] - starts[2]);
    memcpy(other + starts[2], bytes + starts[1], starts[2] - starts[1]);
    store(other, size);
    assert_int_equal(read_all(&rows), STATUS_BAD);
    unlink(name);
}

static void test_what_is_no_rows_is_not_put(void **state)
{
    (void)state;
    make();
    assert_true(archive_create(&archive, name));
    assert_false(archive_put(&archive, ARCHIVE_ROWS, slice_text("no rows at all")));
    assert_has(archive.trouble, "no row");
    archive_close(&archive);
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_what_is_not_finished_has_no_name),
        cmocka_unit_test(test_every_damage_is_noticed),
        cmocka_unit_test(test_every_truncation_is_noticed),
        cmocka_unit_test(test_blocks_cannot_be_moved_or_left_out),
        cmocka_unit_test(test_what_is_no_rows_is_not_put),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
