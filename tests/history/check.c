/* check.c: what the checkers share. */
#include "check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void check_note(struct check_notes *notes, const char *format, ...)
{
    va_list arguments;

    if (notes->count++ >= CHECK_NOTES)
        return;
    va_start(arguments, format);
    vsnprintf(notes->text[notes->count - 1], CHECK_NOTE_SIZE, format, arguments);
    va_end(arguments);
}

uint32_t *check_puts(const struct history *history)
{
    uint32_t *puts = history_room(NULL, history->text_count, sizeof *puts);

    memset(puts, 0xff, history->text_count * sizeof *puts);
    for (uint32_t i = 0; i < history->count; i++)
        if (history->ops[i].function == HISTORY_PUT)
            puts[history->ops[i].value] = i;
    return puts;
}

bool check_is_phantom(const struct history *history, const uint32_t *puts,
                      const struct history_op *read, uint32_t value)
{
    const struct history_op *put;

    if (puts[value] == HISTORY_NONE)
        return true;
    put = &history->ops[puts[value]];
    return put->key != read->key || put->outcome == HISTORY_FAIL || put->invoked > read->returned;
}

uint32_t check_newest(const struct history *history, const uint32_t *puts,
                      const struct history_op *read)
{
    uint32_t newest = HISTORY_NONE;

    for (uint32_t i = 0; i < read->item_count; i++) {
        uint32_t put = puts[history->items[read->first + i].value];

        if (put != HISTORY_NONE &&
            (newest == HISTORY_NONE || history->ops[put].invoked > history->ops[newest].invoked))
            newest = put;
    }
    return newest;
}

/* --- operations by their end */

void check_ended_make(struct check_ended *ended, uint32_t room)
{
    *ended = (struct check_ended){history_room(NULL, 2 * (size_t)room, sizeof(uint64_t)), NULL, 0};
}

/* Pairs at first, so that sorting keeps them together. */
void check_ended_add(struct check_ended *ended, const struct history_op *op)
{
    ended->returned[2 * ended->count] = op->returned;
    ended->returned[2 * ended->count + 1] = op->invoked;
    ended->count++;
}

static int check_ended_order(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

void check_ended_sort(struct check_ended *ended)
{
    uint64_t newest = 0;

    if (ended->count)
        qsort(ended->returned, ended->count, 2 * sizeof(uint64_t), check_ended_order);
    ended->invoked = history_room(NULL, ended->count, sizeof(uint64_t));
    for (uint32_t i = 0; i < ended->count; i++) {
        if (ended->returned[2 * i + 1] > newest)
            newest = ended->returned[2 * i + 1];
        ended->invoked[i] = newest;
        ended->returned[i] = ended->returned[2 * i];
    }
}

uint64_t check_ended_before(const struct check_ended *ended, uint64_t t)
{
    uint32_t low = 0, high = ended->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (ended->returned[middle] < t)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? ended->invoked[low - 1] : 0;
}

void check_ended_free(struct check_ended *ended)
{
    free(ended->returned);
    free(ended->invoked);
}
