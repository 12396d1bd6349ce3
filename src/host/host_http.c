/* host_http.c: sockets of clients. The edge owns everything HTTP says; here bytes go in and out,
 * and each request gets a ticket that finds its way back to a connection and a slot. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "ensure.h"
#include "heap.h"
#include "host_room.h"
#include "host_socket.h"
#include "host_sys.h"
#include "list.h"
#include "pool.h"

#define TICKETS_MAX 8192u      /* requests in work; a power of two: the low bits of a ticket */
#define ACCEPTS_MAX 64u        /* per turn and listener */
#define LINGER_US INSTANT_S(1) /* how long we read what a refused client is still sending */
#define EXPIRE_STEP_US INSTANT_MS(1) /* the same connection is not looked at more often */
#define REFLUSH_SIZE (64u << 10) /* bytes: after such an output more may be waiting in the edge */

struct host_conn;

/* A request in work. */
struct host_request {
    ticket ticket;
    uint32_t slot; /* of the edge */
    struct host_conn *conn;
    struct list in_requests;
};

struct host_conn {
    ev_io io;
    struct heap_node in_deadlines; /* may be earlier than the deadline, never later */
    struct host_http *http;
    struct edge_conn *edge;
    struct list requests; /* its struct host_request */
    struct list in_conns, in_dirty;
    bool is_ended;     /* the client sends no more */
    bool is_lingering; /* we have said everything and only drain */
};

struct host_http_listener {
    ev_io io;
    bool is_unix;
};

struct host_http {
    struct host *host;
    struct host_http_listener listeners[HOST_LISTENERS_MAX];
    unsigned listener_count;
    struct pool requests;
    uint64_t ticket_serial;
    struct heap deadlines;
    struct list conns;
    struct list dirty; /* to be pumped and flushed at the end of the turn */
    uint32_t count, count_max;
    uint8_t room[HOST_READ_SIZE];
};

/* --- tickets */

static struct host_request *host_request_new(struct host_conn *conn, uint32_t slot)
{
    struct host_http *http = conn->http;
    struct host_request *request = pool_take(&http->requests);

    if (request == NULL)
        return NULL;
    request->ticket = ++http->ticket_serial * TICKETS_MAX + pool_index(&http->requests, request);
    request->slot = slot;
    request->conn = conn;
    list_push_back(&conn->requests, &request->in_requests);
    return request;
}

static void host_request_end(struct host_http *http, struct host_request *request)
{
    list_remove(&request->in_requests);
    request->ticket = 0;
    pool_give(&http->requests, request);
}

static struct host_request *host_request_find(struct host_http *http, ticket number)
{
    struct host_request *request = pool_at(&http->requests, (uint32_t)(number % TICKETS_MAX));

    return number != 0 && request->ticket == number ? request : NULL;
}

/* --- life of a connection */

static void host_conn_touch(struct host_conn *conn)
{
    if (list_is_empty(&conn->in_dirty))
        list_push_back(&conn->http->dirty, &conn->in_dirty);
}

static void host_listeners_watch(struct host_http *http, bool is_on)
{
    for (unsigned i = 0; i < http->listener_count; i++) {
        if (is_on)
            ev_io_start(http->host->loop, &http->listeners[i].io);
        else
            ev_io_stop(http->host->loop, &http->listeners[i].io);
    }
}

/* The client is gone: its requests are cancelled; a write already sent goes on. */
static void host_conn_free(struct host_conn *conn)
{
    struct host_http *http = conn->http;

    ev_io_stop(http->host->loop, &conn->io);
    close(conn->io.fd);
    list_for_each_safe (&conn->requests, at) {
        struct host_request *request = list_entry(at, struct host_request, in_requests);
        struct event event = {.kind = EVENT_CANCEL};

        event.cancel.ticket = request->ticket;
        host_request_end(http, request);
        host_step(http->host, &event);
    }
    heap_remove(&http->deadlines, &conn->in_deadlines);
    list_remove(&conn->in_conns);
    list_remove(&conn->in_dirty);
    edge_conn_delete(conn->edge);
    free(conn);
    http->count--;
    if (!http->host->is_stopping)
        host_listeners_watch(http, true);
}

static void host_conn_schedule(struct host_conn *conn)
{
    instant deadline = edge_conn_deadline(conn->edge);
    bool is_in = conn->in_deadlines.place != 0;

    if (deadline != INSTANT_NEVER && (!is_in || deadline < conn->in_deadlines.when))
        heap_set(&conn->http->deadlines, &conn->in_deadlines, deadline);
}

