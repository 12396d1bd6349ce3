/* host_udp.c: datagrams, received and sent in batches. IP_RECVERR makes the kernel tell which
 * address refused a datagram; that arrives through the socket's error queue. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "host_room.h"
#include "host_socket.h"
#include "host_sys.h"

#define BATCH 32u              /* datagrams per system call; more gain nothing measurable */
#define UDP_TURN_MAX 1024u     /* datagrams of one turn: the others must have their share */
#define ROOM DATAGRAM_SIZE_MAX /* a longer datagram shows as truncated */
#define ERRORS_MAX 64u         /* refusals read in one go */

/* One socket and what is to be sent through it. */
struct host_udp_socket {
    ev_io io;
    struct host_udp *udp;
    int family;
    unsigned count; /* queued */
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_storage to[BATCH];
};

struct host_udp {
    struct host *host;
    struct host_udp_socket *sockets; /* owned */
    unsigned count;
    bool is_behind;
    struct mmsghdr messages[BATCH]; /* of receiving, as the three below */
    struct iovec parts[BATCH];
    struct sockaddr_storage from[BATCH];
    uint8_t rooms[BATCH][ROOM];
};

/* --- receiving */

static void host_udp_refused(struct host_udp *udp, const struct msghdr *message)
{
    struct event event = {.kind = EVENT_REFUSED};

    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR((struct msghdr *)(uintptr_t)message, part)) {
        struct sock_extended_err error;
        bool is_error = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                        (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);

        if (!is_error || part->cmsg_len < CMSG_LEN(sizeof error))
            continue;
        memcpy(&error, CMSG_DATA(part), sizeof error);
        if (error.ee_errno != ECONNREFUSED)
            continue;
        event.refused.address = host_socket_from(message->msg_name);
        if (event.refused.address.family != 0)
            host_step(udp->host, &event);
    }
}

static void host_udp_errors(struct host_udp *udp, int fd)
{
    for (unsigned i = 0; i < ERRORS_MAX; i++) {
        _Alignas(struct cmsghdr) uint8_t control[512];
        struct sockaddr_storage to = {0};
        uint8_t room[64];
        struct iovec part = {room, sizeof room};
        struct msghdr message = {.msg_name = &to,
                                 .msg_namelen = sizeof to,
                                 .msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};

        metric_add(&udp->host->metrics, METRIC_SYSCALL_READ, 1);
        if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return;
        host_udp_refused(udp, &message);
    }
}

static void host_udp_receive(struct host_udp *udp, unsigned count)
{
    struct event event = {.kind = EVENT_DATAGRAM};

    for (unsigned i = 0; i < count; i++) {
        if (udp->messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
            metric_add(&udp->host->metrics, METRIC_DROP_MALFORMED, 1);
            continue;
        }
        event.datagram.from = host_socket_from(&udp->from[i]);
        event.datagram.bytes = (struct slice){udp->rooms[i], udp->messages[i].msg_len};
        host_step(udp->host, &event);
    }
}

static void host_udp_prepare(struct host_udp *udp)
{
    for (unsigned i = 0; i < BATCH; i++) {
        udp->parts[i] = (struct iovec){udp->rooms[i], ROOM};
        udp->messages[i].msg_hdr = (struct msghdr){.msg_name = &udp->from[i],
                                                   .msg_namelen = sizeof udp->from[i],
                                                   .msg_iov = &udp->parts[i],
                                                   .msg_iovlen = 1};
    }
}

static void host_udp_on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct host_udp *udp = watcher->data;
    unsigned total = 0, errors = 0;

    (void)loop;
    (void)events;
    udp->is_behind = false;
    while (total < UDP_TURN_MAX) {
        int count;

        host_udp_prepare(udp);
        count = host_sys_recvmmsg(&udp->host->metrics, watcher->fd, udp->messages, BATCH);
        if (count <= 0) {
            /* Either nothing but errors waits, or one of them came first. */
            host_udp_errors(udp, watcher->fd);
            if (errno == EAGAIN || ++errors > 2)
                return;
            continue;
        }
        host_udp_receive(udp, (unsigned)count);
        total += (unsigned)count;
        if ((unsigned)count < BATCH)
            return;
        host_refresh(udp->host);
    }
    udp->is_behind = true;
}

bool host_udp_is_behind(const struct host_udp *udp)
{
    return udp->is_behind;
}

/* --- sending */

static void host_udp_send_queued(struct host_udp_socket *socket)
{
    struct host_udp *udp = socket->udp;
    unsigned done = 0, failures = 0;

    while (done < socket->count && failures < BATCH) {
        int sent = host_sys_sendmmsg(&udp->host->metrics, socket->io.fd, socket->messages + done,
                                     socket->count - done);

        if (sent > 0) {
            done += (unsigned)sent;
            continue;
        }
        /* A full socket drops the rest, as the network would. Anything else may be an older refusal
         * reported now, which says nothing about this datagram: it is tried once more. */
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
            break;
        done += failures++ % 2;
        ev_feed_fd_event(udp->host->loop, socket->io.fd, EV_READ);
    }
    socket->count = 0;
}

void host_udp_send(struct host_udp *udp, const struct address *to, struct slice bytes)
{
    for (unsigned i = 0; i < udp->count; i++) {
        struct host_udp_socket *socket = &udp->sockets[i];
        unsigned at = socket->count;
        socklen_t size = host_socket_to(to, socket->family, &socket->to[at]);

        if (size == 0)
            continue;
        socket->parts[at] = (struct iovec){(void *)(uintptr_t)bytes.data, bytes.size};
        socket->messages[at].msg_hdr = (struct msghdr){.msg_name = &socket->to[at],
                                                       .msg_namelen = size,
                                                       .msg_iov = &socket->parts[at],
                                                       .msg_iovlen = 1};
        if (++socket->count == BATCH)
            host_udp_send_queued(socket);
        return;
    }
}

void host_udp_flush(struct host_udp *udp)
{
    for (unsigned i = 0; i < udp->count; i++)
        if (udp->sockets[i].count != 0)
            host_udp_send_queued(&udp->sockets[i]);
}

/* --- life */

static void host_udp_start(struct host_udp *udp, struct host_udp_socket *socket, int fd)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;
    int on = 1, room = 4 << 20;

    /* The kernel holds what comes while we are stalled; the bound of the system may be lower. */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    if (getsockname(fd, (struct sockaddr *)&name, &size) == 0)
        socket->family = name.ss_family;
    socket->udp = udp;
    ev_io_init(&socket->io, host_udp_on_readable, fd, EV_READ);
    ev_set_priority(&socket->io, HOST_PRIORITY_UDP);
    socket->io.data = udp;
    ev_io_start(udp->host->loop, &socket->io);
}

struct host_udp *host_udp_open(struct host *host, const int *sockets, unsigned count)
{
    struct host_udp *udp = calloc(1, sizeof *udp);

    if (udp == NULL)
        return NULL;
    udp->host = host;
    udp->sockets = calloc(count, sizeof *udp->sockets);
    if (udp->sockets == NULL) {
        free(udp);
        return NULL;
    }
    udp->count = count;
    for (unsigned i = 0; i < count; i++)
        host_udp_start(udp, &udp->sockets[i], sockets[i]);
    return udp;
}

void host_udp_close(struct host_udp *udp)
{
    if (udp == NULL)
        return;
    for (unsigned i = 0; i < udp->count; i++) {
        ev_io_stop(udp->host->loop, &udp->sockets[i].io);
        close(udp->sockets[i].io.fd);
    }
    free(udp->sockets);
    free(udp);
}
