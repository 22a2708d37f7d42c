/* SPDX-License-Identifier: MIT */
#include "families/http/http_mime.h"

struct mime_row {
    const char *extension; /* lower-case, without its dot */
    const char *type;
};

/* Sorted by extension. */
static const struct mime_row by_extension[] = {
#include "families/http/http_mime_table.inc"
};

/* Files that have no extension by custom, and are read by people. Sorted. */
static const struct mime_row by_name[] = {
    {"authors", "text/plain; charset=utf-8"},     {"changelog", "text/plain; charset=utf-8"},
    {"copying", "text/plain; charset=utf-8"},     {"dockerfile", "text/plain; charset=utf-8"},
    {"install", "text/plain; charset=utf-8"},     {"license", "text/plain; charset=utf-8"},
    {"maintainers", "text/plain; charset=utf-8"}, {"makefile", "text/plain; charset=utf-8"},
    {"news", "text/plain; charset=utf-8"},        {"notice", "text/plain; charset=utf-8"},
    {"readme", "text/plain; charset=utf-8"},      {"todo", "text/plain; charset=utf-8"},
    {"version", "text/plain; charset=utf-8"},
};

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* As strcmp, ASCII letters of @key taken as lower-case. */
static int compare(weft_bytes key, const char *word)
{
    for (size_t i = 0; i < key.length; i++) {
        int difference = lower(key.data[i]) - (unsigned char)word[i];

        if (difference)
            return difference;
        if (word[i] == '\0') /* a NUL in the key, where the word ends */
            return 1;
    }
    return word[key.length] ? -1 : 0;
}

static const char *find(const struct mime_row *rows, size_t count, weft_bytes key)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(key, rows[middle].extension);

        if (order == 0)
            return rows[middle].type;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

weft_bytes http_mime_type(weft_bytes name)
{
    const char *dot = name.length ? memrchr(name.data, '.', name.length) : NULL;
    const char *type = NULL;

    if (!dot)
        type = find(by_name, sizeof(by_name) / sizeof(by_name[0]), name);
    else if (dot != name.data) /* ".profile" has no extension */
        type = find(by_extension, sizeof(by_extension) / sizeof(by_extension[0]),
                    weft_bytes_skip(name, (size_t)(dot - name.data) + 1));
    return weft_bytes_from(type ? type : "application/octet-stream");
}
