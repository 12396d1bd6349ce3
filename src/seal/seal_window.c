/* seal_window.c: a ring of 1,024 bits under the greatest number seen, in the manner of RFC 6479
 * but exact to the bit: the numbers that leave the window are cleared one by one, which costs one
 * step per packet as long as none is lost.
 *
 *        floor              top - 1023            top
 *   -------|------- too old -----|=== seen or not ===|---- new ---->
 */
#include "seal_window.h"
#include "ensure.h"
#include <string.h>

static uint64_t *word_of(struct seal_window *window, uint64_t number)
{
    return &window->bits[number % SEAL_WINDOW_BITS / 64];
}

static uint64_t bit_of(uint64_t number)
{
    return UINT64_C(1) << (number % 64);
}

bool seal_window_allows(const struct seal_window *window, uint64_t number)
{
    if (number <= window->floor)
        return false;
    if (number > window->top)
        return true;
    return window->top - number < SEAL_WINDOW_BITS &&
           !(window->bits[number % SEAL_WINDOW_BITS / 64] & bit_of(number));
}

void seal_window_accept(struct seal_window *window, uint64_t number)
{
    ensure(seal_window_allows(window, number));
    if (number > window->top) {
        if (number - window->top >= SEAL_WINDOW_BITS)
            memset(window->bits, 0, sizeof window->bits);
        else
            for (uint64_t n = window->top + 1; n < number; n++)
                *word_of(window, n) &= ~bit_of(n);
        window->top = number;
    }
    *word_of(window, number) |= bit_of(number);
}

void seal_window_raise(struct seal_window *window, uint64_t number)
{
    if (number > window->floor)
        window->floor = number;
}
