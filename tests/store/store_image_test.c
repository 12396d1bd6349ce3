/* store_image_test.c: power cuts. A writer commits numbered batches while a preloaded shim
 * (crash_shim.c) notes all it does to its files. From that, disks are made as a power cut at any
 * moment could leave them, and each is opened:
 *
 *   what was synced                            is there
 *   entries of directories made since          a prefix of them, in order
 *   bytes of each file written since           a prefix, perhaps cut within a write
 *
 *   acknowledged ⊆ recovered ⊆ attempted,  batches are whole,  none is missing before one that is
 * there
 *
 * CRASH_IMAGES says how many disks (200); CRASH_SEED which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "bytes.h"
#include "ensure.h"
#include "host_rocks.h"
#include "host_storage.h"
#include "prng.h"
#include "scratch.h"
#include "store.h"

#define SESSIONS 4u /* openings of the writer: logs become tables, manifests are replaced */
#define BATCHES 90u /* per session */
#define IN_FLIGHT 12u
#define ROWS_PER_BATCH 3u
#define VALUE_MAX 24000u
#define OPS_MAX 200000u
#define FILES_MAX 4096u
#define SAID_ACKNOWLEDGED ((uint64_t)1 << 63)
#define ACK_NAME "/ack"

enum kind { CREATE = 1, WRITE, SYNC, RENAME, UNLINK, TRUNCATE };

/* --- rows: everything follows from the numbers of batch and row */

static struct slice row_key(uint64_t batch, unsigned row, uint8_t room[STORE_KEY_SIZE_MAX])
{
    char name[40];

    snprintf(name, sizeof name, "%llu/%u", (unsigned long long)batch, row);
    return store_key_obj(batch * 0x9e3779b97f4a7c15u, slice_text("ns"), slice_text(name), room);
}

static struct slice row_value(uint64_t batch, unsigned row, uint8_t room[VALUE_MAX])
{
    struct prng prng;
    size_t size;

    prng_init(&prng, batch * ROWS_PER_BATCH + row);
    size = (size_t)prng_between(&prng, 8, prng_chance(&prng, 1, 30) ? VALUE_MAX - 1 : 300);
    memset(room, (int)(batch & 0xff), size);
    bytes_store_u64(room, batch);
    return slice_of(room, size);
}

/* --- the writer */

struct writer_state {
    int ack, wake[2];
    unsigned in_flight;
};

static void wake_by_pipe(void *context)
{
    uint8_t byte = 0;

    ensure(write(*(int *)context, &byte, 1) == 1);
}

static void say(const struct writer_state *state, uint64_t what)
{
    ensure(write(state->ack, &what, sizeof what) == sizeof what);
}

static void writer_stored(void *context, struct event *event)
{
    struct writer_state *state = context;

    ensure(event->kind == EVENT_STORED && event->stored.status == STATUS_OK);
    state->in_flight--;
    say(state, event->stored.write | SAID_ACKNOWLEDGED);
}

static void write_batch(struct host_storage *storage, uint64_t batch)
{
    uint8_t keys[ROWS_PER_BATCH][STORE_KEY_SIZE_MAX];
    uint8_t *values = malloc(ROWS_PER_BATCH * VALUE_MAX);
    struct store_row rows[ROWS_PER_BATCH];

    ensure(values != NULL);
    for (unsigned i = 0; i < ROWS_PER_BATCH; i++) {
        rows[i] = (struct store_row){.family = STORE_OBJ};
        rows[i].key = row_key(batch, i, keys[i]);
        rows[i].value = row_value(batch, i, values + i * VALUE_MAX);
    }
    host_storage_write(storage, batch, rows, ROWS_PER_BATCH);
    free(values);
}

static void run_session(struct writer_state *state, const char *directory, uint64_t first)
{
    struct host_storage_config config = {.directory = directory,
                                         .cache_size = 8u << 20,
                                         .commit_ops = 1024,
                                         .commit_bytes = 4u << 20,
                                         .mark_interval_ms = 20,
                                         .wake = wake_by_pipe,
                                         .wake_context = &state->wake[1]};
    char detail[HOST_DETAIL_SIZE];
    struct host_storage *storage;
    bool is_recovering;
    struct prng prng;

    ensure(host_storage_open(&storage, &config, &is_recovering, detail) == STATUS_OK);
    ensure(!is_recovering);
    prng_init(&prng, first + 1);
    for (uint64_t batch = first; batch < first + BATCHES || state->in_flight > 0;) {
        uint64_t burst = prng_between(&prng, 1, IN_FLIGHT);
        uint8_t bytes[64];

        while (state->in_flight < burst && batch < first + BATCHES) {
            say(state, batch);
            write_batch(storage, batch++);
            state->in_flight++;
        }
        ensure(!host_storage_flush(storage));
        ensure(read(state->wake[0], bytes, sizeof bytes) > 0);
        host_storage_poll(storage, UINT32_MAX, writer_stored, state);
    }
    host_storage_close(storage);
}

