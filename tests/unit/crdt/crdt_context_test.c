/* crdt_context_test.c: tokens come back whole, only for their key, and only from their cluster. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include "crdt.h"
#include "guard.h"

static const uint8_t seed[HASH_SEED_SIZE] = {1, 2, 3};
static const uint8_t other_seed[HASH_SEED_SIZE] = {1, 2, 4};
static uint8_t text_bytes[CONTEXT_SIZE_MAX];

static struct crdt_scope scope_of(const char *ns, const char *key)
{
    return (struct crdt_scope){seed, slice_text(ns), slice_text(key)};
}

static struct slice token(const struct crdt_context *context)
{
    struct crdt_scope scope = scope_of("app", "key");
    struct writer out = writer_over(text_bytes, sizeof(text_bytes));

    assert_int_equal(crdt_context_encode(context, &scope, &out), STATUS_OK);
    return writer_done(&out);
}

static void context_fill(struct crdt_context *context, unsigned vectors, unsigned dots)
{
    context->vector_count = (uint16_t)vectors;
    context->dot_count = (uint16_t)dots;
    for (unsigned i = 0; i < vectors; i++)
        context->vector[i] = (struct dot){i + 1, 1000 + i};
    for (unsigned i = 0; i < dots; i++)
        context->dots[i] = (struct dot){i + 500, 2000 + i};
}

static void test_tokens_come_back(void **state)
{
    struct crdt_scope scope = scope_of("app", "key");
    struct crdt_context context, again;

    (void)state;
    for (unsigned vectors = 0; vectors < 5; vectors++)
        for (unsigned dots = 0; dots < 4; dots++) {
            context_fill(&context, vectors, dots);
            assert_int_equal(crdt_context_decode(token(&context), &scope, &again), STATUS_OK);
            assert_int_equal(again.vector_count, vectors);
            assert_int_equal(again.dot_count, dots);
            assert_memory_equal(again.vector, context.vector, vectors * sizeof(struct dot));
            assert_memory_equal(again.dots, context.dots, dots * sizeof(struct dot));
        }
    context_fill(&context, 3, 0);
    assert_int_equal(token(&context).size, 79);
}

static void test_what_does_not_fit_is_left_out(void **state)
{
    struct crdt_scope scope = scope_of("app", "key");
    struct crdt_context context, again;

    (void)state;
    context_fill(&context, OBJECT_ENTRIES_MAX, 20);
    assert_true(token(&context).size <= CONTEXT_SIZE_MAX);
    assert_int_equal(crdt_context_decode(token(&context), &scope, &again), STATUS_OK);
    assert_int_equal(again.vector_count, CONTEXT_DOTS_MAX - 20);
    assert_int_equal(again.dot_count, 20);
}

static void test_no_room_leaves_the_writer(void **state)
{
    struct crdt_scope scope = scope_of("app", "key");
    struct crdt_context context;
    uint8_t small[40];
    struct writer out = writer_over(small, sizeof(small));

    (void)state;
    context_fill(&context, 2, 0);
    assert_int_equal(crdt_context_encode(&context, &scope, &out), STATUS_TOO_LARGE);
    assert_int_equal(out.size, 0);
}

static void test_a_token_is_for_its_key_and_cluster(void **state)
{
    struct crdt_scope scopes[] = {scope_of("app", "kez"), scope_of("apq", "key"),
                                  scope_of("appk", "ey"), scope_of("app", "key")};
    struct crdt_context context, again;
    struct slice text;

    (void)state;
    context_fill(&context, 2, 1);
    text = token(&context);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(crdt_context_decode(text, &scopes[i], &again), STATUS_CONTEXT);
    assert_int_equal(crdt_context_decode(text, &scopes[3], &again), STATUS_OK);
    scopes[3].seed = other_seed;
    assert_int_equal(crdt_context_decode(text, &scopes[3], &again), STATUS_CONTEXT);
    assert_int_equal(again.vector_count + again.dot_count, 0);
}

static void test_every_prefix_and_every_changed_character_is_refused(void **state)
{
    struct crdt_scope scope = scope_of("app", "key");
    struct crdt_context context, again;
    struct slice text;

    (void)state;
    context_fill(&context, 2, 1); /* 59 bytes leave two bits over: second spellings exist */
    text = token(&context);
    assert_int_equal(text.size, 79);
    for (size_t size = 0; size < text.size; size++) {
        uint8_t *copy = guard_copy(text.data, size);

        assert_int_equal(crdt_context_decode(slice_of(copy, size), &scope, &again), STATUS_CONTEXT);
        guard_free(copy, size);
    }
    for (size_t at = 0; at < text.size; at++)
        for (unsigned c = 0; c < 256; c++) {
            uint8_t original = text_bytes[at];

            if (c == original)
                continue;
            text_bytes[at] = (uint8_t)c;
            assert_int_equal(crdt_context_decode(text, &scope, &again), STATUS_CONTEXT);
            text_bytes[at] = original;
        }
}

