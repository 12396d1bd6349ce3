#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "hash.h"
#include "host_socket.h"
#include "scratch.h"

static struct address parsed(const char *text)
{
    struct address address;

    assert_true(address_parse(slice_text(text), &address));
    return address;
}

static void round_trip(const char *text, int family)
{
    struct address address = parsed(text), back;
    struct sockaddr_storage storage;

    assert_true(host_socket_to(&address, family, &storage) > 0);
    assert_int_equal(storage.ss_family, family);
    back = host_socket_from(&storage);
    assert_true(address_equal(&address, &back));
}

static void test_conversions(void **state)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNIX};
    struct address six = parsed("[2001:db8::1]:9"), none = {0};

    (void)state;
    round_trip("10.1.2.3:4", AF_INET);
    round_trip("10.1.2.3:4", AF_INET6); /* mapped, and back */
    round_trip("[2001:db8::1]:65535", AF_INET6);
    assert_int_equal(host_socket_from(&storage).family, 0);
    assert_int_equal(host_socket_to(&six, AF_INET, &storage), 0);
    assert_int_equal(host_socket_to(&none, AF_INET6, &storage), 0);
}

static void test_kinds_of_addresses(void **state)
{
    struct address a = parsed("127.9.9.9:1"), b = parsed("[::1]:1"), c = parsed("0.0.0.0:1"),
                   d = parsed("[::]:1"), e = parsed("10.0.0.1:1");

    (void)state;
    assert_true(host_socket_is_loopback(&a) && host_socket_is_loopback(&b));
    assert_false(host_socket_is_loopback(&c) || host_socket_is_loopback(&d));
    assert_false(host_socket_is_loopback(&e));
    assert_true(host_socket_is_any(&c) && host_socket_is_any(&d));
    assert_false(host_socket_is_any(&a) || host_socket_is_any(&b));
}

static void test_advertise(void **state)
{
    struct address specific = parsed("10.0.0.1:5"), any = parsed("0.0.0.0:7"), found;

    (void)state;
    found = host_socket_advertise(&specific);
    assert_true(address_equal(&found, &specific));
    found = host_socket_advertise(&any);
    assert_int_equal(found.family, 4);
    assert_int_equal(found.port, 7);
    assert_false(host_socket_is_any(&found));
}

static void test_listening(void **state)
{
    struct address any = parsed("127.0.0.1:0"), bound, again;
    int first = host_socket_open(&any, SOCK_STREAM, &bound);

    (void)state;
    assert_true(first >= 0 && bound.port != 0);
    assert_int_equal(host_socket_open(&bound, SOCK_STREAM, &again), -1);
    assert_int_equal(errno, EADDRINUSE);
    close(first);
}

static void test_unix_sockets(void **state)
{
    char scratch[SCRATCH_SIZE], path[SCRATCH_SIZE + 8];
    struct stat info;
    int fd;

    (void)state;
    scratch_make(scratch);
    snprintf(path, sizeof path, "%s/s", scratch);
    fd = host_socket_open_path(path);
    assert_true(fd >= 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0660);
    assert_int_equal(host_socket_open_path(path), -1); /* somebody answers there */
    assert_int_equal(errno, EADDRINUSE);
    close(fd);
    fd = host_socket_open_path(path); /* a stale one is replaced */
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    fclose(fopen(path, "w"));
    assert_int_equal(host_socket_open_path(path), -1); /* a file is not */
    scratch_remove(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversions),  cmocka_unit_test(test_kinds_of_addresses),
        cmocka_unit_test(test_advertise),    cmocka_unit_test(test_listening),
        cmocka_unit_test(test_unix_sockets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
