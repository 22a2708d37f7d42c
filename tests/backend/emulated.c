/* SPDX-License-Identifier: MIT */
/*
 * For an emulator of user programs, which knows no io_uring: a loop that asked for it is on epoll, one line says so, and
 * everything works. Ends with 0, or says what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/job.h>
#include <weft/weft.h>

#define ROUNDS 50
#define PIECE 40000

static unsigned said;
static char last_said[256];

static void hear(const weft_log_event *event, void *arg)
{
    (void)arg;
    said++;
    snprintf(last_said, sizeof last_said, "%s", event->text);
    fprintf(stderr, "log: %s\n", event->text);
}

static void must(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "wrong: %s\n", what);
    exit(1);
}

/* -- an echo between tasks, over a socket of the system -- */

static unsigned echoed;

static void echo(weft_stream *peer, void *unused)
{
    weft_bytes in;

    (void)unused;
    while (weft_read(peer, &in) > 0 && weft_write(peer, in) == 0)
        ;
}

static int talk(weft_task *me, void *url)
{
    static char piece[PIECE];
    weft_stream *peer;
    weft_bytes in;
    int status = weft_connect(weft_task_scope(me), url, NULL, &peer);

    for (int i = 0; i < PIECE; i++)
        piece[i] = (char)(i * 7);
    for (int i = 0; i < ROUNDS && status >= 0; i++) {
        status = weft_write(peer, weft_bytes_of(piece, PIECE));
        if (status == 0)
            status = weft_read_exactly(peer, PIECE, &in);
        echoed += status > 0 && memcmp(in.data, piece, PIECE) == 0;
    }
    return status < 0 ? status : weft_close(peer);
}

static void talk_over(weft_loop *loop, const char *where)
{
    weft_factory *factory = weft_task_factory_new(echo, NULL);
    weft_listener *listener;
    weft_done talked;
    char url[WEFT_LISTENER_URL];

    echoed = 0;
    must(weft_listen(weft_loop_scope(loop), where, factory, NULL, &listener, NULL) == 0, "listening");
    weft_listener_url(listener, NULL, url);
    talked = weft_spawn_done(weft_loop_scope(loop), talk, url);
    while (!weft_deferred_ready(talked.deferred))
        must(weft_loop_step(loop) >= 0, "the loop failed");
    must(weft_peek(talked, &(int){0}) == 0, "the conversation failed");
    must(echoed == ROUNDS, "not everything came back");
    weft_listener_stop(listener, 0);
    must(weft_loop_run(loop) == 0, "the loop failed");
    weft_task_factory_free(factory);
}

/* -- a thread, and time -- */

static unsigned worked, done, fired;

static void work(weft_job *job)
{
    (void)job;
    worked++;
}

static void over(weft_job *job, int status)
{
    (void)job;
    done += status == 0;
}

static void fire(weft_timer *timer)
{
    (void)timer;
    fired++;
}

static void wait_for_thread_and_time(weft_loop *loop)
{
    weft_timer timer;
    weft_job job;

    must(weft_job_start(&job, weft_loop_scope(loop), work, over) == 0, "a job");
    must(weft_timer_init(&timer, weft_loop_scope(loop), fire) == 0, "a timer");
    weft_timer_start(&timer, WEFT_MILLISECONDS(2));
    must(weft_loop_run(loop) == 0, "the loop failed");
    must(worked == 1 && done == 1 && fired == 1, "a job or a timer did not end");
    weft_timer_fini(&timer);
}

int main(void)
{
    weft_loop_options options = {.size = sizeof options, .backend = "io_uring", .watchdog = WEFT_NEVER};
    weft_loop *loop, *second;

    weft_log_set_sink(hear, NULL);
    must(weft_loop_new(&options, &loop) == 0, "a loop");
    must(weft_loop_new(&options, &second) == 0, "another loop");
    must(strcmp(weft_loop_backend(loop), "epoll") == 0, "it is not on epoll");
    must(said == 1 && strstr(last_said, "the engine is epoll, for io_uring is not to be had here: io_uring_setup: ") &&
             strstr(last_said, weft_error_text(-ENOSYS)),
         "it was not said once which engine it is, and why");
    talk_over(loop, "tcp://127.0.0.1:0");
    talk_over(loop, "unix://@weft-emulated");
    wait_for_thread_and_time(second);
    must(said == 1, "more was logged");
    weft_loop_free(loop);
    weft_loop_free(second);
    puts("on epoll, and all is well");
    return 0;
}
