/* SPDX-License-Identifier: MIT */
/* Weft's HTTP client as a program uses it: a task for each connection that fetches again and again. */
#include <weft/http_client.h>
#include <weft/weft.h>

#include "client.h"

static struct job job;
static weft_http_client *client;

static void must(int status)
{
    if (status < 0) {
        fprintf(stderr, "weft_client: %s\n", weft_error_text(status));
        exit(1);
    }
}

static int fetch(weft_task *me, void *arg)
{
    weft_http_call call = {.size = sizeof call, .client = client, .url = job.url};

    (void)arg;
    for (;;) {
        weft_scope *one = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
        weft_http_response *response;

        must(weft_await(weft_http_fetch(one, &call), &response));
        check_answer(&job, response->status, response->body.length);
        job.requests++;
        weft_scope_close(one);
    }
    return 0;
}

static int measure(weft_task *me, void *arg)
{
    weft_http_client_options options = {
        .size = sizeof options, .connections = MOST_CONNECTIONS, .per_host = MOST_CONNECTIONS};
    weft_scope *scope = weft_task_scope(me);

    (void)arg;
    must(weft_http_client_new(scope, &options, &client));
    for (size_t i = 0; i < job.connections; i++)
        must(weft_spawn(scope, fetch, NULL));
    must(weft_sleep((weft_time)(job.warm_up * 1e9)));
    job_starts(&job);
    must(weft_sleep((weft_time)(job.seconds * 1e9)));
    job_ends(&job);
}

int main(int argc, char **argv)
{
    job = job_from(argc, argv);
    return weft_run(measure, NULL);
}
