/* SPDX-License-Identifier: MIT */
/* From a request to an open file (http_files.h). */
#include "families/http/http_files.h"

#include <weft/memory.h>

#include "base/options.h"
#include "families/http/http_error_page.h"

static void opened(weft_file_open *open, int status);

/* -- visits -- */

static struct visit *visit_new(weft_http_files *files, weft_http_exchange *exchange)
{
    struct visit *visit = files->free_visits;

    if (visit)
        files->free_visits = visit->next_free;
    else
        visit = weft_allocate(sizeof *visit);
    if (!visit)
        return NULL;
    memset(visit, 0, offsetof(struct visit, name));
    visit->files = files;
    visit->exchange = exchange;
    files->references++;
    return visit;
}

static void visit_free(struct visit *visit)
{
    weft_http_files *files = visit->files;

    weft_file_unref(visit->folder);
    http_text_release(&visit->page);
    http_folder_list_fini(&visit->list);
    visit->next_free = files->free_visits;
    files->free_visits = visit;
    weft_http_files_free(files);
}

/* An attached visit ends when the exchange says so (gone) and nothing of it is under way. */
void visit_end(struct visit *visit)
{
    visit->waiting = false;
    if (!visit->attached || !visit->exchange)
        visit_free(visit);
}

/* An attached exchange that got no whole response would wait for it for ever. */
void visit_answered(struct visit *visit, int status)
{
    if (status < 0)
        weft_http_exchange_abort(visit->exchange);
    visit_end(visit);
}

static void gone(weft_http_responder *responder, weft_http_exchange *exchange, int reason)
{
    struct visit *visit = weft_container_of(responder, struct visit, responder);

    (void)exchange;
    (void)reason;
    visit->exchange = NULL;
    if (!visit->waiting)
        visit_free(visit);
}

static void drained(weft_http_responder *responder, weft_http_exchange *exchange)
{
    struct visit *visit = weft_container_of(responder, struct visit, responder);

    (void)exchange;
    if (visit->sending_page)
        visit_send_page(visit);
}

static const weft_http_responder_ops responder_ops = {.drained = drained, .gone = gone};

bool visit_attach(struct visit *visit)
{
    visit->waiting = true;
    if (visit->attached)
        return true;
    visit->responder.ops = &responder_ops;
    if (weft_http_exchange_attach(visit->exchange, &visit->responder) < 0)
        return false;
    visit->attached = true;
    return true;
}

/* -- answers without a file -- */

static int respond_page(weft_http_exchange *exchange, unsigned status, const weft_http_field *extra)
{
    char page[HTTP_ERROR_PAGE_ROOM];
    size_t length = http_error_page(status, page), count = 2;
    weft_http_field fields[3] = {
        {WEFT_BYTES("Content-Type"), WEFT_BYTES("text/html; charset=utf-8")},
        {WEFT_BYTES("Content-Security-Policy"), weft_bytes_from(http_error_page_policy)},
    };

    if (extra)
        fields[count++] = *extra;
    return weft_http_respond(exchange, status, fields, count, weft_bytes_of(page, length));
}

void visit_fail(struct visit *visit, unsigned status)
{
    visit_answered(visit, visit->exchange ? respond_page(visit->exchange, status, NULL) : 0);
}

unsigned status_of_error(int error)
{
    switch (error) {
    case -ENOENT:
    case -ENOTDIR:
    case -ELOOP: /* a symbolic link that leads in a circle, */
    case -EXDEV: /* or out of the folder */
    case -ENAMETOOLONG:
    case -ENXIO: /* a FIFO or a device without its other end */
    case -ENODEV:
        return 404;
    case -EACCES:
    case -EPERM:
        return 403;
    case -EMFILE:
    case -ENFILE:
    case WEFT_ENOMEM:
    case -EAGAIN:
        return 503;
    default:
        return 500;
    }
}

/* -- opening -- */

static bool set_suffix(struct visit *visit, const char *suffix)
{
    size_t length = strlen(suffix);

    if (visit->base_length + length >= sizeof visit->name)
        return false;
    memcpy(visit->name + visit->base_length, suffix, length + 1);
    return true;
}

/* The coding to try next: the best for the client of those that were not tried. */
static void choose_coding(struct visit *visit)
{
    visit->coding = http_accept_encoding_choose(&visit->accept, visit->codings | 1u << HTTP_CODING_IDENTITY);
    visit->codings &= ~(1u << visit->coding);
}

