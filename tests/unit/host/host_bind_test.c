#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host_bind.h"

static int check(const char *listen, const char *hosts, bool is_plain, bool has_token)
{
    struct host_config *config = host_config_new();
    struct host_log log;
    FILE *nowhere = fopen("/dev/null", "w");
    int status;

    host_log_init(&log, nowhere, LEVEL_ERROR, HOST_LOG_LOGFMT);
    host_config_set(config, SETTING_HTTP_LISTEN, listen, "test");
    host_config_set(config, SETTING_HTTP_HOSTS, hosts, "test");
    host_config_set(config, SETTING_HTTP_ALLOW_PLAINTEXT, is_plain ? "true" : "false", "test");
    status = host_bind_check(config, has_token, &log);
    fclose(nowhere);
    host_config_delete(config);
    return status;
}

static void test_safety(void **state)
{
    (void)state;
    assert_int_equal(check("127.0.0.1:1,[::1]:2,unix:/tmp/x", "", false, false), HOST_EXIT_OK);
    assert_int_equal(check("127.0.0.1:1,0.0.0.0:2", "", true, false), HOST_EXIT_CONFIG);
    assert_int_equal(check("[::]:2", "", false, true), HOST_EXIT_CONFIG);
    assert_int_equal(check("10.0.0.1:2", "", true, true), HOST_EXIT_OK);
    assert_int_equal(check("127.0.0.1:1", "*", false, false), HOST_EXIT_CONFIG);
    assert_int_equal(check("127.0.0.1:1", "*", false, true), HOST_EXIT_OK);
}

static void test_pairs_and_failures(void **state)
{
    struct host_config *config = host_config_new();
    struct host_sockets first, second;
    struct host_log log;
    FILE *nowhere = fopen("/dev/null", "w");
    char text[128];

    (void)state;
    host_log_init(&log, nowhere, LEVEL_ERROR, HOST_LOG_LOGFMT);
    host_config_set(config, SETTING_MESH_LISTEN, "127.0.0.1:0", "test");
    host_config_set(config, SETTING_HTTP_LISTEN, "127.0.0.1:0", "test");
    assert_int_equal(host_bind(&first, config, &log), HOST_EXIT_OK);
    assert_true(first.mesh[0].port != 0 && first.http_at[0].address.port != 0);
    assert_int_equal(first.advertised_count, 1);
    assert_int_equal(first.advertised[0].port, first.mesh[0].port);
    host_config_set(config, SETTING_HTTP_LISTEN, host_bind_text(&first.http_at[0], text) + 7,
                    "test"); /* without http:// */
    assert_int_equal(host_bind(&second, config, &log), HOST_EXIT_BIND);
    assert_int_equal(second.mesh_count, 0); /* nothing is left open */
    host_config_set(config, SETTING_HTTP_LISTEN, "127.0.0.1:0", "test");
    host_config_set(config, SETTING_MESH_ADVERTISE, "0.0.0.0:1", "test");
    assert_int_equal(host_bind(&second, config, &log), HOST_EXIT_CONFIG);
    host_config_set(config, SETTING_MESH_LISTEN, "unix:/tmp/x", "test");
    assert_int_equal(host_bind(&second, config, &log), HOST_EXIT_CONFIG);
    host_bind_close(&first);
    fclose(nowhere);
    host_config_delete(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_safety),
                                       cmocka_unit_test(test_pairs_and_failures)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
