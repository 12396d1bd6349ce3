/* cli_archive.c: writing and reading the file of a backup, block by block. Nothing read from it is
 * trusted: sizes are bounded before memory is taken, and a block is looked at only after its check
 * fits. */
#include "cli_archive.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include <zstd.h>

#include "hash.h"
#include "rows.h"

#define LEVEL 3 /* of zstd: its default */
#define END_SIZE 20

static const uint8_t MAGIC[8] = {'G', 'O', 'S', 'S', 'A', 'R', 'C', '\n'};

__attribute__((format(printf, 2, 3))) static bool trouble(struct archive *archive,
                                                          const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(archive->trouble, sizeof(archive->trouble), format, arguments);
    va_end(arguments);
    return false;
}

static void archive_init(struct archive *archive, const char *path)
{
    memset(archive, 0, sizeof(*archive));
    snprintf(archive->path, sizeof(archive->path), "%s", path);
    buffer_init(&archive->raw, ARCHIVE_BLOCK_MAX);
    buffer_init(&archive->packed, ARCHIVE_BLOCK_HEAD + ZSTD_COMPRESSBOUND(ARCHIVE_BLOCK_MAX));
}

/* The check of a block: its head without the check, and what follows, keyed with the one before. */
static struct hash16 archive_check(const struct archive *archive, struct slice block)
{
    uint8_t joined[12 + 16];
    struct hash16 inner = hash_sip128(archive->chain, block.data + ARCHIVE_BLOCK_HEAD,
                                      block.size - ARCHIVE_BLOCK_HEAD);

    memcpy(joined, block.data, 12);
    memcpy(joined + 12, inner.bytes, 16);
    return hash_sip128(archive->chain, joined, sizeof(joined));
}

/* Counts the rows of a block; every one must be whole. */
static bool archive_count(struct archive *archive, struct slice bytes)
{
    struct reader in = reader_over(bytes);
    enum status status;
    struct row row;

    while ((status = row_read(&in, &row)) == STATUS_OK)
        archive->totals.rows++;
    archive->totals.bytes += bytes.size;
    archive->totals.blocks++;
    return status == STATUS_END ||
           trouble(archive, "%s is damaged: a block holds what is no row", archive->path);
}

/* --- writing */

static bool archive_write(struct archive *archive, struct slice bytes)
{
    if (fwrite(bytes.data, 1, bytes.size, archive->file) != bytes.size)
        return trouble(archive, "cannot write %s: %s", archive->partial, strerror(errno));
    archive->at += bytes.size;
    return true;
}

bool archive_create(struct archive *archive, const char *path)
{
    uint8_t preface[ARCHIVE_PREFACE_SIZE] = {0};

    archive_init(archive, path);
    snprintf(archive->partial, sizeof(archive->partial), "%s.partial", archive->path);
    archive->file = fopen(archive->partial, "wb");
    if (!archive->file)
        return trouble(archive, "cannot write %s: %s", archive->partial, strerror(errno));
    if (getrandom(archive->chain, sizeof(archive->chain), 0) != sizeof(archive->chain))
        return trouble(archive, "the system gives no random bytes");
    memcpy(preface, MAGIC, sizeof(MAGIC));
    preface[9] = ARCHIVE_VERSION; /* u16 */
    memcpy(preface + 16, archive->chain, sizeof(archive->chain));
    return archive_write(archive, slice_of(preface, sizeof(preface)));
}

bool archive_put(struct archive *archive, enum archive_kind kind, struct slice bytes)
{
    size_t room = ZSTD_compressBound(bytes.size), size;
    struct hash16 check;
    struct writer head;
    uint8_t *block;

    if (kind == ARCHIVE_ROWS && !archive_count(archive, bytes))
        return false;
    buffer_clear(&archive->packed, SIZE_MAX);
    block = bytes.size > ARCHIVE_BLOCK_MAX
                ? NULL
                : buffer_reserve(&archive->packed, ARCHIVE_BLOCK_HEAD + room);
    if (!block)
        return trouble(archive, "a block of %zu bytes is too large", bytes.size);
    size = ZSTD_compress(block + ARCHIVE_BLOCK_HEAD, room, bytes.data, bytes.size, LEVEL);
    if (ZSTD_isError(size))
        return trouble(archive, "cannot compress: %s", ZSTD_getErrorName(size));
    head = writer_over(block, ARCHIVE_BLOCK_HEAD);
    write_u8(&head, (uint8_t)kind);
    write_u24(&head, 0);
    write_u32(&head, (uint32_t)bytes.size);
    write_u32(&head, (uint32_t)size);
    check = archive_check(archive, slice_of(block, ARCHIVE_BLOCK_HEAD + size));
    write_bytes(&head, check.bytes, sizeof(check.bytes));
    memcpy(archive->chain, check.bytes, sizeof(archive->chain));
    return archive_write(archive, slice_of(block, ARCHIVE_BLOCK_HEAD + size));
}

bool archive_finish(struct archive *archive)
{
    uint8_t room[END_SIZE];
    struct writer end = writer_over(room, sizeof(room));

    write_u64(&end, archive->totals.rows);
    write_u64(&end, archive->totals.bytes);
    write_u32(&end, archive->totals.blocks);
    if (!archive_put(archive, ARCHIVE_END, writer_done(&end)))
        return false;
    if (fflush(archive->file) != 0 || fsync(fileno(archive->file)) != 0 ||
        rename(archive->partial, archive->path) != 0)
        return trouble(archive, "cannot write %s: %s", archive->path, strerror(errno));
    archive->partial[0] = 0;
    return true;
}

/* --- reading */

