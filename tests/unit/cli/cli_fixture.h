/* cli_fixture.h: runs the tool as a shell would, against a peer that is a small child process: it
 * keeps a few values in memory, answers one request per connection, and ends with its parent. */
#ifndef CLI_FIXTURE_H
#define CLI_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli_room.h"

#define STUB_VALUES 64

struct stub_value {
    char path[200];
    char body[2000];
    size_t size;
};

static struct stub_value stub_values[STUB_VALUES]; /* of the child */
static unsigned stub_looks;                        /* same: at jobs */

/* --- the peer */

static inline void stub_reply(int fd, const char *status, const char *fields, const char *body,
                              size_t size)
{
    char head[600];
    int head_size = snprintf(head, sizeof(head),
                             "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n"
                             "Gossamer-Route: peer-1;edge\r\n%s\r\n",
                             status, size, fields);

    if (write(fd, head, (size_t)head_size) < 0 || (size && write(fd, body, size) < 0))
        return; /* the client has gone */
}

static inline void stub_json(int fd, const char *status, const char *body)
{
    stub_reply(fd, status, "Content-Type: application/json\r\n", body, strlen(body));
}

static inline struct stub_value *stub_find(const char *path, bool is_new)
{
    for (unsigned i = 0; i < STUB_VALUES; i++)
        if (strcmp(stub_values[i].path, path) == 0)
            return &stub_values[i];
    for (unsigned i = 0; is_new && i < STUB_VALUES; i++)
        if (!stub_values[i].path[0]) {
            snprintf(stub_values[i].path, sizeof(stub_values[i].path), "%s", path);
            return &stub_values[i];
        }
    return NULL;
}

static inline void stub_kv(int fd, const char *method, const char *path, const char *body,
                           size_t size)
{
    struct stub_value *value = stub_find(path, strcmp(method, "PUT") == 0);

    if (strstr(path, "quorum")) {
        stub_json(fd, "503 Failed",
                  "{\"title\":\"Write quorum not reached\",\"status\":503,"
                  "\"detail\":\"1 of 2\",\"hint\":\"repeat the same PUT\"}");
    } else if (strstr(path, "liar") && strcmp(method, "GET") == 0) {
        stub_reply(fd, "200 OK", "", "something else", 14);
    } else if (!value) {
        stub_json(fd, "404 Not Found", "{\"title\":\"Not found\",\"status\":404}");
    } else if (strcmp(method, "GET") == 0) {
        stub_reply(fd, "200 OK", "", value->body, value->size);
    } else if (strcmp(method, "DELETE") == 0) {
        value->path[0] = 0;
        stub_reply(fd, "204 No Content", "", NULL, 0);
    } else {
        value->size = size < sizeof(value->body) ? size : sizeof(value->body);
        memcpy(value->body, body, value->size);
        stub_reply(fd, "201 Created", "", NULL, 0);
    }
}

static unsigned stub_lists; /* of namespaces */

/* Two pages of one row each; some namespaces do not go well. */
static inline void stub_backup(int fd, const char *path)
{
    static const char rows[2][15] = {"\1n\0\1a\0\0\0\1o", "\1m\0\1b\0\0\0\1o"};
    static unsigned later;
    bool is_second = strstr(path, "after=b1.") != NULL;

    if (strstr(path, "ns=locked"))
        stub_json(fd, "401 Refused", "{\"title\":\"No token\",\"status\":401}");
    else if (strstr(path, "ns=later") && later++ == 0)
        stub_json(fd, "503 Failed", "{\"title\":\"Too few owners\",\"status\":503}");
    else if (strstr(path, "ns=garbage"))
        stub_reply(fd, "200 OK", "Gossamer-Partitions: 8/8\r\n", "garbage", 7);
    else if (is_second && !strstr(path, "ns=circle"))
        stub_reply(fd, "200 OK", "Gossamer-Partitions: 8/8\r\n", rows[1], 10);
    else
        stub_reply(fd, "200 OK", "Gossamer-Partitions: 3/8\r\nGossamer-Next: b1.AAAA\r\n", rows[0],
                   10);
}

