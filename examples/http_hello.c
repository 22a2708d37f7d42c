/* SPDX-License-Identifier: MIT */
/* The smallest HTTP server: says hello to everybody. */
#include <weft/http.h>

static void request(weft_http_handler *handler, weft_http_exchange *exchange)
{
    static const weft_http_field type = {WEFT_BYTES("Content-Type"), WEFT_BYTES("text/plain")};

    (void)handler;
    (void)weft_http_respond(exchange, 200, &type, 1, weft_bytes_from("Hello, world!"));
}

static const weft_http_handler_ops hello_ops = {.name = "hello", .request = request};

int main(int argc, char **argv)
{
    weft_http_handler hello = {&hello_ops};

    return weft_http_serve(argc > 1 ? argv[1] : "tcp://127.0.0.1:8080", &hello);
}
