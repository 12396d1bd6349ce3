/* host_mark.h: the file `mark`, a second memory of how far the store has come. RocksDB opens a
 * truncated MANIFEST without a word and with whole files missing (measured, security.md S2); what
 * the mark remembers shows it. */
#ifndef GOSSAMER_HOST_MARK_H
#define GOSSAMER_HOST_MARK_H

#include "status.h"
#include "types.h"

struct host_mark {
    uint64_t commit;          /* batches committed in the life of this store */
    uint64_t manifest_number; /* of the file CURRENT names */
    uint64_t manifest_size;   /* bytes; the file only ever grows */
    bool is_recovering;       /* rows were missing at an opening and have not been compared since */
};

/* host_mark_read reads `mark` of a data directory. OK; MISSING; CORRUPT when it is not what
 * host_mark_write writes; PERMISSION, IO. */
enum status host_mark_read(const char *directory, struct host_mark *mark) MUST_USE;
/* host_mark_write replaces `mark`, durably. OK, NO_SPACE, PERMISSION, IO. */
enum status host_mark_write(const char *directory, const struct host_mark *mark) MUST_USE;
/* host_mark_look fills the two manifest fields from the store in `database`, zero when it has
 * none. */
void host_mark_look(const char *database, struct host_mark *mark);
/* host_mark_is_ahead tells whether `mark` knows of something that `found` lacks. */
bool host_mark_is_ahead(const struct host_mark *mark, const struct host_mark *found);

#endif
