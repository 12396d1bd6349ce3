/* edge.c: what all connections of one peer share: settings, the date, the counters. */
#include <stdlib.h>
#include "edge_room.h"

static void edge_config_complete(struct edge_config *config)
{
    if (!config->header_timeout_us)
        config->header_timeout_us = INSTANT_S(10);
    if (!config->idle_timeout_us)
        config->idle_timeout_us = INSTANT_S(60);
    if (!config->write_timeout_us)
        config->write_timeout_us = INSTANT_S(30);
    if (!config->pipeline_max || config->pipeline_max > EDGE_PIPELINE_MAX)
        config->pipeline_max = EDGE_PIPELINE_MAX;
    if (config->value_max > VALUE_SIZE_MAX)
        config->value_max = VALUE_SIZE_MAX;
    if (!config->version)
        config->version = "unknown";
}

struct edge *edge_new(const struct edge_config *config)
{
    struct edge *edge = calloc(1, sizeof *edge);
    struct writer writer;

    if (!edge)
        return NULL;
    edge->config = *config;
    edge_config_complete(&edge->config);
    prng_init(&edge->prng, config->seed);
    edge_date_http(0, edge->date);
    writer = writer_over(edge->common, sizeof edge->common);
    write_slice(&writer, slice_text("\r\nX-Content-Type-Options: nosniff\r\nGossamer-Served-By: "));
    write_bytes(&writer, config->name.text, config->name.size);
    write_slice(&writer, slice_text("\r\n"));
    edge->common_size = writer.size;
    return edge;
}

void edge_delete(struct edge *edge)
{
    free(edge);
}

void edge_set_wall(struct edge *edge, uint64_t wall_ms)
{
    if (edge->wall_ms / 1000 != wall_ms / 1000)
        edge_date_http(wall_ms, edge->date);
    edge->wall_ms = wall_ms;
}
