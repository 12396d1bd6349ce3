/* edge_crdt_body.c: the body of an update, {"counter":{"add":1}}, becomes a list of changes of
 * rows. The list is made here because only the edge knows JSON; the core gets names of rows, types
 * and arguments, and no document ever travels between peers. */
#include <string.h>
#include "edge_crdt.h"

static const char *const EDGE_TYPES[TYPE_COUNT] = {
    [0] = "value",        [TYPE_VALUE] = "value",       [TYPE_TOMBSTONE] = "tombstone",
    [TYPE_SET] = "set",   [TYPE_MAP] = "map",           [TYPE_COUNTER] = "counter",
    [TYPE_FLAG] = "flag", [TYPE_REGISTER] = "register", [TYPE_MVREGISTER] = "mvregister",
    [TYPE_HLL] = "hll",
};

const char *edge_type_text(unsigned type)
{
    return type < TYPE_COUNT && EDGE_TYPES[type] ? EDGE_TYPES[type] : "unknown";
}

unsigned edge_type_find(struct slice name)
{
    for (unsigned i = TYPE_VALUE; i < TYPE_COUNT; i++)
        if (i != TYPE_TOMBSTONE && slice_equal(name, slice_text(EDGE_TYPES[i])))
            return i;
    return TYPE_COUNT;
}

static bool body_fault(struct edge_changes *changes, const char *detail, const char *hint)
{
    (void)edge_call_fault(changes->call, PROBLEM_BAD_REQUEST, detail);
    if (hint)
        edge_fault_hint(changes->call->fault, hint, NULL);
    return false;
}

static bool body_too_large(struct edge_changes *changes, const char *detail)
{
    (void)edge_call_fault(changes->call, PROBLEM_TOO_LARGE, detail);
    return false;
}

/* --- the list */

bool edge_crdt_add(struct edge_changes *changes, enum value_type type, struct slice arg)
{
    uint8_t head[7];
    struct writer out = writer_over(head, sizeof head);

    write_u16(&out, (uint16_t)changes->place.size);
    if (!buffer_append(changes->list, head, 2) ||
        !buffer_append(changes->list, changes->place.bytes, changes->place.size))
        return body_too_large(changes, "the update is too large");
    out = writer_over(head, sizeof head);
    write_u8(&out, (uint8_t)type);
    write_u32(&out, (uint32_t)arg.size);
    if (!buffer_append(changes->list, head, 5) || !buffer_append(changes->list, arg.data, arg.size))
        return body_too_large(changes, "the update is too large");
    changes->count++;
    return true;
}

static bool place_push(struct edge_changes *changes, struct slice bytes)
{
    struct edge_place *place = &changes->place;

    if (bytes.size > sizeof place->bytes - place->size)
        return body_too_large(changes, "fields and members of one path take more than 2304 bytes");
    if (bytes.size)
        memcpy(place->bytes + place->size, bytes.data, bytes.size);
    place->size += bytes.size;
    return true;
}

static bool place_push_byte(struct edge_changes *changes, unsigned byte)
{
    uint8_t one = (uint8_t)byte;

    return place_push(changes, slice_of(&one, 1));
}

/* Members, fields and elements: text as in keys, and not too many in all. */
static bool body_name(struct edge_changes *changes, struct slice name)
{
    if (++changes->elements > CRDT_CHANGES_MAX)
        return body_too_large(changes, "an update names at most 1000 members and fields");
    if (name.size > KEY_SIZE_MAX)
        return body_too_large(changes, "a member or field has at most 1024 bytes");
    if (name.size == 0 || !edge_is_utf8(name))
        return body_fault(changes,
                          "a member or field is 1 to 1024 bytes of UTF-8 without control "
                          "characters",
                          NULL);
    return true;
}

static struct slice body_text(const json_t *text)
{
    return slice_of(json_string_value(text), json_string_length(text));
}

/* --- simple types */

/* The one field `name` of an object with no other; NULL: call->fault. */
static json_t *body_only(struct edge_changes *changes, const json_t *update, const char *name)
{
    json_t *value = json_object_get(update, name);

    if (value && json_object_size(update) == 1)
        return value;
    (void)edge_call_fault(changes->call, PROBLEM_BAD_REQUEST, "this type takes {\"", name,
                          "\": ...} and nothing else");
    return NULL;
}

static bool body_counter(struct edge_changes *changes, const json_t *update)
{
    json_t *add = body_only(changes, update, "add");
    uint8_t arg[8];

    if (!add)
        return false;
    if (!json_is_integer(add))
        return body_fault(changes, "a counter adds a whole number of at most 64 bits", NULL);
    bytes_store_u64(arg, (uint64_t)json_integer_value(add));
    return edge_crdt_add(changes, TYPE_COUNTER, slice_of(arg, sizeof arg));
}

