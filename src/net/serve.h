/* SPDX-License-Identifier: MIT */
/* What weft_serve_factory and its like in the families have in common. */
#ifndef NET_SERVE_H
#define NET_SERVE_H

#include <weft/listener.h>

/* What a one-call server serves. Embedded. */
struct serve_plan {
    const char *scheme;                 /* of the address that is printed; NULL for the endpoint's own */
    const weft_listen_options *options; /* may be NULL */
    /* Makes the factory, once the loop is there. Returns 0 or a negative error. */
    int (*make)(struct serve_plan *plan, weft_loop *loop, weft_factory **ret_factory);
};

/* Serves at @p url until a signal stops it; returns an exit status for main (weft/serve.h). */
int serve_run(const char *url, struct serve_plan *plan);

#endif
