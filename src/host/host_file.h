/* host_file.h: small files that must be whole or absent: boot record, keys, mark. */
#ifndef GOSSAMER_HOST_FILE_H
#define GOSSAMER_HOST_FILE_H

#include "status.h"
#include "types.h"

/* Bytes of a sentence for people, its zero included. */
#define HOST_DETAIL_SIZE 2048
/* Bytes of a path below the data directory, its zero included. */
#define HOST_PATH_SIZE 4096

/* host_file_path joins directory and name into `path` (HOST_PATH_SIZE bytes) and returns it, or
 * NULL if it does not fit. */
char *host_file_path(char *path, const char *directory, const char *name);
/* host_file_status turns errno into a status: MISSING, PERMISSION, NO_SPACE, BUSY, or IO. */
enum status host_file_status(int error);
/* host_file_read reads a whole file of at most `size_max` bytes. OK; MISSING; TOO_LARGE;
 * PERMISSION; IO. */
enum status host_file_read(const char *path, void *into, size_t size_max, size_t *size) MUST_USE;
/* host_file_read_open is host_file_read from a descriptor, which stays the caller's. OK, TOO_LARGE,
 * IO. */
enum status host_file_read_open(int fd, void *into, size_t size_max, size_t *size) MUST_USE;
/* host_file_replace writes `directory`/`name` anew, mode 0600: temporary file, fsync, rename, fsync
 * of the directory. After OK the new bytes survive a power cut; after anything else (NO_SPACE,
 * PERMISSION, IO) the old ones are still there, except when only the last fsync failed. */
enum status host_file_replace(const char *directory, const char *name, struct slice bytes) MUST_USE;
/* host_file_sync_directory makes names in a directory durable. OK, IO. */
enum status host_file_sync_directory(const char *directory) MUST_USE;

#endif
