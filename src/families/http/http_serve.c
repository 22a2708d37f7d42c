/* SPDX-License-Identifier: MIT */
/* A small HTTP server in one call (weft/http.h). */
#include <weft/http.h>

#include "net/serve.h"

struct http_plan {
    struct serve_plan plan;
    weft_http_handler *handler;
    weft_http_server *server;
};

static int make(struct serve_plan *plan, weft_loop *loop, weft_factory **ret_factory)
{
    struct http_plan *http = weft_container_of(plan, struct http_plan, plan);
    int status = weft_http_server_new(loop, http->handler, NULL, &http->server);

    if (status == 0)
        *ret_factory = weft_http_server_factory(http->server, NULL, NULL);
    return status;
}

int weft_http_serve(const char *url, weft_http_handler *handler)
{
    static const weft_listen_options options = {
        .size = sizeof options,
        .stream = {.size = sizeof options.stream, .idle = WEFT_NEVER}, /* the server has deadlines of its own */
    };
    struct http_plan http = {.plan = {.scheme = "http", .options = &options, .make = make}, .handler = handler};
    int status = serve_run(url, &http.plan);

    weft_http_server_free(http.server);
    return status;
}
