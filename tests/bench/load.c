/* load.c: the loop of the load generator: C connections, each with `depth` requests in flight, a
 * closed loop: an answer makes the next request. Run without arguments for its usage. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define EVENTS_MAX 256

struct flight {
    uint64_t sent_ns;
    bool is_put;
};

struct connection {
    int fd;
    uint16_t port;
    unsigned first, count; /* requests in flight: a ring */
    struct flight flights[LOAD_DEPTH_MAX];
    size_t size; /* bytes of `input` */
    char input[LOAD_INPUT_MAX];
};

struct load {
    struct load_options options;
    struct load_result result;
    struct connection *connections;
    int epoll;
    uint64_t random;
    uint32_t filled; /* keys written by LOAD_FILL */
    bool is_measuring, is_finished;
    uint64_t measure_ns, finish_ns; /* when measuring begins and ends */
};

static void load_die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint32_t load_random(struct load *load)
{
    uint64_t z = load->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)(z >> 32);
}

static void load_connect(struct load *load, struct connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(connection->port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connection->count = 0;
    connection->size = 0;
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0)
        load_die("connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
        load_die("epoll_ctl");
}

/* Chooses what to ask next; false when there is nothing more. */
static bool load_choose(struct load *load, bool *is_put, uint32_t *key)
{
    const struct load_options *options = &load->options;

    if (load->is_finished)
        return false;
    *key = load_random(load) % options->keys;
    *is_put = options->verb == LOAD_PUT;
    if (options->verb == LOAD_MIX)
        *is_put = load_random(load) % 100 < options->percent_put;
    if (options->verb == LOAD_FILL) {
        *is_put = true;
        *key = load->filled;
        return load->filled++ < options->keys;
    }
    return true;
}

/* Sends until `depth` requests are in flight, in one write. */
static void load_send(struct load *load, struct connection *connection)
{
    static char out[LOAD_REQUEST_MAX * LOAD_DEPTH_MAX];
    size_t size = 0;
    uint64_t now = load_now();
    uint32_t key;
    bool is_put;

    while (connection->count < load->options.depth && load_choose(load, &is_put, &key)) {
        unsigned at = (connection->first + connection->count++) % LOAD_DEPTH_MAX;

        connection->flights[at] = (struct flight){now, is_put};
        size += load_request(out + size, &load->options, connection->port, is_put, key);
    }
    if (size && send(connection->fd, out, size, MSG_NOSIGNAL) != (ssize_t)size)
        load_die("send");
}

static void load_count(struct load *load, const struct flight *flight,
                       const struct load_reply *reply)
{
    struct load_result *result = &load->result;

    if (!load->is_measuring)
        return;
    result->requests++;
    result->statuses[reply->status < LOAD_STATUS_MAX ? reply->status : 0]++;
    result->misses += reply->is_miss;
    load_latency_add(result, load_now() - flight->sent_ns);
    if (load->options.count && result->requests >= load->options.count)
        load->is_finished = true;
}

static void load_again(struct load *load, struct connection *connection)
{
    load->result.broken += connection->count;
    close(connection->fd);
    load_connect(load, connection);
    load_send(load, connection);
}

static void load_receive(struct load *load, struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->input + connection->size,
                       LOAD_INPUT_MAX - connection->size, MSG_DONTWAIT);
    bool is_etcd = load->options.protocol == LOAD_ETCD;
    struct load_reply reply;
    size_t at = 0;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        load_again(load, connection);
        return;
    }
    connection->size += (size_t)got;
    while (connection->count && at < connection->size) {
        struct flight *flight = &connection->flights[connection->first];

        if (!load_reply_find(connection->input + at, connection->size - at,
                             is_etcd && !flight->is_put, &reply))
            break;
        at += reply.size;
        load_count(load, flight, &reply);
        connection->first = (connection->first + 1) % LOAD_DEPTH_MAX;
        connection->count--;
        if (reply.is_closing) {
            load_again(load, connection);
            return;
        }
    }
    memmove(connection->input, connection->input + at, connection->size - at);
    connection->size -= at;
    load_send(load, connection);
}

/* Begins and ends the measured time. */
static void load_phase(struct load *load)
{
    uint64_t now = load_now();

    if (!load->is_measuring && now >= load->measure_ns) {
        load_sample_take(&load->options, &load->result.before);
        load->is_measuring = true;
        load->finish_ns = load_now() + (uint64_t)load->options.seconds * 1000000000u;
    }
    if (load->options.verb == LOAD_FILL)
        load->is_finished = load->result.requests >= load->options.keys;
    else if (load->is_measuring && !load->options.count && now >= load->finish_ns)
        load->is_finished = true;
}

static void load_run(struct load *load)
{
    struct epoll_event events[EVENTS_MAX];

    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->random = load->options.round * 1000003u + 1;
    load->connections = calloc(load->options.connections, sizeof *load->connections);
    if (load->epoll < 0 || !load->connections)
        load_die("epoll_create1");
    load->measure_ns = load_now() + (uint64_t)load->options.warm_ms * 1000000u;
    load_phase(load);
    for (uint32_t i = 0; i < load->options.connections; i++) {
        load->connections[i].port = load->options.ports[i % load->options.target_count];
        load_connect(load, &load->connections[i]);
        load_send(load, &load->connections[i]);
    }
    while (!load->is_finished) {
        int count = epoll_wait(load->epoll, events, EVENTS_MAX, 100);

        for (int i = 0; i < count; i++)
            load_receive(load, events[i].data.ptr);
        load_phase(load);
    }
    load_sample_take(&load->options, &load->result.after);
}