/* The value of a typed key is the body of its newest update. */
static inline void stub_crdt(int fd, const char *method, const char *path, const char *body,
                             size_t size)
{
    char text[2100];
    struct stub_value *value;

    if (strstr(path, "/pages")) {
        stub_json(fd, "200 OK",
                  strstr(path, "next=n2.A2E") ? "{\"value\":[\"b\"],\"next\":null}"
                                              : "{\"value\":[\"a\"],\"next\":\"n2.A2E\"}");
        return;
    }
    if (strstr(path, "/map")) {
        stub_json(fd, "200 OK", "{\"value\":{\"tags\":[\"x\"],\"visits\":7},\"next\":null}");
        return;
    }
    if (strcmp(method, "GET") != 0) {
        stub_kv(fd, strcmp(method, "POST") == 0 ? "PUT" : method, path, body, size);
        return;
    }
    value = stub_find(path, false);
    snprintf(text, sizeof(text), "{\"value\":%.*s}", value ? (int)value->size : 0,
             value ? value->body : "");
    stub_json(fd, value ? "200 OK" : "404 Not Found",
              value ? text : "{\"title\":\"Not found\",\"status\":404}");
}

/* Settings of namespaces; one of them is full of keys. */
static inline void stub_spaces(int fd, const char *method, const char *path, const char *body)
{
    if (strcmp(path, "/v1/namespaces") == 0)
        stub_json(
            fd, "200 OK", /* at the first look */
            stub_lists++ > 0
                ? "{\"namespaces\":[]}"
                : "{\"namespaces\":[{\"namespace\":\"app\",\"conflict\":\"lww\",\"ttl\":null},"
                  "{\"namespace\":\"full\",\"replicas\":5,\"ttl\":\"1h\","
                  "\"set\":[\"replicas\",\"ttl\"]}]}");
    else if (strcmp(path, "/v1/namespaces/full") == 0 && strstr(body, "replicas"))
        stub_json(fd, "409 Conflict", "{\"title\":\"Conflict\",\"status\":409}");
    else if (strcmp(path, "/v1/namespaces/full") == 0 && strstr(body, "{\"ttl\":\"1h\"}"))
        stub_json(fd, "200 OK", "{}");
    else if (strcmp(path, "/v1/namespaces/app") == 0 && strcmp(method, "GET") == 0)
        stub_json(fd, "200 OK",
                  "{\"namespace\":\"app\",\"conflict\":\"lww\",\"ttl\":\"12h\",\"replicas\":3,"
                  "\"consistency\":\"quorum\",\"set\":[\"conflict\",\"ttl\"]}");
    else if (strcmp(path, "/v1/namespaces/app") == 0 &&
             (strcmp(method, "DELETE") == 0 ||
              strstr(body, "{\"ttl\":\"12h\",\"consistency\":\"one\"}")))
        stub_json(fd, "200 OK", "{}");
    else
        stub_json(fd, "404 Not Found", "{\"title\":\"Not found\",\"status\":404}");
}

/* What moves, and weights. */
static inline bool stub_moves(int fd, const char *path, const char *body)
{
    if (strcmp(path, "/v1/jobs") == 0) /* done at the third look */
        stub_json(
            fd, "200 OK",
            ++stub_looks > 2
                ? "{\"jobs\":[],\"peers_silent\":1}"
                : "{\"jobs\":[{\"id\":\"join-peer-4\",\"state\":\"running\",\"of\":\"peer-4\","
                  "\"done\":3145728,\"total\":null,\"rate\":1536,\"eta_s\":null,"
                  "\"partitions\":{\"done\":3,\"total\":12}}],\"peers_silent\":0}");
    else if (strcmp(path, "/v1/ring/preview?add=1&weight=p%3A2") == 0)
        stub_json(
            fd, "200 OK",
            "{\"moves\":[{\"from\":null,\"to\":\"p\",\"partitions\":5,\"bytes\":1}],\"share\":0.25,"
            "\"bytes\":1}");
    else if (strcmp(path, "/v1/members/peer-4/weight") == 0 && strstr(body, "{\"weight\":1.5}"))
        stub_json(fd, "202 Accepted", "{\"state\":\"weighing\"}");
    else
        return false;
    return true;
}

