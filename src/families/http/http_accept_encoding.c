/* SPDX-License-Identifier: MIT */
#include "families/http/http_accept_encoding.h"

#include <weft/wire/http1.h>

enum { FULL = 1000 };

static const struct {
    weft_bytes name;
    const char *suffix;
} codings[HTTP_CODING_COUNT] = {
    [HTTP_CODING_BR] = {WEFT_BYTES("br"), ".br"},
    [HTTP_CODING_ZSTD] = {WEFT_BYTES("zstd"), ".zst"},
    [HTTP_CODING_GZIP] = {WEFT_BYTES("gzip"), ".gz"},
    [HTTP_CODING_IDENTITY] = {WEFT_BYTES("identity"), ""},
};

const char *http_coding_name(enum http_coding coding)
{
    return coding == HTTP_CODING_IDENTITY ? NULL : codings[coding].name.data;
}

const char *http_coding_suffix(enum http_coding coding)
{
    return codings[coding].suffix;
}

static weft_bytes trim(weft_bytes bytes)
{
    while (bytes.length && (bytes.data[0] == ' ' || bytes.data[0] == '\t'))
        bytes = weft_bytes_skip(bytes, 1);
    while (bytes.length && (bytes.data[bytes.length - 1] == ' ' || bytes.data[bytes.length - 1] == '\t'))
        bytes.length--;
    return bytes;
}

/* RFC 9110 §12.4.2: "0" or "1", and at most three digits after a point; after a "1" they are zeros. */
static bool read_quality(weft_bytes text, uint16_t *ret)
{
    unsigned value = 0;

    if (text.length == 0 || text.length > 5 || (text.length > 1 && text.data[1] != '.'))
        return false;
    for (size_t i = 0; i < 5; i++) {
        char digit = i < text.length ? text.data[i] : '0';

        if (i == 1)
            continue;
        if (digit < '0' || digit > '9')
            return false;
        value = value * 10 + (unsigned)(digit - '0');
    }
    if (value > FULL)
        return false;
    *ret = (uint16_t)value;
    return true;
}

/* "coding" or "coding;q=0.5". */
static bool read_member(weft_bytes member, weft_bytes *name, uint16_t *quality)
{
    static const weft_bytes q = WEFT_BYTES("q=");
    size_t semicolon = weft_bytes_find(member, ';');
    weft_bytes weight;

    *name = trim(weft_bytes_first(member, semicolon));
    *quality = FULL;
    if (semicolon == SIZE_MAX)
        return true;
    weight = trim(weft_bytes_skip(member, semicolon + 1));
    return weft_bytes_equal_nocase(weft_bytes_first(weight, q.length), q) &&
           read_quality(weft_bytes_skip(weight, q.length), quality);
}

static void note(struct http_accept_encoding *accept, weft_bytes name, uint16_t quality)
{
    static const weft_bytes any = WEFT_BYTES("*"), old_gzip = WEFT_BYTES("x-gzip");

    if (weft_bytes_equal(name, any)) {
        accept->any_listed = true;
        accept->any = quality;
        return;
    }
    /* §8.4.1.3: x-gzip is the same. */
    if (weft_bytes_equal_nocase(name, old_gzip))
        name = codings[HTTP_CODING_GZIP].name;
    for (size_t i = 0; i < HTTP_CODING_COUNT; i++)
        if (weft_bytes_equal_nocase(name, codings[i].name)) {
            accept->listed[i] = true;
            accept->quality[i] = quality;
        }
}

void http_accept_encoding_add(struct http_accept_encoding *accept, weft_bytes value)
{
    weft_bytes member, name;
    uint16_t quality;

    accept->came = true;
    while (weft_http1_list_next(&value, &member))
        if (read_member(member, &name, &quality))
            note(accept, name, quality);
}

/* Identity that nobody speaks of is taken, but least gladly. */
static unsigned quality_of(const struct http_accept_encoding *accept, enum http_coding coding)
{
    if (accept->listed[coding])
        return accept->quality[coding];
    if (accept->any_listed)
        return accept->any;
    return coding == HTTP_CODING_IDENTITY;
}

enum http_coding http_accept_encoding_choose(const struct http_accept_encoding *accept, unsigned available)
{
    enum http_coding best = HTTP_CODING_IDENTITY;
    unsigned best_quality = 0;

    /* A client that says nothing may take anything (§12.5.3), but those that say nothing can often decode nothing. */
    if (!accept->came)
        return HTTP_CODING_IDENTITY;
    available |= 1U << HTTP_CODING_IDENTITY;
    for (enum http_coding coding = 0; coding < HTTP_CODING_COUNT; coding++) {
        unsigned quality = quality_of(accept, coding);

        if ((available & 1U << coding) && quality > best_quality) {
            best = coding;
            best_quality = quality;
        }
    }
    return best;
}
