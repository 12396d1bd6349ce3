/* edge_problem.h: the errors of the API by name, and a refusal with its words. */
#ifndef GOSSAMER_EDGE_PROBLEM_H
#define GOSSAMER_EDGE_PROBLEM_H

#include "op.h"

enum edge_problem {
    PROBLEM_NONE = 0,
#define PROBLEM(NAME, status, slug, is_retryable, title, text) PROBLEM_##NAME,
#include "edge_problem.def"
#undef PROBLEM
    PROBLEM_COUNT
};

/* The row of the table. */
struct edge_problem_row {
    unsigned status;
    bool is_retryable;
    const char *slug, *title, *text;
};

#define EDGE_DETAIL_MAX 320
#define EDGE_HINT_MAX 200

/* A refusal on its way to the client. */
struct edge_fault {
    enum edge_problem problem;
    char detail[EDGE_DETAIL_MAX]; /* what, where, how many; ASCII */
    char hint[EDGE_HINT_MAX];     /* the next step; may be empty */
};

/* edge_problem_row returns the row of a problem. */
const struct edge_problem_row *edge_problem_row(enum edge_problem problem);
/* edge_problem_find returns the problem of a slug, PROBLEM_NONE when there is none. */
enum edge_problem edge_problem_find(struct slice slug);
/* edge_problem_of tells which problem a status of the core is. */
enum edge_problem edge_problem_of(enum status status);

/* edge_fault_set names the problem and joins the texts up to NULL into its detail. */
void edge_fault_set(struct edge_fault *fault, enum edge_problem problem, ...);
/* edge_fault_hint joins the texts up to NULL into the hint. */
void edge_fault_hint(struct edge_fault *fault, ...);
/* edge_text_copy makes a zero-terminated printable copy of at most `size` - 1 bytes. */
char *edge_text_copy(char *into, size_t size, struct slice text);
#define EDGE_NUMBER_TEXT 24
/* edge_text_number writes a number in decimal, zero-terminated, and returns where it starts. */
char *edge_text_number(char into[EDGE_NUMBER_TEXT], uint64_t number);
/* edge_fault_of_result tells the words for a result that is no success. */
void edge_fault_of_result(struct edge_fault *fault, const struct result *result);

#endif
