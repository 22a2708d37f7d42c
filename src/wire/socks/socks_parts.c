/* SPDX-License-Identifier: MIT */
/* What the versions share, and the choice between them. */
#include "wire/socks/socks_parts.h"

bool socks_is_text(weft_bytes text, bool may_be_empty)
{
    return (text.length > 0 || may_be_empty) && text.length <= 255 && weft_bytes_find(text, '\0') == SIZE_MAX;
}

int socks_write_pieces(char *out, size_t room, const weft_bytes *pieces, size_t count)
{
    size_t length = 0;

    for (size_t i = 0; i < count; i++)
        length += pieces[i].length; /* each is at most 255 bytes */
    if (length > room)
        return -ENOSPC;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].length > 0)
            memcpy(out, pieces[i].data, pieces[i].length);
        out += pieces[i].length;
    }
    return (int)length;
}

int weft_socks_read_request(weft_bytes in, weft_socks_request *ret)
{
    if (in.length == 0)
        return 0;
    switch (in.data[0]) {
    case 4:
        return socks4_read_request(in, ret);
    case 5:
        return socks5_read_request(in, ret);
    default:
        return WEFT_EPROTOCOL;
    }
}

int weft_socks_write_request(char *out, size_t room, const weft_socks_request *request)
{
    switch (request->version) {
    case 4:
        return socks4_write_request(out, room, request);
    case 5:
        return socks5_write_request(out, room, request);
    default:
        return -EINVAL;
    }
}

int weft_socks_read_reply(weft_bytes in, uint8_t version, weft_socks_reply *ret)
{
    return version == 4 ? socks4_read_reply(in, ret) : socks5_read_reply(in, ret);
}

int weft_socks_write_reply(char *out, size_t room, const weft_socks_reply *reply)
{
    switch (reply->version) {
    case 4:
        return socks4_write_reply(out, room, reply);
    case 5:
        return socks5_write_reply(out, room, reply);
    default:
        return -EINVAL;
    }
}
