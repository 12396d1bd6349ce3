/* host_identity.c: lock, identity key and boot record of a data directory.
 *
 *   lock          empty; flock
 *   identity.key  the Ed25519 seed, 32 bytes | check u64: any seed would be an identity
 *   boot          counter u64 | nonce u64 | check u64 */
#include "host_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "hash.h"

#define LOCK_NAME "lock"
#define KEY_NAME "identity.key"
#define BOOT_NAME "boot"
#define BOOT_CHECKED_SIZE 16u /* counter u64 | nonce u64, then the check u64 */
#define BOOT_SIZE (BOOT_CHECKED_SIZE + 8u)

#define KEY_SIZE (SEAL_SEED_SIZE + 8u)

/* They find an accident, not an attacker: the keys are constants. */
static const uint8_t host_boot_key[HASH_SEED_SIZE] = "gossamer boot";
static const uint8_t host_seed_key[HASH_SEED_SIZE] = "gossamer seed";

/* Makes the directory and those above it. */
static enum status host_directory_make(const char *path, char *detail)
{
    char part[HOST_PATH_SIZE];
    size_t size = strlen(path);
    struct stat info;

    if (size == 0 || size >= sizeof part) {
        snprintf(detail, HOST_DETAIL_SIZE, "the name of the data directory is empty or too long");
        return STATUS_IO;
    }
    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (stat(part, &info) == 0)
            continue;
        if (mkdir(part, S_IRWXU) != 0 && errno != EEXIST) {
            enum status status = host_file_status(errno);
            char *slash = strrchr(part, '/');

            if (status == STATUS_PERMISSION && slash != NULL && slash != part)
                *slash = 0; /* it is the directory above that does not let us */
            return host_explain(status, part, "cannot create the data directory in", detail);
        }
    }
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return STATUS_OK;
    snprintf(detail, HOST_DETAIL_SIZE, "%.800s is not a directory", path);
    return STATUS_IO;
}

static enum status host_directory_lock(struct host_directory *directory, char *detail)
{
    char path[HOST_PATH_SIZE];

    if (host_file_path(path, directory->path, LOCK_NAME) == NULL)
        return host_explain(STATUS_IO, directory->path, "cannot use", detail);
    directory->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (directory->lock < 0)
        return host_explain(host_file_status(errno), directory->path,
                            "cannot write in the data directory", detail);
    if (flock(directory->lock, LOCK_EX | LOCK_NB) == 0)
        return STATUS_OK;
    if (errno != EWOULDBLOCK)
        return host_explain(host_file_status(errno), path, "cannot lock", detail);
    snprintf(detail, HOST_DETAIL_SIZE,
             "another gossamerd uses the data directory %.700s; stop it or choose another "
             "storage.dir",
             directory->path);
    return STATUS_BUSY;
}

static enum status host_directory_make_key(struct host_directory *directory, char *detail)
{
    uint8_t seed[KEY_SIZE];
    enum status status;

    host_random(seed, SEAL_SEED_SIZE);
    bytes_store_u64(seed + SEAL_SEED_SIZE, hash_sip64(host_seed_key, seed, SEAL_SEED_SIZE));
    status = host_file_replace(directory->path, KEY_NAME, slice_of(seed, sizeof seed));
    if (status == STATUS_OK)
        status = seal_identity_from_seed(&directory->identity, seed);
    host_wipe(seed, sizeof seed);
    directory->is_new = true;
    if (status == STATUS_OK)
        return STATUS_OK;
    return host_explain(status, directory->path, "cannot write identity.key in", detail);
}

static bool host_directory_has(const struct host_directory *directory, const char *name)
{
    char path[HOST_PATH_SIZE];
    struct stat info;

    return host_file_path(path, directory->path, name) != NULL && lstat(path, &info) == 0;
}

static enum status host_directory_bad_key(const char *path, const char *how, char *detail)
{
    snprintf(detail, HOST_DETAIL_SIZE,
             "%.800s %s. Put the file back from a copy, or start with an empty directory: the peer "
             "then joins under a new identity and is filled by the others",
             path, how);
    return STATUS_CORRUPT;
}

