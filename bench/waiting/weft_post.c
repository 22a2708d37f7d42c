/* SPDX-License-Identifier: MIT */
#include <weft/weft.h>

#include "post.h"

static weft_loop *loop;
static weft_post posts[WINDOW], last;
static weft_timer keeps; /* the loop goes on while it is started */

static void run(weft_post *post)
{
    (void)post;
    work_done();
}

static void send_work(size_t i)
{
    posts[i % WINDOW].run = run;
    weft_loop_post(loop, &posts[i % WINDOW]);
}

static void take_work(void)
{
    (void)weft_loop_step(loop);
}

static void stop(weft_post *post)
{
    (void)post;
    weft_loop_stop(loop);
}

static void stop_loop(void)
{
    last.run = stop;
    weft_loop_post(loop, &last);
}

static void never(weft_timer *timer)
{
    (void)timer;
}

int main(int argc, char **argv)
{
    size_t count = count_from(argc, argv);
    pthread_t thread;

    if (weft_loop_new(NULL, &loop) < 0 || weft_timer_init(&keeps, weft_loop_scope(loop), never) < 0)
        die("loop");
    weft_timer_start(&keeps, WEFT_MINUTES(60));
    thread = start_thread(&count);
    measure_pending(count);
    if (weft_loop_run(loop) < 0)
        die("run");
    pthread_join(thread, NULL);
    weft_loop_free(loop);
    return 0;
}
