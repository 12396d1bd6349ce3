/* ensure_test.c: a broken claim ends the process by SIGABRT and says where; a true one does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ensure.h"

/* Runs ensure(is_true) in a child; returns its wait status, its words in `text`. */
static int run_child(int is_true, char *text, size_t size)
{
    int fds[2], status = 0;
    pid_t child;
    ssize_t got;

    assert_int_equal(pipe(fds), 0);
    child = fork();
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        ensure(is_true);
        _exit(0);
    }
    assert_true(child > 0);
    close(fds[1]);
    got = read(fds[0], text, size - 1);
    text[got > 0 ? got : 0] = 0;
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_broken_claim_aborts_and_says_where(void **state)
{
    char text[512];
    int status = run_child(0, text, sizeof text);

    (void)state;
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, "ensure_test.c:"));
    assert_non_null(strstr(text, "is_true"));
}

static void test_true_claim_costs_nothing(void **state)
{
    char text[512];
    int status = run_child(1, text, sizeof text);

    (void)state;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken_claim_aborts_and_says_where),
        cmocka_unit_test(test_true_claim_costs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
