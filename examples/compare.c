/* SPDX-License-Identifier: MIT */
/* Two requests at once, awaited together, given up together after two seconds: compare URL URL. */
#include <stdio.h>

#include <weft/http_client.h>
#include <weft/weft.h>

static void compare(weft_task *me, void *arg)
{
    char **urls = arg;
    weft_scope *both = weft_scope_open(weft_task_scope(me), WEFT_SECONDS(2));
    weft_http_reply a = weft_http_get(both, urls[0]);
    weft_http_reply b = weft_http_get(both, urls[1]);
    weft_http_response *x, *y;
    int err;

    if ((err = weft_await(a, &x)) < 0 || (err = weft_await(b, &y)) < 0)
        weft_log_error(both, err);
    else
        printf("%zu and %zu bytes\n", x->body.length, y->body.length);
    weft_scope_close(both); /* what still runs is cancelled; x and y die with it */
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return weft_run(compare, argv + 1);
    fprintf(stderr, "usage: compare URL URL\n");
    return 2;
}
