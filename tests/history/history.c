#include "history.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64u

void *history_room(void *old, size_t count, size_t size)
{
    void *room = reallocarray(old, count ? count : 1, size);

    if (!room)
        abort();
    return room;
}

void history_init(struct history *history)
{
    *history = (struct history){0};
    (void)history_text(history, "");
}

void history_free(struct history *history)
{
    for (uint32_t i = 0; i < history->text_count; i++)
        free(history->texts[i]);
    free(history->texts);
    free(history->slots);
    free(history->items);
    free(history->ops);
    *history = (struct history){0};
}

/* --- texts: open addressing, at most half full */

static uint32_t history_hash(const char *text)
{
    uint32_t hash = 2166136261u;

    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash ^ hash >> 15;
}

/* The slot of a text, or the free one where it belongs. */
static uint32_t *history_slot(const struct history *history, const char *text)
{
    uint32_t at = history_hash(text) % history->slot_count;

    while (history->slots[at] && strcmp(history->texts[history->slots[at] - 1], text) != 0)
        at = (at + 1) % history->slot_count;
    return &history->slots[at];
}

static void history_rehash(struct history *history)
{
    history->slot_count = history->slot_count ? history->slot_count * 2 : FIRST_ROOM * 2;
    history->slots = history_room(history->slots, history->slot_count, sizeof *history->slots);
    memset(history->slots, 0, history->slot_count * sizeof *history->slots);
    for (uint32_t i = 0; i < history->text_count; i++)
        *history_slot(history, history->texts[i]) = i + 1;
}

uint32_t history_text(struct history *history, const char *text)
{
    uint32_t *slot;

    if (history->text_count * 2 >= history->slot_count)
        history_rehash(history);
    slot = history_slot(history, text);
    if (*slot)
        return *slot - 1;
    if (history->text_count == history->text_room) {
        history->text_room = history->text_room ? history->text_room * 2 : FIRST_ROOM;
        history->texts = history_room(history->texts, history->text_room, sizeof(char *));
    }
    history->texts[history->text_count] = strdup(text);
    if (!history->texts[history->text_count])
        abort();
    *slot = ++history->text_count;
    return *slot - 1;
}

/* --- operations */

void history_show(struct history *history, uint32_t index, const struct history_item *items,
                  uint32_t item_count)
{
    while (history->item_count + item_count > history->item_room) {
        history->item_room = history->item_room ? history->item_room * 2 : FIRST_ROOM;
        history->items = history_room(history->items, history->item_room, sizeof *items);
    }
    history->ops[index].first = history->item_count;
    history->ops[index].item_count = item_count;
    if (item_count)
        memcpy(history->items + history->item_count, items, item_count * sizeof *items);
    history->item_count += item_count;
}

uint32_t history_add(struct history *history, const struct history_op *op,
                     const struct history_item *items, uint32_t item_count)
{
    if (history->count == history->room) {
        history->room = history->room ? history->room * 2 : FIRST_ROOM;
        history->ops = history_room(history->ops, history->room, sizeof *history->ops);
    }
    history->ops[history->count] = *op;
    history_show(history, history->count, items, item_count);
    return history->count++;
}

bool history_shows(const struct history *history, const struct history_op *read, uint32_t value)
{
    for (uint32_t i = 0; i < read->item_count; i++)
        if (history->items[read->first + i].value == value)
            return true;
    return false;
}

/* --- keys */

static int history_order(const void *left, const void *right, void *context)
{
    const struct history_op *ops = ((const struct history *)context)->ops;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    if (ops[a].key != ops[b].key)
        return ops[a].key < ops[b].key ? -1 : 1;
    if (ops[a].invoked != ops[b].invoked)
        return ops[a].invoked < ops[b].invoked ? -1 : 1;
    return a < b ? -1 : a > b;
}

struct history_keys history_keys_make(const struct history *history, const char *prefix)
{
    struct history_keys keys = {0};
    uint32_t count = 0;

    keys.order = history_room(NULL, history->count, sizeof *keys.order);
    for (uint32_t i = 0; i < history->count; i++)
        if (strncmp(history->texts[history->ops[i].key], prefix, strlen(prefix)) == 0)
            keys.order[count++] = i;
    qsort_r(keys.order, count, sizeof *keys.order, history_order, (void *)history);
    keys.keys = history_room(NULL, count, sizeof *keys.keys);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key = history->ops[keys.order[i]].key;

        if (keys.count == 0 || keys.keys[keys.count - 1].key != key)
            keys.keys[keys.count++] = (struct history_key){key, 0, keys.order + i};
        keys.keys[keys.count - 1].count++;
    }
    return keys;
}

void history_keys_free(struct history_keys *keys)
{
    free(keys->order);
    free(keys->keys);
    *keys = (struct history_keys){0};
}
