/* load_measure.c: CPU time of the servers, their own counters, latencies, and the JSON line. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

uint64_t load_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* User and system time of all threads of a process, those that have ended too, in us. */
static uint64_t load_cpu(int pid)
{
    char path[64], text[1024];
    const char *at;
    unsigned long long user = 0, system = 0;
    FILE *file;
    size_t size;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    at = strrchr(text, ')');
    if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
                      &system) != 2)
        return 0;
    return (user + system) * 1000000u / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* Sum of all rows of one metric. */
static uint64_t load_metric(const char *text, const char *name)
{
    size_t length = strlen(name);
    uint64_t sum = 0;

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        const char *space;

        line += *line == '\n';
        if (strncmp(line, name, length) != 0 || (line[length] != '{' && line[length] != ' '))
            continue;
        space = strchr(line, ' ');
        sum += space ? strtoull(space + 1, NULL, 10) : 0;
    }
    return sum;
}

void load_sample_take(const struct load_options *options, struct load_sample *sample)
{
    static char text[LOAD_INPUT_MAX];
    struct timespec own;

    memset(sample, 0, sizeof *sample);
    for (unsigned i = 0; options->has_metrics && i < options->target_count; i++) {
        char request[128];
        int size =
            snprintf(request, sizeof request, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
                     options->ports[i]);
        size_t got = load_exchange(options->ports[i], request, (size_t)size, text, sizeof text - 1);

        text[got] = 0;
        sample->syscalls += load_metric(text, "gossamer_syscalls_total");
    }
    for (unsigned i = 0; i < options->pid_count; i++)
        sample->cpu_us += load_cpu(options->pids[i]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    sample->client_cpu_us = (uint64_t)own.tv_sec * 1000000u + (uint64_t)own.tv_nsec / 1000;
    sample->time_ns = load_now();
}

void load_latency_add(struct load_result *result, uint64_t ns)
{
    unsigned power = ns < 32 ? 0 : 59u - (unsigned)__builtin_clzll(ns);
    unsigned bucket = ns < 32 ? (unsigned)ns : power * 32 + (unsigned)(ns >> (power - 1)) - 32;

    if (bucket >= LOAD_BUCKETS)
        bucket = LOAD_BUCKETS - 1;
    result->latency[bucket]++;
}

/* The upper end of a bucket, in us. */
static double load_bucket_us(unsigned bucket)
{
    unsigned power = bucket / 32;

    if (power == 0)
        return bucket / 1000.0;
    return (double)((uint64_t)(bucket % 32 + 33) << (power - 1)) / 1000.0;
}

static double load_quantile(const struct load_result *result, double share)
{
    uint64_t total = 0, seen = 0;

    for (unsigned i = 0; i < LOAD_BUCKETS; i++)
        total += result->latency[i];
    for (unsigned i = 0; i < LOAD_BUCKETS; i++) {
        seen += result->latency[i];
        if (total && (double)seen >= share * (double)total)
            return load_bucket_us(i);
    }
    return 0;
}

static void load_print_statuses(FILE *out, const struct load_result *result)
{
    const char *comma = "";

    fputs("\"statuses\":{", out);
    for (unsigned i = 0; i < LOAD_STATUS_MAX; i++) {
        if (result->statuses[i] == 0)
            continue;
        fprintf(out, "%s\"%u\":%" PRIu64, comma, i, result->statuses[i]);
        comma = ",";
    }
    fputs("}", out);
}

/* Requests that did not do what was asked: anything but 2xx, and reads that found nothing. */
static uint64_t load_failures(const struct load_result *result)
{
    uint64_t failed = result->broken, missing = result->statuses[404];

    for (unsigned i = 0; i < LOAD_STATUS_MAX; i++)
        failed += i / 100 == 2 ? 0 : result->statuses[i];
    return failed + (result->misses > missing ? result->misses - missing : 0);
}

void load_result_print(FILE *out, const struct load_options *options,
                       const struct load_result *result)
{
    const struct load_sample *a = &result->before, *b = &result->after;
    double seconds = (double)(b->time_ns - a->time_ns) / 1e9;
    double cpu = (double)(b->cpu_us - a->cpu_us) / 1e6, ops = (double)result->requests;

    fprintf(out, "{\"row\":\"%s\",\"round\":%u,\"connections\":%u,\"depth\":%u,\"size\":%u,",
            options->row, options->round, options->connections, options->depth, options->size);
    fprintf(out, "\"ops\":%" PRIu64 ",\"seconds\":%.3f,\"ops_s\":%.0f,", result->requests, seconds,
            ops / seconds);
    fprintf(out, "\"server_cpu_s\":%.3f,\"ops_per_cpu_s\":%.0f,\"client_cpu_s\":%.3f,", cpu,
            cpu > 0 ? ops / cpu : 0, (double)(b->client_cpu_us - a->client_cpu_us) / 1e6);
    fprintf(out, "\"p50_us\":%.0f,\"p99_us\":%.0f,\"failed\":%" PRIu64 ",",
            load_quantile(result, 0.5), load_quantile(result, 0.99), load_failures(result));
    if (options->has_metrics && result->requests)
        fprintf(out, "\"syscalls_per_op\":%.2f,", (double)(b->syscalls - a->syscalls) / ops);
    load_print_statuses(out, result);
    fputs("}\n", out);
    fflush(out);
}
