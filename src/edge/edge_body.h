/* edge_body.h: a chunked body, line by line through llhttp. */
#ifndef GOSSAMER_EDGE_BODY_H
#define GOSSAMER_EDGE_BODY_H

#include <llhttp.h>
#include "bytes.h"
#include "edge_problem.h"

/* One body on its way in. */
struct edge_body {
    llhttp_t parser;     /* goes on behind the head */
    struct buffer bytes; /* what was decoded */
    uint64_t left;       /* bytes of the present chunk that are still to come */
    uint64_t size;       /* bytes decoded so far, kept or not */
    size_t line_scanned; /* bytes of an unfinished line that were looked at */
    size_t trailer_size; /* bytes of trailer lines so far */
    unsigned trailers;   /* trailer lines so far */
    bool is_keeping;     /* false: the request is refused already, bytes are only counted */
    bool is_in_chunk, is_in_trailer, is_complete;
    uint64_t max;              /* bytes; beyond: too-large */
    enum edge_problem problem; /* why it is BAD */
    const char *detail;
};

/* edge_body_begin goes on with the parser that read the head. */
void edge_body_begin(struct edge_body *body, const llhttp_t *parser, uint64_t max, bool is_keeping);
/* edge_body_feed takes bytes and tells in `used` how many it consumed. OK: the body is complete.
 * INCOMPLETE. BAD: refused, the framing is lost. The answer does not depend on the splitting. */
enum status edge_body_feed(struct edge_body *body, struct slice bytes, size_t *used) MUST_USE;
/* edge_body_close frees the bytes. */
void edge_body_close(struct edge_body *body);

#endif