/* One member: itself, where this connection came in. */
static inline void stub_members(int fd)
{
    struct sockaddr_in here = {0};
    socklen_t size = sizeof(here);
    char text[256];

    getsockname(fd, (struct sockaddr *)&here, &size);
    snprintf(text, sizeof(text),
             "{\"members\":[{\"name\":\"peer-1\",\"state\":\"alive\",\"rtt_ms\":0.25,"
             "\"http\":\"127.0.0.1:%u\",\"blocked\":false}]}",
             ntohs(here.sin_port));
    stub_json(fd, "200 OK", text);
}

/* The cluster's keys: the second is used by all, the first not. */
static inline bool stub_keys(int fd, const char *method, const char *path)
{
    if (strcmp(path, "/v1/cluster/keys") == 0)
        stub_json(fd, "200 OK",
                  strcmp(method, "GET") == 0
                      ? "{\"keys\":[{\"id\":\"00ab\",\"primary\":true},{\"id\":\"cdef\"}],"
                        "\"members\":[{\"name\":\"peer-1\",\"state\":\"acknowledged\"}],"
                        "\"complete\":true}"
                      : "{\"keys\":[],\"members\":[{\"name\":\"peer-2\",\"state\":\"silent\"}],"
                        "\"complete\":false}");
    else if (strcmp(path, "/v1/cluster/keys/cdef/use?force=true") == 0 ||
             (strcmp(path, "/v1/cluster/keys/cdef") == 0 && strcmp(method, "DELETE") == 0))
        stub_json(fd, "200 OK", "{\"keys\":[],\"members\":[],\"complete\":true}");
    else if (strcmp(path, "/v1/cluster/keys/cdef/use") == 0)
        stub_json(fd, "409 Conflict", "{\"title\":\"Conflict\",\"status\":409}");
    else
        return false;
    return true;
}

static inline void stub_answer(int fd, const char *method, const char *path, const char *body,
                               size_t size)
{
    if (strncmp(path, "/v1/kv/app?", 11) == 0)
        stub_json(fd, "200 OK",
                  strstr(path, "next=") ? "{\"items\":[{\"key\":\"b\",\"size\":2}],\"next\":null}"
                                        : "{\"items\":[{\"key\":\"a\",\"size\":1}],"
                                          "\"next\":\"n1.Yg\"}");
    else if (strncmp(path, "/v1/crdt/", 9) == 0)
        stub_crdt(fd, method, path, body, size);
    else if (strncmp(path, "/v1/kv/", 7) == 0)
        stub_kv(fd, method, path, body, size);
    else if (strcmp(path, "/v1/members") == 0)
        stub_members(fd);
    else if (strcmp(path, "/v1/rtt") == 0)
        stub_json(fd, "200 OK",
                  "{\"peer\":\"peer-1\",\"to\":[{\"peer\":\"peer-2\",\"rtt_ms\":1.5,"
                  "\"deviation_ms\":null}]}");
    else if (strcmp(path, "/v1/cluster") == 0)
        stub_json(
            fd, "200 OK",
            "{\"health\":\"healthy\",\"away\":[\"peer-9\"],\"forgetting\":{\"peer\":\"peer-9\","
            "\"waits_for\":\"more\"},\"members\":{\"alive\":5},\"partitions\":{\"total\":16384},"
            "\"warnings\":[{\"text\":\"two\",\"next\":\"three\"}]}");
    else if (strncmp(path, "/v1/ring/lookup?ns=app&key=a%2Fb", 32) == 0)
        stub_json(fd, "200 OK", "{\"partition\":7,\"owners\":[{\"rank\":0,\"peer\":\"peer-3\"}]}");
    else if (strncmp(path, "/v1/overlay/lookup?", 19) == 0)
        stub_json(fd, "200 OK", "{\"steps\":[{\"address\":\"10.0.0.1:7440\"}]}");
    else if (strncmp(path, "/readyz", 7) == 0)
        stub_reply(fd, "200 OK", "", "[+]store ok\n", 12);
    else if (strncmp(path, "/v1/backup?", 11) == 0 && strcmp(method, "POST") == 0)
        stub_backup(fd, path);
    else if (strncmp(path, "/v1/restore?", 12) == 0 && strcmp(method, "POST") == 0)
        stub_json(fd, size == 10 ? "200 OK" : "400 Bad", "{\"rows\":1}");
    else if (strcmp(path, "/v1/self") == 0)
        stub_json(fd, "200 OK", "{\"cluster_id\":\"c1\",\"version\":\"9\"}");
    else if (strcmp(path, "/version") == 0)
        stub_json(fd, "200 OK", "{\"version\":\"9\"}");
    else if (stub_moves(fd, path, body) || stub_keys(fd, method, path))
        return;
    else if (strcmp(path, "/v1/cluster/leave") == 0 && strcmp(method, "POST") == 0)
        stub_json(fd, "202 Accepted", "{\"state\":\"leaving\"}");
    else if (strcmp(path, "/v1/cluster/join") == 0 && strstr(body, "{\"seeds\":[\"x:1\",\"y:2\"]}"))
        stub_json(fd, "202 Accepted", "{\"state\":\"joining\"}");
    else if (strcmp(path, "/v1/self/block") == 0 && strcmp(method, "DELETE") == 0)
        stub_reply(fd, "204 No Content", "", NULL, 0);
    else if (strcmp(path, "/v1/self/block") == 0 && strstr(body, "{\"peers\":[\"p1\",\"p2\"]}"))
        stub_reply(fd, "204 No Content", "", NULL, 0);
    else if (strncmp(path, "/v1/namespaces", 14) == 0)
        stub_spaces(fd, method, path, body);
    else if (strcmp(path, "/locked") == 0)
        stub_json(fd, "401 Refused", "{\"title\":\"No token\",\"status\":401}");
    else
        stub_json(fd, "404 Not Found", "{\"title\":\"Not found\",\"status\":404}");
}

