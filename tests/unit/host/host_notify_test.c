#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host_notify.h"
#include "scratch.h"

static void test_one_datagram(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char scratch[SCRATCH_SIZE], room[64] = "";
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    (void)state;
    scratch_make(scratch);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", scratch);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    host_notify("READY=1");
    assert_int_equal(recv(fd, room, sizeof room, MSG_DONTWAIT), 7);
    assert_string_equal(room, "READY=1");
    setenv("NOTIFY_SOCKET", "relative", 1);
    host_notify("READY=1");
    unsetenv("NOTIFY_SOCKET");
    host_notify("READY=1"); /* no supervisor: nothing happens */
    assert_int_equal(recv(fd, room, sizeof room, MSG_DONTWAIT), -1);
    close(fd);
    scratch_remove(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_datagram)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
