/* edge_kv_reply.c: answers of reads and writes of one key. A single value goes out raw, with the
 * fields it was stored with; several of them, when asked for, as one JSON document. */
#include "edge_json.h"
#include "edge_room.h"

static void edge_kv_acks(struct edge_answer *answer, const struct result *result)
{
    EDGE_PUT(&answer->out, "Gossamer-Acks: ");
    edge_put_number(&answer->out, result->acks);
    EDGE_PUT(&answer->out, "/");
    edge_put_number(&answer->out, result->total);
    EDGE_PUT(&answer->out, "\r\n");
}

static bool edge_is_token_text(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '_')
            return false;
    }
    return true;
}

static void edge_kv_context_field(struct edge_answer *answer, struct slice context)
{
    if (context.size == 0 || !edge_is_token_text(context))
        return;
    EDGE_PUT(&answer->out, "Gossamer-Context: ");
    edge_put_slice(&answer->out, context);
    EDGE_PUT(&answer->out, "\r\n");
}

static void edge_kv_etag(struct edge_answer *answer, uint64_t etag)
{
    if (!etag)
        return;
    EDGE_PUT(&answer->out, "ETag: ");
    edge_put_etag(&answer->out, etag);
    EDGE_PUT(&answer->out, "\r\n");
}

/* Status line and the fields of every data reply. */
static void edge_kv_head(struct edge_answer *answer, unsigned status, const struct result *result)
{
    edge_answer_head(answer, status);
    edge_answer_route(answer, result);
    edge_kv_acks(answer, result);
}

static void edge_kv_siblings_field(struct edge_answer *answer, const struct result *result)
{
    if (result->value_count <= 1)
        return;
    EDGE_PUT(&answer->out, "Gossamer-Siblings: ");
    edge_put_number(&answer->out, result->value_count);
    EDGE_PUT(&answer->out, "\r\nLink: <?siblings=all>; rel=\"alternate\"\r\n");
}

static void edge_kv_expires(struct edge_answer *answer, uint64_t expires_ms)
{
    if (!expires_ms)
        return;
    EDGE_PUT(&answer->out, "Gossamer-Expires: ");
    edge_date_put(&answer->out, expires_ms);
    EDGE_PUT(&answer->out, "\r\n");
}

static void edge_kv_modified(struct edge_answer *answer, const struct result_value *value)
{
    if (!value->modified_ms)
        return;
    EDGE_PUT(&answer->out, "Gossamer-Modified: ");
    edge_date_put(&answer->out, value->modified_ms);
    EDGE_PUT(&answer->out, "\r\n");
}

static void edge_kv_value(struct edge_answer *answer, const struct result *result,
                          const struct result_value *value)
{
    edge_kv_head(answer, 200, result);
    edge_kv_etag(answer, value->etag);
    if (answer->slot->form != FORM_ONE || result->value_count == 1)
        edge_kv_context_field(answer, result->context);
    edge_kv_siblings_field(answer, result);
    edge_kv_modified(answer, value);
    edge_kv_expires(answer, value->expires_ms);
    edge_meta_put(&answer->out, value->meta);
    edge_answer_body(answer, value->body);
}

/* --- several values as JSON (300) */

static bool edge_is_json_text(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 && text.data[i] != '\n' && text.data[i] != '\t' &&
            text.data[i] != '\r')
            return false;
    return true;
}

/* Text stays text, anything else is base64: the only place where a value is not raw bytes. */
static void edge_json_data(json_t *object, struct slice body)
{
    json_t *text = NULL;
    struct buffer code;
    struct edge_out out;

    if (edge_is_json_text(body))
        text = body.size ? json_stringn((const char *)body.data, body.size) : json_string("");
    if (text) {
        edge_json_put(object, "data", text);
        return;
    }
    buffer_init(&code, EDGE_REPLY_MAX);
    edge_out_begin(&out, &code, body.size / 3 * 4 + 4);
    edge_put_base64_padded(&out, body);
    if (edge_out_end(&out, 0))
        edge_json_put(object, "data_b64", edge_json_text(slice_of(code.data, code.size)));
    buffer_close(&code);
}

/* User fields as an object; the last of equal names wins. */
static json_t *edge_json_meta(struct slice meta)
{
    json_t *object = json_object();
    struct reader reader = reader_over(meta);
    char name[EDGE_USER_SIZE_MAX + 1];

    while (reader_left(&reader)) {
        unsigned tag = read_u8(&reader);
        struct slice field = read_slice(&reader, read_u16(&reader));
        const uint8_t *colon = field.size ? memchr(field.data, ':', field.size) : NULL;

        if (reader.is_bad)
            break;
        if (tag != META_USER || !colon || (size_t)(colon - field.data) >= sizeof name ||
            colon + 2 > field.data + field.size)
            continue;
        edge_text_copy(name, sizeof name, slice_of(field.data, (size_t)(colon - field.data)));
        edge_json_put(
            object, name,
            edge_json_text(slice_of(colon + 2, field.size - (size_t)(colon + 2 - field.data))));
    }
    return object;
}

