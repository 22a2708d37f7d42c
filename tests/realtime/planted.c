/* SPDX-License-Identifier: MIT */
/*
 * usage: planted PLACE CALL
 *
 * A program whose callback blocks, which planted.py wants to be found; or does something like it that does not block,
 * which nobody may report.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <weft/weft.h>

struct call {
    const char *name;
    void (*run)(void);
};

static const struct call *planted;
static weft_loop *loop;
static int pipe_in, pipe_out;

/* -- what blocks -- */

static void call_usleep(void)
{
    usleep(1);
}

static void call_fsync(void)
{
    (void)fsync(pipe_in);
}

static void call_stat(void)
{
    struct stat about;

    (void)stat("/", &about);
}

static void call_open(void)
{
    close(open("/dev/null", O_RDONLY));
}

static void call_read(void)
{
    char byte;

    (void)fcntl(pipe_in, F_SETFL, 0);
    (void)!write(pipe_out, "x", 1);
    (void)!read(pipe_in, &byte, 1);
}

static void call_poll(void)
{
    struct pollfd one = {.fd = pipe_out, .events = POLLOUT};

    (void)poll(&one, 1, 1);
}

static void call_pthread_mutex_lock(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
}

static void call_weft_directory_open(void)
{
    weft_directory *directory;

    if (weft_directory_open("/", &directory) == 0)
        weft_directory_unref(directory);
}

/* -- what does not -- */

static void call_nothing(void)
{
    struct pollfd one = {.fd = pipe_in, .events = POLLIN};
    char bytes[4];

    (void)poll(&one, 1, 0);
    (void)!read(pipe_in, bytes, sizeof bytes);
    (void)!write(pipe_out, "x", 1);
    free(malloc(1000));
}

static const struct call calls[] = {
    {"usleep", call_usleep},
    {"fsync", call_fsync},
    {"stat", call_stat},
    {"open", call_open},
    {"read", call_read},
    {"poll", call_poll},
    {"pthread_mutex_lock", call_pthread_mutex_lock},
    {"weft_directory_open", call_weft_directory_open},
    {"nothing", call_nothing},
};

/* -- where -- */

static void in_timer(weft_timer *timer)
{
    weft_timer_fini(timer);
    planted->run();
}

static void in_post(weft_post *post)
{
    (void)post;
    planted->run();
    weft_loop_stop(loop);
}

static int in_task(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    planted->run();
    return 0;
}

/* After a turn inside of a turn one must not block either. */
static int in_turns(weft_task *me, void *arg)
{
    if (weft_loop_step(loop) < 0)
        return -1;
    return in_task(me, arg);
}

static void on_a_thread(weft_job *job)
{
    (void)job;
    planted->run();
}

static void done(weft_job *job, int status)
{
    (void)job;
    (void)status;
}

static int plant(const char *place)
{
    static weft_timer timer;
    static weft_post post = {.run = in_post};
    static weft_job job;
    weft_scope *scope = weft_loop_scope(loop);
    int status = -1;

    if (strcmp(place, "timer") == 0 && weft_timer_init(&timer, scope, in_timer) == 0) {
        weft_timer_start(&timer, 0);
        status = 0;
    } else if (strcmp(place, "post") == 0) {
        weft_loop_post(loop, &post);
        status = 0;
    } else if (strcmp(place, "task") == 0) {
        status = weft_spawn(scope, in_task, NULL);
    } else if (strcmp(place, "turns") == 0) {
        status = weft_spawn(scope, in_turns, NULL);
    } else if (strcmp(place, "job") == 0) {
        status = weft_job_start(&job, scope, on_a_thread, done);
    } else if (strcmp(place, "outside") == 0) {
        planted->run();
        status = 0;
    }
    return status;
}

int main(int argc, char **argv)
{
    int ends[2];

    for (size_t i = 0; argc == 3 && i < sizeof calls / sizeof calls[0]; i++)
        if (strcmp(argv[2], calls[i].name) == 0)
            planted = &calls[i];
    if (!planted || pipe2(ends, O_NONBLOCK) < 0 || weft_loop_new(NULL, &loop) < 0)
        return 2;
    pipe_in = ends[0];
    pipe_out = ends[1];
    if (plant(argv[1]) < 0 || weft_loop_run(loop) < 0)
        return 2;
    weft_loop_free(loop);
    puts("ended");
    return 0;
}