static void test_the_guard_refuses_an_unknown_future(void **state)
{
    const struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("v")};
    uint64_t now = crdt_stamp_of(1000000);
    uint64_t future = now + crdt_stamp_of(CRDT_CLOCK_AHEAD_MS);
    struct crdt_context context = {.vector_count = 1, .vector = {{7, future}}};
    struct crdt_object object;

    (void)state;
    crdt_object_clear(&object);
    assert_int_equal(crdt_context_guard(&context, &object, now), STATUS_OK);
    context.vector[0].stamp = future + 1;
    assert_int_equal(crdt_context_guard(&context, &object, now), STATUS_CONTEXT);
    context = (struct crdt_context){.dot_count = 1, .dots = {{7, future + 1}}};
    assert_int_equal(crdt_context_guard(&context, &object, now), STATUS_CONTEXT);
    /* The key has heard of it: a peer's clock is wrong, the token is right. */
    assert_int_equal(crdt_object_write(&object, NULL, 7, future + 1, &value), STATUS_OK);
    assert_int_equal(crdt_context_guard(&context, &object, now), STATUS_OK);
    assert_int_equal(crdt_context_guard(&context, &object, UINT64_MAX), STATUS_OK);
    assert_int_equal(crdt_context_stamp_max(&context), future + 1);
}

/* Equal values are shown once, so they are discarded together. */
static void test_equal_values_are_shown_together(void **state)
{
    const struct crdt_context none = {0};
    const struct crdt_value same = {.kind = CRDT_VALUE, .body = slice_text("s")};
    const struct crdt_value odd = {.kind = CRDT_VALUE, .body = slice_text("o")};
    struct crdt_object object;
    struct crdt_context context;

    (void)state;
    crdt_object_clear(&object);
    assert_int_equal(crdt_object_write(&object, &none, 1, 1, &same), STATUS_OK);
    assert_int_equal(crdt_object_write(&object, &none, 2, 2, &same), STATUS_OK);
    crdt_context_of_shown(&object, 1, &context);
    assert_int_equal(context.vector_count, 2); /* nothing else there: all */
    assert_int_equal(context.dot_count, 0);
    assert_int_equal(crdt_object_write(&object, &none, 3, 3, &odd), STATUS_OK);
    crdt_context_of_shown(&object, 1, &context);
    assert_int_equal(context.vector_count, 2); /* what lies below their first values is past */
    assert_int_equal(context.vector[0].stamp, 1);
    assert_int_equal(context.vector[1].stamp, 2);
    assert_int_equal(context.dot_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens_come_back),
        cmocka_unit_test(test_what_does_not_fit_is_left_out),
        cmocka_unit_test(test_no_room_leaves_the_writer),
        cmocka_unit_test(test_a_token_is_for_its_key_and_cluster),
        cmocka_unit_test(test_every_prefix_and_every_changed_character_is_refused),
        cmocka_unit_test(test_the_guard_refuses_an_unknown_future),
        cmocka_unit_test(test_equal_values_are_shown_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