static bool body_flag(struct edge_changes *changes, const json_t *update)
{
    uint8_t arg = json_is_true(update);

    if (!json_is_boolean(update))
        return body_fault(changes, "a flag is true or false", NULL);
    return edge_crdt_add(changes, TYPE_FLAG, slice_of(&arg, 1));
}

static bool body_register(struct edge_changes *changes, const json_t *update, enum value_type type)
{
    json_t *set = body_only(changes, update, "set");

    if (!set)
        return false;
    if (!json_is_string(set))
        return body_fault(changes, "a register holds a text", NULL);
    return edge_crdt_add(changes, type, body_text(set));
}

static bool body_hll(struct edge_changes *changes, const json_t *update)
{
    json_t *add = body_only(changes, update, "add"), *item;
    struct buffer arg;
    bool is_good = json_is_array(add);
    size_t i;

    if (!add)
        return false;
    if (!is_good)
        return body_fault(changes, "an hll adds a list of texts", NULL);
    buffer_init(&arg, CRDT_CHANGES_MAX * (2 + KEY_SIZE_MAX));
    json_array_foreach(add, i, item)
    {
        uint8_t size[2] = {(uint8_t)(json_string_length(item) >> 8),
                           (uint8_t)json_string_length(item)};

        is_good = is_good && body_name(changes, body_text(item)) &&
                  buffer_append(&arg, size, sizeof size) &&
                  buffer_append(&arg, json_string_value(item), json_string_length(item));
    }
    is_good = is_good && edge_crdt_add(changes, TYPE_HLL, slice_of(arg.data, arg.size));
    buffer_close(&arg);
    return is_good;
}

/* --- collections */

bool edge_crdt_member(struct edge_changes *changes, enum value_type type, struct slice member)
{
    size_t before = changes->place.size;
    bool is_good = body_name(changes, member) && place_push_byte(changes, TYPE_SET) &&
                   place_push(changes, member) && edge_crdt_add(changes, type, SLICE_NONE);

    changes->place.size = before;
    return is_good;
}

static bool body_members(struct edge_changes *changes, const json_t *list, enum value_type type)
{
    const json_t *item;
    size_t i;

    if (list && !json_is_array(list))
        return body_fault(changes, "add and remove of a set are lists of texts", NULL);
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item))
            return body_fault(changes, "members of a set are texts", NULL);
        if (!edge_crdt_member(changes, type, body_text(item)))
            return false;
    }
    return true;
}

/* Changes of one request run side by side: a member cannot be in both lists. */
static bool body_overlaps(const json_t *add, const json_t *remove)
{
    const json_t *a, *b;
    size_t i, j;

    json_array_foreach(add, i, a)
        json_array_foreach(remove, j, b) if (json_equal(a, b)) return true;
    return false;
}

static bool body_knows(struct edge_changes *changes, const json_t *update, const char *first,
                       const char *second)
{
    json_t *a = json_object_get(update, first), *b = json_object_get(update, second);
    char text[80];

    if (json_is_object(update) && json_object_size(update) == (size_t)(a != NULL) + (b != NULL))
        return true;
    edge_text_copy(text, sizeof text, slice_text(first));
    (void)edge_call_fault(changes->call, PROBLEM_UNKNOWN_PARAMETER,
                          "this type takes an object with \"", text, "\" and \"", second, "\"");
    return false;
}

static bool body_set(struct edge_changes *changes, const json_t *update)
{
    json_t *add = json_object_get(update, "add"), *remove = json_object_get(update, "remove");
    unsigned before = changes->count;

    if (!body_knows(changes, update, "add", "remove"))
        return false;
    if (body_overlaps(add, remove))
        return body_fault(changes, "a member is to be added and removed in one request", NULL);
    if (!body_members(changes, add, TYPE_VALUE) || !body_members(changes, remove, TYPE_TOMBSTONE))
        return false;
    return changes->count > before || changes->place.size > 0 ||
           edge_crdt_add(changes, TYPE_SET, SLICE_NONE);
}

static bool body_update(struct edge_changes *changes, const json_t *json);

/* One field: its path is its name, a zero byte, and what it holds. */
static bool body_field(struct edge_changes *changes, struct slice field, const json_t *update)
{
    size_t before = changes->place.size;
    bool is_good = body_name(changes, field) && place_push_byte(changes, TYPE_MAP) &&
                   place_push(changes, field) && place_push_byte(changes, 0);

    if (is_good && update)
        is_good = body_update(changes, update);
    else if (is_good)
        is_good = edge_crdt_add(changes, TYPE_TOMBSTONE, SLICE_NONE);
    changes->place.size = before;
    return is_good;
}

