/* echo_floor.c: the calibration floor (testing.md C3): a single-threaded epoll server that does
 * nothing but read and write. Every `request` bytes that come in are answered with one fixed HTTP
 * reply of `reply` bytes, 100 of them body; nothing is parsed. A server cannot cost less than this.
 *
 *   echo_floor PORT REQUEST_BYTES REPLY_BYTES */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

#define BODY_SIZE 100
#define REPLY_MAX 4096
#define BATCH_MAX 64 /* replies in one write */
#define EVENTS_MAX 256
#define FILES_MAX 4096

static char replies[REPLY_MAX * BATCH_MAX];
static size_t pending[FILES_MAX]; /* bytes of a request that is not complete, by descriptor */

static void floor_die(const char *what)
{
    fprintf(stderr, "echo_floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Fills `replies` with copies of one reply of exactly `size` bytes. */
static void floor_reply_make(size_t size)
{
    int head = snprintf(
        replies, REPLY_MAX,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nFill: ", BODY_SIZE);
    size_t fill = size - (size_t)head - BODY_SIZE - 4;

    if (size > REPLY_MAX || size < (size_t)head + BODY_SIZE + 4) {
        fprintf(stderr, "echo_floor: a reply has %d to %d bytes\n", head + BODY_SIZE + 4,
                REPLY_MAX);
        exit(2);
    }
    memset(replies + head, 'f', fill);
    memcpy(replies + (size_t)head + fill, "\r\n\r\n", 4);
    memset(replies + size - BODY_SIZE, 'b', BODY_SIZE);
    for (size_t i = 1; i < BATCH_MAX; i++)
        memcpy(replies + i * size, replies, size);
}

static int floor_listen(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 512) < 0)
        floor_die("listen");
    return fd;
}

static void floor_accept(int epoll, int listener)
{
    struct epoll_event event = {.events = EPOLLIN};
    int on = 1;

    event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (event.data.fd < 0)
        return;
    if (event.data.fd >= FILES_MAX) {
        close(event.data.fd);
        return;
    }
    pending[event.data.fd] = 0;
    setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event) < 0)
        floor_die("epoll_ctl");
}

static void floor_answer(int fd, size_t request, size_t reply)
{
    static char input[65536];
    ssize_t got = recv(fd, input, sizeof input, 0);
    size_t count;

    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            close(fd);
        return;
    }
    pending[fd] += (size_t)got;
    count = pending[fd] / request;
    pending[fd] %= request;
    while (count) {
        size_t batch = count < BATCH_MAX ? count : BATCH_MAX;

        if (send(fd, replies, batch * reply, MSG_NOSIGNAL) != (ssize_t)(batch * reply)) {
            close(fd);
            return;
        }
        count -= batch;
    }
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_MAX], event = {.events = EPOLLIN};
    size_t request, reply;
    int listener, epoll;

    if (argc != 4) {
        fputs("echo_floor PORT REQUEST_BYTES REPLY_BYTES\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    request = strtoul(argv[2], NULL, 10);
    reply = strtoul(argv[3], NULL, 10);
    floor_reply_make(reply);
    listener = floor_listen((uint16_t)strtoul(argv[1], NULL, 10));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    event.data.fd = listener;
    if (request == 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0)
        floor_die("epoll");
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                floor_accept(epoll, listener);
            else
                floor_answer(events[i].data.fd, request, reply);
        }
    }
}