/* What was looked for is not there. Returns whether there is something else to try. */
static bool try_next(struct visit *visit, int status)
{
    if (visit->coding != HTTP_CODING_IDENTITY) {
        choose_coding(visit);
        return true;
    }
    if (visit->folder) {
        if (status == -ENOENT || status == -ENOTDIR || status == -EXDEV || status == -ELOOP)
            visit_next_index(visit);
        else
            visit_fail(visit, status_of_error(status));
        return false;
    }
    visit_fail(visit, status_of_error(status));
    return false;
}

/* A file was opened: a folder is only what it is without a suffix, and a slash says that a folder is meant. */
static bool take_file(struct visit *visit, weft_file *file)
{
    weft_file_kind kind = weft_file_about(file)->kind;

    if (kind == WEFT_FILE_REGULAR && (visit->folder || !visit->path.directory)) {
        visit_send(visit, file);
        return false;
    }
    if (kind == WEFT_FILE_DIRECTORY && visit->coding == HTTP_CODING_IDENTITY && !visit->folder) {
        visit_folder(visit, file);
        return false;
    }
    weft_file_unref(file);
    return try_next(visit, -ENOENT);
}

/* -- what was opened before -- */

static void expire(weft_timer *timer)
{
    weft_http_files *files = weft_container_of(timer, weft_http_files, expiry);

    if (http_files_cache_expire(&files->cache, weft_loop_now(files->loop)))
        weft_timer_start(timer, HTTP_FILES_CACHE_TIME);
}

static void forget_loop(weft_http_files *files)
{
    if (!files->loop)
        return;
    weft_timer_fini(&files->expiry);
    (void)http_files_cache_clear(&files->cache);
    files->loop = NULL;
}

/* While anything is kept the timer runs. If it does not, this is the first request, or the loop that there was may be
 * gone: whoever asks now says which loop this is. */
static int use_loop(weft_http_files *files, weft_loop *loop)
{
    uint8_t secret[SIPHASH_KEY_SIZE];
    int status = weft_loop_entropy(loop, secret, sizeof secret);

    forget_loop(files);
    if (status == 0)
        status = weft_timer_init(&files->expiry, weft_loop_scope(loop), expire);
    if (status < 0)
        return status;
    weft_timer_set_background(&files->expiry, true);
    http_files_cache_init(&files->cache, secret);
    files->loop = loop;
    return 0;
}

static bool find_kept(struct visit *visit)
{
    weft_http_files *files = visit->files;
    weft_loop *loop = weft_http_exchange_loop(visit->exchange);
    struct http_files_cached kept;

    visit->content = weft_bytes_of(NULL, 0);
    if (files->loop != loop ||
        !http_files_cache_find(&files->cache, files->directory, visit->name, weft_loop_now(loop), &kept))
        return false;
    visit->open.file = weft_file_ref(kept.file);
    visit->content = kept.content;
    return true;
}

static void keep(struct visit *visit)
{
    weft_http_files *files = visit->files;
    weft_loop *loop = weft_http_exchange_loop(visit->exchange);
    bool running = files->loop && weft_timer_active(&files->expiry);

    if (!running && use_loop(files, loop) < 0)
        return;
    if (files->loop != loop)
        return;
    http_files_cache_keep(&files->cache, visit->name, visit->open.file, weft_loop_now(loop), weft_loop_wall(loop));
    if (!running)
        weft_timer_start(&files->expiry, HTTP_FILES_CACHE_TIME);
}

/* Whether opening is worth another attempt, since what was kept open no longer is. */
static bool made_room(weft_http_files *files, int status)
{
    return status == -EMFILE && files->loop && http_files_cache_clear(&files->cache) > 0;
}

static int open_one(struct visit *visit)
{
    int status;

    if (!set_suffix(visit, http_coding_suffix(visit->coding)))
        return -ENAMETOOLONG;
    if (find_kept(visit))
        return 0;
    status = weft_file_open_start(&visit->open, weft_http_exchange_scope(visit->exchange), visit->files->directory,
                                  visit->name, opened);
    if (made_room(visit->files, status))
        status = weft_file_open_start(&visit->open, weft_http_exchange_scope(visit->exchange), visit->files->directory,
                                      visit->name, opened);
    if (status == 0)
        keep(visit);
    return status;
}

/* Opens what is to be tried until something is found, nothing is left, or it has to wait. */
static void open_on(struct visit *visit)
{
    bool more = true;

    while (more) {
        int status = open_one(visit);

        if (status == 1) {
            if (!visit_attach(visit)) {
                /* The open under way uses this memory: it ends in `opened`. The handler's exchange gets 500. */
                visit->exchange = NULL;
            }
            return;
        }
        more = status == 0 ? take_file(visit, visit->open.file) : try_next(visit, status);
    }
}

