#include "ground.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proc.h"

#define TOOL_MS 10000u
#define COPY_MS 60000u

/* Runs a tool; its output goes to the log. */
static bool ground_run(const struct ground *ground, unsigned timeout_ms, char *const argv[])
{
    return proc_wait(proc_start(argv, ground->log), timeout_ms) == 0;
}

static bool ground_has(const char *path)
{
    return access(path, X_OK) == 0;
}

static bool ground_network(const struct ground *ground)
{
    char *up[] = {"/usr/sbin/ip", "link", "set", "lo", "up", NULL};
    char *table[] = {"/usr/sbin/nft", "add", "table", "inet", "chaos", NULL};
    char *chain[] = {"/usr/sbin/nft", "add",  "chain", "inet",     "chaos", "loss", "{", "type",
                     "filter",        "hook", "input", "priority", "0",     ";",    "}", NULL};

    return ground_has(up[0]) && ground_has(table[0]) && unshare(CLONE_NEWNET) == 0 &&
           ground_run(ground, TOOL_MS, up) && ground_run(ground, TOOL_MS, table) &&
           ground_run(ground, TOOL_MS, chain);
}

void ground_open(struct ground *ground)
{
    memset(ground, 0, sizeof *ground);
    snprintf(ground->log, sizeof ground->log, "/dev/null");
    ground->has_network = geteuid() == 0 && ground_network(ground);
    if (!ground->has_network)
        printf("SKIP chaos loss: needs root, iproute2 and nftables; run it as root\n");
    ground->has_disks = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
                        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    if (!ground->has_disks)
        printf("SKIP chaos disk full: needs root; run it as root\n");
}

void ground_disk(struct ground *ground, const struct peer *peer)
{
    char size[32];

    if (!ground->has_disks)
        return;
    snprintf(size, sizeof size, "size=%dm,mode=0700", GROUND_DISK_MIB);
    if (mkdir(peer->directory, 0700) == 0 &&
        mount("chaos", peer->directory, "tmpfs", MS_NOSUID | MS_NODEV, size) == 0)
        return;
    printf("SKIP chaos disk full: no disk for %s: %s\n", peer->name, strerror(errno));
    ground->has_disks = false;
}

/* --- loss */

static void ground_rule(const struct ground *ground, const char *what, const char *ports,
                        unsigned per_mille)
{
    char rule[512];
    char *argv[] = {"/usr/sbin/nft", rule, NULL};

    snprintf(rule, sizeof rule,
             "add rule inet chaos loss %s { %s } numgen random mod 1000 < %u drop", what, ports,
             per_mille);
    if (!ground_run(ground, TOOL_MS, argv))
        printf("           nft refuses: %s\n", rule);
}

void ground_lose(struct ground *ground, const struct cluster *cluster, unsigned percent)
{
    char *flush[] = {"/usr/sbin/nft", "flush", "chain", "inet", "chaos", "loss", NULL};
    char ports[128] = "";

    (void)ground_run(ground, TOOL_MS, flush);
    if (percent == 0)
        return;
    for (unsigned i = 0; i < cluster->count; i++)
        snprintf(ports + strlen(ports), sizeof ports - strlen(ports), "%s%u", i ? ", " : "",
                 cluster->peers[i].mesh);
    ground_rule(ground, "udp dport", ports, percent * 10);
    ground_rule(ground, "tcp dport", ports, percent);
    ground_rule(ground, "tcp sport", ports, percent);
}

/* --- full disks */

static void ground_filler(const struct peer *peer, char path[160])
{
    snprintf(path, 160, "%s/filler", peer->directory);
}

void ground_fill(const struct peer *peer, unsigned free_kib)
{
    struct statvfs disk;
    char path[160];
    int fd;

    ground_filler(peer, path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (statvfs(path, &disk) == 0) {
        uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize, keep = (uint64_t)free_kib * 1024;

        if (room > keep)
            (void)posix_fallocate(fd, 0, (off_t)(room - keep));
    }
    close(fd);
}

void ground_empty(const struct peer *peer)
{
    char path[160];

    ground_filler(peer, path);
    (void)unlink(path);
}

void ground_close(struct ground *ground, const struct cluster *cluster, bool is_kept)
{
    for (unsigned i = 0; ground->has_disks && i < cluster->count; i++) {
        char copy[160], *directory = (char *)cluster->peers[i].directory;
        char *argv[] = {"/bin/cp", "-a", directory, copy, NULL};

        snprintf(copy, sizeof copy, "%s.disk", directory);
        if (is_kept)
            (void)ground_run(ground, COPY_MS, argv);
        (void)umount2(directory, MNT_DETACH);
    }
}
