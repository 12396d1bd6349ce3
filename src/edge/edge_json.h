/* edge_json.h: JSON bodies, made and read by jansson. */
#ifndef GOSSAMER_EDGE_JSON_H
#define GOSSAMER_EDGE_JSON_H

#include <jansson.h>
#include "edge_room.h"

/* edge_json_text makes a string; bytes that are no UTF-8 give an empty one. */
json_t *edge_json_text(struct slice text);
json_t *edge_json_label(const struct label *label);
/* edge_json_hex makes a string of hex digits, edge_json_u64 one of 16 of them. */
json_t *edge_json_hex(const void *data, size_t size);
json_t *edge_json_u64(uint64_t number);
/* edge_json_etag makes the text of an entity tag, without quotes; 0 makes null. */
json_t *edge_json_etag(uint64_t etag);
/* edge_json_time makes an RFC 3339 time, edge_json_address "ip:port". */
json_t *edge_json_time(uint64_t wall_ms);
json_t *edge_json_address(const struct address *address);
/* edge_json_thousandths makes a number with three decimals. */
json_t *edge_json_thousandths(uint64_t thousandths);
/* edge_json_reply renders a whole reply with `body` and gives the reference back. */
void edge_json_reply(struct edge_answer *answer, unsigned status, const struct result *result,
                     json_t *body);
/* edge_json_dump appends the document; "</" and the two line separators of JavaScript are escaped,
 * so that it is harmless inside a page (H8). False when no memory is left. */
bool edge_json_dump(struct buffer *into, const json_t *body);
/* edge_json_read parses a request body: an object of at most EDGE_JSON_DEPTH_MAX levels without
 * repeated names. NULL: call->fault. */
json_t *edge_json_read(struct edge_call *call, struct slice body);

/* edge_json_put sets a field of our own naming and takes over `value`; without memory the document
 * lacks it. */
static inline void edge_json_put(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new_nocheck(object, name, value);
}
/* edge_stream_event writes one event of a stream; it takes over `data`. */
void edge_stream_event(struct edge_answer *answer, const char *name, json_t *data);

#endif