static int run_writer(const char *directory)
{
    struct writer_state state = {0};
    char path[HOST_PATH_SIZE];

    snprintf(path, sizeof path, "%s" ACK_NAME, directory);
    state.ack = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ensure(state.ack >= 0 && pipe(state.wake) == 0);
    for (unsigned session = 0; session < SESSIONS; session++)
        run_session(&state, directory, (uint64_t)session * BATCHES);
    return 0;
}

/* --- what the writer did */

struct note {
    enum kind kind;
    uint64_t began, offset;
    const char *path, *other; /* owned, below the root; "" is the root */
    const uint8_t *data;
    uint32_t size;
};

struct history {
    uint8_t *bytes;   /* owned: the log */
    struct note *ops; /* owned */
    uint32_t count;
};

static const char *path_copy(struct reader *in, size_t size, size_t root)
{
    struct slice bytes = read_slice(in, size);
    char *copy = calloc(1, size + 1);

    assert_true(!in->is_bad && copy != NULL);
    if (size > 0)
        memcpy(copy, bytes.data, size);
    if (size >= root)
        memmove(copy, copy + root, size - root + 1);
    return copy;
}

static uint64_t read_number(struct reader *in, unsigned size) /* as the machine lays it */
{
    struct slice bytes = read_slice(in, size);
    uint64_t number = 0;

    for (unsigned i = size; bytes.size == size && i-- > 0;)
        number = number << 8 | bytes.data[i];
    return number;
}

