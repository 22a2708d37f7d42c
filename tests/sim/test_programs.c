/* SPDX-License-Identifier: MIT */
/* Programs that write files, as they stand, in a simulated world: nothing gets to the system's disk. */
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weft/http.h>
#include <weft/log.h>
#include <weft/sim.h>

int mirror_main(int argc, char **argv);
#define main mirror_main
#include "../examples/mirror.c"
#undef main

#define PAGES 40

static char place[] = "/tmp/weft-programs-XXXXXX";

/* -- a site: a page of links, and what they lead to -- */

static void request(weft_http_handler *handler, weft_http_exchange *exchange)
{
    static const weft_http_field html = {.name = WEFT_BYTES("Content-Type"), .value = WEFT_BYTES("text/html")};
    char page[4096];
    size_t length = 0;

    (void)handler;
    if (!weft_bytes_equal(weft_http_exchange_path(exchange), weft_bytes_from("/"))) {
        (void)weft_http_respond(exchange, 200, &html, 1, weft_bytes_from("a page"));
        return;
    }
    for (int i = 0; i < PAGES; i++)
        length += (size_t)snprintf(page + length, sizeof page - length, "<a href=\"/sub/%d.html\">", i);
    (void)weft_http_respond(exchange, 200, &html, 1, weft_bytes_of(page, length));
}

static int site_main(int argc, char **argv)
{
    static const weft_http_handler_ops ops = {.name = "site", .request = request};
    weft_http_handler handler = {.ops = &ops};

    (void)argc;
    return weft_http_serve(argv[1], &handler);
}

/* -- what is there afterwards -- */

static int check(weft_task *me, void *arg)
{
    weft_scope *scope = weft_task_scope(me);
    weft_directory *directory;

    (void)arg;
    assert_int_equal(weft_directory_open(place, &directory), 0);
    for (int i = 0; i < PAGES; i++) {
        weft_file *file;
        char name[32];

        snprintf(name, sizeof name, "sub/%d.html", i);
        assert_int_equal(weft_await(weft_file_create(scope, directory, name, 0), &file), 0);
        assert_int_equal(weft_file_about(file)->length, strlen("a page"));
        weft_file_unref(file);
    }
    weft_directory_unref(directory);
    return 0;
}

static int check_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return weft_run(check, NULL);
}

/* How long a mirror takes in a world with @p faults, in which it succeeds. */
static weft_time mirror_time(const weft_faults *faults)
{
    static char server[] = "site", url[] = "tcp://0.0.0.0:80", *serving[] = {server, url, NULL};
    char client[] = "mirror", site[] = "http://site.example/", *mirroring[] = {client, site, place, NULL};
    weft_sim *sim = weft_sim_new(1);
    weft_time began, took;

    assert_non_null(sim);
    assert_int_equal(weft_sim_faults(sim, faults), 0);
    assert_int_equal(weft_sim_program(sim, "site.example", site_main, serving), 0);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    began = weft_sim_now(sim);
    assert_int_equal(weft_sim_program(sim, "client.example", mirror_main, mirroring), 0);
    while (weft_sim_program_status(sim, "client.example") == -EINPROGRESS)
        assert_true(weft_sim_run(sim, WEFT_MILLISECONDS(1)) >= 0);
    assert_int_equal(weft_sim_program_status(sim, "client.example"), 0);
    took = weft_sim_now(sim) - began;
    weft_sim_calm(sim);
    assert_int_equal(weft_sim_program(sim, "client.example", check_main, mirroring), 0);
    assert_int_equal(weft_sim_signal(sim, "site.example", SIGTERM), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(10)), 0);
    weft_sim_free(sim);
    return took;
}

static void a_mirror_writes_on_the_disk_of_its_host(void **state)
{
    static const weft_faults kind = {.size = sizeof kind};

    (void)state;
    (void)mirror_time(&kind);
    assert_int_equal(rmdir(place), 0); /* nothing is in there */
    assert_non_null(mkdtemp(strcpy(place, "/tmp/weft-programs-XXXXXX")));
}

/* Each page waits for the disk three times, for 58 ms in the mean: seven seconds, one after the other. */
static void pages_that_are_written_slowly_do_not_hold_up_the_others(void **state)
{
    static const weft_faults slow = {.size = sizeof slow, .slow_files = 1000000};
    weft_time took;

    (void)state;
    took = mirror_time(&slow);
    assert_true(took > WEFT_MILLISECONDS(100) && took < WEFT_SECONDS(3));
}

static int prepare(void **state)
{
    (void)state;
    weft_log_set_threshold(WEFT_LOG_ERROR);
    return mkdtemp(place) ? 0 : -1;
}

static int tidy_up(void **state)
{
    (void)state;
    return rmdir(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(a_mirror_writes_on_the_disk_of_its_host),
        support_test(pages_that_are_written_slowly_do_not_hold_up_the_others),
    };
    return cmocka_run_group_tests(tests, prepare, tidy_up);
}
