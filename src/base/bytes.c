/* SPDX-License-Identifier: MIT */
#include <weft/bytes.h>

#include <errno.h>

/* Not tolower: the process's locale must not change what a protocol means. */
static unsigned char lower(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

bool weft_bytes_equal_nocase(weft_bytes a, weft_bytes b)
{
    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++) {
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    }
    return true;
}

size_t weft_bytes_find(weft_bytes bytes, char byte)
{
    const char *found = bytes.length ? memchr(bytes.data, byte, bytes.length) : NULL;
    return found ? (size_t)(found - bytes.data) : SIZE_MAX;
}

int weft_bytes_to_uint64(weft_bytes bytes, uint64_t maximum, uint64_t *ret)
{
    uint64_t value = 0;
    bool too_great = false;

    if (bytes.length == 0)
        return -EINVAL;
    for (size_t i = 0; i < bytes.length; i++) {
        if (bytes.data[i] < '0' || bytes.data[i] > '9')
            return -EINVAL;
        uint64_t digit = (uint64_t)(bytes.data[i] - '0');
        too_great = too_great || value > maximum / 10 || digit > maximum - value * 10;
        if (!too_great)
            value = value * 10 + digit;
    }
    if (too_great)
        return -ERANGE;
    *ret = value;
    return 0;
}
