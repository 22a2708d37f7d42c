/* SPDX-License-Identifier: MIT */
/* `weft get`: one URL after the other, each piece written as it comes. */
#include "get.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <weft/tls.h>

#include "get_transfer.h"
#include "printable.h"

#define REDRAW WEFT_MILLISECONDS(500)

/* -- where it goes -- */

/* Whether the beginning of the file that is there is to be kept, and how much of it. Complains if it cannot. */
static bool find_offset(struct get *get)
{
    char shown[200];
    int status;

    if (!get->options->resume)
        return true;
    if (!get->output.file.path) {
        get_complain(get, EXIT_USAGE, "--continue needs a file: --output or --remote-name");
        return false;
    }
    status = get_file_look(&get->output.file, &get->there, &get->modified);
    if (status < 0) {
        get_complain(get, GET_CANNOT_WRITE, "cannot go on with %s: %s",
                     printable(weft_bytes_from(get->output.file.path), shown, sizeof shown),
                     status == -EINVAL ? "it is not an ordinary file" : weft_error_text(status));
        return false;
    }
    get->offset = get->there;
    if (strcmp(get->options->resume, "-") == 0)
        return true;
    if (weft_bytes_to_uint64(weft_bytes_from(get->options->resume), get->there, &get->offset) == 0)
        return true;
    get_complain(get, EXIT_USAGE, "--continue takes '-' or an offset within the file");
    return false;
}

static bool find_name(struct get *get)
{
    weft_bytes name = get_name_of(get->url);

    snprintf(get->name, sizeof get->name, "%.*s", (int)name.length, name.data);
    if (name.length == 0)
        get_complain(get, EXIT_USAGE, "its path ends with no name: give one with --output");
    return name.length > 0;
}

static bool prepare_output(struct get *get)
{
    const char *path = get->options->output;
    int status;

    if (get->options->remote_name && !find_name(get))
        return false;
    if (get->options->remote_name)
        path = get->name;
    else if (path && strcmp(path, "-") == 0)
        path = NULL;
    status = get_output_init(&get->output, weft_loop_scope(get->loop), path, get->options->check, get_on_output);
    if (status == -EINVAL)
        get_complain(get, EXIT_USAGE, "--check takes sha256= and 64 hexadecimal digits");
    else if (status < 0)
        get_complain(get, EXIT_FAILED, "%s", weft_error_text(status));
    return status == 0 && find_offset(get);
}

/* -- one URL -- */

static void settle(struct get *get)
{
    while (get->request || get->output.busy || get->body.upload.busy)
        if (weft_loop_run(get->loop) < 0)
            break;
}

void get_on_gone(weft_http_receiver *receiver, weft_http_request *request, int reason)
{
    struct get *get = weft_container_of(receiver, struct get, receiver);

    (void)request;
    if (reason < 0 && get->status == EXIT_DONE && !get->done)
        get_explain(get, reason);
    else if (get->status == EXIT_DONE && get->promised != UINT64_MAX && get->promised > 0)
        get_complain(get, GET_TRUNCATED, "the server sent less than the range that it announced");
    get_end_progress(get);
    get->request = NULL;
    if (get->body.upload.busy)
        get_input_cancel(&get->body.upload);
    weft_loop_stop(get->loop);
}

static void check(struct get *get)
{
    char found[65] = "";

    if (!get_file_matches(&get->output.file, found))
        get_complain(get, GET_CHECK, "its digest is sha256=%s", found);
}

/* What is left to do when the response has come. */
static void finish(struct get *get)
{
    if (get->done)
        get_output_read(&get->output);
    else if (get->begun)
        get_output_end(&get->output, get->is_wrong);
    settle(get);
    if (get->status == EXIT_DONE)
        check(get);
}

static void forget(struct get *get)
{
    get->status = EXIT_DONE;
    get->output = (struct get_output){.file.place.fd = -1, .file.wake.fd = -1};
    get->progress = (struct get_progress){0};
    get->there = get->offset = 0;
    get->modified = -1;
    get->promised = UINT64_MAX;
    get->holds = get->paused = get->begun = get->done = get->drops = get->is_wrong = get->told = false;
}

static int fetch(struct get *get, const char *url)
{
    int status;

    forget(get);
    get->url = url;
    if (prepare_output(get)) {
        weft_timer_start(&get->deadline, get->options->max_time);
        status = get_start(get);
        if (status < 0)
            get_explain(get, status);
        settle(get);
        finish(get);
        weft_timer_stop(&get->deadline);
    }
    get_output_fini(&get->output);
    return get->status;
}

/* -- what ends it early -- */

/* Gives up what is under way, and what was fetched but not taken by a reader. */
static void give_up(struct get *get, int reason)
{
    bool waits_for_reader = !get->request && get->output.busy;

    if (get->request)
        weft_http_request_cancel(get->request, reason);
    else if (waits_for_reader && get->status == EXIT_DONE)
        get_explain(get, reason);
    if (get->output.busy)
        get_output_cancel(&get->output);
}

static void on_interrupt(weft_signal *signal)
{
    struct get *get = weft_container_of(signal, struct get, interrupt);

    get->interrupted = true;
    give_up(get, WEFT_ECANCELED);
}

static void on_terminate(weft_signal *signal)
{
    struct get *get = weft_container_of(signal, struct get, terminate);

    get->interrupted = true;
    give_up(get, WEFT_ECANCELED);
}

static void on_deadline(weft_timer *timer)
{
    give_up(weft_container_of(timer, struct get, deadline), WEFT_ETOTALTIME);
}

