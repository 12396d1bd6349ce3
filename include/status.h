/* status.h: the one set of answers functions and peers give. The table is proto/status.def. */
#ifndef GOSSAMER_STATUS_H
#define GOSSAMER_STATUS_H

/* Every function that can fail returns a status, and the caller must look at it. */
#define MUST_USE __attribute__((warn_unused_result))

enum status {
#define STATUS(NAME, code, text) STATUS_##NAME = (code),
#include "status.def"
#undef STATUS
};

/* status_text returns the sentence of `status` for people (static string, never NULL). A number
 * that is not in the table, as a peer could send, gives "unknown status". */
const char *status_text(enum status status);

/* status_from_wire turns a code from a peer into a status; codes not in the table give
 * STATUS_BAD, so that an invented code is never acted upon. */
enum status status_from_wire(unsigned code);

#endif
