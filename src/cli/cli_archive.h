/* cli_archive.h: the file a backup is kept in. Drawn in proto/archive.md.
 *
 *   preface | HEADER block | [SETTINGS block |] ROWS block ... | END block
 *
 * A block names its sizes, is compressed with zstd, and carries a check that is keyed with the
 * check of the block before it: what is damaged, left out, moved or cut off does not fit any more.
 * The END block holds the totals; a file without one is no archive. */
#ifndef GOSSAMER_CLI_ARCHIVE_H
#define GOSSAMER_CLI_ARCHIVE_H

#include <stdio.h>

#include "bytes.h"
#include "limits.h"
#include "message.h"
#include "status.h"

#define ARCHIVE_VERSION 1
#define ARCHIVE_PREFACE_SIZE 32              /* bytes */
#define ARCHIVE_BLOCK_HEAD 28                /* bytes */
#define ARCHIVE_BLOCK_MAX (RESTORE_BODY_MAX) /* bytes of a block, unpacked */
#define ARCHIVE_TROUBLE_MAX 300              /* bytes of a message */

enum archive_kind { ARCHIVE_HEADER = 1, ARCHIVE_ROWS = 2, ARCHIVE_END = 3, ARCHIVE_SETTINGS = 4 };

struct archive_totals {
    uint64_t rows, bytes; /* of all ROWS blocks, unpacked */
    uint32_t blocks;      /* ROWS blocks */
};

struct archive {
    FILE *file;
    char path[4096], partial[4104]; /* partial: where it is written until it is complete */
    uint8_t chain[HASH_SEED_SIZE];  /* check of the last block */
    uint64_t at;                    /* bytes of the file so far */
    struct archive_totals totals;
    struct buffer raw, packed;         /* of one block */
    char trouble[ARCHIVE_TROUBLE_MAX]; /* what is wrong, for a person */
};

/* archive_create begins FILE.partial. False: `trouble` says why. */
bool archive_create(struct archive *archive, const char *path);
/* archive_put appends a block. False: as above, and when ROWS are none. */
bool archive_put(struct archive *archive, enum archive_kind kind, struct slice bytes);
/* archive_finish writes the END block, makes the file durable and gives it its name. */
bool archive_finish(struct archive *archive);

/* archive_open opens a file to be read. */
bool archive_open(struct archive *archive, const char *path);
/* archive_next reads the next block into `bytes`, which live until the next call. OK; END: that was
 * all, and the totals are right; BAD: `trouble` says what is wrong. */
enum status archive_next(struct archive *archive, enum archive_kind *kind,
                         struct slice *bytes) MUST_USE;

/* archive_close frees everything; what was not finished is removed. */
void archive_close(struct archive *archive);

#endif