static json_t *edge_json_value(const struct result_value *value)
{
    json_t *object = json_object();
    struct slice type = edge_meta_find(value->meta, META_CONTENT_TYPE);

    edge_json_put(object, "etag", edge_json_etag(value->etag));
    edge_json_put(object, "type",
                  edge_json_text(type.size ? type : slice_text("application/octet-stream")));
    edge_json_put(object, "meta", edge_json_meta(value->meta));
    edge_json_put(object, "modified", edge_json_time(value->modified_ms));
    if (value->expires_ms && !value->is_tombstone)
        edge_json_put(object, "expires", edge_json_time(value->expires_ms));
    if (value->is_tombstone)
        edge_json_put(object, "tombstone", json_true());
    else
        edge_json_data(object, value->body);
    return object;
}

static void edge_kv_all(struct edge_answer *answer, const struct result *result)
{
    json_t *body = json_object(), *values = json_array();
    struct buffer text;

    edge_json_put(body, "context", edge_json_text(result->context));
    for (uint32_t i = 0; i < result->value_count; i++)
        (void)json_array_append_new(values, edge_json_value(&result->values[i]));
    edge_json_put(body, "values", values);
    buffer_init(&text, EDGE_REPLY_MAX);
    edge_kv_head(answer, 300, result);
    edge_kv_context_field(answer, result->context);
    EDGE_PUT(&answer->out, "Gossamer-Siblings: ");
    edge_put_number(&answer->out, result->value_count);
    EDGE_PUT(&answer->out, "\r\nContent-Type: application/json\r\n");
    edge_answer_no_store(answer);
    if (edge_json_dump(&text, body))
        edge_answer_body(answer, slice_of(text.data, text.size));
    else
        answer->out.is_full = true;
    buffer_close(&text);
    json_decref(body);
}

/* --- the two replies */

static const struct result_value *edge_kv_pick(const struct edge_slot *slot,
                                               const struct result *result)
{
    if (slot->form != FORM_ONE)
        return result->value_count ? &result->values[0] : NULL;
    for (uint32_t i = 0; i < result->value_count; i++)
        if (result->values[i].etag == slot->wanted && !result->values[i].is_tombstone)
            return &result->values[i];
    return NULL;
}

static void edge_kv_not_modified(struct edge_answer *answer, const struct result *result)
{
    edge_kv_head(answer, 304, result);
    edge_kv_etag(answer, result->etag          ? result->etag
                         : result->value_count ? result->values[0].etag
                                               : 0);
    edge_kv_context_field(answer, result->context);
    edge_answer_no_store(answer);
    edge_answer_empty(answer);
}

static void edge_kv_missing(struct edge_answer *answer, const struct result *result,
                            const char *detail)
{
    struct edge_fault fault;

    edge_fault_set(&fault, PROBLEM_NOT_FOUND, detail, NULL);
    edge_answer_fault(answer, &fault, result);
}

void edge_kv_reply_read(struct edge_answer *answer, const struct result *result)
{
    const struct result_value *value;

    if (result->status == STATUS_NOT_MODIFIED) {
        edge_kv_not_modified(answer, result);
        return;
    }
    if (result->status == STATUS_MISSING) {
        edge_kv_missing(answer, result, "the key has no value");
        return;
    }
    if (result->status != STATUS_OK) {
        edge_answer_refuse(answer, result);
        return;
    }
    if (result->types & ~(1u << TYPE_VALUE)) {
        edge_crdt_mismatch(answer, result);
        return;
    }
    if (answer->slot->form == FORM_ALL && result->value_count > 1) {
        edge_kv_all(answer, result);
        return;
    }
    value = edge_kv_pick(answer->slot, result);
    if (value)
        edge_kv_value(answer, result, value);
    else
        edge_kv_missing(answer, result, "no sibling has this entity tag");
}

static void edge_kv_location(struct edge_answer *answer)
{
    const struct edge_slot *slot = answer->slot;

    if (slot->prefix.size == 0)
        return;
    EDGE_PUT(&answer->out, "Location: /v1/kv/");
    edge_put_slice(&answer->out, slot->ns);
    EDGE_PUT(&answer->out, "/");
    edge_put_escaped(&answer->out, slot->key);
    EDGE_PUT(&answer->out, "\r\n");
}

void edge_kv_reply_write(struct edge_answer *answer, const struct result *result)
{
    const struct edge_slot *slot = answer->slot;
    bool is_created = slot->kind == OP_PUT && (result->is_created || slot->prefix.size);
    bool has_echo = slot->is_echo && slot->kind == OP_PUT;

    if (result->status == STATUS_TYPE) {
        edge_crdt_mismatch(answer, result);
        return;
    }
    if (result->status != STATUS_OK) {
        edge_answer_refuse(answer, result);
        return;
    }
    edge_kv_head(answer, has_echo && !slot->prefix.size ? 200 : is_created ? 201 : 204, result);
    edge_kv_etag(answer, result->etag);
    edge_kv_expires(answer, result->expires_ms);
    edge_kv_context_field(answer, result->context);
    edge_kv_location(answer);
    if (has_echo)
        edge_meta_put(&answer->out, slot->meta);
    else
        edge_answer_no_store(answer);
    if (has_echo)
        edge_answer_body(answer, slice_of(slot->echo.data, slot->echo.size));
    else if (answer->status == 204)
        edge_answer_empty(answer);
    else
        edge_answer_body(answer, SLICE_NONE);
}
