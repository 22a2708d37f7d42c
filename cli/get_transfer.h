/* SPDX-License-Identifier: MIT */
/* What the files of `weft get` share: the fetching of one URL after the other. */
#ifndef WEFT_CLI_GET_TRANSFER_H
#define WEFT_CLI_GET_TRANSFER_H

#include <weft/http_client.h>
#include <weft/signal.h>
#include <weft/wire/http_date.h>

#include "get_body.h"
#include "get_name.h"
#include "get_output.h"
#include "get_progress.h"

struct get {
    const struct get_options *options;
    weft_loop *loop;
    weft_http_client *client;
    weft_signal interrupt, terminate;
    weft_timer deadline; /* of --max-time */
    weft_timer redraw;   /* while nothing comes */
    bool interrupted;
    struct get_body body;

    /* of the URL under way */
    weft_http_receiver receiver;
    weft_http_request *request;
    struct get_output output;
    struct get_progress progress;
    const char *url;
    char name[GET_NAME_LONGEST + 1]; /* of --remote-name */
    uint64_t there;                  /* bytes of the file that is there */
    int64_t modified;                /* when it was changed, seconds since 1970; -1: not known */
    uint64_t offset;                 /* that was asked for */
    char range[48], since[WEFT_HTTP_DATE_LENGTH + 1];
    uint64_t promised; /* bytes of the part that comes; UINT64_MAX if the whole does */
    int status;        /* the exit status; EXIT_DONE while all is well */
    bool holds;        /* a piece of the upload waits for the connection */
    bool paused;       /* the response, until its output has room */
    bool begun;        /* its output was */
    bool done;         /* the file was complete already */
    bool drops;        /* what the server sends is not wanted */
    bool is_wrong;     /* what was written is not what it should be */
    bool told;         /* that the output failed */
};

/* get_message.c */

/* Ends the line of the progress, if there is one. */
void get_end_progress(struct get *get);
/* Says on standard error what is wrong with the URL under way; the first @status is that of the command. */
void get_complain(struct get *get, int status, const char *format, ...) WEFT_PRINTF(3, 4);
/* Says what failed, with whom, and what the codec says is wrong. */
void get_explain(struct get *get, int error);

/* get_request.c */

/* Starts the request. Returns 0 or a negative error. */
int get_start(struct get *get);
/* There is room for the body, or a piece of it was read. */
void get_on_drained(weft_http_receiver *receiver, weft_http_request *request);
void get_on_input(struct get_input *input);

/* get_response.c */

void get_on_head(weft_http_receiver *receiver, weft_http_request *request);
void get_on_body(weft_http_receiver *receiver, weft_http_request *request, weft_bytes bytes);
void get_on_output(struct get_output *output);

/* get.c */

void get_on_gone(weft_http_receiver *receiver, weft_http_request *request, int reason);

#endif