static void on_redraw(weft_timer *timer)
{
    struct get *get = weft_container_of(timer, struct get, redraw);

    get_progress_draw(&get->progress, weft_loop_now(get->loop), false);
    weft_timer_start(timer, REDRAW);
}

/* -- the whole -- */

/* What the options say of TLS; if they say nothing, the HTTP client makes its own when it is needed. */
static int make_tls(const struct get_options *options, weft_tls_client **ret)
{
    static const char *const alpn[] = {"http/1.1"};
    const weft_tls_identity identity = {.chain_file = options->cert, .key_file = options->key};
    const weft_tls_client_options tls = {.size = sizeof tls,
                                         .ca_file = options->cacert,
                                         .identity = options->cert ? &identity : NULL,
                                         .alpn = alpn,
                                         .alpn_count = 1,
                                         .dangerously_trust_anybody = options->trust_anybody};
    weft_failure *failure = NULL;
    char text[512];
    int status;

    *ret = NULL;
    if (!options->cacert && !options->cert && !options->trust_anybody)
        return 0;
    status = weft_tls_client_new(&tls, ret, &failure);
    if (failure)
        (void)weft_failure_describe(failure, text, sizeof text);
    if (status < 0)
        fprintf(stderr, "weft get: %s\n", failure ? text : weft_error_text(status));
    weft_failure_unref(failure);
    return status;
}

/* Signals come last: until then, while the body may be read from standard input, they end the command themselves. */
static int open_all(struct get *get)
{
    weft_scope *scope = weft_loop_scope(get->loop);
    weft_http_client_options client_options = {.size = sizeof client_options,
                                               .name_time = get->options->connect_timeout,
                                               .connect_time = get->options->connect_timeout,
                                               .family = get->options->ipv4   ? WEFT_HTTP_ONLY_IPV4
                                                         : get->options->ipv6 ? WEFT_HTTP_ONLY_IPV6
                                                                              : WEFT_HTTP_ANY_FAMILY};
    int status = make_tls(get->options, &client_options.tls);

    if (status < 0)
        return status;
    status = weft_http_client_new(scope, &client_options, &get->client);
    weft_tls_client_unref(client_options.tls);
    if (status == 0)
        status = weft_timer_init(&get->deadline, scope, on_deadline);
    if (status == 0)
        status = weft_timer_init(&get->redraw, scope, on_redraw);
    if (status == 0)
        status = weft_signal_start(&get->interrupt, scope, SIGINT, on_interrupt);
    if (status == 0)
        status = weft_signal_start(&get->terminate, scope, SIGTERM, on_terminate);
    if (status < 0)
        fprintf(stderr, "weft get: cannot start: %s\n", weft_error_text(status));
    return status;
}

static bool gives_range(const struct get_options *options)
{
    for (size_t i = 0; i < options->headers.count; i++)
        if (strncasecmp(options->headers.items[i], "Range:", 6) == 0 ||
            strncasecmp(options->headers.items[i], "If-Range:", 9) == 0)
            return true;
    return false;
}

/* What fits one URL only, and what does not go together. */
static int check_usage(const struct get_options *options)
{
    const char *problem = NULL;

    if (options->urls.count > 1 && (options->check || (options->output && strcmp(options->output, "-") != 0) ||
                                    (options->upload && strcmp(options->upload, "-") == 0)))
        problem = "--output, --check and --upload - are for one URL";
    if (options->output && options->remote_name)
        problem = "--output and --remote-name exclude each other";
    if (options->key && !options->cert)
        problem = "--key goes with --cert";
    if (options->ipv4 && options->ipv6)
        problem = "--ipv4 and --ipv6 exclude each other";
    if (options->resume && (options->compressed || options->include || options->head))
        problem = "--continue does not go with --compressed, --include or --head";
    if (options->resume && gives_range(options))
        problem = "--continue does not go with a Range or If-Range of your own";
    if (problem)
        fprintf(stderr, "weft get: %s\n", problem);
    return problem ? EXIT_USAGE : EXIT_DONE;
}

/* Servers write a line in their logs about a connection that is reset. */
static void close_client(struct get *get)
{
    weft_signal_stop(&get->interrupt);
    weft_signal_stop(&get->terminate);
    weft_timer_fini(&get->deadline);
    weft_timer_fini(&get->redraw);
    weft_http_client_close(get->client);
    if (!get->interrupted && weft_loop_run(get->loop) < 0)
        fprintf(stderr, "weft get: the connections could not be closed in order\n");
}

static int fetch_all(struct get *get)
{
    int status = EXIT_DONE, fetched;

    for (size_t i = 0; i < get->options->urls.count && !get->interrupted; i++) {
        if (i > 0 && get->options->upload)
            get_input_rewind(&get->body.upload);
        fetched = fetch(get, get->options->urls.items[i]);
        if (status == EXIT_DONE)
            status = fetched;
    }
    return status;
}

int get_run(const void *values)
{
    struct get get = {.options = values};
    weft_loop_options loop_options = {.size = sizeof loop_options, .watchdog = WEFT_NEVER};
    int status = check_usage(get.options), opened;

    if (status != EXIT_DONE)
        return status;
    opened = weft_loop_new(&loop_options, &get.loop);
    if (opened < 0) {
        fprintf(stderr, "weft get: cannot start: %s\n", weft_error_text(opened));
        return EXIT_FAILED;
    }
    status = get_body_init(&get.body, get.loop, get.options);
    get.body.upload.ready = get_on_input;
    if (status == EXIT_DONE) {
        status = open_all(&get) < 0 ? EXIT_FAILED : fetch_all(&get);
        close_client(&get);
    }
    get_body_fini(&get.body);
    weft_loop_free(get.loop);
    return status;
}
