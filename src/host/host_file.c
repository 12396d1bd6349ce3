#include "host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

char *host_file_path(char *path, const char *directory, const char *name)
{
    int size = snprintf(path, HOST_PATH_SIZE, "%s/%s", directory, name);

    return size > 0 && size < HOST_PATH_SIZE ? path : NULL;
}

enum status host_file_status(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return STATUS_MISSING;
    case EACCES:
    case EPERM:
    case EROFS:
        return STATUS_PERMISSION;
    case ENOSPC:
    case EDQUOT:
        return STATUS_NO_SPACE;
    case EWOULDBLOCK:
    case EBUSY:
        return STATUS_BUSY;
    default:
        return STATUS_IO;
    }
}

enum status host_file_read_open(int fd, void *into, size_t size_max, size_t *size)
{
    uint8_t more;

    *size = 0;
    while (*size < size_max) {
        ssize_t got = read(fd, (uint8_t *)into + *size, size_max - *size);

        if (got == 0)
            return STATUS_OK;
        if (got > 0)
            *size += (size_t)got;
        else if (errno != EINTR)
            return STATUS_IO;
    }
    return read(fd, &more, 1) > 0 ? STATUS_TOO_LARGE : STATUS_OK;
}

enum status host_file_read(const char *path, void *into, size_t size_max, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum status status;

    *size = 0;
    if (fd < 0)
        return host_file_status(errno);
    status = host_file_read_open(fd, into, size_max, size);
    close(fd);
    return status;
}

static enum status host_file_write(int fd, struct slice bytes)
{
    size_t done = 0;

    while (done < bytes.size) {
        ssize_t put = write(fd, bytes.data + done, bytes.size - done);

        if (put >= 0)
            done += (size_t)put;
        else if (errno != EINTR)
            return host_file_status(errno);
    }
    return fsync(fd) == 0 ? STATUS_OK : host_file_status(errno);
}

enum status host_file_sync_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return is_synced ? STATUS_OK : STATUS_IO;
}

enum status host_file_replace(const char *directory, const char *name, struct slice bytes)
{
    char path[HOST_PATH_SIZE], temporary[HOST_PATH_SIZE + 4];
    enum status status;
    int fd;

    if (host_file_path(path, directory, name) == NULL)
        return STATUS_IO;
    snprintf(temporary, sizeof temporary, "%s.new", path);
    /* One that is left over from a crash may have other rights or be a link: never reused. */
    if (unlink(temporary) != 0 && errno != ENOENT)
        return host_file_status(errno);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return errno == ENOENT ? STATUS_IO : host_file_status(errno);
    status = host_file_write(fd, bytes);
    if (close(fd) != 0 && status == STATUS_OK)
        status = host_file_status(errno);
    if (status == STATUS_OK && rename(temporary, path) != 0)
        status = host_file_status(errno);
    if (status != STATUS_OK) {
        unlink(temporary);
        return status;
    }
    return host_file_sync_directory(directory);
}
