/* SPDX-License-Identifier: MIT */
/* Version 4 and 4a (https://www.openssh.com/txt/socks4.protocol, socks4a.protocol). */
#include "wire/socks/socks_parts.h"

enum { FIXED = 8, GRANTED = 90, REJECTED = 91, WRONG_IDENT = 93 };

/* Takes a text and the zero behind it off @p rest: 1; 0 if the zero is not there yet; WEFT_EPROTOCOL if it is too long. */
static int take_text(weft_bytes *rest, weft_bytes *ret)
{
    size_t zero = weft_bytes_find(weft_bytes_first(*rest, 256), '\0');

    if (zero == SIZE_MAX)
        return rest->length < 256 ? 0 : WEFT_EPROTOCOL;
    *ret = weft_bytes_first(*rest, zero);
    *rest = weft_bytes_skip(*rest, zero + 1);
    return 1;
}

/* 0.0.0.x with x not 0: a name follows (4a). */
static bool stands_for_a_name(const uint8_t *ip)
{
    return ip[0] == 0 && ip[1] == 0 && ip[2] == 0 && ip[3] != 0;
}

int socks4_read_request(weft_bytes in, weft_socks_request *ret)
{
    weft_socks_request found = {.version = 4, .place.address.family = WEFT_ADDRESS_IPV4};
    weft_bytes rest = weft_bytes_skip(in, FIXED);
    int status;

    if (in.length < FIXED)
        return 0;
    found.command = socks_byte(in, 1);
    found.place.address.port = socks_port(in, 2);
    memcpy(found.place.address.ip, in.data + 4, 4);
    status = take_text(&rest, &found.user);
    if (status > 0 && stands_for_a_name(found.place.address.ip)) {
        memset(found.place.address.ip, 0, 4);
        found.place.address.family = WEFT_ADDRESS_NONE;
        status = take_text(&rest, &found.place.name);
        if (status > 0 && found.place.name.length == 0)
            status = WEFT_EPROTOCOL;
    }
    if (status <= 0)
        return status;
    *ret = found;
    return (int)(in.length - rest.length);
}

int socks4_write_request(char *out, size_t room, const weft_socks_request *request)
{
    static const weft_bytes zero = {"", 1};
    const weft_address *address = &request->place.address;
    bool named = address->family == WEFT_ADDRESS_NONE;
    char fixed[FIXED] = {4, (char)request->command, (char)(address->port >> 8), (char)address->port, 0, 0, 0, 1};
    const weft_bytes pieces[] = {weft_bytes_of(fixed, FIXED), request->user, zero, request->place.name, zero};

    if (!socks_is_text(request->user, true) || request->command == WEFT_SOCKS_UDP_ASSOCIATE)
        return -EINVAL;
    if (named ? !socks_is_text(request->place.name, false) : address->family != WEFT_ADDRESS_IPV4)
        return -EINVAL;
    if (!named && stands_for_a_name(address->ip))
        return -EINVAL;
    if (!named)
        memcpy(fixed + 4, address->ip, 4);
    return socks_write_pieces(out, room, pieces, named ? 5 : 3);
}

int socks4_read_reply(weft_bytes in, weft_socks_reply *ret)
{
    weft_socks_reply found = {.version = 4, .place.address.family = WEFT_ADDRESS_IPV4};

    if (in.length > 0 && in.data[0] != 0)
        return WEFT_EPROTOCOL;
    if (in.length > 1 && (socks_byte(in, 1) < GRANTED || socks_byte(in, 1) > WRONG_IDENT))
        return WEFT_EPROTOCOL;
    if (in.length < FIXED)
        return 0;
    found.code4 = socks_byte(in, 1);
    found.answer = found.code4 == GRANTED ? WEFT_SOCKS_GRANTED : WEFT_SOCKS_FAILED;
    found.place.address.port = socks_port(in, 2);
    memcpy(found.place.address.ip, in.data + 4, 4);
    *ret = found;
    return FIXED;
}

int socks4_write_reply(char *out, size_t room, const weft_socks_reply *reply)
{
    const weft_address *address = &reply->place.address;
    unsigned code = reply->code4 ? reply->code4 : reply->answer == WEFT_SOCKS_GRANTED ? GRANTED : REJECTED;
    char fixed[FIXED] = {0, (char)code, (char)(address->port >> 8), (char)address->port};
    const weft_bytes whole = weft_bytes_of(fixed, FIXED);

    if (address->family != WEFT_ADDRESS_IPV4 || code < GRANTED || code > WRONG_IDENT)
        return -EINVAL;
    memcpy(fixed + 4, address->ip, 4);
    return socks_write_pieces(out, room, &whole, 1);
}
