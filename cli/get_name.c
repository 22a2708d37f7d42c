/* SPDX-License-Identifier: MIT */
#include "get_name.h"

#include <string.h>

weft_bytes get_name_of(const char *url)
{
    const char *end = url + strcspn(url, "?#"), *begin = end, *path = strstr(url, "://");
    weft_bytes name;

    path = path ? path + 3 + strcspn(path + 3, "/?#") : end;
    while (begin > path && begin[-1] != '/')
        begin--;
    name = weft_bytes_of(begin, begin > path ? (size_t)(end - begin) : 0);
    if (name.length > GET_NAME_LONGEST || weft_bytes_equal(name, weft_bytes_from(".")) ||
        weft_bytes_equal(name, weft_bytes_from("..")))
        return weft_bytes_of(begin, 0);
    return name;
}
