/* host_loop.c: the turn (architecture.md 5).
 *
 *   poll -> check: clocks
 *        -> datagrams          EV_MAXPRI, drained with recvmmsg
 *        -> links of peers     1
 *        -> clients, store     0
 *        -> timer              EV_MINPRI: never before what waits in a socket
 *        -> prepare: effects are performed, everything is written, the timer is set
 *
 * libev 4.33 runs timers before I/O of equal priority, so a peer that was stalled would judge its
 * neighbours before it read their answers; hence the priorities. */
#include "host_room.h"

#include <stdlib.h>

#include "host_clock.h"
#include "host_notify.h"

#define ROUNDS_MAX 16u     /* of events that effects cause at once, in one turn */
#define TIMER_SKIPS_MAX 8u /* turns in a row the node's timer waits while datagrams flood in */

void host_refresh(struct host *host)
{
    host->now = host_clock_now();
    host->wall_ms = host_clock_wall_ms();
}

void host_step(struct host *host, struct event *event)
{
    event->now = host->now;
    event->wall_ms = host->wall_ms;
    node_step(host->node, event, &host->effects);
    if (host->is_recovering != node_is_recovering(host->node))
        host_storage_settle(host->storage, host->is_recovering); /* a restart begins with it */
    host->is_recovering = node_is_recovering(host->node);
}

void host_wake_loop(void *context)
{
    struct host *host = context;

    ev_async_send(host->loop, &host->wake);
}

static void host_storage_event(void *context, struct event *event)
{
    host_step(context, event);
}

void host_poll_storage(struct host *host)
{
    uint32_t count =
        host_storage_poll(host->storage, HOST_COMPLETIONS_MAX, host_storage_event, host);

    if (count == HOST_COMPLETIONS_MAX)
        host_wake_loop(host); /* the rest comes in the next turn */
}

/* --- watchers */

static void host_on_check(struct ev_loop *loop, ev_check *watcher, int events)
{
    struct host *host = watcher->data;

    (void)loop;
    (void)events;
    host_refresh(host);
    edge_set_wall(host->edge, host->wall_ms);
    metric_add(&host->metrics, METRIC_LOOP_TURNS, 1);
}

static void host_on_wake(struct ev_loop *loop, ev_async *watcher, int events)
{
    (void)loop;
    (void)events;
    host_poll_storage(watcher->data);
}

static void host_on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct host *host = watcher->data;
    struct event event = {.kind = EVENT_TIMER};

    (void)loop;
    (void)events;
    host_http_expire(host->http);
    if (host_udp_is_behind(host->udp) && host->timer_skips++ < TIMER_SKIPS_MAX)
        return;
    host->timer_skips = 0;
    if (instant_is_due(node_deadline(host->node), host->now))
        host_step(host, &event);
}

static void host_on_watchdog(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
    host_notify("WATCHDOG=1");
}

/* Waits for the next deadline, or not at all when work is left. */
static void host_set_timer(struct host *host)
{
    instant due = instant_min(node_deadline(host->node), host_http_deadline(host->http));
    double after = 0;

    if (host->is_stopping)
        due = instant_min(due, host->stop_at);
    ev_timer_stop(host->loop, &host->timer);
    if (due == INSTANT_NEVER && !host->is_restless)
        return;
    if (!host->is_restless && due > host->now)
        after = (double)(due - host->now) / 1e6;
    ev_timer_set(&host->timer, after, 0.);
    ev_timer_start(host->loop, &host->timer);
}

/* Performs effects, and those of the events they cause, until it is quiet or the turn is full. */
static void host_settle(struct host *host)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        bool is_busy;

        host_effects_perform(host);
        if (host_storage_flush(host->storage))
            host_poll_storage(host);
        is_busy = host_links_settle(host->links);
        is_busy |= host_http_pump(host->http);
        node_flush(host->node, &host->effects);
        if (!is_busy && host->performed == host->effects.count)
            return;
    }
    host->is_restless = true;
}

/* Clients are gone, or were waited for long enough: the node writes what its next start reads. */
static void host_last_step(struct host *host)
{
    struct event stop = {.kind = EVENT_STOP};

    if (host->is_ended || (host->is_ending && host->now >= host->stop_at)) {
        ev_break(host->loop, EVBREAK_ALL);
        return;
    }
    if (host->is_ending)
        return;
    host->is_ending = host->is_restless = true;
    host->stop_at = instant_add(host->now, HOST_STOP_US);
    host_step(host, &stop);
}

static void host_on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    struct host *host = watcher->data;

    (void)loop;
    (void)events;
    host->is_restless = false;
    host_settle(host);
    host_udp_flush(host->udp);
    host_links_flush(host->links);
    host_http_flush(host->http);
    if (host->performed == host->effects.count) {
        effects_reset(&host->effects);
        host->performed = 0;
    } else {
        host->is_restless = true;
    }
    if (host->is_stopping && (host_http_drain(host->http) || host->now >= host->stop_at))
        host_last_step(host);
    host_set_timer(host);
}

/* --- life */

static void host_watchdog_start(struct host *host)
{
    const char *text = getenv("WATCHDOG_USEC");
    double us = text == NULL ? 0 : strtod(text, NULL);

    ev_timer_init(&host->watchdog, host_on_watchdog, us / 2e6, us / 2e6);
    if (us >= 1000)
        ev_timer_start(host->loop, &host->watchdog);
}

bool host_loop_open(struct host *host)
{
    host->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (host->loop == NULL)
        return false;
    effects_init(&host->effects);
    ev_check_init(&host->check, host_on_check);
    ev_prepare_init(&host->prepare, host_on_prepare);
    ev_timer_init(&host->timer, host_on_timer, 0., 0.);
    ev_async_init(&host->wake, host_on_wake);
    ev_set_priority(&host->check, EV_MAXPRI);
    ev_set_priority(&host->timer, HOST_PRIORITY_TIMER);
    ev_set_priority(&host->wake, HOST_PRIORITY_REST);
    host->check.data = host->prepare.data = host->timer.data = host->wake.data = host;
    ev_async_start(host->loop, &host->wake);
    host_refresh(host);
    return true;
}

void host_loop_run(struct host *host)
{
    ev_check_start(host->loop, &host->check);
    ev_prepare_start(host->loop, &host->prepare);
    host_watchdog_start(host);
    ev_run(host->loop, 0);
}

void host_loop_close(struct host *host)
{
    if (host->loop == NULL)
        return;
    effects_close(&host->effects);
    ev_loop_destroy(host->loop);
    host->loop = NULL;
}

void host_stop(struct host *host, int status)
{
    if (host->is_stopping) {
        host->stop_at = host->now;
        return;
    }
    host->is_stopping = true;
    host->exit = status;
    host->stop_at = instant_add(host->now, HOST_STOP_US);
    host_notify("STOPPING=1");
}
