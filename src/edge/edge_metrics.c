/* edge_metrics.c: the counters of node, edge and host as one Prometheus text (0.0.4). Rows of one
 * metric stand together in the table, so HELP and TYPE are written where the name changes. */
#include "edge_room.h"

#define COUNTER "counter"
#define GAUGE "gauge"
#define HISTOGRAM "histogram"

static const struct {
    const char *name, *kind, *labels, *help;
} EDGE_METRIC_ROWS[] = {
#define METRIC(NAME, name, kind, labels, help) {name, kind, labels, help},
#include "metrics.def"
#undef METRIC
};

static uint64_t edge_metric_sum(const struct edge_config *config, unsigned metric)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < EDGE_METRICS; i++)
        if (config->metrics[i])
            sum += config->metrics[i]->values[metric];
    return sum;
}

/* The name HELP and TYPE are written for: rows of a histogram have a word behind it. */
static struct slice edge_metric_base(unsigned metric)
{
    const char *name = EDGE_METRIC_ROWS[metric].name;
    const char *end = strrchr(name, '_');

    if (strcmp(EDGE_METRIC_ROWS[metric].kind, HISTOGRAM) != 0)
        return slice_text(name);
    return slice_of(name, (size_t)(end - name));
}

/* Seconds are counted in milliseconds where they are summed up. */
static void edge_metric_value(struct edge_out *out, unsigned metric, uint64_t value)
{
    struct slice name = slice_text(EDGE_METRIC_ROWS[metric].name);
    char digits[] = {'.', (char)('0' + value / 100 % 10), (char)('0' + value / 10 % 10),
                     (char)('0' + value % 10)};

    if (edge_metric_base(metric).size + 4 != name.size) {
        edge_put_number(out, value);
        return;
    }
    edge_put_number(out, value / 1000);
    edge_put(out, digits, sizeof digits);
}

void edge_metrics_put(struct edge_out *out, const struct edge_config *config)
{
    struct slice last = SLICE_NONE;

    EDGE_PUT(out, "# HELP gossamer_build_info what runs\n# TYPE gossamer_build_info gauge\n"
                  "gossamer_build_info{version=\"");
    edge_put_text(out, config->version);
    EDGE_PUT(out, "\"} 1\n");
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        if (!slice_equal(last, edge_metric_base(i))) {
            last = edge_metric_base(i);
            EDGE_PUT(out, "# HELP ");
            edge_put(out, last.data, last.size);
            EDGE_PUT(out, " ");
            edge_put_text(out, EDGE_METRIC_ROWS[i].help);
            EDGE_PUT(out, "\n# TYPE ");
            edge_put(out, last.data, last.size);
            EDGE_PUT(out, " ");
            edge_put_text(out, EDGE_METRIC_ROWS[i].kind);
            EDGE_PUT(out, "\n");
        }
        edge_put_text(out, EDGE_METRIC_ROWS[i].name);
        if (EDGE_METRIC_ROWS[i].labels[0]) {
            EDGE_PUT(out, "{");
            edge_put_text(out, EDGE_METRIC_ROWS[i].labels);
            EDGE_PUT(out, "}");
        }
        EDGE_PUT(out, " ");
        edge_metric_value(out, i, edge_metric_sum(config, i));
        EDGE_PUT(out, "\n");
    }
}

void edge_metrics_reply(struct edge_answer *answer, const struct result *result)
{
    struct buffer text;
    struct edge_out out;

    if (result->status != STATUS_OK) {
        edge_answer_refuse(answer, result);
        return;
    }
    buffer_init(&text, 1u << 20);
    edge_out_begin(&out, &text, 8192);
    edge_metrics_put(&out, &answer->edge->config);
    if (edge_out_end(&out, 0))
        edge_answer_text(answer, 200, "text/plain; version=0.0.4; charset=utf-8",
                         slice_of(text.data, text.size));
    else
        answer->out.is_full = true;
    buffer_close(&text);
}

void edge_metrics_count(struct edge *edge, unsigned status)
{
    static const enum metric rows[] = {METRIC_HTTP_REQUESTS_2XX, METRIC_HTTP_REQUESTS_3XX,
                                       METRIC_HTTP_REQUESTS_4XX, METRIC_HTTP_REQUESTS_5XX};

    metric_add(edge->config.metrics[0], rows[status / 100 - 2], 1);
}
