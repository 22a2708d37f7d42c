/* SPDX-License-Identifier: MIT */
/* Names, and the addresses that they have: what is connected to, and what becomes of a name that is given up. */
#include "families/http/origin.h"

#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/names.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define ROOT weft_loop_scope(world.loop)

static struct origin_world world;
static struct origin *origin;

static void open_with(const weft_http_client_options *options)
{
    origin_open(&world, options, NULL, 1);
    origin = &world.origins[0];
}

static struct {
    int result;
    weft_address addresses[4];
    unsigned asked;
    char host[64];
    sem_t begun, go; /* for a name that hangs */
    atomic_int thread;
} resolver;

int __wrap_names_resolve(const char *host, weft_address *ret, size_t room);
int __wrap_names_resolve(const char *host, weft_address *ret, size_t room)
{
    if (strcmp(host, "hangs.example") == 0) {
        atomic_store(&resolver.thread, (int)gettid());
        sem_post(&resolver.begun);
        while (sem_wait(&resolver.go) < 0)
            ;
    }
    resolver.asked++;
    snprintf(resolver.host, sizeof resolver.host, "%s", host);
    for (int i = 0; i < resolver.result && (size_t)i < room; i++)
        ret[i] = resolver.addresses[i];
    return resolver.result;
}

static void call_name(struct origin_result *result)
{
    char url[128];

    snprintf(url, sizeof url, "http://Server.Example%s/", strrchr(origin->url, ':'));
    origin_fetch(&world, ROOT, &(weft_http_call){.url = url}, result);
}

static void a_name_is_looked_up_and_its_addresses_are_tried_in_order(void **state)
{
    struct origin_result result;

    (void)state;
    open_with(NULL);
    memset(&resolver, 0, sizeof resolver);
    resolver.result = 3;
    resolver.addresses[0] = (weft_address){.family = WEFT_ADDRESS_IPV6, .ip = {0x20, 1, 0xd, 0xb8}};
    resolver.addresses[1] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 9}};
    resolver.addresses[2] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 1}};
    origin_will_say(origin, OK);
    call_name(&result);
    assert_int_equal(result.error, 0);
    assert_string_equal(resolver.host, "server.example");
    assert_true(origin_got(origin, 0, "Host: server.example:"));
    origin_close(&world);
}

static void the_first_failure_of_all_addresses_is_told(void **state)
{
    struct origin_result result;

    (void)state;
    open_with(NULL);
    memset(&resolver, 0, sizeof resolver);
    resolver.result = 2;
    resolver.addresses[0] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 8}};
    resolver.addresses[1] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 9}};
    call_name(&result);
    assert_int_equal(result.error, -ECONNREFUSED);
    origin_close(&world);
}

static void names_that_are_not_known_are_told(void **state)
{
    static const int errors[] = {WEFT_ENONAME, WEFT_ENAMETRY, WEFT_ENOMEM};
    struct origin_result result;

    (void)state;
    open_with(NULL);
    for (size_t i = 0; i < 3; i++) {
        memset(&resolver, 0, sizeof resolver);
        resolver.result = errors[i];
        call_name(&result);
        assert_int_equal(result.error, errors[i]);
    }
    origin_close(&world);
}

static void only_the_wanted_family_is_used(void **state)
{
    struct origin_result result;

    (void)state;
    open_with(&(weft_http_client_options){.size = sizeof(weft_http_client_options), .family = WEFT_HTTP_ONLY_IPV6});
    origin_fetch(&world, ROOT, &(weft_http_call){.url = origin->url}, &result);
    assert_int_equal(result.error, WEFT_EADDRESS);
    origin_close(&world);
    open_with(&(weft_http_client_options){.size = sizeof(weft_http_client_options), .family = WEFT_HTTP_ONLY_IPV4});
    memset(&resolver, 0, sizeof resolver);
    resolver.result = 2;
    resolver.addresses[0] = (weft_address){.family = WEFT_ADDRESS_IPV6, .ip = {[15] = 1}};
    resolver.addresses[1] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 1}};
    origin_will_say(origin, OK);
    call_name(&result);
    assert_int_equal(result.error, 0);
    origin_close(&world);
}

/* H1-36, DNS rebinding: a filter sees the addresses that the name has, and only these are connected to. */
static bool no_loopback(const weft_address *address, void *arg)
{
    (void)arg;
    return address->ip[0] != 127;
}

