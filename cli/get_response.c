/* SPDX-License-Identifier: MIT */
/* What `weft get` takes from a server, and what it does not. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <weft/memory.h>

#include "get_range.h"
#include "get_transfer.h"
#include "printable.h"

#define DROPPED (64 * 1024)
#define REDRAW WEFT_MILLISECONDS(500)

static void stop(struct get *get)
{
    weft_http_request_cancel(get->request, WEFT_ECANCELED);
}

/* -- what is written -- */

static const char *place(const struct get *get, char shown[200])
{
    const char *path = get->output.file.path;

    return path ? printable(weft_bytes_from(path), shown, 200) : "standard output";
}

/* Waits that were ended on purpose have been told of. */
static void tell_output_failed(struct get *get)
{
    char shown[200];

    if (get->told)
        return;
    get->told = true;
    if (get->output.error != WEFT_ECANCELED && get->output.error != -ECANCELED)
        get_complain(get, get->done ? EXIT_FAILED : GET_CANNOT_WRITE, "cannot %s %s: %s",
                     get->done ? "read" : "write to", place(get, shown), weft_error_text(get->output.error));
    if (get->request)
        stop(get);
}

void get_on_output(struct get_output *output)
{
    struct get *get = weft_container_of(output, struct get, output);

    if (output->error < 0)
        tell_output_failed(get);
    else if (get->request && get->paused) {
        get->paused = false;
        weft_http_request_resume(get->request);
    }
    if (!get->request)
        weft_loop_stop(get->loop);
}

/* Returns whether it can go on. */
static bool put(struct get *get, weft_bytes bytes)
{
    int status = get_output_write(&get->output, bytes);

    if (status < 0) {
        tell_output_failed(get);
        return false;
    }
    if (status > 0 && !get->paused) {
        get->paused = true;
        weft_http_request_pause(get->request);
    }
    return true;
}

/* What a server says of itself is exact in a file and harmless on a terminal. */
static bool put_text(struct get *get, weft_bytes text)
{
    char *shown;
    bool goes_on;

    if (get->output.file.path || !isatty(STDOUT_FILENO))
        return put(get, text);
    shown = weft_allocate(text.length + 1);
    if (!shown) {
        get->output.error = WEFT_ENOMEM;
        tell_output_failed(get);
        return false;
    }
    goes_on = put(get, weft_bytes_from(printable(text, shown, text.length + 1)));
    weft_release(shown);
    return goes_on;
}

static bool put_field(struct get *get, const weft_http_field *field)
{
    return put_text(get, field->name) && put(get, weft_bytes_from(": ")) && put_text(get, field->value) &&
           put(get, weft_bytes_from("\r\n"));
}

static bool put_head(struct get *get)
{
    char line[64];

    snprintf(line, sizeof line, "HTTP/1.%u %u ", weft_http_request_minor(get->request),
             weft_http_request_status(get->request));
    if (!put(get, weft_bytes_from(line)) || !put_text(get, weft_http_request_reason(get->request)) ||
        !put(get, weft_bytes_from("\r\n")))
        return false;
    for (size_t i = 0; i < weft_http_request_field_count(get->request); i++)
        if (!put_field(get, weft_http_request_field_at(get->request, i)))
            return false;
    return put(get, weft_bytes_from("\r\n"));
}

/* -- what is taken -- */

/* When the whole was changed, as the server says; -1 if it does not. Returns false for what is no date. */
static bool find_modified(const struct get *get, int64_t *ret)
{
    weft_bytes value = weft_http_request_field(get->request, "Last-Modified");

    *ret = -1;
    return !value.data || weft_http_date_parse(value, weft_loop_wall(get->loop) / WEFT_SECONDS(1), ret) == 0;
}

/* Whether it is a part of what the file is a part of. A server may leave the date out of a part (RFC 9110 §15.3.7). */
static bool is_same(const struct get *get)
{
    int64_t modified;

    return find_modified(get, &modified) && (modified < 0 || modified == get->modified);
}

static size_t count_fields(const struct get *get, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < weft_http_request_field_count(get->request); i++)
        count += weft_bytes_equal_nocase(weft_http_request_field_at(get->request, i)->name, weft_bytes_from(name));
    return count;
}

/* Why the part that comes cannot be appended; NULL if it can. */
static const char *problem_of_part(struct get *get)
{
    weft_bytes coding = weft_http_request_field(get->request, "Content-Encoding");
    uint64_t length = weft_http_request_length(get->request);
    struct get_range range;

    if (count_fields(get, "Content-Range") != 1 ||
        get_range_parse(weft_http_request_field(get->request, "Content-Range"), &range) < 0 ||
        range.first != get->offset)
        return "the server sends another range than was asked for";
    get->promised = range.last - range.first + 1;
    if (length != WEFT_HTTP_LENGTH_UNKNOWN && length != get->promised)
        return "the server sends another range than was asked for";
    if (!is_same(get))
        return "the file has changed since; fetch it without --continue";
    /* a range of what is encoded says nothing of the decoded file that may be there */
    if (coding.data && !weft_bytes_equal_nocase(coding, weft_bytes_from("identity")))
        return "the server sends the rest encoded; fetch it without --continue";
    return NULL;
}

