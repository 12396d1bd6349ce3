/* crash_shim.c: preloaded into a writer, it notes everything that is done to files below CRASH_ROOT
 * in the file CRASH_LOG, in order, so that images_test.c can make the disk of any power cut:
 *
 *   kind u8 | began u64 | offset u64 | path size u16 | other size u16 | data size u32 | path other
 * data
 *
 * `began` is how many records there were when a sync began: it covers those and no later ones. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHIM_CREATE = 1, SHIM_WRITE, SHIM_SYNC, SHIM_RENAME, SHIM_UNLINK, SHIM_TRUNCATE };

struct shim_record {
    uint8_t kind;
    uint64_t began, offset;
    uint16_t path_size, other_size;
    uint32_t data_size;
} __attribute__((packed));

static pthread_mutex_t shim_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t shim_count;
static int shim_log = -1;

static void *shim_next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static int shim_is_ours(const char *path)
{
    const char *root = getenv("CRASH_ROOT");

    return root != NULL && strncmp(path, root, strlen(root)) == 0;
}

/* The path of a descriptor, or NULL when it is none of ours. */
static const char *shim_path(int fd, char room[512])
{
    char link[64];
    ssize_t size;

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    size = readlink(link, room, 511);
    if (size <= 0)
        return NULL;
    room[size] = 0;
    return shim_is_ours(room) ? room : NULL;
}

static void shim_put(const void *bytes, size_t size)
{
    static ssize_t (*next)(int, const void *, size_t);

    if (next == NULL)
        next = (ssize_t(*)(int, const void *, size_t))shim_next("write");
    while (size > 0) {
        ssize_t done = next(shim_log, bytes, size);

        if (done <= 0)
            abort();
        bytes = (const char *)bytes + done;
        size -= (size_t)done;
    }
}

static uint64_t shim_begin(void)
{
    uint64_t began;

    pthread_mutex_lock(&shim_lock);
    began = shim_count;
    pthread_mutex_unlock(&shim_lock);
    return began;
}

/* Appends a record; the lock is held around the call it is about, so that order is order. */
static void shim_note(struct shim_record record, const char *path, const char *other,
                      const void *data)
{
    static int (*next)(const char *, int, ...);

    record.path_size = (uint16_t)strlen(path);
    record.other_size = (uint16_t)(other == NULL ? 0 : strlen(other));
    if (shim_log < 0) {
        next = (int (*)(const char *, int, ...))shim_next("open");
        shim_log = next(getenv("CRASH_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (shim_log < 0)
            abort();
    }
    shim_put(&record, sizeof record);
    shim_put(path, record.path_size);
    if (other != NULL)
        shim_put(other, record.other_size);
    if (record.data_size > 0)
        shim_put(data, record.data_size);
    shim_count++;
}

static int shim_open(const char *name, const char *path, int flags, mode_t mode)
{
    int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))shim_next(name);
    struct stat info;
    int fd;

    if (!(flags & (O_CREAT | O_TRUNC)) || !shim_is_ours(path))
        return next(path, flags, mode);
    pthread_mutex_lock(&shim_lock);
    {
        int was_there = stat(path, &info) == 0;

        fd = next(path, flags, mode);
        if (fd >= 0 && !was_there)
            shim_note((struct shim_record){.kind = SHIM_CREATE}, path, NULL, NULL);
        else if (fd >= 0 && (flags & O_TRUNC))
            shim_note((struct shim_record){.kind = SHIM_TRUNCATE}, path, NULL, NULL);
    }
    pthread_mutex_unlock(&shim_lock);
    return fd;
}

#define SHIM_OPEN(name)                                                                            \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list more;                                                                              \
        mode_t mode = 0;                                                                           \
                                                                                                   \
        va_start(more, flags);                                                                     \
        if (flags & O_CREAT)                                                                       \
            mode = va_arg(more, mode_t);                                                           \
        va_end(more);                                                                              \
        return shim_open(#name, path, flags, mode);                                                \
    }
SHIM_OPEN(open)
SHIM_OPEN(open64)

