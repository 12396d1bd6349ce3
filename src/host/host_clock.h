/* host_clock.h: the two clocks of the machine. */
#ifndef GOSSAMER_HOST_CLOCK_H
#define GOSSAMER_HOST_CLOCK_H

#include "types.h"

/* host_clock_now reads the monotonic clock in microseconds, sleep of the machine included. */
instant host_clock_now(void);
/* host_clock_wall_ms reads the wall clock in milliseconds since 1970. */
uint64_t host_clock_wall_ms(void);

#endif
