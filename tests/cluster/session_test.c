/* session_test.c: what one client says at one peer holds at the others: a session that wanders, and
 * writes that are repeated with an Idempotency-Key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster.h"

#define ROUNDS 40u

static struct cluster cluster;

static int setup(void **state)
{
    (void)state;
    cluster_open(&cluster, 5);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_close(&cluster);
    return 0;
}

static struct client_reply ask(unsigned peer, const char *method, const char *path,
                               const char *fields, const char *body)
{
    struct client_request request = {.method = method,
                                     .path = path,
                                     .fields = fields,
                                     .body = body,
                                     .body_size = body ? strlen(body) : 0};

    return client_ask(&cluster.peers[peer % 5].client, &request);
}

/* Writes at one peer and reads at the next, both at a single owner. */
static void test_D9_a_session_wanders(void **state)
{
    char fields[CLIENT_SESSION_MAX + 40] = "Gossamer-Session: new\r\n", path[64], value[16];

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct client_reply reply;

        (void)snprintf(path, sizeof path, "/v1/kv/app/s/%u?consistency=one", i);
        (void)snprintf(value, sizeof value, "%u", i);
        reply = ask(i, "PUT", path, fields, value);
        assert_int_equal(reply.status / 100, 2);
        assert_true(strlen(reply.session) > 20 && strlen(reply.session) <= 1024);
        (void)snprintf(fields, sizeof fields, "Gossamer-Session: %s\r\n", reply.session);
        reply = ask(i + 1, "GET", path, fields, NULL);
        assert_int_equal(reply.status, 200);
        assert_int_equal(reply.body_size, strlen(value));
        assert_memory_equal(reply.body, value, reply.body_size);
        (void)snprintf(fields, sizeof fields, "Gossamer-Session: %s\r\n", reply.session);
    }
    fields[strlen("Gossamer-Session: ") + 5] ^= 1;
    assert_int_equal(ask(0, "GET", path, fields, NULL).status, 400);
}

static void test_a_repeated_write_counts_once(void **state)
{
    static const char once[] = "Idempotency-Key: order-17\r\n";
    char etag[CLIENT_ETAG_MAX], location[128];

    (void)state;
    (void)snprintf(etag, sizeof etag, "%s", ask(0, "PUT", "/v1/kv/app/i", once, "one").etag);
    assert_int_equal(ask(1, "PUT", "/v1/kv/app/i", NULL, "two").status / 100, 2);
    for (unsigned i = 0; i < 5; i++) {
        assert_string_equal(ask(i, "PUT", "/v1/kv/app/i", once, "one").etag, etag);
        assert_int_equal(ask(i, "PUT", "/v1/kv/app/i", once, "other").status, 409);
    }
    assert_memory_equal(ask(2, "GET", "/v1/kv/app/i", NULL, NULL).body, "two", 3);
    (void)snprintf(location, sizeof location, "%s",
                   ask(3, "POST", "/v1/kv/app", once, "made").location);
    assert_true(location[0] == '/');
    for (unsigned i = 0; i < 5; i++)
        assert_string_equal(ask(i, "POST", "/v1/kv/app", once, "made").location, location);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D9_a_session_wanders),
        cmocka_unit_test(test_a_repeated_write_counts_once),
    };

    return cmocka_run_group_tests_name("cluster session", tests, setup, teardown);
}
