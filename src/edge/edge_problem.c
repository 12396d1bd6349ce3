/* edge_problem.c: the one table of errors, and which answer of the core is which of them. */
#include "edge_problem.h"
#include <stdarg.h>
#include <string.h>
#include "bytes.h"
#include "ensure.h"

static const struct edge_problem_row EDGE_PROBLEM_ROWS[] = {
    [PROBLEM_NONE] = {500, false, "internal", "", ""},
#define PROBLEM(NAME, status, slug, is_retryable, title, text)                                     \
    [PROBLEM_##NAME] = {(status), (is_retryable), slug, title, text},
#include "edge_problem.def"
#undef PROBLEM
};

const struct edge_problem_row *edge_problem_row(enum edge_problem problem)
{
    ensure(problem < PROBLEM_COUNT);
    return &EDGE_PROBLEM_ROWS[problem];
}

enum edge_problem edge_problem_find(struct slice slug)
{
    for (enum edge_problem i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++)
        if (slice_equal(slug, slice_text(EDGE_PROBLEM_ROWS[i].slug)))
            return i;
    return PROBLEM_NONE;
}

enum edge_problem edge_problem_of(enum status status)
{
    /* What is not listed means that the core answered what no client can act upon. */
    static const uint8_t problems[] = {
        [STATUS_BAD] = PROBLEM_BAD_REQUEST,
        [STATUS_TOO_LARGE] = PROBLEM_TOO_LARGE,
        [STATUS_FULL] = PROBLEM_OVERLOADED,
        [STATUS_MISSING] = PROBLEM_NOT_FOUND,
        [STATUS_CORRUPT] = PROBLEM_STORAGE_FAILED,
        [STATUS_LAYOUT] = PROBLEM_NOT_READY,
        [STATUS_NOT_OWNER] = PROBLEM_NOT_READY,
        [STATUS_DEADLINE] = PROBLEM_QUORUM_TIMEOUT,
        [STATUS_OVERLOAD] = PROBLEM_OVERLOADED,
        [STATUS_READ_ONLY] = PROBLEM_READ_ONLY,
        [STATUS_RECOVERING] = PROBLEM_QUORUM_UNREACHABLE,
        [STATUS_SIBLING_LIMIT] = PROBLEM_SIBLING_LIMIT,
        [STATUS_TYPE] = PROBLEM_TYPE_MISMATCH,
        [STATUS_OVERFLOW] = PROBLEM_COUNTER_OVERFLOW,
        [STATUS_CONTEXT] = PROBLEM_INVALID_CONTEXT,
        [STATUS_UNKNOWN_OUTCOME] = PROBLEM_STORAGE_FAILED,
        [STATUS_UNSUPPORTED] = PROBLEM_NOT_IMPLEMENTED,
        [STATUS_UNREACHABLE] = PROBLEM_QUORUM_UNREACHABLE,
        [STATUS_PRECONDITION] = PROBLEM_PRECONDITION_FAILED,
        [STATUS_NOT_READY] = PROBLEM_NOT_READY,
        [STATUS_CONFLICT] = PROBLEM_CONFLICT,
        [STATUS_IO] = PROBLEM_STORAGE_FAILED,
        [STATUS_NO_SPACE] = PROBLEM_STORAGE_FULL,
        [STATUS_BUSY] = PROBLEM_OVERLOADED,
        [STATUS_PERMISSION] = PROBLEM_FORBIDDEN,
        [STATUS_MEMORY] = PROBLEM_OVERLOADED,
        [STATUS_CLOSED] = PROBLEM_NOT_READY,
        [STATUS_MISMATCH] = PROBLEM_IDEMPOTENCY_MISMATCH,
        [STATUS_SESSION] = PROBLEM_INVALID_SESSION,
        [STATUS_SESSION_BEHIND] = PROBLEM_SESSION_BEHIND,
    };
    size_t index = (size_t)status;

    if (index >= sizeof problems || problems[index] == PROBLEM_NONE)
        return PROBLEM_INTERNAL;
    return (enum edge_problem)problems[index];
}

static size_t edge_text_join(char *into, size_t size, va_list texts)
{
    size_t at = 0;

    for (const char *text = va_arg(texts, const char *); text; text = va_arg(texts, const char *))
        for (; *text && at + 1 < size; text++)
            into[at++] = *text;
    into[at] = 0;
    return at;
}

void edge_fault_set(struct edge_fault *fault, enum edge_problem problem, ...)
{
    va_list texts;

    fault->problem = problem;
    fault->hint[0] = 0;
    va_start(texts, problem);
    edge_text_join(fault->detail, sizeof fault->detail, texts);
    va_end(texts);
}

void edge_fault_hint(struct edge_fault *fault, ...)
{
    va_list texts;

    va_start(texts, fault);
    edge_text_join(fault->hint, sizeof fault->hint, texts);
    va_end(texts);
}

char *edge_text_copy(char *into, size_t size, struct slice text)
{
    size_t at = 0;

    for (; at < text.size && at + 1 < size; at++)
        into[at] = text.data[at] >= 0x20 && text.data[at] < 0x7f ? (char)text.data[at] : '?';
    into[at] = 0;
    return into;
}

char *edge_text_number(char into[EDGE_NUMBER_TEXT], uint64_t number)
{
    size_t at = EDGE_NUMBER_TEXT - 1;

    into[at] = 0;
    do {
        into[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return into + at;
}

/* What is the matter with the owner that is named. */
static const char *edge_absent_text(enum edge_problem problem, enum member_rank rank)
{
    if (problem == PROBLEM_STORAGE_FULL)
        return " has less free disk than its storage.min_free";
    if (problem == PROBLEM_READ_ONLY)
        return " takes no writes now";
    if (problem == PROBLEM_OVERLOADED)
        return " has too much work in flight";
    switch (rank) {
    case RANK_ALIVE:
        return " did not answer in time";
    case RANK_SUSPECT:
        return " is suspected to be dead";
    case RANK_DEAD:
        return " is dead";
    case RANK_LEFT:
        return " has left";
    }
    return " did not answer";
}

/* "1 of 2 required owners (3 in all) answered within 2000 ms; peer-3 is dead" */
static void edge_fault_count(struct edge_fault *fault, const struct result *result)
{
    char acks[EDGE_NUMBER_TEXT], required[EDGE_NUMBER_TEXT], total[EDGE_NUMBER_TEXT];
    char took[EDGE_NUMBER_TEXT];
    const char *separator = result->absent.size ? "; " : "";
    const char *rank =
        result->absent.size ? edge_absent_text(fault->problem, result->absent_rank) : "";
    char absent[NAME_SIZE_MAX + 1];

    edge_text_copy(absent, sizeof absent, slice_of(result->absent.text, result->absent.size));
    edge_fault_set(fault, fault->problem, edge_text_number(acks, result->acks), " of ",
                   edge_text_number(required, result->required), " required owners (",
                   edge_text_number(total, result->total), " in all) answered within ",
                   edge_text_number(took, result->took_ms), " ms", separator, absent, rank, NULL);
}

void edge_fault_of_result(struct edge_fault *fault, const struct result *result)
{
    fault->problem = edge_problem_of(result->status);
    if (fault->problem == PROBLEM_QUORUM_TIMEOUT || fault->problem == PROBLEM_QUORUM_UNREACHABLE ||
        result->required > 0)
        edge_fault_count(fault, result);
    else
        edge_fault_set(fault, fault->problem, status_text(result->status), NULL);
    if (fault->problem == PROBLEM_QUORUM_TIMEOUT || fault->problem == PROBLEM_QUORUM_UNREACHABLE) {
        const char *repeat = result->kind == OP_PUT      ? "repeat the same PUT, or write"
                             : result->kind == OP_DELETE ? "repeat the same DELETE, or delete"
                                                         : "ask again, or read";
        bool is_rows = result->kind == OP_SCAN || result->kind == OP_RESTORE;

        edge_fault_hint(fault,
                        is_rows ? "gossamer status shows who is away; then ask again" : repeat,
                        is_rows ? "" : " with consistency=one", NULL);
    }
    if (fault->problem == PROBLEM_PRECONDITION_FAILED)
        edge_fault_hint(fault, "read the key, decide again and write with its new ETag", NULL);
    if (fault->problem == PROBLEM_SIBLING_LIMIT)
        edge_fault_hint(fault, "read with siblings=all, merge, write with that context", NULL);
}