static enum status host_directory_read_key(struct host_directory *directory, char *detail)
{
    char path[HOST_PATH_SIZE];
    uint8_t seed[KEY_SIZE];
    enum status status;
    size_t size;

    if (host_file_path(path, directory->path, KEY_NAME) == NULL)
        return host_explain(STATUS_IO, directory->path, "cannot use", detail);
    status = host_secret_read(path, seed, sizeof seed, &size, detail);
    if (status == STATUS_MISSING) {
        if (!host_directory_has(directory, BOOT_NAME))
            return host_directory_make_key(directory, detail);
        return host_directory_bad_key(path, "is gone from a directory that has been in use",
                                      detail);
    }
    if (status == STATUS_OK && size == sizeof seed &&
        bytes_load_u64(seed + SEAL_SEED_SIZE) == hash_sip64(host_seed_key, seed, SEAL_SEED_SIZE))
        status = seal_identity_from_seed(&directory->identity, seed);
    else if (status == STATUS_OK)
        status = STATUS_BAD;
    host_wipe(seed, sizeof seed);
    if (status == STATUS_BAD || status == STATUS_TOO_LARGE)
        return host_directory_bad_key(path, "is damaged", detail);
    return status;
}

static enum status host_directory_read_boot(struct host_directory *directory, char *detail)
{
    char path[HOST_PATH_SIZE];
    uint8_t bytes[BOOT_SIZE];
    enum status status;
    size_t size;

    directory->boot = (struct host_boot){0, 0};
    if (host_file_path(path, directory->path, BOOT_NAME) == NULL)
        return host_explain(STATUS_IO, directory->path, "cannot use", detail);
    status = host_file_read(path, bytes, sizeof bytes, &size);
    if (status == STATUS_MISSING)
        return STATUS_OK;
    if (status != STATUS_OK && status != STATUS_TOO_LARGE)
        return host_explain(status, path, "cannot read", detail);
    if (status == STATUS_OK && size == sizeof bytes &&
        bytes_load_u64(bytes + BOOT_CHECKED_SIZE) ==
            hash_sip64(host_boot_key, bytes, BOOT_CHECKED_SIZE)) {
        directory->boot.counter = bytes_load_u64(bytes);
        return STATUS_OK;
    }
    snprintf(detail, HOST_DETAIL_SIZE,
             "%.400s is damaged. Move the directory away and start with one that holds only "
             "identity.key: the peer is then refilled by the others",
             path);
    return STATUS_CORRUPT;
}

enum status host_directory_boot(struct host_directory *directory, char *detail)
{
    struct host_boot next = {.counter = directory->boot.counter + 1};
    uint8_t bytes[BOOT_SIZE];
    enum status status;

    host_random(&next.nonce, sizeof next.nonce);
    bytes_store_u64(bytes, next.counter);
    bytes_store_u64(bytes + 8, next.nonce);
    bytes_store_u64(bytes + BOOT_CHECKED_SIZE, hash_sip64(host_boot_key, bytes, BOOT_CHECKED_SIZE));
    status = host_file_replace(directory->path, BOOT_NAME, slice_of(bytes, sizeof bytes));
    if (status != STATUS_OK)
        return host_explain(status, directory->path, "cannot write the boot record in", detail);
    directory->boot = next;
    return STATUS_OK;
}

enum status host_directory_open(struct host_directory *directory, const char *path, char *detail)
{
    enum status status = host_directory_make(path, detail);

    memset(directory, 0, sizeof *directory);
    directory->lock = -1;
    if (status != STATUS_OK)
        return status;
    snprintf(directory->path, sizeof directory->path, "%s", path);
    status = host_directory_lock(directory, detail);
    if (status == STATUS_OK)
        status = host_directory_read_key(directory, detail);
    if (status == STATUS_OK)
        status = host_directory_read_boot(directory, detail);
    if (status == STATUS_OK)
        status = host_directory_boot(directory, detail);
    if (status != STATUS_OK)
        host_directory_close(directory);
    return status;
}

void host_directory_close(struct host_directory *directory)
{
    seal_identity_wipe(&directory->identity);
    if (directory->lock >= 0)
        close(directory->lock); /* and with it the lock */
    directory->lock = -1;
}
