/* SPDX-License-Identifier: MIT */
/* Which TCP ports are open: portscan ADDRESS FIRST LAST [SECONDS]. 500 attempts at once, all under one deadline. */
#include <stdio.h>
#include <stdlib.h>

#include <weft/weft.h>

#define AT_ONCE 500

struct scan {
    const char *address;
    int next, last, open, silent, failed;
    weft_time deadline;
};

static void attempt(weft_task *me, struct scan *scan, int port)
{
    weft_scope *scope = weft_scope_open(weft_task_scope(me), WEFT_SECONDS(1)); /* who is silent so long is not there */
    weft_stream *stream;
    char url[128];
    int status;

    snprintf(url, sizeof url, "tcp://%s:%d", scan->address, port);
    status = weft_connect(scope, url, NULL, &stream);
    if (status == 0) {
        printf("%d\n", port);
        scan->open++;
    } else if (weft_error_class_of(status) == WEFT_CLASS_TIMEOUT) {
        scan->silent++;
    } else if (status != -ECONNREFUSED && status != WEFT_ECANCELED && scan->failed++ == 0) {
        fprintf(stderr, "%s: %s\n", url, weft_error_text(status)); /* and the others will not differ much */
    }
    weft_scope_close(scope);
}

static void work(weft_task *me, void *arg)
{
    struct scan *scan = arg;

    while (scan->next <= scan->last && !weft_task_cancelled(me))
        attempt(me, scan, scan->next++);
}

static int run(weft_task *me, void *arg)
{
    struct scan *scan = arg;
    weft_scope *workers = weft_scope_open(weft_task_scope(me), scan->deadline);
    int status = 0;

    for (int i = 0; i < AT_ONCE && status == 0; i++)
        status = weft_spawn(workers, work, scan);
    if (status == 0)
        status = weft_scope_wait(workers);
    (void)weft_scope_finish(workers);
    fprintf(stderr, "%d open, %d silent, %d failed%s\n", scan->open, scan->silent, scan->failed,
            status == WEFT_ETIMEDOUT ? "; the time was not enough for all" : "");
    return status < 0 ? status : scan->failed ? -EIO : 0;
}

int main(int argc, char **argv)
{
    struct scan scan;

    if (argc < 4) {
        fprintf(stderr, "usage: portscan ADDRESS FIRST LAST [SECONDS]\n");
        return 2;
    }
    scan = (struct scan){.address = argv[1],
                         .next = atoi(argv[2]),
                         .last = atoi(argv[3]),
                         .deadline = argc > 4 ? WEFT_SECONDS(atoi(argv[4])) : WEFT_NEVER};
    return weft_run(run, &scan);
}
