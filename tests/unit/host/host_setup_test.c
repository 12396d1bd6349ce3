#include <sys/stat.h>

#include "host_world.h"

static int token_of(const char *text, mode_t mode, char *token)
{
    char path[SCRATCH_SIZE + 8];
    FILE *file;

    snprintf(path, sizeof path, "%s/t", world_scratch);
    file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
    host_config_set(world_config, SETTING_HTTP_ADMIN_TOKEN_FILE, path, "test");
    return host_setup_token(world_config, token, &world.log);
}

static void test_token(void **state)
{
    static const char good[] = "0123456789abcdef0123456789abcdef\n";
    char token[HOST_TOKEN_SIZE];

    (void)state;
    world.log.out = fopen("/dev/null", "w");
    assert_int_equal(host_setup_token(world_config, token, &world.log), HOST_EXIT_OK);
    assert_string_equal(token, ""); /* none is configured */
    assert_int_equal(token_of(good, 0600, token), HOST_EXIT_OK);
    assert_int_equal(strlen(token), 32);
    assert_int_equal(token_of(good, 0644, token), HOST_EXIT_PERMISSION);
    assert_int_equal(token_of("short\n", 0600, token), HOST_EXIT_CONFIG);
    assert_int_equal(token_of("0123456789abcdef 0123456789abcdef", 0600, token), HOST_EXIT_CONFIG);
    host_config_set(world_config, SETTING_HTTP_ADMIN_TOKEN_FILE, "/nonexistent/t", "test");
    assert_int_equal(host_setup_token(world_config, token, &world.log), HOST_EXIT_CONFIG);
    fclose(world.log.out);
}

static void test_names(void **state)
{
    struct label name, machine;

    (void)state;
    host_setup_names(&world, &name, &machine);
    assert_true(name.size > 0 && machine.size > 0); /* there always is one */
    assert_true(name.text[0] >= 'a' && name.text[0] <= 'z');
    host_config_set(world_config, SETTING_NODE_NAME, "n1", "test");
    host_config_set(world_config, SETTING_NODE_HOST, "Rack_7", "test");
    host_setup_names(&world, &name, &machine);
    assert_string_equal(name.text, "n1");
    assert_string_equal(machine.text, "Rack_7");
}

static void test_what_rooms_are_told(void **state)
{
    struct node_config node;
    struct host_storage_config storage = host_setup_storage(&world);

    (void)state;
    assert_true(storage.is_memory);
    assert_true(storage.min_free == 512u << 20);
    host_config_set(world_config, SETTING_CLUSTER_PARTITIONS, "1024", "test");
    host_config_set(world_config, SETTING_MESH_PROFILE, "wan", "test");
    host_config_set(world_config, SETTING_NODE_WEIGHT, "0.25", "test");
    node = host_setup_node(&world, &world_at);
    assert_int_equal(node.partition_bits, 10);
    assert_int_equal(node.profile, PROFILE_WAN);
    assert_int_equal(node.weight, 64);
    assert_int_equal(node.http_port, world_at.http_at[0].address.port);
    assert_int_equal(node.address_count, 1);
}

static void test_directory(void **state)
{
    char path[HOST_PATH_SIZE];

    (void)state;
    host_config_set(world_config, SETTING_STORAGE_DIR, "/some/where", "test");
    host_setup_directory(world_config, path);
    assert_string_equal(path, "/some/where");
    host_config_clear(world_config, SETTING_STORAGE_DIR, NULL);
    host_setup_directory(world_config, path);
    assert_int_equal(path[0], '/');
}

int main(void)
{
    const struct CMUnitTest tests[] = {world_test(test_token), world_test(test_names),
                                       world_test(test_what_rooms_are_told),
                                       world_test(test_directory)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
