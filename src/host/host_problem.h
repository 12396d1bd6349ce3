/* host_problem.h: what is wrong with a configuration, all of it in one run, each problem with its
 * place:
 *
 *   gossamer.yaml:7:3: error: unknown key "replicsa" (did you mean "replicas"?)
 *       7 |   replicsa: 3
 *         |   ^~~~~~~~
 */
#ifndef GOSSAMER_HOST_PROBLEM_H
#define GOSSAMER_HOST_PROBLEM_H

#include <stdio.h>

#include "types.h"

enum host_severity { HOST_ERROR, HOST_WARNING };

/* Where something stands in a text. */
struct host_place {
    const char *source; /* file name, or the name of the variable or flag */
    const char *text;   /* the whole text, NULL if there is nothing to show */
    unsigned line;      /* from 1; 0: the source as a whole */
    unsigned column;    /* from 1, in bytes */
    unsigned width;     /* bytes to underline, 0: one */
};

struct host_problems {
    char *text;  /* owned: the problems as they are printed */
    size_t size; /* bytes of it */
    FILE *out;   /* writes to them */
    unsigned errors, warnings;
};

/* host_problems_init makes an empty list; false without memory. host_problems_close frees it. */
bool host_problems_init(struct host_problems *problems);
void host_problems_close(struct host_problems *problems);
/* host_problem adds one with a message in the manner of printf. */
void host_problem(struct host_problems *problems, enum host_severity severity,
                  const struct host_place *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* host_problems_text returns all of them, ready to be printed; valid until the next one. */
const char *host_problems_text(struct host_problems *problems);

/* host_suggest returns the name nearest to `word` among those `next` gives (NULL at the end), or
 * NULL when none is near enough to be a typing error. */
typedef const char *host_suggest_next(void *context);
const char *host_suggest(const char *word, host_suggest_next *next, void *context);

#endif
