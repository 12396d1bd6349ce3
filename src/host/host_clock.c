#include "host_clock.h"

#include <time.h>

#include "ensure.h"

instant host_clock_now(void)
{
    struct timespec time;

    ensure(clock_gettime(CLOCK_BOOTTIME, &time) == 0);
    return INSTANT_S(time.tv_sec) + (uint64_t)time.tv_nsec / 1000;
}

uint64_t host_clock_wall_ms(void)
{
    struct timespec time;

    ensure(clock_gettime(CLOCK_REALTIME, &time) == 0);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}
