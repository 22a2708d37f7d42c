/* SPDX-License-Identifier: MIT */
/* `weft get`: one URL after the other, each piece written as it comes. */
#include "get.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <weft/http_client.h>
#include <weft/signal.h>
#include <weft/wire/http1.h>
#include <weft/wire/http_date.h>

#include "get_body.h"
#include "get_output.h"

#define UPLOAD_PIECE (64 * 1024)
#define DROPPED (64 * 1024)

struct get {
    const struct get_options *options;
    weft_loop *loop;
    weft_http_client *client;
    weft_signal interrupt, terminate;
    bool interrupted;
    struct get_body body;

    /* of the URL under way */
    weft_http_receiver receiver;
    weft_http_request *request;
    struct get_output output;
    struct get_progress progress;
    const char *url;
    uint64_t offset; /* that was asked for */
    char name[256];  /* of --remote-name */
    char range[48], since[WEFT_HTTP_DATE_LENGTH + 1];
    int status;       /* the exit status; EXIT_DONE while all is well */
    bool done;        /* the file was complete already */
    bool starts_over; /* the server sends the whole */
    bool drops;       /* what it sends is not wanted */
};

/* -- messages -- */

static void end_progress(struct get *get)
{
    if (get->progress.drawn)
        get_progress_draw(&get->progress, weft_loop_now(get->loop), true);
    get->progress.shown = false;
}

static void complain(struct get *get, int status, const char *format, ...) WEFT_PRINTF(3, 4);

static void complain(struct get *get, int status, const char *format, ...)
{
    char text[400], shown[200];
    va_list arguments;

    end_progress(get);
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "weft get: %s: %s\n", option_printable(get->url, shown, sizeof shown), text);
    if (get->status == EXIT_DONE)
        get->status = status;
}

static int status_of(int error)
{
    switch (error) {
    case WEFT_ENONAME:
    case WEFT_ENAMETRY:
        return GET_NO_NAME;
    case -ECONNREFUSED:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
    case -ENOENT:
    case WEFT_EADDRESS:
        return GET_NO_CONNECTION;
    case WEFT_ETRUNCATED:
        return GET_TRUNCATED;
    case WEFT_EREDIRECT:
    case WEFT_EREDIRECTS:
        return GET_REDIRECTS;
    case WEFT_EURL:
    case WEFT_ESCHEME:
    case WEFT_ENOTLS:
    case -EINVAL:
        return EXIT_USAGE;
    default:
        break;
    }
    switch (weft_error_class_of(error)) {
    case WEFT_CLASS_TIMEOUT:
        return GET_TIMEOUT;
    case WEFT_CLASS_LIMIT:
        return GET_LIMIT;
    case WEFT_CLASS_MEMORY:
        return EXIT_FAILED;
    default:
        return GET_PROTOCOL;
    }
}

/* What failed, with whom, and what the codec says is wrong. */
static void explain(struct get *get, int error)
{
    const char *problem = get->request ? weft_http_request_problem(get->request) : "";
    const weft_address *peer = get->request ? weft_http_request_peer(get->request) : NULL;
    char address[WEFT_ADDRESS_TEXT] = "";

    if (get->interrupted) {
        complain(get, GET_INTERRUPTED, "interrupted");
        return;
    }
    if (peer && peer->family != WEFT_ADDRESS_NONE)
        weft_address_text(peer, address);
    complain(get, status_of(error), "%s%s%s%s%s%s", weft_error_text(error), *problem ? ": " : "", problem,
             *address ? " (" : "", address, *address ? ")" : "");
}

/* -- the response -- */

static int write_field(struct get *get, const weft_http_field *field)
{
    char line[16];
    int status = get_output_write(&get->output, field->name);

    snprintf(line, sizeof line, ": ");
    if (status == 0)
        status = get_output_write(&get->output, weft_bytes_from(line));
    if (status == 0)
        status = get_output_write(&get->output, field->value);
    return status < 0 ? status : get_output_write(&get->output, weft_bytes_of("\r\n", 2));
}