static bool body_map(struct edge_changes *changes, const json_t *update)
{
    json_t *fields = json_object_get(update, "update"), *remove = json_object_get(update, "remove");
    unsigned before = changes->count;
    const char *field;
    json_t *item;
    size_t i;

    if (!body_knows(changes, update, "update", "remove"))
        return false;
    if ((fields && !json_is_object(fields)) || (remove && !json_is_array(remove)))
        return body_fault(changes, "a map takes {\"update\":{field: ...},\"remove\":[field]}",
                          NULL);
    if (++changes->place.depth > CRDT_LEVELS_MAX)
        return body_fault(changes, "maps nest at most 8 levels deep", NULL);
    json_object_foreach(fields, field, item)
    {
        if (!body_field(changes, slice_text(field), item))
            return false;
    }
    json_array_foreach(remove, i, item)
    {
        if (!json_is_string(item) || json_object_get(fields, json_string_value(item)))
            return body_fault(changes, "fields to remove are texts, and not updated as well", NULL);
        if (!body_field(changes, body_text(item), NULL))
            return false;
    }
    changes->place.depth--;
    return changes->count > before || changes->place.size > 0 ||
           edge_crdt_add(changes, TYPE_MAP, SLICE_NONE);
}

static bool body_typed(struct edge_changes *changes, unsigned type, const json_t *update)
{
    switch ((enum value_type)type) {
    case TYPE_COUNTER:
        return body_counter(changes, update);
    case TYPE_FLAG:
        return body_flag(changes, update);
    case TYPE_REGISTER:
    case TYPE_MVREGISTER:
        return body_register(changes, update, (enum value_type)type);
    case TYPE_HLL:
        return body_hll(changes, update);
    case TYPE_SET:
        return body_set(changes, update);
    case TYPE_MAP:
        return body_map(changes, update);
    case TYPE_VALUE:
    case TYPE_TOMBSTONE:
    case TYPE_COUNT:
    case TYPE_ALL:
        break;
    }
    return body_fault(changes, "no type has this name",
                      "types: counter flag register mvregister set map hll");
}

/* {"type": update}. Inside a map a simple child's row is named by its type. */
static bool body_update(struct edge_changes *changes, const json_t *json)
{
    json_t *object = (json_t *)(uintptr_t)json;
    void *first = json_object_iter(object);
    size_t before = changes->place.size;
    unsigned type;
    bool is_good;

    if (!json_is_object(json) || json_object_size(json) != 1)
        return body_fault(changes, "an update is an object with one type",
                          "for example {\"counter\":{\"add\":1}}");
    type = edge_type_find(slice_text(json_object_iter_key(first)));
    if (changes->place.size > 0 && type >= TYPE_COUNTER && type < TYPE_COUNT &&
        !place_push_byte(changes, type))
        return false;
    is_good = body_typed(changes, type, json_object_iter_value(first));
    changes->place.size = before;
    return is_good;
}

bool edge_crdt_changes(struct edge_changes *changes, json_t *json)
{
    return body_update(changes, json);
}

/* --- shorthand for curl: ?add=1, ?add_member=a, ?remove_member=a, ?set=v */

static bool short_number(struct slice text, int64_t *number)
{
    bool is_negative = text.size > 0 && text.data[0] == '-';
    uint64_t value = 0, max = (uint64_t)INT64_MAX + is_negative;

    if (text.size == is_negative || text.size > 20u)
        return false;
    for (size_t i = is_negative; i < text.size; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';

        if (digit > 9 || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = is_negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool edge_crdt_short(struct edge_changes *changes)
{
    static const char *const names[] = {"add", "add_member", "remove_member", "set"};
    struct slice value = SLICE_NONE, other;
    unsigned at = 4;
    uint8_t arg[8];
    int64_t number;

    for (unsigned i = 0; i < 4; i++) {
        if (!edge_query_get(changes->call, names[i], i < at ? &value : &other))
            continue;
        if (at < 4)
            return body_fault(changes, "one change at a time stands in the query",
                              "send several as JSON");
        at = i;
    }
    if (at == 4)
        return true;
    if (at == 1 || at == 2)
        return edge_crdt_member(changes, at == 1 ? TYPE_VALUE : TYPE_TOMBSTONE, value);
    if (at == 3) {
        unsigned type = edge_query_get(changes->call, "type", &other) ? edge_type_find(other)
                                                                      : (unsigned)TYPE_REGISTER;

        if (type != TYPE_REGISTER && type != TYPE_MVREGISTER)
            return body_fault(changes, "set is for a register or a mvregister", NULL);
        return edge_crdt_add(changes, (enum value_type)type, value);
    }
    if (!short_number(value, &number))
        return body_fault(changes, "add is a whole number of at most 64 bits", NULL);
    bytes_store_u64(arg, (uint64_t)number);
    return edge_crdt_add(changes, TYPE_COUNTER, slice_of(arg, sizeof arg));
}
