/* guard.h: input that ends at a page nobody may touch, so that a decoder that reads one byte too
 * far dies at once, even in a build without sanitizers. */
#ifndef GOSSAMER_TEST_GUARD_H
#define GOSSAMER_TEST_GUARD_H

#include <stddef.h>
#include <stdint.h>

/* guard_copy returns a copy of `size` bytes whose end touches a guard page. Aborts when the kernel
 * gives no memory. Free with guard_free and the same size. */
uint8_t *guard_copy(const void *data, size_t size);
/* guard_free unmaps what guard_copy returned. */
void guard_free(uint8_t *copy, size_t size);

#endif