void visit_open(struct visit *visit)
{
    visit->codings = 0;
    if (!visit->files->options.no_precompressed && visit->accept.came)
        visit->codings = 1u << HTTP_CODING_BR | 1u << HTTP_CODING_ZSTD | 1u << HTTP_CODING_GZIP;
    choose_coding(visit);
    open_on(visit);
}

static void opened(weft_file_open *open, int status)
{
    struct visit *visit = weft_container_of(open, struct visit, open);

    visit->waiting = false;
    if (!visit->exchange) { /* the client left meanwhile */
        if (status == 0)
            weft_file_unref(open->file);
        visit_free(visit);
        return;
    }
    if (status == 0)
        keep(visit);
    if (made_room(visit->files, status) || (status == 0 ? take_file(visit, open->file) : try_next(visit, status)))
        open_on(visit);
}

/* -- the handler -- */

static bool is_known_method(weft_bytes method)
{
    static const weft_bytes known[] = {
        WEFT_BYTES("POST"),  WEFT_BYTES("PUT"),     WEFT_BYTES("DELETE"), WEFT_BYTES("OPTIONS"),
        WEFT_BYTES("PATCH"), WEFT_BYTES("CONNECT"), WEFT_BYTES("TRACE"),
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (weft_bytes_equal(method, known[i]))
            return true;
    return false;
}

static bool is_read(weft_bytes method)
{
    return weft_bytes_equal(method, weft_bytes_of("GET", 3)) || weft_bytes_equal(method, weft_bytes_of("HEAD", 4));
}

static void read_accept(struct visit *visit)
{
    const weft_http_exchange *exchange = visit->exchange;

    for (size_t i = 0; i < weft_http_exchange_field_count(exchange); i++) {
        const weft_http_field *field = weft_http_exchange_field_at(exchange, i);
        if (weft_bytes_equal_nocase(field->name, weft_bytes_of("Accept-Encoding", 15)))
            http_accept_encoding_add(&visit->accept, field->value);
    }
}

static void begin(struct visit *visit)
{
    weft_bytes target = weft_http_exchange_path(visit->exchange);
    enum http_path_result result =
        http_path_resolve(target, visit->files->options.hidden, visit->decoded, sizeof visit->decoded, &visit->path);

    if (result != HTTP_PATH_OK) {
        visit_fail(visit, (unsigned)result);
        return;
    }
    visit->base_length = visit->path.path.length;
    memcpy(visit->name, visit->path.path.data, visit->base_length);
    if (visit->base_length == 0)
        visit->name[visit->base_length++] = '.';
    read_accept(visit);
    visit_open(visit);
}

static void request(weft_http_handler *handler, weft_http_exchange *exchange)
{
    static const weft_http_field allow = {WEFT_BYTES("Allow"), WEFT_BYTES("GET, HEAD")};
    weft_http_files *files = weft_container_of(handler, weft_http_files, handler);
    weft_bytes method = weft_http_exchange_method(exchange);
    struct visit *visit;

    if (!is_read(method)) {
        (void)respond_page(exchange, is_known_method(method) ? 405 : 501, &allow);
        return;
    }
    visit = visit_new(files, exchange);
    if (visit)
        begin(visit);
    else
        (void)respond_page(exchange, 503, NULL);
}

static void record(weft_http_handler *handler, const weft_http_record *about)
{
    weft_http_files *files = weft_container_of(handler, weft_http_files, handler);

    if (files->options.record)
        files->options.record(files->options.record_arg, about);
}

static const weft_http_handler_ops handler_ops = {.name = "http files", .request = request, .record = record};

int weft_http_files_new(weft_directory *directory, const weft_http_files_options *options, weft_http_files **ret_files)
{
    static const char *const default_index[] = {"index.html"};
    weft_http_files_options known = {0};
    weft_http_files *files;
    int status = options_copy(&known, sizeof known, options);

    if (status < 0)
        return status;
    files = weft_allocate_zeroed(1, sizeof *files);
    if (!files)
        return WEFT_ENOMEM;
    files->references = 1;
    files->handler.ops = &handler_ops;
    files->directory = weft_directory_ref(directory);
    files->options = known;
    if (!files->options.index && files->options.index_count == 0) {
        files->options.index = default_index;
        files->options.index_count = 1;
    }
    if (files->options.listing_entries == 0)
        files->options.listing_entries = 10000;
    *ret_files = files;
    return 0;
}

void weft_http_files_free(weft_http_files *files)
{
    if (!files || --files->references > 0)
        return;
    while (files->free_visits) {
        struct visit *visit = files->free_visits;
        files->free_visits = visit->next_free;
        weft_release(visit);
    }
    forget_loop(files);
    weft_directory_unref(files->directory);
    weft_release(files);
}

weft_http_handler *weft_http_files_handler(weft_http_files *files)
{
    return &files->handler;
}
