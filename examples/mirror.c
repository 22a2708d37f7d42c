/* SPDX-License-Identifier: MIT */
/* A copy of a site: mirror http://host:port/ DIRECTORY, which is there. Follows links within the site, eight pages at a
 * time. */
#include <stdio.h>
#include <string.h>

#include <weft/file_deferred.h>
#include <weft/http_client.h>
#include <weft/queue.h>
#include <weft/weft.h>

#define AT_ONCE 8
#define PAGES_MOST 10000
#define PATH_MOST 1024

WEFT_QUEUE(paths, char *);

struct mirror {
    const char *site; /* without the slash at its end */
    weft_directory *copy;
    paths todo;
    char *known[PAGES_MOST];
    size_t count, done, failed; /* of the known ones */
    size_t lost;                /* links that memory was too short for */
};

/* Whether two characters @p both stand side by side in @p path. */
static bool has_two(const char *path, size_t length, char both)
{
    for (size_t i = 1; i < length; i++)
        if (path[i - 1] == both && path[i] == both)
            return true;
    return false;
}

/* Remembers @p path, which begins with a slash, and queues it if it is new. Whatever would lead out is left alone. */
static void add(struct mirror *mirror, weft_scope *scope, const char *path, size_t length)
{
    char *copy;

    length = strcspn(path, "?#\"'") < length ? strcspn(path, "?#\"'") : length;
    if (length == 0 || length >= PATH_MOST || mirror->count == PAGES_MOST || has_two(path, length, '.') ||
        has_two(path, length, '/'))
        return;
    for (size_t i = 0; i < mirror->count; i++)
        if (strlen(mirror->known[i]) == length && memcmp(mirror->known[i], path, length) == 0)
            return;
    copy = weft_scope_allocate(scope, length + 1); /* lives as long as the mirror */
    if (!copy) {
        mirror->lost++;
        return;
    }
    memcpy(copy, path, length);
    copy[length] = '\0';
    if (weft_queue_try_put(mirror->todo, copy) == 0)
        mirror->known[mirror->count++] = copy;
    else
        mirror->lost++;
}

/* A link as it stands in the page @p base. */
static void follow(struct mirror *mirror, weft_scope *scope, const char *base, const char *link, size_t length)
{
    size_t site = strlen(mirror->site), folder = (size_t)(strrchr(base, '/') - base) + 1;
    char path[2 * PATH_MOST];

    if (length > site && memcmp(link, mirror->site, site) == 0)
        add(mirror, scope, link + site, length - site);
    else if (link[0] == '/')
        add(mirror, scope, link, length);
    else if (length < PATH_MOST && folder < PATH_MOST && !memchr(link, ':', length)) {
        snprintf(path, sizeof path, "%.*s%.*s", (int)folder, base, (int)length, link);
        add(mirror, scope, path, folder + length);
    }
}

static void find_links(struct mirror *mirror, weft_scope *scope, const char *base, const char *page)
{
    static const char *const names[] = {"href=\"", "src=\""};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (const char *at = page; (at = strstr(at, names[i]));) {
            at += strlen(names[i]);
            follow(mirror, scope, base, at, strcspn(at, "\""));
        }
}

/* Under the same path, beneath the directory. */
static int save(const struct mirror *mirror, weft_scope *scope, const char *path, weft_bytes body)
{
    char name[PATH_MOST + 16];
    weft_file *file;
    int status;

    snprintf(name, sizeof name, "%s%s", path + 1, path[strlen(path) - 1] == '/' ? "index.html" : "");
    for (char *slash = name; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)!weft_wait(weft_directory_make(scope, mirror->copy, name)); /* it may be there */
        *slash = '/';
    }
    status = weft_await(weft_file_create(scope, mirror->copy, name, WEFT_FILE_TRUNCATE), &file);
    if (status < 0)
        return status;
    status = weft_wait(weft_file_write(scope, file, 0, body));
    weft_file_unref(file);
    return status;
}

static int fetch(struct mirror *mirror, weft_scope *pages, const char *path)
{
    weft_scope *scope = weft_scope_open(weft_task_scope(weft_task_current()), WEFT_SECONDS(30));
    weft_http_response *response;
    char url[2 * PATH_MOST];
    int status, length = snprintf(url, sizeof url, "%s%s", mirror->site, path);

    status = length < (int)sizeof url ? weft_await(weft_http_get(scope, url), &response) : -ENAMETOOLONG;
    if (status == 0 && response->status != 200)
        status = -ENOENT;
    if (status == 0)
        status = save(mirror, scope, path, response->body);
    if (status == 0 &&
        weft_bytes_starts_with(weft_http_response_field(response, "content-type"), weft_bytes_from("text/html")))
        find_links(mirror, pages, path, (const char *)response->body.data);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", url, weft_error_text(status));
    weft_scope_close(scope);
    return status;
}

struct work {
    struct mirror *mirror;
    weft_scope *pages;
};

static void work(weft_task *me, void *arg)
{
    struct work *work = arg;
    struct mirror *mirror = work->mirror;
    char *path;

    (void)me;
    while (weft_pop(mirror->todo, &path) == 0) {
        mirror->failed += fetch(mirror, work->pages, path) < 0;
        if (++mirror->done == mirror->count) /* nobody is left who could find another */
            weft_queue_close(mirror->todo.queue);
    }
}

static int run(weft_task *me, void *arg)
{
    struct mirror *mirror = arg;
    weft_scope *scope = weft_task_scope(me), *workers = weft_scope_open(scope, WEFT_NEVER);
    struct work shared = {.mirror = mirror, .pages = scope};
    int status = 0;

    mirror->todo = weft_queue_new(paths, scope, PAGES_MOST, AT_ONCE);
    add(mirror, scope, "/", 1);
    for (int i = 0; i < AT_ONCE && status == 0; i++)
        status = weft_spawn(workers, work, &shared);
    if (status == 0)
        status = weft_scope_wait(workers);
    (void)weft_scope_finish(workers);
    fprintf(stderr, "%zu pages, %zu failed\n", mirror->count, mirror->failed);
    if (status == 0 && mirror->lost > 0)
        status = WEFT_ENOMEM;
    return status < 0 ? status : mirror->failed ? -EIO : 0;
}

int main(int argc, char **argv)
{
    struct mirror mirror = {0};
    int status;

    if (argc != 3 || strncmp(argv[1], "http://", 7) != 0) {
        fprintf(stderr, "usage: mirror http://host:port/ DIRECTORY\n");
        return 2;
    }
    argv[1][7 + strcspn(argv[1] + 7, "/")] = '\0';
    mirror.site = argv[1];
    status = weft_directory_open(argv[2], &mirror.copy);
    if (status < 0) {
        fprintf(stderr, "mirror: cannot open %s: %s\n", argv[2], weft_error_text(status));
        return 1;
    }
    status = weft_run(run, &mirror);
    weft_directory_unref(mirror.copy);
    return status;
}
