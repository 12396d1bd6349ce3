#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "host_sys.h"

static void test_calls_are_counted(void **state)
{
    struct metrics metrics = {0};
    char room[8];
    struct iovec parts[2] = {{"ab", 2}, {"cd", 2}};
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    assert_int_equal(host_sys_write(&metrics, pair[0], "xy", 2), 2);
    assert_int_equal(host_sys_writev(&metrics, pair[0], parts, 2), 4);
    assert_int_equal(host_sys_read(&metrics, pair[1], room, sizeof room), 6);
    assert_memory_equal(room, "xyabcd", 6);
    assert_int_equal(host_sys_read(&metrics, pair[1], room, sizeof room), -1);
    assert_int_equal(errno, EAGAIN);
    close(pair[1]);
    assert_int_equal(host_sys_write(&metrics, pair[0], "x", 1), -1); /* no signal */
    assert_int_equal(errno, EPIPE);
    assert_true(metrics.values[METRIC_SYSCALL_READ] == 2);
    assert_true(metrics.values[METRIC_SYSCALL_WRITE] == 3);
    close(pair[0]);
}

static void test_messages(void **state)
{
    struct metrics metrics = {0};
    char room[8];
    struct iovec out = {"hi", 2}, in = {room, sizeof room};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &out, .msg_iovlen = 1}};
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    assert_int_equal(host_sys_sendmmsg(&metrics, pair[0], &message, 1), 1);
    message.msg_hdr.msg_iov = &in;
    assert_int_equal(host_sys_recvmmsg(&metrics, pair[1], &message, 1), 1);
    assert_int_equal(message.msg_len, 2);
    assert_int_equal(host_sys_recvmmsg(&metrics, pair[1], &message, 1), -1); /* never waits */
    assert_true(metrics.values[METRIC_SYSCALL_RECVMMSG] == 2);
    assert_true(metrics.values[METRIC_SYSCALL_SENDMMSG] == 1);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls_are_counted),
                                       cmocka_unit_test(test_messages)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
