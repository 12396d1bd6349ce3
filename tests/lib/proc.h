/* proc.h: child processes and free ports for tests that run real daemons. A child dies with the
 * test that started it, however that ends. */
#ifndef GOSSAMER_TESTS_PROC_H
#define GOSSAMER_TESTS_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* proc_start runs argv[0], found as a shell would, with its output appended to the file `log` and
 * no input. Aborts when that is not possible. */
pid_t proc_start(char *const argv[], const char *log);
/* proc_is_running tells whether the child has not ended; one that has is not reaped by this. */
bool proc_is_running(pid_t pid);
/* proc_wait waits at most `timeout_ms` for the child to end and reaps it. Its exit status, 128 + n
 * after signal n, -1 when it goes on. */
int proc_wait(pid_t pid, unsigned timeout_ms);
/* proc_end sends a signal and waits; after 20 s SIGKILL. Returns as proc_wait. */
int proc_end(pid_t pid, int signal);
/* proc_rss returns the resident memory of a process, KiB. */
uint64_t proc_rss(pid_t pid);
/* proc_port returns a port of 127.0.0.1 that is free for TCP and UDP, each call another one, and
 * that the kernel gives to no client. Aborts when there is none. */
uint16_t proc_port(void);
/* proc_now_ms is a monotonic clock for deadlines. */
uint64_t proc_now_ms(void);
/* proc_pause waits some milliseconds between two looks at a condition. */
void proc_pause(unsigned ms);

#endif
