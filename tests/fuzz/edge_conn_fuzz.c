/* edge_conn_fuzz.c: bytes of a client, whole and split in two. The answers must be the same, and
 * every answer must fit its own framing, whatever came in. The first byte says where the split is
 * and whether the client is on this machine. */
#include <jansson.h>
#include <stdlib.h>
#include "bytes.h"
#include "edge.h"
#include "ensure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_answer(struct edge_conn *conn, const struct op *op, uint32_t slot)
{
    struct result_value value = {.etag = 9, .body = op->key, .meta = op->meta};
    struct result_item item = {.key = op->key, .siblings = 1};
    static const struct result_self self;
    static const struct result_cluster cluster;
    struct result result = {.kind = op->kind,
                            .self = &self,
                            .cluster = &cluster,
                            .acks = 1,
                            .required = 2,
                            .total = 3,
                            .context = op->context,
                            .value_count = 1,
                            .values = &value,
                            .item_count = 1,
                            .items = &item,
                            .is_truncated = op->limit % 2};

    ensure(op->ns.size <= NS_SIZE_MAX && op->key.size <= CONTROL_SIZE_MAX);
    ensure(op->meta.size <= META_SIZE_MAX && op->context.size <= CONTEXT_SIZE_MAX);
    result.status = op->key.size % 5 == 4 ? (enum status)(op->key.size % 37) : STATUS_OK;
    edge_conn_reply(conn, slot, 0, &result);
}

static void fuzz_feed(struct edge_conn *conn, struct slice bytes)
{
    struct op op;
    uint32_t slot;

    if (edge_conn_receive(conn, 0, bytes) != STATUS_OK)
        return;
    while (edge_conn_next(conn, &op, &slot))
        fuzz_answer(conn, &op, slot);
}

/* Walks over the answers; every byte must belong to one. HEAD hides bodies, so it ends the walk. */
static void fuzz_check(struct slice output)
{
    const char *at = (const char *)output.data;
    const char *end = output.size ? at + output.size : at;

    while (at < end) {
        const char *blank = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
        const char *length;

        ensure(blank != NULL && (size_t)(end - at) > 12 && memcmp(at, "HTTP/1.1 ", 9) == 0);
        ensure(at[9] >= '1' && at[9] <= '5');
        length = memmem(at, (size_t)(blank - at) + 2, "\r\nContent-Length: ", 18);
        at = blank + 4;
        if (length)
            at += strtoul(length + 18, NULL, 10);
        if (at > end ||
            (at < end && memcmp(at, "HTTP/1.1 ", end - at < 9 ? (size_t)(end - at) : 9)))
            return; /* an answer to HEAD */
    }
}

static struct buffer fuzz_run(struct slice bytes, size_t split, bool is_loopback)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct metrics metrics = {0};
    struct edge_config config = {.version = "1", .value_max = 2000, .seed = 3};
    struct buffer copy;
    struct edge *edge;
    struct edge_conn *conn;
    struct slice output;
    const uint8_t *hit;

    config.name = label_make(slice_text("peer-1"));
    config.metrics[0] = &metrics;
    edge = edge_new(&config);
    conn = edge_conn_new(edge, is_loopback, 0);
    ensure(edge && conn);
    fuzz_feed(conn, slice_of(bytes.data, split));
    fuzz_feed(conn, slice_of(bytes.data + split, bytes.size - split));
    output = edge_conn_output(conn);
    fuzz_check(output);
    buffer_init(&copy, EDGE_OUTPUT_MAX);
    while (output.size && (hit = memmem(output.data, output.size, interim, 25)) != NULL) {
        ensure(buffer_append(&copy, output.data, (size_t)(hit - output.data)));
        output = slice_of(hit + 25, output.size - (size_t)(hit - output.data) - 25);
    }
    ensure(buffer_append(&copy, output.data, output.size));
    (void)edge_conn_deadline(conn);
    edge_conn_expire(conn, INSTANT_S(1000));
    edge_conn_delete(conn);
    edge_delete(edge);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes;
    struct buffer whole, split;

    json_object_seed(1);
    if (size < 2)
        return 0;
    bytes = slice_of(data + 1, size - 1);
    whole = fuzz_run(bytes, 0, data[0] & 1);
    split = fuzz_run(bytes, (data[0] >> 1) % bytes.size, data[0] & 1);
    ensure(slice_equal(slice_of(whole.data, whole.size), slice_of(split.data, split.size)));
    buffer_close(&whole);
    buffer_close(&split);
    return 0;
}
