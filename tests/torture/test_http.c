/* SPDX-License-Identifier: MIT */
/*
 * EL-18 and EL-19 on HTTP: a server of a folder and a client, both on one loop and real sockets. The client asks, by
 * the name of the host, for a file, a file of a size that has to wait, a file that the page cache does not have, and a
 * listing. Each request is answered or fails with an error; somebody else, who was connected before, notices nothing.
 */
#include "torture/driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/http_client.h>
#include <weft/http_files.h>
#include <weft/weft.h>

#include "torture/inject.h"

#define LARGE 3000000

static char folder[] = "/tmp/weft-torture-XXXXXX";

struct site {
    const char *name, *target, *expected; /* "expected" is in the body */
    size_t length;                        /* of the body; 0: not looked at */
    const char *lacks;
    int error;
    size_t times;
    bool by_name;
    weft_loop *loop;
    weft_directory *directory;
    weft_http_files *files;
    weft_http_server *server;
    weft_listener *listener;
    weft_http_client *bystander;
    char port[16];
};

/* -- one request, in a task -- */

struct asking {
    struct site *site;
    weft_http_client *client;
    const char *host, *target, *expected;
    size_t length;
    int status;
};

static int check(const struct asking *asking, const weft_http_response *response)
{
    if (response->status != 200) {
        assert_true(torture_is_disturbed());
        assert_true(response->status == 503 || response->status == 500 || response->status == 404 ||
                    response->status == 403);
        return 1;
    }
    if (asking->length > 0)
        assert_int_equal(response->body.length, asking->length);
    if (asking->expected && !strstr(response->body.data, asking->expected)) {
        assert_true(torture_is_disturbed());
        assert_string_equal(asking->target, "/"); /* a listing leaves out what cannot be looked at */
    }
    return 0;
}

static void ask(weft_task *me, void *arg)
{
    struct asking *asking = arg;
    weft_scope *scope = weft_scope_open(weft_task_scope(me), WEFT_SECONDS(5));
    weft_http_response *response;
    char url[80];
    weft_http_call call = {.size = sizeof call, .client = asking->client, .url = url};

    snprintf(url, sizeof url, "http://%s:%s%s", asking->host, asking->site->port, asking->target);
    asking->status = weft_await(weft_http_fetch(scope, &call), &response);
    if (asking->status == 0)
        asking->status = check(asking, response);
    assert_true(!scope || weft_scope_cancelled(scope) == 0); /* else it has hung */
    weft_scope_close(scope);
    weft_loop_stop(asking->site->loop);
}

static int ask_for(struct asking *asking)
{
    int status = weft_spawn(weft_loop_scope(asking->site->loop), ask, asking);

    if (status < 0)
        return status;
    assert_int_equal(weft_loop_run(asking->site->loop), 0);
    return asking->status;
}

/* -- a run -- */

static void bystander_asks(struct site *site)
{
    struct asking asking = {.site = site,
                            .client = site->bystander,
                            .host = "127.0.0.1",
                            .target = "/small",
                            .expected = "small",
                            .length = 5};

    assert_int_equal(ask_for(&asking), 0);
}

static void prepare_site(void *arg)
{
    struct site *site = arg;
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER};
    char url[WEFT_LISTENER_URL];

    assert_int_equal(weft_loop_new(&options, &site->loop), 0);
    assert_int_equal(weft_directory_open(folder, &site->directory), 0);
    assert_int_equal(weft_http_files_new(site->directory, NULL, &site->files), 0);
    assert_int_equal(weft_http_server_new(site->loop, weft_http_files_handler(site->files), NULL, &site->server), 0);
    assert_int_equal(weft_listen(weft_loop_scope(site->loop), "tcp://127.0.0.1:0",
                                 weft_http_server_factory(site->server, NULL, NULL), NULL, &site->listener, NULL),
                     0);
    weft_listener_url(site->listener, NULL, url);
    snprintf(site->port, sizeof site->port, "%s", strrchr(url, ':') + 1);
    assert_int_equal(weft_http_client_new(weft_loop_scope(site->loop), NULL, &site->bystander), 0);
    bystander_asks(site);
}

static int play(void *arg)
{
    struct site *site = arg;
    struct asking asking = {.site = site,
                            .host = site->by_name ? "server.example" : "127.0.0.1",
                            .target = site->target,
                            .expected = site->expected,
                            .length = site->length};
    int status = weft_http_client_new(weft_loop_scope(site->loop), NULL, &asking.client);

    if (status < 0)
        return status;
    torture_lack(site->lacks, site->error, site->times);
    status = ask_for(&asking);
    torture_lack(NULL, 0, 0);
    weft_http_client_close(asking.client);
    return status;
}

static uint64_t accepted(struct site *site)
{
    return weft_counters_read(weft_loop_counters(site->loop), "listener.accepted");
}

static void settle(void *arg)
{
    struct site *site = arg;
    uint64_t before = accepted(site);

    bystander_asks(site);
    assert_int_equal(accepted(site), before); /* on the connection that it has had all the time */
    weft_loop_free(site->loop);
    weft_http_server_free(site->server);
    weft_http_files_free(site->files);
    weft_directory_unref(site->directory);
}

static void judge(void *arg, const struct torture_end *end)
{
    const struct site *site = arg;

    if (!end->disturbed && site->error == EMFILE)
        assert_int_equal(end->status, WEFT_ETRUNCATED); /* its connection was dropped */
    else if (!end->disturbed)
        assert_int_equal(end->status, 0);
}

static void requests_are_answered_or_fail_with_an_error(void **state)
{
    static struct site sites[] = {
        {.name = "a file over HTTP", .target = "/small", .expected = "small", .length = 5},
        {.name = "a file, by name", .target = "/small", .expected = "small", .length = 5, .by_name = true},
        {.name = "a large file", .target = "/large", .length = LARGE},
        {.name = "a file that is not in the cache",
         .target = "/large",
         .length = LARGE,
         .lacks = "preadv2",
         .error = EAGAIN,
         .times = 1},
        {.name = "a listing", .target = "/", .expected = "large"},
        {.name = "a full table of descriptors",
         .target = "/small",
         .lacks = "accept4",
         .error = EMFILE,
         .times = 1,
         .expected = "small"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        struct torture_scenario scenario = {sites[i].name, play, judge, &sites[i], prepare_site, settle};

        torture_allocations(&scenario);
        torture_calls(&scenario);
    }
}

/* -- the folder -- */

static int write_file(const char *name, const char *text, size_t length)
{
    char path[80];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    out = fopen(path, "w");
    return out && fwrite(text, 1, length, out) == length && fclose(out) == 0 ? 0 : -1;
}

static int prepare(void **state)
{
    static char large[LARGE];

    (void)state;
    memset(large, 'l', sizeof large);
    return mkdtemp(folder) && write_file("small", "small", 5) == 0 ? write_file("large", large, sizeof large) : -1;
}

static int tidy_up(void **state)
{
    char path[80];

    (void)state;
    snprintf(path, sizeof path, "%s/small", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/large", folder);
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        torture_test(requests_are_answered_or_fail_with_an_error),
    };
    return torture_over(cmocka_run_group_tests(tests, prepare, tidy_up));
}
