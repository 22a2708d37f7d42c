/* SPDX-License-Identifier: MIT */
#include "backend/names.h"

#include <netdb.h>
#include <sys/socket.h>

#include <weft/error.h>

#include "backend/backend.h"

static int error_of(int status)
{
    switch (status) {
    case EAI_NONAME:
    case EAI_NODATA:
        return WEFT_ENONAME;
    case EAI_MEMORY:
        return WEFT_ENOMEM;
    case EAI_SYSTEM:
        return errno > 0 ? -errno : WEFT_ENAMETRY;
    default:
        return WEFT_ENAMETRY;
    }
}

/* The length comes with the address, which need not be aligned for what socket_address_from reads. */
static bool address_from(const struct addrinfo *info, weft_address *ret)
{
    struct sockaddr_storage storage = {0};

    if ((info->ai_family != AF_INET && info->ai_family != AF_INET6) || info->ai_addrlen > sizeof storage)
        return false;
    memcpy(&storage, info->ai_addr, info->ai_addrlen);
    socket_address_from(&storage, ret);
    return true;
}

int names_resolve(const char *host, weft_address *ret, size_t room)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
    int status = getaddrinfo(host, NULL, &hints, &found);
    size_t count = 0;

    if (status != 0)
        return error_of(status);
    for (const struct addrinfo *info = found; info && count < room; info = info->ai_next)
        if (address_from(info, &ret[count]))
            count++;
    freeaddrinfo(found);
    return count > 0 ? (int)count : WEFT_ENONAME;
}
