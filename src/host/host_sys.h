/* host_sys.h: the system calls of the hot path, counted (architecture.md 7). All of them are
 * repeated when a signal interrupts them; otherwise errno is the system's. */
#ifndef GOSSAMER_HOST_SYS_H
#define GOSSAMER_HOST_SYS_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "metrics.h"

ssize_t host_sys_read(struct metrics *metrics, int fd, void *into, size_t size);
ssize_t host_sys_write(struct metrics *metrics, int fd, const void *bytes, size_t size);
ssize_t host_sys_writev(struct metrics *metrics, int fd, const struct iovec *parts, int count);
int host_sys_recvmmsg(struct metrics *metrics, int fd, struct mmsghdr *messages, unsigned count);
int host_sys_sendmmsg(struct metrics *metrics, int fd, struct mmsghdr *messages, unsigned count);
/* host_sys_accept makes the new socket nonblocking and closed on exec. */
int host_sys_accept(struct metrics *metrics, int fd, struct sockaddr_storage *from);

#endif