static inline void stub_serve(int fd)
{
    char request[8192], method[16], path[4096];
    size_t size = 0, length = 0;
    char *body = NULL;
    const char *field;

    for (;;) {
        ssize_t got = read(fd, request + size, sizeof(request) - 1 - size);

        if (got <= 0)
            return;
        size += (size_t)got;
        request[size] = 0;
        body = strstr(request, "\r\n\r\n");
        field = strcasestr(request, "Content-Length:");
        length = field ? strtoul(field + 15, NULL, 10) : 0;
        if (body && size >= (size_t)(body + 4 - request) + length)
            break;
    }
    if (sscanf(request, "%15s %4095s", method, path) == 2)
        stub_answer(fd, method, path, body + 4, length);
}

struct stub {
    pid_t pid;
    char addr[40];
};

static inline void stub_open(struct stub *stub)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(name);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(listener, 128), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &size), 0);
    snprintf(stub->addr, sizeof(stub->addr), "127.0.0.1:%u", ntohs(name.sin_port));
    stub->pid = fork();
    assert_true(stub->pid >= 0);
    if (stub->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        for (;;) {
            int fd = accept(listener, NULL, NULL);

            if (fd < 0)
                _exit(1);
            stub_serve(fd);
            close(fd);
        }
    }
    close(listener);
}

static inline void stub_close(struct stub *stub)
{
    kill(stub->pid, SIGKILL);
    waitpid(stub->pid, NULL, 0);
}

/* --- the tool */

struct told {
    int code;
    char out[16384], err[4096];
};

static inline void told_read(FILE *file, char *room, size_t size)
{
    size_t got;

    rewind(file);
    got = fread(room, 1, size - 1, file);
    room[got] = 0;
    fclose(file);
}

/* Runs the tool with the words up to NULL and keeps what it says. */
static inline void tool(struct told *told, ...)
{
    char *argv[40] = {(char *)(uintptr_t) "gossamer"};
    FILE *out = tmpfile(), *err = tmpfile();
    int argc = 1, keep[2];
    va_list words;

    va_start(words, told);
    while (argc < 39 && (argv[argc] = va_arg(words, char *)))
        argc++;
    va_end(words);
    fflush(stdout);
    fflush(stderr);
    keep[0] = dup(1);
    keep[1] = dup(2);
    dup2(fileno(out), 1);
    dup2(fileno(err), 2);
    told->code = cli_run(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(keep[0], 1);
    dup2(keep[1], 2);
    close(keep[0]);
    close(keep[1]);
    told_read(out, told->out, sizeof(told->out));
    told_read(err, told->err, sizeof(told->err));
}

static inline void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in: %s", part, text);
}

#endif
