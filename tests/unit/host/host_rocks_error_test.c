#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "host_rocks_error.h"

/* Texts as the packaged library gives them; host_rocks_test.c provokes some of them for real. */
static void test_texts(void **state)
{
    static const struct {
        const char *text;
        enum status status;
    } rows[] = {
        {"Result incomplete: Cannot read", STATUS_COLD},
        {"NotFound: ", STATUS_MISSING},
        {"IO error: No space left on device: While appending to file: /d/db/000008.log: No space "
         "left on device",
         STATUS_NO_SPACE},
        {"IO error: While lock file: /d/db/LOCK: Resource temporarily unavailable", STATUS_BUSY},
        {"IO error: lock hold by current process, acquire time 1 acquiring thread 2: /d/db/LOCK: "
         "No locks available",
         STATUS_BUSY},
        {"IO error: While open a file for random read: /d/db/000012.sst: Permission denied",
         STATUS_PERMISSION},
        {"IO error: While open a file for random read: /d/db/000012.sst: Too many open files",
         STATUS_MEMORY},
        {"IO error: No such file or directory: While open a file for random read: /d/db/1.sst",
         STATUS_CORRUPT},
        {"IO error: While pread offset 0 len 53: /d/db/000009.sst: Input/output error", STATUS_IO},
        {"Corruption: block checksum mismatch: stored = 1", STATUS_CORRUPT},
        {"Invalid argument: Column families not opened: later", STATUS_UNSUPPORTED},
        {"Invalid argument: Column family not found: obj", STATUS_CORRUPT},
        {"Invalid argument: /d/db: does not exist (create_if_missing is false)", STATUS_CORRUPT},
        {"something nobody has seen", STATUS_IO},
        {"", STATUS_IO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(host_rocks_error(rows[i].text), rows[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