static int write_head(struct get *get)
{
    weft_bytes reason = weft_http_request_reason(get->request);
    char line[64];
    int status;

    snprintf(line, sizeof line, "HTTP/1.%u %u ", weft_http_request_minor(get->request),
             weft_http_request_status(get->request));
    status = get_output_write(&get->output, weft_bytes_from(line));
    if (status == 0)
        status = get_output_write(&get->output, reason);
    if (status == 0)
        status = get_output_write(&get->output, weft_bytes_of("\r\n", 2));
    for (size_t i = 0; i < weft_http_request_field_count(get->request) && status == 0; i++)
        status = write_field(get, weft_http_request_field_at(get->request, i));
    return status < 0 ? status : get_output_write(&get->output, weft_bytes_of("\r\n", 2));
}

/* "bytes FIRST-LAST/LENGTH" with the first that was asked for (RFC 9110 §14.4), and a length that fits. */
static bool range_fits(const struct get *get)
{
    weft_bytes value = weft_http_request_field(get->request, "Content-Range");
    uint64_t first, last, length;
    size_t dash, slash;

    if (!weft_bytes_equal_nocase(weft_bytes_first(value, 6), weft_bytes_from("bytes ")))
        return false;
    value = weft_bytes_skip(value, 6);
    dash = weft_bytes_find(value, '-');
    slash = weft_bytes_find(value, '/');
    if (dash == SIZE_MAX || slash == SIZE_MAX || dash > slash ||
        weft_bytes_to_uint64(weft_bytes_first(value, dash), UINT64_MAX, &first) < 0 ||
        weft_bytes_to_uint64(weft_bytes_of(value.data + dash + 1, slash - dash - 1), UINT64_MAX, &last) < 0)
        return false;
    if (first != get->offset || last < first)
        return false;
    value = weft_bytes_skip(value, slash + 1);
    if (!weft_bytes_equal(value, weft_bytes_from("*")) &&
        (weft_bytes_to_uint64(value, UINT64_MAX, &length) < 0 || last != length - 1))
        return false;
    length = weft_http_request_length(get->request);
    return length == WEFT_HTTP_LENGTH_UNKNOWN || length == last - first + 1;
}

/* A range that begins where the whole ends: the file is complete (§15.5.17). */
static bool is_complete(const struct get *get)
{
    char expected[48];

    snprintf(expected, sizeof expected, "bytes */%" PRIu64, get->offset);
    return weft_bytes_equal_nocase(weft_http_request_field(get->request, "Content-Range"), weft_bytes_from(expected));
}

static void stop(struct get *get)
{
    weft_http_request_cancel(get->request, WEFT_ECANCELED);
}

/* Whether the response is one to be written. Complains if not. */
static bool accept_status(struct get *get, unsigned code)
{
    weft_bytes reason = weft_http_request_reason(get->request);

    if (get->offset > 0 && code == 416 && is_complete(get)) {
        get->done = true;
        return false;
    }
    if (get->offset > 0 && code == 416) {
        complain(get, GET_CANNOT_RESUME, "the server's file is not as long as what is there");
        return false;
    }
    if (code >= 400 && get->options->fail) {
        complain(get, GET_STATUS, "the server answers %u%s%.*s", code, reason.length ? " " : "",
                 (int)(reason.length < 100 ? reason.length : 100), reason.length ? reason.data : "");
        return false;
    }
    if (get->offset > 0 && code != 200 && code != 206) {
        complain(get, GET_CANNOT_RESUME, "the server answers %u to a request for the rest", code);
        return false;
    }
    if (code == 206 && get->offset > 0 && !range_fits(get)) {
        complain(get, GET_CANNOT_RESUME, "the server sends another range than was asked for");
        return false;
    }
    if (get->offset > 0 && code != 206)
        get->starts_over = true;
    return true;
}

static void note_modified(struct get *get)
{
    int64_t seconds;

    if (weft_http_date_parse(weft_http_request_field(get->request, "Last-Modified"),
                             weft_loop_wall(get->loop) / WEFT_SECONDS(1), &seconds) == 0)
        get->output.new_modified = seconds;
}

