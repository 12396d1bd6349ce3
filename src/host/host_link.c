/* host_link.c: TCP connections between peers. Bytes of one turn leave with one call; what the
 * kernel does not take is copied and bounded. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "ensure.h"
#include "hash.h"
#include "host_room.h"
#include "host_socket.h"
#include "host_sys.h"
#include "list.h"
#include "map.h"

#define UNSENT_MAX (64u << 20)   /* bytes a slow peer may owe us: a few large values */
#define UNSENT_KEEP (64u << 10)  /* bytes of empty room kept */
#define PARTS_MAX 64u            /* slices of one call */
#define INBOUND_MAX 512u         /* connections others made */
#define STRANGERS_PER_SOURCE 16u /* unproven connections of one address, loopback excepted */
#define STRANGER_US INSTANT_S(6) /* the node ends a handshake after 5 s: older ones are proven */
#define ACCEPTS_MAX 16u          /* per turn: the handshake costs us more than them */
#define PAUSE_US INSTANT_MS(100) /* without descriptors a ready listener would spin the loop */

struct host_link {
    ev_io io;
    struct host_links *links;
    link_id id;
    struct address remote;
    instant since; /* accepted or dialled */
    bool is_connecting;
    bool is_dirty;      /* in in_dirty */
    bool is_failed;     /* in in_failed; nothing is written any more */
    enum status reason; /* why it failed */
    struct buffer unsent;
    struct iovec *parts; /* owned; of this turn, bytes belong to the effects */
    unsigned count, capacity;
    struct list in_links, in_dirty, in_failed;
};

struct host_listener {
    ev_io io;
    struct host_links *links;
};

struct host_links {
    struct host *host;
    struct host_listener listeners[HOST_LISTENERS_MAX];
    unsigned listener_count;
    struct map by_id;
    struct list all, dirty, failed;
    uint32_t inbound_count, inbound_next;
    instant accept_at; /* listeners rest until then; 0: they do not */
    uint8_t room[HOST_READ_SIZE];
};

static struct slice host_link_key(const link_id *id)
{
    return slice_of(id, sizeof *id);
}

static struct host_link *host_link_find(struct host_links *links, link_id id)
{
    return map_get(&links->by_id, host_link_key(&id));
}

static bool host_link_is_inbound(const struct host_link *link)
{
    return (link->id & LINK_INBOUND) != 0;
}

/* --- life of a link */

static void host_link_free(struct host_link *link)
{
    struct host_links *links = link->links;

    ev_io_stop(links->host->loop, &link->io);
    if (link->io.fd >= 0)
        close(link->io.fd);
    map_remove(&links->by_id, host_link_key(&link->id));
    links->inbound_count -= host_link_is_inbound(link);
    list_remove(&link->in_links);
    list_remove(&link->in_dirty);
    list_remove(&link->in_failed);
    buffer_close(&link->unsent);
    free(link->parts);
    free(link);
}

/* The node is told in host_links_settle, never from within a callback of the kernel's. */
static void host_link_fail(struct host_link *link, enum status reason)
{
    if (link->is_failed)
        return;
    link->is_failed = true;
    link->reason = reason;
    link->count = 0;
    ev_io_stop(link->links->host->loop, &link->io);
    list_push_back(&link->links->failed, &link->in_failed);
    link->links->host->is_restless = true;
}

