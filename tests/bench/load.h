/* load.h: one load generator for every HTTP target of the benchmarks, so that all of them are
 * measured by the same client: requests and replies, measuring, and the loop between them. */
#ifndef GOSSAMER_BENCH_LOAD_H
#define GOSSAMER_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LOAD_TARGETS_MAX 16 /* addresses, and processes whose CPU is counted */
#define LOAD_CONNECTIONS_MAX 1024
#define LOAD_DEPTH_MAX 64      /* requests in flight on one connection */
#define LOAD_VALUE_MAX 16384   /* bytes */
#define LOAD_REQUEST_MAX 32768 /* bytes of one request: a value in base64, and a head */
#define LOAD_INPUT_MAX 262144  /* bytes of replies of one connection not yet taken */
#define LOAD_STATUS_MAX 600
#define LOAD_BUCKETS (64 * 32) /* of the latency histogram: 32 per power of two, 3 % wide */

enum load_protocol { LOAD_GOSSAMER, LOAD_ETCD };
enum load_verb { LOAD_GET, LOAD_PUT, LOAD_MIX, LOAD_FILL };

struct load_options {
    enum load_protocol protocol;
    enum load_verb verb;
    const char *row, *query; /* query: appended to the path, "" or "?a=b" */
    unsigned round, percent_put;
    unsigned target_count, pid_count;
    uint16_t ports[LOAD_TARGETS_MAX];               /* of 127.0.0.1 */
    int pids[LOAD_TARGETS_MAX];                     /* servers whose CPU time is counted */
    uint32_t keys, size, connections, depth, count; /* count: 0, or requests instead of seconds */
    uint32_t seconds, warm_ms;
    bool has_metrics; /* the targets serve /metrics */
};

/* One reply at the beginning of the input. */
struct load_reply {
    size_t size;     /* bytes of it */
    unsigned status; /* of HTTP */
    bool is_closing; /* the server will close */
    bool is_miss;    /* it says that the key has no value */
};

/* What the servers have used up to now. */
struct load_sample {
    uint64_t time_ns, cpu_us, client_cpu_us;
    uint64_t syscalls; /* of the metrics, 0 without */
};

struct load_result {
    uint64_t requests, misses, broken; /* broken: connections lost in the middle of a reply */
    uint64_t statuses[LOAD_STATUS_MAX];
    uint64_t latency[LOAD_BUCKETS];
    struct load_sample before, after;
};

/* load_request writes the request for key number `key` into `into` (LOAD_REQUEST_MAX bytes) and
 * returns its size. Requests of one kind have one size: keys are numbers of a fixed width. */
size_t load_request(char *into, const struct load_options *options, uint16_t port, bool is_put,
                    uint32_t key);
/* load_reply_find looks for a whole reply at the beginning of `input`. False: more bytes are
 * needed. A reply that is no HTTP has status 0. */
bool load_reply_find(const char *input, size_t size, bool is_etcd_get, struct load_reply *reply);
/* load_exchange sends one request to 127.0.0.1:port on a connection of its own and reads the reply
 * of at most `size` bytes into `into`; returns its size, 0 if there was none. */
size_t load_exchange(uint16_t port, const char *request, size_t request_size, char *into,
                     size_t size);

/* load_now is a monotonic clock, ns. */
uint64_t load_now(void);
/* load_sample_take reads CPU times and metrics of the servers. */
void load_sample_take(const struct load_options *options, struct load_sample *sample);
/* load_latency_add counts one latency. */
void load_latency_add(struct load_result *result, uint64_t ns);
/* load_result_print writes one JSON line. */
void load_result_print(FILE *out, const struct load_options *options,
                       const struct load_result *result);

#endif
