/* quorum_bench.h: a quorum whose outputs are kept as text and bytes, for the tests of this room.
 * Owner 1 is this peer; ids are 1, 2, 3, ... */
#ifndef GOSSAMER_QUORUM_BENCH_H
#define GOSSAMER_QUORUM_BENCH_H

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include "quorum.h"

#define BENCH_LOG_MAX 4096

struct bench {
    struct quorum *quorum;
    char log[BENCH_LOG_MAX]; /* one word per output since the last bench_expect */
    size_t log_size;
    uint8_t object[4096]; /* of the last DONE or SEND_PUT or REPAIR_LOCAL */
    size_t object_size;
    struct hash16 digest; /* of the last SEND_GET */
    enum status status;   /* of the last DONE */
    enum outcome outcome;
    char reach[64]; /* of the last DONE, if it is truncated */
    uint8_t acks, required, total;
    bool is_settled;
    uint8_t apart; /* of the first rows of the last SCAN */
    enum quorum_search search;
    char items[2048]; /* of the last DONE: "key/siblings/size " */
    unsigned spreads; /* SPREAD seen */
    instant told;     /* of the last one */
    char lacking[64]; /* of the last one: "2-5 " is 2, with status 5 */
    char roles[256];  /* of the last DONE: "2+ 3-5 " is 2 answered, 3 failed with status 5 */
};

static inline void bench_log(struct bench *bench, const char *word, uint64_t number)
{
    int size = snprintf(bench->log + bench->log_size, BENCH_LOG_MAX - bench->log_size, "%s%s%llu",
                        bench->log_size > 0 ? " " : "", word, (unsigned long long)number);

    assert_true(size > 0);
    bench->log_size += (size_t)size;
    assert_true(bench->log_size < BENCH_LOG_MAX);
}

static inline void bench_done(struct bench *bench, const struct quorum_output *output)
{
    size_t at = 0;

    bench->status = output->status;
    bench->outcome = output->outcome;
    (void)snprintf(bench->reach, sizeof(bench->reach), "%.*s",
                   output->is_truncated ? (int)output->reach.size : 0,
                   (const char *)output->reach.data);
    bench->acks = output->acks;
    bench->required = output->required;
    bench->total = output->total;
    bench->is_settled = output->is_settled;
    bench->apart = output->apart != NULL ? output->apart[0] : 0;
    bench->search = output->search;
    bench->items[0] = bench->roles[0] = 0;
    for (uint32_t i = 0; output->items != NULL && i < output->item_count; i++)
        at += (size_t)snprintf(bench->items + at, sizeof(bench->items) - at, "%.*s/%u/%u ",
                               (int)output->items[i].key.size,
                               (const char *)output->items[i].key.data, output->items[i].siblings,
                               output->items[i].winner.body_size);
    if (output->is_truncated)
        at += (size_t)snprintf(bench->items + at, sizeof(bench->items) - at, "...");
    assert_true(at < sizeof(bench->items));
    at = 0;
    for (unsigned i = 0; i < output->role_count; i++) {
        const struct quorum_role *role = &output->roles[i];

        at += (size_t)snprintf(bench->roles + at, sizeof(bench->roles) - at, "%llu",
                               (unsigned long long)role->id8);
        at += role->is_answered
                  ? (size_t)snprintf(bench->roles + at, sizeof(bench->roles) - at, "+ ")
                  : (size_t)snprintf(bench->roles + at, sizeof(bench->roles) - at, "-%d ",
                                     (int)role->status);
        assert_true(at < sizeof(bench->roles));
    }
}

/* Kept apart from the log: it comes behind DONE of every put this peer holds. */
static inline void bench_spread(struct bench *bench, const struct quorum_output *output)
{
    size_t at = 0;

    assert_true(slice_equal(output->ns, slice_text("ns")));
    assert_true(slice_equal(output->key, slice_text("key")));
    bench->spreads++;
    bench->told = output->told;
    bench->lacking[0] = 0;
    for (unsigned i = 0; i < output->role_count; i++)
        at += (size_t)snprintf(bench->lacking + at, sizeof(bench->lacking) - at, "%llu-%d ",
                               (unsigned long long)output->roles[i].id8,
                               (int)output->roles[i].status);
    assert_true(at < sizeof(bench->lacking));
}

static inline void bench_emit(void *context, const struct quorum_output *output)
{
    struct bench *bench = context;

    if (output->object.size > 0 || output->kind == QUORUM_DONE) {
        assert_true(output->object.size <= sizeof(bench->object));
        bench->object_size = output->object.size;
        if (output->object.size > 0)
            memcpy(bench->object, output->object.data, output->object.size);
    }
    switch (output->kind) {
    case QUORUM_SEND_PUT:
        assert_true(slice_equal(output->ns, slice_text("ns")));
        assert_true(slice_equal(output->key, slice_text("key")));
        bench_log(bench, output->id != 0 ? "put:" : "repair:", output->to);
        break;
    case QUORUM_SEND_GET:
        assert_true(slice_equal(output->key, slice_text("key")));
        bench->digest = output->digest;
        bench_log(bench, "get:", output->to);
        break;
    case QUORUM_SEND_LIST:
        assert_true(output->prefix.size <= KEY_SIZE_MAX);
        bench_log(bench, "list:", output->to);
        if (output->after.size > 0) {
            bench->log[bench->log_size++] = '>';
            memcpy(bench->log + bench->log_size, output->after.data, output->after.size);
            bench->log_size += output->after.size;
            bench->log[bench->log_size] = 0;
        }
        break;
    case QUORUM_SEND_SCAN:
        bench_log(bench, "scan:", output->to);
        break;
    case QUORUM_DONE:
        bench_done(bench, output);
        bench_log(bench, "done:", output->status);
        break;
    case QUORUM_REPAIR_LOCAL:
        bench_log(bench, "local:", output->to);
        break;
    case QUORUM_SPREAD:
        bench_spread(bench, output);
        break;
    }
}

static inline void bench_init(struct bench *bench, uint32_t operations_max)
{
    struct quorum_config config = {.operations_max = operations_max, .emit = bench_emit};

    memset(bench, 0, sizeof(*bench));
    config.context = bench;
    bench->quorum = quorum_new(&config);
    assert_non_null(bench->quorum);
}

/* Everything emitted since the last call must read like this. */
#define bench_expect(bench, text)                                                                  \
    do {                                                                                           \
        assert_string_equal((bench)->log, (text));                                                 \
        (bench)->log[(bench)->log_size = 0] = 0;                                                   \
    } while (0)

/* N owners in both sets, all reachable. */
static inline struct quorum_request bench_request(uint32_t id, uint8_t count,
                                                  struct quorum_owner owners[SET_MAX])
{
    for (unsigned i = 0; i < count; i++)
        owners[i] = (struct quorum_owner){.id8 = i + 1,
                                          .is_base = true,
                                          .is_target = true,
                                          .is_reachable = true,
                                          .is_self = i == 0};
    return (struct quorum_request){.id = id,
                                   .consistency = CONSISTENCY_QUORUM,
                                   .deadline = INSTANT_S(2),
                                   .ns = slice_text("ns"),
                                   .key = slice_text("key"),
                                   .owners = owners,
                                   .owner_count = count,
                                   .base_count = count,
                                   .target_count = count,
                                   .is_local_counted = true};
}

#endif