/* --- small services for the script around it */

/* Prints the sizes of one request and of its reply. */
static int load_probe(const struct load_options *options)
{
    static char request[LOAD_REQUEST_MAX], reply[LOAD_INPUT_MAX];
    size_t size = load_request(request, options, options->ports[0], options->verb == LOAD_PUT, 0);
    size_t got = load_exchange(options->ports[0], request, size, reply, sizeof reply);

    printf("%zu %zu\n", size, got);
    return got ? 0 : 1;
}

static bool load_bind(uint16_t port, int kind)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    bool is_free;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_free = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_free;
}

/* Prints `count` ports free for TCP and UDP, below those the kernel gives to clients. */
static int load_ports(unsigned count)
{
    uint16_t port = (uint16_t)(20000 + getpid() % 9000);

    for (unsigned tries = 0; count && tries < 3000; tries++, port++) {
        if (!load_bind(port, SOCK_STREAM) || !load_bind(port, SOCK_DGRAM))
            continue;
        printf("%u\n", port);
        count--;
    }
    return count ? 1 : 0;
}

static const char *const load_usage =
    "load --row NAME --port P[,P...] [--pid P[,P...]] [--etcd] [--verb get|put|mix|fill]\n"
    "     [--query '?consistency=one'] [--keys 10000] [--size 100] [--connections 32]\n"
    "     [--depth 1] [--seconds 5 | --count N] [--warm-ms 1000] [--round 1] [--puts 50]\n"
    "     [--metrics]                     drive it, print one JSON line\n"
    "load --probe ... --port P            print the bytes of one request and of its reply\n"
    "load --free-ports N                  print N free ports\n";

static unsigned load_list(const char *text, int *into)
{
    unsigned count = 0;

    while (*text && count < LOAD_TARGETS_MAX) {
        char *end;

        into[count++] = (int)strtol(text, &end, 10);
        text = *end == ',' ? end + 1 : "";
    }
    return count;
}

static enum load_verb load_verb(const char *text)
{
    return strcmp(text, "put") == 0    ? LOAD_PUT
           : strcmp(text, "mix") == 0  ? LOAD_MIX
           : strcmp(text, "fill") == 0 ? LOAD_FILL
                                       : LOAD_GET;
}

static void load_option(struct load_options *options, int option, const char *text)
{
    int ports[LOAD_TARGETS_MAX];
    uint32_t number = text ? (uint32_t)strtoul(text, NULL, 10) : 0;

    switch (option) {
    case 'r':
        options->row = text;
        break;
    case 'q':
        options->query = text;
        break;
    case 'v':
        options->verb = load_verb(text);
        break;
    case 'k':
        options->keys = number;
        break;
    case 's':
        options->size = number < LOAD_VALUE_MAX ? number : LOAD_VALUE_MAX;
        break;
    case 'c':
        options->connections = number;
        break;
    case 'd':
        options->depth = number < LOAD_DEPTH_MAX ? number : LOAD_DEPTH_MAX;
        break;
    case 't':
        options->seconds = number;
        break;
    case 'n':
        options->count = number;
        break;
    case 'w':
        options->warm_ms = number;
        break;
    case 'R':
        options->round = number;
        break;
    case 'u':
        options->percent_put = number;
        break;
    case 'e':
        options->protocol = LOAD_ETCD;
        break;
    case 'm':
        options->has_metrics = true;
        break;
    case 'i':
        options->pid_count = load_list(text, options->pids);
        break;
    case 'p':
        options->target_count = load_list(text, ports);
        for (unsigned i = 0; i < options->target_count; i++)
            options->ports[i] = (uint16_t)ports[i];
        break;
    default:
        fputs(load_usage, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"row", 1, 0, 'r'},
                                          {"query", 1, 0, 'q'},
                                          {"verb", 1, 0, 'v'},
                                          {"keys", 1, 0, 'k'},
                                          {"size", 1, 0, 's'},
                                          {"connections", 1, 0, 'c'},
                                          {"depth", 1, 0, 'd'},
                                          {"seconds", 1, 0, 't'},
                                          {"count", 1, 0, 'n'},
                                          {"warm-ms", 1, 0, 'w'},
                                          {"round", 1, 0, 'R'},
                                          {"puts", 1, 0, 'u'},
                                          {"etcd", 0, 0, 'e'},
                                          {"metrics", 0, 0, 'm'},
                                          {"pid", 1, 0, 'i'},
                                          {"port", 1, 0, 'p'},
                                          {"probe", 0, 0, 'P'},
                                          {"free-ports", 1, 0, 'F'},
                                          {0}};
    static struct load load;
    bool is_probe = false;
    int option;

    load.options = (struct load_options){.row = "load",
                                         .query = "",
                                         .keys = 10000,
                                         .size = 100,
                                         .connections = 32,
                                         .depth = 1,
                                         .seconds = 5,
                                         .warm_ms = 1000,
                                         .round = 1,
                                         .percent_put = 50};
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'F')
            return load_ports((unsigned)strtoul(optarg, NULL, 10));
        if (option == 'P')
            is_probe = true;
        else
            load_option(&load.options, option, optarg);
    }
    if (load.options.target_count == 0 || load.options.connections == 0 ||
        load.options.connections > LOAD_CONNECTIONS_MAX || load.options.keys == 0)
        load_option(&load.options, '?', NULL);
    if (is_probe)
        return load_probe(&load.options);
    if (load.options.verb == LOAD_FILL)
        load.options.warm_ms = 0;
    load_run(&load);
    load_result_print(stdout, &load.options, &load.result);
    return 0;
}