static void host_link_watch(struct host_link *link)
{
    bool has_more = link->is_connecting || link->unsent.size != 0;
    int events = (link->is_connecting ? 0 : EV_READ) | (has_more ? EV_WRITE : 0);

    if (ev_is_active(&link->io) && (link->io.events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(link->links->host->loop, &link->io);
    ev_io_set(&link->io, link->io.fd, events);
    ev_io_start(link->links->host->loop, &link->io);
}

static void host_link_on_event(struct ev_loop *loop, ev_io *watcher, int events);

/* Makes a link around a socket, which may be -1: such a link can only fail. */
static struct host_link *host_link_new(struct host_links *links, link_id id, int fd,
                                       const struct address *remote)
{
    struct host_link *link = calloc(1, sizeof *link);
    int on = 1;

    ensure(link != NULL);
    link->links = links;
    link->id = id;
    link->remote = *remote;
    link->since = links->host->now;
    buffer_init(&link->unsent, UNSENT_MAX);
    list_push_back(&links->all, &link->in_links);
    list_init(&link->in_dirty);
    list_init(&link->in_failed);
    ev_io_init(&link->io, host_link_on_event, fd, 0);
    ev_set_priority(&link->io, HOST_PRIORITY_LINK);
    link->io.data = link;
    links->inbound_count += host_link_is_inbound(link);
    if (map_put(&links->by_id, host_link_key(&link->id), link) != STATUS_OK)
        host_link_fail(link, STATUS_OVERLOAD);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return link;
}

static void host_link_up(struct host_link *link)
{
    struct event event = {.kind = EVENT_LINK_UP};

    link->is_connecting = false;
    host_link_watch(link);
    event.link.link = link->id;
    event.link.address = link->remote;
    host_step(link->links->host, &event);
}

bool host_links_settle(struct host_links *links)
{
    struct list *at;
    bool is_busy = false;

    while ((at = list_pop_front(&links->failed)) != NULL) {
        struct host_link *link = list_entry(at, struct host_link, in_failed);
        struct event event = {.kind = EVENT_LINK_DOWN};

        event.link.link = link->id;
        event.link.address = link->remote;
        event.link.reason = link->reason;
        host_link_free(link);
        host_step(links->host, &event);
        is_busy = true;
    }
    return is_busy;
}

/* --- reading and connecting */

static void host_link_connected(struct host_link *link)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(link->io.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error != 0)
        host_link_fail(link, STATUS_UNREACHABLE);
    else
        host_link_up(link);
}

static void host_link_read(struct host_link *link)
{
    struct host_links *links = link->links;
    ssize_t size = host_sys_read(&links->host->metrics, link->io.fd, links->room, HOST_READ_SIZE);
    struct event event = {.kind = EVENT_STREAM};

    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (size <= 0) {
        host_link_fail(link, size == 0 ? STATUS_CLOSED : STATUS_IO);
        return;
    }
    host_refresh(links->host); /* how late this is counts (decision 0024), if we stood still */
    event.stream.link = link->id;
    event.stream.bytes = slice_of(links->room, (size_t)size);
    host_step(links->host, &event);
}

static void host_link_write_rest(struct host_link *link)
{
    struct event event = {.kind = EVENT_LINK_ROOM};
    ssize_t size = host_sys_write(&link->links->host->metrics, link->io.fd, link->unsent.data,
                                  link->unsent.size);

    if (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        host_link_fail(link, STATUS_IO);
        return;
    }
    if (size <= 0)
        return;
    buffer_consume(&link->unsent, (size_t)size);
    if (link->unsent.size == 0)
        buffer_clear(&link->unsent, UNSENT_KEEP);
    event.room.link = link->id;
    event.room.unsent = (uint32_t)link->unsent.size;
    host_step(link->links->host, &event);
}

static void host_link_on_event(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct host_link *link = watcher->data;

    (void)loop;
    if (link->is_failed)
        return;
    if (link->is_connecting) {
        host_link_connected(link);
        return;
    }
    if ((events & EV_WRITE) && link->unsent.size != 0)
        host_link_write_rest(link);
    if ((events & EV_READ) && !link->is_failed)
        host_link_read(link);
    if (!link->is_failed)
        host_link_watch(link);
}

/* --- accepting */

static unsigned host_link_strangers(const struct host_links *links, const struct address *from)
{
    unsigned count = 0;

    list_for_each (&links->all, at) {
        const struct host_link *link = list_entry(at, struct host_link, in_links);

        count += host_link_is_inbound(link) && links->host->now - link->since < STRANGER_US &&
                 link->remote.family == from->family &&
                 memcmp(link->remote.ip, from->ip, sizeof from->ip) == 0;
    }
    return count;
}

/* There was no descriptor or memory for a connection: the kernel keeps it, we rest. */
static void host_link_pause(struct host_links *links)
{
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return;
    links->accept_at = links->host->now + PAUSE_US;
    for (unsigned i = 0; i < links->listener_count; i++)
        ev_io_stop(links->host->loop, &links->listeners[i].io);
}

static void host_link_resume(struct host_links *links)
{
    if (links->accept_at == 0 || links->host->now < links->accept_at)
        return;
    links->accept_at = 0;
    for (unsigned i = 0; i < links->listener_count; i++)
        ev_io_start(links->host->loop, &links->listeners[i].io);
}

static void host_link_on_accept(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct host_links *links = watcher->data;

    (void)loop;
    (void)events;
    for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_storage storage;
        int fd = host_sys_accept(&links->host->metrics, watcher->fd, &storage);
        struct address from;
        struct host_link *link;

        if (fd < 0) {
            host_link_pause(links);
            return;
        }
        from = host_socket_from(&storage);
        if (links->inbound_count >= INBOUND_MAX ||
            (!host_socket_is_loopback(&from) &&
             host_link_strangers(links, &from) >= STRANGERS_PER_SOURCE)) {
            metric_add(&links->host->metrics, METRIC_DROP_HANDSHAKE, 1);
            close(fd);
            continue;
        }
        link = host_link_new(links, LINK_INBOUND | ++links->inbound_next, fd, &from);
        if (!link->is_failed)
            host_link_up(link);
    }
}

