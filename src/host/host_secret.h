/* host_secret.h: randomness, files that only their owner may read, and sentences about files that
 * we may not touch. */
#ifndef GOSSAMER_HOST_SECRET_H
#define GOSSAMER_HOST_SECRET_H

#include "host_file.h"

/* host_random fills bytes from the kernel's generator; it cannot fail once the system is up. */
void host_random(void *into, size_t size);
/* host_wipe clears secrets in a way the compiler does not drop. */
void host_wipe(void *bytes, size_t size);
/* host_secret_read reads a file that only its owner may read, at most `size_max` bytes. `detail`
 * (HOST_DETAIL_SIZE bytes) explains anything but OK. OK; MISSING; PERMISSION: unreadable, of
 * another owner, or open to others; TOO_LARGE; IO. */
enum status host_secret_read(const char *path, void *into, size_t size_max, size_t *size,
                             char *detail) MUST_USE;
/* host_explain writes "<what> <path>: ..." to `detail`; for PERMISSION also who owns the path and
 * the line that would change it. Returns the status, MISSING as IO. */
enum status host_explain(enum status status, const char *path, const char *what, char *detail);

#endif
