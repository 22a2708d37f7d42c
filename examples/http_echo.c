/* SPDX-License-Identifier: MIT */
/*
 * Answers every HTTP request with what it received, as JSON: method, target,
 * version, fields, trailers, the body's length and its SHA-256. A mirror for
 * clients and for test suites.
 *
 *     http_echo [URL]      (default tcp://127.0.0.1:8081)
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <weft/http.h>
#include <weft/weft.h>

/* One request that is being read. */
struct mirror {
    weft_http_responder responder;
    EVP_MD_CTX *digest;
    unsigned long long length;
};

struct text {
    char *data;
    size_t length;
    FILE *stream;
};

/* JSON strings are text; bytes beyond ASCII are written as the characters U+0080 to U+00FF. */
static void print_string(FILE *out, weft_bytes bytes)
{
    putc('"', out);
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20 || byte >= 0x7f)
            fprintf(out, "\\u%04x", byte);
        else
            putc(byte, out);
    }
    putc('"', out);
}

static void print_fields(FILE *out, const char *name, const weft_http_exchange *exchange, size_t count,
                         const weft_http_field *(*at)(const weft_http_exchange *, size_t))
{
    fprintf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        const weft_http_field *field = at(exchange, i);
        fputs(i ? ",[" : "[", out);
        print_string(out, field->name);
        putc(',', out);
        print_string(out, field->value);
        putc(']', out);
    }
    putc(']', out);
}

static void print_answer(FILE *out, const struct mirror *mirror, const weft_http_exchange *exchange)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    EVP_DigestFinal_ex(mirror->digest, sum, &size);
    fputs("{\"method\":", out);
    print_string(out, weft_http_exchange_method(exchange));
    fputs(",\"target\":", out);
    print_string(out, weft_http_exchange_target(exchange));
    fprintf(out, ",\"version\":\"1.%u\"", weft_http_exchange_minor(exchange));
    print_fields(out, "fields", exchange, weft_http_exchange_field_count(exchange), weft_http_exchange_field_at);
    print_fields(out, "trailers", exchange, weft_http_exchange_trailer_count(exchange), weft_http_exchange_trailer_at);
    fprintf(out, ",\"body_length\":%llu,\"body_sha256\":\"", mirror->length);
    for (unsigned i = 0; i < size; i++)
        fprintf(out, "%02x", sum[i]);
    fputs("\"}\n", out);
}

static void body(weft_http_responder *responder, weft_http_exchange *exchange, weft_bytes bytes)
{
    struct mirror *mirror = weft_container_of(responder, struct mirror, responder);

    (void)exchange;
    mirror->length += bytes.length;
    EVP_DigestUpdate(mirror->digest, bytes.data, bytes.length);
}

static void body_ended(weft_http_responder *responder, weft_http_exchange *exchange)
{
    static const weft_http_field type = {WEFT_BYTES("Content-Type"), WEFT_BYTES("application/json")};
    struct text text = {NULL, 0, NULL};

    text.stream = open_memstream(&text.data, &text.length);
    if (!text.stream) {
        weft_http_exchange_abort(exchange);
        return;
    }
    print_answer(text.stream, weft_container_of(responder, struct mirror, responder), exchange);
    fclose(text.stream);
    if (weft_http_respond(exchange, 200, &type, 1, weft_bytes_of(text.data, text.length)) < 0)
        weft_http_exchange_abort(exchange);
    free(text.data);
}

static void gone(weft_http_responder *responder, weft_http_exchange *exchange, int reason)
{
    struct mirror *mirror = weft_container_of(responder, struct mirror, responder);

    (void)exchange;
    (void)reason;
    EVP_MD_CTX_free(mirror->digest);
    free(mirror);
}

static const weft_http_responder_ops mirror_ops = {.body = body, .body_ended = body_ended, .gone = gone};

static struct mirror *mirror_new(void)
{
    struct mirror *mirror = calloc(1, sizeof *mirror);

    if (!mirror)
        return NULL;
    mirror->responder.ops = &mirror_ops;
    mirror->digest = EVP_MD_CTX_new();
    if (!mirror->digest || !EVP_DigestInit_ex(mirror->digest, EVP_sha256(), NULL)) {
        EVP_MD_CTX_free(mirror->digest);
        free(mirror);
        return NULL;
    }
    return mirror;
}

/* RFC 9110 §9.3.6 and §9.3.8: CONNECT asks for a tunnel, and TRACE would reflect credentials. */
static unsigned refusal(weft_bytes method)
{
    if (weft_bytes_equal(method, weft_bytes_from("CONNECT")))
        return 501;
    return weft_bytes_equal(method, weft_bytes_from("TRACE")) ? 405 : 0;
}

static void request(weft_http_handler *handler, weft_http_exchange *exchange)
{
    static const weft_http_field allow = {WEFT_BYTES("Allow"),
                                          WEFT_BYTES("GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH")};
    unsigned status = refusal(weft_http_exchange_method(exchange));
    struct mirror *mirror;

    (void)handler;
    if (status) {
        (void)weft_http_respond(exchange, status, &allow, 1, weft_bytes_from(NULL));
        return;
    }
    mirror = mirror_new();
    if (mirror && weft_http_exchange_attach(exchange, &mirror->responder) == 0)
        return;
    if (mirror)
        gone(&mirror->responder, exchange, WEFT_ENOMEM);
    (void)weft_http_respond(exchange, 503, NULL, 0, weft_bytes_from(NULL));
}

static const weft_http_handler_ops echo_ops = {.name = "http echo", .request = request};

int main(int argc, char **argv)
{
    weft_http_handler handler = {&echo_ops};

    /* OpenSSL reads its configuration now, not with the first request, whose loop would wait for the disk. */
    if (!OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL))
        return 1;
    return weft_http_serve(argc > 1 ? argv[1] : "tcp://127.0.0.1:8081", &handler);
}
