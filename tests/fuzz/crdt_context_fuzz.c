/* crdt_context_fuzz.c: tokens from clients. The check cannot be guessed, so the input is also read
 * as the inside of a token: a context is made from it, spelled, and must come back. */
#include "crdt.h"
#include "ensure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[HASH_SEED_SIZE] = {9};
    const struct crdt_scope scope = {seed, slice_text("app"), slice_text("key")};
    struct crdt_context context, again;
    uint8_t text[CONTEXT_SIZE_MAX];
    struct writer out = writer_over(text, sizeof(text));
    struct reader in = reader_over(slice_of(data, size));

    ensure(crdt_context_decode(slice_of(data, size), &scope, &context) == STATUS_CONTEXT);
    while (reader_left(&in) >= 16 && context.vector_count + context.dot_count < CONTEXT_DOTS_MAX) {
        struct dot dot = {read_u64(&in) | 1, (read_u64(&in) & (uint64_t)CRDT_STAMP_MAX) | 1};

        if ((dot.actor & 2) != 0)
            context.vector[context.vector_count++] = dot;
        else
            context.dots[context.dot_count++] = dot;
    }
    ensure(crdt_context_encode(&context, &scope, &out) == STATUS_OK);
    ensure(crdt_context_decode(writer_done(&out), &scope, &again) == STATUS_OK);
    ensure(again.vector_count == context.vector_count && again.dot_count == context.dot_count);
    return 0;
}