static void begin_progress(struct get *get, uint64_t offset)
{
    uint64_t length = weft_http_request_length(get->request);

    get->progress = (struct get_progress){
        .shown = !get->options->quiet && isatty(2) && (get->output.path || !isatty(1)),
        .done = offset,
        .before = offset,
        .total = length == WEFT_HTTP_LENGTH_UNKNOWN || get->options->compressed ? UINT64_MAX : length + offset,
        .began = weft_loop_now(get->loop),
    };
}

/* A short body is read all the same, so that the connection can be used again. */
static void drop(struct get *get)
{
    get->drops = true;
    if (weft_http_request_length(get->request) > DROPPED)
        stop(get);
}

static void on_head(weft_http_receiver *receiver, weft_http_request *request)
{
    struct get *get = weft_container_of(receiver, struct get, receiver);
    uint64_t offset;
    int status;

    if (!accept_status(get, weft_http_request_status(request))) {
        drop(get);
        return;
    }
    offset = get->starts_over ? 0 : get->offset;
    note_modified(get);
    status = get_output_open(&get->output, offset);
    if (status == 0 && (get->options->include || get->options->head))
        status = write_head(get);
    if (status < 0) {
        complain(get, GET_CANNOT_WRITE, "cannot write to %s: %s",
                 get->output.path ? get->output.path : "standard output", weft_error_text(status));
        stop(get);
        return;
    }
    begin_progress(get, offset);
}

static void on_body(weft_http_receiver *receiver, weft_http_request *request, weft_bytes bytes)
{
    struct get *get = weft_container_of(receiver, struct get, receiver);
    int status;

    (void)request;
    if (get->drops)
        return;
    status = get_output_write(&get->output, bytes);
    get->progress.done += bytes.length;
    if (status < 0) {
        complain(get, GET_CANNOT_WRITE, "cannot write to %s: %s",
                 get->output.path ? get->output.path : "standard output", weft_error_text(status));
        stop(get);
        return;
    }
    get_progress_draw(&get->progress, weft_loop_now(get->loop), false);
}

/* -- the request -- */

static void on_drained(weft_http_receiver *receiver, weft_http_request *request)
{
    struct get *get = weft_container_of(receiver, struct get, receiver);
    static char piece[UPLOAD_PIECE];
    size_t length;
    int status = 0;

    while (status == 0 && (length = fread(piece, 1, sizeof piece, get->body.upload)) > 0)
        status = weft_http_request_write(request, weft_bytes_of(piece, length));
    if (status == 0 && ferror(get->body.upload))
        status = -EIO;
    else if (status == 0)
        status = weft_http_request_end(request, NULL, 0);
    if (status < 0 && status != WEFT_EENDED) {
        complain(get, EXIT_FAILED, "cannot send %s: %s", get->options->upload,
                 status == -EMSGSIZE ? "its length changed" : weft_error_text(status));
        stop(get);
    }
}

static void on_gone(weft_http_receiver *receiver, weft_http_request *request, int reason)
{
    struct get *get = weft_container_of(receiver, struct get, receiver);

    (void)request;
    if (reason < 0 && get->status == EXIT_DONE && !get->done)
        explain(get, reason);
    end_progress(get);
    get->request = NULL;
    weft_loop_stop(get->loop);
}

static const weft_http_receiver_ops ops = {.name = "weft get",
                                           .head = on_head,
                                           .body = on_body,
                                           .drained = on_drained,
                                           .gone = on_gone};

static const char *method_of(const struct get_options *options)
{
    if (options->method)
        return options->method;
    if (options->head)
        return "HEAD";
    return options->upload ? "PUT" : options->data.count || options->forms.count ? "POST" : NULL;
}

/* If-Range: the file has the time of what it is a part of, if it was written by this command (RFC 9110 §13.1.5). */
static size_t add_range(struct get *get, weft_http_field *fields, size_t count)
{
    if (get->offset == 0)
        return count;
    snprintf(get->range, sizeof get->range, "bytes=%" PRIu64 "-", get->offset);
    fields[count++] = (weft_http_field){weft_bytes_from("Range"), weft_bytes_from(get->range)};
    if (get->output.modified >= 0 && weft_http_date_format(get->output.modified, get->since) == 0)
        fields[count++] =
            (weft_http_field){weft_bytes_from("If-Range"), weft_bytes_of(get->since, WEFT_HTTP_DATE_LENGTH)};
    return count;
}

