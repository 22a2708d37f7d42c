/* SPDX-License-Identifier: MIT */
/* What socket.c and socket_datagram.c share: the names of sockets, and their paths. */
#ifndef BACKEND_SOCKET_NAME_H
#define BACKEND_SOCKET_NAME_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "backend/backend.h"

union socket_name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
};

/* What was there when the socket had been bound. */
struct socket_path {
    dev_t device;
    ino_t inode;
    char name[sizeof((struct sockaddr_un *)0)->sun_path];
};

int socket_set_int(int fd, int level, int option, int value);
/* Returns 0, -ENAMETOOLONG or -EAFNOSUPPORT. */
int socket_name_of(const struct backend_endpoint *at, union socket_name *name, socklen_t *length);
bool socket_has_path(const union socket_name *name);
/* A path at which nobody is any more is what a killed server leaves behind: it is removed. @p type: SOCK_STREAM, SOCK_DGRAM */
void socket_remove_stale_path(const union socket_name *name, socklen_t length, int type);
/* Has @p *ret removed with the socket; it is NULL if the path is gone already. */
int socket_path_remember(const union socket_name *name, struct socket_path **ret);

#endif
