#include "proc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT_FIRST 20000 /* make up has 17000 to 19999, the kernel's own begin at 32768 */
#define PORT_COUNT 12000

static void proc_die(const char *what)
{
    fprintf(stderr, "proc: %s: %s\n", what, strerror(errno));
    abort();
}

pid_t proc_start(char *const argv[], const char *log)
{
    pid_t parent = getpid(), pid = fork();
    int fd;

    if (pid < 0)
        proc_die("fork");
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (getppid() != parent || fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        _exit(126);
    close(fd);
    fd = open("/dev/null", O_RDONLY);
    if (fd < 0 || dup2(fd, 0) < 0)
        _exit(126);
    close(fd);
    execvp(argv[0], argv);
    _exit(127);
}

bool proc_is_running(pid_t pid)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

int proc_wait(pid_t pid, unsigned timeout_ms)
{
    uint64_t end = proc_now_ms() + timeout_ms;
    int status;

    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);

        if (got < 0)
            proc_die("waitpid");
        if (got == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (proc_now_ms() >= end)
            return -1;
        proc_pause(5);
    }
}

int proc_end(pid_t pid, int signal)
{
    int status;

    kill(pid, signal);
    status = proc_wait(pid, 20000);
    if (status >= 0)
        return status;
    kill(pid, SIGKILL);
    return proc_wait(pid, 20000);
}

uint64_t proc_rss(pid_t pid)
{
    char path[64];
    unsigned long pages = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    file = fopen(path, "re");
    if (!file || fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

static bool proc_port_is_free(uint16_t port, int kind)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    bool is_free;

    if (fd < 0)
        proc_die("socket");
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_free;
}

uint16_t proc_port(void)
{
    static unsigned next;

    if (next == 0)
        next = (unsigned)getpid() * 37u;
    for (unsigned tries = 0; tries < PORT_COUNT; tries++) {
        uint16_t port = (uint16_t)(PORT_FIRST + next++ % PORT_COUNT);

        if (proc_port_is_free(port, SOCK_STREAM) && proc_port_is_free(port, SOCK_DGRAM))
            return port;
    }
    errno = EADDRINUSE;
    proc_die("no free port");
    return 0;
}

uint64_t proc_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void proc_pause(unsigned ms)
{
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&time, NULL);
}