ssize_t write(int fd, const void *bytes, size_t size)
{
    ssize_t (*next)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))shim_next("write");
    char room[512];
    const char *path = shim_path(fd, room);
    ssize_t done;

    if (path == NULL)
        return next(fd, bytes, size);
    pthread_mutex_lock(&shim_lock);
    {
        off_t offset = lseek(fd, 0, SEEK_CUR);

        done = next(fd, bytes, size);
        if (done > 0)
            shim_note((struct shim_record){.kind = SHIM_WRITE,
                                           .offset = (uint64_t)offset,
                                           .data_size = (uint32_t)done},
                      path, NULL, bytes);
    }
    pthread_mutex_unlock(&shim_lock);
    return done;
}

static ssize_t shim_pwrite(const char *name, int fd, const void *bytes, size_t size, off_t offset)
{
    ssize_t (*next)(int, const void *, size_t, off_t) =
        (ssize_t(*)(int, const void *, size_t, off_t))shim_next(name);
    char room[512];
    const char *path = shim_path(fd, room);
    ssize_t done;

    if (path == NULL)
        return next(fd, bytes, size, offset);
    pthread_mutex_lock(&shim_lock);
    done = next(fd, bytes, size, offset);
    if (done > 0)
        shim_note((struct shim_record){.kind = SHIM_WRITE,
                                       .offset = (uint64_t)offset,
                                       .data_size = (uint32_t)done},
                  path, NULL, bytes);
    pthread_mutex_unlock(&shim_lock);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return shim_pwrite("pwrite", fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
    return shim_pwrite("pwrite64", fd, bytes, size, offset);
}

/* A sync takes long: others go on meanwhile, and what they do is not covered. */
static int shim_sync(const char *name, int fd)
{
    int (*next)(int) = (int (*)(int))shim_next(name);
    char room[512];
    const char *path = shim_path(fd, room);
    uint64_t began = shim_begin();
    int status = next(fd);

    if (path == NULL || status != 0)
        return status;
    pthread_mutex_lock(&shim_lock);
    shim_note((struct shim_record){.kind = SHIM_SYNC, .began = began}, path, NULL, NULL);
    pthread_mutex_unlock(&shim_lock);
    return 0;
}

int fsync(int fd)
{
    return shim_sync("fsync", fd);
}

int fdatasync(int fd)
{
    return shim_sync("fdatasync", fd);
}

static int shim_truncate(const char *name, int fd, off_t size)
{
    int (*next)(int, off_t) = (int (*)(int, off_t))shim_next(name);
    char room[512];
    const char *path = shim_path(fd, room);
    int status;

    if (path == NULL)
        return next(fd, size);
    pthread_mutex_lock(&shim_lock);
    status = next(fd, size);
    if (status == 0)
        shim_note((struct shim_record){.kind = SHIM_TRUNCATE, .offset = (uint64_t)size}, path, NULL,
                  NULL);
    pthread_mutex_unlock(&shim_lock);
    return status;
}

int ftruncate(int fd, off_t size)
{
    return shim_truncate("ftruncate", fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return shim_truncate("ftruncate64", fd, size);
}

int rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *) =
        (int (*)(const char *, const char *))shim_next("rename");
    int status;

    if (!shim_is_ours(from))
        return next(from, to);
    pthread_mutex_lock(&shim_lock);
    status = next(from, to);
    if (status == 0)
        shim_note((struct shim_record){.kind = SHIM_RENAME}, from, to, NULL);
    pthread_mutex_unlock(&shim_lock);
    return status;
}

int unlink(const char *path)
{
    int (*next)(const char *) = (int (*)(const char *))shim_next("unlink");
    int status;

    if (!shim_is_ours(path))
        return next(path);
    pthread_mutex_lock(&shim_lock);
    status = next(path);
    if (status == 0)
        shim_note((struct shim_record){.kind = SHIM_UNLINK}, path, NULL, NULL);
    pthread_mutex_unlock(&shim_lock);
    return status;
}