bool archive_open(struct archive *archive, const char *path)
{
    uint8_t preface[ARCHIVE_PREFACE_SIZE];
    size_t got;

    archive_init(archive, path);
    archive->file = fopen(path, "rb");
    if (!archive->file)
        return trouble(archive, "cannot read %s: %s", path, strerror(errno));
    got = fread(preface, 1, sizeof(preface), archive->file);
    if (got < sizeof(MAGIC) || memcmp(preface, MAGIC, sizeof(MAGIC)) != 0)
        return trouble(archive, "%s is no archive of gossamer", path);
    if (got < sizeof(preface))
        return trouble(archive, "%s is cut short: it ends within its preface", path);
    if (preface[8] != 0 || preface[9] != ARCHIVE_VERSION ||
        memcmp(preface + 10, "\0\0\0\0\0", 6) != 0)
        return trouble(archive, "%s has format %u, this program reads %u", path,
                       preface[8] * 256u + preface[9], ARCHIVE_VERSION);
    memcpy(archive->chain, preface + 16, sizeof(archive->chain));
    archive->at = sizeof(preface);
    return true;
}

/* Reads a whole block into `packed`. */
static bool archive_fill(struct archive *archive, uint32_t *raw_size)
{
    uint8_t *block;
    struct reader head;
    uint32_t size;
    size_t got;

    buffer_clear(&archive->packed, SIZE_MAX);
    block = buffer_reserve(&archive->packed, ARCHIVE_BLOCK_HEAD);
    if (!block)
        return trouble(archive, "out of memory");
    got = fread(block, 1, ARCHIVE_BLOCK_HEAD, archive->file);
    if (ferror(archive->file))
        return trouble(archive, "cannot read %s: %s", archive->path, strerror(errno));
    if (got < ARCHIVE_BLOCK_HEAD)
        return trouble(archive, "%s is cut short at byte %llu: the end of the archive is missing",
                       archive->path, (unsigned long long)(archive->at + got));
    head = reader_over(slice_of(block + 4, 8));
    *raw_size = read_u32(&head);
    size = read_u32(&head);
    archive->packed.size = ARCHIVE_BLOCK_HEAD;
    if (*raw_size > ARCHIVE_BLOCK_MAX || size > ZSTD_COMPRESSBOUND(ARCHIVE_BLOCK_MAX))
        return trouble(archive, "%s is damaged at byte %llu: a block of impossible size",
                       archive->path, (unsigned long long)archive->at);
    block = buffer_reserve(&archive->packed, size);
    if (!block)
        return trouble(archive, "out of memory");
    got = fread(block, 1, size, archive->file);
    if (got < size)
        return trouble(archive, "%s is cut short at byte %llu: the end of the archive is missing",
                       archive->path, (unsigned long long)(archive->at + ARCHIVE_BLOCK_HEAD + got));
    archive->packed.size += size;
    return true;
}

/* Checks the block in `packed` and unpacks it. */
static bool archive_unpack(struct archive *archive, uint32_t raw_size)
{
    struct slice block = slice_of(archive->packed.data, archive->packed.size);
    struct hash16 check = archive_check(archive, block);
    size_t size;
    uint8_t *room;

    if (memcmp(check.bytes, block.data + 12, sizeof(check.bytes)) != 0)
        return trouble(archive, "%s is damaged: the block at byte %llu fails its checksum",
                       archive->path, (unsigned long long)archive->at);
    buffer_clear(&archive->raw, SIZE_MAX);
    room = buffer_reserve(&archive->raw, raw_size + 1u);
    if (!room)
        return trouble(archive, "out of memory");
    size = ZSTD_decompress(room, raw_size, block.data + ARCHIVE_BLOCK_HEAD,
                           block.size - ARCHIVE_BLOCK_HEAD);
    if (ZSTD_isError(size) || size != raw_size)
        return trouble(archive, "%s is damaged: the block at byte %llu does not unpack",
                       archive->path, (unsigned long long)archive->at);
    archive->raw.size = size;
    memcpy(archive->chain, check.bytes, sizeof(archive->chain));
    archive->at += block.size;
    return true;
}

static bool archive_is_complete(struct archive *archive, struct slice end)
{
    struct reader in = reader_over(end);
    uint64_t rows = read_u64(&in), bytes = read_u64(&in);
    uint32_t blocks = read_u32(&in);

    if (!reader_is_done(&in) || rows != archive->totals.rows || bytes != archive->totals.bytes ||
        blocks != archive->totals.blocks)
        return trouble(archive, "%s is damaged: its totals do not fit what it holds",
                       archive->path);
    if (fgetc(archive->file) != EOF)
        return trouble(archive, "%s is damaged: there is more behind its end", archive->path);
    return true;
}

enum status archive_next(struct archive *archive, enum archive_kind *kind, struct slice *bytes)
{
    uint32_t raw_size = 0;

    *bytes = SLICE_NONE;
    if (!archive_fill(archive, &raw_size) || !archive_unpack(archive, raw_size))
        return STATUS_BAD;
    *kind = (enum archive_kind)archive->packed.data[0];
    *bytes = slice_of(archive->raw.data, archive->raw.size);
    if (*kind == ARCHIVE_END)
        return archive_is_complete(archive, *bytes) ? STATUS_END : STATUS_BAD;
    if (*kind == ARCHIVE_ROWS && !archive_count(archive, *bytes))
        return STATUS_BAD;
    return STATUS_OK;
}

void archive_close(struct archive *archive)
{
    if (archive->file)
        fclose(archive->file);
    if (archive->partial[0])
        (void)unlink(archive->partial);
    archive->file = NULL;
    archive->partial[0] = 0;
    buffer_close(&archive->raw);
    buffer_close(&archive->packed);
}
