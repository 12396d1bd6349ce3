#include "host_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ensure.h"

#define NAME_TEXT_SIZE 64 /* bytes of a user's name for people */

void host_random(void *into, size_t size)
{
    uint8_t *at = into;

    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);

        ensure(got > 0 || errno == EINTR);
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        }
    }
}

void host_wipe(void *bytes, size_t size)
{
    explicit_bzero(bytes, size);
}

/* Writes "name" or "uid 1000" for a sentence. */
static void host_user_text(uid_t uid, char text[NAME_TEXT_SIZE])
{
    char room[1024];
    struct passwd entry, *found = NULL;

    if (getpwuid_r(uid, &entry, room, sizeof room, &found) == 0 && found != NULL)
        snprintf(text, NAME_TEXT_SIZE, "%.60s", found->pw_name);
    else
        snprintf(text, NAME_TEXT_SIZE, "%u", (unsigned)uid);
}

/* Says who may not do what with which path, and the line that would change it. */
static enum status host_explain_permission(const char *path, const char *what, char *detail)
{
    char us[NAME_TEXT_SIZE], owner[NAME_TEXT_SIZE];
    struct stat info;

    host_user_text(geteuid(), us);
    if (stat(path, &info) != 0) {
        snprintf(detail, HOST_DETAIL_SIZE, "%s %.400s: not permitted for user %s", what, path, us);
        return STATUS_PERMISSION;
    }
    host_user_text(info.st_uid, owner);
    snprintf(detail, HOST_DETAIL_SIZE,
             "%s %.400s: not permitted for user %s; it belongs to %s (mode %04o). "
             "Try: sudo chown -R %s: %.400s",
             what, path, us, owner, (unsigned)(info.st_mode & 07777), us, path);
    return STATUS_PERMISSION;
}

enum status host_explain(enum status status, const char *path, const char *what, char *detail)
{
    if (status == STATUS_PERMISSION)
        return host_explain_permission(path, what, detail);
    snprintf(detail, HOST_DETAIL_SIZE, "%s %.800s: %s", what, path, status_text(status));
    return status == STATUS_MISSING ? STATUS_IO : status;
}

static enum status host_secret_check(int fd, const char *path, char *detail)
{
    struct stat info;

    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        snprintf(detail, HOST_DETAIL_SIZE, "%.800s is not a file", path);
        return STATUS_IO;
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        snprintf(detail, HOST_DETAIL_SIZE,
                 "%.800s is a secret, but others may use it (mode %04o). Try: chmod 600 %.800s",
                 path, (unsigned)(info.st_mode & 07777), path);
        return STATUS_PERMISSION;
    }
    if (info.st_uid != geteuid() && info.st_uid != 0)
        return host_explain_permission(path, "refusing the secret in", detail);
    return STATUS_OK;
}

enum status host_secret_read(const char *path, void *into, size_t size_max, size_t *size,
                             char *detail)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum status status;

    *size = 0;
    if (fd < 0 && errno == ENOENT) {
        snprintf(detail, HOST_DETAIL_SIZE, "%.800s does not exist", path);
        return STATUS_MISSING;
    }
    if (fd < 0)
        return host_explain(host_file_status(errno), path, "cannot read", detail);
    status = host_secret_check(fd, path, detail);
    if (status == STATUS_OK) {
        status = host_file_read_open(fd, into, size_max, size);
        if (status != STATUS_OK)
            snprintf(detail, HOST_DETAIL_SIZE, "cannot read %.800s: %s", path, status_text(status));
    }
    close(fd);
    return status;
}
