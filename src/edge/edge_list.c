/* edge_list.c: a page of a listing (api.md 3.2). */
#include "edge_crdt.h"
#include "edge_room.h"

static json_t *edge_list_item(const struct result_item *item)
{
    json_t *object = json_object();

    edge_json_put(object, "key", edge_json_text(item->key));
    edge_json_put(object, "etag", edge_json_etag(item->value.etag));
    edge_json_put(object, "type", json_string(edge_type_text(item->value.type)));
    edge_json_put(object, "size", json_integer(item->value.size));
    edge_json_put(object, "modified", edge_json_time(item->value.modified_ms));
    if (item->value.expires_ms)
        edge_json_put(object, "expires", edge_json_time(item->value.expires_ms));
    edge_json_put(object, "siblings", json_integer(item->siblings));
    return object;
}

/* "n1." and the last key in base64url. */
static void edge_list_cursor(struct edge_out *out, struct slice last)
{
    EDGE_PUT(out, "n1.");
    edge_put_base64(out, last);
}

/* </v1/kv/app?prefix=img/&limit=2&next=n1...>; rel="next" */
static void edge_list_link(struct edge_answer *answer, struct slice last)
{
    struct edge_out *out = &answer->out;
    const struct edge_slot *slot = answer->slot;

    EDGE_PUT(out, "Link: </v1/kv/");
    edge_put_slice(out, slot->ns);
    EDGE_PUT(out, "?limit=");
    edge_put_number(out, slot->limit);
    if (slot->prefix.size) {
        EDGE_PUT(out, "&prefix=");
        edge_put_escaped(out, slot->prefix);
    }
    EDGE_PUT(out, "&next=");
    edge_list_cursor(out, last);
    EDGE_PUT(out, ">; rel=\"next\"\r\n");
}

static json_t *edge_list_next(const struct result *result)
{
    struct buffer text;
    struct edge_out out;
    json_t *json = NULL;

    if (!result->is_truncated || !result->item_count)
        return json_null();
    buffer_init(&text, KEY_SIZE_MAX * 2);
    edge_out_begin(&out, &text, 64);
    edge_list_cursor(&out, result->items[result->item_count - 1].key);
    if (edge_out_end(&out, 0))
        json = edge_json_text(slice_of(text.data, text.size));
    buffer_close(&text);
    return json;
}

void edge_list_reply(struct edge_answer *answer, const struct result *result)
{
    json_t *body, *items;
    struct buffer text;

    if (result->status != STATUS_OK) {
        edge_answer_refuse(answer, result);
        return;
    }
    body = json_object();
    items = json_array();
    for (uint32_t i = 0; i < result->item_count; i++)
        (void)json_array_append_new(items, edge_list_item(&result->items[i]));
    edge_json_put(body, "items", items);
    edge_json_put(body, "prefixes", json_array());
    edge_json_put(body, "next", edge_list_next(result));
    edge_json_put(body, "cursor", json_null());
    buffer_init(&text, EDGE_REPLY_MAX);
    edge_answer_head(answer, 200);
    edge_answer_route(answer, result);
    EDGE_PUT(&answer->out, "Content-Type: application/json\r\nGossamer-Acks: ");
    edge_put_number(&answer->out, result->acks);
    EDGE_PUT(&answer->out, "/");
    edge_put_number(&answer->out, result->total);
    EDGE_PUT(&answer->out, "\r\n");
    edge_answer_no_store(answer);
    if (result->is_truncated && result->item_count)
        edge_list_link(answer, result->items[result->item_count - 1].key);
    if (edge_json_dump(&text, body))
        edge_answer_body(answer, slice_of(text.data, text.size));
    else
        answer->out.is_full = true;
    buffer_close(&text);
    json_decref(body);
}
