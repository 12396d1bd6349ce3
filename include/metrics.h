/* metrics.h: the counters and gauges of one peer, from the one table proto/metrics.def. Node, edge
 * and host each fill a struct metrics of their own; /metrics shows their sum. */
#ifndef GOSSAMER_METRICS_H
#define GOSSAMER_METRICS_H

#include <stdint.h>

enum metric {
#define METRIC(NAME, name, kind, labels, help) METRIC_##NAME,
#include "metrics.def"
#undef METRIC
    METRIC_COUNT
};

struct metrics {
    uint64_t values[METRIC_COUNT];
};

/* metric_add raises a counter or gauge by `amount`. */
static inline void metric_add(struct metrics *metrics, enum metric metric, uint64_t amount)
{
    metrics->values[metric] += amount;
}
/* metric_set sets a gauge. */
static inline void metric_set(struct metrics *metrics, enum metric metric, uint64_t value)
{
    metrics->values[metric] = value;
}

#endif
