/* gossamerd: arguments -> configuration -> host_run; nothing else. */
#include <jansson.h>
#include <sodium.h>
#include <unistd.h>

#include "host.h"

int main(int argc, char **argv)
{
    struct host_config *config = host_config_new();
    int status = HOST_EXIT_FAILURE;

    if (config != NULL && sodium_init() >= 0) {
        /* The hash of JSON objects would otherwise seed itself at a time of its own choosing. */
        json_object_seed(randombytes_random() | 1u);
        status = host_config_load(config, argc, argv, environ);
        if (status == HOST_RUN)
            status = host_run(config);
    }
    host_config_delete(config);
    return status;
}