static void h1_36_a_name_that_leads_inside_is_refused(void **state)
{
    struct origin_result result;

    (void)state;
    open_with(&(weft_http_client_options){.size = sizeof(weft_http_client_options), .allow = no_loopback});
    memset(&resolver, 0, sizeof resolver);
    resolver.result = 1;
    resolver.addresses[0] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 1}};
    call_name(&result);
    assert_int_equal(result.error, WEFT_EADDRESS);
    assert_int_equal(resolver.asked, 1);
    assert_int_equal(origin->connections, 0);
    origin_close(&world);
}

static void nobody_listening_is_refused(void **state)
{
    struct origin_result result;

    (void)state;
    open_with(NULL);
    origin_fetch(&world, ROOT, &(weft_http_call){.url = "http://127.0.0.1:1/"}, &result);
    assert_int_equal(result.error, -ECONNREFUSED);
    origin_fetch(&world, ROOT, &(weft_http_call){.url = "http://x/", .through = "mem://nobody"}, &result);
    assert_true(result.error < 0);
    origin_fetch(&world, ROOT, &(weft_http_call){.url = "http://x/", .through = "nonsense"}, &result);
    assert_int_equal(result.error, WEFT_ESCHEME);
    origin_close(&world);
}

/* Its request, its client or its scope ends before its turn: nobody asks the resolver. */
static void a_name_that_is_given_up_is_not_looked_up(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        weft_scope *scope;
        struct origin_result result;
        weft_http_reply reply;

        open_with(NULL);
        memset(&resolver, 0, sizeof resolver);
        scope = weft_scope_open(ROOT, WEFT_NEVER);
        reply = origin_begin(&world, scope, &(weft_http_call){.url = "http://server.example/"}, &result);
        assert_int_equal(weft_loop_step(world.loop), 1);
        if (how == 0)
            weft_cancel(reply.deferred);
        else if (how == 1)
            weft_http_client_close(world.client);
        else if (how == 2)
            weft_scope_cancel(scope, WEFT_ECANCELED);
        else
            weft_scope_cancel(ROOT, WEFT_ECANCELED);
        while (weft_loop_step(world.loop) == 1 && !result.done)
            ;
        assert_int_equal(result.error, WEFT_ECANCELED);
        assert_int_equal(resolver.asked, 0);
        weft_scope_close(scope);
        origin_close(&world);
    }
}

static weft_loop *real;

static void stop(weft_http_receiver *receiver, weft_http_request *request, int reason)
{
    (void)receiver;
    (void)request;
    resolver.result = reason;
    weft_loop_stop(real);
}

/* A real loop, a resolver that hangs, and the shortest deadline. */
static void a_name_that_hangs_is_given_up_in_time_and_nobody_waits_for_it(void **state)
{
    static const weft_http_receiver_ops ops = {.gone = stop};
    weft_http_receiver receiver = {.ops = &ops};
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER};
    weft_http_client_options short_time = {.size = sizeof short_time, .name_time = WEFT_MILLISECONDS(1)};
    weft_http_call call = {.size = sizeof call, .url = "http://hangs.example/"};
    char path[64];

    (void)state;
    memset(&resolver, 0, sizeof resolver);
    sem_init(&resolver.begun, 0, 0);
    sem_init(&resolver.go, 0, 0);
    assert_int_equal(weft_loop_new(&options, &real), 0);
    assert_int_equal(weft_http_client_new(weft_loop_scope(real), &short_time, &call.client), 0);
    assert_int_equal(weft_http_request_start(weft_loop_scope(real), &call, &receiver, NULL), 0);
    assert_int_equal(weft_loop_step(real), 1);
    while (sem_wait(&resolver.begun) < 0)
        ;
    assert_int_equal(weft_loop_run(real), 0);
    assert_int_equal(resolver.result, WEFT_ENAMETIME);
    weft_loop_free(real);
    sem_post(&resolver.go);
    snprintf(path, sizeof path, "/proc/self/task/%d", atomic_load(&resolver.thread));
    while (access(path, F_OK) == 0)
        sched_yield();
    sem_destroy(&resolver.begun);
    sem_destroy(&resolver.go);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_name_is_looked_up_and_its_addresses_are_tried_in_order),
        support_test(the_first_failure_of_all_addresses_is_told),
        support_test(names_that_are_not_known_are_told),
        support_test(only_the_wanted_family_is_used),
        support_test(h1_36_a_name_that_leads_inside_is_refused),
        support_test(nobody_listening_is_refused),
        support_test(a_name_that_is_given_up_is_not_looked_up),
        support_test(a_name_that_hangs_is_given_up_in_time_and_nobody_waits_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
