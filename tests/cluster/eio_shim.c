/* eio_shim.c: preloaded into a daemon, it lets syncs fail with EIO while the file EIO_WHEN is
 * there: an empty one is taken away by the first sync that fails, another one stays. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int shim_fails(void)
{
    const char *when = getenv("EIO_WHEN");
    struct stat info;

    if (when == NULL || stat(when, &info) != 0)
        return 0;
    if (info.st_size == 0)
        (void)unlink(when);
    errno = EIO;
    return 1;
}

static int shim_sync(const char *name, int fd)
{
    int (*next)(int);

    *(void **)&next = dlsym(RTLD_NEXT, name);
    return shim_fails() ? -1 : next(fd);
}

int fsync(int fd)
{
    return shim_sync("fsync", fd);
}

int fdatasync(int fd)
{
    return shim_sync("fdatasync", fd);
}
