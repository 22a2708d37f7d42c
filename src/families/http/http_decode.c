/* SPDX-License-Identifier: MIT */
#include "families/http/http_decode.h"

#include <limits.h>
#include <zlib.h>

#include <weft/error.h>
#include <weft/memory.h>
#include <weft/wire/http1.h>

#define PIECE (16 * 1024)
#define FREE_EXPANSION (1024 * 1024)

struct http_decode {
    z_stream zlib;
    enum http_coding coding;
    bool begun;  /* inflateInit2 was called */
    bool inside; /* of a gzip member, or of the deflate stream */
    uint64_t came, made;
    size_t expansion;
    unsigned char piece[PIECE];
};

enum http_coding http_coding_of(weft_bytes value)
{
    enum http_coding found = HTTP_CODING_NONE;
    weft_bytes member;

    while (weft_http1_list_next(&value, &member)) {
        enum http_coding coding = HTTP_CODING_UNKNOWN;

        if (weft_bytes_equal_nocase(member, weft_bytes_from("identity")))
            continue;
        if (weft_bytes_equal_nocase(member, weft_bytes_from("gzip")) ||
            weft_bytes_equal_nocase(member, weft_bytes_from("x-gzip")))
            coding = HTTP_CODING_GZIP;
        else if (weft_bytes_equal_nocase(member, weft_bytes_from("deflate")))
            coding = HTTP_CODING_DEFLATE;
        found = found == HTTP_CODING_NONE ? coding : HTTP_CODING_UNKNOWN;
    }
    return found;
}

static voidpf zlib_allocate(voidpf opaque, uInt count, uInt size)
{
    (void)opaque;
    return weft_allocate_zeroed(count, size);
}

static void zlib_release(voidpf opaque, voidpf memory)
{
    (void)opaque;
    weft_release(memory);
}

struct http_decode *http_decode_new(enum http_coding coding, size_t expansion)
{
    struct http_decode *decode = weft_allocate(sizeof *decode);

    if (!decode)
        return NULL;
    memset(decode, 0, offsetof(struct http_decode, piece));
    decode->coding = coding;
    decode->expansion = expansion;
    decode->zlib.zalloc = zlib_allocate;
    decode->zlib.zfree = zlib_release;
    return decode;
}

void http_decode_free(struct http_decode *decode)
{
    if (decode && decode->begun)
        (void)inflateEnd(&decode->zlib);
    weft_release(decode);
}

/* Positive for zlib's wrapper, negative for none: the first byte of a wrapper says "deflate, a window of at most 32 KiB"
 * (RFC 1950 §2.2), which no block of a bare stream that anybody writes begins with. */
static int window_bits(const struct http_decode *decode, unsigned char first)
{
    if (decode->coding == HTTP_CODING_GZIP)
        return MAX_WBITS + 16;
    return (first & 0x0f) == 8 && first >> 4 <= 7 ? MAX_WBITS : -MAX_WBITS;
}

/* A first member, or, of gzip, another (RFC 1952 §2.2). */
static int begin(struct http_decode *decode, unsigned char first)
{
    if (!decode->begun) {
        if (inflateInit2(&decode->zlib, window_bits(decode, first)) != Z_OK)
            return WEFT_ENOMEM;
        decode->begun = true;
    } else if (decode->coding != HTTP_CODING_GZIP || inflateReset(&decode->zlib) != Z_OK) {
        return WEFT_ECODING;
    }
    decode->inside = true;
    return 0;
}

static bool is_bomb(const struct http_decode *decode)
{
    return decode->made > FREE_EXPANSION && decode->made / decode->expansion > decode->came;
}

static int error_of(int status)
{
    return status == Z_MEM_ERROR ? WEFT_ENOMEM : WEFT_ECODING;
}

int http_decode_next(struct http_decode *decode, weft_bytes *in, weft_bytes *ret)
{
    z_stream *zlib = &decode->zlib;
    size_t given, made;
    int status;

    do {
        if (!decode->inside) {
            if (in->length == 0)
                return 0;
            status = begin(decode, (unsigned char)in->data[0]);
            if (status < 0)
                return status;
        }
        given = in->length < UINT_MAX ? in->length : UINT_MAX;
        zlib->next_in = (Bytef *)(uintptr_t)in->data;
        zlib->avail_in = (uInt)given;
        zlib->next_out = decode->piece;
        zlib->avail_out = PIECE;
        status = inflate(zlib, Z_NO_FLUSH);
        decode->came += given - zlib->avail_in;
        *in = weft_bytes_skip(*in, given - zlib->avail_in);
        made = PIECE - zlib->avail_out;
        decode->made += made;
        if (status == Z_STREAM_END)
            decode->inside = false;
        else if (status == Z_BUF_ERROR && made == 0)
            return 0; /* it wants more input */
        else if (status != Z_OK && status != Z_BUF_ERROR)
            return error_of(status);
        if (is_bomb(decode))
            return WEFT_EEXPANSION;
    } while (made == 0);
    *ret = weft_bytes_of(decode->piece, made);
    return 1;
}

/* An empty body is what some servers send for an empty file, and harmless. */
int http_decode_end(const struct http_decode *decode)
{
    return decode->inside ? WEFT_ETRUNCATED : 0;
}