static bool asks_for_range(const struct get *get)
{
    for (size_t i = 0; i < get->body.field_count; i++)
        if (weft_bytes_equal_nocase(get->body.fields[i].name, weft_bytes_from("Range")))
            return true;
    return false;
}

/* A range that begins where the whole ends: the file is complete (RFC 9110 §15.5.17). */
static bool is_complete(const struct get *get)
{
    uint64_t length;

    return get_range_parse_length(weft_http_request_field(get->request, "Content-Range"), &length) == 0 &&
           length == get->offset && length == get->there && is_same(get);
}

/* The answer to a request for the rest. Returns whether it is one to be written, and complains if not. */
static bool accept_rest(struct get *get, unsigned code)
{
    const char *problem = NULL;

    if (code == 416 && is_complete(get)) {
        get->done = true;
        return false;
    }
    if (code == 416)
        problem = "the server's file is not as long as what is there";
    else if (code == 206)
        problem = problem_of_part(get);
    else if (code == 200)
        get->offset = 0; /* it has changed, or the server knows no ranges: the whole comes */
    if (problem)
        get_complain(get, GET_CANNOT_RESUME, "%s", problem);
    else if (code != 206 && code != 200)
        get_complain(get, GET_CANNOT_RESUME, "the server answers %u to a request for the rest", code);
    return !problem && (code == 206 || code == 200);
}

/* Whether it is not too long, as far as its head says. What is decoded may be longer or shorter than that. */
static bool accept_length(struct get *get)
{
    uint64_t length = weft_http_request_length(get->request);

    if (get->options->head || length == WEFT_HTTP_LENGTH_UNKNOWN ||
        (get->options->compressed && weft_http_request_field(get->request, "Content-Encoding").data) ||
        (length <= get->options->max_size && get->offset <= get->options->max_size - length))
        return true;
    get_complain(get, GET_LIMIT, "its %" PRIu64 " bytes are more than --max-size allows", get->offset + length);
    return false;
}

static bool accept(struct get *get, unsigned code)
{
    weft_bytes reason = weft_http_request_reason(get->request);
    char shown[100];

    if (code >= 400 && get->options->fail && !(code == 416 && get->offset > 0)) {
        get_complain(get, GET_STATUS, "the server answers %u%s%s", code, reason.length ? " " : "",
                     printable(reason, shown, sizeof shown));
        return false;
    }
    if (code == 304 && get->output.file.path) { /* whoever asked on a condition has the content */
        get->done = true;
        return false;
    }
    if (get->offset > 0 && !accept_rest(get, code))
        return false;
    if (code == 206 && get->promised == UINT64_MAX && !asks_for_range(get)) {
        get_complain(get, GET_PROTOCOL, "the server answers 206, a part, to a request for the whole");
        return false;
    }
    return accept_length(get);
}

/* -- the callbacks -- */

static void begin_progress(struct get *get)
{
    uint64_t length = weft_http_request_length(get->request);

    get->progress = (struct get_progress){
        .shown = !get->options->quiet && isatty(STDERR_FILENO) && (get->output.file.path || !isatty(STDOUT_FILENO)),
        .done = get->offset,
        .before = get->offset,
        .total = length == WEFT_HTTP_LENGTH_UNKNOWN || get->options->compressed ? UINT64_MAX : length + get->offset,
        .began = weft_loop_now(get->loop),
    };
    if (get->progress.shown)
        weft_timer_start(&get->redraw, REDRAW);
}

/* A short body is read all the same, so that the connection can be used again. */
static void drop(struct get *get)
{
    get->drops = true;
    if (weft_http_request_length(get->request) > DROPPED)
        stop(get);
}

void get_on_head(weft_http_receiver *receiver, weft_http_request *request)
{
    struct get *get = weft_container_of(receiver, struct get, receiver);

    if (!accept(get, weft_http_request_status(request))) {
        drop(get);
        return;
    }
    (void)find_modified(get, &get->output.file.modified);
    if (get->offset > 0 && get->output.file.modified < 0)
        get->output.file.modified = get->modified;
    get->begun = true;
    if (get_output_begin(&get->output, get->offset) < 0) {
        tell_output_failed(get);
        return;
    }
    if ((get->options->include || get->options->head) && !put_head(get))
        return;
    begin_progress(get);
}

/* Whether @length more bytes are as many as were promised and allowed; complains if not. */
static bool accept_more(struct get *get, size_t length)
{
    if (length > get->promised) {
        get->is_wrong = true;
        get_complain(get, GET_PROTOCOL, "the server sends more than the range that it announced");
        return false;
    }
    if (length > get->options->max_size || get->progress.done > get->options->max_size - length) {
        get_complain(get, GET_LIMIT, "it is longer than --max-size allows");
        return false;
    }
    return true;
}

void get_on_body(weft_http_receiver *receiver, weft_http_request *request, weft_bytes bytes)
{
    struct get *get = weft_container_of(receiver, struct get, receiver);

    (void)request;
    if (get->drops)
        return;
    if (!accept_more(get, bytes.length)) {
        get->drops = true;
        stop(get);
        return;
    }
    if (!put(get, bytes))
        return;
    get->progress.done += bytes.length;
    if (get->promised != UINT64_MAX)
        get->promised -= bytes.length;
    get_progress_draw(&get->progress, weft_loop_now(get->loop), false);
}
