#include "host_socket.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024 /* connections the kernel holds while a turn of the loop runs */

struct address host_socket_from(const struct sockaddr_storage *from)
{
    struct address address = {0};

    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;

        address.family = 4;
        memcpy(address.ip, &v4->sin_addr, 4);
        address.port = ntohs(v4->sin_port);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);

        address.family = is_mapped ? 4 : 6;
        memcpy(address.ip, v6->sin6_addr.s6_addr + (is_mapped ? 12 : 0), is_mapped ? 4 : 16);
        address.port = ntohs(v6->sin6_port);
    }
    return address;
}

socklen_t host_socket_to(const struct address *address, int family, struct sockaddr_storage *to)
{
    memset(to, 0, sizeof *to);
    if (family == AF_INET && address->family == 4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)to;

        v4->sin_family = AF_INET;
        memcpy(&v4->sin_addr, address->ip, 4);
        v4->sin_port = htons(address->port);
        return sizeof *v4;
    }
    if (family == AF_INET6 && address->family != 0) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(address->port);
        if (address->family == 6) {
            memcpy(&v6->sin6_addr, address->ip, 16);
        } else {
            v6->sin6_addr.s6_addr[10] = v6->sin6_addr.s6_addr[11] = 0xff;
            memcpy(v6->sin6_addr.s6_addr + 12, address->ip, 4);
        }
        return sizeof *v6;
    }
    return 0;
}

/* --- listening */

static int host_socket_bind(const struct address *address, int type)
{
    int family = address->family == 4 ? AF_INET : AF_INET6, on = 1, off = 0;
    struct sockaddr_storage to;
    socklen_t size = host_socket_to(address, family, &to);
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, host_socket_is_any(address) ? &off : &on,
                   sizeof on);
    if (bind(fd, (struct sockaddr *)&to, size) == 0 &&
        (type == SOCK_DGRAM || listen(fd, BACKLOG) == 0))
        return fd;
    on = errno;
    close(fd);
    errno = on;
    return -1;
}

int host_socket_open(const struct address *address, int type, struct address *bound)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    int fd = host_socket_bind(address, type);

    if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) && address->family == 6 &&
        host_socket_is_any(address)) {
        struct address v4 = {.family = 4, .port = address->port};

        fd = host_socket_bind(&v4, type);
    }
    if (fd < 0)
        return -1;
    if (getsockname(fd, (struct sockaddr *)&name, &size) != 0) {
        close(fd);
        return -1;
    }
    *bound = host_socket_from(&name);
    if (address->family == 6 && bound->family == 4 && name.ss_family == AF_INET6)
        *bound = *address; /* "::ffff:0.0.0.0" is still every address */
    return fd;
}

static int host_socket_connects(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), answer;

    if (fd < 0)
        return 0;
    answer = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    close(fd);
    return answer;
}

int host_socket_open_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat info;
    mode_t mask;
    int fd, error;

    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    /* Only a socket is replaced, never a file, and only one that nobody answers at. */
    if (lstat(path, &info) == 0 && S_ISSOCK(info.st_mode)) {
        if (host_socket_connects(&address)) {
            errno = EADDRINUSE;
            return -1;
        }
        unlink(path);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    mask = umask(0117);
    error = bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0
                ? errno
                : 0;
    umask(mask);
    if (error == 0)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

/* --- which addresses are which */

bool host_socket_is_any(const struct address *address)
{
    static const uint8_t zero[16];

    return memcmp(address->ip, zero, sizeof zero) == 0;
}

bool host_socket_is_loopback(const struct address *address)
{
    static const uint8_t v6[16] = {[15] = 1};

    if (address->family == 4)
        return address->ip[0] == 127;
    return address->family == 6 && memcmp(address->ip, v6, sizeof v6) == 0;
}

/* Smaller is better: a routable IPv4 address, then IPv6, then loopback. 9: no use. */
static int host_socket_rank(const struct ifaddrs *interface, const struct address *bound,
                            struct address *address)
{
    struct sockaddr_storage storage = {0};
    int family = interface->ifa_addr == NULL ? AF_UNSPEC : interface->ifa_addr->sa_family;

    if ((family != AF_INET && family != AF_INET6) || !(interface->ifa_flags & IFF_UP))
        return 9;
    memcpy(&storage, interface->ifa_addr,
           family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    *address = host_socket_from(&storage);
    if (address->family == 6 &&
        (bound->family == 4 || (address->ip[0] == 0xfe && address->ip[1] >= 0x80)))
        return 9;
    if (host_socket_is_loopback(address))
        return address->family == 4 ? 4 : 5;
    return address->family == 4 ? 1 : 2;
}

struct address host_socket_advertise(const struct address *bound)
{
    struct address best = {.family = 4, .ip = {127, 0, 0, 1}}, address;
    struct ifaddrs *interfaces = NULL;
    int best_rank = 8;

    if (!host_socket_is_any(bound))
        return *bound;
    if (getifaddrs(&interfaces) != 0)
        interfaces = NULL;
    for (const struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next) {
        int rank = host_socket_rank(at, bound, &address);

        if (rank < best_rank) {
            best_rank = rank;
            best = address;
        }
    }
    freeifaddrs(interfaces);
    best.port = bound->port;
    return best;
}
