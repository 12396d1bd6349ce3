/* host_mark.c: | "GOSMARK1" | commit u64 | manifest number u64 | size u64 | flags u8 | check u64 |
 */
#include "host_mark.h"

#include <stdio.h>
#include <sys/stat.h>

#include "bytes.h"
#include "hash.h"
#include "host_file.h"

#define MARK_NAME "mark"
#define MARK_MAGIC "GOSMARK1"
#define MARK_MAGIC_SIZE 8u
#define MARK_CHECKED_SIZE 33u /* bytes before the check */
#define MARK_SIZE (MARK_CHECKED_SIZE + 8u)
#define MARK_RECOVERING 1u
#define CURRENT_SIZE_MAX 64u /* bytes; "MANIFEST-000005\n" */
#define MANIFEST_PREFIX "MANIFEST-"

/* An accident is to be found, not an attacker: the key is a constant. */
static const uint8_t host_mark_key[HASH_SEED_SIZE] = "gossamer mark";

enum status host_mark_write(const char *directory, const struct host_mark *mark)
{
    uint8_t bytes[MARK_SIZE];
    struct writer writer = writer_over(bytes, sizeof bytes);

    write_bytes(&writer, MARK_MAGIC, MARK_MAGIC_SIZE);
    write_u64(&writer, mark->commit);
    write_u64(&writer, mark->manifest_number);
    write_u64(&writer, mark->manifest_size);
    write_u8(&writer, mark->is_recovering ? MARK_RECOVERING : 0);
    write_u64(&writer, hash_sip64(host_mark_key, bytes, MARK_CHECKED_SIZE));
    return host_file_replace(directory, MARK_NAME, writer_done(&writer));
}

enum status host_mark_read(const char *directory, struct host_mark *mark)
{
    char path[HOST_PATH_SIZE];
    uint8_t bytes[MARK_SIZE];
    struct reader reader;
    struct slice magic;
    enum status status;
    size_t size;

    *mark = (struct host_mark){.commit = 0};
    if (host_file_path(path, directory, MARK_NAME) == NULL)
        return STATUS_IO;
    status = host_file_read(path, bytes, sizeof bytes, &size);
    if (status != STATUS_OK)
        return status == STATUS_TOO_LARGE ? STATUS_CORRUPT : status;
    reader = reader_over(slice_of(bytes, size));
    magic = read_slice(&reader, MARK_MAGIC_SIZE);
    mark->commit = read_u64(&reader);
    mark->manifest_number = read_u64(&reader);
    mark->manifest_size = read_u64(&reader);
    mark->is_recovering = (read_u8(&reader) & MARK_RECOVERING) != 0;
    if (read_u64(&reader) != hash_sip64(host_mark_key, bytes, MARK_CHECKED_SIZE) ||
        !reader_is_done(&reader) || !slice_equal(magic, slice_text(MARK_MAGIC)))
        return STATUS_CORRUPT;
    return STATUS_OK;
}

/* Reads the digits behind "MANIFEST-"; 0 for anything else. */
static uint64_t host_mark_number(struct slice name)
{
    size_t at = sizeof MANIFEST_PREFIX - 1;
    uint64_t number = 0;

    if (!slice_has_prefix(name, slice_text(MANIFEST_PREFIX)))
        return 0;
    for (; at < name.size && name.data[at] >= '0' && name.data[at] <= '9'; at++)
        number = number * 10 + (uint64_t)(name.data[at] - '0');
    return number;
}

void host_mark_look(const char *database, struct host_mark *mark)
{
    char path[HOST_PATH_SIZE], name[CURRENT_SIZE_MAX + 1];
    struct stat info;
    size_t size;

    mark->manifest_number = mark->manifest_size = 0;
    if (host_file_path(path, database, "CURRENT") == NULL ||
        host_file_read(path, name, CURRENT_SIZE_MAX, &size) != STATUS_OK)
        return;
    while (size > 0 && name[size - 1] == '\n')
        size--;
    name[size] = 0;
    mark->manifest_number = host_mark_number(slice_of(name, size));
    if (memchr(name, '/', size) == NULL && host_file_path(path, database, name) != NULL &&
        stat(path, &info) == 0)
        mark->manifest_size = (uint64_t)info.st_size;
}

bool host_mark_is_ahead(const struct host_mark *mark, const struct host_mark *found)
{
    if (mark->commit > found->commit || mark->manifest_number > found->manifest_number)
        return true;
    return mark->manifest_number == found->manifest_number &&
           mark->manifest_size > found->manifest_size;
}
