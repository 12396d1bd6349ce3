/* host_resolve.c: names of seeds become addresses. Literals are read at once; names are asked for
 * by a thread of their own, because getaddrinfo may wait for many seconds. A stop does not wait for
 * it: whoever lets go of the job last frees it. */
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bytes.h"
#include "ensure.h"
#include "hash.h"
#include "host_room.h"
#include "host_socket.h"

#define MESH_PORT 7440
#define NAME_TEXT_SIZE 300 /* bytes of one seed, its zero included: a DNS name has 253 */

struct host_resolve_job {
    atomic_uint holders; /* the loop, and the thread while it runs */
    int done;            /* event descriptor: read by the loop, written by the thread at its end */
    char *names;
    struct address addresses[SEEDS_MAX];
    uint32_t count;
};

struct host_resolve {
    struct host *host;
    ev_io io;
    struct host_resolve_job *job; /* shared with the thread while it runs; NULL: nothing to do */
};

bool host_resolve_literal(struct slice text, struct address *address)
{
    char full[80];
    bool is_bare_v6 = text.size != 0 && text.data[0] != '[' &&
                      memchr(text.data, ':', text.size) != memrchr(text.data, ':', text.size);

    if (address_parse(text, address))
        return true;
    if (text.size > 60)
        return false;
    snprintf(full, sizeof full, is_bare_v6 ? "[%.*s]:%u" : "%.*s:%u", (int)text.size,
             (const char *)text.data, MESH_PORT);
    return address_parse(slice_text(full), address);
}

static void host_job_add(struct host_resolve_job *job, const struct address *address)
{
    for (uint32_t i = 0; i < job->count; i++)
        if (address_equal(&job->addresses[i], address))
            return;
    if (job->count < SEEDS_MAX)
        job->addresses[job->count++] = *address;
}

/* Asks for "host" or "host:port". */
static void host_job_lookup(struct host_resolve_job *job, const char *text)
{
    char name[NAME_TEXT_SIZE];
    char *colon;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    struct address port = {.family = 4, .port = MESH_PORT};

    snprintf(name, sizeof name, "%s", text);
    colon = strchr(name, ':');
    if (colon != NULL) {
        char probe[32];

        snprintf(probe, sizeof probe, "0.0.0.0%.16s", colon);
        if (!address_parse(slice_text(probe), &port))
            return;
        *colon = 0;
    }
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return;
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        struct sockaddr_storage storage = {0};
        struct address address;

        memcpy(&storage, at->ai_addr, at->ai_addrlen);
        address = host_socket_from(&storage);
        address.port = port.port;
        if (address.family != 0)
            host_job_add(job, &address);
    }
    freeaddrinfo(found);
}

/* Goes through the names. With `is_quick` only literals are read; false: a name is among them. */
static bool host_job_run(struct host_resolve_job *job, bool is_quick)
{
    char *copy = strdup(job->names), *rest = copy, *item;
    bool is_complete = true;

    ensure(copy != NULL);
    job->count = 0;
    while ((item = strsep(&rest, ",")) != NULL) {
        struct address address;

        if (item[0] == 0)
            continue;
        if (host_resolve_literal(slice_text(item), &address))
            host_job_add(job, &address);
        else if (is_quick)
            is_complete = false;
        else
            host_job_lookup(job, item);
    }
    free(copy);
    return is_complete;
}

static void host_job_drop(struct host_resolve_job *job)
{
    if (atomic_fetch_sub(&job->holders, 1) != 1)
        return;
    free(job->names);
    close(job->done);
    free(job);
}

static void host_job_signal(struct host_resolve_job *job)
{
    uint64_t one = 1;

    (void)!write(job->done, &one, sizeof one); /* a counter at zero always takes a one */
}

static void *host_job_thread(void *context)
{
    struct host_resolve_job *job = context;

    host_job_run(job, false);
    host_job_signal(job);
    host_job_drop(job);
    return NULL;
}

static void host_resolve_on_done(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct host_resolve *resolve = watcher->data;
    struct host_resolve_job *job = resolve->job;
    struct event event = {.kind = EVENT_SEEDS};

    (void)events;
    ev_io_stop(loop, &resolve->io);
    resolve->job = NULL;
    event.seeds.addresses = job->addresses;
    event.seeds.count = job->count;
    host_step(resolve->host, &event);
    host_job_drop(job);
}

static bool host_job_start(struct host_resolve_job *job)
{
    pthread_t thread;
    pthread_attr_t attributes;
    bool is_started;

    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    is_started = pthread_create(&thread, &attributes, host_job_thread, job) == 0;
    pthread_attr_destroy(&attributes);
    return is_started;
}

void host_resolve_names(struct host_resolve *resolve, struct slice names)
{
    struct host_resolve_job *job = calloc(1, sizeof *job);

    ensure(job != NULL && resolve->job == NULL); /* the node asks again only when it was answered */
    job->done = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    job->names = strndup((const char *)names.data, names.size);
    ensure(job->done >= 0 && job->names != NULL);
    resolve->job = job;
    ev_io_init(&resolve->io, host_resolve_on_done, job->done, EV_READ);
    resolve->io.data = resolve;
    ev_io_start(resolve->host->loop, &resolve->io);
    atomic_init(&job->holders, 1);
    if (host_job_run(job, true)) {
        host_job_signal(job);
        return;
    }
    atomic_fetch_add(&job->holders, 1);
    if (!host_job_start(job)) {
        host_job_drop(job);
        host_job_signal(job);
    }
}

struct host_resolve *host_resolve_open(struct host *host)
{
    struct host_resolve *resolve = calloc(1, sizeof *resolve);

    if (resolve != NULL)
        resolve->host = host;
    return resolve;
}

void host_resolve_close(struct host_resolve *resolve)
{
    if (resolve == NULL)
        return;
    if (resolve->job != NULL) {
        ev_io_stop(resolve->host->loop, &resolve->io);
        host_job_drop(resolve->job);
    }
    free(resolve);
}
