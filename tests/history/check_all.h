/* check_all.h: every checker on one history, as the generator of tests/chaos names its keys. */
#ifndef GOSSAMER_HISTORY_CHECK_ALL_H
#define GOSSAMER_HISTORY_CHECK_ALL_H

#include "check.h"

/* What the name of a key begins with says which checker judges it. */
#define CHECK_PREFIX_SET "set/"
#define CHECK_PREFIX_REGISTER "reg/"
#define CHECK_PREFIX_SIBLINGS "sib/"
#define CHECK_PREFIX_COUNTER "cnt/"
#define CHECK_PREFIX_ORSET "ors/"

/* check_all runs all checkers, prints a line each and the complaints, and counts the verdicts. */
struct check_all {
    uint32_t passed, failed;
};
struct check_all check_all(const struct history *history, FILE *out);

#endif