static int start(struct get *get)
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
        .length = get->body.upload_length,
        .raw = !options->compressed,
        .keep_redirects = !options->follow,
        .redirects = options->max_redirects,
        .body_limit = options->max_size,
        .expansion = WEFT_UNLIMITED, /* what is written to a file needs no memory; --max-size counts it decoded */
        .total_time = options->max_time,
        .through = options->through,
        .fields = fields,
    };

    memcpy(fields, get->body.fields, get->body.field_count * sizeof *fields);
    call.field_count = add_range(get, fields, get->body.field_count);
    get->receiver.ops = &ops;
    return weft_http_request_start(weft_loop_scope(get->loop), &call, &get->receiver, &get->request);
}

/* -- where it goes -- */

/* The last part of the path. The server has no say in it. */
static int remote_name(struct get *get)
{
    const char *end = get->url + strcspn(get->url, "?#"), *begin = end, *path = strstr(get->url, "://");
    size_t length;

    path = path ? path + 3 + strcspn(path + 3, "/?#") : end;
    while (begin > path && begin[-1] != '/')
        begin--;
    length = begin > path ? (size_t)(end - begin) : 0;
    if (length == 0 || length >= sizeof get->name || (length == 1 && begin[0] == '.') ||
        (length == 2 && memcmp(begin, "..", 2) == 0)) {
        complain(get, EXIT_USAGE, "its path ends with no name: give one with --output");
        return -EINVAL;
    }
    snprintf(get->name, sizeof get->name, "%.*s", (int)length, begin);
    return 0;
}

static int find_offset(struct get *get)
{
    uint64_t offset;
    int status;

    if (!get->options->resume)
        return 0;
    if (!get->output.path) {
        complain(get, EXIT_USAGE, "--continue needs a file: --output or --remote-name");
        return -EINVAL;
    }
    status = get_output_look(&get->output);
    if (status < 0) {
        complain(get, GET_CANNOT_WRITE, "%s: %s", get->output.path, weft_error_text(status));
        return status;
    }
    get->offset = get->output.resumed;
    if (strcmp(get->options->resume, "-") == 0)
        return 0;
    if (weft_bytes_to_uint64(weft_bytes_from(get->options->resume), UINT64_MAX, &offset) < 0 ||
        offset > get->output.resumed) {
        complain(get, EXIT_USAGE, "--continue takes '-' or an offset within the file");
        return -EINVAL;
    }
    get->offset = offset;
    return 0;
}

static int open_output(struct get *get)
{
    const char *path = get->options->output;
    int status;

    get->output = (struct get_output){0};
    if (get->options->remote_name && remote_name(get) < 0)
        return -EINVAL;
    if (get->options->remote_name)
        path = get->name;
    if (path && !get->options->remote_name && strcmp(path, "-") == 0)
        path = NULL;
    status = get_output_init(&get->output, path, get->options->check);
    if (status < 0)
        complain(get, status == -EINVAL ? EXIT_USAGE : EXIT_FAILED,
                 status == -EINVAL ? "--check takes sha256= and 64 hexadecimal digits" : "out of memory");
    return status < 0 ? status : find_offset(get);
}

static void check(struct get *get)
{
    char found[65] = "";

    if (get->done && get->output.path && get_output_open(&get->output, get->offset) < 0)
        return;
    if (get_output_matches(&get->output, found))
        return;
    complain(get, GET_CHECK, "its digest is sha256=%s", found);
}

static void close_output(struct get *get)
{
    int status;

    if (get->status == EXIT_DONE)
        check(get);
    status = get_output_close(&get->output);
    if (status < 0 && get->status == EXIT_DONE)
        complain(get, GET_CANNOT_WRITE, "%s: %s", get->output.path ? get->output.path : "standard output",
                 weft_error_text(status));
    get_output_fini(&get->output);
}

