/* SPDX-License-Identifier: MIT */
/* What `weft get` asks for and what it sends, piece by piece as it can be read. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "get_transfer.h"
#include "printable.h"

/* -- the body -- */

static void cannot_send(struct get *get, int error)
{
    char shown[200];

    get_complain(get, EXIT_FAILED, "cannot send %s: %s",
                 printable(weft_bytes_from(get->options->upload), shown, sizeof shown),
                 error == -EMSGSIZE ? "its length changed" : weft_error_text(error));
    weft_http_request_cancel(get->request, WEFT_ECANCELED);
}

/* Sends what was read last. Returns 0, 1 if that is enough for now, or a negative error. */
static int send_piece(struct get *get)
{
    weft_bytes piece = get_input_piece(&get->body.upload);
    int status;

    if (piece.length > 0)
        status = weft_http_request_write(get->request, piece);
    else
        status = weft_http_request_end(get->request, NULL, 0);
    get->holds = status == -EAGAIN; /* the request is made once more, on another connection */
    return status == 0 && piece.length == 0 ? 1 : get->holds ? 1 : status;
}

/* A redirect that is followed at all while there is a body is followed with GET, without it (RFC 9110 §15.4.4). */
static bool is_unwanted(const struct get *get)
{
    return weft_http_request_redirects(get->request) > 0;
}

static void send_and_read(struct get *get, int status)
{
    if (status == 0)
        status = get_input_read(&get->body.upload, weft_loop_scope(get->loop));
    if (status < 0 && status != WEFT_EENDED && !is_unwanted(get))
        cannot_send(get, status);
}

void get_on_input(struct get_input *input)
{
    struct get *get = weft_container_of(input, struct get, body.upload);

    if (!get->request)
        weft_loop_stop(get->loop);
    else if (input->count < 0 && !is_unwanted(get))
        cannot_send(get, input->count);
    else
        send_and_read(get, send_piece(get));
}

void get_on_drained(weft_http_receiver *receiver, weft_http_request *request)
{
    struct get *get = weft_container_of(receiver, struct get, receiver);

    (void)request;
    if (!get->body.upload.busy)
        send_and_read(get, get->holds ? send_piece(get) : 0);
}

/* -- the head -- */

static const char *method_of(const struct get_options *options)
{
    if (options->method)
        return options->method;
    if (options->head)
        return "HEAD";
    return options->upload ? "PUT" : options->data.count || options->forms.count ? "POST" : NULL;
}

/* If-Range: the file has the time of what it is a part of, if this command wrote it (RFC 9110 §13.1.5). */
static size_t add_range(struct get *get, weft_http_field *fields, size_t count)
{
    if (get->offset == 0)
        return count;
    snprintf(get->range, sizeof get->range, "bytes=%" PRIu64 "-", get->offset);
    fields[count++] = (weft_http_field){weft_bytes_from("Range"), weft_bytes_from(get->range)};
    if (get->modified >= 0 && weft_http_date_format(get->modified, get->since) == 0)
        fields[count++] =
            (weft_http_field){weft_bytes_from("If-Range"), weft_bytes_of(get->since, WEFT_HTTP_DATE_LENGTH)};
    return count;
}

static const weft_http_receiver_ops ops = {.name = "weft get",
                                           .head = get_on_head,
                                           .body = get_on_body,
                                           .drained = get_on_drained,
                                           .gone = get_on_gone};

int get_start(struct get *get)
{
    const struct get_options *options = get->options;
    weft_http_field fields[OPTION_REPEATS + 8];
    weft_http_call call = {
        .size = sizeof call,
        .client = get->client,
        .url = get->url,
        .method = method_of(options),
        .user = get->body.user,
        .password = get->body.password,
        .body = get->body.body,
        .streamed = options->upload != NULL,
        .length = get->body.upload.length,
        .raw = !options->compressed,
        .keep_redirects = !options->follow,
        .redirects = options->max_redirects,
        .expansion = WEFT_UNLIMITED, /* what is written to a file needs no memory; --max-size counts it decoded */
        .through = options->through,
        .fields = fields,
    };

    memcpy(fields, get->body.fields, get->body.field_count * sizeof *fields);
    call.field_count = add_range(get, fields, get->body.field_count);
    get->receiver.ops = &ops;
    return weft_http_request_start(weft_loop_scope(get->loop), &call, &get->receiver, &get->request);
}