static void history_read(struct history *history, const char *log, const char *root)
{
    FILE *file = fopen(log, "re");
    struct reader in;
    long size;

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    rewind(file);
    history->bytes = malloc((size_t)size + 1);
    history->ops = calloc(OPS_MAX, sizeof *history->ops);
    assert_true(history->bytes != NULL && history->ops != NULL);
    assert_int_equal(fread(history->bytes, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    in = reader_over(slice_of(history->bytes, (size_t)size));
    while (reader_left(&in) > 0) {
        struct note *op = &history->ops[history->count++];
        size_t path_size, other_size;

        assert_true(history->count < OPS_MAX);
        op->kind = (enum kind)read_number(&in, 1);
        op->began = read_number(&in, 8);
        op->offset = read_number(&in, 8);
        path_size = (size_t)read_number(&in, 2);
        other_size = (size_t)read_number(&in, 2);
        op->size = (uint32_t)read_number(&in, 4);
        op->path = path_copy(&in, path_size, strlen(root));
        op->other = path_copy(&in, other_size, strlen(root));
        op->data = read_slice(&in, op->size).data;
        assert_false(in.is_bad);
    }
}

static void history_free(struct history *history)
{
    for (uint32_t i = 0; i < history->count; i++) {
        free((void *)(uintptr_t)history->ops[i].path);
        free((void *)(uintptr_t)history->ops[i].other);
    }
    free(history->ops);
    free(history->bytes);
}

/* --- a disk after a power cut */

/* A file, whatever it is called by now. */
struct file {
    const char *name;       /* at the time that is being looked at; NULL: none */
    uint32_t durable, kept; /* ops below it are synced; reach the disk */
    bool is_torn;           /* the last of those only in part */
    uint8_t *bytes;         /* owned */
    size_t size;
};

struct image {
    struct file files[FILES_MAX];
    uint32_t count;
    uint32_t owner[OPS_MAX]; /* the file an op is about, + 1 */
    uint32_t cut, names;     /* ops before the cut; those on names below `names` reach the disk */
};

static bool is_name_op(const struct note *op)
{
    return op->kind == CREATE || op->kind == RENAME || op->kind == UNLINK;
}

static struct file *image_find(struct image *image, const char *name)
{
    for (uint32_t i = image->count; i-- > 0;)
        if (image->files[i].name != NULL && strcmp(image->files[i].name, name) == 0)
            return &image->files[i];
    return NULL;
}

static void image_rename(struct image *image, const struct note *op)
{
    struct file *file = image_find(image, op->path), *replaced;

    if (op->kind == UNLINK) {
        if (file != NULL)
            file->name = NULL;
        return;
    }
    replaced = image_find(image, op->other);
    if (replaced != NULL)
        replaced->name = NULL;
    if (file != NULL)
        file->name = op->other;
}

/* Finds which file each op is about, and what is durable at the cut. */
static void image_follow(struct image *image, const struct history *history)
{
    for (uint32_t i = 0; i < image->cut; i++) {
        const struct note *op = &history->ops[i];
        struct file *file;

        if (op->kind == CREATE) {
            assert_true(image->count < FILES_MAX);
            image->files[image->count++] = (struct file){.name = op->path};
        } else if (op->kind == RENAME || op->kind == UNLINK) {
            image_rename(image, op);
            continue;
        }
        file = image_find(image, op->path);
        if (file != NULL)
            image->owner[i] = (uint32_t)(file - image->files) + 1;
        if (op->kind == SYNC && file != NULL && op->began > file->durable)
            file->durable = (uint32_t)op->began;
        if (op->kind == SYNC && file == NULL && op->began > image->names)
            image->names = (uint32_t)op->began; /* of a directory */
    }
}

static void image_draw(struct image *image, struct prng *prng)
{
    bool is_all = prng_chance(prng, 1, 4), is_none = !is_all && prng_chance(prng, 1, 3);

    if (is_all)
        image->names = image->cut;
    else if (!is_none)
        image->names = (uint32_t)prng_between(prng, image->names, image->cut);
    for (uint32_t i = 0; i < image->count; i++) {
        struct file *file = &image->files[i];

        file->kept = is_none  ? file->durable
                     : is_all ? image->cut
                              : (uint32_t)prng_between(prng, file->durable, image->cut);
        file->is_torn = !is_none && prng_chance(prng, 1, 3);
    }
}

static void file_write(struct file *file, const struct note *op, size_t size)
{
    size_t end = (size_t)op->offset + size;

    if (op->kind == TRUNCATE)
        end = (size_t)op->offset;
    if (end > file->size || op->kind == TRUNCATE) {
        file->bytes = realloc(file->bytes, end + 1);
        assert_non_null(file->bytes);
        if (end > file->size)
            memset(file->bytes + file->size, 0, end - file->size);
        file->size = end;
    }
    if (op->kind == WRITE && size > 0)
        memcpy(file->bytes + op->offset, op->data, size);
}

static void image_fill(struct image *image, const struct history *history, struct prng *prng)
{
    for (uint32_t i = 0; i < image->cut; i++) {
        const struct note *op = &history->ops[i];
        struct file *file = image->owner[i] > 0 ? &image->files[image->owner[i] - 1] : NULL;

        if (file == NULL || (op->kind != WRITE && op->kind != TRUNCATE))
            continue;
        if (i < file->kept) {
            file_write(file, op, op->size);
        } else if (file->is_torn && op->kind == WRITE) {
            file->is_torn = false; /* the first one that is lost was on its way */
            file_write(file, op, (size_t)prng_below(prng, op->size + 1u));
            file->kept = 0;
        } else {
            file->is_torn = false;
            file->kept = 0;
        }
    }
}

/* Names as they reach the disk: a prefix of what was done to them. */
static void image_name(struct image *image, const struct history *history)
{
    uint32_t file = 0;

    for (uint32_t i = 0; i < image->count; i++)
        image->files[i].name = NULL;
    for (uint32_t i = 0; i < image->cut; i++) {
        const struct note *op = &history->ops[i];

        if (!is_name_op(op))
            continue;
        if (op->kind == CREATE)
            image->files[file++].name = i < image->names ? op->path : NULL;
        else if (i < image->names)
            image_rename(image, op);
    }
}

static void image_write(const struct image *image, const char *directory)
{
    char path[HOST_PATH_SIZE];

    snprintf(path, sizeof path, "%s/db", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    for (uint32_t i = 0; i < image->count; i++) {
        const struct file *file = &image->files[i];
        FILE *out;

        if (file->name == NULL || strcmp(file->name, ACK_NAME) == 0)
            continue;
        snprintf(path, sizeof path, "%s%s", directory, file->name);
        out = fopen(path, "we");
        assert_non_null(out);
        assert_int_equal(fwrite(file->bytes, 1, file->size, out), file->size);
        assert_int_equal(fclose(out), 0);
    }
}

static void image_make(struct image *image, const struct history *history, struct prng *prng,
                       const char *directory)
{
    memset(image, 0, sizeof *image);
    image->cut = (uint32_t)prng_between(prng, 20, history->count);
    image_follow(image, history);
    image_draw(image, prng);
    image_fill(image, history, prng);
    image_name(image, history);
    image_write(image, directory);
    for (uint32_t i = 0; i < image->count; i++)
        free(image->files[i].bytes);
}

/* --- what is found on it */

struct tally {
    unsigned images, recovering;
    uint64_t acknowledged, recovered, attempted;
};

static unsigned rows_found(const struct store *store, uint64_t batch)
{
    static uint8_t value_room[VALUE_MAX];
    uint8_t key_room[STORE_KEY_SIZE_MAX];
    unsigned found = 0;

    for (unsigned i = 0; i < ROWS_PER_BATCH; i++) {
        struct store_pin pin = {.handle = NULL};
        enum status status =
            store->get(store->context, STORE_OBJ, row_key(batch, i, key_room), &pin);

        assert_true(status == STATUS_OK || status == STATUS_MISSING);
        if (status == STATUS_MISSING)
            continue;
        assert_true(slice_equal(pin.value, row_value(batch, i, value_room)));
        store->release(store->context, &pin);
        found++;
    }
    return found;
}

/* Reads from the history what had been said before the cut. */
static void heard(const struct history *history, uint32_t cut, uint64_t *attempted, bool *acks)
{
    *attempted = 0;
    memset(acks, 0, SESSIONS * BATCHES * sizeof *acks);
    for (uint32_t i = 0; i < cut; i++) {
        const struct note *op = &history->ops[i];
        uint64_t said;

        if (op->kind != WRITE || strcmp(op->path, ACK_NAME) != 0)
            continue;
        memcpy(&said, op->data, sizeof said);
        if (said & SAID_ACKNOWLEDGED)
            acks[said & ~SAID_ACKNOWLEDGED] = true;
        else
            *attempted = said + 1;
    }
}

static void check(const struct history *history, const struct image *image, const char *directory,
                  struct tally *tally)
{
    static const struct host_rocks_options options = {.cache_size = 8u << 20, .may_refill = true};
    static bool acks[SESSIONS * BATCHES];
    char detail[HOST_DETAIL_SIZE];
    bool is_recovering, is_over = false;
    struct host_rocks *rocks;
    struct store store;
    uint64_t attempted;
    enum status status = host_rocks_open(&rocks, directory, &options, &is_recovering, detail);

    if (status != STATUS_OK)
        print_message("cut at %u, names at %u: %s\n", image->cut, image->names, detail);
    assert_int_equal(status, STATUS_OK); /* cut short in its first moments it is made anew */
    store = host_rocks_ports_blocking(rocks);
    heard(history, image->cut, &attempted, acks);
    for (uint64_t batch = 0; batch < SESSIONS * BATCHES; batch++) {
        unsigned found = rows_found(&store, batch);

        if (found > 0 ? found < ROWS_PER_BATCH || batch >= attempted || is_over : acks[batch])
            print_message("cut at %u, names at %u: %u rows of batch %llu, acknowledged %d\n",
                          image->cut, image->names, found, (unsigned long long)batch, acks[batch]);
        assert_true(found == 0 || (found == ROWS_PER_BATCH && batch < attempted && !is_over));
        assert_true(found > 0 || !acks[batch]);
        is_over |= found == 0;
        tally->acknowledged += acks[batch];
        tally->recovered += found > 0;
    }
    tally->attempted += attempted;
    tally->recovering += is_recovering;
    tally->images++;
    host_rocks_close(rocks);
}

static void record(const char *directory, const char *log)
{
    char self[] = "/proc/self/exe", path[SCRATCH_SIZE], preload[600], root[100], to[100];
    char *arguments[] = {self, path, NULL};
    char *environment[] = {preload, root, to, NULL};
    const char *shim = getenv("CRASH_SHIM");
    pid_t child;
    int how;

    assert_non_null(shim);
    snprintf(path, sizeof path, "%s", directory);
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", shim);
    snprintf(root, sizeof root, "CRASH_ROOT=%s", directory);
    snprintf(to, sizeof to, "CRASH_LOG=%s", log);
    assert_int_equal(posix_spawn(&child, self, NULL, NULL, arguments, environment), 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

static void test_D14_images_of_power_cuts(void **state)
{
    unsigned images = from_environment("CRASH_IMAGES", 200);
    struct image *image = malloc(sizeof *image);
    struct history history = {0};
    struct tally tally = {0};
    char work[SCRATCH_SIZE], logs[SCRATCH_SIZE], log[SCRATCH_SIZE + 8];
    struct prng prng;

    (void)state;
    assert_non_null(image);
    prng_init(&prng, from_environment("CRASH_SEED", 11));
    scratch_make(work);
    scratch_make(logs);
    snprintf(log, sizeof log, "%s/log", logs);
    record(work, log);
    history_read(&history, log, work);
    for (unsigned i = 0; i < images; i++) {
        char directory[SCRATCH_SIZE];

        scratch_make(directory);
        image_make(image, &history, &prng, directory);
        check(&history, image, directory, &tally);
        scratch_remove(directory);
    }
    print_message("%u disks of %u operations: %llu batches attempted, %llu recovered, %llu "
                  "acknowledged; %u in recovery\n",
                  tally.images, history.count, (unsigned long long)tally.attempted,
                  (unsigned long long)tally.recovered, (unsigned long long)tally.acknowledged,
                  tally.recovering);
    assert_true(tally.acknowledged <= tally.recovered && tally.recovered <= tally.attempted);
    assert_true(images < 50 || tally.recovered > tally.acknowledged);
    scratch_remove(work);
    scratch_remove(logs);
    history_free(&history);
    free(image);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D14_images_of_power_cuts),
    };

    if (count == 2)
        return run_writer(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