static int fetch(struct get *get, const char *url)
{
    int status;

    get->url = url;
    get->status = EXIT_DONE;
    get->offset = 0;
    get->done = get->starts_over = get->drops = false;
    get->progress = (struct get_progress){0};
    if (open_output(get) == 0) {
        status = start(get);
        if (status < 0)
            explain(get, status);
        while (get->request)
            if (weft_loop_run(get->loop) < 0)
                break;
    }
    close_output(get);
    return get->status;
}

/* -- the whole -- */

static void interrupt(struct get *get)
{
    get->interrupted = true;
    if (get->request)
        stop(get);
}

static void on_interrupt(weft_signal *signal)
{
    interrupt(weft_container_of(signal, struct get, interrupt));
}

static void on_terminate(weft_signal *signal)
{
    interrupt(weft_container_of(signal, struct get, terminate));
}

static int open_all(struct get *get)
{
    weft_loop_options loop_options = {.size = sizeof loop_options, .watchdog = WEFT_NEVER};
    weft_http_client_options client_options = {.size = sizeof client_options,
                                               .connect_time = get->options->connect_timeout,
                                               .family = get->options->ipv4   ? WEFT_HTTP_ONLY_IPV4
                                                         : get->options->ipv6 ? WEFT_HTTP_ONLY_IPV6
                                                                              : WEFT_HTTP_ANY_FAMILY};
    int status = weft_loop_new(&loop_options, &get->loop);

    if (status == 0)
        status = weft_http_client_new(weft_loop_scope(get->loop), &client_options, &get->client);
    if (status == 0)
        status = weft_signal_start(&get->interrupt, weft_loop_scope(get->loop), SIGINT, on_interrupt);
    if (status == 0)
        status = weft_signal_start(&get->terminate, weft_loop_scope(get->loop), SIGTERM, on_terminate);
    if (status < 0)
        fprintf(stderr, "weft get: cannot start: %s\n", weft_error_text(status));
    return status;
}

/* What fits one URL only. */
static int check_usage(const struct get_options *options)
{
    const char *problem = NULL;

    if (options->urls.count > 1 && (options->check || (options->output && strcmp(options->output, "-") != 0) ||
                                    (options->upload && strcmp(options->upload, "-") == 0)))
        problem = "--output, --check and --upload - are for one URL";
    if (options->output && options->remote_name)
        problem = "--output and --remote-name exclude each other";
    if (options->ipv4 && options->ipv6)
        problem = "--ipv4 and --ipv6 exclude each other";
    if (options->resume && (options->compressed || options->include || options->head))
        problem = "--continue does not go with --compressed, --include or --head";
    if (problem)
        fprintf(stderr, "weft get: %s\n", problem);
    return problem ? EXIT_USAGE : EXIT_DONE;
}

/* Servers write a line in their logs about a connection that is reset. */
static void close_client(struct get *get)
{
    weft_signal_stop(&get->interrupt);
    weft_signal_stop(&get->terminate);
    weft_http_client_close(get->client);
    if (!get->interrupted && weft_loop_run(get->loop) < 0)
        fprintf(stderr, "weft get: the connections could not be closed in order\n");
}

int get_run(const void *values)
{
    struct get get = {.options = values};
    int status = check_usage(get.options), fetched;

    if (status != EXIT_DONE)
        return status;
    if (open_all(&get) < 0) {
        weft_loop_free(get.loop);
        return EXIT_FAILED;
    }
    status = get_body_init(&get.body, get.loop, get.options);
    if (status == EXIT_DONE) {
        for (size_t i = 0; i < get.options->urls.count && !get.interrupted; i++) {
            if (i > 0 && get.body.upload)
                rewind(get.body.upload);
            fetched = fetch(&get, get.options->urls.items[i]);
            if (status == EXIT_DONE)
                status = fetched;
        }
    }
    get_body_fini(&get.body);
    close_client(&get);
    weft_loop_free(get.loop);
    return status;
}