static void host_conn_watch(struct host_conn *conn, int events)
{
    struct ev_loop *loop = conn->http->host->loop;

    if (ev_is_active(&conn->io) && (conn->io.events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(loop, &conn->io);
    ev_io_set(&conn->io, conn->io.fd, events);
    if (events != 0)
        ev_io_start(loop, &conn->io);
}

/* Everything is said. What the client is still sending is read for a moment: a reset would eat our
 * answer. False: the connection is gone. */
static bool host_conn_linger(struct host_conn *conn)
{
    if (conn->is_ended || shutdown(conn->io.fd, SHUT_WR) != 0) {
        host_conn_free(conn);
        return false;
    }
    conn->is_lingering = true;
    heap_set(&conn->http->deadlines, &conn->in_deadlines,
             instant_add(conn->http->host->now, LINGER_US));
    host_conn_watch(conn, EV_READ);
    return true;
}

/* --- requests */

/* No ticket is left: the answer is ours to give. */
static void host_conn_refuse(struct host_conn *conn, uint32_t slot, const struct op *op)
{
    struct result *result = calloc(1, sizeof *result);

    ensure(result != NULL);
    result->kind = op->kind;
    result->status = STATUS_OVERLOAD;
    result->outcome =
        op->kind == OP_PUT || op->kind == OP_DELETE ? OUTCOME_NOT_STORED : OUTCOME_NONE;
    edge_conn_reply(conn->edge, slot, conn->http->host->now, result);
    free(result);
}

/* Hands on every request that is complete; true if there was one. */
static bool host_conn_pump(struct host_conn *conn)
{
    struct event event = {.kind = EVENT_REQUEST};
    uint32_t slot;
    bool is_busy = false;

    while (edge_conn_next(conn->edge, &event.request.op, &slot)) {
        struct host_request *request = host_request_new(conn, slot);

        is_busy = true;
        if (request == NULL) {
            host_conn_refuse(conn, slot, &event.request.op);
            continue;
        }
        event.request.ticket = request->ticket;
        host_step(conn->http->host, &event);
    }
    return is_busy;
}

bool host_http_pump(struct host_http *http)
{
    bool is_busy = false;

    list_for_each (&http->dirty, at) {
        struct host_conn *conn = list_entry(at, struct host_conn, in_dirty);

        if (!conn->is_lingering)
            is_busy |= host_conn_pump(conn);
    }
    return is_busy;
}

void host_http_reply(struct host_http *http, ticket number, const struct result *result)
{
    struct host_request *request = host_request_find(http, number);
    struct host_conn *conn;

    if (request == NULL)
        return;
    conn = request->conn;
    edge_conn_reply(conn->edge, request->slot, http->host->now, result);
    if (!result->is_more)
        host_request_end(http, request);
    host_conn_touch(conn);
}

/* --- reading */

static void host_conn_read(struct host_conn *conn)
{
    struct host_http *http = conn->http;
    ssize_t size = host_sys_read(&http->host->metrics, conn->io.fd, http->room, HOST_READ_SIZE);

    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (size < 0 || (size == 0 && conn->is_lingering)) {
        host_conn_free(conn);
        return;
    }
    if (conn->is_lingering)
        return;
    conn->is_ended |= size == 0;
    if (size == 0)
        edge_conn_end(conn->edge);
    else if (edge_conn_receive(conn->edge, http->host->now, slice_of(http->room, (size_t)size)) !=
             STATUS_OK)
        conn->is_ended = false; /* it reads nothing more; what it says is flushed, then closed */
    host_conn_pump(conn);
    host_conn_touch(conn);
}

static void host_conn_on_event(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct host_conn *conn = watcher->data;

    (void)loop;
    if (events & EV_WRITE)
        host_conn_touch(conn);
    if (events & EV_READ)
        host_conn_read(conn);
}

/* --- accepting */

static void host_conn_new(struct host_http *http, int fd, bool is_loopback)
{
    struct host_conn *conn = calloc(1, sizeof *conn);
    int on = 1;

    if (conn != NULL)
        conn->edge = edge_conn_new(http->host->edge, is_loopback, http->host->now);
    if (conn == NULL || conn->edge == NULL) {
        free(conn);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    conn->http = http;
    list_init(&conn->requests);
    list_init(&conn->in_dirty);
    list_push_back(&http->conns, &conn->in_conns);
    ev_io_init(&conn->io, host_conn_on_event, fd, EV_READ);
    ev_set_priority(&conn->io, HOST_PRIORITY_REST);
    conn->io.data = conn;
    ev_io_start(http->host->loop, &conn->io);
    host_conn_schedule(conn);
    http->count++;
}

static void host_http_on_accept(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct host_http *http = watcher->data;
    bool is_unix = ((struct host_http_listener *)(void *)watcher)->is_unix;

    (void)loop;
    (void)events;
    for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_storage storage = {0};
        struct address from;
        int fd;

        if (http->count >= http->count_max) {
            host_listeners_watch(http, false); /* until one closes; the kernel keeps the others */
            return;
        }
        fd = host_sys_accept(&http->host->metrics, watcher->fd, &storage);
        if (fd < 0) {
            if ((errno == EMFILE || errno == ENFILE) && http->count != 0)
                host_listeners_watch(http, false);
            return;
        }
        from = host_socket_from(&storage);
        host_conn_new(http, fd, is_unix || host_socket_is_loopback(&from));
    }
}

/* --- writing */

/* Writes once. False: the connection is gone. */
static bool host_conn_write(struct host_conn *conn)
{
    struct slice output = edge_conn_output(conn->edge);
    ssize_t size;

    if (output.size == 0)
        return true;
    size = host_sys_write(&conn->http->host->metrics, conn->io.fd, output.data, output.size);
    if (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        host_conn_free(conn);
        return false;
    }
    if (size <= 0)
        return true;
    edge_conn_sent(conn->edge, (size_t)size);
    if (output.size >= REFLUSH_SIZE) {
        host_conn_touch(conn);
        conn->http->host->is_restless |= (size_t)size == output.size;
    }
    return true;
}

static void host_conn_flush(struct host_conn *conn)
{
    size_t unsent;

    if (conn->is_lingering || !host_conn_write(conn))
        return;
    unsent = edge_conn_output(conn->edge).size;
    if (unsent == 0 && edge_conn_wants_close(conn->edge)) {
        host_conn_linger(conn);
        return;
    }
    host_conn_watch(conn, (edge_conn_wants_read(conn->edge) ? EV_READ : 0) |
                              (unsent != 0 ? EV_WRITE : 0));
    host_conn_schedule(conn);
}

void host_http_flush(struct host_http *http)
{
    struct list now, *at;

    list_init(&now);
    while ((at = list_pop_front(&http->dirty)) != NULL)
        list_push_back(&now, at);
    while ((at = list_pop_front(&now)) != NULL)
        host_conn_flush(list_entry(at, struct host_conn, in_dirty));
    metric_set(&http->host->metrics, METRIC_HTTP_CONNECTIONS, http->count);
}

/* --- deadlines */

static void host_conn_expire(struct host_conn *conn)
{
    struct host_http *http = conn->http;
    instant now = http->host->now, deadline;

    if (conn->is_lingering) {
        host_conn_free(conn);
        return;
    }
    edge_conn_expire(conn->edge, now);
    deadline = edge_conn_deadline(conn->edge);
    if (deadline != INSTANT_NEVER && deadline < now + EXPIRE_STEP_US)
        deadline = now + EXPIRE_STEP_US;
    heap_set(&http->deadlines, &conn->in_deadlines, deadline);
    host_conn_touch(conn);
}

void host_http_expire(struct host_http *http)
{
    while (instant_is_due(heap_deadline(&http->deadlines), http->host->now))
        host_conn_expire(list_entry(heap_first(&http->deadlines), struct host_conn, in_deadlines));
}

instant host_http_deadline(const struct host_http *http)
{
    return heap_deadline(&http->deadlines);
}

/* --- life of the room */

bool host_http_drain(struct host_http *http)
{
    for (unsigned i = 0; i < http->listener_count; i++) {
        ev_io_stop(http->host->loop, &http->listeners[i].io);
        close(http->listeners[i].io.fd);
    }
    http->listener_count = 0;
    list_for_each_safe (&http->conns, at) {
        struct host_conn *conn = list_entry(at, struct host_conn, in_conns);

        if (conn->is_lingering || edge_conn_is_stream(conn->edge) ||
            (list_is_empty(&conn->requests) && edge_conn_output(conn->edge).size == 0))
            host_conn_free(conn);
    }
    return http->count == 0;
}

struct host_http *host_http_open(struct host *host, const int *sockets, const bool *is_unix,
                                 unsigned count)
{
    struct host_http *http = calloc(1, sizeof *http);

    if (http == NULL)
        return NULL;
    http->host = host;
    http->count_max = (uint32_t)host_config_number(host->config, SETTING_HTTP_MAX_CONNECTIONS);
    list_init(&http->conns);
    list_init(&http->dirty);
    if (pool_init(&http->requests, sizeof(struct host_request), TICKETS_MAX) != STATUS_OK ||
        heap_init(&http->deadlines, http->count_max) != STATUS_OK) {
        pool_close(&http->requests);
        free(http);
        return NULL;
    }
    http->listener_count = count;
    for (unsigned i = 0; i < count; i++) {
        http->listeners[i].is_unix = is_unix[i];
        ev_io_init(&http->listeners[i].io, host_http_on_accept, sockets[i], EV_READ);
        ev_set_priority(&http->listeners[i].io, HOST_PRIORITY_REST);
        http->listeners[i].io.data = http;
        ev_io_start(host->loop, &http->listeners[i].io);
    }
    return http;
}

void host_http_close(struct host_http *http)
{
    if (http == NULL)
        return;
    host_http_drain(http);
    list_for_each_safe (&http->conns, at)
        host_conn_free(list_entry(at, struct host_conn, in_conns));
    pool_close(&http->requests);
    heap_close(&http->deadlines);
    free(http);
}
