#include "host_keyring.h"

#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "host_entropy.h"
#include "host_secret.h"

#define KEYRING_NAME "cluster.key"

static enum status host_keyring_read(struct seal_keyring *ring, const char *path, char *detail)
{
    uint8_t text[SEAL_KEYRING_TEXT_MAX];
    size_t size;
    enum status status = host_secret_read(path, text, sizeof text, &size, detail);

    if (status == STATUS_OK)
        status = seal_keyring_parse(ring, slice_of(text, size));
    host_wipe(text, sizeof text);
    if (status == STATUS_FOREIGN) {
        snprintf(detail, HOST_DETAIL_SIZE, "%.800s is of another version of Gossamer", path);
        return STATUS_UNSUPPORTED;
    }
    if (status == STATUS_BAD || status == STATUS_TOO_LARGE) {
        snprintf(detail, HOST_DETAIL_SIZE,
                 "%.800s is not a cluster key file; copy cluster.key from another peer of the "
                 "cluster",
                 path);
        return STATUS_CORRUPT;
    }
    return status;
}

enum status host_keyring_save(const struct seal_keyring *ring, const char *directory, char *detail)
{
    uint8_t text[SEAL_KEYRING_TEXT_MAX];
    struct writer writer = writer_over(text, sizeof text);
    enum status status = seal_keyring_write(ring, &writer);

    if (status == STATUS_OK)
        status = host_file_replace(directory, KEYRING_NAME, writer_done(&writer));
    host_wipe(text, sizeof text);
    if (status == STATUS_OK)
        return STATUS_OK;
    return host_explain(status, directory, "cannot write cluster.key in", detail);
}

enum status host_keyring_open(struct seal_keyring *ring, const char *directory,
                              const char *secret_file, bool has_seeds, char *detail)
{
    struct seal_entropy entropy = host_entropy();
    char path[HOST_PATH_SIZE];
    enum status status;

    if (host_file_path(path, directory, KEYRING_NAME) == NULL)
        return host_explain(STATUS_IO, directory, "cannot use", detail);
    status = host_keyring_read(ring, path, detail);
    if (status != STATUS_MISSING)
        return status;
    if (secret_file != NULL && secret_file[0] != 0) {
        status = host_keyring_read(ring, secret_file, detail);
        if (status != STATUS_OK)
            return status;
    } else if (has_seeds) {
        snprintf(detail, HOST_DETAIL_SIZE,
                 "this peer has seeds but no cluster key. Copy cluster.key from a peer of the "
                 "cluster and name it: mesh.secret_file (or put it at %.800s, mode 0600)",
                 path);
        return STATUS_MISSING;
    } else {
        seal_keyring_make(ring, &entropy);
    }
    return host_keyring_save(ring, directory, detail);
}
