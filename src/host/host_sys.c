#include "host_sys.h"

#include <errno.h>
#include <unistd.h>

ssize_t host_sys_read(struct metrics *metrics, int fd, void *into, size_t size)
{
    ssize_t done;

    do {
        metric_add(metrics, METRIC_SYSCALL_READ, 1);
        done = read(fd, into, size);
    } while (done < 0 && errno == EINTR);
    return done;
}

/* send, because a pipe signal must not end us whoever set up the process. */
ssize_t host_sys_write(struct metrics *metrics, int fd, const void *bytes, size_t size)
{
    ssize_t done;

    do {
        metric_add(metrics, METRIC_SYSCALL_WRITE, 1);
        done = send(fd, bytes, size, MSG_NOSIGNAL);
    } while (done < 0 && errno == EINTR);
    return done;
}

ssize_t host_sys_writev(struct metrics *metrics, int fd, const struct iovec *parts, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                             .msg_iovlen = (size_t)count};
    ssize_t done;

    do {
        metric_add(metrics, METRIC_SYSCALL_WRITE, 1);
        done = sendmsg(fd, &message, MSG_NOSIGNAL);
    } while (done < 0 && errno == EINTR);
    return done;
}

int host_sys_recvmmsg(struct metrics *metrics, int fd, struct mmsghdr *messages, unsigned count)
{
    int done;

    do {
        metric_add(metrics, METRIC_SYSCALL_RECVMMSG, 1);
        done = recvmmsg(fd, messages, count, MSG_DONTWAIT, NULL);
    } while (done < 0 && errno == EINTR);
    return done;
}

int host_sys_sendmmsg(struct metrics *metrics, int fd, struct mmsghdr *messages, unsigned count)
{
    int done;

    do {
        metric_add(metrics, METRIC_SYSCALL_SENDMMSG, 1);
        done = sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (done < 0 && errno == EINTR);
    return done;
}

int host_sys_accept(struct metrics *metrics, int fd, struct sockaddr_storage *from)
{
    socklen_t size = sizeof *from;
    int done;

    do {
        metric_add(metrics, METRIC_SYSCALL_ACCEPT, 1);
        done = accept4(fd, (struct sockaddr *)from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (done < 0 && errno == EINTR);
    return done;
}
