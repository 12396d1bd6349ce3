#include <signal.h>

#include "host_room.h"

static void host_on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct host *host = watcher->data;

    (void)loop;
    (void)events;
    if (watcher->signum == SIGHUP) {
        host_log(&host->log, LEVEL_WARN,
                 "SIGHUP: reloading is not built yet; restart to change settings");
        return;
    }
    host_log(&host->log, LEVEL_INFO, "%s: stopping, without leaving the cluster",
             watcher->signum == SIGTERM ? "SIGTERM" : "SIGINT");
    host_stop(host, HOST_EXIT_OK);
}

void host_signals_start(struct host *host)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is a full disk, not an end */
    for (unsigned i = 0; i < 3; i++) {
        ev_signal_init(&host->signals[i], host_on_signal, numbers[i]);
        host->signals[i].data = host;
        ev_signal_start(host->loop, &host->signals[i]);
    }
}

void host_signals_stop(struct host *host)
{
    for (unsigned i = 0; i < 3; i++)
        if (ev_is_active(&host->signals[i]))
            ev_signal_stop(host->loop, &host->signals[i]);
}
