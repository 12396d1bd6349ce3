/* The whole daemon in this process, from settings to exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host_config.h"
#include "scratch.h"

static char scratch[SCRATCH_SIZE], socket_path[SCRATCH_SIZE + 16];

static struct host_config *make_config(void)
{
    struct host_config *config = host_config_new();
    char listen[SCRATCH_SIZE + 32];

    snprintf(socket_path, sizeof socket_path, "%s/api.sock", scratch);
    snprintf(listen, sizeof listen, "unix:%s", socket_path);
    host_config_set(config, SETTING_STORAGE_DIR, scratch, "test");
    host_config_set(config, SETTING_STORAGE_ENGINE, "memory", "test");
    host_config_set(config, SETTING_MESH_LISTEN, "127.0.0.1:0", "test");
    host_config_set(config, SETTING_HTTP_LISTEN, listen, "test");
    host_config_set(config, SETTING_LOG_LEVEL, "error", "test");
    return config;
}

static int connect_path(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, socket_path, strlen(socket_path));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A client that waits until the peer listens, asks, and sends the signal that ends it. */
static void *client(void *context)
{
    static const char request[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char *answer = context;
    int fd;

    while ((fd = connect_path()) < 0)
        sched_yield();
    if (send(fd, request, sizeof request - 1, 0) > 0 && recv(fd, answer, 99, 0) < 0)
        answer[0] = 0;
    kill(getpid(), SIGTERM);
    close(fd);
    return NULL;
}

static void test_life(void **state)
{
    struct host_config *config;
    char answer[100] = "";
    pthread_t thread;

    (void)state;
    scratch_make(scratch);
    config = make_config();
    assert_int_equal(pthread_create(&thread, NULL, client, answer), 0);
    assert_int_equal(host_run(config), HOST_EXIT_OK);
    pthread_join(thread, NULL);
    assert_int_equal(strncmp(answer, "HTTP/1.1 200", 12), 0);
    host_config_delete(config);
    scratch_remove(scratch);
}

static void test_refusals(void **state)
{
    struct host_config *config;

    (void)state;
    scratch_make(scratch);
    config = make_config();
    host_config_set(config, SETTING_MESH_SECRET_FILE, "/nonexistent/key", "test");
    assert_int_equal(host_run(config), HOST_EXIT_CONFIG);
    host_config_clear(config, SETTING_MESH_SECRET_FILE, NULL);
    host_config_set(config, SETTING_HTTP_LISTEN, "0.0.0.0:1", "test");
    assert_int_equal(host_run(config), HOST_EXIT_CONFIG);
    host_config_set(config, SETTING_HTTP_LISTEN, "127.0.0.1:0", "test");
    host_config_set(config, SETTING_STORAGE_DIR, "/dev/null/x", "test");
    assert_int_not_equal(host_run(config), HOST_EXIT_OK);
    host_config_delete(config);
    scratch_remove(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_life),
                                       cmocka_unit_test(test_refusals)};

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
