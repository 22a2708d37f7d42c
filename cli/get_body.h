/* SPDX-License-Identifier: MIT */
/* What `weft get` sends: fields, and a body from --data, --form or --upload. */
#ifndef WEFT_CLI_GET_BODY_H
#define WEFT_CLI_GET_BODY_H

#include <weft/http_form.h>

#include "get.h"
#include "get_input.h"

/* A file read into memory for a body is at most this long; --upload has no limit. */
#define GET_BODY_MOST (UINT64_C(1) << 30)

struct get_body {
    weft_http_field fields[OPTION_REPEATS + 4];
    size_t field_count;
    weft_bytes body;
    char *data; /* of --data */
    weft_http_form form;
    struct get_input upload; /* its descriptor is -1 if there is none */
    char *user;              /* and the password behind its zero byte */
    const char *password;
};

/* Reads the options and their files. Returns an exit status; other than EXIT_DONE was explained on standard error. */
int get_body_init(struct get_body *body, weft_loop *loop, const struct get_options *options);
void get_body_fini(struct get_body *body);

#endif
