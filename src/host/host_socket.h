/* host_socket.h: between our addresses and the system's, and sockets that listen. */
#ifndef GOSSAMER_HOST_SOCKET_H
#define GOSSAMER_HOST_SOCKET_H

#include <sys/socket.h>

#include "host_value.h"
#include "status.h"

/* host_socket_from turns a system address into ours; an IPv4 address seen through an IPv6 socket
 * becomes IPv4. Family 0 for anything that is neither. */
struct address host_socket_from(const struct sockaddr_storage *from);
/* host_socket_to writes the system's form for a socket of `family` (AF_INET, AF_INET6) and returns
 * its size, 0 when that socket cannot reach the address. */
socklen_t host_socket_to(const struct address *address, int family, struct sockaddr_storage *to);

/* host_socket_open binds a nonblocking socket: SOCK_DGRAM, or SOCK_STREAM that listens. An IPv6
 * socket for every address takes IPv4 as well; where the host has no IPv6 it becomes IPv4. Returns
 * the descriptor, and what it is bound to in *bound; -1 with errno. */
int host_socket_open(const struct address *address, int type, struct address *bound);
/* host_socket_open_path listens at a Unix socket of mode 0660; a stale one is replaced. -1 with
 * errno; EADDRINUSE when somebody listens there. */
int host_socket_open_path(const char *path);

/* host_socket_is_any tells whether an address stands for every address of the machine;
 * host_socket_is_loopback whether it is reached from this machine only. */
bool host_socket_is_any(const struct address *address);
bool host_socket_is_loopback(const struct address *address);
/* host_socket_advertise finds an address others can reach for one that is bound: itself, or that of
 * the first network interface, or loopback when there is no other. The port stays. */
struct address host_socket_advertise(const struct address *bound);

#endif
