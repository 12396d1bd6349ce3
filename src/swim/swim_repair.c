/* swim_repair.c: what gossip missed. When two digests differ for long, each side sends its whole
 * table in brief over a stream and answers the other's with what is newer here. Tables never count
 * as accusers: they repeat what others said. */
#include "swim_private.h"

#define REPAIR_BATCH 4u /* messages per output; any number is right */

/* Collects stream messages and emits them in batches. */
struct repair {
    struct swim *swim;
    const struct swim_from *from;
    struct message messages[REPAIR_BATCH];
    unsigned count;
    uint8_t subjects[64 * 8];
    size_t subject_count;
};

static void repair_flush(struct repair *repair)
{
    if (repair->count > 0)
        swim_emit(repair->swim, &(struct swim_output){.kind = SWIM_SEND_STREAM,
                                                      .id8 = repair->from->id8,
                                                      .messages = repair->messages,
                                                      .count = repair->count});
    repair->count = 0;
}

static void repair_add(struct repair *repair, const struct message *message)
{
    if (repair->count == REPAIR_BATCH)
        repair_flush(repair);
    repair->messages[repair->count++] = *message;
}

static void repair_ask_flush(struct repair *repair)
{
    struct message get = {
        .kind = MESSAGE_RECORD_GET,
        .record_get = {.subjects = slice_of(repair->subjects, repair->subject_count * 8)}};

    if (repair->subject_count == 0)
        return;
    repair_add(repair, &get);
    repair_flush(repair); /* the subjects are about to be overwritten */
    repair->subject_count = 0;
}

static void repair_ask(struct repair *repair, uint64_t subject)
{
    if (repair->subject_count == sizeof(repair->subjects) / 8)
        repair_ask_flush(repair);
    bytes_store_u64(repair->subjects + repair->subject_count++ * 8, subject);
}

/* The record, and what is said of it. */
static void repair_tell(struct repair *repair, uint32_t slot, bool with_record)
{
    struct message statement = swim_statement(repair->swim, slot);
    struct message record = swim_record_message(repair->swim, slot);

    if (with_record || statement.kind == MESSAGE_SELF)
        repair_add(repair, &record);
    if (statement.kind != MESSAGE_SELF)
        repair_add(repair, &statement);
}

static void repair_row(struct repair *repair, instant now, const struct message_update *row)
{
    struct swim *swim = repair->swim;
    uint32_t slot = swim_slot(swim, row->subject);
    const struct swim_member *ours = &swim->members[slot == SWIM_NONE ? 0 : slot];

    if (slot == SWIM_NONE) {
        if (swim_is_in_cell(swim, row->subject) && swim->count < swim->config.members_max)
            repair_ask(repair, row->subject);
        return;
    }
    swim->members[slot].is_listed = true;
    if (row->incarnation > ours->incarnation || (row->incarnation == ours->incarnation &&
                                                 row->rank == RANK_LEFT && ours->rank != RANK_LEFT))
        repair_ask(repair, row->subject);
    else if (row->incarnation < ours->incarnation)
        repair_tell(repair, slot, true);
    else if (row->rank < ours->rank)
        repair_tell(repair, slot, false);
    else if (row->rank > ours->rank)
        swim_suspect_update(swim, now, repair->from, row);
}

void swim_repair_table(struct swim *swim, instant now, const struct swim_from *from,
                       const struct message_table *table)
{
    struct repair repair = {.swim = swim, .from = from};
    struct reader in = reader_over(table->members);

    if (table->members.size % SWIM_TABLE_ROW_SIZE != 0)
        return;
    for (uint32_t slot = 0; slot < swim->count; slot++)
        swim->members[slot].is_listed = false;
    while (reader_left(&in) > 0) {
        struct message_update row = {.subject = read_u64(&in), .from = 0};

        row.incarnation = read_u64(&in);
        row.rank = read_u8(&in);
        if (row.rank <= RANK_LEFT)
            repair_row(&repair, now, &row);
    }
    for (uint32_t i = 0; i < swim->count; i++)
        if (!swim->members[swim->order[i]].is_listed)
            repair_tell(&repair, swim->order[i], true);
    repair_ask_flush(&repair);
    repair_flush(&repair);
    if (!table->is_reply)
        swim_emit(swim,
                  &(struct swim_output){.kind = SWIM_TABLE, .id8 = from->id8, .is_reply = true});
}

void swim_table_write(const struct swim *swim, struct writer *writer)
{
    for (uint32_t i = 0; i < swim->count; i++) {
        const struct swim_member *member = &swim->members[swim->order[i]];

        write_u64(writer, member->id8);
        write_u64(writer, member->incarnation);
        write_u8(writer, member->rank);
    }
}

/* RECORD_GET: each record with what is said of it, in one datagram, so that a dead member is not
 * taken for alive in between. */
void swim_repair_records(struct swim *swim, const struct swim_from *from,
                         const struct message_record_get *get)
{
    for (size_t at = 0; at + 8 <= get->subjects.size; at += 8) {
        uint32_t slot = swim_slot(swim, bytes_load_u64(get->subjects.data + at));
        struct message messages[2];
        unsigned count = 1;

        if (slot == SWIM_NONE)
            continue;
        messages[0] = swim_record_message(swim, slot);
        messages[1] = swim_statement(swim, slot);
        if (messages[1].kind != MESSAGE_SELF)
            count = 2;
        swim_answer(swim, from, messages, count);
    }
}
