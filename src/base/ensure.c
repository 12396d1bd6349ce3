/* ensure.c: the last words of a broken invariant. A wrong answer is worse than a stopped peer:
 * the others go on without it, and its store is sound up to the last commit. */
#include "ensure.h"
#include <stdio.h>
#include <stdlib.h>

_Noreturn void ensure_failed(const char *file, int line, const char *claim)
{
    fprintf(stderr, "gossamer: broken invariant at %s:%d: %s\n", file, line, claim);
    abort();
}
