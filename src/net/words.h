/* SPDX-License-Identifier: MIT */
/* Lines and words of the small files under /etc. */
#ifndef NET_WORDS_H
#define NET_WORDS_H

#include <weft/bytes.h>

/* Takes the next line off the front of @p text, without its line end. Returns whether there was one. */
static inline bool lines_next(weft_bytes *text, weft_bytes *ret)
{
    size_t end;

    if (text->length == 0)
        return false;
    end = weft_bytes_find(*text, '\n');
    *ret = weft_bytes_first(*text, end);
    *text = weft_bytes_skip(*text, end == SIZE_MAX ? end : end + 1);
    return true;
}

/* Takes the next word off the front of @p line: what has no space, tab or carriage return. */
static inline bool words_next(weft_bytes *line, weft_bytes *ret)
{
    size_t length = 0;

    while (line->length > 0 && (line->data[0] == ' ' || line->data[0] == '\t' || line->data[0] == '\r'))
        *line = weft_bytes_skip(*line, 1);
    while (length < line->length && line->data[length] != ' ' && line->data[length] != '\t' &&
           line->data[length] != '\r')
        length++;
    *ret = weft_bytes_first(*line, length);
    *line = weft_bytes_skip(*line, length);
    return length > 0;
}

#endif
