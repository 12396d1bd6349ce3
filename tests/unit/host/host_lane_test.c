#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "host_lane.h"

#define JOBS (3 * HOST_LANE_RING) /* more than are ever under way */

struct numbered {
    struct host_job job;
    unsigned number, result;
};

struct line {
    _Alignas(HOST_QUEUE_LINE) struct host_lane lane;
    struct numbered *jobs;
};

static void *double_all(void *context)
{
    struct line *line = context;
    struct host_job *job;

    do {
        while ((job = host_lane_next(&line->lane)) != NULL) {
            struct numbered *numbered = (struct numbered *)job;

            numbered->result = numbered->number * 2;
            host_lane_finish(&line->lane, job);
        }
    } while (host_lane_wait(&line->lane));
    return NULL;
}

static void line_fill(struct line *line)
{
    line->jobs = calloc(JOBS, sizeof *line->jobs);
    assert_int_equal(host_lane_init(&line->lane), STATUS_OK);
    for (unsigned i = 0; i < JOBS; i++) {
        line->jobs[i].number = i + 1;
        host_lane_add(&line->lane, &line->jobs[i].job);
    }
}

static void test_every_job_comes_back_done(void **state)
{
    struct line line;

    (void)state;
    line_fill(&line);
    assert_int_equal(host_lane_start(&line.lane, double_all, &line), STATUS_OK);
    host_lane_flush(&line.lane);
    for (unsigned i = 0; i < JOBS;) {
        struct numbered *done = (struct numbered *)host_lane_take(&line.lane);

        if (done == NULL) {
            sched_yield();
            continue;
        }
        assert_ptr_equal(done, &line.jobs[i]); /* in order: one thread, one ring */
        assert_int_equal(done->result, 2 * (i + 1));
        i++;
    }
    assert_int_equal(host_lane_load(&line.lane), 0);
    host_lane_stop(&line.lane);
    host_lane_close(&line.lane);
    free(line.jobs);
}

/* A stop finishes what the thread has; the rest comes back untouched, each exactly once. */
static void test_stop_gives_everything_back(void **state)
{
    struct line line;

    (void)state;
    line_fill(&line);
    assert_int_equal(host_lane_start(&line.lane, double_all, &line), STATUS_OK);
    host_lane_stop(&line.lane);
    for (unsigned i = 0; i < JOBS; i++) {
        struct numbered *back = (struct numbered *)host_lane_take(&line.lane);

        assert_ptr_equal(back, &line.jobs[i]);
        assert_int_equal(back->result, i < HOST_LANE_RING ? 2 * (i + 1) : 0);
    }
    assert_null(host_lane_take(&line.lane));
    host_lane_stop(&line.lane); /* harmless */
    host_lane_close(&line.lane);
    free(line.jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_job_comes_back_done),
        cmocka_unit_test(test_stop_gives_everything_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
