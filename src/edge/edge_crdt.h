/* edge_crdt.h: CRDT types over HTTP (api.md 5), shared by the files edge_crdt*.c. */
#ifndef GOSSAMER_EDGE_CRDT_H
#define GOSSAMER_EDGE_CRDT_H

#include "edge_json.h"

/* Where in a collection a change goes: the path of its row name (decision 0009), while a body is
 * walked. `fields` names it for people. */
struct edge_place {
    size_t size;
    unsigned depth; /* levels of maps */
    uint8_t bytes[PATH_SIZE_MAX];
};

/* The changes of one request as they are gathered: n x (path length u16 | path | type u8 |
 * argument length u32 | argument), what OP_UPDATE takes with `is_many`. */
struct edge_changes {
    struct edge_call *call;
    struct buffer *list;
    unsigned count;    /* changes of rows */
    unsigned elements; /* members, fields and elements named */
    struct edge_place place;
};

/* edge_type_text names a type: "counter"; "value" for bytes of /v1/kv. */
const char *edge_type_text(unsigned type);
/* edge_type_find returns the type of a name, TYPE_COUNT when there is none. */
unsigned edge_type_find(struct slice name);
/* edge_crdt_changes walks the JSON of an update. False: call->fault. */
bool edge_crdt_changes(struct edge_changes *changes, json_t *json);
/* edge_crdt_short gathers one change said by query parameters; false: call->fault. Nothing is
 * gathered where there is none. */
bool edge_crdt_short(struct edge_changes *changes);
/* edge_crdt_add appends one change at the present place. */
bool edge_crdt_add(struct edge_changes *changes, enum value_type type, struct slice arg);
/* edge_crdt_member appends the change of a set's member at the present place. */
bool edge_crdt_member(struct edge_changes *changes, enum value_type type, struct slice member);

#endif
