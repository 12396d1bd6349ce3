/* kad_fixture.h: contacts with chosen ids, and a recorder of what one kad puts out. */
#ifndef GOSSAMER_KAD_FIXTURE_H
#define GOSSAMER_KAD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hash.h"
#include "kad.h"
#include "prng.h"

#define FIXTURE_OUTPUTS_MAX 256

/* A deep copy of one output. */
struct fixture_output {
    enum kad_output_kind kind;
    struct contact to;
    struct message message;
    struct contact contacts[KAD_K];
    struct kad_output output; /* pointers in it are dead */
};

struct fixture {
    struct kad *kad;
    struct node_id self;
    unsigned count;
    struct fixture_output outputs[FIXTURE_OUTPUTS_MAX];
};

static inline void fixture_emit(void *context, const struct kad_output *output)
{
    struct fixture *fixture = context;
    struct fixture_output *copy = &fixture->outputs[fixture->count];

    assert_in_range(fixture->count, 0, FIXTURE_OUTPUTS_MAX - 1);
    assert_in_range(output->kind == KAD_STEP ? 0 : output->count, 0, KAD_K);
    fixture->count++;
    *copy = (struct fixture_output){
        .kind = output->kind, .message = output->message, .output = *output};
    if (output->to)
        copy->to = *output->to;
    for (unsigned i = 0; output->kind != KAD_STEP && i < output->count; i++)
        copy->contacts[i] = output->contacts[i];
}

/* A kad whose id is all zero bits, so that the first set bit of another id is its bucket. */
static inline void fixture_open(struct fixture *fixture, unsigned cell_depth)
{
    struct kad_config config = {
        .seed = 7, .cell_depth = cell_depth, .emit = fixture_emit, .context = fixture};

    memset(fixture, 0, sizeof *fixture);
    fixture->kad = kad_new(&config);
    assert_non_null(fixture->kad);
}

static inline void fixture_close(struct fixture *fixture)
{
    kad_delete(fixture->kad);
}

/* An id in `bucket` of a kad whose id is zero; `number` tells ids of one bucket apart. */
static inline struct node_id fixture_id(unsigned bucket, uint32_t number)
{
    struct node_id id = {{0}};

    id.bytes[bucket / 8] = (uint8_t)(0x80u >> (bucket % 8));
    for (unsigned i = 0; i < 4; i++)
        id.bytes[NODE_ID_SIZE - 1 - i] = (uint8_t)(number >> (8 * i));
    return id;
}

static inline struct address fixture_address(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct address){.family = 4, .ip = {a, b, c, d}, .port = 18000};
}

/* A contact at a loopback address made of its number. */
static inline struct contact fixture_contact(unsigned bucket, uint32_t number)
{
    return (struct contact){
        .id = fixture_id(bucket, number),
        .address = fixture_address(127, (uint8_t)bucket, (uint8_t)(number >> 8), (uint8_t)number),
        .epoch = 1,
        .rtt_us = 1000,
    };
}

static inline void fixture_prove(struct fixture *fixture, instant now, unsigned bucket,
                                 uint32_t number)
{
    struct contact contact = fixture_contact(bucket, number);

    kad_contact_proved(fixture->kad, now, &contact);
}

/* Answers the question recorded as output `index` from the peer it went to. */
static inline enum status fixture_reply(struct fixture *fixture, instant now, unsigned index,
                                        const struct contact *contacts, unsigned count)
{
    const struct fixture_output *question = &fixture->outputs[index];
    struct contact from = question->to;
    struct kad_nodes nodes = {.seq = question->message.find_node.seq,
                              .target = question->message.find_node.target,
                              .contacts = contacts,
                              .count = count};

    assert_int_equal(question->kind, KAD_SEND);
    assert_int_equal(question->message.kind, MESSAGE_FIND_NODE);
    return kad_receive_nodes(fixture->kad, now, &from, &nodes);
}

/* Drives time to `until`, a step at each deadline. */
static inline void fixture_run(struct fixture *fixture, instant until)
{
    for (unsigned steps = 0; kad_deadline(fixture->kad) <= until; steps++) {
        assert_in_range(steps, 0, 100000);
        kad_expire(fixture->kad, kad_deadline(fixture->kad));
    }
}

static inline bool fixture_knows(const struct fixture *fixture, unsigned bucket, uint32_t number)
{
    struct node_id id = fixture_id(bucket, number);

    return kad_contact_find(fixture->kad, &id) != NULL;
}

#endif
