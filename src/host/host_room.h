/* host_room.h: the inside of the running daemon, shared by the files of the loop.
 *
 *   sockets, timer, threads --event--> host_step --effects--> host_effects_perform --> sockets,
 * threads
 *
 * Host moves bytes and completions and decides nothing about peers or keys. */
#ifndef GOSSAMER_HOST_ROOM_H
#define GOSSAMER_HOST_ROOM_H

#include <ev.h>

#include "edge.h"
#include "host_config.h"
#include "host_identity.h"
#include "host_log.h"
#include "host_storage.h"
#include "node.h"

/* Watcher priorities: libev runs higher ones first, whatever kind they are. A stalled peer reads
 * the acknowledgements that wait before it judges its neighbours. */
#define HOST_PRIORITY_UDP EV_MAXPRI
#define HOST_PRIORITY_LINK 1
#define HOST_PRIORITY_REST 0
#define HOST_PRIORITY_TIMER EV_MINPRI

#define HOST_LISTENERS_MAX 4u      /* of one kind; no reason but a bound */
#define HOST_READ_SIZE (64u << 10) /* bytes of one read */
#define HOST_COMPLETIONS_MAX 1024u /* of the store, visited in one go */
#define HOST_STOP_US INSTANT_S(10) /* a graceful stop takes at most this */
#define HOST_LINKS_MAX 512u        /* connections this peer makes, and the node holds */
#define HOST_PIPELINE_MAX 16u      /* requests of one client in work: their replies take memory */
#define HOST_RECENT_ROWS 32768u    /* rows kept after their commit: at most 1 KiB each */

struct host_udp;
struct host_links;
struct host_http;
struct host_resolve;

/* One running peer. */
struct host {
    const struct host_config *config; /* borrowed */
    struct host_log log;
    struct metrics metrics;      /* the host's own */
    struct metrics node_metrics; /* the node's at the last look, for /metrics */
    struct metrics edge_metrics; /* written by the edge */
    struct host_directory directory;
    struct seal_keyring keyring;
    struct host_storage *storage; /* owned, as everything below */
    struct place_cache *tables;
    char *seeds; /* comma separated */
    struct node *node;
    bool is_recovering; /* the node's copies did not count after its last step */
    struct edge *edge;
    struct host_udp *udp;
    struct host_links *links;
    struct host_http *http;
    struct host_resolve *resolve;
    /* the loop */
    struct ev_loop *loop;
    ev_prepare prepare;
    ev_check check;
    ev_timer timer, watchdog;
    ev_async wake;
    ev_signal signals[3];
    instant now; /* read once per turn and after long work */
    uint64_t wall_ms;
    struct effects effects;
    uint32_t performed;       /* effects performed already */
    unsigned timer_skips;     /* turns the node's timer has waited for datagrams */
    bool is_restless;         /* work is left: the next turn must not wait */
    bool is_stopping;         /* clients are let go */
    bool is_ending, is_ended; /* the node writes its last; it did */
    instant stop_at;          /* the end of a graceful stop, or of this part of it */
    int exit;                 /* status to leave with */
};

/* --- host_loop.c */

/* host_loop_open makes the loop and its watchers; false without memory. host_loop_close ends it. */
bool host_loop_open(struct host *host);
void host_loop_close(struct host *host);
/* host_loop_run turns until the peer has stopped. */
void host_loop_run(struct host *host);
/* host_refresh reads both clocks. */
void host_refresh(struct host *host);
/* host_step is the one place where an event is handed to the node; time is filled in here. */
void host_step(struct host *host, struct event *event);
/* host_stop begins a graceful stop that ends with the exit status; the second call ends at once. */
void host_stop(struct host *host, int status);
/* host_wake_loop is the host_wake of threads: `context` is the host. */
void host_wake_loop(void *context);
/* host_poll_storage hands completions of the store to the node. */
void host_poll_storage(struct host *host);

/* --- host_effects.c */

/* host_effects_perform does what the node asked for since the last call. */
void host_effects_perform(struct host *host);
/* host_opened tells the node that its store is open under the present boot record. */
void host_opened(struct host *host, bool is_recovering);

/* --- host_signal.c */

/* host_signals_start watches SIGTERM, SIGINT and SIGHUP; host_signals_stop ends that. */
void host_signals_start(struct host *host);
void host_signals_stop(struct host *host);

/* --- host_udp.c */

/* host_udp_open takes over `count` bound sockets. NULL without memory. */
struct host_udp *host_udp_open(struct host *host, const int *sockets, unsigned count);
void host_udp_close(struct host_udp *udp);
/* host_udp_send queues a datagram; the bytes must live until host_udp_flush. */
void host_udp_send(struct host_udp *udp, const struct address *to, struct slice bytes);
void host_udp_flush(struct host_udp *udp);
/* host_udp_is_behind tells that datagrams were left in a socket in this turn. */
bool host_udp_is_behind(const struct host_udp *udp);

/* --- host_link.c: TCP connections between peers */

/* host_links_open takes over `count` listening sockets; at most `links_max` links at once. */
struct host_links *host_links_open(struct host *host, const int *sockets, unsigned count,
                                   uint32_t links_max);
void host_links_close(struct host_links *links);
/* host_link_connect, _stream, _shut perform the effects of the same names; the bytes of a stream
 * must live until host_links_flush. */
void host_link_connect(struct host_links *links, link_id id, const struct address *address);
void host_link_stream(struct host_links *links, link_id id, struct slice bytes);
void host_link_shut(struct host_links *links, link_id id);
/* host_links_settle tells the node about links that broke while effects were performed; false when
 * there were none. */
bool host_links_settle(struct host_links *links);
/* host_links_flush writes what was queued, one call per link. */
void host_links_flush(struct host_links *links);

/* --- host_http.c: clients */

/* host_http_open takes over listening sockets; `is_unix` tells which are Unix sockets. */
struct host_http *host_http_open(struct host *host, const int *sockets, const bool *is_unix,
                                 unsigned count);
/* host_http_close cancels what is left. */
void host_http_close(struct host_http *http);
/* host_http_reply gives a result to the connection that asked; ignored when it is gone. */
void host_http_reply(struct host_http *http, ticket number, const struct result *result);
/* host_http_pump hands on requests that had to wait; false when there were none. */
bool host_http_pump(struct host_http *http);
/* host_http_flush writes the answers, one call per connection. */
void host_http_flush(struct host_http *http);
/* host_http_expire ends what is too slow. host_http_deadline tells when that is next due. */
void host_http_expire(struct host_http *http);
instant host_http_deadline(const struct host_http *http);
/* host_http_drain stops listening and closes idle connections; true when none is left. */
bool host_http_drain(struct host_http *http);

/* --- host_resolve.c: names of seeds */

/* host_resolve_open; NULL without memory or descriptors. host_resolve_close abandons a lookup. */
struct host_resolve *host_resolve_open(struct host *host);
void host_resolve_close(struct host_resolve *resolve);
/* host_resolve_names looks up comma separated host[:port]; EVENT_SEEDS follows in a later turn. */
void host_resolve_names(struct host_resolve *resolve, struct slice names);
/* host_resolve_literal reads ip, ip:port, ip6 and [ip6]:port without asking anybody; the port is
 * 7440 unless given. False: it is a name. */
bool host_resolve_literal(struct slice text, struct address *address);

#endif
