/* SPDX-License-Identifier: MIT */
/* A request of libuv's is a deferred, and cancelling one cancels the other. */
#include <weft/adapters/uv.h>

#include <fcntl.h>
#include <netdb.h>
#include <semaphore.h>

#include "adapters/host_test.h"

static uv_loop_t uv;
static weft_loop *loop;
static weft_uv_host *inside;
static unsigned told;
static int told_error;
static ssize_t told_value;

static int begin(void **state)
{
    (void)support_setup(state);
    assert_int_equal(uv_loop_init(&uv), 0);
    loop = loop_on("epoll");
    assert_int_equal(weft_uv_host_new(loop, &uv, NULL, NULL, &inside), 0);
    told = 0;
    return 0;
}

static int end(void **state)
{
    weft_uv_host_free(inside);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&uv), 0);
    weft_loop_free(loop);
    return support_teardown(state);
}

static int tell(int error, ssize_t *value, void *request)
{
    told++;
    told_error = error;
    told_value = *value;
    if (request)
        uv_fs_req_cleanup(request);
    return 0;
}

static weft_uv_result open_path(const char *path)
{
    uv_fs_t *request = NULL;
    weft_uv_result result = weft_uv_request(weft_loop_scope(loop), sizeof *request, (void **)&request);

    assert_non_null(result.deferred);
    assert_int_equal(weft_finally(result, tell, request), 0);
    weft_uv_begun(result, uv_fs_open(&uv, request, path, O_RDONLY | O_CLOEXEC, 0, weft_uv_fs_done));
    return result;
}

static void a_result_fires(void **state)
{
    uv_fs_t close_request;

    (void)state;
    (void)open_path("/proc/self/exe");
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(told, 1);
    assert_int_equal(told_error, 0);
    assert_int_equal(uv_fs_close(&uv, &close_request, (uv_file)told_value, NULL), 0);
    uv_fs_req_cleanup(&close_request);
}

static void an_error_fails(void **state)
{
    (void)state;
    (void)open_path("/nonexistent");
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(told_error, -ENOENT);
}

/* More requests than libuv has threads, of which the first wait for this. */
static sem_t held;

static void hold(uv_work_t *request)
{
    (void)request;
    while (sem_wait(&held) != 0)
        ;
}

#define HELD 4

static void begin_work(uv_work_t *request, weft_uv_result result)
{
    assert_int_equal(weft_finally(result, tell, NULL), 0);
    weft_uv_begun(result, uv_queue_work(&uv, request, hold, weft_uv_work_done));
}

static void cancelling_the_deferred_cancels_the_request(void **state)
{
    weft_uv_result results[HELD + 1];
    uv_work_t *request = NULL;

    (void)state;
    assert_int_equal(sem_init(&held, 0, 0), 0);
    for (int i = 0; i < HELD + 1; i++) {
        results[i] = weft_uv_request(weft_loop_scope(loop), sizeof *request, (void **)&request);
        begin_work(request, results[i]);
    }
    weft_cancel(results[HELD].deferred);
    assert_int_equal(told, 1);
    assert_int_equal(told_error, WEFT_ECANCELED);
    for (int i = 0; i < HELD; i++)
        assert_int_equal(sem_post(&held), 0);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0); /* for ever, if the fifth still waited */
    assert_int_equal(told, HELD + 1);
    assert_int_equal(told_error, 0);
    assert_int_equal(sem_destroy(&held), 0);
}

/* It is at work, and so cannot be taken back. */
static void the_end_of_the_scope_leaves_the_request_to_libuv(void **state)
{
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    uv_work_t *request = NULL;
    weft_uv_result result = weft_uv_request(scope, sizeof *request, (void **)&request);

    (void)state;
    assert_int_equal(sem_init(&held, 0, 0), 0);
    begin_work(request, result);
    weft_scope_close(scope);
    while (!told)
        uv_run(&uv, UV_RUN_ONCE);
    assert_int_equal(told_error, WEFT_ECANCELED);
    assert_int_equal(sem_post(&held), 0);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(told, 1);
    assert_int_equal(sem_destroy(&held), 0);
}

static int take_addresses(int error, ssize_t *value, void *request)
{
    (void)tell(error, value, NULL);
    assert_non_null(((uv_getaddrinfo_t *)request)->addrinfo);
    uv_freeaddrinfo(((uv_getaddrinfo_t *)request)->addrinfo);
    return 0;
}

static void addresses_are_in_the_request(void **state)
{
    uv_getaddrinfo_t *request = NULL;
    weft_uv_result result = weft_uv_request(weft_loop_scope(loop), sizeof *request, (void **)&request);

    (void)state;
    assert_int_equal(weft_finally(result, take_addresses, request), 0);
    weft_uv_begun(result, uv_getaddrinfo(&uv, request, weft_uv_getaddrinfo_done, "127.0.0.1", "80", NULL));
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(told, 1);
    assert_int_equal(told_error, 0);
}

static void what_libuv_refuses_fails(void **state)
{
    uv_work_t *request = NULL;
    weft_uv_result result = weft_uv_request(weft_loop_scope(loop), sizeof *request, (void **)&request);

    (void)state;
    assert_int_equal(weft_finally(result, tell, NULL), 0);
    weft_uv_begun(result, uv_queue_work(&uv, request, NULL, weft_uv_work_done));
    assert_int_equal(told_error, -EINVAL);
}

static void want_of_memory_makes_no_request(void **state)
{
    void *request = NULL;

    (void)state;
    support_fail_at(1, false);
    assert_null(weft_uv_request(weft_loop_scope(loop), sizeof(uv_fs_t), &request).deferred);
    support_fail_at(0, false);
    assert_null(request);
}

#define uv_test(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        uv_test(a_result_fires),
        uv_test(an_error_fails),
        uv_test(cancelling_the_deferred_cancels_the_request),
        uv_test(the_end_of_the_scope_leaves_the_request_to_libuv),
        uv_test(addresses_are_in_the_request),
        uv_test(what_libuv_refuses_fails),
        uv_test(want_of_memory_makes_no_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
