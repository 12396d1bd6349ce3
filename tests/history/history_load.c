/* history_load.c: a file of JSON lines into operations. Nothing in the file is trusted: an old
 * history may have been cut or edited. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

#define ITEMS_MAX 256

struct load {
    struct history *history;
    uint32_t *index; /* operation number in the file -> index, HISTORY_NONE if there is none */
    size_t index_count;
    const char *why;
};

static const char *const load_functions[] = {"put", "get", "del"};
static const char *const load_outcomes[] = {"info", "ok", "fail"};

static int load_choice(const json_t *line, const char *name, const char *const *names, int count)
{
    const char *text = json_string_value(json_object_get(line, name));

    for (int i = 0; text && i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    return -1;
}

static bool load_number(const json_t *line, const char *name, uint64_t max, uint64_t *into)
{
    const json_t *number = json_object_get(line, name);
    json_int_t value = json_integer_value(number);

    *into = (uint64_t)value;
    return json_is_integer(number) && value >= 0 && (uint64_t)value <= max;
}

static uint32_t load_find(const struct load *load, uint64_t number)
{
    return number < load->index_count ? load->index[number] : HISTORY_NONE;
}

static uint32_t load_text(struct load *load, const json_t *text)
{
    return history_text(load->history, json_is_string(text) ? json_string_value(text) : "");
}

static bool load_refuse(struct load *load, const char *why)
{
    load->why = why;
    return false;
}

static bool load_call(struct load *load, const json_t *line, uint64_t number)
{
    int function = load_choice(line, "f", load_functions, 3);
    struct history_op op = {.returned = HISTORY_NEVER, .context = HISTORY_NONE};
    uint64_t context, peer = 0;

    if (load_find(load, number) != HISTORY_NONE)
        return load_refuse(load, "this i was called before");
    if (function < 0 || !json_is_string(json_object_get(line, "k")))
        return load_refuse(load, "no f or no k");
    if (!load_number(line, "t", INT64_MAX, &op.invoked))
        return load_refuse(load, "no t");
    op.function = (enum history_function)function;
    op.key = load_text(load, json_object_get(line, "k"));
    op.client = load_text(load, json_object_get(line, "c"));
    op.value = load_text(load, json_object_get(line, "v"));
    op.is_final = json_object_get(line, "fin") != NULL;
    if (op.function == HISTORY_PUT && op.value == 0)
        return load_refuse(load, "a put without v");
    if (json_object_get(line, "ctx")) {
        if (!load_number(line, "ctx", UINT32_MAX, &context))
            return load_refuse(load, "ctx is no number");
        op.context = load_find(load, context);
        if (op.context == HISTORY_NONE || load->history->ops[op.context].function != HISTORY_GET ||
            load->history->ops[op.context].key != op.key)
            return load_refuse(load, "ctx names no earlier read of this key");
    }
    (void)load_number(line, "peer", 255, &peer);
    op.peer = (uint8_t)peer;
    if (number >= load->index_count) {
        size_t count = number * 2 + 64;

        load->index = history_room(load->index, count, sizeof *load->index);
        memset(load->index + load->index_count, 0xff,
               (count - load->index_count) * sizeof *load->index);
        load->index_count = count;
    }
    load->index[number] = history_add(load->history, &op, NULL, 0);
    return true;
}

/* The values of the read at `index`. */
static bool load_items(struct load *load, uint32_t index, const json_t *values)
{
    struct history_item items[ITEMS_MAX];
    size_t count = json_array_size(values);

    if (!json_is_array(values) || count > ITEMS_MAX)
        return load_refuse(load, "a read without vs, or with too many");
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(values, i);

        if (!json_is_string(json_array_get(pair, 0)))
            return load_refuse(load, "vs holds something else than [value, etag]");
        items[i].value = load_text(load, json_array_get(pair, 0));
        items[i].etag = load_text(load, json_array_get(pair, 1));
    }
    history_show(load->history, index, items, (uint32_t)count);
    return true;
}

static bool load_end(struct load *load, const json_t *line, uint64_t number)
{
    int outcome = load_choice(line, "ty", load_outcomes, 3);
    uint32_t at = load_find(load, number);
    struct history_op *op;
    uint64_t time;

    if (outcome < 0 || at == HISTORY_NONE)
        return load_refuse(load, "ty is none of inv ok fail info, or i was never called");
    op = &load->history->ops[at];
    if (op->returned != HISTORY_NEVER)
        return load_refuse(load, "this i has ended before");
    if (!load_number(line, "t", INT64_MAX, &time) || time < op->invoked)
        return load_refuse(load, "no t, or one before the call");
    op->outcome = (enum history_outcome)outcome;
    if (outcome == HISTORY_INFO)
        return true;
    op->returned = time;
    op->etag = load_text(load, json_object_get(line, "e"));
    if (op->function == HISTORY_GET && outcome == HISTORY_OK)
        return load_items(load, at, json_object_get(line, "vs"));
    return true;
}

static bool load_line(struct load *load, const char *text, size_t size)
{
    json_t *line = json_loadb(text, size, 0, NULL);
    const char *type = json_string_value(json_object_get(line, "ty"));
    uint64_t number;
    bool is_good;

    if (!json_is_object(line))
        is_good = load_refuse(load, "not a JSON object");
    else if (!json_object_get(line, "i"))
        is_good = load->history->count == 0 || load_refuse(load, "no i");
    else if (!load_number(line, "i", 100000000, &number) || !type)
        is_good = load_refuse(load, "no i or no ty");
    else if (strcmp(type, "inv") == 0)
        is_good = load_call(load, line, number);
    else
        is_good = load_end(load, line, number);
    json_decref(line);
    return is_good;
}

bool history_load(struct history *history, FILE *file, char *why, size_t why_size)
{
    struct load load = {.history = history};
    char *text = NULL;
    size_t room = 0, line = 0;
    ssize_t size;
    bool is_good = true;

    history_init(history);
    while (is_good && (size = getline(&text, &room, file)) > 0) {
        line++;
        is_good = load_line(&load, text, (size_t)size);
    }
    free(text);
    free(load.index);
    if (!is_good) {
        snprintf(why, why_size, "line %zu: %s", line, load.why);
        history_free(history);
    }
    return is_good;
}
