/* guard.c: whole pages for the bytes, moved to their end, then one page without any permission. */
#include "guard.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t guard_room(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

uint8_t *guard_copy(const void *data, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = guard_room(size);
    uint8_t *base =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED || mprotect(base + room, page, PROT_NONE) != 0)
        abort();
    if (size)
        memcpy(base + room - size, data, size);
    return base + room - size;
}

void guard_free(uint8_t *copy, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = guard_room(size);

    munmap(copy + size - room, room + page);
}
