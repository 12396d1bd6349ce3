/* edge_backup.c: rows out and rows in (api.md 7). A page of a backup is packed rows (rows.h) and a
 * cursor for the next one; whoever asks page after page until no cursor comes has read every row
 * that was acknowledged before the first question, each at a quorum of its owners. What comes in is
 * checked as a whole and merged. */
#include <stdlib.h>

#include "edge_json.h"
#include "edge_room.h"
#include "rows.h"

#define ROWS_TYPE "application/vnd.gossamer.rows"
#define CURSOR "b1." /* then base64url of (partition u32 | row key) */

static bool edge_backup_timeout(struct edge_call *call)
{
    static const uint32_t range[2] = {10, 60000};

    return edge_query_duration(call, "timeout", range, &call->op->timeout_ms);
}

/* --- out */

/* Goes on where the page before ended. */
static bool edge_backup_after(struct edge_call *call)
{
    struct slice after, bytes;
    struct reader in;

    if (!edge_query_get(call, "after", &after))
        return true;
    if (after.size <= strlen(CURSOR) || !slice_has_prefix(after, slice_text(CURSOR)) ||
        !edge_base64_decode(&call->slot->text,
                            slice_of(after.data + strlen(CURSOR), after.size - strlen(CURSOR)),
                            &bytes))
        return false;
    in = reader_over(bytes);
    call->op->partition = read_u32(&in);
    call->op->after = read_slice(&in, reader_left(&in));
    return !in.is_bad;
}

enum edge_verdict edge_backup_page(struct edge_call *call)
{
    struct slice ns;

    if (edge_query_get(call, "ns", &ns) && !edge_path_ns(call, ns, &call->op->ns))
        return VERDICT_FAULT;
    if (!edge_backup_timeout(call))
        return VERDICT_FAULT;
    if (!edge_backup_after(call))
        return edge_call_fault(call, PROBLEM_BAD_REQUEST, "after is not what a page gave");
    call->op->is_onward = true;
    call->op->kind = call->slot->kind = OP_SCAN;
    return VERDICT_OP;
}

static void edge_backup_cursor(struct edge_answer *answer, const struct result *result)
{
    uint8_t room[4 + 8 + NS_SIZE_MAX + 1 + ROW_NAME_SIZE_MAX];
    struct writer cursor = writer_over(room, sizeof room);

    write_u32(&cursor, result->partition);
    write_slice(&cursor, result->next);
    EDGE_PUT(&answer->out, "Gossamer-Next: " CURSOR);
    edge_put_base64(&answer->out, writer_done(&cursor));
    EDGE_PUT(&answer->out, "\r\n");
}

void edge_backup_reply(struct edge_answer *answer, const struct result *result)
{
    struct edge_out *out = &answer->out;
    struct writer rows;
    size_t size = 0;
    uint8_t *room;

    if (result->status != STATUS_OK) {
        edge_answer_refuse(answer, result);
        return;
    }
    edge_answer_head(answer, 200);
    edge_answer_route(answer, NULL);
    EDGE_PUT(out, "Content-Type: " ROWS_TYPE "\r\nGossamer-Rows: ");
    edge_put_number(out, result->item_count);
    EDGE_PUT(out, "\r\nGossamer-Partitions: ");
    edge_put_number(out, result->is_truncated ? result->partition : result->partition_count);
    EDGE_PUT(out, "/");
    edge_put_number(out, result->partition_count);
    EDGE_PUT(out, "\r\n");
    edge_answer_no_store(answer);
    if (result->is_truncated)
        edge_backup_cursor(answer, result);
    for (uint32_t i = 0; i < result->item_count; i++)
        size += ROWS_OVERHEAD + result->items[i].ns.size + result->items[i].key.size +
                result->items[i].object.size;
    room = malloc(size + 1);
    rows = writer_over(room, room ? size : 0);
    for (uint32_t i = 0; room && i < result->item_count; i++)
        row_write(&rows, &(struct row){.ns = result->items[i].ns,
                                       .name = result->items[i].key,
                                       .object = result->items[i].object});
    if (room && !rows.is_full)
        edge_answer_body(answer, writer_done(&rows));
    else
        answer->out.is_full = true;
    free(room);
}

/* --- in */

/* replace=<16 hex digits>, not all zero: one number for all pages of a restore. */
static bool edge_restore_replace(struct edge_call *call)
{
    struct slice text;
    uint64_t number = 0;

    if (!edge_query_get(call, "replace", &text))
        return true;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];

        if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
            return false;
        number = number << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    call->op->replace = number;
    return text.size == 16 && number != 0;
}

enum edge_verdict edge_restore_page(struct edge_call *call)
{
    if (!edge_backup_timeout(call))
        return VERDICT_FAULT;
    if (!edge_restore_replace(call))
        return edge_call_fault(call, PROBLEM_BAD_REQUEST, "replace is a number of 16 hex digits");
    call->op->kind = call->slot->kind = OP_RESTORE;
    return VERDICT_OP;
}

enum edge_verdict edge_restore_body(struct edge_call *call, struct slice body)
{
    struct reader in = reader_over(body);
    enum status status;
    struct row row;

    while ((status = row_read(&in, &row)) == STATUS_OK)
        continue;
    if (status != STATUS_END)
        return edge_call_fault(call, PROBLEM_BAD_REQUEST, "the body is no packed rows");
    call->op->body = body;
    return VERDICT_OP;
}

void edge_restore_reply(struct edge_answer *answer, const struct result *result)
{
    json_t *body;

    if (result->status != STATUS_OK) {
        edge_answer_refuse(answer, result);
        return;
    }
    body = json_object();
    edge_json_put(body, "rows", json_integer(result->row_count));
    edge_json_reply(answer, 200, result, body);
}
