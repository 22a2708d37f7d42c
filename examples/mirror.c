/* SPDX-License-Identifier: MIT */
/* A copy of a site: mirror http://host:port/ DIRECTORY. Follows links within the site, eight pages at a time. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <weft/http_client.h>
#include <weft/job.h>
#include <weft/queue.h>
#include <weft/weft.h>

#define AT_ONCE 8
#define PAGES_MOST 10000
#define PATH_MOST 1024

WEFT_QUEUE(paths, char *);

struct mirror {
    const char *site; /* without the slash at its end */
    const char *directory;
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

struct saving {
    weft_job job;
    char file[2 * PATH_MOST];
    weft_bytes body;
    int result;
};

/* Runs on a thread of the loop's pool: a disk may be slow. */
static void write_file(weft_job *job)
{
    struct saving *saving = weft_container_of(job, struct saving, job);
    FILE *out;
    bool whole;

    for (char *slash = saving->file; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        (void)mkdir(saving->file, 0777);
        *slash = '/';
    }
    out = fopen(saving->file, "wb");
    saving->result = out ? 0 : -errno;
    if (!out)
        return;
    whole = fwrite(saving->body.data, 1, saving->body.length, out) == saving->body.length;
    if (fclose(out) != 0 || !whole)
        saving->result = -EIO;
}

static void written(weft_job *job, int status)
{
    if (status < 0)
        weft_container_of(job, struct saving, job)->result = status;
}

/* Returns when nothing uses @p body any more, even if it is cancelled. */
static int save(const struct mirror *mirror, weft_scope *scope, const char *path, weft_bytes body)
{
    const char *name = path[strlen(path) - 1] == '/' ? "index.html" : "";
    weft_scope *job = weft_scope_open(scope, WEFT_NEVER);
    struct saving saving = {.body = body};
    int status, length = snprintf(saving.file, sizeof saving.file, "%s%s%s", mirror->directory, path, name);

    if (length < 0 || (size_t)length >= sizeof saving.file)
        return -ENAMETOOLONG;
    status = weft_job_start(&saving.job, job, write_file, written);
    if (status == 0)
        (void)!weft_scope_wait(job);
    (void)weft_scope_finish(job);
    return status < 0 ? status : saving.result;
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

    if (argc != 3 || strncmp(argv[1], "http://", 7) != 0) {
        fprintf(stderr, "usage: mirror http://host:port/ DIRECTORY\n");
        return 2;
    }
    argv[1][7 + strcspn(argv[1] + 7, "/")] = '\0';
    mirror.site = argv[1];
    mirror.directory = argv[2];
    return weft_run(run, &mirror);
}
