#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ensure.h"

#define PATH_SIZE 1024
#define COPY_SIZE 65536

void scratch_make(char path[SCRATCH_SIZE])
{
    snprintf(path, SCRATCH_SIZE, "/tmp/gossamer-test-XXXXXX");
    ensure(mkdtemp(path) != NULL);
}

static int scratch_unlink(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

void scratch_remove(const char *path)
{
    ensure(strncmp(path, "/tmp/gossamer-test-", 19) == 0);
    nftw(path, scratch_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

static void scratch_copy_file(const char *from, const char *to, mode_t mode)
{
    static const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    char bytes[COPY_SIZE];
    int source = open(from, O_RDONLY | O_CLOEXEC), target = open(to, flags, mode);
    ssize_t size;

    ensure(source >= 0 && target >= 0);
    while ((size = read(source, bytes, sizeof bytes)) > 0)
        ensure(write(target, bytes, (size_t)size) == size);
    ensure(size == 0);
    close(source);
    close(target);
}

void scratch_copy(const char *from, const char *to)
{
    DIR *entries = opendir(from);
    struct dirent *entry;

    ensure(entries != NULL);
    while ((entry = readdir(entries)) != NULL) {
        char source[PATH_SIZE], target[PATH_SIZE];
        struct stat info;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
        ensure(lstat(source, &info) == 0);
        if (S_ISDIR(info.st_mode)) {
            ensure(mkdir(target, info.st_mode & 0777) == 0);
            scratch_copy(source, target);
        } else {
            scratch_copy_file(source, target, info.st_mode & 0777);
        }
    }
    closedir(entries);
}
