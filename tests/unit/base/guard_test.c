/* guard_test.c: the guard page of tests/lib kills whoever reads one byte too far, and nobody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "guard.h"

static void test_bytes_are_there(void **state)
{
    static uint8_t data[10000];

    (void)state;
    memset(data, 7, sizeof data);
    for (size_t size = 0; size <= sizeof data; size += 625) {
        uint8_t *copy = guard_copy(data, size);

        assert_memory_equal(copy, data, size);
        guard_free(copy, size);
    }
}

static int status_of_reading(const uint8_t *at)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(*(const volatile uint8_t *)at == 'c' ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_one_byte_too_far_is_fatal(void **state)
{
    uint8_t *copy = guard_copy("abc", 3);
    int inside = status_of_reading(copy + 2), outside = status_of_reading(copy + 3);

    (void)state;
    assert_true(WIFEXITED(inside) && WEXITSTATUS(inside) == 0);
    assert_true(WIFSIGNALED(outside) && WTERMSIG(outside) == SIGSEGV);
    guard_free(copy, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_are_there),
        cmocka_unit_test(test_one_byte_too_far_is_fatal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
