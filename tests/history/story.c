#include "story.h"

#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 16

struct story {
    struct history *history;
    uint32_t key;
};

static void story_end(struct history_op *op, const char *end)
{
    op->outcome = HISTORY_OK;
    if (end[0] == '?')
        op->outcome = HISTORY_INFO;
    if (end[0] == '!')
        op->outcome = HISTORY_FAIL;
    op->returned = op->outcome == HISTORY_INFO ? HISTORY_NEVER : strtoull(end, NULL, 10);
    if (op->outcome == HISTORY_FAIL)
        op->returned = op->invoked + 1;
}

static uint32_t story_values(struct story *story, char *text, struct history_item *items)
{
    uint32_t count = 0;
    char *rest, *word = strtok_r(text, ",", &rest);

    for (; word && strcmp(word, "-") != 0; word = strtok_r(NULL, ",", &rest)) {
        char *tag = strchr(word, ':');

        if (tag)
            *tag++ = 0;
        items[count].value = history_text(story->history, word);
        items[count++].etag = history_text(story->history, tag ? tag : "1");
    }
    return count;
}

static void story_step(struct story *story, const char *step)
{
    struct history_op op = {.context = HISTORY_NONE, .key = story->key};
    struct history_item items[VALUES_MAX];
    char word[16] = "", values[128] = "-", end[16] = "?", extra[2][16] = {"", ""};
    unsigned long begin = 0;
    uint32_t count = 0;

    if (sscanf(step, " %15s", word) != 1)
        return;
    if (strcmp(word, "key") == 0 && sscanf(step, " key %127s", values) == 1) {
        story->key = history_text(story->history, values);
        return;
    }
    op.function = word[0] == 'p' ? HISTORY_PUT : word[0] == 'g' ? HISTORY_GET : HISTORY_DELETE;
    if (op.function == HISTORY_DELETE)
        (void)sscanf(step, " del %lu %15s %15s", &begin, end, extra[0]);
    else
        (void)sscanf(step, " %*s %127s %lu %15s %15s %15s", values, &begin, end, extra[0],
                     extra[1]);
    if (begin == 0)
        abort();
    op.invoked = begin;
    story_end(&op, end);
    for (unsigned i = 0; i < 2; i++) {
        op.is_final = op.is_final || strcmp(extra[i], "final") == 0;
        if (extra[i][0] == 'r')
            op.context = (uint32_t)strtoul(extra[i] + 1, NULL, 10);
        if (extra[i][0] == 'p')
            op.peer = (uint8_t)strtoul(extra[i] + 1, NULL, 10);
    }
    if (op.function == HISTORY_PUT) {
        op.value = history_text(story->history, values);
        op.etag = op.outcome == HISTORY_OK ? history_text(story->history, "1") : 0;
    } else {
        count = story_values(story, values, items);
    }
    (void)history_add(story->history, &op, items, count);
}

void story_tell(struct history *history, const char *text)
{
    struct story story = {history, 0};
    char *copy = strdup(text), *rest, *step;

    if (!copy)
        abort();
    history_init(history);
    story.key = history_text(history, "k");
    for (step = strtok_r(copy, ";", &rest); step; step = strtok_r(NULL, ";", &rest))
        story_step(&story, step);
    free(copy);
}

uint32_t story_put(struct history *history, uint32_t value, uint64_t inv, uint64_t ret)
{
    struct history_op op = {.function = HISTORY_PUT,
                            .outcome = ret == HISTORY_NEVER ? HISTORY_INFO : HISTORY_OK,
                            .invoked = inv,
                            .returned = ret,
                            .context = HISTORY_NONE,
                            .key = history_text(history, "k"),
                            .value = value};

    op.etag = op.outcome == HISTORY_OK ? history_text(history, "1") : 0;
    return history_add(history, &op, NULL, 0);
}

uint32_t story_get(struct history *history, uint32_t value, uint64_t inv, uint64_t ret)
{
    struct history_op op = {.function = HISTORY_GET,
                            .outcome = HISTORY_OK,
                            .invoked = inv,
                            .returned = ret,
                            .context = HISTORY_NONE,
                            .key = history_text(history, "k")};
    struct history_item item = {value, history_text(history, "1")};

    return history_add(history, &op, &item, value != 0);
}

void story_copy(struct history *copy, const struct history *history)
{
    history_init(copy);
    for (uint32_t i = 0; i < history->text_count; i++)
        (void)history_text(copy, history->texts[i]);
    for (uint32_t i = 0; i < history->count; i++)
        (void)history_add(copy, &history->ops[i], history->items + history->ops[i].first,
                          history->ops[i].item_count);
}