/* --- effects */

/* Returns a socket on its way to the address; -1 when it cannot even begin. */
static int host_link_dial(const struct address *address)
{
    struct sockaddr_storage to;
    int family = address->family == 4 ? AF_INET : AF_INET6;
    socklen_t size = host_socket_to(address, family, &to);
    int fd = size == 0 ? -1 : socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, size) == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

void host_link_connect(struct host_links *links, link_id id, const struct address *address)
{
    int fd = host_link_dial(address), error = errno;
    struct host_link *link = host_link_new(links, id, fd, address);

    link->is_connecting = true;
    if (fd < 0) /* without descriptors it is us, not them */
        host_link_fail(link,
                       error == EMFILE || error == ENFILE ? STATUS_OVERLOAD : STATUS_UNREACHABLE);
    else if (!link->is_failed)
        host_link_watch(link);
}

void host_link_stream(struct host_links *links, link_id id, struct slice bytes)
{
    struct host_link *link = host_link_find(links, id);

    if (link == NULL || link->is_failed || bytes.size == 0)
        return;
    if (link->count == link->capacity) {
        link->capacity = link->capacity == 0 ? 8 : link->capacity * 2;
        link->parts = realloc(link->parts, link->capacity * sizeof *link->parts);
        ensure(link->parts != NULL);
    }
    link->parts[link->count++] = (struct iovec){(void *)(uintptr_t)bytes.data, bytes.size};
    if (list_is_empty(&link->in_dirty))
        list_push_back(&links->dirty, &link->in_dirty);
}

static void host_link_flush(struct host_link *link);

/* What was queued for the link before still leaves: it may be the reason for closing. */
void host_link_shut(struct host_links *links, link_id id)
{
    struct host_link *link = host_link_find(links, id);

    if (link == NULL)
        return;
    if (!link->is_failed && link->count != 0)
        host_link_flush(link);
    host_link_free(link);
}

/* --- writing */

/* Keeps what the kernel did not take, from byte `skip` of the turn's parts on. */
static void host_link_keep(struct host_link *link, size_t skip)
{
    for (unsigned i = 0; i < link->count; i++) {
        const struct iovec *part = &link->parts[i];
        size_t over = skip < part->iov_len ? skip : part->iov_len;

        skip -= over;
        if (over < part->iov_len &&
            !buffer_append(&link->unsent, (const uint8_t *)part->iov_base + over,
                           part->iov_len - over)) {
            host_link_fail(link, STATUS_IO);
            break;
        }
    }
    link->count = 0;
}

static void host_link_flush(struct host_link *link)
{
    struct metrics *metrics = &link->links->host->metrics;
    unsigned count = link->count < PARTS_MAX ? link->count : PARTS_MAX;
    ssize_t sent = 0;

    if (link->unsent.size == 0 && !link->is_connecting) {
        sent = host_sys_writev(metrics, link->io.fd, link->parts, (int)count);
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            host_link_fail(link, STATUS_IO);
            return;
        }
    }
    host_link_keep(link, sent < 0 ? 0 : (size_t)sent);
    if (!link->is_failed)
        host_link_watch(link);
}

void host_links_flush(struct host_links *links)
{
    struct list *at;

    host_link_resume(links);
    while ((at = list_pop_front(&links->dirty)) != NULL) {
        struct host_link *link = list_entry(at, struct host_link, in_dirty);

        if (!link->is_failed && link->count != 0)
            host_link_flush(link);
    }
}

/* --- life of the room */

struct host_links *host_links_open(struct host *host, const int *sockets, unsigned count,
                                   uint32_t links_max)
{
    struct host_links *links = calloc(1, sizeof *links);
    uint8_t seed[HASH_SEED_SIZE];

    if (links == NULL)
        return NULL;
    host_random(seed, sizeof seed);
    links->host = host;
    map_init(&links->by_id, links_max + INBOUND_MAX, seed);
    list_init(&links->all);
    list_init(&links->dirty);
    list_init(&links->failed);
    links->listener_count = count;
    for (unsigned i = 0; i < count; i++) {
        ev_io *io = &links->listeners[i].io;

        ev_io_init(io, host_link_on_accept, sockets[i], EV_READ);
        ev_set_priority(io, HOST_PRIORITY_LINK);
        io->data = links;
        ev_io_start(host->loop, io);
    }
    return links;
}

void host_links_close(struct host_links *links)
{
    if (links == NULL)
        return;
    list_for_each_safe (&links->all, at)
        host_link_free(list_entry(at, struct host_link, in_links));
    for (unsigned i = 0; i < links->listener_count; i++) {
        ev_io_stop(links->host->loop, &links->listeners[i].io);
        close(links->listeners[i].io.fd);
    }
    map_close(&links->by_id);
    free(links);
}
